"""The models that a factory may name: their rows when a database is seeded, and one by one."""

from __future__ import annotations

import datetime as dt
import uuid

import factory
import pytest
from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    mapped_column,
    registry,
    synonym,
)
from sqlmodel import Field, SQLModel

from pytest_gamedata.errors import SessionMissingError, SettingsError
from pytest_gamedata.factories import GameFactory, TransactionFactory, UserFactory
from pytest_gamedata.settings import persist_through


class Base(DeclarativeBase):
    pass


class Player(Base):
    __tablename__ = "user"
    uid: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column("Handle")
    handle = synonym("name")
    level: Mapped[int]
    score: Mapped[int] = mapped_column(default=7)
    doubled: Mapped[int] = mapped_column(
        default=lambda context: 2 * context.get_current_parameters()["level"]
    )
    called: Mapped[list[str]] = mapped_column(Text, default=lambda: "called")
    seen_at: Mapped[dt.datetime] = mapped_column(DateTime(timezone=True), default=func.now())


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    buyer: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.uid"))
    kind: Mapped[str]


class DataBase(MappedAsDataclass, DeclarativeBase):
    pass


class DataPlayer(DataBase):
    __tablename__ = "data_players"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    username: Mapped[str]
    level: Mapped[int]
    score: Mapped[int] = mapped_column(default=7)
    tag: Mapped[str] = mapped_column(default_factory=lambda: "made", kw_only=True)
    note: Mapped[str] = mapped_column(insert_default="noted", init=False)


class ModelPlayer(SQLModel, table=True):
    __tablename__ = "model_players"
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    username: str
    level: int
    score: int = 7
    tag: str = Field(default_factory=lambda: "made")
    born: dt.date | None = None


PLAIN = MetaData()
PLAYERS = Table(
    "players",
    PLAIN,
    Column("id", Integer, Identity(), primary_key=True),
    Column("username", String, nullable=False),
    Column("level", Integer),
    Column("score", Integer, default=7),
    schema="game",
)


class Imperative:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class ImperativelyMapped:
    pass


REGISTRY = registry()
REGISTRY.map_imperatively(
    ImperativelyMapped,
    Table(
        "imperative",
        REGISTRY.metadata,
        Column("id", Integer, primary_key=True),
        Column("user_name", String, key="username"),
        Column("level", Integer),
    ),
)


def users(model, **meta):
    body = type("Meta", (), {**({"model": model} if model is not None else {}), **meta})
    return type("PlayerFactory", (UserFactory,), {"Meta": body, "__module__": __name__})


def create_game(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA game"))
    PLAIN.create_all(engine)


PLAYER = users(Player, rename={"username": "name"})


def test_declarative_with_attributes_of_other_names_and_defaults(rows):
    seeded = rows(Base.metadata.create_all, [PLAYER], '"user"', "uid")

    assert len({row["Handle"] for row in seeded}) == 8
    assert all(isinstance(row["uid"], uuid.UUID) for row in seeded)
    assert {(row["score"], row["called"]) for row in seeded} == {(7, "called")}
    assert all(row["doubled"] == 2 * row["level"] for row in seeded)
    assert len({row["seen_at"] for row in seeded}) == 1


@pytest.mark.parametrize("name", ["name", "Handle", "handle"])
def test_rename_takes_an_attribute_a_column_or_a_synonym(rows, name):
    made = users(Player, rename={"username": name})

    assert len({row["Handle"] for row in rows(Base.metadata.create_all, [made], '"user"', "uid")}) == 8
    assert made.build(username="Neo").name == "Neo"


def test_a_dataclass(rows):
    seeded = rows(DataBase.metadata.create_all, [users(DataPlayer)], "data_players")

    assert {(row["score"], row["tag"], row["note"]) for row in seeded} == {(7, "made", "noted")}
    assert len({row["username"] for row in seeded}) == 8


def test_a_sqlmodel(rows):
    seeded = rows(SQLModel.metadata.create_all, [users(ModelPlayer)], "model_players")

    assert {(row["score"], row["tag"], row["born"]) for row in seeded} == {(7, "made", None)}
    assert len({row["username"] for row in seeded}) == 8


def test_a_table_in_a_schema(rows):
    seeded = rows(create_game, [users(PLAYERS)], "game.players")

    assert {row["score"] for row in seeded} == {7}
    assert len({row["username"] for row in seeded}) == 8


def test_a_reflected_table(seed_tables, rows):
    engine = seed_tables(create_game, [])
    reflected = Table("players", MetaData(), schema="game", autoload_with=engine)

    assert len(rows(create_game, [users(reflected)], "game.players")) == 8


def test_an_imperatively_mapped_class(rows):
    seeded = rows(REGISTRY.metadata.create_all, [users(ImperativelyMapped)], "imperative")

    assert len({row["user_name"] for row in seeded}) == 8


def test_automap(seed_tables, rows):
    engine = seed_tables(Base.metadata.create_all, [])
    mapped = automap_base()
    mapped.prepare(autoload_with=engine)

    class Made(factory.Factory):
        class Meta:
            model = mapped.classes.orders

        kind = "sale"

    seeded = rows(Base.metadata.create_all, [(Made, 5), users(Player, rename={"username": "name"})], "orders")

    assert {row["kind"] for row in seeded} == {"sale"}


SQL = """
    CREATE SCHEMA game;
    CREATE TABLE game."Players" (id uuid PRIMARY KEY, username text NOT NULL, "Level" int);
    CREATE TABLE "user" (id int PRIMARY KEY, username text NOT NULL);
    CREATE TABLE game.lower (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, username text NOT NULL);
"""


def create_by_sql(engine):
    with engine.begin() as connection:
        connection.execute(text(SQL))


@pytest.mark.parametrize(
    ("named", "sql"),
    [
        ('game."Players"', 'game."Players"'),
        ("user", '"user"'),
        ('"user"', '"user"'),
        ("game.lower", "game.lower"),
        ("GAME.Lower", "game.lower"),
    ],
)
def test_a_table_by_its_name_alone(rows, named, sql):
    made = users(None, table=named, rename={"level": "Level"})

    seeded = rows(create_by_sql, [made], sql)

    assert len({row["username"] for row in seeded}) == 8


def test_a_class_that_is_not_mapped_is_refused(seed_tables):
    with pytest.raises(SettingsError) as caught:
        seed_tables(create_by_sql, [users(Imperative)])

    assert str(caught.value) == (
        "PlayerFactory: Meta.model Imperative is not mapped to a table. "
        "Name a SQLAlchemy class or Table, a Django model, or Meta.table."
    )


def test_a_class_of_joined_inheritance_is_refused(seed_tables):
    class Animals(DeclarativeBase):
        pass

    class Animal(Animals):
        __tablename__ = "animals"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}  # noqa: RUF012

    class Dog(Animal):
        __tablename__ = "dogs"
        id: Mapped[int] = mapped_column(ForeignKey("animals.id"), primary_key=True)
        tricks: Mapped[int]
        __mapper_args__ = {"polymorphic_identity": "dog"}  # noqa: RUF012

    class DogFactory(factory.Factory):
        class Meta:
            model = Dog

        tricks = 3

    with pytest.raises(SettingsError) as caught:
        seed_tables(Animals.metadata.create_all, [(DogFactory, 3)])

    assert str(caught.value) == (
        "DogFactory: Meta.model Dog has its columns in two tables, 'animals' and 'dogs', and one factory fills one. "
        "Give each table a subclass of UserFactory or GameFactory, with Meta.table = 'dogs' or the like."
    )


# ### single rows ###


@pytest.mark.parametrize("model", [DataPlayer, ModelPlayer, ImperativelyMapped])
def test_build_gives_an_instance_of_the_team_s_model(model):
    player = users(model).build(username="Neo", level=4)

    assert isinstance(player, model)
    assert (player.username, player.level) == ("Neo", 4)


def test_build_gives_a_dict_for_a_table_or_a_name():
    assert users(PLAYERS).build(username="Neo", level=4) == {"username": "Neo", "level": 4}
    made = users(None, table="game.players", rename={"username": "handle"}).build(username="Neo")
    assert made["handle"] == "Neo"
    assert "country_code" in made


def test_a_child_built_alone_has_a_parent_of_its_own():
    class OrderFactory(TransactionFactory):
        class Meta:
            model = Order
            rename = {"user_id": "buyer", "type": "kind"}  # noqa: RUF012

    assert OrderFactory.build(type="iap_purchase").kind == "iap_purchase"


def test_create_needs_no_session_for_a_plain_class():
    class Made(GameFactory):
        class Meta:
            model = Imperative

        number = factory.Sequence(int)

    assert [Made.create().number, Made.create().number] == [0, 1]


@pytest.fixture
def session_of(seed_tables):
    """Give a callable that seeds, and has the factories persist through a session on the new database."""
    sessions = []

    def session_of(create_schema, factories):
        engine = seed_tables(create_schema, factories)
        session = Session(engine)
        sessions.append(session)
        persist_through(
            session, factories=[each[0] if isinstance(each, tuple) else each for each in factories]
        )
        return session

    yield session_of
    persist_through(None)
    for session in sessions:
        session.close()


def test_create_persists_the_team_s_row(session_of):
    session = session_of(Base.metadata.create_all, [PLAYER])

    player = PLAYER.create(level=4)

    assert session.get(Player, player.uid) is player
    assert (player.doubled, player.score) == (8, 7)


def test_create_of_a_table_gives_the_row_as_the_database_has_it(session_of):
    session_of(create_game, [users(PLAYERS)])

    row = users(PLAYERS).create(username="Neo", level=4)

    assert row == {"id": 9, "username": "Neo", "level": 4, "score": 7}


def test_create_of_a_table_by_its_name_alone_says_why_not(session_of):
    made = users(None, table="game.players")
    session_of(create_game, [made])

    with pytest.raises(SettingsError) as caught:
        made.create()

    assert str(caught.value) == (
        "PlayerFactory.create(): Meta.table names a table without a model, so no row can be made for it. "
        "Name a SQLAlchemy Table in Meta.model, or use build() for a dict."
    )


def test_create_of_a_child_makes_a_parent_by_the_team_s_factory(session_of):
    class OrderFactory(TransactionFactory):
        class Meta:
            model = Order
            rename = {"user_id": "buyer", "type": "kind"}  # noqa: RUF012

    session = session_of(Base.metadata.create_all, [PLAYER, OrderFactory])

    order = OrderFactory.create()
    seeded = session.query(Player).first()
    second = OrderFactory.create(user=seeded)
    third = OrderFactory.create(user_id=seeded.uid)

    assert session.get(Player, order.buyer).level >= 1
    assert second.buyer == third.buyer == seeded.uid


def test_create_without_a_session_says_what_to_do():
    with pytest.raises(SessionMissingError) as caught:
        PLAYER.create()

    assert str(caught.value) == (
        "PlayerFactory.create() has no session to persist through. "
        "Request the gamedata_session fixture in the test, or use build() for a row in memory."
    )


def test_create_goes_on_after_the_seeded_rows(project, run):
    project.makepyfile(
        """
        import factory, pytest
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
        from pytest_gamedata.factories import GameFactory

        class Base(DeclarativeBase):
            pass

        class Guild(Base):
            __tablename__ = "guilds"
            id: Mapped[int] = mapped_column(primary_key=True)
            name: Mapped[str] = mapped_column(unique=True)

        class GuildFactory(GameFactory):
            class Meta:
                model = Guild

            name = factory.Sequence(lambda n: f"Guild {n}")

        @pytest.fixture(scope="session")
        def gamedata_factories():
            return [(GuildFactory, 20)]

        @pytest.fixture(scope="session")
        def gamedata_create_schema():
            return Base.metadata.create_all

        @pytest.mark.parametrize("again", range(3))
        def test_create(gamedata_session, gamedata_db, again):
            assert gamedata_db.counts == {"guilds": 20}
            assert GuildFactory.create().name == "Guild 20"
        """
    )

    run("-q").assert_outcomes(passed=3)


DJANGO = """
    import django
    import factory.django
    import pytest
    from django.conf import settings

    settings.configure(
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "unused"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()

    from django.db import models
    from pytest_gamedata.factories import UserFactory

    class Player(models.Model):
        class Meta:
            app_label = "game"
            db_table = "game_player"

        handle = models.CharField(max_length=40, db_column="Handle")
        level = models.IntegerField()
        score = models.IntegerField(default=7)
        tag = models.CharField(max_length=9, default=lambda: "made")
        note = models.CharField(max_length=9, blank=True)
        added = models.DateTimeField(auto_now_add=True)

    class Veteran(Player):
        class Meta:
            app_label = "game"
            db_table = "game_veteran"

        years = models.IntegerField()

    class Guild(models.Model):
        class Meta:
            app_label = "game"
            db_table = "game_guild"

        name = models.CharField(max_length=40)
        owner = models.ForeignKey(Player, on_delete=models.CASCADE)

    class PlayerFactory(UserFactory):
        class Meta:
            model = Player
            rename = {"username": "handle"}

    class GuildFactory(factory.django.DjangoModelFactory):
        class Meta:
            model = Guild
            skip_postgeneration_save = True

        name = factory.Sequence(lambda n: f"Guild {n}")
        owner = factory.SubFactory(PlayerFactory)

    class VeteranFactory(factory.django.DjangoModelFactory):
        class Meta:
            model = Veteran

        years = 3

    FACTORIES = [PlayerFactory, (GuildFactory, 5)]

    @pytest.fixture(scope="session")
    def gamedata_factories():
        return FACTORIES

    @pytest.fixture(scope="session")
    def gamedata_create_schema():
        def create_schema(engine):
            from sqlalchemy import text
            with engine.begin() as connection:
                connection.execute(text('''
                    CREATE TABLE game_player (id bigint PRIMARY KEY, "Handle" text NOT NULL, level int NOT NULL,
                        score int NOT NULL, tag text NOT NULL, note text NOT NULL, added timestamptz NOT NULL);
                    CREATE TABLE game_guild (id bigint PRIMARY KEY, name text NOT NULL,
                        owner_id bigint NOT NULL REFERENCES game_player);
                    CREATE TABLE game_veteran (player_ptr_id bigint PRIMARY KEY REFERENCES game_player, years int);
                '''))
        return create_schema
"""


def test_a_django_model(project, run):
    project.makeconftest(DJANGO)
    project.makepyfile(
        """
        from conftest import Player, PlayerFactory
        from sqlalchemy import text

        def test_rows(gamedata_db):
            with gamedata_db.engine.connect() as connection:
                rows = connection.execute(text('SELECT score, tag, note, count(DISTINCT "Handle"), count(added) FROM game_player GROUP BY 1, 2, 3')).all()
                guilds = connection.execute(text("SELECT name FROM game_guild JOIN game_player ON game_player.id = owner_id ORDER BY 1")).all()
            assert rows == [(7, "made", "", 20, 20)]
            assert guilds == [(f"Guild {n}",) for n in range(5)]

        def test_build():
            player = PlayerFactory.build(username="Neo", level=4)
            assert isinstance(player, Player)
            assert (player.handle, player.level, player.score) == ("Neo", 4, 7)
        """
    )

    run("-q", "--gamedata-users=20").assert_outcomes(passed=2)


def test_a_django_model_in_two_tables_and_get_or_create_are_refused(project, run):
    project.makeconftest(DJANGO)
    project.makepyfile(
        """
        import pytest
        from conftest import Guild, GuildFactory, VeteranFactory
        from pytest_gamedata.databases.mapping.entries import read_entries
        from pytest_gamedata.errors import SettingsError
        from pytest_gamedata.factories.adapter.resolve import check_bulk

        class Once(GuildFactory):
            class Meta:
                model = Guild
                django_get_or_create = ("name",)

        def test_refused():
            with pytest.raises(SettingsError) as caught:
                read_entries([(VeteranFactory, 3)])
            assert str(caught.value) == (
                "VeteranFactory: Meta.model Veteran has its columns in two tables, 'game_player' and 'game_veteran', and one "
                "factory fills one. Give each table a subclass of UserFactory or GameFactory, with Meta.table = 'game_veteran' or the like."
            )
            with pytest.raises(SettingsError) as caught:
                check_bulk(Once)
            assert str(caught.value) == (
                "Once: Meta.django_get_or_create cannot be honoured when a database is seeded. "
                "Seed with a subclass that sets it to (), and let its declarations give each row a value of its own."
            )
        """
    )

    run("-q").assert_outcomes(passed=1)


def test_get_or_create_of_a_single_row_finds_what_is_seeded(session_of):
    class Found(PLAYER):
        class Meta:
            model = Player
            rename = {"username": "name"}  # noqa: RUF012
            sqlalchemy_get_or_create = ("name",)

    session = session_of(Base.metadata.create_all, [PLAYER])
    seeded = session.query(Player).first()

    assert Found.create(username=seeded.name) is seeded
