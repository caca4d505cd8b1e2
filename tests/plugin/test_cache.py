"""What a run finds of earlier ones: nothing built twice, nothing stale, nothing secret, nothing broken."""

import json
import os
import re
import subprocess
import sys

import psycopg
import pytest

SERVER = "PostgreSQL * (*) *, started in *.* s"
SERVER_FROM_CACHE = "PostgreSQL * (*) *, from the cache, started in *.* s"
USED = """
    def test_used(gamedata_db):
        with gamedata_db.session() as session:
            assert session.connection().exec_driver_sql("SELECT count(*) FROM users").scalar() == gamedata_db.counts["users"]
"""
# What a run has loaded, and a digest of each table's rows, told by its last test.
TELL = """
    import hashlib, json, sys
    from pathlib import Path

    import psycopg

    def test_tell(gamedata_db):
        digests = {}
        with psycopg.connect(gamedata_db.dsn) as connection:
            for table in gamedata_db.counts:
                with connection.cursor().copy(f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT") as copy:
                    digests[table] = hashlib.sha256(b"".join(map(bytes, copy))).hexdigest()
        Path("told.json").write_text(json.dumps({
            "counts": gamedata_db.counts, "cast": gamedata_db.cast, "digests": digests, "dsn": gamedata_db.dsn,
            "heavy": sorted({"numpy", "faker", "factory", "sqlalchemy"} & set(sys.modules)),
        }))
"""


@pytest.fixture
def cached(project):
    """Give a project whose cache is in its own directory; `images()` lists what is in that."""
    project.makeini(project.path.joinpath("tox.ini").read_text().replace("= off", "= kept"))
    project.images = lambda: sorted(project.path.glob("kept/*.image"))
    return project


def told(project):
    return json.loads(project.path.joinpath("told.json").read_text())


def found_rows(result):
    """Tell for each dataset of a run's summary whether it came from the cache."""
    return [
        line.endswith("from the cache") for line in result.outlines if re.match("  users [0-9,]+, ", line)
    ]


@pytest.mark.parametrize("args", [[], ["-n2"]], ids=["alone", "n2"])
def test_second_run_builds_nothing(cached, run, args):
    cached.makepyfile(TELL)

    first = run("--gamedata-users=30", *args)
    before = told(cached)
    second = run("--gamedata-users=30", *args)
    after = told(cached)

    first.stdout.fnmatch_lines([SERVER, "users=30 *", "  users 30, *: built in *.* s, loaded in *.* s"])
    second.assert_outcomes(passed=1)
    second.stdout.fnmatch_lines(
        [
            SERVER_FROM_CACHE,
            "users=30 *",
            "  users 30, items 120, transactions *, auth_events *: from the cache",
        ]
    )
    assert [before[key] for key in ("counts", "cast", "digests")] == [
        after[key] for key in ("counts", "cast", "digests")
    ]
    assert {"numpy", "faker", "factory"} <= set(before["heavy"])
    assert after["heavy"] == []
    assert len(cached.images()) == 1


def test_a_session_on_cached_rows_imports_no_factories(cached, run):
    cached.makepyfile("""
        import sys

        def test_session(gamedata_session, gamedata_engine, gamedata_db):
            assert gamedata_session.connection().exec_driver_sql("SELECT 1").scalar() == 1
            if gamedata_db.spec.seed == 1 and __import__("os").environ.get("SECOND"):
                assert not {"numpy", "faker", "factory"} & set(sys.modules)
    """)
    run("--gamedata-users=1")

    os.environ["SECOND"] = "1"
    try:
        result = run("--gamedata-users=1")
    finally:
        del os.environ["SECOND"]

    result.assert_outcomes(passed=1)
    assert found_rows(result) == [True]


def test_clones_of_what_is_cached_are_as_quick_to_connect_to(cached, run):
    cached.makepyfile("""
        def test_file(gamedata_db, gamedata_server):
            import psycopg
            with psycopg.connect(gamedata_db.dsn) as connection:
                path = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()[0]
            names = [path.parent.name for path in gamedata_server.directory.glob("data/base/*/pg_internal.init")]
            template = min(int(name) for name in names if int(name) >= 16384)
            assert template < path, "the template has the file that its clones inherit"
    """)

    results = [run("--gamedata-users=1") for _ in range(2)]

    for result in results:
        result.assert_outcomes(passed=1)
    assert found_rows(results[1]) == [True]


def test_another_dataset_is_built_and_both_are_kept(cached, run):
    cached.makepyfile(
        test_one="def test_one(gamedata_db): pass",
        test_two="import pytest\n@pytest.mark.gamedata(users=2)\ndef test_two(gamedata_db): pass",
    )

    results = [
        run("--gamedata-users=1", name)
        for name in ("test_one.py", "test_two.py", ".", "test_one.py", "test_two.py", ".")
    ]

    assert [found_rows(result) for result in results] == [
        [False],
        [False],
        [False, True],
        [True],
        [True],
        [True, True],
    ]
    for result in results[1:]:
        result.stdout.fnmatch_lines([SERVER_FROM_CACHE])


def test_nothing_secret_is_kept(cached, run):
    cached.makepyfile(TELL)

    run("--gamedata-users=1")
    first = told(cached)["dsn"]
    (image,) = cached.images()
    content = image.read_bytes()
    run("--gamedata-users=1")
    second = told(cached)["dsn"]

    passwords = [psycopg.conninfo.conninfo_to_dict(dsn)["password"] for dsn in (first, second)]
    assert passwords[0] != passwords[1]
    assert b"SCRAM-SHA-256$" not in content
    assert passwords[0].encode() not in content
    assert image.stat().st_mode & 0o777 == 0o600
    assert image.parent.stat().st_mode & 0o777 == 0o700


def test_what_tests_do_to_their_role_and_server_is_not_kept(cached, run):
    cached.makepyfile("""
        import psycopg

        def test_spoil(gamedata_db, gamedata_server):
            with psycopg.connect(gamedata_db.dsn) as connection:
                assert connection.execute("SHOW work_mem").fetchone() == ("4MB",)
                connection.execute("ALTER ROLE gamedata SET work_mem = '5MB'")
                connection.execute("DELETE FROM auth_events")
    """)

    results = [run("--gamedata-users=1") for _ in range(2)]

    for result in results:
        result.assert_outcomes(passed=1)
    assert found_rows(results[1]) == [True]


def test_a_database_that_a_test_leaves_is_not_kept(cached, run):
    cached.makepyfile("""
        import psycopg

        def test_create(gamedata_db):
            with psycopg.connect(gamedata_db.dsn, autocommit=True) as connection:
                connection.execute("CREATE DATABASE mine")
    """)

    result = run("--gamedata-users=1")

    result.assert_outcomes(passed=1)
    assert not cached.images()


def truncate(image):
    os.truncate(image, image.stat().st_size // 2)


def flip_a_bit(image):
    content = bytearray(image.read_bytes())
    content[len(content) // 2] ^= 1
    image.write_bytes(content)


def damage_the_contents(image):
    content = image.read_bytes().replace(b'{"directories": ', b'{"directories": [', 1)
    image.write_bytes(content)


def replace_by_text(image):
    image.write_text("the work of somebody else\n")


def give_away(image):
    os.chown(image, 12345, 12345)


def cut_to_nothing(image):
    os.truncate(image, 0)


DAMAGES = {
    truncate: "it ends [0-9]+ bytes too early",
    flip_a_bit: "its checksums are wrong",
    damage_the_contents: r"its table of contents is damaged \(JSONDecodeError\(.*\)\)",
    replace_by_text: "it is no image of this version",
    cut_to_nothing: "it is no image of this version",
}
if os.geteuid() == 0:
    DAMAGES[give_away] = "it belongs to uid 12345"


def test_what_is_damaged_is_built_anew(cached, run):
    cached.makepyfile(USED)
    run("--gamedata-users=1")
    for damage, why in DAMAGES.items():
        (image,) = cached.images()
        damage(image)

        result = run("--gamedata-users=1", "-W", "default::pytest_gamedata.errors.CacheWarning")

        result.assert_outcomes(passed=1, warnings=1)
        message = rf"CacheWarning: The cached server '{image}' cannot be used: {why}\. It was removed, and all is built anew\."
        assert any(re.search(message, line) for line in result.outlines), result.stdout.str()
        result.stdout.fnmatch_lines([SERVER])
        assert found_rows(result) == [False]
    assert found_rows(run("--gamedata-users=1")) == [True]


def test_tables_added_to_ours_are_known_by_their_definition(cached, run):
    own = """
        from sqlalchemy import Column, Integer, Table
        from pytest_gamedata.models import Base
        guilds = Table("guilds", Base.metadata, Column("id", Integer, primary_key=True))
        def test_guilds(gamedata_db):
            with gamedata_db.session() as session:
                assert list(session.connection().exec_driver_sql("SELECT * FROM guilds").keys()) == list(guilds.c.keys())
    """
    cached.makepyfile(test_guilds=own)
    results = [run("--gamedata-users=1") for _ in range(2)]
    cached.makepyfile(
        test_guilds=own.replace("primary_key=True)", "primary_key=True), Column('size', Integer)")
    )

    results += [run("--gamedata-users=1") for _ in range(2)]

    for result in results:
        result.assert_outcomes(passed=1)
    assert [found_rows(result) for result in results] == [[False], [True], [False], [True]]


CHANGES_OF_OURS = {
    "a constant": "from pytest_gamedata import distributions\ndistributions.COUNTRIES['US'] = {value}",
    "a column": "from pytest_gamedata.models import Item\nItem.__table__.c.name.type.length = 12{value}",
    "a name of ours": "from pytest_gamedata.words import names\nnames.EPITHETS = ('the {value}th',)",
    "a statement": """
        from sqlalchemy import DDL, event
        from pytest_gamedata.models import Base
        event.listen(Base.metadata, "after_create", DDL("CREATE TABLE guilds_{value} ()"))
    """,
}


@pytest.mark.parametrize("change", CHANGES_OF_OURS.values(), ids=CHANGES_OF_OURS)
def test_what_a_conftest_changes_of_ours_is_part_of_the_key(cached, run, change):
    cached.makepyfile(USED)
    results = [run("--gamedata-users=1")]
    for value in (1, 1, 2):
        cached.makeconftest(change.format(value=value))
        results.append(run("--gamedata-users=1"))

    for result in results:
        result.assert_outcomes(passed=1)
    assert [found_rows(result) for result in results] == [[False], [False], [True], [False]]


def test_a_listener_that_needs_a_connection_is_built_once_per_run(cached, run):
    cached.makepyfile(USED)
    cached.makeconftest("""
        from sqlalchemy import event
        from pytest_gamedata.models import Base

        @event.listens_for(Base.metadata, "after_create")
        def create_more(target, connection, **_):
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    """)

    results = [run("--gamedata-users=1") for _ in range(2)]

    for result in results:
        result.assert_outcomes(passed=1)
    assert [found_rows(result) for result in results] == [[False], [False]]


def test_rebuild_replaces_what_is_kept(cached, run):
    cached.makepyfile(USED)
    run("--gamedata-users=1")
    (image,) = cached.images()
    before = image.stat().st_ino

    result = run("--gamedata-users=1", "--gamedata-rebuild")

    result.stdout.fnmatch_lines([SERVER])
    assert found_rows(result) == [False]
    assert [path.stat().st_ino for path in cached.images()] != [before]
    assert found_rows(run("--gamedata-users=1")) == [True]
    cached.makeini(cached.path.joinpath("tox.ini").read_text() + "\ngamedata_rebuild = true\n")
    assert found_rows(run("--gamedata-users=1")) == [False]


def test_the_window_that_ends_now_is_not_kept(cached, run):
    cached.makepyfile(USED)

    results = [run("--gamedata-users=1", "--gamedata-until=now") for _ in range(2)]

    assert [found_rows(result) for result in results] == [[False], [False]]
    results[1].stdout.fnmatch_lines([SERVER_FROM_CACHE])
    assert len(cached.images()) == 1


def test_the_usual_place_is_the_users_cache_directory(project, run, monkeypatch, own_tmp):
    project.makeini(project.path.joinpath("tox.ini").read_text().replace("gamedata_cache = off", ""))
    project.makepyfile(USED)
    monkeypatch.setenv("XDG_CACHE_HOME", str(own_tmp / "cache"))

    run("--gamedata-users=1")

    assert len([*own_tmp.glob("cache/pytest-gamedata/*.image")]) == 1


def test_a_place_that_cannot_be_had_is_told_and_done_without(cached, run):
    cached.makepyfile(USED)
    cached.path.joinpath("kept").write_text("a file")

    result = run("--gamedata-users=1")

    result.assert_outcomes(passed=1)
    place = cached.path / "kept"
    assert f"nothing is kept for the next run: {str(place)!r} cannot be made: File exists" in result.outlines


def test_runs_at_once_share_a_cache(cached, run):
    cached.makepyfile(USED)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:randomly",
        "--gamedata-users=1",
        "-W",
        "default::ResourceWarning",
    ]
    runs = [subprocess.Popen(command, cwd=cached.path, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [each.communicate(timeout=120)[0] for each in runs]

    assert [each.returncode for each in runs] == [0, 0, 0], outputs
    assert len(cached.images()) == 1
    assert not [*cached.path.glob("kept/*.unfinished")]
    assert found_rows(run("--gamedata-users=1")) == [True]


def test_a_killed_run_leaves_the_cache_as_it_was(cached, run):
    cached.makepyfile("import os, signal\ndef test_kill(gamedata_db): os.kill(os.getpid(), signal.SIGKILL)")

    for _ in range(2):
        run("--gamedata-users=1")

    assert not [*cached.path.glob("kept/*.unfinished")]
    cached.makepyfile(USED)
    result = run("--gamedata-users=1")
    result.assert_outcomes(passed=1)
