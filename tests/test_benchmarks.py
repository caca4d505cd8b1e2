"""Every measurement works, and its lines of the table are there. The figures of so small a run say nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
RAM = Path("/dev/shm")
PEERS = ("pytest-postgresql", "pytest-postgresql in RAM")
LIMIT = "COPY BINARY of ready bytes, keys, indexes (limit)"
FACTORY_BOY = "Factory Boy `create_batch`, 1,000 users"
START = "start to the first test, beyond pytest's own: ours,"
LOAD = "50 users (3,172 rows),"


@pytest.fixture
def bench(own_tmp):
    """Give a callable that runs the command with the packages of this environment."""

    def bench(*args):
        command = [sys.executable, BENCHMARKS / "bench.py", "--python", sys.executable, *args]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return bench


def lines_of(table):
    """What is measured, and beside what."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [(cells[0], cells[2] if len(cells) > 2 else "") for cells in lines[2:]]


def test_every_kind_of_measurement_works(bench, own_tmp):
    before = set(RAM.glob("gamedata-bench-*"))

    done = bench(
        "--tiny",
        "--rounds=1",
        "--only",
        "waits",
        "starts",
        "imports",
        "load-1000",
    )

    assert done.returncode == 0, done.stderr
    assert lines_of(done.stdout) == [
        *(("setup, connection and teardown of a test that lasts 0 ms", peer) for peer in PEERS),
        *((f"{START} {cache}", peer) for cache in ("cold", "warm") for peer in ("bare `postgres` (limit)", PEERS[1])),
        ("imports of our own modules, plugin unused", PEERS[0]),
        ("the same with what only they import", PEERS[0]),
        *((f"{LOAD} from specification to tables", peer) for peer in (LIMIT, "SQLAlchemy bulk insert", FACTORY_BOY)),
        (f"{LOAD} loading alone", LIMIT),
        (f"{LOAD} peak memory of the process", ""),
    ]  # fmt: skip
    assert list(own_tmp.iterdir()) == []
    assert set(RAM.glob("gamedata-bench-*")) <= before


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--python=nowhere"], "--python: 'nowhere' does not exist."),
        (["--rounds=0"], "--rounds: at least 1."),
        (["--output=page.md", "--tiny"], "--output takes the whole table: leave out --only and --tiny."),
        (["--output=page.md"], "--output: 'page.md' has no marker lines <!-- begin --> and <!-- end -->."),
    ],
)
def test_an_option_that_cannot_be_kept_is_refused_at_once(bench, args, message):
    done = bench(*args)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"bench.py: error: {message}"


def test_everybody_has_a_turn_in_each_round(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from measuring import interleave

    seconds, turns = iter([1.0, 10.0, 3.0, 30.0, 2.0, 20.0]), []

    def take_turn(name):
        turns.append(name)
        return {"s": next(seconds)}

    found = interleave("sizes", 3, {"ours": lambda: take_turn("ours"), "peer": lambda: take_turn("peer")})

    assert turns == ["ours", "peer"] * 3
    assert found == {"ours": {"s": 2.0}, "peer": {"s": 20.0}}


def test_a_ratio_above_one_says_that_ours_is_better(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from measuring import Row, Target
    from table import table

    rows = [
        Row("time", 2.0, "s", "peer", 16.0, Target(least_ratio=8)),
        Row("rate", 1_000.0, "rows/s", "peer", 2_000.0, Target(least_ratio=0.6)),
        Row("memory", 1_600.0, "MB", target=Target(most=1_500)),
    ]

    assert [line.replace("\N{MULTIPLICATION SIGN}", "x") for line in table(rows)][2:] == [
        "| time | 2 s | peer | 16 s | 8x | at least 8x | met |",
        "| rate | 1,000 rows/s | peer | 2,000 rows/s | 0.5x | at least 0.6x | **missed** |",
        "| memory | 1,600 MB |  |  |  | at most 1,500 MB | **missed** |",
    ]
