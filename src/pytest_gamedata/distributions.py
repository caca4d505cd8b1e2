"""Every constant, weight, rate and price of the dataset, each with its unit and its source.

Sources are the ids of the project's list of published figures (GameAnalytics S2, Swrve S13-S16, ...).
"J" marks a judgement: nothing is published and the number is ours. "own choice" marks what has no right value.
Weights need not sum to one.
"""

from __future__ import annotations

from typing import NamedTuple

Weights = dict[str, float]


class Preset(NamedTuple):
    """The dials in which published games differ; shares are of 1."""

    day1_retention: float  # share of users active on day 1
    retention_exponent: float  # r(n) = day1_retention * n ** exponent
    payer_share: float  # users who ever pay
    attack_share: float  # login attempts that belong to an attack
    # what makes spending concentrated; fitted to the published shares of the top payers
    purchases_dispersion: float = 0.355  # r of a payer's purchases, 1 + NegBin(r, mean): CDNOW's fit (X2)
    price_tier_correlation: float = 0.75  # how alike the prices of a payer's purchases are (recipe)
    count_price_correlation: float = 0.35  # players who buy more buy dearer (recipe)
    price_tier_max: float = 2.3  # sigmas: nobody buys dearer than the cast's whale (fitted)


PRESETS = {
    "median": Preset(0.22, -0.93, 0.01, 0.06, 0.355, 0.5, 0.0),  # S1, S11, S14, S67; spending fitted to S14
    "top_quartile": Preset(0.27, -0.65, 0.02, 0.20),  # S2, S16, S67
    "hit": Preset(0.445, -0.45, 0.03, 0.20, count_price_correlation=0.55),  # X1; payers J, spending fitted
    "whale_heavy": Preset(0.27, -0.65, 0.02, 0.34, 0.30, 0.98, 0.98, 3.3),  # S19, S68; spending fitted
}

# --- users ---------------------------------------------------------------------------------------

# Share of users in %, a mix of mobile downloads and Steam owners (S38, S54, S55).
COUNTRIES: Weights = {
    "IN": 17.0, "US": 14.5, "BR": 9.0, "RU": 7.0, "ID": 6.5, "CN": 5.5, "MX": 4.5, "DE": 4.0, "GB": 3.8,
    "EG": 3.6, "TR": 3.2, "FR": 3.0, "AR": 2.8, "JP": 2.8, "PL": 2.2, "CA": 2.2, "PH": 2.0, "KR": 1.8,
    "ES": 1.7, "IT": 1.6, "AU": 1.3,
}  # fmt: skip

# BCP 47 locale of a country's players (follows the country; not asserted).
LOCALES = {
    "IN": "en-IN", "US": "en-US", "BR": "pt-BR", "RU": "ru-RU", "ID": "id-ID", "CN": "zh-CN", "MX": "es-MX",
    "DE": "de-DE", "GB": "en-GB", "EG": "ar-EG", "TR": "tr-TR", "FR": "fr-FR", "AR": "es-AR", "JP": "ja-JP",
    "PL": "pl-PL", "CA": "en-CA", "PH": "fil-PH", "KR": "ko-KR", "ES": "es-ES", "IT": "it-IT", "AU": "en-AU",
}  # fmt: skip

# IANA zones of a country with their share of its people, rounded (own choice where a country has several).
TIMEZONES: dict[str, Weights] = {
    "IN": {"Asia/Kolkata": 1},
    "US": {"America/New_York": 47, "America/Chicago": 29, "America/Denver": 7, "America/Los_Angeles": 17},
    "BR": {"America/Sao_Paulo": 93, "America/Manaus": 7},
    "RU": {"Europe/Moscow": 65, "Asia/Yekaterinburg": 17, "Asia/Novosibirsk": 12, "Asia/Vladivostok": 6},
    "ID": {"Asia/Jakarta": 81, "Asia/Makassar": 19},
    "CN": {"Asia/Shanghai": 1},
    "MX": {"America/Mexico_City": 1},
    "DE": {"Europe/Berlin": 1},
    "GB": {"Europe/London": 1},
    "EG": {"Africa/Cairo": 1},
    "TR": {"Europe/Istanbul": 1},
    "FR": {"Europe/Paris": 1},
    "AR": {"America/Argentina/Buenos_Aires": 1},
    "JP": {"Asia/Tokyo": 1},
    "PL": {"Europe/Warsaw": 1},
    "CA": {"America/Toronto": 70, "America/Vancouver": 30},
    "PH": {"Asia/Manila": 1},
    "KR": {"Asia/Seoul": 1},
    "ES": {"Europe/Madrid": 1},
    "IT": {"Europe/Rome": 1},
    "AU": {"Australia/Sydney": 80, "Australia/Perth": 20},
}

# Share of users in %. Mobile dominates downloads, Android nine to one (S38); consoles are J.
PLATFORMS: Weights = {
    "android": 58, "ios": 16, "windows": 15, "playstation": 3, "xbox": 2.5, "switch": 2.5, "web": 1.5,
    "macos": 1, "linux": 0.5,
}  # fmt: skip

# How accounts are opened on a platform, in % (J).
SIGNUP_PROVIDERS: dict[str, Weights] = {
    "android": {"google": 38, "device": 22, "password": 30, "facebook": 10},
    "ios": {"apple": 40, "device": 18, "password": 32, "facebook": 10},
    "windows": {"steam": 52, "password": 40, "google": 8},
    "macos": {"apple": 25, "steam": 30, "password": 45},
    "linux": {"steam": 60, "password": 40},
    "playstation": {"psn": 85, "password": 15},
    "xbox": {"xbox": 85, "password": 15},
    "switch": {"nintendo": 85, "password": 15},
    "web": {"password": 60, "google": 30, "facebook": 10},
}

# Reserved names only: RFC 2606 and RFC 6761.
EMAIL_DOMAINS: Weights = {
    "example.com": 40, "example.net": 20, "example.org": 15, "mail.example.com": 15, "players.test": 10,
}  # fmt: skip
DEVICE_ACCOUNT_EMAIL_SHARE = 0.15  # device accounts that added an e-mail address (J)
EMAIL_VERIFIED_SHARE = 0.70  # password and device accounts that confirmed their address (J)
VERIFICATION_SECONDS = (20, 1800)  # from sign-up to the verified address, lowest and highest (own choice)
MFA_SHARE = 0.05  # of users (J; S80 says 2.3 % of Twitter's)
MFA_PAYER_FACTOR = 3  # payers switch it on this many times as often (J)

# Accounts that ended other than by leaving, in % of users (J).
STATUSES: Weights = {"active": 96.6, "deleted": 1.6, "banned": 1.0, "suspended": 0.8}

ENDED_PART = (0.3, 0.9)  # of the time from sign-up to the window's end, when an account ends (own choice)
SUSPENSION_DAYS = 30  # beyond the window's end, so that it still holds (own choice)
BAN_DAYS = 3650  # ten years: as good as for ever (own choice)

# The cast (all own choice). Sign-ups are parts of the window.
EARLY_SIGNUPS = (0.05, 0.30)
CHURNED_SIGNUPS, CHURNED_AFTER_DAYS = (0.02, 0.12), 5
NEWCOMER_SIGNUP = 0.9999
# In order of precedence: a dataset of five users has the first five. Each with its engagement, in sigmas above the
# middling user: enough days for a story. None is drawn as for everybody.
ROLE_ENGAGEMENT: dict[str, float | None] = {
    "whale": 2.0, "free_player": 2.5, "newcomer": None, "churned": 2.5, "one_time_buyer": 1.0, "banned": 2.5,
    "locked": 1.0, "deleted": 1.0, "refunded": 1.0, "charged_back": 1.0, "trader": 1.8, "gifter": 1.8,
    "mfa_user": 1.8, "attacked": 1.0, "taken_over": 1.0, "failed_payer": 1.0, "multi_device": 1.8, "unverified": 1.0,
}  # fmt: skip
ROLES = tuple(ROLE_ENGAGEMENT)
LOCKED_SILENCE_HOURS = (6, 12)  # before the window's end, in which the locked user fails to get in
LOCKED_BEYOND_HOURS = 12  # after the window's end, so that the lock still holds
LONE_PLAYTIME_LOG = (7.5, 1.5)  # mean and sigma of ln seconds, of a user built alone

# A visibly fake argon2id string; argon2 verifies PASSWORD against it.
PASSWORD = "correct-horse-battery-staple"  # noqa: S105 - a password for test accounts, published on purpose
PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$Z2FtZWRhdGEtbm90LXNlY3JldA$R9mzdfrVmlAJgD7PgI6/aW2JBmK3y2Tp"  # noqa: S105

# --- activity ------------------------------------------------------------------------------------

ENGAGEMENT_CORRELATION = 0.75  # how strongly a user's active days cluster (recipe of the trial)
PAYER_RETENTION = (0.54, -0.19)  # payers' own curve a * n ** b: gives 10 % payers on day 7 (S11)
PAYER_RETENTION_MAX = 0.98  # share of payers on a day, at most (own choice)
WEEKEND_UPLIFT = 1.18  # weekend over weekday activity (J within S52, S53)
SESSIONS_PER_ACTIVE_DAY = 4.0  # mean, at least one (S2)
SESSIONS_DISPERSION = 3.0  # r of the negative binomial of the sessions beyond the first (recipe)
SESSION_MINUTES = 9.0  # mean of a user of middling engagement, in the top quartile of games (S2)
SESSION_WEIBULL_SHAPE = 0.6  # k (S10: 0.5 to 0.7)
SHORTEST_SESSION_SECONDS = 20  # own choice
REGISTRATION_SECONDS = 2  # from the registration to the first login (own choice)
PLAYTIME_ENGAGEMENT = 1.2  # playtime grows with exp(this * engagement) (recipe)
SECONDS_PER_LEVEL_UNIT = 60.0  # playtime of level n is this * n ** LEVEL_EXPONENT seconds (own choice)
LEVEL_EXPONENT = 1.8  # S60
XP_PER_SECOND = 2  # own choice
LEVEL_CAP = 100  # own choice

# Share of sessions by local hour 0h..23h, in % (S46-S48 at four points, between them J).
HOURS = (
    2.8, 2.1, 1.7, 1.4, 1.3, 1.5, 2.0, 2.8, 3.5, 4.1, 4.5, 4.9,
    5.1, 5.2, 5.3, 5.3, 5.3, 5.6, 6.0, 6.5, 6.7, 6.5, 5.5, 4.4,
)  # fmt: skip

# --- items ---------------------------------------------------------------------------------------

# Catalogue by rarity, in % of all items (J).
RARITIES: Weights = {"common": 45, "uncommon": 27, "rare": 16, "epic": 9, "legendary": 3}
DROP_SHARES = {"common": 79.92, "uncommon": 15.98, "rare": 3.20, "epic": 0.64, "legendary": 0.26}  # S40
RARITY_PRICE_FACTOR = {"common": 0.6, "uncommon": 1.0, "rare": 1.5, "epic": 1.9, "legendary": 2.5}  # S42
BASE_PRICE_HARD = 80  # GEM, an uncommon item (own choice, a tenth of S42's scale)
BASE_PRICE_SOFT = 150  # GLD, an uncommon item (own choice)
WORTH_SPREAD = 0.2  # of prices and strengths around the middle of their rarity (own choice)
BASE_POWER, BASE_HEALTH = 40, 500  # points of an uncommon item (own choice)
REQUIRED_LEVELS = {"common": 1, "uncommon": 3, "rare": 6, "epic": 10, "legendary": 15}  # own choice
REQUIRED_LEVEL_SPREAD = 3  # levels that a rarity's items may require, from that one on (own choice)
STACK_SIZES = {"common": 99, "uncommon": 50, "rare": 20, "epic": 10, "legendary": 5}  # pieces (own choice)
LOOT_BOX_ROLLS = {"common": 1, "uncommon": 2, "rare": 3, "epic": 4, "legendary": 5}  # own choice
SEASON_MAX, SEASON_DAYS, PASS_TIERS, MEMBERSHIP_DAYS = 12, 60, 100, 30  # own choice
SEASONAL_SHARE = 0.2  # of cosmetics and loot boxes, tagged by a season of the year (own choice)
NEW_DAYS = 60  # before the window: what has come since is tagged as new (own choice)

# Catalogue by type, in % (J). Types sold for real money are a fixed list: PRICE_POINTS.
ITEM_TYPES: Weights = {"cosmetic": 40, "equipment": 27, "consumable": 20, "character": 8, "loot_box": 5}

# US cents -> share of purchases in %; meets Swrve's units and revenue by bucket (S13-S16, derived).
PRICE_POINTS: dict[int, float] = {
    99: 20, 199: 9, 299: 8, 499: 18, 999: 22, 1499: 14, 1999: 4.5, 2999: 1.9, 4999: 1.4, 9999: 1.2,
}  # fmt: skip
# What is sold at a price point: item type and name. Currency packs grant GEM.
PRICE_POINT_ITEMS = {
    99: ("currency_pack", "Pouch of Gems"),
    199: ("bundle", "Starter Bundle"),
    299: ("bundle", "Traveller's Bundle"),
    499: ("currency_pack", "Sack of Gems"),
    999: ("battle_pass", "Season Pass"),
    1499: ("subscription", "Guild Membership"),
    1999: ("currency_pack", "Chest of Gems"),
    2999: ("bundle", "Champion Bundle"),
    4999: ("currency_pack", "Vault of Gems"),
    9999: ("currency_pack", "Dragon's Hoard of Gems"),
}
# What else is sold at a price point, for those who still have the first: see LASTING_DAYS (own choice).
SECOND_ITEMS = {
    999: ("currency_pack", "Crate of Gems"),
    1499: ("currency_pack", "Coffer of Gems"),
    199: ("currency_pack", "Handful of Gems"),
}
# US cents -> days after which it makes sense to buy the first item there again: a bundle to start with never does.
LASTING_DAYS = {999: SEASON_DAYS, 1499: MEMBERSHIP_DAYS, 199: 36_500}
ITEMS_PER_PRICED = 4  # of a small catalogue, one item in so many has a price point (own choice)
# Which price points a small catalogue has: a usual one, a dear one for the whale, the cheapest ... (own choice).
PRICE_POINT_ORDER = (999, 4999, 99, 499, 1499, 1999, 199, 299, 2999, 9999)
GEMS_PER_USD_CENT = 1.0  # in the smallest pack (own choice); a larger pack gives more, see below
PACK_BONUS_MAX = 0.36  # of a pack: the largest's price per GEM is 26 % below the smallest's (S43)
BUNDLE_GEM_SHARE = 0.4  # GEM in a bundle, pass or membership, of what a pack of that price holds (own choice)
FOR_EVER = "2100-01-01"  # end of sale of what is never retired: PostgreSQL's infinity has no Python value
TRADABLE_SHARE = 0.45  # of equipment, cosmetics and consumables (J)
LIMITED_SHARE = 0.08  # of epic and legendary items (J)
LIMITED_LOT, LIMITED_LOTS_MAX = 500, 20  # pieces of a limited item: so many lots at most (own choice)
RETIRED_SHARE = 0.05  # of items sold for wallet currency, retired before the window's end (J)
RETIRED_AT = (0.3, 0.9)  # parts of the window after which they are, lowest and highest (own choice)
CREATED_DAYS = (30, 400)  # before the window, when items were made, lowest and highest (own choice)
ON_SALE_DAYS = (1, 20)  # later, when their sale began, lowest and highest (own choice)

# --- transactions --------------------------------------------------------------------------------

PURCHASES_EXTRA_MEAN = 1.96  # purchases of a payer beyond the first (X2, meets S13-S16)
WHALE_PURCHASES_MIN = 15  # of the cast's whale, at whatever size (own choice)
WHALE_SPEND_MIN = 10_000  # US cents, which the cast's whale exceeds, at whatever size (own choice)
# How likely a player ever pays, by platform and country; 1 for the others. Meets S38: revenue per user on iOS
# is a multiple of Android's, the US and Japan bring in more than their share (fitted).
PAYERS_BY_PLATFORM: Weights = {
    "ios": 8, "windows": 2.5, "macos": 2.5, "playstation": 2.5, "xbox": 2.5, "switch": 2.5,
}  # fmt: skip
PAYERS_BY_COUNTRY: Weights = {
    "JP": 6, "US": 2, "KR": 2, "CN": 1.5, "DE": 1.5, "GB": 1.5, "FR": 1.5, "CA": 1.5, "AU": 1.5,
    "BR": 0.5, "RU": 0.5, "MX": 0.5, "TR": 0.5, "AR": 0.5, "IN": 0.3, "ID": 0.3, "EG": 0.3, "PH": 0.3,
}  # fmt: skip
FIRST_SESSION_PURCHASE_SHARE = 0.02  # of payers; with those later that day it gives 30 % on day 0 (S18)
FIRST_PURCHASE_SKEW = 1.2  # the first comes at quantile u ** this of a payer's sessions (fitted: S18)
PURCHASE_DELAY_SHARE = 0.7  # of purchases that wait for the day's next session, if late (fitted: S51)
LATE_HOUR = 15  # from which on, local time, people buy most (S51)
NEXT_PURCHASE_SKEW = 10.0  # later ones at u ** this of the sessions after the first (fitted: S13, S23)
PENDING_SHARE = 0.01  # of purchase attempts, left open (J)
FAILED_PAYMENT_SHARE = 0.10  # of purchase attempts (S32-S34)
REFUND_SHARE = 0.03  # of purchases (J, S28, S29)
CHARGEBACK_SHARE = 0.006  # of purchases (S31)
REFUND_DELAY_DAYS = 3.0  # mean (J)
CHARGEBACK_DELAY_DAYS = 14.0  # mean (J)
# The cast's purchases are taken back after this part of the time left, and so many mean delays at most (own choice).
SURE_DELAY_SHARE, SURE_DELAY_MEANS = 0.4, 2
ATTEMPT_SECONDS = (10, 60)  # from an attempt to the purchase, lowest and highest (own choice)
PAYMENT_SECONDS = (1, 8)  # that a payment takes, lowest and highest (own choice)
# In % (J).
FAILURE_CODES: Weights = {
    "insufficient_funds": 40, "do_not_honor": 20, "user_cancelled": 15, "expired_card": 10,
    "authentication_failed": 7, "provider_error": 5, "fraud_suspected": 3,
}  # fmt: skip
# In % (values S30, shares J).
REFUND_REASONS: Weights = {
    "remorse": 35, "accidental_purchase": 30, "not_received": 10, "defective": 8, "friendly_fraud": 7, "other": 6,
    "fraud": 4,
}  # fmt: skip
# Who takes the money lets people pay in these ways, in % (J). Over all payers it gives card 46, wallet 27,
# gift card 12, carrier 7, store credit 5, bank 3 (S35-S37).
PAYMENT_METHODS: dict[str, Weights] = {
    "apple": {"card": 54, "wallet": 24, "gift_card": 15, "store_credit": 7},
    "google": {"card": 36, "wallet": 22, "gift_card": 11, "carrier": 26, "store_credit": 5},
    "steam": {"card": 45, "wallet": 25, "gift_card": 10, "store_credit": 9, "bank": 11},
    "xsolla": {"card": 45, "wallet": 25, "gift_card": 5, "carrier": 9, "bank": 16},
    "stripe": {"card": 70, "wallet": 25, "bank": 5},
    "paypal": {"wallet": 100},
}
# Who takes the money on a platform, in % (J).
PAYMENT_PROVIDERS: dict[str, Weights] = {
    "android": {"google": 1}, "ios": {"apple": 1}, "macos": {"apple": 1},
    "windows": {"steam": 70, "xsolla": 20, "paypal": 10}, "linux": {"steam": 1}, "playstation": {"xsolla": 1},
    "xbox": {"xsolla": 1}, "switch": {"xsolla": 1}, "web": {"stripe": 60, "paypal": 40},
}  # fmt: skip
# Local currency of a country's stores and its minor units per US cent, rounded (own choice).
CURRENCIES: dict[str, tuple[str, float]] = {
    "BR": ("BRL", 5.0), "DE": ("EUR", 0.9), "FR": ("EUR", 0.9), "ES": ("EUR", 0.9), "IT": ("EUR", 0.9),
    "GB": ("GBP", 0.8), "JP": ("JPY", 1.5), "PL": ("PLN", 4.0), "CA": ("CAD", 1.4), "AU": ("AUD", 1.5),
    "MX": ("MXN", 18.0), "TR": ("TRY", 32.0), "KR": ("KRW", 13.5),
}  # fmt: skip
USD = ("USD", 1.0)  # every other country

# Per session (own choice, so that a user has about two transactions, as in the trial).
EVERYDAY_PER_SESSION: Weights = {"store_purchase": 0.06, "loot_drop": 0.10, "reward": 0.05}
FAILED_PAYER_ATTEMPTS = 3  # of the cast's failed payer (own choice)
GIFTS_PER_SESSION = 0.003  # own choice
GIFTER_GIFTS = 2  # of the cast's gifter (own choice)
ITEM_ZIPF_EXPONENT = 1.05  # X3, X4
STACKABLE_RANK_FACTOR = 0.25  # of an item's random rank in the store: what is used up sells best (own choice)
STORE_REDRAWS = 8  # rounds in which buyers are given another item for what does not fit them (own choice)
HARD_PRICE_PURCHASE_SHARE = 0.25  # of payers' store purchases, where the item has both prices (own choice)
WELCOME_SECONDS = (5, 20)  # from the registration to its reward, lowest and highest (own choice)
WELCOME_REWARD_SOFT = 1_000  # GLD on registration (own choice)
TRADER_CAPITAL_SOFT = 20_000  # GLD that the cast's trader begins with (own choice)
REWARD_SOFT = (50, 600)  # GLD, lowest and highest (own choice)
REWARD_HARD_SHARE = 0.2  # rewards that pay GEM (own choice)
REWARD_HARD = (5, 60)  # GEM, lowest and highest (own choice)
TRADER_DAY = 7  # players still active on this day may trade (J)
TRADER_SHARE = 0.20  # of those who may (S44, base is J)
TRADES_PER_TRADER = 3.0  # offers, mean (own choice)
TRADE_SKEW = 0.5  # offers come at quantile u ** this of the buyer's sessions (own choice)
COUNTERPARTY_REACH = (8, 8, 64, 64, 512, 512, 1 << 40, 1 << 40)  # sessions back, draw by draw (own choice)
TRADE_PRICE_MIN = 20  # GEM, of an item without a price in GEM, for TRADE_PRICE_FACTOR (own choice)
TRADE_PRICE_FACTOR = (1.0, 3.0)  # GLD per GEM of the store's price, lowest and highest (own choice)
TRADE_COMPLETED_SHARE = 0.82  # of offers; a few buyers cannot pay, which leaves 80 % (S44)
STACK_SIZE_MAX = 5  # of a stackable item in one purchase (own choice)
# Of the pieces that somebody got, those that are not used up by the end; of other types, all (own choice).
UNUSED_SHARES: Weights = {"consumable": 0.4, "loot_box": 0.2}
LAST_USE_SKEW = 0.25  # a piece was last used at quantile u ** this of the user's sessions (own choice)

# --- auth events ---------------------------------------------------------------------------------

# Sessions that begin with a login although the device keeps a token (J); of all sessions 31 % begin with one.
INTERACTIVE_LOGIN_SHARE = 0.13
FAILING_EPISODE_SHARE = 0.054  # of password logins (fitted, gives 10 % failures: S62)
RETRY_SUCCESS = 0.33  # chance that a retry succeeds (derived from S65)
WRONG_PASSWORD_SHARE = 0.90  # of legitimate failures (J, S66)
MISTYPED_NAME_SHARE = 0.05  # of legitimate failures: no such user (J); the rest is provider_error
RETRY_SECONDS = (4, 12)  # between tries, lowest and highest (own choice)
LOCK_AFTER_FAILURES = 5  # R1
LOCK_SECONDS = 60  # R1
LOCK_DELAY_SECONDS = 0.5  # from the last failure that is allowed to the lock (own choice)
LOGOUT_SHARE = 0.12  # of sessions that the next one does not follow at once: end with a logout (own choice)
LOGOUT_GAP_SECONDS = 60  # "at once" (own choice)
RESETS_PER_PASSWORD_LOGIN = 0.07  # of those with room before; gives 3 % of monthly actives (J, S78, S79)
RESET_COMPLETED_SHARE = 0.80  # S64
RESET_ASKED_SECONDS = (300, 900)  # from the request to the login, lowest and highest (own choice)
RESET_DONE_SECONDS = (120, 280)  # from the new password to the login, lowest and highest (own choice)
# Before the login: of a challenge, of a failure to meet the one before, and of that one (own choice).
MFA_SECONDS = {"challenge": 6, "failure": 12, "missed": 25}
USUAL_SKEW = 2.0  # exponent: how much more often a user's first devices and addresses are used (own choice)
# What else somebody plays on, by platform; all others on android (own choice).
OTHER_DEVICES = {"android": "web", "ios": "web", "web": "android"}
DEVICES: Weights = {"1": 63, "2": 27, "3": 10}  # of a user; a device account has one, in % (J, S84)
IPS: Weights = {"1": 50, "2": 17, "3": 11, "6": 11, "15": 8, "40": 4}  # addresses of a user (S83, tail J)
ATTACK_KINDS: Weights = {"few_addresses": 45, "spread": 35, "brute_force": 20}  # recipe of the trial
ATTEMPTS_PER_ATTACK = 400  # mean, scaled to a game of this size (own choice)
FEW_ADDRESSES_ATTEMPTS_MIN = 50  # a smaller attack comes from many addresses (S71: 50 to 300 per address)
ATTEMPTS_PER_IP = {"few_addresses": 145.0, "spread": 1.18, "brute_force": 60.0}  # S71, S72, J
SPREAD_SPIKES = (3, 6)  # of a spread attack, fewest and most (S72)
SPREAD_SPIKES_WITHIN = (0.05, 0.95)  # of the attack's time: the first and the last (own choice)
SPREAD_SPIKE_SIGMA = 0.02  # of the attack's time: how wide a spike is (own choice)
ATTACK_SPAN_HOURS = {"few_addresses": 12.0, "spread": 96.0}  # S71, S72
ATTACK_SIZES_DIRICHLET = 2.0  # concentration: how alike the attacks' sizes are (own choice)
ATTACK_SUCCESS = 0.0015  # of attempts (S69, S70)
BRUTE_FORCE_GAP_SECONDS = 2.0  # own choice
OWNERS_RETURN_SECONDS = (60, 540)  # from the end of a brute force's lock, lowest and highest (own choice)
BREAK_IN_NOTICED_HOURS = (1, 20)  # from a break-in to the owner's reset, lowest and highest (own choice)
BREAK_IN_RESET_SECONDS = (120, 900)  # from that request to the new password, lowest and highest (own choice)
BREAK_IN_RETURN_SECONDS = (10, 60)  # from there to the owner's login, lowest and highest (own choice)
ATTACKED_ATTEMPTS = 60  # on the cast's attacked user, and of the attack that takes one over (own choice)
MFA_FAILURE_SHARE = 0.05  # of challenges (J)
ATTACK_UNKNOWN_USER_SHARE = 0.85  # of stuffing attempts (J, S77)
TOOL_USER_AGENT_SHARE = 0.65  # attacks that show an HTTP library (S67)
PROXY_SHARE = 0.30  # addresses of a spread attack that belong to players' networks: residential proxies (J)
# Alpha and beta of the risk score / 100: attacks score clearly higher, yet not all of them (own choice).
RISK_SCORES = {"calm": (1.3, 7.0), "failed": (2.5, 3.5), "attack": (4.0, 2.0)}
# Reserved for documentation and benchmarks: RFC 2544 for players, RFC 5737 and RFC 3849 for attackers.
PLAYER_NETWORK = "198.18.0.0"  # /15
PLAYER_BLOCKS = 512  # /24 blocks in it
SHARED_BLOCKS = 16  # the last of them: players of countries that are not in COUNTRIES (own choice)
BLOCKS_PER_ASN = 8  # of a country's blocks (own choice)
ATTACKER_BLOCK = 16  # attackers' addresses in a row that are in one country and of one ASN (own choice)
ATTACKER_NETWORKS = ("192.0.2.0", "198.51.100.0", "203.0.113.0")  # /24 each
ATTACKER_NETWORK6 = "2001:db8"  # the first 32 bits
ASNS = (64512, 65534)  # for private use: RFC 6996
# Their beginnings as text: RFC 5737, RFC 2544, RFC 3849.
RESERVED_ADDRESSES = (
    *(network.removesuffix("0") for network in ATTACKER_NETWORKS), "198.18.", "198.19.", f"{ATTACKER_NETWORK6}:",
)  # fmt: skip
# RFC 2606, RFC 6761.
RESERVED_DOMAINS = (
    b"@example.com", b".example.com", b"@example.net", b".example.net", b"@example.org", b".example.org", b".test",
    b".example", b".invalid",
)  # fmt: skip

# --- usernames and display names -----------------------------------------------------------------

USERNAME_PREFIX_SHARE = 0.10  # of usernames that begin with a prefix of words/usernames.toml (own choice)
# How the two words of a username are written (own choice).
USERNAME_CASES = {"CamelCase": 8, "Capitalised": 4, "lower": 7, "UPPER": 1}
USERNAME_UNDERSCORE_SHARE = 0.2  # of joints between words, and before what follows them (own choice)
# What follows the words, as a share of usernames: one or two digits, a year of birth, or a tag (own choice).
USERNAME_NUMBER_SHARE = 0.28
USERNAME_BIRTH_YEAR_SHARE = 0.12
USERNAME_TAG_SHARE = 0.10
USERNAME_BIRTH_YEARS = (1980, 2012)  # first and last (own choice)
EPITHET_ONE_IN = 3  # display names in English: one in so many has an epithet (own choice)
