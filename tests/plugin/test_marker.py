"""The marker: where it may stand, which one wins key by key, what is refused at collection."""

import pytest

KEYS = "users, items, transactions, auth_events, days, until, seed, preset, isolation"
NUMBER = "a whole number from 0 to 100000000"


def test_closest_marker_wins_key_by_key(project, collect):
    project.makepyfile(
        """
        import datetime
        import pytest
        from pytest_gamedata.plugin.markers import spec_of

        pytestmark = pytest.mark.gamedata(users=1, items=1, days=1, seed=1)

        @pytest.fixture
        def spec(request):
            spec = spec_of(request.node)
            return spec.users, spec.items, spec.days, spec.seed

        def test_module(spec):
            assert spec == (1, 1, 1, 1)

        @pytest.mark.gamedata(items=2, days=2, seed=2)
        class TestClass:
            def test_class(self, spec):
                assert spec == (1, 2, 2, 2)

            @pytest.mark.gamedata(days=3, seed=3)
            @pytest.mark.parametrize("number", [3, pytest.param(4, marks=pytest.mark.gamedata(seed=4))])
            def test_param(self, number, spec):
                assert spec == (1, 2, 3, number)

        @pytest.mark.gamedata(users=5)
        @pytest.mark.gamedata(users=6, seed=6)
        def test_twice(spec):
            assert spec == (6, 1, 1, 6)

        class TestInherits(TestClass):
            pytestmark = pytest.mark.gamedata(seed=7)

            def test_class(self, spec):
                assert spec == (1, 2, 2, 7)

            test_param = None

        @pytest.mark.gamedata(items=8)
        class TestInheritsTwice(TestInherits):
            def test_class(self, spec):
                assert spec == (1, 8, 2, 7)

        @pytest.mark.gamedata(until=datetime.date(2024, 1, 2), transactions=0, auth_events=7)
        def test_other_keys(request):
            spec = spec_of(request.node)
            assert str(spec.until) == "2024-01-02 00:00:00+00:00"
            assert (spec.transactions, spec.auth_events) == (0, 7)

        @pytest.mark.gamedata()
        def test_nothing_said(spec):
            assert spec == (1, 1, 1, 1)
        """
    )

    collect("--gamedata-users=9", "--gamedata-seed=9").assert_outcomes(passed=9)


BAD_MARKERS = {
    "5": f"gamedata marker: 5 has no key. Allowed: {KEYS}.",
    "user=5": f"gamedata marker: key 'user' is not known. Allowed: {KEYS}.",
    "users=-1": f"gamedata marker: users: -1 is not allowed. Allowed: {NUMBER}.",
    "users='many'": f"gamedata marker: users: 'many' is not allowed. Allowed: {NUMBER}.",
    "users=1.0": f"gamedata marker: users: 1.0 is not allowed. Allowed: {NUMBER}.",
    "users=True": f"gamedata marker: users: True is not allowed. Allowed: {NUMBER}.",
    "items=None": f"gamedata marker: items: None is not allowed. Allowed: {NUMBER}.",
    "days=0": "gamedata marker: days: 0 is not allowed. Allowed: a whole number from 1 to 3650.",
    "until=2025": (
        "gamedata marker: until: 2025 is not allowed. Allowed: an ISO date or datetime from 1971 to 2090, or now."
    ),
    "preset='flop'": "gamedata marker: preset: 'flop' is not allowed. Allowed: median, top_quartile, hit or whale_heavy.",
    "isolation='chroot'": "gamedata marker: isolation: 'chroot' is not allowed. Allowed: database.",
    "users=0, transactions=2": (
        "transactions=2 needs somebody to make them, but users=0. Allowed: users from 1, or transactions=0."
    ),
    "items=0": (
        "items=0 leaves nothing to trade, but transactions are asked for (as many as the users make). "
        "Allowed: items from 1, or transactions=0 as well."
    ),
}


def write_bad_markers(project):
    tests = [
        f"@pytest.mark.gamedata({marker})\ndef test_{n}(gamedata_db): pass"
        for n, marker in enumerate(BAD_MARKERS)
    ]
    project.makepyfile(test_bad="\n".join(["import pytest", *tests]), test_good="def test_good(): pass")
    return [f"test_bad.py::test_{n}: {message}" for n, message in enumerate(BAD_MARKERS.values())]


def test_bad_markers_are_reported_at_collection(project, collect):
    lines = write_bad_markers(project)

    result = collect()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    start = result.outlines.index(lines[0])
    assert result.outlines[start : start + len(lines)] == lines
    assert "ERROR collecting test_bad.py" in result.outlines[start - 1]
    assert "Traceback" not in result.stdout.str()


def test_bad_markers_are_reported_once_under_xdist(project, run):
    lines = write_bad_markers(project)

    result = run("-n2")

    assert result.ret != pytest.ExitCode.OK
    result.assert_outcomes(errors=1, passed=1)  # xdist runs what could be collected
    assert [
        line for line in result.outlines if "gamedata marker: 5" in line and "ERROR" not in line
    ] == lines[:1]
    start = result.outlines.index(lines[0])
    assert result.outlines[start : start + len(lines)] == lines
    assert "Traceback" not in result.stdout.str()


def test_bad_marker_of_a_class_and_of_a_parameter(project, collect):
    project.makepyfile(
        test_class="""
        import pytest

        @pytest.mark.gamedata(user=1)
        class TestClass:
            def test_it(self): pass
        """,
        test_param="""
        import pytest

        @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.gamedata(seed="x"))], ids=str)
        def test_it(n): pass
        """,
    )

    result = collect()

    seed = "a whole number from 0 to 9223372036854775807"
    assert result.ret == pytest.ExitCode.INTERRUPTED
    messages = {
        f"test_class.py::TestClass::test_it: gamedata marker: key 'user' is not known. Allowed: {KEYS}.",
        f"test_param.py::test_it[2]: gamedata marker: seed: 'x' is not allowed. Allowed: {seed}.",
    }
    assert messages <= set(result.outlines)


def test_bad_marker_that_a_hook_adds_later(project, run, own_tmp):
    project.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            items[0].add_marker(pytest.mark.gamedata(size=3))
        """
    )
    project.makepyfile(test_it="def test_it(gamedata_db): pass")

    result = run()

    result.assert_outcomes(errors=1)
    message = f"gamedata marker: key 'size' is not known. Allowed: {KEYS}."
    assert [line for line in result.outlines if line.startswith("gamedata marker")] == [message]
    assert "Traceback" not in result.stdout.str()


def test_marker_is_registered_and_explained(project, collect):
    project.makepyfile("import pytest\n@pytest.mark.gamedata(users=5)\ndef test_it(): pass")

    collect("--strict-markers").assert_outcomes(passed=1)
    lines = collect("--markers").outlines
    assert lines[0] == (
        f"@pytest.mark.gamedata({KEYS}): the dataset that this test's gamedata_db holds; for example "
        "@pytest.mark.gamedata(users=5, transactions=0). Key by key the closest marker wins."
    )
