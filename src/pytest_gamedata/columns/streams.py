"""Random streams: one per table and column."""

from __future__ import annotations

import zlib

import numpy as np


class Streams:
    """The random streams of a seed: one per table and column, so that changing one leaves the others alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of(self, table: str, column: str) -> np.random.Generator:
        """Return a generator at the start of a column's stream."""
        key = (zlib.crc32(table.encode()), zlib.crc32(column.encode()))
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=key)))
