"""A test that needs no database: what pytest and the imports of a test file take by themselves."""

import os
import time
from typing import Any

import psycopg
import pytest

__all__ = ["Any", "os", "psycopg", "pytest", "time"]


def test_nothing() -> None:
    """Do nothing."""
