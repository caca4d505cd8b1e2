"""Factory of users: their accounts, and the params that decide what each is going to do."""

from __future__ import annotations

from typing import Any

import factory
import numpy as np
from numpy.typing import NDArray

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.categorical import constant
from pytest_gamedata.columns.combine import choose
from pytest_gamedata.columns.conversion import NULL_MOMENT, Column, is_null, pack_text
from pytest_gamedata.columns.local_time import moments_in_day, seconds
from pytest_gamedata.columns.sampling import (
    Rng,
    low_discrepancy,
    negative_binomial_at,
    normal,
    pick,
    pick_by,
    session_counts,
    strata,
    systematic_sample,
)
from pytest_gamedata.distributions import ROLES
from pytest_gamedata.factories.base import GameFactory
from pytest_gamedata.factories.draw import Draw, Settled, of_spec
from pytest_gamedata.models import User
from pytest_gamedata.words.names import display_names
from pytest_gamedata.words.usernames import HANDLE_STEMS, handles

EARLY = Draw(lambda row, rng, n: rng.uniform(*dist.EARLY_SIGNUPS, n))  # long enough ago to have a story
FIRST = Draw(lambda row, rng, n: rng.uniform(*dist.CHURNED_SIGNUPS, n))
HIGHEST_TIER = Draw(lambda row, rng, n: np.full(n, _preset(row).price_tier_max))
NEVER_QUITS = 10_000  # days, beyond any window
ALIVE = {"status": "active", "quit_after_days": NEVER_QUITS}


def _draw_created_at(row: Any, rng: Rng, n: int) -> Column:
    since, latest = row.since, row.until - np.timedelta64(60, "s")
    window = (row.until - since).astype(np.int64)
    day = (since + (row.signup * window).astype("timedelta64[us]")).astype("datetime64[D]")
    start = np.maximum(day.astype("datetime64[us]"), since)
    # the first of so many sessions at the hours that players keep
    quantiles = 1 - (1 - rng.random(n)) ** (1 / row.first_day_sessions)
    moment = moments_in_day(quantiles, start, row.timezone)
    left = np.maximum((latest - start).astype(np.int64), 0)
    before_the_end = np.minimum(start, latest) + (rng.random(n) * left).astype("timedelta64[us]")
    return np.where(moment > latest, before_the_end, moment)


def _draw_username(row: Any, rng: Rng, n: int) -> Column:
    return handles(row.number, np.where(row.shifts_names, rng.integers(0, HANDLE_STEMS), 0), rng)


def _draw_email(row: Any, rng: Rng, n: int) -> Column:
    domains = np.array(list(dist.EMAIL_DOMAINS), dtype=np.bytes_)[
        pick(dist.EMAIL_DOMAINS, rng.random(n)).codes
    ]
    addresses = np.strings.add(np.strings.add(np.strings.lower(pack_text(row.username)), b"@"), domains)
    shares = row.signup_provider.is_("device") & (rng.random(n) >= dist.DEVICE_ACCOUNT_EMAIL_SHARE)
    return np.where(shares, b"", addresses)


def _draw_email_verified_at(row: Any, rng: Rng, n: int) -> Column:
    confirmed = ~row.signup_provider.is_("password", "device") | (strata(rng, n) < dist.EMAIL_VERIFIED_SHARE)
    confirmed |= row.mfa_user | row.taken_over  # who gets a code or a new password by mail
    moment = row.created_at + seconds(rng.uniform(*dist.VERIFICATION_SECONDS, n))
    verified = confirmed & ~is_null(row.email) & (moment < row.until)
    return np.where(verified, moment, NULL_MOMENT)


def _quota(row: Any, expected: float) -> int:
    """Round an expected number of users; at random for a user built alone, who is one of so many by chance."""
    return round(expected + float(np.ravel(row.rounding)[0]))


def _draw_mfa_enabled(row: Any, rng: Rng, n: int) -> Column:
    """Draw who has a second factor: of those with a verified address, so that the share of all is met."""
    able = ~row.signup_provider.is_("device") & ~np.isnat(row.email_verified_at)
    likely = np.where(row.payer, dist.MFA_PAYER_FACTOR, 1.0)
    able &= ~np.any([getattr(row, role) for role in ROLES], axis=0)
    wanted = _quota(row, dist.MFA_SHARE * likely.sum()) - int(row.mfa_user.sum())
    enabled = np.zeros(n, dtype=np.bool_)
    enabled[systematic_sample(rng, likely * able, max(0, min(wanted, int(able.sum()))))] = True
    return enabled


def _draw_status(row: Any, rng: Rng, n: int) -> Column:
    statuses = pick(dist.STATUSES, strata(rng, n))
    too_young = row.created_at > row.until - np.timedelta64(86_400, "s")
    return choose(row.always_active | too_young | row.payer, constant("active", n), statuses)


def _draw_ended_at(row: Any, rng: Rng, n: int) -> Column:
    left = np.maximum((row.until - row.created_at).astype(np.int64), 0)
    moment = row.created_at + (rng.uniform(*dist.ENDED_PART, n) * left).astype("timedelta64[us]")
    never = np.datetime64(dist.FOR_EVER, "us")
    ended = np.where(row.status.is_("deleted", "banned", "suspended"), moment, never)
    silence = np.minimum(
        left * dist.ENDED_PART[0], rng.uniform(*dist.LOCKED_SILENCE_HOURS, n) * 3600e6
    ).astype(np.int64)
    return np.where(row.status.is_("locked"), row.until - silence.astype("timedelta64[us]"), ended)


def _draw_banned_until(row: Any, rng: Rng, n: int) -> Column:
    days = np.where(row.status.is_("banned"), dist.BAN_DAYS, dist.SUSPENSION_DAYS)
    moment = row.until + days.astype("timedelta64[D]")
    return np.where(row.status.is_("banned", "suspended"), moment, NULL_MOMENT)


def _draw_last_login_at(row: Any, rng: Rng, n: int) -> Column:
    moment = row.created_at + seconds(row.playtime_seconds + rng.uniform(60, 600, n))
    return np.maximum(np.minimum(moment, np.minimum(row.until, row.ended_at)), row.created_at)


def _preset(row: Any) -> dist.Preset:
    return dist.PRESETS[row.preset.categories[0]]


def _draw_payer(row: Any, rng: Rng, n: int) -> Column:
    """Choose who ever pays: so many that the share is met, the cast's among them, by platform and country."""
    cast = row.whale | row.one_time_buyer | row.refunded | row.charged_back
    likely = row.platform.weigh(dist.PAYERS_BY_PLATFORM) * row.country_code.weigh(dist.PAYERS_BY_COUNTRY)
    payer = np.zeros(n, dtype=np.bool_)
    wanted = max(0, _quota(row, n * _preset(row).payer_share) - int(cast.sum()))
    payer[systematic_sample(rng, np.where(cast, 0.0, likely), wanted)] = True
    return payer


def _draw_appetite(row: Any, rng: Rng, n: int) -> Column:
    """Draw each payer's quantile among the payers; the whale's is the highest."""
    payers = np.flatnonzero(row.payer & ~(row.one_time_buyer | row.refunded | row.charged_back))
    appetite = np.zeros(n)
    # by sign-up, so that those with a month behind them show the same law as all
    appetite[payers[np.argsort(row.signup[payers], kind="stable")]] = low_discrepancy(rng, len(payers))
    for whale in np.flatnonzero(row.whale):
        highest = np.argmax(appetite)
        appetite[[whale, highest]] = appetite[[highest, whale]]
    return appetite


def _draw_price_tier(row: Any, rng: Rng, n: int) -> Column:
    """Draw how dear a payer's purchases are: dearer, the more there are of them."""
    rho = _preset(row).count_price_correlation
    tier = rho * normal(row.appetite) + np.sqrt(1 - rho * rho) * normal(strata(rng, n))
    return np.minimum(tier, _preset(row).price_tier_max)


def _draw_many_purchases(row: Any, rng: Rng, n: int) -> Column:
    return np.maximum(_draw_planned_purchases(row, rng, n), dist.WHALE_PURCHASES_MIN)


def _draw_planned_purchases(row: Any, rng: Rng, n: int) -> NDArray[np.int64]:
    extra = negative_binomial_at(row.appetite, _preset(row).purchases_dispersion, dist.PURCHASES_EXTRA_MEAN)
    return np.where(row.payer, 1 + extra, 0)


def _draw_playtime(row: Any, rng: Rng, n: int) -> Column:
    log = rng.normal(*dist.LONE_PLAYTIME_LOG, n) + dist.PLAYTIME_ENGAGEMENT * row.engagement
    return np.exp(log).astype(np.int64) + 60


def _count_of(weights: dist.Weights) -> Draw:
    values = np.array([int(value) for value in weights])
    return Draw(lambda row, rng, n: values[pick(weights, strata(rng, n)).codes])


def level_of(playtime: Any) -> Any:
    """Return the level that this many seconds of play reach (LEVEL_EXPONENT)."""
    level = (playtime / dist.SECONDS_PER_LEVEL_UNIT) ** (1 / dist.LEVEL_EXPONENT)
    return np.clip(level.astype(np.int64), 1, dist.LEVEL_CAP)


def xp_of(playtime: Any) -> Any:
    """Return the experience that this many seconds of play give."""
    return playtime * dist.XP_PER_SECOND


def _role(name: str, **declared: Any) -> Any:
    """Declare a role of the cast: a user who signed up early and plays, unless declared otherwise."""
    return factory.Trait(**{"signup": EARLY, "engagement": dist.ROLE_ENGAGEMENT[name], **ALIVE, **declared})


class UserFactory(GameFactory):
    """Build players. Traits are the roles of the cast: ``UserFactory(banned=True)``."""

    class Meta:
        model = User

    class Params:
        number = factory.Sequence(lambda number: number)
        always_active = True  # unless a trait says otherwise; in a dataset, some accounts end
        shifts_names = False  # each dataset begins with other names; users built alone share one order
        rounding = Draw(lambda row, rng, n: rng.random(n) - 0.5)  # of quotas: a dataset adds nothing
        since = of_spec(lambda spec: spec.since)
        until = of_spec(lambda spec: spec.until)
        preset = of_spec(lambda spec: spec.preset)
        hashed = of_spec(lambda spec: spec.password_hash)
        signup = Draw(lambda row, rng, n: strata(rng, n))
        first_day_sessions = Draw(lambda row, rng, n: session_counts(rng, n))
        engagement = Draw(lambda row, rng, n: normal(strata(rng, n)))
        payer = Draw(_draw_payer)
        appetite = Draw(_draw_appetite)
        price_tier = Draw(_draw_price_tier)
        planned_purchases = Draw(_draw_planned_purchases)
        quit_after_days = NEVER_QUITS
        ended_at = Draw(_draw_ended_at)
        devices = _count_of(dist.DEVICES)
        addresses = _count_of(dist.IPS)
        # the roles of the cast
        whale = _role(
            "whale",
            platform="ios",
            payer=True,
            price_tier=HIGHEST_TIER,
            planned_purchases=Draw(_draw_many_purchases),
        )
        free_player = _role("free_player", payer=False, planned_purchases=0)
        newcomer = factory.Trait(signup=dist.NEWCOMER_SIGNUP, payer=False, planned_purchases=0, **ALIVE)
        churned = _role(
            "churned", signup=FIRST, payer=False, planned_purchases=0, quit_after_days=dist.CHURNED_AFTER_DAYS
        )
        one_time_buyer = _role("one_time_buyer", payer=True, price_tier=0.0, planned_purchases=1)
        banned = _role("banned", payer=False, planned_purchases=0, status="banned")
        locked = _role(
            "locked", payer=False, planned_purchases=0, signup_provider="password", status="locked"
        )
        deleted = _role("deleted", payer=False, planned_purchases=0, status="deleted")
        refunded = _role("refunded", payer=True, planned_purchases=3)
        charged_back = _role("charged_back", payer=True, planned_purchases=3)
        trader = _role("trader", payer=False, planned_purchases=0)
        gifter = _role("gifter", payer=False, planned_purchases=0)
        mfa_user = _role("mfa_user", signup_provider="password", mfa_enabled=True)
        attacked = _role("attacked", signup_provider="password", mfa_enabled=False)
        taken_over = _role("taken_over", signup_provider="password", mfa_enabled=False)
        failed_payer = _role("failed_payer", payer=False, planned_purchases=0)
        multi_device = _role("multi_device", signup_provider="password", devices=3)
        unverified = _role("unverified", signup_provider="password", email_verified_at=None)

    country_code = Draw(lambda row, rng, n: pick(dist.COUNTRIES, strata(rng, n)))
    locale = Draw(lambda row, rng, n: row.country_code.rename(dist.LOCALES, "en"))
    timezone = Draw(lambda row, rng, n: pick_by(row.country_code, dist.TIMEZONES, rng.random(n), {"UTC": 1}))
    platform = Draw(lambda row, rng, n: pick(dist.PLATFORMS, strata(rng, n)))
    signup_provider = Draw(
        lambda row, rng, n: pick_by(row.platform, dist.SIGNUP_PROVIDERS, rng.random(n), {"password": 1})
    )
    username = Draw(_draw_username)
    display_name = Draw(lambda row, rng, n: display_names(row.locale, *rng.random((n, 2)).T))
    created_at = Draw(_draw_created_at)
    email = Draw(_draw_email)
    email_verified_at = Draw(_draw_email_verified_at)
    password_hash = Draw(
        lambda row, rng, n: choose(row.signup_provider.is_("password"), row.hashed, constant(None, n))
    )
    mfa_enabled = Draw(_draw_mfa_enabled)
    playtime_seconds = Settled(_draw_playtime)
    level = Settled(lambda row, rng, n: level_of(row.playtime_seconds))
    xp = Settled(lambda row, rng, n: xp_of(row.playtime_seconds))
    # what other rows say of a user: nothing yet, until they are there
    soft_balance = 0
    hard_balance = 0
    lifetime_spend_usd_cents = 0
    failed_login_count = 0
    locked_until = Draw(
        lambda row, rng, n: np.where(
            row.status.is_("locked"),
            row.until + np.timedelta64(dist.LOCKED_BEYOND_HOURS, "h"),
            NULL_MOMENT,
        )
    )
    banned_until = Draw(_draw_banned_until)
    status = Draw(_draw_status)
    deleted_at = Draw(lambda row, rng, n: np.where(row.status.is_("deleted"), row.ended_at, NULL_MOMENT))
    last_login_at = Settled(_draw_last_login_at)
    updated_at = Settled(lambda row, rng, n: row.last_login_at)
