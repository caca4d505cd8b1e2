"""`gamedata serve` and `seed` with a team's own factories and migrations."""

import json
import re
import sys
import uuid
from pathlib import Path

import psycopg
import pytest
from commands import run

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_schema"
OWN = ("--factories", "tests.factories:FACTORIES", "--alembic", "alembic.ini")
TABLES = ("accounts", "orders", "social.guilds", "social.memberships")
ALLOWED = "a Factory Boy factory of ours or a subclass, (factory, count) or (factory, Per(parent, mean))"
COUNT = "import psycopg; print(psycopg.connect().execute('select count(*) from {}').fetchone()[0])"


@pytest.fixture
def _example(monkeypatch):
    monkeypatch.chdir(EXAMPLE)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def counts(database):
    with psycopg.connect(database.dsn) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def where(database):
    return f"postgresql://gamedata:***@127.0.0.1:{database.server.port}/{database.name}"


@pytest.mark.usefixtures("_example")
def test_a_command_gets_a_database_with_the_teams_tables():
    program = "import json, os, psycopg; print(json.dumps([psycopg.connect(os.environ['DATABASE_URL']).execute('select count(*) from accounts').fetchone()[0], psycopg.connect().execute('select count(*) from social.guilds').fetchone()[0]]))"

    status, out, err = run("serve", *OWN, "--users", 30, "--", sys.executable, "-c", program)

    assert (status, json.loads(out), err) == (0, [30, 20], "")


@pytest.mark.usefixtures("_example")
def test_a_database_is_migrated_and_seeded(empty):
    status, out, err = run("seed", "--url", empty.dsn, *OWN, "--users", 60)

    assert (status, err) == (0, "")
    found = counts(empty)
    assert (found["accounts"], found["social.guilds"]) == (60, 20)
    rows = ", ".join(f"{table} {number:,}" for table, number in found.items())
    assert re.search(rf"^rows +{re.escape(rows)}$", out, re.MULTILINE)
    assert uuid.UUID(re.search(r"^cast +whale (\S+),", out, re.MULTILINE)[1])
    total = f"{sum(found.values()):,}"
    last = rf"{total} rows loaded into {re.escape(where(empty))} in \d+\.\d s \([\d,]+ rows/s\)\."
    assert re.fullmatch(last, out.splitlines()[-1])


@pytest.mark.usefixtures("_example")
def test_rows_that_are_there_stay_unless_they_are_to_be_cleared(empty):
    assert run("seed", "--url", empty.dsn, *OWN, "--users", 6, "--transactions", 0)[0] == 0
    before = counts(empty)

    status, out, err = run("seed", "--url", empty.dsn, *OWN, "--users", 7)

    rows = ", ".join(f"{table} {number}" for table, number in before.items())
    assert (status, out) == (3, "")
    assert err == f"Error: {where(empty)} has rows already: {rows}. Add --clear to remove them first.\n"
    assert counts(empty) == before

    status, _, err = run("seed", "--url", empty.dsn, *OWN, "--users", 7, "--clear", answer="n\n")

    question = f"{where(empty)} has {rows}. Remove all of these rows? [y/N]: "
    assert (status, err) == (2, f"{question}Error: Nothing was changed. Answer y, or add --yes.\n")
    assert counts(empty) == before

    status, _, err = run("seed", "--url", empty.dsn, *OWN, "--users", 7, "--clear", "--yes")

    assert (status, err) == (0, "")
    assert counts(empty)["accounts"] == 7
    with psycopg.connect(empty.dsn) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]


@pytest.mark.usefixtures("_example")
def test_tables_that_no_migration_has_made_are_told_of(empty):
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("CREATE TABLE accounts (id int)")

    status, out, err = run("seed", "--url", empty.dsn, *OWN)

    assert (status, out) == (3, "")
    assert err == (
        "Error: alembic.ini: `upgrade head` failed at migrations/versions/0001_accounts.py:11: ProgrammingError: "
        "(sqlalchemy.dialects.postgresql.asyncpg.ProgrammingError) "
        'relation "accounts" already exists\n'
    )


@pytest.mark.usefixtures("_example")
def test_tables_that_are_missing_are_told_of(empty):
    status, out, err = run("seed", "--url", empty.dsn, *OWN[:2])

    assert (status, out) == (2, "")
    assert err.startswith("Error: AccountFactory: there is no table 'accounts'")


@pytest.mark.parametrize("command", ["serve", "seed"])
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--factories", "tests.factories"], "--factories: 'tests.factories' is not allowed. Allowed: module:attribute, such as tests.factories:FACTORIES, or none."),
        (["--factories", "nowhere.factories:FACTORIES"], "--factories: module 'nowhere.factories' cannot be imported in '{here}': there is none."),
        (["--factories", "broken:FACTORIES"], "--factories: module 'broken' cannot be imported in '{here}': ZeroDivisionError: division by zero."),
        (["--factories", "needy:FACTORIES"], "--factories: module 'needy' cannot be imported in '{here}': ModuleNotFoundError: No module named 'nowhere'."),
        (["--factories", "mine:FACTORIES"], "--factories: mine:FACTORIES is nothing. Name a list, as gamedata_factories returns it."),
        (["--factories", "mine:PLAYERS"], "--factories: mine:PLAYERS is a dict. Name a list, as gamedata_factories returns it."),
        (["--alembic", "alembic.ini"], "--alembic: 'alembic.ini' is no file in '{here}'. Name your alembic.ini."),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_a_usage_error(project, command, args, message):
    (project / "broken.py").write_text("1 / 0")
    (project / "needy.py").write_text("import nowhere")
    (project / "mine.py").write_text("PLAYERS = {}")
    url = ["--url", "postgresql://localhost:1/nowhere"] if command == "seed" else []

    status, out, err = run(command, *url, *args)

    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == f"Error: {message.format(here=project)}"


def test_an_entry_that_is_not_allowed_is_refused(project, empty):
    (project / "mine.py").write_text("FACTORIES = [3]")

    assert run("seed", "--url", empty.dsn, "--factories", "mine:FACTORIES") == (
        2,
        "",
        f"Error: gamedata_factories: 3 is not allowed. Allowed: {ALLOWED}.\n",
    )


@pytest.mark.usefixtures("project")
def test_no_factories_leave_an_empty_database():
    status, out, err = run(
        "serve", "--factories", "none", "--", sys.executable, "-c", COUNT.format("pg_stat_user_tables")
    )

    assert (status, out, err) == (0, "0\n", "")


def test_a_changed_factory_of_ours_fills_our_tables(project, empty):
    (project / "mine.py").write_text(
        "from pytest_gamedata.factories import FACTORIES as OURS, UserFactory\n"
        "class VeteranFactory(UserFactory):\n    level = 99\n"
        "FACTORIES = [*OURS, VeteranFactory]\n"
    )

    status, _, err = run("seed", "--url", empty.dsn, "--factories", "mine:FACTORIES", "--users", 9)

    assert (status, err) == (0, "")
    with psycopg.connect(empty.dsn) as connection:
        assert connection.execute("SELECT DISTINCT level FROM users").fetchall() == [(99,)]


def test_the_binaries_of_the_server_can_be_chosen():
    status, out, err = run("serve", "--postgresql-exec", "/nowhere/pg_ctl", "--", "true")

    assert (status, out) == (3, "")
    assert err.startswith("Error: --postgresql-exec: ")
