"""Save a dataset as bytes that are ready to be loaded: `save_rows.py USERS DIRECTORY`."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from targets import new_database

from pytest_gamedata import DatasetSpec, build_dataset, load_dataset
from servers import started_server


def main(users: int, directory: Path) -> None:
    """Seed a database, and write its schema and its tables."""
    directory.mkdir()
    with started_server() as server:
        target = new_database(server)
        dataset = build_dataset(DatasetSpec(users=users))
        load_dataset(target.engine, dataset)
        target.engine.dispose()
        for section, name in (("pre-data", "tables.sql"), ("post-data", "keys.sql")):
            (directory / name).write_text(dump(section, target.dsn), encoding="utf-8")
        for table in dataset.tables:
            save_table(target.dsn, table, directory / f"{table}.bin")


def dump(section: str, dsn: str) -> str:
    """Return a section of the schema, without the lines that only psql understands."""
    command = [f"{os.environ['BENCH_BIN']}/pg_dump", f"--section={section}", "--no-owner", f"--dbname={dsn}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith("\\"))


def save_table(dsn: str, table: str, path: Path) -> None:
    """Write the rows of a table."""
    statement = f"COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT (FORMAT BINARY)".encode()
    with (
        psycopg.connect(dsn) as connection,
        path.open("wb") as file,
        connection.cursor().copy(statement) as copy,
    ):
        file.writelines(copy)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
