"""The realism targets: published quantities with the band in which each must lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Band = tuple[float, float]

SIGMAS = 3  # a share of n rows may be off by so many standard errors
COMPLETE = 1e9  # an upper end that is none


@dataclass(frozen=True)
class Target:
    """One published quantity: where it is measured, and the band in which it must lie.

    `row` picks the row of the query. `counted` names the figure (of that row, or of x01) that says how many
    rows a share was taken of; `simulated` a statistic of PAYER_BANDS. Both widen the band for small datasets.
    """

    quantity: str
    published: str
    source: str
    query: str
    column: str
    band: Band
    row: Mapping[str, Any] = field(default_factory=dict)
    counted: str = ""
    simulated: str = ""
    presets: Mapping[str, Band] = field(default_factory=dict)  # where a preset has a band of its own
    may_be_missing: bool = False  # few attacks are large enough to show their shape in a small database
    default_only: bool = False  # published for the default preset, and those in `presets`, alone


def near(expected: float, tolerance: float) -> Band:
    """Return the band around an expected value."""
    return (expected - tolerance, expected + tolerance)


def at_least(lowest: float) -> Band:
    """Return the band without an upper end."""
    return (lowest, COMPLETE)


DEFAULT = "top_quartile"
PAYER_STATISTICS = ("top1", "top5", "top10", "gini", "one", "five_plus", "mean", "arppu_usd")
# 99 % bands of a perfectly calibrated generator by number of payers: 400 simulations each (section 2 of the list).
PAYER_BANDS: dict[int, tuple[Band, ...]] = {
    20: ((.14, .69), (.14, .69), (.28, .81), (.47, .83), (.20, .75), (.00, .40), (1.6, 5.7), (13, 51)),
    50: ((.09, .47), (.17, .60), (.37, .76), (.56, .80), (.32, .70), (.06, .36), (1.9, 4.4), (17, 40)),
    100: ((.07, .34), (.27, .57), (.44, .69), (.63, .78), (.41, .63), (.10, .29), (2.2, 4.0), (20, 36)),
    200: ((.08, .28), (.31, .54), (.49, .68), (.65, .77), (.41, .62), (.11, .25), (2.3, 3.6), (21, 32)),
    600: ((.12, .24), (.37, .48), (.53, .64), (.68, .75), (.47, .56), (.14, .22), (2.6, 3.3), (24, 30)),
    2000: ((.14, .21), (.40, .46), (.56, .61), (.70, .73), (.49, .54), (.16, .21), (2.8, 3.2), (25, 29)),
}  # fmt: skip
EXACTLY_0: Band = (0.0, 0.0)
EXACT = "exact"  # instead of what is published: a rule, which holds in every database

TARGETS: tuple[Target, ...] = (
    Target("retention, day 1", "22 % (median) to 40 % (top tenth)", "S1 S2 S4", "m01", "retention",
           near(.27, .03), {"n": 1}, "cohort", presets={"median": near(.22, .03), "hit": near(.445, .03)}),
    Target("retention, day 7", "4 % (median), 7 to 8 % (top quarter)", "S1 S2 S4", "m01", "retention",
           near(.076, .015), {"n": 7}, "cohort", presets={"median": near(.04, .015), "hit": near(.186, .015)}),
    Target("retention, day 28", "0.7 % (median), 4 % (top quarter)", "S1 S2 S5 S6", "m01", "retention",
           near(.031, .01), {"n": 28}, "cohort", presets={"median": near(.008, .01), "hit": near(.10, .015)}),
    Target("active on day 7: of those active on day 1, against the others", "4.6", "X1", "x02", "ratio",
           at_least(3)),
    Target("retention curve, exponent", "-0.63 to -0.66 (top quarter)", "S2 S7", "m02", "exponent",
           near(-.65, .06), presets={"median": (-1.06, -.84), "hit": near(-.45, .06)}),
    Target("retention curve, R2 of the power law", "usual model", "S7", "m02", "r2", (.95, 1.0)),
    Target("sessions per active day, mean", "4", "S2 S9", "m03", "mean_sessions", near(4.0, .5)),
    Target("sessions per active day, median", "4", "S2 S9", "m03", "median", (3, 4)),
    Target("users who ever pay", "1 to 2.3 %", "S11-S16", "m04", "payer_share", near(.02, .005), {}, "users",
           presets={"median": near(.01, .005), "hit": near(.03, .005)}),
    Target("payers among a day's players", "0.5 % or less", "S4", "m04b", "daily_payer_share", (.005, .013),
           default_only=True),
    Target("payers among those active on day 1, against all", "2 times", "S11", "x03", "ratio", near(2, .5),
           {"n": 1}, default_only=True),
    Target("payers among those active on day 7, against all", "10 times, of 1 %", "S11", "x03", "ratio",
           near(5, 2), {"n": 7}, default_only=True),
    Target("revenue per payer, $", "22 to 29 a month", "S13-S16", "m04", "arppu_usd", near(26, 5), {}, "",
           "arppu_usd", default_only=True),
    Target("mean purchase, $", "5.94 to 13.82", "S13-S16", "m04", "avg_purchase_usd", near(9, 3)),
    Target("revenue share of the top 10 % of payers", "48 to 64 %", "S13-S17", "m06", "top10", near(.57, .08),
           {}, "", "top10", {"median": near(.50, .08), "hit": near(.62, .08), "whale_heavy": near(.76, .08)}),
    Target("revenue share of the top 5 % of payers", "50 %", "S18", "m06", "top5", near(.43, .08), {}, "", "top5",
           default_only=True),
    Target("revenue share of the top 1 % of payers", "38 % at most", "S19 S20", "m06", "top1", near(.17, .07), {},
           "", "top1", {"whale_heavy": near(.38, .07)}, default_only=True),
    Target("Gini of what payers spend", "(derived)", "D", "m06", "gini", near(.70, .06), {}, "", "gini",
           default_only=True),
    Target("first purchases on day 0", "21 to 47 %", "S12 S18", "m09", "day0", near(.30, .08), {}, "payers",
           default_only=True),
    Target("the day of most first purchases", "0", "S22", "m09", "modal_day", EXACTLY_0),
    Target("payers who buy again within 14 days", "53 to 56 %", "S13 S23", "m10", "repeat14", near(.50, .08), {},
           "payers", default_only=True),
    Target("payers with one purchase in 30 days", "44 to 64 %", "S13-S16", "m07", "one", near(.51, .06), {}, "",
           "one", default_only=True),
    Target("payers with five or more in 30 days", "6.5 to 20 %", "S13-S16", "m07", "five_plus", near(.17, .05), {},
           "", "five_plus", default_only=True),
    Target("purchases per payer in 30 days", "1.8 to 3.7", "S13-S16", "m07", "mean", near(2.8, .5), {}, "", "mean",
           default_only=True),
    Target("variance to mean of those counts", "4.3 (CDNOW)", "X2 S24", "m07", "dispersion", at_least(1.5),
           default_only=True),
    *(Target(f"{what} of purchases {price}", published, "S13-S16", "m08", column, band, {"b": bucket}, "purchases")
      for price, bucket, column, what, published, band in (
          ("up to $5", 1, "unit_share", "share", "55 to 67 %", near(.52, .08)),
          ("up to $5", 1, "revenue_share", "revenue", "(derived)", near(.17, .06)),
          ("of $10 to $20", 3, "unit_share", "share", "8 to 22 %", near(.19, .05)),
          ("of $10 to $20", 3, "revenue_share", "revenue", "32 to 39 %", near(.33, .07)),
          ("over $50", 5, "unit_share", "share", "0.7 to 2.5 %", (.01, .025)),
          ("over $50", 5, "revenue_share", "revenue", "9 to 17 %", (.09, .19)),
      )),
    Target("purchases at no listed price", "none", "S27", "x04", "off_list", EXACTLY_0),
    Target("refunded purchases", "2.3 to 4 % (apps)", "J S28 S29", "m11", "refund_rate", near(.03, .01), {},
           "purchases"),
    Target("purchases charged back", "0.83 %", "S31", "m11", "chargeback_rate", near(.006, .003), {}, "purchases"),
    Target("failed payments", "10 to 17 %", "S32-S34", "m11", "failed_rate", near(.10, .03), {}, "attempts"),
    *(Target(f"paid by {method}", published, "S35-S37", "x05", "share", (max(share - .05, 0), share + .05),
             {"payment_method": method}, "attempts")
      for method, share, published in (
          ("card", .46, "46 %"), ("wallet", .27, "27 %"), ("gift_card", .12, "21 % (US)"),
          ("carrier", .07, "2 % (US)"), ("store_credit", .05, "J"), ("bank", .03, "J"))),
    Target("revenue per user on iOS, against Android", "10 times", "S38", "x06", "ios_to_android", at_least(3)),
    Target("revenue per user in the US and Japan, against all", "46 % of revenue", "S38", "x06", "us_jp",
           at_least(1)),
    Target("item popularity, Zipf exponent", "0.77 to 1.2", "X3 X4", "m12", "zipf_s", near(1.0, .15)),
    Target("item popularity, R2 over the top 50", "0.96", "S39", "m12", "r2", (.95, 1.0)),
    Target("purchases of the top 10 % of items", "70 to 98 %", "X3 X4", "m12", "top10pct_share", at_least(.55)),
    *(Target(f"loot drops: {rarity}", f"{share:.2%}", "S40", "m13", "share", (share, share), {"rarity": rarity},
             "drops")
      for rarity, share in (("common", .7992), ("uncommon", .1598), ("rare", .032), ("epic", .0064),
                            ("legendary", .0026))),
    *(Target(f"median price of {rarity} items, against uncommon", str(ratio), "S42", "x07", "ratio",
             near(ratio, .1), {"rarity": rarity})
      for rarity, ratio in (("rare", 1.5), ("epic", 1.9), ("legendary", 2.5))),
    *(Target(f"catalogue: {rarity}", "none found", "J", "x08", "share", near(share, .02), {"rarity": rarity},
             "items")
      for rarity, share in (("common", .45), ("uncommon", .27), ("rare", .16), ("epic", .09), ("legendary", .03))),
    Target("price per gem, largest pack against smallest", "-26 %", "S43", "x09", "bonus", near(-.26, .02)),
    Target("trade offers completed", "80 %", "S44", "m26", "completed", near(.80, .05), {}, "trade_legs"),
    Target("users active on day 7 or later who trade", "25 %", "S44 J", "x16", "traders", (.15, .25), {}, "stayed"),
    Target("sessions at 20h local time, %", "6.7", "S46-S48", "x11", "at_20h", near(6.7, .6)),
    Target("hour of most sessions", "20", "S46-S50", "x11", "peak", (19, 21)),
    Target("hour of fewest sessions", "4", "S46-S49", "x11", "low", (3, 5)),
    Target("most to fewest sessions in an hour", "4 to 5", "S46-S48", "x11", "max_to_min", (4, 6)),
    Target("purchases from 15h to 24h", "most", "S51", "x10", "late", (.50, 1.0), {}, "purchases"),
    Target("weekend against weekday sessions", "higher; size J", "S52 S53", "m16", "weekend_ratio", (1.05, 1.20)),
    Target("users from the largest country, %", "15 to 21", "S38 S54 S55", "m17", "pct", (15, 21)),
    Target("playtime, sigma of its logarithm", "2.07", "X1 X3", "m18", "sigma_ln", near(2.1, .4)),
    Target("users who played less than 10 h", "most", "S57-S59", "m18", "under10h", (.75, .92), {}, "users",
           default_only=True),
    Target("users who played more than 35 h", "very few", "S57-S59", "m18", "over35h", (.03, .10), {}, "users",
           default_only=True),
    Target("time against level, exponent", "1.82", "S60", "m19", "b", near(1.8, .2)),
    Target("tens of levels with more users than the tens below", "none", "S61", "x12", "rising", EXACTLY_0),
    Target("legitimate password logins that fail", "10 %", "S62-S64", "m20", "legit_pw_failure", near(.10, .03)),
    Target("failing episodes that end within 3 tries", "54 %", "S65", "m23", "within3", near(.54, .06), {},
           "episodes"),
    Target("legitimate failures with a wrong password", "J", "S66", "x13", "wrong_password", (.85, 1.0)),
    Target("login attempts that are attacks", "19.4 %; 34 %; 6 % mitigated", "S67 S68", "m21", "attack_share",
           near(.20, .04), presets={"median": near(.06, .04), "whale_heavy": near(.34, .04)}),
    Target("attempts that get in, of attacks", "0.1 to 0.2 %", "S69 S70", "m21", "attack_success", (.0005, .003)),
    Target("stuffing from few addresses: least attempts per address", "145", "S71", "x14", "least_per_ip",
           at_least(50), {"kind": "few_addresses"}, may_be_missing=True),
    Target("stuffing from few addresses: most attempts per address", "145", "S71", "x14", "most_per_ip",
           (50, 300), {"kind": "few_addresses"}, may_be_missing=True),
    Target("stuffing from few addresses: user agents", "1", "S71", "x14", "most_agents", (1, 1),
           {"kind": "few_addresses"}, may_be_missing=True),
    Target("spread stuffing: least attempts per address", "1.18", "S72", "x14", "least_per_ip", (1.0, 1.5),
           {"kind": "spread"}, may_be_missing=True),
    Target("spread stuffing: most attempts per address", "1.18", "S72", "x14", "most_per_ip", (1.0, 1.5),
           {"kind": "spread"}, may_be_missing=True),
    Target("spread stuffing: shortest, days", "4", "S72", "x14", "least_days", (3, 5), {"kind": "spread"},
           may_be_missing=True),
    Target("spread stuffing: longest, days", "4", "S72", "x14", "most_days", (3, 5), {"kind": "spread"},
           may_be_missing=True),
    Target("spread stuffing: fewest spikes", "5", "S72", "x15", "fewest", (3, 6), may_be_missing=True),
    Target("spread stuffing: most spikes", "5", "S72", "x15", "most", (3, 6), may_be_missing=True),
    Target("attacks that show an HTTP library", "65 %", "S67", "x14", "library", near(.65, .10), {}, "attacks"),
    Target("password resets per monthly player", "2 to 4 a year; 1.5 % a month", "J S78 S79", "m24",
           "reset_per_mau", near(.03, .015), default_only=True),
    Target("password resets completed", "75 to 85 %", "S64", "m24", "completion", near(.80, .08)),
    Target("users with a second factor", "2.3 %", "J S80", "m24", "mfa", near(.05, .025), {}, "users"),
    Target("second factors: payers against the others", "none found", "J", "x17", "payers_to_others", near(3, 1.5)),
    Target("users with one device", "53 %", "J S84", "m24", "one_device", (.60, .76), {}, "users",
           default_only=True),
    Target("devices per user", "none found", "J", "m24", "mean_devices", (1.3, 1.5), default_only=True),
    Target("users with one address", "60 %", "S83", "m24", "one_ip", near(.60, .10), {}, "users",
           default_only=True),
    Target("addresses per user", "heavy tail", "S83", "m24", "mean_ips", (2.0, 10.0), default_only=True),
    *(Target(what, EXACT, "-", query, column, EXACTLY_0)
      for what, query, column in (
          ("e-mail addresses outside the reserved domains", "m25", "bad_email"),
          ("IP addresses outside the reserved ranges", "m25", "bad_ip"),
          ("trades without two legs", "m26", "broken_trades"),
          ("refunds that do not mirror their purchase", "m27", "bad_refund"),
          ("transactions before the sign-up", "m27", "before_signup"),
          ("purchases of what was not on sale", "m27", "off_shelf"),
          ("wallets that do not reconcile", "m28", "bad_balance"),
          ("overdrawn wallets", "m28", "overdrawn"),
          ("lifetime spend that does not add up", "m28", "bad_spend"),
          ("last logins that are not the last", "m28", "bad_last_login"))),
)  # fmt: skip
