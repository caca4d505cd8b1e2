"""The settings: one table of options, and the frozen specification of a dataset that they resolve to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from pytest_gamedata.distributions import PASSWORD, PASSWORD_HASH, PRESETS
from pytest_gamedata.errors import SettingsError

ISOLATIONS = ("database",)
NATURAL = ("transactions", "auth_events")  # left out: as many as the users make
DAYS_MAX = 3_650
COUNT_MAX = 100_000_000
SEED_MAX = 2**63 - 1


@dataclass(frozen=True)
class DatasetSpec:
    """What a dataset is made from; equal specs give equal rows.

    `transactions` and `auth_events` are exact numbers of rows, None for what the users' activity gives.
    `until` is the end of the window of `days` days, in UTC. `password_hash` is stored with every password
    account, `password` is what it verifies. Raises SettingsError for a value that is not allowed.

    >>> DatasetSpec(users=1000, days=30, until="2025-06-01").since
    datetime.datetime(2025, 5, 2, 0, 0, tzinfo=datetime.timezone.utc)
    """

    users: int = 100
    items: int = 120
    transactions: int | None = None
    auth_events: int | None = None
    days: int = 90
    until: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    seed: int = 1
    preset: str = "top_quartile"
    isolation: str = "database"
    password: str = PASSWORD
    password_hash: str = PASSWORD_HASH

    def __post_init__(self) -> None:
        """Refuse what no option would let through, and read `until` as UTC.

        Raises SettingsError.
        """
        for option in OPTIONS:
            value = getattr(self, option.name)
            if value is not None or option.name not in NATURAL:
                parsed = _parse(option.name, value, f"DatasetSpec: {option.name}")
                object.__setattr__(self, option.name, parsed)
        _check_together(self)

    @property
    def since(self) -> datetime:
        """The start of the window."""
        return self.until - timedelta(days=self.days)

    def __str__(self) -> str:
        values = {option.name: getattr(self, option.name) for option in OPTIONS if option.name != "isolation"}
        values["until"] = self.until.isoformat().removesuffix("T00:00:00+00:00")
        return " ".join(f"{name}={value}" for name, value in values.items() if value is not None)


class Option(NamedTuple):
    """One setting: its name is the spec's field, the ini key and the option without their prefixes."""

    name: str
    parse: Callable[[Any], Any]
    allowed: str
    metavar: str
    help: str

    @property
    def flag(self) -> str:
        """The command-line option."""
        return f"--gamedata-{self.name.replace('_', '-')}"

    @property
    def ini(self) -> str:
        """The key in the ini file, and the option's destination."""
        return f"gamedata_{self.name}"


def _whole_number(lowest: int, highest: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if isinstance(value, bool | float):
            raise ValueError(value)
        number = int(value)
        if not lowest <= number <= highest:
            raise ValueError(value)
        return number

    return parse


def _one_of(names: tuple[str, ...]) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in names:
            raise ValueError(value)
        return str(value)

    return parse


def _either(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


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


def _number(name: str, help_text: str, lowest: int = 0, highest: int = COUNT_MAX) -> Option:
    allowed = f"a whole number from {lowest} to {highest}"
    return Option(name, _whole_number(lowest, highest), allowed, "N", help_text)


OPTIONS = (
    _number("users", "number of users"),
    _number("items", "number of catalogue items"),
    _number("transactions", "exact number of transactions"),
    _number("auth_events", "exact number of auth events"),
    _number("days", "length of the window", 1, DAYS_MAX),
    Option(
        "until", parse_until, "an ISO date or datetime from 1971 to 2090, or now", "DATE", "end of the window"
    ),
    _number("seed", "seed of every random choice", 0, SEED_MAX),
    Option("preset", _one_of(tuple(PRESETS)), _either(PRESETS), "NAME", "kind of game"),
    Option("isolation", _one_of(ISOLATIONS), _either(ISOLATIONS), "MODE", "isolation of a test"),
)
OPTION_NAMES = tuple(option.name for option in OPTIONS)


def resolve_spec(base: DatasetSpec, values: Mapping[str, tuple[Any, str]]) -> DatasetSpec:
    """Apply settings to a specification; each comes with where it was found, for the error.

    Raises SettingsError that names the value and what is allowed.
    """
    parsed = {name: _parse(name, value, where) for name, (value, where) in values.items()}
    return replace(base, **parsed)


def _parse(name: str, value: Any, where: str) -> Any:
    option = next(option for option in OPTIONS if option.name == name)
    try:
        return option.parse(value)
    except (ValueError, TypeError):
        raise SettingsError(f"{where}: {value!r} is not allowed. Allowed: {option.allowed}.") from None


def _check_together(spec: DatasetSpec) -> None:
    """Refuse sizes that cannot be had together."""
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
class LoneRows:
    """What rows made one by one, by a factory's build() and create(), go by in the running test.

    It is here because `gamedata_session` sets it and must import neither Factory Boy nor numpy.
    """

    session: Any = None  # that create() persists through, None if there is none
    spec: DatasetSpec = field(default_factory=DatasetSpec)  # of the dataset that the rows are to fit
    rng: Any = None  # the numpy Generator that they are drawn from, None until the first one is


lone_rows = LoneRows()


def persist_through(session: Any, spec: DatasetSpec | None = None) -> None:
    """Let every factory's create() use this session (None: no longer) for rows that fit this dataset."""
    lone_rows.session, lone_rows.spec, lone_rows.rng = session, spec or DatasetSpec(), None
