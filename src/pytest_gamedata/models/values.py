"""The values that a text column may hold, and groups of them that several rules use."""

from __future__ import annotations

# in the order of the reference schema
SIGNUP_PROVIDER_VALUES = (
    "password", "device", "google", "apple", "steam", "facebook", "psn", "xbox", "nintendo",
)  # fmt: skip
USER_STATUS_VALUES = ("active", "locked", "suspended", "banned", "deleted")
PLATFORM_VALUES = ("ios", "android", "windows", "macos", "linux", "playstation", "xbox", "switch", "web")
ITEM_TYPE_VALUES = (
    "currency_pack", "bundle", "battle_pass", "subscription", "cosmetic", "consumable", "equipment",
    "character", "loot_box",
)  # fmt: skip
RARITY_VALUES = ("common", "uncommon", "rare", "epic", "legendary")
TRANSACTION_TYPE_VALUES = (
    "iap_purchase", "store_purchase", "trade", "gift", "loot_drop", "reward", "refund", "chargeback",
)  # fmt: skip
TRANSACTION_STATUS_VALUES = ("pending", "completed", "failed", "cancelled", "refunded", "charged_back")
PAYMENT_PROVIDER_VALUES = ("apple", "google", "steam", "xsolla", "stripe", "paypal")
PAYMENT_METHOD_VALUES = ("card", "wallet", "carrier", "gift_card", "bank", "store_credit")
FAILURE_CODE_VALUES = (
    "insufficient_funds", "do_not_honor", "expired_card", "fraud_suspected", "authentication_failed",
    "user_cancelled", "provider_error",
)  # fmt: skip
REFUND_REASON_VALUES = (
    "other", "remorse", "not_received", "defective", "accidental_purchase", "fraud", "friendly_fraud",
    "chargeback",
)  # fmt: skip
ENVIRONMENT_VALUES = ("production", "sandbox")
EVENT_TYPE_VALUES = (
    "register", "login_success", "login_failure", "logout", "mfa_challenge", "mfa_failure",
    "password_reset_requested", "password_reset_completed", "password_changed", "account_locked",
    "account_unlocked",
)  # fmt: skip
FAILURE_REASON_VALUES = (
    "wrong_password", "unknown_user", "account_locked", "account_banned", "mfa_failed", "rate_limited",
    "breached_password", "provider_error",
)  # fmt: skip
AUTH_METHOD_VALUES = (
    "password", "refresh_token", "device", "google", "apple", "steam", "facebook", "psn", "xbox",
    "nintendo", "email_link",
)  # fmt: skip
# Groups of values.
REVERSAL_TYPES = ("refund", "chargeback")
REAL_MONEY_TYPES = ("iap_purchase", *REVERSAL_TYPES)
REVERSED_STATUSES = ("refunded", "charged_back")
PAID_STATUSES = ("completed", *REVERSED_STATUSES)
