"""Whole pytest processes, what each test waits for, and how long the first one does: beside pytest-postgresql."""

from __future__ import annotations

from functools import partial
from statistics import median

from environment import run
from measuring import Bench, Figures, Row, Target, interleave
from runs import COLD, NOTHING, PEER, PEER_RAM, WARM, prepare, run_tests, time_whole

BARE = "bare `postgres` (limit)"
PAUSES_MS = (0, 25, 100)
TESTS_PER_PAUSE = 12

COPYING = "copying and removing 330 files takes 14 to 17 ms of a test"
SESSION_TARGETS = {
    (40, 0, WARM, PEER): Target(least_ratio=8, why=COPYING),
    (40, 0, COLD, PEER): Target(least_ratio=5, why="initdb, building the rows, and keeping them take 1.3 s"),
    (40, 0, WARM, PEER_RAM): Target(least_ratio=3, why=COPYING),
    (400, 2, WARM, PEER_RAM): Target(least_ratio=5, why=f"{COPYING}, on both cores"),
}
# of tests that last 25 ms or more: shorter ones cannot hide what the next one needs
WAIT_TARGET = Target(most=5, why="a new connection and its first query take 6 ms")
# at most twice the time of a bare start
START_TARGET = Target(least_ratio=0.5, why="unpacking 970 files, a keeper, a role, a clone")


def measure_sessions(bench: Bench, name: str, number: int, workers: int) -> list[Row]:
    """Measure whole processes of a number of tests, with a number of xdist workers or none."""
    prepare(bench)
    tests, spread = bench.tests(number), ("-n", str(workers)) if workers else ()
    turns = {who: partial(time_whole, bench, who, tests, *spread) for who in (COLD, PEER, WARM, PEER_RAM)}
    found = interleave(name, bench.rounds, turns)
    title = f"{tests} tests{f', `-n {workers}`' if workers else ''}, whole process"
    return [
        Row(
            f"{title}: {ours}",
            found[ours]["s"],
            "s",
            peer,
            found[peer]["s"],
            SESSION_TARGETS.get((number, workers, ours, peer)),
        )
        for ours in (COLD, WARM)
        for peer in (PEER, PEER_RAM)
    ]


def measure_waits(bench: Bench, name: str) -> list[Row]:
    """Measure what tests that last 0, 25 and 100 ms wait for their databases."""
    prepare(bench)
    rows = []
    for pause in PAUSES_MS[:1] if bench.tiny else PAUSES_MS:
        turns = {who: partial(time_waits, bench, who, pause / 1000) for who in (WARM, PEER, PEER_RAM)}
        found = interleave(f"{name} of {pause} ms", bench.rounds, turns)
        title = f"setup, connection and teardown of a test that lasts {pause} ms"
        target = WAIT_TARGET if pause else None
        ours = found[WARM]["ms"]
        rows += [Row(title, ours, "ms", who, found[who]["ms"], target) for who in (PEER, PEER_RAM)]
    return rows


def time_waits(bench: Bench, who: str, pause: float) -> Figures:
    """Return the median wait of a test."""
    finished = run_tests(bench, who, bench.tests(TESTS_PER_PAUSE), "-p", "phases", pause=pause)
    return {"ms": median(finished.phases["waits"]) * 1000}


def measure_starts(bench: Bench, name: str) -> list[Row]:
    """Measure how much later the first test begins than without a database, beside a bare server's start."""
    prepare(bench)
    turns = {who: partial(time_first, bench, who) for who in (NOTHING, COLD, WARM, PEER_RAM)}
    found = interleave(name, bench.rounds, turns | {BARE: partial(time_bare_start, bench)})
    alone, bare = found[NOTHING]["s"], found[BARE]["s"]
    peer = found[PEER_RAM]["s"] - alone
    title = "start to the first test, beyond pytest's own"
    return [
        Row(f"{title}: {who}", found[who]["s"] - alone, "s", other, figure, target)
        for who, other, figure, target in (
            (COLD, BARE, bare, None),
            (COLD, PEER_RAM, peer, None),
            (WARM, BARE, bare, START_TARGET),
            (WARM, PEER_RAM, peer, None),
        )
    ]


def time_first(bench: Bench, who: str) -> Figures:
    """Return the time from the start of a process to the body of its first test."""
    finished = run_tests(bench, who, 1, "-p", "phases")
    return {"s": finished.phases["first"] - finished.began}


def time_bare_start(bench: Bench) -> Figures:
    """Return the time that `postgres` takes to start by itself on a ready directory in RAM."""
    return {"s": float(run(bench.environment, "bare_start.py", str(bench.environment.ram / "bare")).stdout)}
