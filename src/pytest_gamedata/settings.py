"""The settings: one table of all of them, and the specification of a dataset that they resolve to.

A new setting is a row in SETTINGS, and the code that asks `plugin.run_state.read_setting` for it by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from pytest_gamedata.distributions import PASSWORD, PASSWORD_HASH, PRESETS
from pytest_gamedata.errors import SettingsError

ISOLATIONS = ("database",)
DAYS_MAX = 3_650
COUNT_MAX = 100_000_000
SEED_MAX = 2**63 - 1

# values by the name of the setting, each with the place where it was found, for the error
Found = Mapping[str, tuple[Any, str]]


# ### the table ###


@dataclass(frozen=True)
class Setting:
    """A row of the table: a setting, where it can be set, and which values it may have."""

    name: str
    help: str
    default: Any = None
    default_text: str = ""  # the default as the help words it; empty: the help does not mention it
    metavar: str | None = None  # None for a flag without a value
    allowed: str = ""
    parse: Callable[[Any], Any] | None = None  # None: anything of its type, an empty text counts as left out
    choices: tuple[str, ...] = ()
    ini_type: Literal["string", "bool", "args"] = "string"
    ini_only: bool = False
    in_spec: bool = False  # a field of DatasetSpec
    in_commands: bool = False  # an option of `gamedata seed` and the other commands

    @property
    def ini(self) -> str:
        """The key in the ini file, and the destination of pytest's option."""
        return f"gamedata_{self.name}"

    @property
    def flag(self) -> str | None:
        """The option of pytest's command line, None if there is only an ini key."""
        return None if self.ini_only else f"--gamedata-{self.name.replace('_', '-')}"

    @property
    def in_marker(self) -> bool:
        """Whether it is a key of the marker."""
        return self.in_spec and not self.ini_only

    @property
    def command_flag(self) -> str:
        """The option of the `gamedata` command."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def help_text(self) -> str:
        """The line of `pytest --help`."""
        allowed = f": {self.allowed}" if self.metavar else ""
        default = f" (default: {self.default_text})" if self.default_text else ""
        return f"{self.help}{allowed}{default}"

    def read(self, value: Any, where: str) -> Any:
        """Return the value that a text or an object stands for.

        Raises SettingsError that names the place, the value and what is allowed.
        """
        try:
            return value if self.parse is None else self.parse(value)
        except (ValueError, TypeError):
            raise SettingsError(f"{where}: {value!r} is not allowed. Allowed: {self.allowed}.") from None


def parse_until(value: Any) -> datetime:
    """Read an ISO date or datetime, or `now`; without a zone it is UTC."""
    if value == "now":
        return datetime.now(UTC).replace(microsecond=0)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if not 1971 <= moment.year <= 2090:
        raise ValueError(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _whole_number(lowest: int, highest: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if isinstance(value, bool | float):
            raise ValueError(value)
        number = int(value)
        if not lowest <= number <= highest:
            raise ValueError(value)
        return number

    return parse


def _one_of(names: Iterable[str]) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in names:
            raise ValueError(value)
        return str(value)

    return parse


def _either(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _number(
    name: str, default: int | None, help_text: str, lowest: int = 0, highest: int = COUNT_MAX
) -> Setting:
    """Return the row of a whole number of the specification; None as default leaves it to the users' activity."""
    return Setting(
        name, help_text, default, default_text="what the users' activity gives" if default is None else str(default),
        metavar="N", allowed=f"a whole number from {lowest} to {highest}", parse=_whole_number(lowest, highest),
        in_spec=True, in_commands=True,
    )  # fmt: skip


_ROWS = (
    _number("users", 100, "number of users"),
    _number("items", 120, "number of catalogue items"),
    _number("transactions", None, "exact number of transactions"),
    _number("auth_events", None, "exact number of auth events"),
    _number("days", 90, "length of the window", 1, DAYS_MAX),
    Setting(
        "until", "end of the window", datetime(2025, 1, 1, tzinfo=UTC), default_text="2025-01-01", metavar="DATE",
        allowed="an ISO date or datetime from 1971 to 2090, or now", parse=parse_until,
        in_spec=True, in_commands=True,
    ),
    _number("seed", 1, "seed of every random choice", 0, SEED_MAX),
    Setting(
        "preset", "kind of game", "top_quartile", default_text="top_quartile", metavar="NAME",
        allowed=_either(PRESETS), parse=_one_of(PRESETS), choices=tuple(PRESETS),
        in_spec=True, in_commands=True,
    ),
    Setting(
        "isolation", "isolation of a test", "database", default_text="database", metavar="MODE",
        allowed=_either(ISOLATIONS), parse=_one_of(ISOLATIONS), choices=ISOLATIONS,
        in_spec=True,
    ),
    Setting(
        "rebuild", "build and load everything anew, and keep that in the place of what earlier runs have kept",
        default=False, allowed="true or false", ini_type="bool",
    ),
    Setting(
        "cache", "directory for what later runs can use, or off", default_text="the user's cache directory",
        ini_only=True,
    ),
    Setting(
        "cache_key", "files, directories and globs that decide what your own gamedata_create_schema and "
        "gamedata_factories give",
        default=[], allowed="paths separated by spaces or line breaks", ini_type="args", ini_only=True,
    ),
    Setting(
        "alembic", "the alembic.ini of your migrations: `upgrade head` creates the tables", ini_only=True,
    ),
    Setting(
        "django", "create the tables by Django's migrations, and give pytest-django a seeded clone as test database",
        default=False, allowed="true or false", ini_type="bool", ini_only=True,
    ),
    Setting(
        "password", "replaces the password of all password accounts; set both", PASSWORD, ini_only=True, in_spec=True,
    ),
    Setting(
        "password_hash", "replaces the password of all password accounts; set both", PASSWORD_HASH, ini_only=True,
        in_spec=True,
    ),
)  # fmt: skip
SETTINGS = {setting.name: setting for setting in _ROWS}
# left out: as many as the users make
NATURAL = tuple(setting.name for setting in _ROWS if setting.in_spec and setting.default is None)


# ### the specification of a dataset ###


@dataclass(frozen=True)
class DatasetSpec:
    """The settings that decide a dataset; equal specifications give equal rows.

    `transactions` and `auth_events` are exact numbers of rows, None for what the users' activity gives.
    `until` is the end of the window of `days` days, in UTC. `password_hash` is stored with every password
    account, `password` is what it verifies. Raises SettingsError for a value that is not allowed.

    >>> DatasetSpec(users=1000, days=30, until="2025-06-01").since
    datetime.datetime(2025, 5, 2, 0, 0, tzinfo=datetime.timezone.utc)
    """

    users: int = SETTINGS["users"].default
    items: int = SETTINGS["items"].default
    transactions: int | None = SETTINGS["transactions"].default
    auth_events: int | None = SETTINGS["auth_events"].default
    days: int = SETTINGS["days"].default
    until: datetime = SETTINGS["until"].default
    seed: int = SETTINGS["seed"].default
    preset: str = SETTINGS["preset"].default
    isolation: str = SETTINGS["isolation"].default
    password: str = SETTINGS["password"].default
    password_hash: str = SETTINGS["password_hash"].default

    def __post_init__(self) -> None:
        """Refuse what no option would let through, and read `until` as UTC.

        Raises SettingsError.
        """
        for setting in filter(lambda setting: setting.in_spec, SETTINGS.values()):
            value = getattr(self, setting.name)
            if value is not None or setting.name not in NATURAL:
                object.__setattr__(self, setting.name, setting.read(value, f"DatasetSpec: {setting.name}"))
        _check_together(self)

    @property
    def since(self) -> datetime:
        """The start of the window."""
        return self.until - timedelta(days=self.days)

    def __str__(self) -> str:
        texts = ((name, text.removesuffix("T00:00:00+00:00")) for name, text in spec_texts(self))
        return " ".join(f"{name}={text}" for name, text in texts)


def spec_texts(spec: DatasetSpec) -> Iterator[tuple[str, str]]:
    """Yield the name and the value as text of each setting that a command would need to make the same rows."""
    for setting in SETTINGS.values():
        value = getattr(spec, setting.name) if setting.in_commands else None
        if value is not None:
            yield setting.name, value.isoformat() if isinstance(value, datetime) else str(value)


def resolve_spec(base: DatasetSpec, found: Found) -> DatasetSpec:
    """Apply settings to a specification.

    Raises SettingsError that names the value and what is allowed.
    """
    return replace(
        base, **{name: SETTINGS[name].read(value, where) for name, (value, where) in found.items()}
    )


def _check_together(spec: DatasetSpec) -> None:
    """Raise SettingsError for sizes that exclude each other."""
    if spec.items == 0 and spec.users > 0 and spec.transactions != 0:
        asked = "as many as the users make" if spec.transactions is None else spec.transactions
        raise SettingsError(
            f"items=0 leaves nothing to trade, but transactions are asked for ({asked}). "
            "Allowed: items from 1, or transactions=0 as well."
        )
    for name in NATURAL:
        if spec.users == 0 and getattr(spec, name):
            raise SettingsError(
                f"{name}={getattr(spec, name)} needs somebody to make them, but users=0. "
                f"Allowed: users from 1, or {name}=0."
            )


@dataclass
class SingleRows:
    """The session and dataset of the rows that a factory's build() and create() make in the running test.

    It is here because `gamedata_session` sets it and must import neither Factory Boy nor numpy.
    """

    session: Any = None  # that create() persists through, None if there is none
    spec: DatasetSpec = field(default_factory=DatasetSpec)  # of the dataset that the rows are to fit
    rng: Any = None  # the numpy Generator that they are drawn from, None until the first one is
    factories: Sequence[Any] = ()  # that seeded the database, the team's own among them


single_rows = SingleRows()


def persist_through(session: Any, spec: DatasetSpec | None = None, factories: Sequence[Any] = ()) -> None:
    """Have every factory's create() persist through this session (None: through none) rows that fit this dataset."""
    single_rows.session, single_rows.spec, single_rows.rng = session, spec or DatasetSpec(), None
    single_rows.factories = factories
