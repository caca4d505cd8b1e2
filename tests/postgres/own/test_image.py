"""Images of data directories: complete or not there, and never more of them than agreed."""

import os

import pytest

from pytest_gamedata.postgres.own.find_image import Cache, choose_image
from pytest_gamedata.postgres.own.image import ImageError, evict, pack, read_about, unpack

ABOUT = {"family": "f", "templates": {"t": {"dataset": "d", "home": "/project"}}}


@pytest.fixture
def tree(tmp_path):
    tree = tmp_path / "tree"
    (tree / "empty").mkdir(parents=True)
    (tree / "base" / "1").mkdir(parents=True)
    (tree / "base" / "1" / "large").write_bytes(os.urandom(3 << 20))
    (tree / "base" / "1" / "nothing").write_bytes(b"")
    (tree / "PG_VERSION").write_text("18\n")
    (tree / "postmaster.opts").write_text("/the/path/of/this/run")
    return tree


def contents(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() if path.is_file() else None
        for path in directory.rglob("*")
    }


def test_what_is_packed_is_unpacked(tree, tmp_path):
    pack(tree, tmp_path / "a.image", ABOUT)

    assert unpack(tmp_path / "a.image", tmp_path / "copy") == ABOUT
    assert read_about(tmp_path / "a.image") == ABOUT
    expected = contents(tree)
    del expected["postmaster.opts"]
    assert contents(tmp_path / "copy") == expected
    assert {path.stat().st_mode & 0o077 for path in [tmp_path / "copy", *(tmp_path / "copy").rglob("*")]} == {
        0
    }


def test_a_link_is_not_followed(tree, tmp_path):
    (tree / "pg_tblspc").symlink_to("/etc")

    with pytest.raises(ImageError, match=r"^'pg_tblspc' leads out of it$"):
        pack(tree, tmp_path / "a.image", ABOUT)
    assert not [*tmp_path.glob("*.image")]


def test_what_is_removed_meanwhile_is_told_apart_from_what_is_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        unpack(tmp_path / "a.image", tmp_path / "copy")
    (tmp_path / "a.image").mkdir()
    with pytest.raises(ImageError, match=r"^it cannot be read: Is a directory$"):
        unpack(tmp_path / "a.image", tmp_path / "copy")


def test_a_full_disk_is_not_the_images_fault(tree, tmp_path):
    pack(tree, tmp_path / "a.image", ABOUT)

    with pytest.raises(FileNotFoundError):
        unpack(tmp_path / "a.image", tmp_path / "nowhere" / "copy")


def test_the_images_used_longest_ago_go_first(tmp_path):
    for age, name in enumerate("abcd"):
        (tmp_path / f"{name}.image").write_bytes(bytes(100))
        os.utime(tmp_path / f"{name}.image", (1_000_000 - age, 1_000_000 - age))
    (tmp_path / "old.unfinished").touch()
    os.utime(tmp_path / "old.unfinished", (1_000_000, 1_000_000))
    (tmp_path / "new.unfinished").touch()

    evict(tmp_path, 250)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.image", "b.image", "new.unfinished"]


def test_the_image_that_saves_most_work_is_chosen(tree, tmp_path):
    def keep(name, home, *datasets):
        pack(
            tree, tmp_path / name, {"templates": {each: {"dataset": each, "home": home} for each in datasets}}
        )
        os.utime(tmp_path / name, (1_000_000, 1_000_000))

    keep("f-empty.image", "/ours")
    keep("f-a.image", "/theirs", "a")
    keep("f-own-a.image", "/ours", "a")
    keep("f-abc.image", "/ours", "a", "b", "c")
    keep("f-ab.image", "/theirs", "a", "b")
    keep("g-all.image", "/ours", "a", "b", "c", "d")

    def chosen(*wanted, **changes):
        cache = Cache(tmp_path, frozenset(wanted), "/ours", **changes)
        return getattr(choose_image(cache, "f"), "name", None)

    assert chosen() == "f-own-a.image"  # nothing is wanted: the least of our own
    assert chosen("a") == "f-own-a.image"
    assert chosen("a", "b") == "f-abc.image"
    assert chosen("c", "d") == "f-abc.image"
    assert chosen("a", rebuild=True) is None
    assert (tmp_path / "f-own-a.image").stat().st_mtime > 1_000_000
