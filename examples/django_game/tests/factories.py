"""The factories that fill the tables: two map the dataset, one is an ordinary DjangoModelFactory."""

from decimal import Decimal

import factory

from arena.models import Match, Player, Purchase
from pytest_gamedata.factories import TransactionFactory, UserFactory

BARRED = ("locked", "suspended", "banned")


def standing_of(status):
    return "gone" if status == "deleted" else "barred" if status in BARRED else "active"


class PlayerFactory(UserFactory):
    """The dataset's users, as players."""

    class Meta:
        model = Player
        rename = {
            "username": "nickname", "country_code": "country", "created_at": "joined", "last_login_at": "last_seen",
        }  # fmt: skip

    standing = factory.LazyAttribute(lambda player: standing_of(player.status))
    spent = factory.LazyAttribute(lambda player: Decimal(player.lifetime_spend_usd_cents) / 100)


class PurchaseFactory(TransactionFactory):
    """The dataset's transactions, as purchases."""

    class Meta:
        model = Purchase
        rename = {
            "user_id": "player", "type": "kind", "amount_usd_cents": "cents", "created_at": "made",
        }  # fmt: skip


class MatchFactory(factory.django.DjangoModelFactory):
    """Matches between seeded players."""

    class Meta:
        model = Match

    winner = factory.SubFactory(PlayerFactory)
    loser = factory.SubFactory(PlayerFactory)
    rounds = factory.Iterator([3, 5])


FACTORIES = [PlayerFactory, PurchaseFactory, (MatchFactory, 200)]
