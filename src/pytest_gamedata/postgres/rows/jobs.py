"""Run jobs that depend on each other, one by one or on several connections at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from queue import SimpleQueue
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]
Cursor = psycopg.Cursor[Any]
Action = Callable[[Cursor], None]
Name = tuple[str, ...]
# By name: the jobs that must be done before, and the action. Jobs begin in the order of the dictionary.
Jobs = dict[Name, tuple[Collection[Name], Action]]


def run_in_turn(cursor: Cursor, jobs: Jobs) -> None:
    """Run one job after the other, each after those that it depends on."""
    for name in _graph(jobs).static_order():
        jobs[name][1](cursor)


def run_at_once(connections: Sequence[Connection], jobs: Jobs) -> None:
    """Run as many jobs at a time as there are connections, each in a transaction of its own.

    The first error is raised, after the other connections' queries were cancelled.
    """
    idle: SimpleQueue[Connection] = SimpleQueue()
    for connection in connections:
        idle.put(connection)
    with ThreadPoolExecutor(len(connections), "gamedata-load") as pool:
        try:
            _run(pool, idle, jobs)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for connection in connections:
                connection.cancel_safe()
            raise


def _run(pool: ThreadPoolExecutor, idle: SimpleQueue[Connection], jobs: Jobs) -> None:
    graph = _graph(jobs)
    graph.prepare()
    running: dict[Future[None], Name] = {}
    while graph.is_active():
        running.update({pool.submit(_do, idle, jobs[name][1]): name for name in graph.get_ready()})
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            future.result()
            graph.done(running.pop(future))


def _do(idle: SimpleQueue[Connection], action: Action) -> None:
    connection = idle.get()  # there is one for each thread
    try:
        with connection.transaction(), connection.cursor() as cursor:
            action(cursor)
    finally:
        idle.put(connection)


def _graph(jobs: Jobs) -> TopologicalSorter[Name]:
    return TopologicalSorter({name: needs for name, (needs, _) in jobs.items()})
