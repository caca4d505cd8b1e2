"""Factories of transactions: amounts, currency, payment and status of each row of the ledger."""

from __future__ import annotations

from typing import Any

import factory
import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import constant
from pytest_gamedata.columns.combine import choose
from pytest_gamedata.columns.conversion import (
    NIL_UUID,
    NULL,
    NULL_MOMENT,
    Column,
    pack_text,
    random_hex,
    random_uuids,
)
from pytest_gamedata.columns.local_time import seconds
from pytest_gamedata.columns.sampling import Rng, low_discrepancy, pick, pick_by, strata
from pytest_gamedata.errors import DatasetInvalidError
from pytest_gamedata.factories.adapter import Parent, declarations_of, excluded_by, model_of
from pytest_gamedata.factories.base import GameFactory
from pytest_gamedata.factories.draw import Draw
from pytest_gamedata.factories.fields import changed_fields
from pytest_gamedata.factories.items import ItemFactory
from pytest_gamedata.factories.users import UserFactory
from pytest_gamedata.models import Transaction
from pytest_gamedata.models.values import PAID_STATUSES, REAL_MONEY_TYPES, REVERSED_STATUSES

MEAN_REVERSAL_DAYS = {"refunded": dist.REFUND_DELAY_DAYS, "charged_back": dist.CHARGEBACK_DELAY_DAYS}
LONE_ITEM = {"price_usd_cents": 299, "price_hard": 150}  # a bundle that either kind of money can buy


def _uses_hard(row: Any) -> Any:
    """Tell which purchases are paid in GEM: where it is the only price, or picked of the two."""
    has_hard, has_soft = row.item.price_hard > 0, row.item.price_soft > 0
    picked = row.spends_gems & (row.wallet < dist.HARD_PRICE_PURCHASE_SHARE)
    return row.type.is_("store_purchase") & has_hard & (~has_soft | picked)


def _draw_unit_price(row: Any, rng: Rng, n: int) -> Column:
    """Draw the price of one piece: US cents for real money, GEM or GLD else, 0 for what is given away."""
    item = row.item
    by_type = {
        "iap_purchase": item.price_usd_cents,
        "store_purchase": np.where(_uses_hard(row), item.price_hard, item.price_soft),
        "trade": _draw_trade_price(item, rng, n),
        "reward": _draw_reward(row, rng, n),
    }
    prices = np.select([row.type.is_(word) for word in by_type], list(by_type.values()), 0)
    if (prices == NULL).any():
        raise DatasetInvalidError(
            "A transaction asks for a price that its item does not have: iap_purchase needs price_usd_cents, "
            "store_purchase needs price_hard or price_soft. Pass another item, or another type."
        )
    return prices


def _draw_trade_price(item: Any, rng: Rng, n: int) -> NDArray[np.int64]:
    factor = rng.uniform(*dist.TRADE_PRICE_FACTOR, n)
    return (np.maximum(item.price_hard, dist.TRADE_PRICE_MIN) * factor).astype(np.int64)


def _draw_reward(row: Any, rng: Rng, n: int) -> NDArray[np.int64]:
    """Draw what a reward pays: nothing beside an item, else its bonus, GEM or GLD."""
    soft = rng.integers(dist.REWARD_SOFT[0], dist.REWARD_SOFT[1] + 1, n)
    hard = rng.integers(dist.REWARD_HARD[0], dist.REWARD_HARD[1] + 1, n)
    drawn = np.where(row.wallet < dist.REWARD_HARD_SHARE, hard, soft)
    return np.select([row.bonus > 0, row.item.grants_hard != NULL], [row.bonus, 0], drawn)


def _draw_currency(row: Any, rng: Rng, n: int) -> Column:
    local = row.user.country_code.rename(
        {code: name for code, (name, _) in dist.CURRENCIES.items()}, dist.USD[0]
    )
    in_hard = _uses_hard(row) | (row.type.is_("reward") & (row.wallet < dist.REWARD_HARD_SHARE))
    wallet = choose(in_hard, constant("GEM", n), constant("GLD", n))
    return choose(row.type.is_("iap_purchase"), local, wallet)


def _draw_amount_minor(row: Any, rng: Rng, n: int) -> Column:
    rates = row.currency.to({name: _rate(name) for name in row.currency.categories}, np.float64)
    return np.round(row.unit_price * row.quantity * rates).astype(np.int64)


def _rate(currency: str) -> float:
    return dict(dist.CURRENCIES.values()).get(currency, dist.USD[1])


def _draw_soft_delta(row: Any, rng: Rng, n: int) -> Column:
    moves = (
        row.type.is_("store_purchase", "trade", "reward")
        & row.currency.is_("GLD")
        & row.status.is_(*PAID_STATUSES)
    )
    return np.where(moves, np.where(row.type.is_("reward"), row.amount_minor, -row.amount_minor), 0)


def _draw_hard_delta(row: Any, rng: Rng, n: int) -> Column:
    paid = row.status.is_(*PAID_STATUSES)
    moves = row.type.is_("store_purchase", "reward") & row.currency.is_("GEM") & paid
    wallet = np.where(row.type.is_("reward"), row.amount_minor, -row.amount_minor)
    granted = np.where(row.type.is_("iap_purchase") & paid, row.item.grants_hard * row.quantity, 0)
    return np.where(moves, wallet, granted)


def _for_real_money(draw: Any) -> Draw:
    """Keep what is drawn only where real money is paid."""
    return Draw(
        lambda row, rng, n: choose(row.type.is_("iap_purchase"), draw(row, rng, n), constant(None, n))
    )


def _draw_payment_method(row: Any, rng: Rng, n: int) -> Column:
    """Draw among the ways that the provider knows, spread evenly over each provider's rows."""
    quantiles = np.empty(n)
    quantiles[np.argsort(row.payment_provider.codes, kind="stable")] = low_discrepancy(rng, n)
    return pick_by(row.payment_provider, dist.PAYMENT_METHODS, quantiles, {"card": 1})


def _draw_provider_transaction_id(row: Any, rng: Rng, n: int) -> Column:
    numbers = np.strings.add(np.strings.add(pack_text(row.payment_provider), b"."), random_hex(rng, n))
    return np.where(row.type.is_(*REAL_MONEY_TYPES) & row.status.is_(*PAID_STATUSES), numbers, b"")


def _draw_completed_at(row: Any, rng: Rng, n: int) -> Column:
    delay = np.where(
        row.type.is_("iap_purchase"), seconds(rng.uniform(*dist.PAYMENT_SECONDS, n)), np.timedelta64(0, "us")
    )
    return np.where(row.status.is_(*PAID_STATUSES), row.created_at + delay, NULL_MOMENT)


def draw_reversal_delays(rng: Rng, status: Any) -> NDArray[np.timedelta64]:
    """Draw how long after a payment its money goes back, for each status: refunded or charged back."""
    return seconds(rng.exponential(status.weigh(MEAN_REVERSAL_DAYS) * 86_400) + 60)


def _draw_refunded_at(row: Any, rng: Rng, n: int) -> Column:
    moment = row.completed_at + draw_reversal_delays(rng, row.status)
    return np.where(row.status.is_(*REVERSED_STATUSES), moment, NULL_MOMENT)


def _draw_trade_id(row: Any, rng: Rng, n: int) -> Column:
    return np.where(row.type.is_("trade"), random_uuids(rng, n), np.void(NIL_UUID))


def _draw_failure_code(row: Any, rng: Rng, n: int) -> Column:
    real = choose(
        row.type.is_("iap_purchase"),
        pick(dist.FAILURE_CODES, strata(rng, n)),
        constant("insufficient_funds", n),
    )
    return choose(row.status.is_("failed"), real, constant(None, n))


class TransactionFactory(GameFactory):
    """Build lines of the ledger; by default a purchase for real money by a new user."""

    class Meta:
        model = Transaction

    class Params:
        wallet = Draw(lambda row, rng, n: np.where(row.bonus > 0, 1.0, rng.random(n)))  # low: GEM, high: GLD
        spends_gems = True  # a dataset gives it to payers: others have few GEM to spend
        bonus = 0  # what a reward pays, where it is not drawn
        unit_price = Draw(_draw_unit_price)
        failed = factory.Trait(status="failed")
        pending = factory.Trait(status="pending")
        store_purchase = factory.Trait(type="store_purchase")
        loot_drop = factory.Trait(type="loot_drop")
        reward = factory.Trait(type="reward", item=None)
        gift = factory.Trait(type="gift")
        trade = factory.Trait(type="trade")

    user_id = None
    user: Any = factory.Maybe("user_id", no_declaration=Parent(UserFactory))
    item_id = None
    item: Any = factory.Maybe("item_id", no_declaration=Parent(ItemFactory, **LONE_ITEM))
    counterparty_user_id = None
    counterparty: Any = factory.Maybe(
        "counterparty_user_id",
        no_declaration=factory.Maybe(
            factory.LazyAttribute(lambda row: row.type in ("trade", "gift")), Parent(UserFactory)
        ),
    )
    type = "iap_purchase"
    status: Any = "completed"
    quantity: Any = 1
    currency = Draw(_draw_currency)
    amount_minor = Draw(_draw_amount_minor)
    amount_usd_cents = Draw(
        lambda row, rng, n: np.where(row.type.is_("iap_purchase"), row.unit_price * row.quantity, NULL)
    )
    soft_delta: Any = Draw(_draw_soft_delta)
    hard_delta = Draw(_draw_hard_delta)
    payment_provider = _for_real_money(
        lambda row, rng, n: pick_by(row.platform, dist.PAYMENT_PROVIDERS, rng.random(n), {"stripe": 1})
    )
    payment_method = _for_real_money(_draw_payment_method)
    provider_transaction_id = Draw(_draw_provider_transaction_id)
    idempotency_key = Draw(lambda row, rng, n: random_hex(rng, n))
    failure_code = Draw(_draw_failure_code)
    refund_of = None
    refund_reason: Any = None
    trade_id = Draw(_draw_trade_id)
    environment = "production"
    platform = Draw(lambda row, rng, n: row.user.platform)
    country_code = Draw(lambda row, rng, n: row.user.country_code)
    created_at = Draw(lambda row, rng, n: row.user.created_at + seconds(rng.uniform(120, 3600, n)))
    completed_at = Draw(_draw_completed_at)
    refunded_at = Draw(_draw_refunded_at)


def _draw_refund_reason(row: Any, rng: Rng, n: int) -> Column:
    reasons = pick(dist.REFUND_REASONS, strata(rng, n))
    return choose(row.type.is_("chargeback"), constant("chargeback", n), reasons)


def _same(other: str, field: str) -> Draw:
    """Take a field over from the row that this one answers."""
    return Draw(lambda row, rng, n: getattr(getattr(row, other), field))


class SellerLegFactory(TransactionFactory):
    """Build the other leg of a trade: `bought` is the buyer's leg."""

    class Meta:
        model = Transaction
        exclude = ("bought",)

    bought = factory.SubFactory(TransactionFactory, trade=True)
    user = factory.SelfAttribute("bought.counterparty")
    counterparty = factory.SelfAttribute("bought.user")
    item = factory.SelfAttribute("bought.item")
    type = "trade"
    status = _same("bought", "status")
    quantity = _same("bought", "quantity")
    currency = _same("bought", "currency")
    amount_minor = _same("bought", "amount_minor")
    soft_delta = Draw(lambda row, rng, n: -row.bought.soft_delta)
    trade_id = _same("bought", "trade_id")
    created_at = _same("bought", "created_at")


class RefundFactory(TransactionFactory):
    """Build rows that take a purchase back: `refunded` is the purchase, the amounts mirror it."""

    class Meta:
        model = Transaction

    refunded = factory.SubFactory(TransactionFactory, status="refunded")
    user = factory.SelfAttribute("refunded.user")
    item = factory.SelfAttribute("refunded.item")
    type = "refund"
    quantity = _same("refunded", "quantity")
    currency = _same("refunded", "currency")
    amount_minor = Draw(lambda row, rng, n: -row.refunded.amount_minor)
    amount_usd_cents = Draw(lambda row, rng, n: -row.refunded.amount_usd_cents)
    soft_delta = 0
    hard_delta = Draw(lambda row, rng, n: -row.refunded.hard_delta)
    payment_provider = _same("refunded", "payment_provider")
    payment_method = _same("refunded", "payment_method")
    refund_reason = Draw(_draw_refund_reason)
    platform = _same("refunded", "platform")
    country_code = _same("refunded", "country_code")
    created_at = _same("refunded", "refunded_at")
    completed_at = _same("refunded", "refunded_at")


def answering(answer: Any, factory: Any) -> Any:
    """Return a factory of answers that keeps what a user's own factory changes."""
    declared = declarations_of(factory)
    fields = (changed_fields(factory) & set(declarations_of(answer))) - set(vars(answer))
    if not fields:
        return answer
    body = {name: declared[name] for name in fields}
    meta = type("Meta", (), {"model": model_of(factory), "exclude": excluded_by(answer)})
    return type(answer)(answer.__name__, (answer,), {**body, "Meta": meta, "__module__": factory.__module__})
