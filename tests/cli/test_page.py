"""The page of the docs: its transcripts and its program, run in their order."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
from commands import environment, started

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
BLOCKS = re.findall(r"^```(console|python)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
# what differs from run to run, and from machine to machine
VARIES = r"\d+\.\d+ s \([\d,]+ rows/s\)|postgresql://[^\s']+|PostgreSQL \d+\.\d+ \([^)]*\)|(?:in RAM|on disk)(?:, from the cache)?"
NOT_RUN = ("pip install", "export ", "gamedata serve --users 1000 -- psql")  # not every machine has psql
SESSION = 8  # transcripts that are run


def bare(text):
    return [re.sub(VARIES, "*", line).rstrip() for line in text.strip().splitlines()]


def run(command, variables):
    if command.startswith("psql $DATABASE_URL -qc "):
        with psycopg.connect(variables["DATABASE_URL"]) as connection:
            connection.execute(command.partition("-qc ")[2].strip("'"))
        return ""
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(["bash", "-c", command], check=False, env=variables, **piped).stdout


def run_until_ctrl_c(command, variables):
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], stdout=subprocess.PIPE, text=True, env=variables
    )
    started.append(process)
    out = ""
    while "Ctrl-C" not in out:
        out += process.stdout.readline()
        assert process.poll() is None, out
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    return f"{out}^C\n"


def test_the_page_is_true(empty, tmp_path):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = environment(PATH=path, DATABASE_URL=empty.dsn, XDG_CACHE_HOME=str(tmp_path))
    done = 0
    for kind, text in BLOCKS:
        command, _, shown = text.removeprefix("$ ").partition("\n")
        if kind == "python":
            program = text.replace(
                "postgresql+psycopg://me@localhost/staging", empty.url.render_as_string(hide_password=False)
            )
            payers, counts = run_program(program, variables)
            assert payers.startswith("{'users': 20, 'share': 0.02, 'revenue_usd_cents': ")
            assert counts == "{'users': 1000, 'items': 120, 'transactions': 4572, 'auth_events': 20257}"
        elif not command.startswith(NOT_RUN):
            act = run_until_ctrl_c if shown.endswith("^C\n") else run
            assert bare(act(command, variables)) == bare(shown), command
            done += 1

    assert done == SESSION


def run_program(program, variables):
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, env=variables, capture_output=True, text=True
    )
    return done.stdout.splitlines()
