"""The plan of a server: what its keeper makes, runs, keeps and removes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """What to make, to run, to keep and to remove afterwards; cluster.py decides it."""

    run_dir: str
    directories: list[str]  # to make, private to the account
    copies: dict[str, str]  # from file or tree, to
    files: dict[str, str]  # path and content
    account: tuple[int, int] | None  # uid and gid, where they are not our own
    environment: dict[str, str]
    data: str  # the data directory
    image: str | None  # what to make it from; without one, or with one that cannot be used, initdb makes it
    initdb: list[list[str]]
    postgres: list[str]
    ports: list[int]
    log: str
    sockets: str
    images: str | None  # the directory to keep an image in
    family: str  # servers of one family can start from each other's images
    single: list[str]  # the server for one session, its statements on standard input
    scrub: list[str]  # the statements that remove what is this run's own
    resetwal: list[str]
    lifeline: int  # descriptor
    status: int  # descriptor
