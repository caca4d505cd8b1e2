"""Empty databases to load into, and what is in them afterwards."""

from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine

from pytest_gamedata.postgres.server import Server

TABLES = """
    SELECT oid::regclass::text, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class Target:
    """A database to load into, and an engine with a connection that is open already."""

    dsn: str
    engine: Engine


def new_database(server: Server) -> Target:
    """Make an empty database, and connect to it."""
    address: dict[str, Any] = {"host": server.host, "port": server.port, "user": server.user}
    address["password"] = server.password
    with psycopg.connect(**address, dbname=server.dbname, autocommit=True) as admin:
        admin.execute("CREATE DATABASE bench")
    url = URL.create("postgresql", server.user, server.password, server.host, server.port, "bench")
    engine = create_engine(url.set(drivername="postgresql+psycopg"))
    engine.connect().close()
    return Target(url.render_as_string(hide_password=False), engine)


def measure_database(target: Target) -> dict[str, float]:
    """Count the rows of all tables, and the bytes of tables and indexes in MB."""
    with psycopg.connect(target.dsn) as connection:
        sizes: dict[str, int] = dict(connection.execute(TABLES).fetchall())
        counts = [connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in sizes]
    return {"rows": sum(row[0] for row in counts if row), "MB": sum(sizes.values()) / 1e6}
