"""What a run says of itself, what it costs when nobody uses it, and that a seed gives the same rows."""

import pytest

HEADER = "gamedata: users=5 items=120 days=90 until=2025-01-01 seed=1 preset=top_quartile; PostgreSQL * (*)"
SUMMARY = [
    "*= gamedata =*",
    "PostgreSQL * (*) *, started in *.* s",
    "users=5 items=120 days=90 until=2025-01-01 seed=1 preset=top_quartile",
    "  users 5, items 120, transactions *, auth_events *: built in *.* s, loaded in *.* s",
    "3 databases cloned, *.* s of waiting (median * ms)",
]
USED = """
    import pytest

    @pytest.mark.parametrize("number", range(3))
    def test_used(gamedata_db, number): pass
"""


@pytest.mark.parametrize("args", [["-p", "no:xdist.plugin"], ["-n0"], ["-n2"]], ids=["alone", "n0", "n2"])
def test_run_says_what_it_uses_and_spends(project, run, args):
    project.makepyfile(USED)

    result = run("--gamedata-users=5", *args, installed=args == ["-n2"])

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines([HEADER, *SUMMARY])
    assert sum(line.startswith("gamedata: ") for line in result.outlines) == 1
    assert sum("= gamedata =" in line for line in result.outlines) == 1
    assert sum(line.startswith("PostgreSQL ") for line in result.outlines) == 1
    assert result.outlines.count(SUMMARY[2]) == 1  # one dataset, built once for all workers


def test_every_dataset_has_its_lines(project, run):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize(
            "number",
            [1, 1, pytest.param(2, marks=pytest.mark.gamedata(users=0)), pytest.param(3, marks=pytest.mark.gamedata(seed=7))],
        )
        @pytest.mark.gamedata(transactions=3, auth_events=4, until="2024-02-29T12:00", days=10)
        def test_used(gamedata_db, number): pass
        """.replace("transactions=3, auth_events=4, ", "")
    )

    result = run("--gamedata-users=1", "--gamedata-items=1234", "-p", "no:pytest_postgresql.plugin")

    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        [
            "users=1 items=1234 days=10 until=2024-02-29T12:00:00+00:00 seed=1 preset=top_quartile",
            "  users 1, items 1,234, transactions *, auth_events *: built in *",
            "users=0 items=1234 days=10 until=2024-02-29T12:00:00+00:00 seed=1 preset=top_quartile",
            "  users 0, items 1,234, transactions 0, auth_events 0: built in *",
            "users=1 items=1234 days=10 until=2024-02-29T12:00:00+00:00 seed=7 preset=top_quartile",
            "  users 1, items 1,234, transactions *, auth_events *: built in *",
            "4 databases cloned, *",
        ]
    )


@pytest.mark.parametrize("args", [[], ["-n2"]], ids=["alone", "n2"])
def test_nothing_is_said_or_started_when_unused(project, run, own_tmp, args):
    project.makepyfile("def test_unused(): assert 'ask for gamedata_db'  # gamedata_session")
    project.makeconftest(
        "import pytest\n@pytest.fixture(scope='session')\ndef gamedata_factories(): return []"
    )

    result = run(*args, installed=True)

    result.assert_outcomes(passed=1)
    said = [line for line in result.outlines if "gamedata" in line]
    assert all(line.startswith("plugins: ") or "test_nothing_is_said" in line for line in said)
    assert not list(own_tmp.glob("gamedata-*"))


def test_nothing_heavy_is_imported_when_unused(project, run):
    project.makepyfile(
        """
        import sys
        import pytest

        @pytest.mark.gamedata(users=3)
        def test_light():
            assert "pytest_gamedata.plugin" in sys.modules
            heavy = {"numpy", "faker", "factory", "sqlalchemy", "psycopg", "pytest_postgresql"}
            assert not heavy & set(sys.modules)
        """
    )

    run("-p", "no:pytest_postgresql.plugin").assert_outcomes(passed=1)


def test_summary_comes_without_a_header_for_a_fixture_asked_late(project, run):
    project.makepyfile("def test_late(request): request.getfixturevalue('gamedata_server')")

    result = run()

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*= gamedata =*", "PostgreSQL * started in * s"])
    result.stdout.no_fnmatch_line("*cloned*")


DIGEST = """
    import hashlib, os
    import psycopg
    import pytest

    TABLES = ("users", "items", "transactions", "auth_events")

    def digest(db):
        digest = hashlib.sha256()
        with psycopg.connect(db.dsn) as connection:
            connection.execute("SET timezone = 'UTC'")
            for table in TABLES:
                query = f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT"
                with connection.cursor().copy(query) as rows:
                    digest.update(b"".join(rows))
        return digest.hexdigest()

    def write(name, db):
        with open(name, "a") as file:
            print(digest(db), file=file)

    class TestSeed1:
        def test_a(self, gamedata_db):
            write("seed-1", gamedata_db)

        def test_b(self, gamedata_db):
            write("seed-1", gamedata_db)

    @pytest.mark.gamedata(seed=2)
    def test_other_seed(gamedata_db):
        write("seed-2", gamedata_db)
"""


@pytest.fixture
def run_in(project, run, monkeypatch):
    """Give a callable that runs the tests in other surroundings."""

    def run_in(environment, *args, **options):
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            return run("--gamedata-users=80", *args, **options)

    return run_in


def test_same_seed_gives_the_same_rows(project, run_in):
    project.makepyfile(DIGEST)

    run_in({"PYTHONHASHSEED": "0"}).assert_outcomes(passed=3)
    elsewhere = {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    run_in(elsewhere, "--randomly-seed=99", installed=True).assert_outcomes(passed=3)
    run_in({"PYTHONHASHSEED": "2"}, "-n2").assert_outcomes(passed=3)

    first, second = ((project.path / name).read_text().split() for name in ("seed-1", "seed-2"))
    assert (len(first), len(second)) == (6, 3)
    assert (len(set(first)), len(set(second))) == (1, 1)
    assert first[0] != second[0]
