import random
from datetime import UTC, datetime

import factory
import numpy as np
import pytest
from sqlalchemy import func, select

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata.columns.conversion import is_null, to_python
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.distributions import ROLES
from pytest_gamedata.errors import DatasetInvalidError, SessionMissingError
from pytest_gamedata.factories import (
    AuthEventFactory,
    Draw,
    ItemFactory,
    RefundFactory,
    SellerLegFactory,
    TransactionFactory,
    UserFactory,
)
from pytest_gamedata.factories.adapter import declarations_of
from pytest_gamedata.models import AuthEvent, Item, Transaction, User
from pytest_gamedata.settings import persist_through

FACTORIES = [UserFactory, ItemFactory, TransactionFactory, AuthEventFactory]
SETTLED = {"playtime_seconds", "level", "xp", "last_login_at", "updated_at"}
TRANSACTION_TRAITS = ["failed", "pending", "store_purchase", "loot_drop", "reward", "gift", "trade"]


@pytest.mark.parametrize("cls", FACTORIES)
def test_build_gives_an_instance_of_the_model(cls):
    assert isinstance(cls.build(), cls._meta.model)


def test_build_takes_overrides_and_draws_the_rest_from_them():
    user = UserFactory.build(country_code="JP", signup_provider="password", username="Neo")

    assert (user.country_code, user.locale, user.timezone) == ("JP", "ja-JP", "Asia/Tokyo")
    assert user.password_hash.startswith("$argon2id$")
    assert user.email.startswith("neo@")


def test_an_unknown_country_is_allowed():
    user = UserFactory.build(country_code="SE")

    assert (user.locale, user.timezone) == ("en", "UTC")


def test_build_takes_a_moment_after_the_window():
    created_at = datetime(2026, 5, 1, 12, tzinfo=UTC)

    user = UserFactory.build(created_at=created_at)

    assert user.created_at == created_at
    assert user.last_login_at >= created_at
    assert user.updated_at >= created_at


def test_batches_never_repeat_a_unique_value():
    users = UserFactory.build_batch(300)

    assert len({user.username.lower() for user in users}) == 300
    assert len({item.sku for item in ItemFactory.build_batch(300)}) == 300


def test_a_lone_transaction_has_its_own_user_and_item():
    transaction = TransactionFactory.build()

    assert isinstance(transaction.user, User)
    assert isinstance(transaction.item, Item)
    assert transaction.platform == transaction.user.platform
    assert transaction.amount_usd_cents == transaction.item.price_usd_cents * transaction.quantity
    assert transaction.created_at > transaction.user.created_at


def test_sub_factories_take_deep_overrides():
    transaction = TransactionFactory.build(user__country_code="PL", item__price_usd_cents=999)

    assert transaction.currency == "PLN"
    assert transaction.amount_usd_cents == 999


def test_a_parent_named_by_its_key_stays_a_key():
    transaction = TransactionFactory.build(user_id=7, item_id=3)

    assert (transaction.user_id, transaction.item_id) == (7, 3)
    assert transaction.user is None
    assert transaction.item is None


def test_a_price_that_the_item_does_not_have_is_refused():
    with pytest.raises(DatasetInvalidError) as caught:
        TransactionFactory.build(item=ItemFactory.build())

    assert str(caught.value) == (
        "A transaction asks for a price that its item does not have: iap_purchase needs price_usd_cents, "
        "store_purchase needs price_hard or price_soft. Pass another item, or another type."
    )


def test_a_refund_mirrors_its_purchase():
    refund = RefundFactory.build()

    assert refund.amount_usd_cents == -refund.refunded.amount_usd_cents
    assert refund.amount_minor == -refund.refunded.amount_minor
    assert refund.user is refund.refunded.user
    assert refund.created_at == refund.refunded.refunded_at


def test_two_draws_from_one_stream_are_equal_and_from_another_are_not():
    one, same = (
        UserFactory.columns(50, Streams(1), number=np.arange(50)),
        UserFactory.columns(50, Streams(1), number=np.arange(50)),
    )
    other = UserFactory.columns(50, Streams(2), number=np.arange(50))

    assert to_python(one["username"]) == to_python(same["username"])
    assert to_python(one["username"]) != to_python(other["username"])


def test_changing_one_column_leaves_the_others_alone():
    class Careful(UserFactory):
        class Meta:
            model = User

        mfa_enabled = Draw(lambda row, rng, n: rng.random(n) < 0.9)

    ours = UserFactory.columns(50, Streams(1), number=np.arange(50))
    theirs = Careful.columns(50, Streams(1), number=np.arange(50))
    changed = [name for name in ours if to_python(ours[name]) != to_python(theirs[name])]

    assert changed == ["mfa_enabled"]


def test_one_row_and_many_have_the_same_fields():
    lone = {name for name in vars(UserFactory.build()) if not name.startswith("_")}
    many = UserFactory.columns(3, Streams(1), number=np.arange(3))

    assert lone <= set(many) | SETTLED
    assert lone | {"id"} == set(User.__table__.columns.keys())


def test_a_dataset_draws_no_field_that_it_settles_unless_another_reads_it():
    class Veterans(UserFactory):
        class Meta:
            model = User

        level = Draw(lambda row, rng, n: row.playtime_seconds // 3600)

    ours = UserFactory.columns(3, Streams(1), number=np.arange(3))
    theirs = Veterans.columns(3, Streams(1), number=np.arange(3))

    assert not SETTLED & set(ours)
    assert SETTLED & set(theirs) == {"level", "playtime_seconds"}


def test_columns_apply_a_trait_to_the_rows_that_are_marked():
    rows = UserFactory.columns(40, Streams(1), number=np.arange(40), banned=np.arange(40) < 3)

    assert set(to_python(rows["status"][:3])) == {"banned"}
    assert "banned" not in to_python(rows["status"][10:20])


@pytest.mark.gamedata(users=1, transactions=0, until="2020-01-01", days=30)
def test_a_lone_row_belongs_to_the_window_of_its_dataset(gamedata_session, gamedata_db):
    spec = gamedata_db.spec
    transaction = TransactionFactory.create()

    assert spec.since <= transaction.user.created_at < spec.until
    assert transaction.item.available_from < spec.since
    assert spec.since <= AuthEventFactory.create(unknown_user=True).occurred_at < spec.until


def test_a_lone_user_is_active_and_a_lone_item_on_sale():
    assert {user.status for user in UserFactory.build_batch(200)} == {"active"}
    assert {item.is_active for item in ItemFactory.build_batch(200)} == {True}
    assert {item.is_active for item in ItemFactory.build_batch(20, retired=True, item_type="cosmetic")} == {
        False
    }


@pytest.mark.gamedata(users=1, transactions=0)
def test_an_item_made_by_hand_can_be_read_back(gamedata_session):
    item = Item(sku="x", name="X", item_type="cosmetic", rarity="rare", price_soft=1, tags=["gear"])
    gamedata_session.add(item)
    gamedata_session.commit()

    assert item.available_from < item.created_at < item.available_until
    assert gamedata_session.scalars(
        select(Item).where(Item.tags.contains(["gear"]), Item.sku == "x")
    ).all() == [item]


@pytest.mark.parametrize("cls", [*FACTORIES, RefundFactory, SellerLegFactory])
def test_stub_needs_no_model(cls):
    assert cls.stub().created_at if cls is not AuthEventFactory else cls.stub().occurred_at


@pytest.mark.parametrize("role", ROLES)
def test_every_role_of_the_cast_is_a_trait(role):
    assert isinstance(UserFactory.build(**{role: True}), User)


def test_traits_win_over_the_params_that_they_change():
    assert UserFactory.build(banned=True).status == "banned"
    assert UserFactory.build(deleted=True).deleted_at is not None
    assert UserFactory.build(mfa_user=True).mfa_enabled is True
    assert UserFactory.build(unverified=True).email_verified_at is None


def test_the_global_random_state_is_neither_read_nor_written():
    states = random.getstate(), np.random.get_state(), factory.random.get_random_state()
    persist_through(None)
    first = UserFactory.build().created_at
    random.seed(99)
    np.random.seed(99)
    factory.random.reseed_random(99)
    persist_through(None)

    assert UserFactory.build().created_at == first

    random.setstate(states[0])
    np.random.set_state(states[1])
    factory.random.set_random_state(states[2])
    before = random.getstate()
    UserFactory.build_batch(5)
    assert random.getstate() == before


@pytest.mark.parametrize("cls", FACTORIES)
def test_create_without_a_session_says_what_to_do(cls):
    with pytest.raises(SessionMissingError) as caught:
        cls.create()

    first = UserFactory if cls in (TransactionFactory, AuthEventFactory) else cls  # the parent comes first
    assert str(caught.value) == (
        f"{first.__name__}.create() has no session to persist through. "
        "Request the gamedata_session fixture in the test, or use build() for a row in memory."
    )


@pytest.mark.gamedata(users=3, items=4, transactions=0, auth_events=0)
def test_every_factory_creates_rows_that_the_database_takes(gamedata_session):
    for model, cls in zip((User, Item, Transaction, AuthEvent), FACTORIES, strict=True):
        before = gamedata_session.scalar(select(func.count()).select_from(model))
        created = cls.create_batch(20)
        assert gamedata_session.scalar(select(func.count()).select_from(model)) == before + 20
        assert all(row.id for row in created)
    for trait in TRANSACTION_TRAITS:
        TransactionFactory.create(**{trait: True})
    for trait in ("failed", "locked", "registered", "unknown_user"):
        AuthEventFactory.create(**{trait: True})
    for role in ROLES:
        UserFactory.create(**{role: True})
    SellerLegFactory.create()
    RefundFactory.create()
    gamedata_session.commit()


@pytest.mark.gamedata(users=20, transactions=0)
def test_a_transaction_follows_the_user_that_its_key_names(gamedata_session, gamedata_db):
    whale = gamedata_session.get(User, gamedata_db.cast["whale"])

    transaction = TransactionFactory.create(user_id=whale.id)

    assert transaction.user is whale
    assert transaction.platform == whale.platform
    assert transaction.created_at > whale.created_at


@pytest.mark.gamedata(users=1, transactions=0)
def test_factories_work_with_pytest_factoryboy(pytester):
    pytester.makepyfile(
        """
        from pytest_factoryboy import register
        from pytest_gamedata.factories import UserFactory

        register(UserFactory)

        def test_user(gamedata_session, user):
            assert user.id > 0
            assert gamedata_session.get(type(user), user.id) is user
        """
    )

    pytester.runpytest_subprocess("-q", "--gamedata-users=1").assert_outcomes(passed=1)


def test_a_subclass_may_draw_from_any_param_of_an_event():
    class Told(AuthEventFactory):
        class Meta:
            model = AuthEvent

        risk_score = Draw(lambda row, rng, n: row.device + row.address + np.strings.str_len(row.leaked))

    events = build_dataset(DatasetSpec(users=20), [Told]).tables["auth_events"]

    assert set(to_python(events["risk_score"])) > {0, 1, 21}


def test_a_subclass_may_draw_from_the_identifiers_as_plain_bytes():
    class Told(AuthEventFactory):
        class Meta:
            model = AuthEvent

        risk_score = Draw(lambda row, rng, n: np.where(row.identifier == b"", 1, 2))

    events = build_dataset(DatasetSpec(users=20), [Told]).tables["auth_events"]

    assert np.array_equal(events["risk_score"] == 1, is_null(events["identifier"]))
    assert set(to_python(events["risk_score"])) == {1, 2}


def test_a_subclass_may_change_the_identifiers_that_ours_draws():
    ours = declarations_of(AuthEventFactory)["identifier"].draw

    class Own(AuthEventFactory):
        class Meta:
            model = AuthEvent

        class Params:
            failed = factory.Trait(identifier="x")

        identifier = Draw(ours)

    spec = DatasetSpec(users=20)
    events = build_dataset(spec, [Own]).tables["auth_events"]

    expected = to_python(build_dataset(spec).tables["auth_events"]["identifier"])
    assert to_python(events["identifier"]) == expected
    assert Own.build(failed=True).identifier == "x"
    assert Own.build(auth_method="password").identifier
