# ruff: noqa: ISC004 - messages of two lines
"""Lists of factories and factories that cannot fill a table: one error that says which, and what to do."""

from __future__ import annotations

import factory
import pytest
from sqlalchemy import MetaData, Table, text

from pytest_gamedata.errors import LoadError, SettingsError
from pytest_gamedata.factories import ItemFactory, Per, UserFactory

SQL = """
    CREATE TABLE players (id int PRIMARY KEY, username text NOT NULL, joined timestamptz NOT NULL);
    CREATE TABLE guilds (id int PRIMARY KEY, name text);
    CREATE TABLE members (id int PRIMARY KEY, player_id int REFERENCES players, rival_id int REFERENCES players);
"""


def create_schema(engine):
    with engine.begin() as connection:
        connection.execute(text(SQL))


def table(name, base=factory.Factory, /, **fields):
    meta = type("Meta", (), {"model": Table(name, MetaData()), **fields.pop("meta", {})})
    return type(f"{name.title()}Factory", (base,), {**fields, "Meta": meta, "__module__": __name__})


class Abstract(factory.Factory):
    class Meta:
        abstract = True


GUILDS = table("guilds")
OTHER = type(
    "OtherFactory", (factory.Factory,), {"Meta": type("Meta", (), {"model": Table("guilds", MetaData())})}
)
PLAYERS = table("players", UserFactory, meta={"rename": {"created_at": "joined"}})
ALLOWED = (
    "Allowed: a Factory Boy factory of ours or a subclass, (factory, count) or (factory, Per(parent, mean))."
)
LISTS = {
    "no factory": ([dict], f"gamedata_factories: {dict!r} is not allowed. {ALLOWED}"),
    "no class": (["guilds"], f"gamedata_factories: 'guilds' is not allowed. {ALLOWED}"),
    "a negative count": ([(GUILDS, -1)], f"gamedata_factories: ({GUILDS!r}, -1) is not allowed. {ALLOWED}"),
    "a count that is none": ([(GUILDS, True)], f"gamedata_factories: ({GUILDS!r}, True) is not allowed. {ALLOWED}"),
    "three things": ([(GUILDS, 1, 2)], f"gamedata_factories: ({GUILDS!r}, 1, 2) is not allowed. {ALLOWED}"),
    "no count": (
        [GUILDS],
        "gamedata_factories: GuildsFactory needs a number of rows: (GuildsFactory, 20) or (GuildsFactory, Per(parent, 1.5)).",
    ),
    "a count for one of ours": (
        [(PLAYERS, 5)],
        "gamedata_factories: PlayersFactory takes no number of rows: the users of the dataset are its rows. "
        "Name PlayersFactory alone.",
    ),
    "rows per parent for one of ours": (
        [(ItemFactory, Per(PLAYERS, 2))],
        "gamedata_factories: ItemFactory takes no number of rows: the items of the dataset are its rows. "
        "Name ItemFactory alone.",
    ),
    "two for one table": (
        [(GUILDS, 5), (OTHER, 5)],
        "gamedata_factories: GuildsFactory and OtherFactory both fill table 'guilds'. "
        "Keep one of them, or make one a subclass of the other.",
    ),
    "an abstract factory": (
        [(Abstract, 5)],
        "gamedata_factories: Abstract is abstract. Give its Meta a model or a table.",
    ),
    "no such table": (
        [(table("castles"), 5)],
        "CastlesFactory: there is no table 'castles' after gamedata_create_schema ran. "
        "Create it there, or name another one in Meta.model or Meta.table.",
    ),
    "no such table in a schema": (
        [type("PlayersFactory", (UserFactory,), {"Meta": type("Meta", (), {"table": "game.players"})})],
        "PlayersFactory: there is no table 'game.players' after gamedata_create_schema ran. "
        "Create it there, or name another one in Meta.model or Meta.table.",
    ),
    "no such column": (
        [(table("guilds", motto="many"), 5)],
        "GuildsFactory.motto: table 'guilds' has no column 'motto'. Its columns are: id, name. "
        "Declare it in Params, or exclude it in Meta.",
    ),
    "a column that nobody fills": (
        [table("players", UserFactory)],
        "PlayersFactory: nobody fills column 'joined' of table 'players'. "
        "Declare it in the factory, make it nullable, or give it a server default.",
    ),
    "a parent without a foreign key": (
        [(table("guilds", owner=factory.SubFactory(PLAYERS)), 5), PLAYERS],
        "GuildsFactory.owner: table 'guilds' has no foreign key to 'players' that it could stand for. "
        "Name the attribute as the relationship or the column, or declare the column.",
    ),
    "a parent that could be either of two": (
        [(table("members", owner=factory.SubFactory(PLAYERS)), 5), PLAYERS],
        "MembersFactory.owner: table 'members' has no foreign key to 'players' that it could stand for. "
        "Name the attribute as the relationship or the column, or declare the column.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("factories", "message"), LISTS.values(), ids=LISTS)
def test_what_cannot_be_filled_is_refused(seed_tables, factories, message):
    with pytest.raises((SettingsError, LoadError)) as caught:
        seed_tables(create_schema, factories)

    assert str(caught.value) == message


def test_an_error_in_a_declaration_names_factory_and_row(seed_tables):
    made = table("guilds", name=factory.LazyAttribute(lambda row: row.nothing))

    with pytest.raises(AttributeError) as caught:
        seed_tables(create_schema, [(made, 5)])

    assert caught.value.__notes__ == ["while row 0 of GuildsFactory was seeded"]
