"""The words that rows are made of, as functions and, where they are data, as TOML files."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any


def load_words(name: str) -> dict[str, Any]:
    """Load the lists of a data file of this package, such as ``items`` for items.toml."""
    return tomllib.loads(resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
