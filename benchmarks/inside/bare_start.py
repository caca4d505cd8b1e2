"""Start `postgres` by itself on a ready data directory, and print the seconds until a connection is accepted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

BIN = Path(os.environ["BENCH_BIN"])
TIMEOUT_SECONDS = 30.0
# what makes it start sooner: no worker processes, and no TCP
QUICK = ("-F", "-c", "io_method=sync", "-c", "autovacuum=off", "-c", "max_logical_replication_workers=0")


def main(data: Path) -> float:
    """Make the data directory if it is missing; return the time of one start."""
    if not data.exists():
        command = [str(BIN / "initdb"), "-D", str(data), "-U", "postgres", "--no-sync", "--auth=trust"]
        subprocess.run(command, capture_output=True, check=True)
    command = [str(BIN / "postgres"), "-D", str(data), *QUICK, "-k", str(data), "-c", "listen_addresses="]
    began = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_connection(data)
        return time.perf_counter() - began
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def wait_for_connection(data: Path) -> None:
    """Try to connect until it works."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            psycopg.connect(host=str(data), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.001)
        else:
            return


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
