import psycopg
import pytest
from commands import run, seeded, state

ALL = "users 5, items 120, transactions 0, auth_events 9"


@pytest.fixture
def filled(empty):
    seeded(empty, "--users", 5, "--transactions", 0, "--auth-events", 9)
    return empty


def where(database):
    return f"postgresql://gamedata:***@127.0.0.1:{database.server.port}/{database.name}"


def execute(database, *statements):
    with psycopg.connect(database.dsn) as connection:
        for statement in statements:
            connection.execute(statement)


def test_rows_go_and_tables_stay(filled):
    assert run("clear", "--url", filled.dsn, "--yes") == (0, f"Removed from {where(filled)}: {ALL}.\n", "")

    assert state(filled)[1] == dict.fromkeys(("users", "items", "transactions", "auth_events"), (0,))
    assert run("clear", "--url", filled.dsn) == (0, f"{where(filled)} has no rows to remove.\n", "")
    seeded(filled, "--users", 5)


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 2), (None, 2)])
def test_it_asks_first(filled, answer, status):
    before = state(filled)

    found, _, err = run("clear", "--url", filled.dsn, answer=answer)

    assert found == status
    assert err.startswith(f"{where(filled)} has {ALL}. Remove all of these rows? [y/N]: ")
    assert (state(filled) == before) == (status == 2)
    assert err.endswith("Error: Nothing was changed. Answer y, or add --yes.\n") == (status == 2)


def test_an_empty_database_has_nothing_to_remove(empty):
    assert run("clear", "--url", empty.dsn) == (0, f"{where(empty)} has no rows to remove.\n", "")


def test_a_table_that_is_not_ours_is_refused(filled):
    execute(filled, "ALTER TABLE items RENAME COLUMN sku TO code")
    before = state(filled)

    status, out, err = run("clear", "--url", filled.dsn, "--yes")

    assert (status, out) == (3, "")
    assert err == (
        "Error: Table 'items' is not one of ours: it has no column 'sku'. Nothing was changed. "
        "Rename it, or use another database.\n"
    )
    assert state(filled) == before


def test_rows_that_others_refer_to_are_refused(filled):
    execute(
        filled,
        "CREATE TABLE guilds (id bigint PRIMARY KEY, owner_id bigint REFERENCES users ON DELETE CASCADE)",
        "CREATE TABLE halls (id bigint PRIMARY KEY, guild_id bigint REFERENCES guilds)",
        "INSERT INTO guilds VALUES (1, 1)",
    )
    before = state(filled)

    status, out, err = run("clear", "--url", filled.dsn, "--yes")

    assert (status, out) == (3, "")
    assert err == (
        "Error: Table 'guilds' has rows, and refers to 'users' (guilds_owner_id_fkey). Nothing was changed. "
        "Empty 'guilds' first.\n"
    )
    assert state(filled) == before


def test_rows_that_a_policy_hides_are_refused(filled):
    execute(
        filled,
        "CREATE TABLE orders (user_id bigint REFERENCES users)",
        "INSERT INTO orders VALUES (1)",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE orders FORCE ROW LEVEL SECURITY",
    )

    status, out, err = run("clear", "--url", filled.dsn, "--yes")

    assert (status, out) == (3, "")
    assert err == (
        f'Error: {where(filled)} cannot be used: query would be affected by row-level security policy for table "orders". '
        "Nothing was changed.\n"
    )
    assert state(filled)[1]["users"] == (5,)


def test_rows_that_another_table_inherits_are_refused(filled):
    execute(filled, "CREATE TABLE vips (note text) INHERITS (users)")

    assert run("clear", "--url", filled.dsn, "--yes") == (
        3,
        "",
        "Error: Table 'vips' inherits from 'users'. Nothing was changed. Use another database.\n",
    )


def test_empty_tables_of_others_are_no_hindrance(filled):
    execute(
        filled,
        "CREATE TABLE guilds (id bigserial PRIMARY KEY, owner_id bigint REFERENCES users)",
        "CREATE TABLE halls (id bigint PRIMARY KEY, guild_id bigint REFERENCES guilds)",
        "CREATE TABLE notes (id bigint)",
        "SELECT nextval('guilds_id_seq'), nextval('users_id_seq')",
        "INSERT INTO notes VALUES (1)",
    )

    assert run("clear", "--url", filled.dsn, "--yes")[0] == 0

    rows = state(filled)[1]
    assert (rows["users"], rows["guilds"], rows["notes"]) == ((0,), (0,), (1,))
    with psycopg.connect(filled.dsn) as connection:
        query = "SELECT nextval('guilds_id_seq'), nextval('users_id_seq')"
        assert connection.execute(query).fetchone() == (2, 1)


def test_a_comment_of_somebody_elses_stays(filled):
    execute(filled, "COMMENT ON TABLE users IS 'our players'")
    run("clear", "--url", filled.dsn, "--yes")

    assert ("users", "note", "our players") in state(filled)[0]
