"""The realism targets: published quantities, each with the band in which it must lie.

They stand in targets.csv, one a line. `low` and `high` are the band of the default preset, `median_low` and
`median_high` that of the preset `median`, where it has one of its own; a band without `high` has no upper end.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

from pytest_gamedata.distributions import PRESETS
from pytest_gamedata.settings import DatasetSpec

Band = tuple[float, float]

DEFAULT_PRESET = DatasetSpec().preset
EXACT = "exact"  # instead of what is published: a rule, which holds in every database


@dataclass(frozen=True)
class Target:
    """A published quantity: the query that measures it, and the band in which it must lie.

    `row` picks the row of the query. `counted` names the figure (of that row, or of x01) that says how many
    rows a share was taken of; `simulated` a statistic of payer_bands.csv. Both widen the band for small datasets.
    """

    quantity: str
    published: str
    source: str
    query: str
    column: str
    row: Mapping[str, str]
    band: Band
    counted: str
    simulated: str
    may_be_missing: bool  # few attacks are large enough to show their shape in a small database
    default_only: bool  # published for the default preset, and those in `presets`, alone
    presets: Mapping[str, Band]  # the presets that have a band of their own


def _lines(name: str) -> Iterator[dict[str, str]]:
    """Read the lines of a table beside this module, by the headings of its columns."""
    text = resources.files("pytest_gamedata.realism").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


def _band(line: Mapping[str, str], prefix: str = "") -> Band:
    return (float(line[f"{prefix}low"]), float(line[f"{prefix}high"] or math.inf))


def _target(line: Mapping[str, str]) -> Target:
    return Target(
        quantity=line["quantity"],
        published=line["published"],
        source=line["source"],
        query=line["query"],
        column=line["column"],
        row=dict([line["row"].split("=")] if line["row"] else []),
        band=_band(line),
        counted=line["counted"],
        simulated=line["simulated"],
        may_be_missing=line["may_be_missing"] == "yes",
        default_only=line["default_only"] == "yes",
        presets={name: _band(line, f"{name}_") for name in PRESETS if line.get(f"{name}_low")},
    )


TARGETS = tuple(_target(line) for line in _lines("targets.csv"))


def _payer_bands() -> dict[int, dict[str, Band]]:
    """Return the bands of payer_bands.csv: by number of payers, then by statistic."""
    return {
        int(line["payers"]): {
            name.removesuffix("_low"): _band(line, name.removesuffix("low"))
            for name in line
            if name.endswith("_low")
        }
        for line in _lines("payer_bands.csv")
    }


# 99 % bands of a perfectly calibrated generator by number of payers: 400 simulations each.
PAYER_BANDS = _payer_bands()
