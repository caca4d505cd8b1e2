"""One server for all workers, every dataset built once, and what happens when the worker that builds it dies."""

from leftovers import FACTS, is_gone, noted

# The tables are created by a function that notes who has called it for which template.
CONFTEST = (
    FACTS
    + """
import signal
from pytest_gamedata.models import Base

def create_schema(engine):
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE built_by AS SELECT %s AS pid" % os.getpid())
    die_once("create_schema")
    note("seeded", template=engine.url.database, pid=os.getpid())

def die_once(where):
    pass

@pytest.fixture(scope="session")
def gamedata_create_schema():
    return create_schema

@pytest.fixture(autouse=True)
def noted(gamedata_server, pytestconfig, request):
    keepers = [entry for entry in os.listdir("/proc") if entry.isdigit() and is_keeper(entry, pytestconfig)]
    values = facts(gamedata_server, pytestconfig)
    note("facts", **values, keepers=len(keepers), test=request.node.name)

def is_keeper(pid, config):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            words = file.read().split("\\0")
    except OSError:  # it has just ended
        return False
    return "keeper.py" in words and config.stash[RUN].directory.name in words
"""
)
# Some of them die, once each, as soon as enough others have come for the server to stay.
DYING = """
import time
from pytest_gamedata.factories import Draw
from pytest_gamedata.factories import UserFactory
from pytest_gamedata.models import User

def die_once(where):
    try:
        os.close(os.open(where, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    deadline = time.monotonic() + 30
    while len(workers_with_a_server()) < min(3, int(os.environ["PYTEST_XDIST_WORKER_COUNT"])):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    note("died", where=where, pid=os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)

def workers_with_a_server():
    with open("facts") as file:
        return {json.loads(line)["pid"] for line in file}

def draw_levels(row, rng, n):
    if n == 6:
        die_once("draw")
    return rng.integers(80, 100, n)

class DoomedFactory(UserFactory):
    class Meta:
        model = User

    level = Draw(draw_levels)

@pytest.fixture(scope="session")
def gamedata_factories():
    return [DoomedFactory]
"""
TESTS = """
import psycopg
import pytest

SIZES = [pytest.param(users, marks=pytest.mark.gamedata(users=users)) for users in (5, 6)]

@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("users", SIZES)
def test_it(gamedata_db, users, number):
    assert gamedata_db.counts["users"] == users
    with psycopg.connect(gamedata_db.dsn) as connection:
        for table, count in gamedata_db.counts.items():
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)
        builder, = connection.execute("SELECT pid FROM built_by").fetchone()
        connection.execute("DROP TABLE users CASCADE")
    with open("builders", "a") as file:
        file.write(f"{builder}\\n")
"""


def test_one_server_and_every_dataset_built_once(project, run, own_tmp):
    project.makeconftest(CONFTEST)
    project.makepyfile(test_it=TESTS)

    result = run("-n4", "--dist=each")  # every worker runs every test

    result.assert_outcomes(passed=4 * 8)
    facts = noted(project)
    assert len({each["pid"] for each in facts}) == 4
    assert len({(each["run"], each["server"], each["postmaster"]) for each in facts}) == 1
    assert {each["keepers"] for each in facts} == {1}  # and each of them has one server
    seeded = noted(project, "seeded")
    assert len(seeded) == 2
    assert len({each["template"] for each in seeded}) == 2
    assert sum(line.startswith("  users ") for line in result.outlines) == 2
    assert is_gone(facts[0])
    assert not list(own_tmp.iterdir())


def test_another_worker_takes_over_from_one_that_dies_while_it_builds(project, run, own_tmp):
    """One dies while it draws rows, one in the middle of loading."""
    project.makeconftest(CONFTEST + DYING)
    project.makepyfile(test_it=TESTS)

    result = run("-n4")

    died, seeded, facts = noted(project, "died"), noted(project, "seeded"), noted(project)
    assert {each["where"] for each in died} == {"draw", "create_schema"}
    result.assert_outcomes(passed=6, failed=2)  # the tests that asked for what was being built
    assert len(seeded) == len({each["template"] for each in seeded}) == 2
    builders = {int(pid) for pid in (project.path / "builders").read_text().split()}
    assert builders == {each["pid"] for each in seeded}
    assert not builders & {each["pid"] for each in died}
    assert len({(each["server"], each["postmaster"]) for each in facts}) == 1
    assert is_gone(facts[0])
    assert not list(own_tmp.iterdir())


def test_the_successor_of_the_only_worker_starts_anew(project, run, own_tmp):
    project.makeconftest(CONFTEST + DYING)
    project.makepyfile(test_it=TESTS)

    result = run("-n1", "-k", "test_it[6-")

    result.assert_outcomes(passed=2, failed=2)
    facts = noted(project)
    assert len({each["pid"] for each in facts}) == 3
    assert {each["keepers"] for each in facts} == {1}
    assert all(is_gone(each) for each in facts)
    assert not list(own_tmp.iterdir())


def test_the_server_stays_for_a_worker_that_comes_to_it_late(project, run, own_tmp):
    """The other one has ended its session by then."""
    project.makeconftest(
        CONFTEST
        + """
def pytest_unconfigure(config):
    if hasattr(config, "workerinput"):
        open("ended", "w").close()
"""
    )
    project.makepyfile(test_early="def test_early(gamedata_db): pass")
    project.makepyfile(
        test_late="""
        import os, time
        import pytest

        @pytest.fixture
        def noted(): pass  # for this file needs no server yet

        def test_waits():
            deadline = time.monotonic() + 30
            while not os.path.exists("ended"):
                assert time.monotonic() < deadline
                time.sleep(0.01)

        @pytest.fixture(name="noted_late")
        def _(gamedata_server, pytestconfig):
            from conftest import facts, note
            note("facts", **facts(gamedata_server, pytestconfig))

        def test_late(gamedata_db, noted_late): pass
        """
    )

    run("--gamedata-users=1", "-n2", "--dist=loadfile").assert_outcomes(passed=3)

    facts = noted(project)
    assert len({each["pid"] for each in facts}) == 2
    assert len({each["postmaster"] for each in facts}) == 1
    assert len(noted(project, "seeded")) == 1
    assert is_gone(facts[0])
    assert not list(own_tmp.iterdir())
