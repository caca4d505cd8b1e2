"""Targets, measured on a database as a test gets it. `make realism` does it for more seeds, sizes and presets."""

from pathlib import Path

import psycopg
import pytest

from pytest_gamedata.realism.judge import compare
from pytest_gamedata.realism.measure import measure, queries
from pytest_gamedata.realism.targets import DEFAULT_PRESET, PAYER_BANDS, TARGETS

PAGE = (Path(__file__).parents[2] / "docs" / "realism.md").read_text()
FEW_ROWS_PER_PRESET = 15  # targets that a preset must have at least


def outside(gamedata_db):
    with psycopg.connect(gamedata_db.dsn) as connection:
        findings = compare(measure(connection), gamedata_db.spec.preset)
    assert len(findings) > FEW_ROWS_PER_PRESET
    return [f"{finding.target.quantity}: {finding.measured}, not in {finding.band}"
            for finding in findings if not finding.inside]  # fmt: skip


@pytest.mark.gamedata(users=10_000)
def test_every_target_is_met_by_10000_users(gamedata_db):
    assert outside(gamedata_db) == []


@pytest.mark.gamedata(users=10_000)
@pytest.mark.parametrize(
    ("damage", "names"),
    [
        (
            "DELETE FROM auth_events WHERE event_type = 'login_success' AND user_id % 2 = 0",
            "retention, day 1",
        ),
        ("UPDATE transactions SET amount_usd_cents = 1 WHERE type = 'iap_purchase'", "mean purchase, $"),
        ("UPDATE transactions SET payment_method = 'bank' WHERE payment_method = 'card'", "paid by card"),
        ("UPDATE users SET mfa_enabled = true", "users with a second factor"),
        ("UPDATE users SET timezone = 'Asia/Tokyo'", "hour of most sessions"),
        ("UPDATE auth_events SET attack_id = NULL", "login attempts that are attacks"),
        ("UPDATE users SET soft_balance = soft_balance + 1 WHERE id = 7", "wallets that do not reconcile"),
    ],
)
def test_a_target_can_be_missed(gamedata_db, damage, names):
    with psycopg.connect(gamedata_db.dsn) as connection:
        connection.execute(damage)

    assert any(line.startswith(f"{names}: ") for line in outside(gamedata_db))


@pytest.mark.gamedata(users=0, transactions=0)
def test_an_empty_database_meets_no_share(gamedata_db):
    missed = outside(gamedata_db)

    assert "retention, day 1: None, not in (0.0, 1.0)" in missed or len(missed) > 40


def test_the_page_of_the_docs_shows_every_target_inside():
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
    first, *others = PAGE.split("### Preset ")[1:]

    for target in TARGETS:
        assert f"| {target.quantity} | {target.published} |" in first
    assert [part.split("`")[1] for part in (first, *others)] == [
        "top_quartile",
        "median",
        "hit",
        "whale_heavy",
    ]
    assert len(lines) > len(TARGETS)
    assert "OUTSIDE" not in PAGE


@pytest.mark.parametrize("preset", ["median", "hit", "whale_heavy"])
def test_presets_differ_where_games_do(preset):
    own = {target.quantity for target in TARGETS if preset in target.presets}

    assert own
    assert DEFAULT_PRESET not in {name for target in TARGETS for name in target.presets}


def test_the_tables_of_targets_name_what_there_is():
    statistics = set(PAYER_BANDS[20])

    assert len(TARGETS) == len({target.quantity for target in TARGETS}) == 107
    assert {target.query for target in TARGETS} <= set(queries())
    assert {target.simulated for target in TARGETS} - {""} == statistics
    assert all(set(bands) == statistics for bands in PAYER_BANDS.values())


def test_every_band_has_a_lower_end_below_its_upper_end():
    bands = [target.band for target in TARGETS]
    bands += [band for target in TARGETS for band in target.presets.values()]
    bands += [band for statistics in PAYER_BANDS.values() for band in statistics.values()]

    assert all(low <= high for low, high in bands)
