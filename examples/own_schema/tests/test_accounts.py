"""Accounts: the players of the dataset, under this schema's names."""

import uuid
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from guild_api.models import Account, Order, State


def test_the_whale_is_an_account_of_ours(client, gamedata_db):
    key = gamedata_db.cast["whale"]
    whale = client.get(f"/accounts/{key}").json()

    assert isinstance(key, uuid.UUID)
    assert whale["state"] == "active"
    assert Decimal(whale["spent"]) > 100


def test_what_was_spent_is_the_sum_of_the_orders(gamedata_db):
    with gamedata_db.session() as session:
        paid = select(func.sum(Order.amount)).where(
            Order.account_uuid == Account.uuid, Order.amount.is_not(None)
        )
        whale = session.get(Account, gamedata_db.cast["whale"])
        orders = session.scalar(paid.where(Account.uuid == whale.uuid))

    assert whale.spent <= orders  # some payments failed


@pytest.mark.parametrize(
    ("role", "state"), [("banned", State.BLOCKED), ("deleted", State.CLOSED), ("trader", State.ACTIVE)]
)
def test_roles_have_the_state_that_they_should(gamedata_db, role, state):
    with gamedata_db.session() as session:
        assert session.get(Account, gamedata_db.cast[role]).state is state


def test_login_with_the_password_of_the_dataset(gamedata_db, log_in):
    with gamedata_db.session() as session:
        account = session.get(Account, gamedata_db.cast["multi_device"])

    response = log_in(account.handle)

    assert response.json() == {"account": str(account.uuid)}


def test_a_locked_account_is_refused(gamedata_db, log_in):
    with gamedata_db.session() as session:
        account = session.get(Account, gamedata_db.cast["locked"])

    assert log_in(account.handle).status_code == 403


def test_counts_are_those_of_these_tables(gamedata_db):
    assert set(gamedata_db.counts) == {"accounts", "orders", "social.guilds", "social.memberships"}
    assert gamedata_db.counts["accounts"] == gamedata_db.spec.users
