"""Options and ini keys: what they default to, which of them wins, what is refused."""

import pytest

from pytest_gamedata.settings import SETTINGS

SPEC_TEST = """
    from dataclasses import asdict
    from pytest_gamedata.plugin.markers import spec_of

    def test_spec(request):
        spec = asdict(spec_of(request.node))
        assert {{name: str(spec[name]) for name in {expected}}} == {expected}
"""
NUMBER = "a whole number from 0 to 100000000"
DAYS = "a whole number from 1 to 3650"
SEED = "a whole number from 0 to 9223372036854775807"
DATE = "an ISO date or datetime from 1971 to 2090, or now"
OPTIONS = {
    "users": ("7", "100"),
    "items": ("9", "120"),
    "transactions": ("0", "None"),
    "auth_events": ("12", "None"),
    "days": ("30", "90"),
    "seed": ("0", "1"),
    "preset": ("whale_heavy", "top_quartile"),
    "isolation": ("database", "database"),
}
NATURAL = "as many as the users make"
ITEMS = "Allowed: items from 1, or transactions=0 as well."
BAD_VALUES = [
    ("users", "abc", NUMBER),
    ("users", "-1", NUMBER),
    ("users", "1.5", NUMBER),
    ("users", "", NUMBER),
    ("users", "100000001", NUMBER),
    ("items", "-5", NUMBER),
    ("transactions", "many", NUMBER),
    ("auth_events", "-1", NUMBER),
    ("days", "0", DAYS),
    ("days", "3651", DAYS),
    ("seed", "x", SEED),
    ("seed", "-1", SEED),
    ("until", "2025-13-01", DATE),
    ("until", "yesterday", DATE),
    ("until", "1969-12-31", DATE),
    ("until", "2091-01-01", DATE),
    ("preset", "blockbuster", "median, top_quartile, hit or whale_heavy"),
    ("isolation", "none", "database"),
]


def flag(name, value):
    return f"--gamedata-{name.replace('_', '-')}={value}"


def expect(project, **expected):
    """Make a test that passes if its specification has these values."""
    project.makepyfile(SPEC_TEST.format(expected=expected))


def test_defaults(project, collect):
    expect(
        project, until="2025-01-01 00:00:00+00:00", **{name: value for name, (_, value) in OPTIONS.items()}
    )

    collect().assert_outcomes(passed=1)


def test_every_option(project, collect):
    expect(project, **{name: value for name, (value, _) in OPTIONS.items()})

    result = collect(*(flag(name, value) for name, (value, _) in OPTIONS.items()))

    result.assert_outcomes(passed=1)


def test_every_ini_twin(project, collect):
    project.ini(*(f"gamedata_{name} = {value}" for name, (value, _) in OPTIONS.items()))
    expect(project, **{name: value for name, (value, _) in OPTIONS.items()})

    collect().assert_outcomes(passed=1)


def test_command_line_beats_ini_even_when_falsy(project, collect):
    project.ini("gamedata_users = 50", "gamedata_transactions = 8", "gamedata_seed = 3", "gamedata_items = 4")
    expect(project, users="0", transactions="0", seed="0", items="4")

    result = collect("--gamedata-users=0", "--gamedata-transactions=0", "--gamedata-seed=0")

    result.assert_outcomes(passed=1)


def test_marker_beats_both_even_when_falsy(project, collect):
    project.ini("gamedata_users = 50", "gamedata_items = 4", "gamedata_seed = 3")
    project.makepyfile(
        """
        import pytest
        from pytest_gamedata.plugin.markers import spec_of

        @pytest.mark.gamedata(users=0, seed=0)
        def test_spec(request):
            spec = spec_of(request.node)
            assert (spec.users, spec.items, spec.seed, spec.days) == (0, 4, 0, 30)
        """
    )

    collect("--gamedata-users=60", "--gamedata-days=30").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-02-29", "2024-02-29 00:00:00+00:00"),
        ("2024-02-29T12:30", "2024-02-29 12:30:00+00:00"),
        ("2024-02-29 12:30:05+02:00", "2024-02-29 10:30:05+00:00"),
        ("2024-02-29T12:30:00Z", "2024-02-29 12:30:00+00:00"),
    ],
)
def test_until_is_a_date_or_a_datetime_in_utc(project, monkeypatch, value, moment, collect):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    expect(project, until=moment)

    collect(f"--gamedata-until={value}").assert_outcomes(passed=1)


def test_now_is_one_moment_in_every_process_of_a_run(project, run):
    project.makepyfile(
        """
        import time, datetime, pathlib, pytest
        from pytest_gamedata.plugin.markers import spec_of

        by_marker = pytest.param(1, marks=pytest.mark.gamedata(until="now"))

        @pytest.mark.parametrize("number", [0, by_marker, 2, 3])
        def test_now(number, request):
            time.sleep(1.1 * (number == 0))
            until = spec_of(request.node).until
            pathlib.Path(f"until-{number}").write_text(str(until))
            assert abs(datetime.datetime.now(datetime.UTC) - until) < datetime.timedelta(minutes=5)
        """
    )
    project.ini("gamedata_until = now")

    run("-n2").assert_outcomes(passed=4)

    assert len({(project.path / f"until-{number}").read_text() for number in range(4)}) == 1


@pytest.mark.parametrize(("name", "value", "allowed"), BAD_VALUES)
def test_bad_value_is_one_line(refuse, name, value, allowed):
    said = refuse(flag(name, value))

    option = flag(name, "")[:-1]
    assert said == [f"ERROR: {option}: {value!r} is not allowed. Allowed: {allowed}."]


@pytest.mark.parametrize(("name", "value", "allowed"), BAD_VALUES[:4] + BAD_VALUES[-2:])
def test_bad_ini_value_is_one_line(project, refuse, name, value, allowed):
    project.ini(f"gamedata_{name} = {value}")

    assert refuse() == [f"ERROR: ini gamedata_{name}: {value!r} is not allowed. Allowed: {allowed}."]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gamedata_rebuild = maybe", "ini gamedata_rebuild: invalid truth value 'maybe'. Allowed: true or false."),
        ("gamedata_cache_key = 'app", "ini gamedata_cache_key: No closing quotation. Allowed: paths separated by spaces or line breaks."),
    ],
)  # fmt: skip
def test_ini_value_of_another_type_is_one_line(project, refuse, line, message):
    project.ini(line)

    assert refuse() == [f"ERROR: {message}"]


def test_settings_are_read_by_their_names(project, collect):
    for name in ("migrations/1.sql", "app/models.py", "a b.py"):
        file = project.path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    project.ini(
        "gamedata_rebuild = true", "gamedata_cache_key =", "    migrations/", "    app/*.py 'a b.py'",
        "gamedata_users = 5", "gamedata_seed = 6", "gamedata_password =",
    )  # fmt: skip
    project.makepyfile(
        """
        from pytest_gamedata.plugin.run_state import read_setting

        EXPECTED = {
            "users": 7, "seed": 6, "days": 90, "transactions": None, "cache": "off", "rebuild": True,
            "cache_key": ["migrations/", "app/*.py", "a b.py"], "password": "correct-horse-battery-staple",
        }

        def test_it(pytestconfig):
            assert {name: read_setting(pytestconfig, name) for name in EXPECTED} == EXPECTED
            assert pytestconfig.getini("gamedata_cache_key") == EXPECTED["cache_key"]
        """
    )

    collect("--gamedata-users=7").assert_outcomes(passed=1)


def test_command_line_cures_a_bad_ini_value(project, collect):
    project.ini("gamedata_users = many")
    expect(project, users="5")

    collect("--gamedata-users=5").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["--gamedata-items=0"],
            f"items=0 leaves nothing to trade, but transactions are asked for ({NATURAL}). {ITEMS}",
        ),
        (
            ["--gamedata-items=0", "--gamedata-transactions=5"],
            f"items=0 leaves nothing to trade, but transactions are asked for (5). {ITEMS}",
        ),
        (
            ["--gamedata-users=0", "--gamedata-transactions=5"],
            "transactions=5 needs somebody to make them, but users=0. Allowed: users from 1, or transactions=0.",
        ),
        (
            ["--gamedata-users=0", "--gamedata-auth-events=6"],
            "auth_events=6 needs somebody to make them, but users=0. Allowed: users from 1, or auth_events=0.",
        ),
    ],
)
def test_sizes_that_cannot_be_had_together(refuse, args, message):
    assert refuse(*args) == [f"ERROR: {message}"]


@pytest.mark.parametrize(
    "args",
    [
        ["--gamedata-items=0", "--gamedata-transactions=0"],
        ["--gamedata-items=0", "--gamedata-users=0"],
        ["--gamedata-users=0", "--gamedata-transactions=0", "--gamedata-auth-events=0"],
    ],
)
def test_nothing_is_a_size_too(project, args, collect):
    project.makepyfile("def test_nothing(): pass")

    collect(*args).assert_outcomes(passed=1)


@pytest.mark.parametrize("name", ["gamedata_password", "gamedata_password_hash"])
def test_password_and_hash_belong_together(project, refuse, name):
    project.ini(f"{name} = something")

    assert refuse() == [
        "ERROR: ini gamedata_password and gamedata_password_hash belong together: set both, or neither."
    ]


def test_bad_value_is_one_line_under_xdist(project, run):
    project.makepyfile("def test_nothing(): pass")

    result = run("-n2", "--gamedata-users=abc")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    message = f"ERROR: --gamedata-users: 'abc' is not allowed. Allowed: {NUMBER}."
    assert [line for line in result.errlines if line] == [message]


def test_bad_value_starts_nothing(project, run, own_tmp):
    project.makepyfile("def test_it(gamedata_db): pass")

    result = run("--gamedata-users=-1", f"--postgresql-exec={record_calls(project)}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert not (project.path / "calls").exists()
    assert not list(own_tmp.iterdir())


def test_collecting_starts_nothing(project, run, own_tmp):
    project.makepyfile("def test_it(gamedata_db): pass")

    result = run("--collect-only", f"--postgresql-exec={record_calls(project)}")

    result.stdout.fnmatch_lines(
        ["gamedata: users=100 *; PostgreSQL 17.1 (--postgresql-exec)", "*1 test collected*"]
    )
    assert set((project.path / "calls").read_text().splitlines()) == {"postgres --version"}
    assert not list(own_tmp.glob("gamedata-*"))


def record_calls(project):
    """Make a pretended PostgreSQL 17 that writes down each call, and return its pg_ctl."""
    for name in ("pg_ctl", "postgres", "initdb"):
        script = project.path / name
        script.write_text(
            f'#!/bin/sh\necho "{name} $*" >> {project.path}/calls\necho "{name} (PostgreSQL) 17.1"\n'
        )
        script.chmod(0o755)
    return project.path / "pg_ctl"


def test_help_lists_every_option_and_ini(project, collect):
    result = collect("--help")

    words = " ".join(result.stdout.str().split())
    assert "gamedata: a seeded PostgreSQL database for each test:" in words
    for setting in SETTINGS.values():
        assert f"{setting.ini} ({setting.ini_type}): {setting.help_text}" in words
        assert setting.ini_only or f"  {setting.flag}" in result.stdout.str()
    assert f"--gamedata-users=N number of users: {NUMBER} (default: 100)" in words
    assert f"--gamedata-until=DATE end of the window: {DATE} (default: 2025-01-01)" in words
    assert (
        f"--gamedata-transactions=N exact number of transactions: {NUMBER} "
        "(default: what the users' activity gives)"
    ) in words
    for name in [*OPTIONS, "until"]:
        assert f"gamedata_{name} (string):" in words
    for name in ("gamedata_password", "gamedata_password_hash"):
        assert f"{name} (string): replaces the password of all password accounts; set both" in words


def test_fixtures_are_explained(project, collect):
    result = collect("--fixtures")

    result.stdout.fnmatch_lines_random(
        [
            "gamedata_db -- *",
            "    Give the test a database of its own, seeded as the options and the test's markers say.",
            "gamedata_session -- *",
            "    Give a SQLAlchemy session on this test's database, through which the factories' create() persists.",
            "gamedata_engine -- *",
            "    Give a SQLAlchemy engine on this test's database, disposed afterwards.",
            "gamedata_server [[]session scope[]] -- *",
            "    Give the run's PostgreSQL server: host, port, user, password, dbname, version.",
            "gamedata_factories [[]session scope[]] -- *",
            "    Give the factories that seed a database; override it to bring your own.",
            "gamedata_create_schema [[]session scope[]] -- *",
            "    Give a callable that creates the tables; override it to run your migrations.",
        ]
    )
