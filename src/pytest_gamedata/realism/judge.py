"""Judge measured figures against the targets."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_gamedata.realism.measure import Figures
from pytest_gamedata.realism.targets import DEFAULT_PRESET, EXACT, PAYER_BANDS, TARGETS, Band, Target
from pytest_gamedata.settings import NATURAL, DatasetSpec

SIGMAS = 3  # a share of n rows may be off by so many standard errors


@dataclass(frozen=True)
class Finding:
    """A target with what was measured (None: nothing to measure) and the band that was allowed."""

    target: Target
    measured: float | None
    band: Band

    @property
    def inside(self) -> bool:
        """Whether the figure lies in its band; what cannot be measured does not, unless it may be missing."""
        if self.measured is None:
            return self.target.may_be_missing
        return self.band[0] <= self.measured <= self.band[1]


def compare(figures: Figures, preset: str) -> list[Finding]:
    """Hold the figures of a database against every target that the preset has."""
    return [
        _compare(figures, preset, target)
        for target in TARGETS
        if preset in (DEFAULT_PRESET, *target.presets) or not target.default_only
    ]


def _compare(figures: Figures, preset: str, target: Target) -> Finding:
    measured = _look_up(figures, target, target.column)
    band = target.presets.get(preset, target.band)
    if target.counted:
        band = _widen_share(band, _look_up(figures, target, target.counted) or 1.0)
    if target.simulated:
        simulated = _simulated_band(target.simulated, float(figures["x01"][0]["payers"] or 1))
        # simulated for the default preset; around the middle of another's band chance allows as much
        shift = 0.0 if preset == DEFAULT_PRESET else (sum(band) - sum(simulated)) / 2
        band = (min(band[0], simulated[0] + shift), max(band[1], simulated[1] + shift))
    return Finding(target, measured, band)


def _look_up(figures: Figures, target: Target, column: str) -> float | None:
    """Return a figure of the target's row; where its query has no such column, of the sizes in x01."""
    rows = [
        row
        for row in figures[target.query]
        if column in row and all(str(row.get(name)) == value for name, value in target.row.items())
    ]
    if not rows and column in figures["x01"][0]:
        rows = figures["x01"]
    return None if not rows or rows[0][column] is None else float(rows[0][column])


def _widen_share(band: Band, count: float) -> Band:
    """Widen the band of a share to what chance allows with so many rows."""
    low, high = band
    middle = low if high == math.inf else (low + high) / 2
    error = SIGMAS * math.sqrt(max(middle * (1 - middle), 0.0) / count)
    return (max(min(low, middle - error), 0.0), max(high, middle + error))


def _simulated_band(statistic: str, payers: float) -> Band:
    """Interpolate the band that a perfectly calibrated generator keeps with so many payers."""
    sizes = sorted(PAYER_BANDS)
    payers = min(max(payers, sizes[0]), sizes[-1])
    below = max(size for size in sizes if size <= payers)
    above = min(size for size in sizes if size >= payers)
    part = 0.0 if below == above else math.log(payers / below) / math.log(above / below)
    (low, high), (low2, high2) = PAYER_BANDS[below][statistic], PAYER_BANDS[above][statistic]
    return (low + (low2 - low) * part, high + (high2 - high) * part)


OK, FAILED, TOO_SMALL = "ok", "FAILED", "too small"
# What is published shows in a dataset of this size, with as many rows as its users make; a smaller one may miss a
# figure by chance. Measured with 10,000 users: seeds 1 to 3, presets hit and median, 60 to 180 days, 400 items.
LEAST = {"users": 10_000, "items": 100, "days": 60}


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
        if high == math.inf
        else f"{describe_figure(low)} to {describe_figure(high)}"
    )


def describe_figure(figure: float | None) -> str:
    """Write a figure with three digits, None as a dash."""
    return "-" if figure is None else f"{figure:.3g}"
