"""The factories that fill the tables: two map the dataset, two are ordinary ones of Factory Boy."""

from decimal import Decimal

import factory

from guild_api.models import Account, Guild, Membership, Order, State
from pytest_gamedata.factories import Per, TransactionFactory, UserFactory

BLOCKED = ("locked", "suspended", "banned")


def state_of(status: str) -> State:
    return State.CLOSED if status == "deleted" else State.BLOCKED if status in BLOCKED else State.ACTIVE


class AccountFactory(UserFactory):
    """The dataset's users, as accounts."""

    class Meta:
        model = Account
        rename = {"id": "uuid", "username": "handle", "email": "mail", "created_at": "joined_at"}

    state = factory.LazyAttribute(lambda account: state_of(account.status))
    spent = factory.LazyAttribute(lambda account: Decimal(account.lifetime_spend_usd_cents) / 100)


class OrderFactory(TransactionFactory):
    """The dataset's transactions, as orders."""

    class Meta:
        model = Order
        rename = {"id": "uuid", "user_id": "account_uuid", "type": "kind"}

    amount = factory.LazyAttribute(lambda order: cents(order.amount_usd_cents))


def cents(amount: int | None) -> Decimal | None:
    return None if amount is None else Decimal(amount) / 100


class GuildFactory(factory.alchemy.SQLAlchemyModelFactory):
    """Guilds, each founded by an account that is seeded."""

    class Meta:
        model = Guild

    name = factory.Sequence(lambda number: f"Guild {number + 1}")
    founder = factory.SubFactory(AccountFactory, state=State.ACTIVE)
    created_at = factory.SelfAttribute("founder.joined_at")


class MembershipFactory(factory.alchemy.SQLAlchemyModelFactory):
    """Accounts in guilds."""

    class Meta:
        model = Membership

    guild = factory.SubFactory(GuildFactory)
    account = factory.SubFactory(AccountFactory)
    rank = factory.Iterator(["member", "member", "officer"])


FACTORIES = [AccountFactory, OrderFactory, (GuildFactory, 20), (MembershipFactory, Per(AccountFactory, 1.5))]
