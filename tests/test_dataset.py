import hashlib
import random
import subprocess
import sys
from datetime import UTC, datetime

import factory
import numpy as np
import pytest

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.conversion import is_null, to_python
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.distributions import ROLES
from pytest_gamedata.errors import SettingsError
from pytest_gamedata.factories import Draw, TransactionFactory, UserFactory
from pytest_gamedata.models import Transaction, User
from pytest_gamedata.simulation.sessions import make_sessions
from pytest_gamedata.simulation.users import make_users

SIZES = [0, 1, 2, 3, 5, 10, 17, 18, 50, 100, 1000]


def digest(dataset):
    values = [
        (table, name, to_python(column))
        for table, columns in dataset.tables.items()
        for name, column in columns.items()
    ]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def spec_of(users, **values):
    return DatasetSpec(users=users, **({"transactions": 0} if users == 0 else {}) | values)


@pytest.mark.parametrize("users", SIZES)
def test_every_size_is_valid(users):
    dataset = build_dataset(spec_of(users))

    assert dataset.counts["users"] == users
    assert dataset.counts["items"] == 120
    assert (dataset.counts["transactions"] > 0) == (users > 0)
    assert dataset.counts["auth_events"] >= 2 * users


@pytest.mark.parametrize("seed", range(2, 8))
@pytest.mark.parametrize("users", [1, 7, 60])
def test_every_seed_is_valid(users, seed):
    build_dataset(DatasetSpec(users=users, seed=seed))


@pytest.mark.parametrize("items", [1, 2, 4, 40, 400])
def test_every_catalogue_is_valid(items):
    dataset = build_dataset(DatasetSpec(users=30, items=items))

    assert dataset.counts["items"] == items


@pytest.mark.parametrize("days", [1, 2, 7, 400])
def test_every_window_is_valid(days):
    spec = DatasetSpec(users=60, days=days, until=datetime(2024, 3, 10, 15, 30, tzinfo=UTC))
    dataset = build_dataset(spec)

    for table, column in (
        ("users", "created_at"),
        ("transactions", "created_at"),
        ("auth_events", "occurred_at"),
    ):
        moments = to_python(dataset.tables[table][column])
        assert min(moments) >= spec.since
        assert max(moments) <= spec.until


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_hundred_users_show_the_shares_as_closely_as_a_hundred_can(seed):
    dataset = build_dataset(DatasetSpec(users=100, seed=seed))
    users, events = dataset.tables["users"], dataset.tables["auth_events"]
    cast = np.array(list(dataset.cast.values()))

    for name, weights in (("country_code", dist.COUNTRIES), ("platform", dist.PLATFORMS)):
        for word, weight in weights.items():
            expected = 100 * weight / sum(weights.values())
            assert abs(users[name].is_(word).sum() - expected) <= 2, word
    logins = events["event_type"].is_("login_success") & is_null(events["attack_id"])
    user, at = events["user_id"][logins], events["occurred_at"][logins].astype("datetime64[D]")
    after = (at - users["created_at"].astype("datetime64[D]")[user - 1]).astype(int)
    others = np.setdiff1d(np.arange(1, 101), cast)
    for day, share in ((1, 0.27), (7, 0.076)):
        old_enough = users["created_at"][others - 1] < np.datetime64("2024-12-24")
        active = np.isin(others[old_enough], user[after == day]).sum()
        assert abs(active - share * old_enough.sum()) <= 5


def test_a_single_user_has_a_history():
    dataset = build_dataset(DatasetSpec(users=1))
    events, transactions = dataset.tables["auth_events"], dataset.tables["transactions"]

    assert list(dataset.cast) == ["whale"]
    assert events["event_type"].is_("login_success").sum() > 20
    assert events["event_type"].is_("register").sum() == 1
    assert transactions["type"].is_("iap_purchase").sum() >= 15
    assert (dataset.tables["users"]["lifetime_spend_usd_cents"] > 10_000).all()


def test_no_story_is_torn_where_the_log_is_cut():
    for count in (120, 300, 1000):
        dataset = build_dataset(DatasetSpec(users=60, auth_events=count))  # the checks on locks hold
        events = dataset.tables["auth_events"]
        kinds = to_python(events["event_type"][events["user_id"] == dataset.cast["locked"]])
        assert "account_locked" in kinds
        assert kinds.count("login_failure") >= 5
        assert events["event_type"].is_("register").sum() == 60


@pytest.mark.parametrize("days", [1, 3])
def test_a_large_dataset_of_few_days_is_valid(days):
    build_dataset(DatasetSpec(users=20_000, days=days, seed=2))


@pytest.mark.parametrize("count", [0, 1, 2, 99, 712, 4000])
@pytest.mark.parametrize("users", [1, 3, 100])
def test_exactly_so_many_transactions(users, count):
    assert build_dataset(DatasetSpec(users=users, transactions=count)).counts["transactions"] == count


@pytest.mark.parametrize("count", [0, 1, 2, 99, 712, 6000])
@pytest.mark.parametrize("users", [1, 3, 100])
def test_exactly_so_many_auth_events(users, count):
    assert build_dataset(DatasetSpec(users=users, auth_events=count)).counts["auth_events"] == count


def test_equal_specs_give_equal_rows_and_another_seed_others():
    assert digest(build_dataset(DatasetSpec(users=40))) == digest(build_dataset(DatasetSpec(users=40)))
    assert digest(build_dataset(DatasetSpec(users=40))) != digest(
        build_dataset(DatasetSpec(users=40, seed=2))
    )


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"}, {"TZ": "Asia/Tokyo"}, {"LC_ALL": "C"}],
    ids=lambda environment: "".join(environment.values()),
)
def test_the_rows_do_not_depend_on_the_process(environment):
    program = (
        "import hashlib\n"
        "from pytest_gamedata import DatasetSpec, build_dataset\n"
        "from pytest_gamedata.columns.conversion import to_python\n"
        "tables = build_dataset(DatasetSpec(users=40)).tables\n"
        "values = [(t, n, to_python(c)) for t, columns in tables.items() for n, c in columns.items()]\n"
        "print(hashlib.sha256(repr(values).encode()).hexdigest())"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == digest(build_dataset(DatasetSpec(users=40)))


def test_the_cast_is_there_in_order_of_precedence():
    assert list(build_dataset(DatasetSpec(users=3)).cast) == list(ROLES[:3])

    cast = build_dataset(DatasetSpec(users=50)).cast
    assert list(cast) == list(ROLES)
    assert len(set(cast.values())) == len(ROLES)


def test_the_cast_is_what_its_names_say():
    dataset = build_dataset(DatasetSpec(users=50))
    users = {name: to_python(column) for name, column in dataset.tables["users"].items()}

    def of(role, column):
        return users[column][dataset.cast[role] - 1]

    assert of("whale", "lifetime_spend_usd_cents") > 10_000
    assert of("free_player", "lifetime_spend_usd_cents") == 0
    assert of("newcomer", "created_at") > datetime(2024, 12, 31, tzinfo=UTC)
    assert of("churned", "last_login_at") < datetime(2024, 12, 2, tzinfo=UTC)
    assert [of(role, "status") for role in ("banned", "locked", "deleted")] == ["banned", "locked", "deleted"]
    assert of("locked", "failed_login_count") >= 5
    assert of("mfa_user", "mfa_enabled") is True
    assert of("unverified", "email_verified_at") is None
    assert of("attacked", "failed_login_count") == 0  # the owner has come back


def test_registration_is_the_first_event_of_every_user():
    events = build_dataset(DatasetSpec(users=60)).tables["auth_events"]
    first = {}
    for user, kind in zip(to_python(events["user_id"]), to_python(events["event_type"]), strict=True):
        first.setdefault(user, kind)
    first.pop(None)

    assert set(first.values()) == {"register"}
    assert len(first) == 60


@pytest.mark.parametrize("days", [1, 90])
def test_a_purchase_falls_inside_a_session(days):
    spec = DatasetSpec(users=60, days=days)
    streams = Streams(spec.seed)
    sessions = make_sessions(spec, streams, make_users(spec, streams, UserFactory))
    rows = build_dataset(spec).tables["transactions"]
    bought = rows["type"].is_("store_purchase", "loot_drop", "iap_purchase")

    assert bought.sum() > 20
    for user, at in zip(rows["user_id"][bought] - 1, rows["created_at"][bought], strict=True):
        own = sessions.user == user
        end = sessions.start[own] + sessions.seconds[own].astype("timedelta64[s]")
        assert ((sessions.start[own] <= at) & (at <= end)).any()


def test_attacks_carry_their_label():
    events = build_dataset(DatasetSpec(users=100)).tables["auth_events"]
    attack = ~is_null(events["attack_id"])

    assert attack.any()
    assert set(to_python(events["event_type"][attack])) <= {"login_failure", "login_success"}
    assert set(to_python(events["platform"][attack])) == {None, "web"}
    assert (is_null(events["device_id"]) == is_null(events["platform"]))[attack].all()


def test_a_subclass_changes_its_column_only():
    class Veterans(UserFactory):
        class Meta:
            model = User

        level = Draw(lambda row, rng, n: np.full(n, 99))

    ours = build_dataset(DatasetSpec(users=20)).tables
    theirs = build_dataset(DatasetSpec(users=20), [Veterans]).tables
    changed = [
        f"{table}.{name}" for table in ours for name in ours[table]
        if to_python(ours[table][name]) != to_python(theirs[table][name])
    ]  # fmt: skip

    assert changed == ["users.level"]


def test_a_subclass_may_draw_from_what_is_settled_of_a_user():
    class Receipts(TransactionFactory):
        class Meta:
            model = Transaction

        idempotency_key = factory.LazyAttributeSequence(
            lambda row, number: f"{row.user.level} {row.user.last_login_at} {number}"
        )

    tables = build_dataset(DatasetSpec(users=6), [Receipts]).tables
    levels, rows = to_python(tables["users"]["level"]), tables["transactions"]

    for user, key in zip(to_python(rows["user_id"]), to_python(rows["idempotency_key"]), strict=True):
        assert key.startswith(f"{levels[user - 1]} None ")


def test_any_declaration_of_factory_boy_fills_a_column():
    class Players(UserFactory):
        class Meta:
            model = User

        display_name = factory.Faker("color_name")
        username = factory.Sequence(lambda number: f"player{number}")
        xp = factory.LazyAttribute(lambda row: row.playtime_seconds // 60)
        level = 7

    class Receipts(TransactionFactory):
        class Meta:
            model = Transaction

        idempotency_key = factory.LazyAttributeSequence(lambda row, number: f"{row.user.username}-{number}")

    random_state = random.getstate()
    datasets = [build_dataset(DatasetSpec(users=6), [Receipts, Players]) for _ in range(2)]
    users = {name: to_python(column) for name, column in datasets[0].tables["users"].items()}
    names = dict(zip(users["id"], users["username"], strict=True))
    rows = datasets[0].tables["transactions"]

    assert digest(datasets[0]) == digest(datasets[1])
    assert sorted(users["username"]) == [f"player{number}" for number in range(6)]
    assert set(users["level"]) == {7}
    assert all(isinstance(name, str) for name in users["display_name"])
    drops = rows["type"].is_("loot_drop")
    for user, key in zip(
        to_python(rows["user_id"][drops]), to_python(rows["idempotency_key"][drops]), strict=True
    ):
        assert key.startswith(f"{names[user]}-")
    assert random.getstate() == random_state


def test_every_kind_of_text_can_be_changed():
    class Swedes(UserFactory):
        class Meta:
            model = User

        country_code = factory.LazyFunction(lambda: "SE")
        display_name = "Sven"
        platform = factory.Iterator(["ios", "web"])
        locale = Draw(lambda row, rng, n: np.array(["sv-SE"] * n))
        level = Draw(lambda row, rng, n: [5] * n)
        mfa_enabled = factory.Maybe("payer", True, False)

    class Sandbox(TransactionFactory):
        class Meta:
            model = Transaction

        environment = factory.LazyAttribute(lambda row: "sandbox")
        idempotency_key = factory.Sequence(lambda number: f"key{number}")

    datasets = [build_dataset(DatasetSpec(users=30), [Swedes, Sandbox]) for _ in range(2)]
    users, rows = datasets[0].tables["users"], datasets[0].tables["transactions"]

    assert digest(datasets[0]) == digest(datasets[1])
    assert set(to_python(users["country_code"])) == {"SE"}
    assert set(to_python(users["timezone"])) == {"UTC"}
    assert set(to_python(users["platform"])) == {"ios", "web"}
    assert set(to_python(users["locale"])) == {"sv-SE"}
    assert set(to_python(users["display_name"])) == {"Sven"}
    assert set(to_python(users["level"])) == {5}
    assert set(to_python(users["mfa_enabled"])) == {True, False}
    assert set(to_python(rows["environment"])) == {"sandbox"}
    assert all(key.startswith("key") for key in to_python(rows["idempotency_key"]))


@pytest.mark.parametrize(
    ("drawn", "problem"),
    [
        (7, "int is not allowed. Allowed: an array of n values."),
        ([1, 2, 3], "3 values are not allowed. Allowed: one per row, here 5."),
    ],
)
def test_a_draw_that_gives_no_column_is_refused(drawn, problem):
    class Odd(UserFactory):
        class Meta:
            model = User

        level = Draw(lambda row, rng, n: drawn)

    with pytest.raises(SettingsError) as caught:
        build_dataset(DatasetSpec(users=5), [Odd])

    assert str(caught.value) == f"Odd.level: {problem}"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"users": -1},
            "DatasetSpec: users: -1 is not allowed. Allowed: a whole number from 0 to 100000000.",
        ),
        (
            {"users": None},
            "DatasetSpec: users: None is not allowed. Allowed: a whole number from 0 to 100000000.",
        ),
        (
            {"preset": "flop"},
            "DatasetSpec: preset: 'flop' is not allowed. Allowed: median, top_quartile, hit or whale_heavy.",
        ),
        (
            {"users": 0, "auth_events": 5},
            "auth_events=5 needs somebody to make them, but users=0. Allowed: users from 1, or auth_events=0.",
        ),
    ],
)
def test_a_spec_that_no_option_would_give_is_refused(values, problem):
    with pytest.raises(SettingsError) as caught:
        DatasetSpec(**values)

    assert str(caught.value) == problem


def test_a_moment_without_a_zone_is_utc():
    assert DatasetSpec(until=datetime(2025, 1, 1)) == DatasetSpec()
