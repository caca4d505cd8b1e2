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


OWN_PROJECT = {
    "conftest.py": """
        from pathlib import Path
        import pytest
        from own.factories import OwnUserFactory

        @pytest.fixture(scope="session")
        def gamedata_factories():
            return [OwnUserFactory]

        @pytest.fixture(scope="session")
        def gamedata_create_schema(gamedata_create_schema):
            def create(engine):
                from own import schema
                gamedata_create_schema(engine)
                schema.migrate(engine)
            return create
    """,
    "own/__init__.py": "",
    "own/factories.py": """
        from pytest_gamedata.factories import Draw
        from pytest_gamedata.factories import UserFactory
        from pytest_gamedata.models import User
        from .names import name_of
        from . import data

        class OwnUserFactory(UserFactory):
            class Meta:
                model = User
            display_name = Draw(lambda row, rng, n: __import__("numpy").array([name_of(data.NAME)] * n, dtype="S20"))
    """,
    "own/names.py": """
        def name_of(name):
            return name.upper()
    """,
    "own/data.py": """
        import json
        from pathlib import Path
        NAME = json.loads(Path(__file__).with_name("data.json").read_text())
    """,
    "own/data.json": '"ann"',
    "own/schema.py": """
        from pathlib import Path
        def migrate(engine):
            with engine.begin() as connection:
                for path in sorted(Path(__file__).with_name("migrations").glob("*.sql")):
                    connection.exec_driver_sql(path.read_text())
    """,
    "own/migrations/1.sql": "CREATE TABLE guilds (id int)",
    "own/unused.txt": "",
    "test_used.py": """
        def test_used(gamedata_db):
            with gamedata_db.session() as session:
                connection = session.connection()
                names = connection.exec_driver_sql("SELECT DISTINCT display_name FROM users").scalars().all()
                tables = connection.exec_driver_sql(
                    "SELECT relname FROM pg_class WHERE relname LIKE 'guild%%' ORDER BY relname"
                ).scalars().all()
            print("found", names, tables)
    """,
}


def write_project(project, files):
    for name, content in files.items():
        path = project.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub("^ {8}", "", content, flags=re.MULTILINE).strip() + "\n")


def found_values(result):
    return next(line for line in result.outlines if line.startswith("found "))


# each builds on the one before it: file, what is replaced by what (nothing: the file is new), what is found then
EDITS = [
    ("own/factories.py", "NAME)]", "NAME) + '!']", "found ['ANN!'] ['guilds']"),
    ("own/names.py", "upper", "title", "found ['Ann!'] ['guilds']"),
    ("own/data.json", "ann", "bob", "found ['Bob!'] ['guilds']"),
    (
        "own/schema.py",
        "path.read_text()",
        "path.read_text().replace('guilds', 'guild')",
        "found ['Bob!'] ['guild']",
    ),
    ("own/migrations/1.sql", "guilds", "guild_list", "found ['Bob!'] ['guild_list']"),
    (
        "own/migrations/2.sql",
        "",
        "CREATE TABLE guild_members (id int)",
        "found ['Bob!'] ['guild_list', 'guild_members']",
    ),
]


def test_own_code_and_what_it_reads_decide_what_is_found(cached, run):
    write_project(cached, OWN_PROJECT)
    args = ("--gamedata-users=3", "--gamedata-transactions=0", "-rP")
    results = [run(*args), run(*args)]
    for name, old, new, _ in EDITS:
        file = cached.path / name
        file.write_text(file.read_text().replace(old, new) if old else new)
        results.append(run(*args))
    results.append(run(*args))

    assert [found_rows(result) for result in results] == [[False], [True], *[[False]] * len(EDITS), [True]]
    expected = [*["found ['ANN'] ['guilds']"] * 2, *(found for *_, found in EDITS), EDITS[-1][-1]]
    assert [found_values(result) for result in results] == expected


def test_what_own_code_does_not_read_is_all_the_same(cached, run):
    write_project(cached, OWN_PROJECT)
    args = ("--gamedata-users=3", "--gamedata-transactions=0", "-n2")
    run(*args)
    write_project(
        cached,
        {"own/unused.txt": "x", "own/unused.py": "x = 1", "test_more.py": "def test_more(gamedata_db): pass"},
    )

    result = run(*args)

    result.assert_outcomes(passed=2)
    assert found_rows(result) == [True]


@pytest.mark.parametrize(
    "schema",
    [
        "subprocess.run([sys.executable, '-c', ''], check=True); gamedata_create_schema(engine)",
        "lock, gamedata_create_schema(engine)",
    ],
    ids=["another program", "an object"],
)
def test_what_nobody_can_know_is_built_each_time(cached, run, schema):
    cached.makepyfile(USED)
    cached.makeconftest(f"""
        import subprocess, sys, threading
        import pytest

        @pytest.fixture(scope="session")
        def gamedata_create_schema(gamedata_create_schema):
            lock = threading.Lock()
            def create(engine):
                {schema}
            return create
    """)

    results = [run("--gamedata-users=1") for _ in range(2)]

    for result in results:
        result.assert_outcomes(passed=1)
        assert found_rows(result) == [False]
    results[1].stdout.fnmatch_lines([SERVER_FROM_CACHE])


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
