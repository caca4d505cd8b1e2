"""Keys and parents of a team's tables: which keys rows get, and which rows they refer to."""

from __future__ import annotations

import factory
import pytest
from sqlalchemy import MetaData, Table, text

from pytest_gamedata.errors import LoadError, SettingsError
from pytest_gamedata.factories import AuthEventFactory, GameFactory, Per, TransactionFactory, UserFactory


def creating(sql):
    def create_schema(engine):
        with engine.begin() as connection:
            connection.execute(text(sql))

    return create_schema


def table(name, base=factory.Factory, /, **fields):
    """Make a factory of a table of which nothing is known but its name and the columns that are declared."""
    meta = type("Meta", (), {"model": Table(name, MetaData()), **fields.pop("meta", {})})
    return type(f"{name.title()}Factory", (base,), {**fields, "Meta": meta, "__module__": __name__})


def select(engine, sql):
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


KEYS = {"int": int, "bigint GENERATED ALWAYS AS IDENTITY": int, "smallint": int, "uuid": str, "numeric": int}


@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_users_under_any_name_and_what_refers_to_them(seed_tables, kind):
    sql = f"""
        CREATE TABLE players (pk {kind} PRIMARY KEY, username text NOT NULL);
        CREATE TABLE orders (no {kind} PRIMARY KEY, player {kind.split()[0]} NOT NULL REFERENCES players, type text);
    """
    players = table("players", UserFactory)
    orders = table("orders", TransactionFactory, meta={"rename": {"user_id": "player"}})

    engine = seed_tables(creating(sql), [orders, players], users=20)

    whale = engine.facts.cast["whale"]
    assert (
        select(engine, f"SELECT count(*) FROM orders WHERE player = '{whale}' AND type = 'iap_purchase'")[0][
            0
        ]
        > 3
    )
    assert engine.facts.counts == {
        "orders": select(engine, "SELECT count(*) FROM orders")[0][0],
        "players": 20,
    }


def test_text_keys_are_declared(seed_tables):
    sql = """
        CREATE TABLE players (handle text PRIMARY KEY);
        CREATE TABLE logins (id int PRIMARY KEY, handle text REFERENCES players);
    """
    players = table("players", UserFactory, meta={"rename": {"username": "handle"}})
    logins = table("logins", AuthEventFactory, meta={"rename": {"user_id": "handle"}})

    engine = seed_tables(creating(sql), [players, logins], users=20)

    assert engine.facts.cast["whale"] in {
        handle for (handle,) in select(engine, "SELECT handle FROM players")
    }
    assert select(engine, "SELECT count(DISTINCT handle) FROM logins")[0][0] > 10


def test_a_text_key_that_nobody_declares_is_refused(seed_tables):
    with pytest.raises(SettingsError) as caught:
        seed_tables(creating("CREATE TABLE tags (slug text PRIMARY KEY, n int)"), [(table("tags", n=1), 3)])

    assert str(caught.value) == (
        "TagsFactory: nobody fills column 'slug' of table 'tags'. "
        "Declare it in the factory, make it nullable, or give it a server default."
    )


def test_a_key_that_is_a_foreign_key_too(seed_tables):
    sql = """
        CREATE TABLE players (id uuid PRIMARY KEY, username text NOT NULL);
        CREATE TABLE profiles (player_id uuid PRIMARY KEY REFERENCES players, bio text);
    """
    factories = [(table("profiles", bio="hi"), 15), table("players", UserFactory)]

    engine = seed_tables(creating(sql), factories, users=20)

    assert select(engine, "SELECT count(DISTINCT player_id) FROM profiles") == [(15,)]
    with pytest.raises(LoadError) as caught:
        seed_tables(
            creating(sql), [(table("profiles", bio="hi"), 25), table("players", UserFactory)], users=20
        )
    assert str(caught.value) == (
        "ProfilesFactory: 25 rows of table 'profiles' need 25 different rows of PlayersFactory, but there are 20. "
        "Ask for fewer rows, or for more parents."
    )


def test_a_foreign_key_to_a_unique_column(seed_tables):
    sql = """
        CREATE TABLE guilds (id int PRIMARY KEY, code text NOT NULL UNIQUE);
        CREATE TABLE halls (id int PRIMARY KEY, guild_code text NOT NULL REFERENCES guilds (code));
    """
    guilds = table("guilds", code=factory.Sequence(lambda n: f"g{n}"))

    engine = seed_tables(creating(sql), [(table("halls"), 30), (guilds, 4)])

    assert select(engine, "SELECT DISTINCT guild_code FROM halls ORDER BY 1") == [
        ("g0",),
        ("g1",),
        ("g2",),
        ("g3",),
    ]


def test_composite_keys_and_foreign_keys_to_them(seed_tables):
    sql = """
        CREATE TABLE rooms (house int, floor int, PRIMARY KEY (house, floor));
        CREATE TABLE beds (id int PRIMARY KEY, house int NOT NULL, floor int NOT NULL,
                           FOREIGN KEY (house, floor) REFERENCES rooms);
    """
    rooms = table("rooms", house=factory.Sequence(lambda n: n // 3), floor=factory.Sequence(lambda n: n % 3))

    engine = seed_tables(creating(sql), [(table("beds"), 40), (rooms, 6)])

    assert select(engine, "SELECT count(DISTINCT (house, floor)) FROM beds") == [(6,)]


def test_self_references_and_nullable_cycles(seed_tables):
    sql = """
        CREATE TABLE guilds (id int PRIMARY KEY, parent_id int REFERENCES guilds, over_id int NOT NULL REFERENCES guilds);
        CREATE TABLE members (id int PRIMARY KEY, guild_id int NOT NULL REFERENCES guilds);
        ALTER TABLE guilds ADD leader_id int REFERENCES members;
    """
    guilds = table("guilds", GameFactory)
    guilds = type("GuildsFactory", (guilds,), {"parent": factory.SubFactory(guilds), "leader": None})

    engine = seed_tables(creating(sql), [(guilds, 10), (table("members"), 20)])

    assert select(
        engine, "SELECT count(parent_id), count(over_id), bool_and(parent_id < id) FROM guilds"
    ) == [(9, 10, True)]
    assert select(engine, "SELECT count(guild_id) FROM members") == [(20,)]


def test_a_nullable_key_of_a_cycle_is_filled_where_a_sub_factory_asks(seed_tables):
    sql = """
        CREATE TABLE guilds (id int PRIMARY KEY);
        CREATE TABLE members (id int PRIMARY KEY, guild_id int NOT NULL REFERENCES guilds);
        ALTER TABLE guilds ADD leader_id int REFERENCES members;
    """
    members = table("members")
    guilds = table("guilds", leader=factory.SubFactory(members))

    engine = seed_tables(creating(sql), [(guilds, 10), (members, 20)])

    assert select(engine, "SELECT count(leader_id) FROM guilds") == [(10,)]


def test_a_cycle_of_keys_that_must_be_set_is_refused(seed_tables):
    sql = """
        CREATE TABLE guilds (id int PRIMARY KEY, leader_id int NOT NULL);
        CREATE TABLE members (id int PRIMARY KEY, guild_id int NOT NULL REFERENCES guilds);
        ALTER TABLE guilds ADD FOREIGN KEY (leader_id) REFERENCES members;
    """
    with pytest.raises(LoadError) as caught:
        seed_tables(creating(sql), [(table("guilds"), 10), (table("members"), 20)])

    assert str(caught.value) == (
        "Foreign keys form a cycle: guilds -> members -> guilds. Make one of them nullable and fill it later."
    )


def test_two_foreign_keys_to_one_parent(seed_tables):
    sql = """
        CREATE TABLE players (id int PRIMARY KEY, username text NOT NULL);
        CREATE TABLE duels (id int PRIMARY KEY, one_id int NOT NULL REFERENCES players, two_id int NOT NULL REFERENCES players);
    """
    players = table("players", UserFactory)
    duels = table("duels", one=factory.SubFactory(players), two=factory.SubFactory(players))

    engine = seed_tables(creating(sql), [(duels, 50), players])

    assert select(engine, "SELECT count(DISTINCT one_id), bool_or(one_id <> two_id) FROM duels") == [
        (8, True)
    ]


def test_parents_that_migrations_have_filled(seed_tables):
    sql = """
        CREATE TABLE roles (id int PRIMARY KEY, name text);
        INSERT INTO roles VALUES (3, 'a'), (5, 'b');
        CREATE TABLE staff (id int PRIMARY KEY, role_id int NOT NULL REFERENCES roles);
    """
    engine = seed_tables(creating(sql), [(table("staff"), 30)])

    assert select(engine, "SELECT DISTINCT role_id FROM staff ORDER BY 1") == [(3,), (5,)]


def test_a_missing_parent_is_refused(seed_tables):
    sql = """
        CREATE TABLE roles (id int PRIMARY KEY, name text);
        CREATE TABLE staff (id int PRIMARY KEY, role_id int NOT NULL REFERENCES roles);
    """
    with pytest.raises(LoadError) as caught:
        seed_tables(creating(sql), [(table("staff"), 30)])
    assert str(caught.value) == (
        "StaffFactory: column 'role_id' of table 'staff' refers to rows that are not seeded. "
        "Add a factory for them to gamedata_factories, or make the column nullable."
    )

    with pytest.raises(LoadError) as caught:
        seed_tables(creating(sql), [(table("staff"), 30), (table("roles"), 0)])
    assert str(caught.value) == (
        "StaffFactory: column 'role_id' of table 'staff' needs a parent row, but RolesFactory has none. "
        "Seed some, or make the column nullable."
    )


PAIRS = """
    CREATE TABLE players (id uuid PRIMARY KEY, username text NOT NULL);
    CREATE TABLE guilds (id int PRIMARY KEY);
    CREATE TABLE members (guild_id int REFERENCES guilds, player_id uuid REFERENCES players, PRIMARY KEY (guild_id, player_id));
    CREATE TABLE ranks (id int PRIMARY KEY, guild_id int NOT NULL, player_id uuid NOT NULL,
                        FOREIGN KEY (guild_id, player_id) REFERENCES members);
"""


@pytest.mark.parametrize("declares", [True, False])
def test_rows_per_parent_are_unique_pairs_and_parents_themselves(seed_tables, declares):
    players, guilds = table("players", UserFactory), table("guilds")
    own = {"player": factory.SubFactory(players), "guild": factory.SubFactory(guilds)} if declares else {}
    members = table("members", **own)
    factories = [(table("ranks"), Per(members, 2)), (members, Per(players, 1.5)), (guilds, 12), players]

    engine = seed_tables(creating(PAIRS), factories, users=100)

    counts = engine.facts.counts
    assert 110 < counts["members"] < 190
    assert 1.6 * counts["members"] < counts["ranks"] < 2.4 * counts["members"]
    assert select(engine, "SELECT count(*) FROM members") == [(counts["members"],)]
    assert select(engine, "SELECT count(DISTINCT player_id) < 100 FROM members") == [(True,)]


def test_rows_per_a_parent_that_is_not_in_the_list_are_refused(seed_tables):
    players = table("players", UserFactory)

    with pytest.raises(SettingsError) as caught:
        seed_tables(creating(PAIRS), [(table("guilds"), Per(players, 2))])

    assert str(caught.value) == (
        "gamedata_factories: GuildsFactory asks for rows per PlayersFactory, which is not in the list. Add PlayersFactory."
    )


def test_rows_that_count_each_other_are_refused(seed_tables):
    members, guilds = table("members"), table("guilds")

    with pytest.raises(SettingsError) as caught:
        seed_tables(creating(PAIRS), [(members, Per(guilds, 2)), (guilds, Per(members, 2))])

    assert str(caught.value) == "gamedata_factories: MembersFactory is counted per parent in a circle."


@pytest.mark.parametrize("mean", [-1, True, "2", 10_000])
def test_a_mean_that_is_none_is_refused(mean):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message follows
        Per(UserFactory, mean)

    assert str(caught.value) == f"Per: mean {mean!r} is not allowed. Allowed: a number from 0 to 10000."
