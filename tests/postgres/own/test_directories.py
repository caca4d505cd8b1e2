"""The user's cache directory: one place, made private, and refused where other accounts could change what is in it."""

import os
import sys

import pytest

from pytest_gamedata.postgres.own.directories import cache_directory, prepare_cache_directory


@pytest.mark.parametrize(
    ("platform", "cache"), [("linux", ".cache"), ("darwin", "Library/Caches")], ids=["Linux", "macOS"]
)
def test_the_usual_place_of_each_system(tmp_path, monkeypatch, platform, cache):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", platform)

    assert cache_directory() == tmp_path / cache / "pytest-gamedata"


def test_a_variable_names_another_place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cache_directory() == tmp_path / "pytest-gamedata"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_it_is_made_private_with_its_parents(tmp_path, umask):
    before = os.umask(umask)
    try:
        problem = prepare_cache_directory(tmp_path / "a" / "b")
    finally:
        os.umask(before)

    assert problem is None
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700] * 2
    assert prepare_cache_directory(tmp_path / "a" / "b") is None


def test_a_link_to_a_directory_of_our_own_will_do(tmp_path):
    (tmp_path / "other disk").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "other disk")

    assert prepare_cache_directory(tmp_path / "link") is None


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_one_that_others_may_write_to_is_refused(tmp_path, mode):
    tmp_path.chmod(mode)

    assert (
        prepare_cache_directory(tmp_path)
        == f"other accounts may write to {str(tmp_path)!r}: run chmod go-w on it"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_one_of_another_account_is_refused_and_so_is_its_link(tmp_path):
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 12345)
    (tmp_path / "link").symlink_to(tmp_path)
    os.chown(tmp_path / "link", 12345, 12345, follow_symlinks=False)

    for name in ("theirs", "link"):
        assert (
            prepare_cache_directory(tmp_path / name) == f"{str(tmp_path / name)!r} belongs to another account"
        )


def test_one_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()

    assert prepare_cache_directory(tmp_path / "file") == f"'{tmp_path}/file' cannot be made: File exists"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_one_that_we_may_not_write_to_is_refused(tmp_path):
    tmp_path.chmod(0o500)

    assert prepare_cache_directory(tmp_path) == f"{str(tmp_path)!r} is not writable"
