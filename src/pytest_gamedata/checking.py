"""Whether a database holds what it should: every rule, every realism target."""

from __future__ import annotations

from pytest_gamedata.realism import COMPLETE, EXACT, Band, Finding, compare, measure
from pytest_gamedata.settings import NATURAL, DatasetSpec
from pytest_gamedata.stored import Connection, count_stored, noted_spec, read_dataset
from pytest_gamedata.validate import Outcome, check_rules

OK, FAILED, TOO_SMALL = "ok", "FAILED", "too small"
# What is published shows in a dataset of this size, with as many rows as its users make; a smaller one may miss a
# figure by chance. Measured with 10,000 users: seeds 1 to 3, presets hit and median, 60 to 180 days, 400 items.
LEAST = {"users": 10_000, "items": 100, "days": 60}


def expected_spec(connection: Connection) -> DatasetSpec:
    """Return what is noted in the database, else the defaults with as many users and items as there are.

    Raises ClearError if a table is not one of ours.
    """
    counts = count_stored(connection)
    noted = noted_spec(connection)
    if noted is not None:
        return noted
    users, items = (counts.get(table, 0) for table in ("users", "items"))
    return DatasetSpec(users=users, items=items, transactions=None if items else 0)


def check_stored(connection: Connection, spec: DatasetSpec) -> tuple[list[Outcome], list[Finding]]:
    """Check the rows of a database against every rule and every realism target.

    Raises LoadError if a table is missing.
    """
    outcomes = list(check_rules(read_dataset(connection, spec)))
    return outcomes, compare(measure(connection), spec.preset)


def judge(finding: Finding, spec: DatasetSpec) -> str:
    """Return whether a figure is as it should be, or the dataset too small to tell.

    What must never happen needs no size.
    """
    if finding.inside:
        return OK
    large = all(getattr(spec, name) >= least for name, least in LEAST.items())
    natural = all(getattr(spec, name) is None for name in NATURAL)
    return FAILED if (large and natural) or finding.target.published == EXACT else TOO_SMALL


def describe_band(band: Band) -> str:
    """Write a band as its two ends."""
    low, high = band
    if low == high:
        return describe_figure(low)
    return (
        f"{describe_figure(low)} or more"
        if high == COMPLETE
        else f"{describe_figure(low)} to {describe_figure(high)}"
    )


def describe_figure(figure: float | None) -> str:
    """Write a figure with three digits, None as a dash."""
    return "-" if figure is None else f"{figure:.3g}"
