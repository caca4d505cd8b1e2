"""Put a dataset into a database: the tables, then the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_gamedata.database.copy import load_tables
from pytest_gamedata.models import Base

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pytest_gamedata.dataset import Dataset


def load_dataset(
    engine: Engine, dataset: Dataset, create_schema: Callable[[Engine], None] = Base.metadata.create_all
) -> None:
    """Create the tables that are missing and load a dataset into them, all rows or none.

    The engine must use psycopg. Raises LoadError if a table has rows already.
    """
    create_schema(engine)
    with engine.connect() as connection:
        load_tables(connection.connection.driver_connection, dataset.tables)  # type: ignore[arg-type]
