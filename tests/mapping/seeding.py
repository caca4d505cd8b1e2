"""Seed tables of a test's own through the mapping, and read them."""

import psycopg

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata.databases.mapping import map_tables
from pytest_gamedata.databases.mapping.entries import read_entries
from pytest_gamedata.factories import GameFactory
from pytest_gamedata.postgres.rows.load import load_new_database


def seed(db, *factories, users=0):
    """Fill the tables of factories, as a template is filled."""
    dataset = build_dataset(DatasetSpec(users=users), factories) if users else None
    with psycopg.connect(db.dsn) as connection:
        mapped = map_tables(connection, read_entries(factories), dataset, 1)
        connection.rollback()
        load_new_database([connection], mapped.rows)
    return mapped


def factory_of(table, **declarations):
    """Return a factory for a table without a model."""
    meta = type("Meta", (), {"table": table})
    return type("ThingFactory", (GameFactory,), {"Meta": meta, **declarations})
