"""Fill one empty database in one way, and print what it took as JSON: `load.py WAY USERS ROWS`.

Each way returns its seconds. Python, its imports, the server and the first connection are ready before
the clock starts; it stops when the tables are committed, indexed and analysed.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from peer_factories import create_players, session
from rows import load_rows, read_rows
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session
from targets import Target, measure_database, new_database

from pytest_gamedata import DatasetSpec, build_dataset, load_dataset
from pytest_gamedata.models import AuthEvent, Base, Item, Transaction, User
from servers import started_server

MODELS = (User, Item, Transaction, AuthEvent)
ANALYZE = text("ANALYZE users, items, transactions, auth_events")


def load_ours(target: Target, users: int, _: Path) -> dict[str, float]:
    """From a specification to tables: drawing, checking and loading the rows."""
    began = time.perf_counter()
    dataset = build_dataset(DatasetSpec(users=users))
    built = time.perf_counter()
    load_dataset(target.engine, dataset)
    ended = time.perf_counter()
    return {"seconds": ended - began, "load": ended - built}


def load_limit(target: Target, _: int, directory: Path) -> dict[str, float]:
    """From bytes in memory, which cost nothing here, to the same tables: the limit of one connection."""
    rows = read_rows(directory)
    with psycopg.connect(target.dsn) as connection:
        began = time.perf_counter()
        load_rows(connection, rows)
        return {"seconds": time.perf_counter() - began}


def load_insert(target: Target, users: int, _: Path) -> dict[str, float]:
    """SQLAlchemy's bulk insert of the same rows, which are dictionaries already."""
    load_dataset(target.engine, build_dataset(DatasetSpec(users=users)))
    with target.engine.connect() as connection:
        rows = {model: [dict(row._mapping) for row in connection.execute(select(model))] for model in MODELS}
    Base.metadata.drop_all(target.engine)
    began = time.perf_counter()
    Base.metadata.create_all(target.engine)
    with Session(target.engine) as current:
        for model in MODELS:
            current.execute(insert(model), rows[model])
        current.execute(ANALYZE)
        current.commit()
    return {"seconds": time.perf_counter() - began}


def load_factory_boy(target: Target, users: int, _: Path) -> dict[str, float]:
    """Factory Boy's create_batch with a session, of ordinary factories for the same tables."""
    session.configure(bind=target.engine)
    began = time.perf_counter()
    Base.metadata.create_all(target.engine)
    with session() as current:
        create_players(users)
        current.execute(ANALYZE)
        current.commit()
    return {"seconds": time.perf_counter() - began}


def load_pgbench(target: Target, _: int, __: Path) -> dict[str, float]:
    """`pgbench -i`, PostgreSQL's own: other rows, and fewer columns, in C."""
    command = [f"{os.environ['BENCH_BIN']}/pgbench", "-i", "-q", "-s", os.environ["BENCH_SCALE"], target.dsn]
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return {"seconds": time.perf_counter() - began}


WAYS: dict[str, Callable[[Target, int, Path], dict[str, float]]] = {
    "ours": load_ours,
    "limit": load_limit,
    "insert": load_insert,
    "factory_boy": load_factory_boy,
    "pgbench": load_pgbench,
}


def main(way: str, users: int, directory: Path) -> dict[str, Any]:
    """Start a server, load, and return what it took and what is there."""
    with started_server() as server:
        target = new_database(server)
        found = WAYS[way](target, users, directory)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        found |= measure_database(target) | {"peak MB": peak}
        target.engine.dispose()
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
