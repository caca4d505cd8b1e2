"""Rows per second from a specification to tables, beside other ways to fill them; and memory."""

from __future__ import annotations

import json
from functools import partial

from environment import run
from measuring import Bench, Figures, Row, Target, interleave
from runs import rows_directory, save_rows

OURS, LIMIT, INSERT, FACTORY_BOY, PGBENCH = "ours", "limit", "insert", "factory_boy", "pgbench"
NAMES = {
    LIMIT: "COPY BINARY of ready bytes, keys, indexes (limit)",
    INSERT: "SQLAlchemy bulk insert",
    FACTORY_BOY: "Factory Boy `create_batch`, 1,000 users",
    PGBENCH: "`pgbench -i`",
}
PEERS = {1_000: (LIMIT, INSERT, FACTORY_BOY), 30_000: (LIMIT, FACTORY_BOY, PGBENCH), 300_000: (LIMIT,)}
TARGETS = {
    (30_000, LIMIT): Target(least_ratio=0.5),
    (1_000, FACTORY_BOY): Target(least_ratio=50, why="creating tables, keys and indexes alone takes 100 ms"),
}
MEMORY_TARGET = Target(most=1_500)
FACTORY_BOY_USERS = 1_000  # a size at which it ends; its rate does not grow with it
PGBENCH_SCALE = 15  # about the size of 30,000 users


def measure_loads(bench: Bench, name: str, number: int) -> list[Row]:
    """Measure how fast a dataset of some size comes into a database, and what memory that takes."""
    users, peers = bench.users(number), PEERS[number]
    save_rows(bench, users)
    found = interleave(name, bench.rounds, {way: partial(load, bench, way, users) for way in (OURS, *peers)})
    check_rows(found)
    title = f"{users:,} users ({found[OURS]['rows']:,.0f} rows)"
    rows = []
    for peer in peers:
        unit = "MB/s" if peer == PGBENCH else "rows/s"
        what = f"{title}, from specification to tables"
        target = TARGETS.get((number, peer))
        rows.append(Row(what, found[OURS][unit], unit, NAMES[peer], found[peer][unit], target))
    alone = found[OURS]["rows"] / found[OURS]["load"]
    rows.append(Row(f"{title}, loading alone", alone, "rows/s", NAMES[LIMIT], found[LIMIT]["rows/s"]))
    memory = MEMORY_TARGET if number == max(PEERS) else None
    return [*rows, Row(f"{title}, peak memory of the process", found[OURS]["peak MB"], "MB", target=memory)]


def load(bench: Bench, way: str, users: int) -> Figures:
    """Fill a database in one of the ways, in a process of its own."""
    scale = "1" if bench.tiny else str(PGBENCH_SCALE)
    if way == FACTORY_BOY:
        users = min(users, FACTORY_BOY_USERS)
    args = (way, str(users), str(rows_directory(bench, users)))
    found: Figures = json.loads(run(bench.environment, "load.py", *args, BENCH_SCALE=scale).stdout)
    rates = {f"{unit}/s": found[unit] / found["seconds"] for unit in ("rows", "MB")}
    return rates | found


def check_rows(found: dict[str, Figures]) -> None:
    """Stop if a peer that should have loaded the same rows has not."""
    for way in (LIMIT, INSERT):
        if way in found and found[way]["rows"] != found[OURS]["rows"]:
            made, expected = (found[each]["rows"] for each in (way, OURS))
            raise SystemExit(f"{NAMES[way]} made {made:,.0f} rows, ours {expected:,.0f}.")
