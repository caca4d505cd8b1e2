"""Factories for the four tables as one writes them by hand: Factory Boy and Faker, a row at a time."""

import random
from datetime import UTC, datetime, timedelta

import factory
from sqlalchemy.orm import scoped_session, sessionmaker

from pytest_gamedata.models import AuthEvent, Item, Transaction, User

ITEMS = 120
END = datetime(2025, 1, 1, tzinfo=UTC)
session = scoped_session(sessionmaker())  # as Factory Boy's documentation has it


class PlayerFactory(factory.alchemy.SQLAlchemyModelFactory):
    """A user who signed up in the last 90 days."""

    class Meta:
        model = User
        sqlalchemy_session = session

    username = factory.Sequence(lambda n: f"player_{n}")
    display_name = factory.Faker("first_name")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"  # noqa: S105
    signup_provider = "password"
    country_code = factory.Faker("country_code")
    platform = factory.Iterator(["ios", "android", "windows", "web"])
    level = factory.LazyFunction(lambda: random.randint(1, 60))  # noqa: S311
    created_at = factory.LazyFunction(lambda: END - timedelta(seconds=random.randint(1, 7_776_000)))  # noqa: S311
    updated_at = factory.SelfAttribute("created_at")


class ThingFactory(factory.alchemy.SQLAlchemyModelFactory):
    """An item of the catalogue."""

    class Meta:
        model = Item
        sqlalchemy_session = session

    sku = factory.Sequence(lambda n: f"item-{n}")
    name = factory.Faker("word")
    item_type = "cosmetic"
    rarity = factory.Iterator(["common", "uncommon", "rare"])
    price_soft = factory.LazyFunction(lambda: random.randint(10, 1_000))  # noqa: S311


class PurchaseFactory(factory.alchemy.SQLAlchemyModelFactory):
    """A user's purchase from the store."""

    class Meta:
        model = Transaction
        sqlalchemy_session = session

    type = "store_purchase"
    status = "completed"
    currency = "SOFT"
    amount_minor = factory.LazyAttribute(lambda purchase: purchase.item.price_soft)
    soft_delta = factory.LazyAttribute(lambda purchase: -purchase.amount_minor)
    idempotency_key = factory.Faker("uuid4")
    platform = factory.SelfAttribute("user.platform")
    country_code = factory.SelfAttribute("user.country_code")
    created_at = factory.SelfAttribute("user.created_at")
    completed_at = factory.SelfAttribute("created_at")


class LoginFactory(factory.alchemy.SQLAlchemyModelFactory):
    """A user's login."""

    class Meta:
        model = AuthEvent
        sqlalchemy_session = session

    identifier = factory.SelfAttribute("user.email")
    event_type = "login_success"
    auth_method = "password"
    ip = factory.Faker("ipv4")
    user_agent = factory.Faker("user_agent")
    country_code = factory.SelfAttribute("user.country_code")
    platform = factory.SelfAttribute("user.platform")
    occurred_at = factory.SelfAttribute("user.created_at")


def create_players(users: int) -> None:
    """Create items and users, and for each user two purchases and six logins, a batch per table."""
    things = ThingFactory.create_batch(ITEMS)
    players = PlayerFactory.create_batch(users)
    buyers, shoppers = (factory.Iterator(players) for _ in range(2))
    PurchaseFactory.create_batch(users * 2, user=buyers, item=factory.Iterator(things))
    LoginFactory.create_batch(users * 6, user=shoppers)
