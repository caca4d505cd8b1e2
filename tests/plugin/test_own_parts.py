"""A test suite's own schema and factories: built once per run, and kept only for the files that the ini names."""

from textwrap import dedent

import pytest

INI = """\
[pytest]
addopts = --strict-markers -p no:cacheprovider
pythonpath = .
gamedata_cache = kept
filterwarnings = error
"""
# `build(label)` gives a create_schema that notes each of its calls, and leaves its label in the database.
BUILDING = """
    from pathlib import Path
    from sqlalchemy import text

    def build(label):
        def create_schema(engine):
            from pytest_gamedata.models import Base
            Base.metadata.create_all(engine)
            with engine.begin() as connection:
                connection.execute(text(f"CREATE TABLE label_{label} ()"))
            with Path(__file__).with_name("builds").open("a") as file:
                file.write(f"{label}\\n")
        return create_schema

    def label_of(db):
        with db.engine.connect() as connection:
            return connection.scalar(text("SELECT substr(relname, 7) FROM pg_class WHERE relname LIKE 'label%'"))
"""
OVERRIDE = """
    import pytest
    from building import build, label_of

    @pytest.fixture(scope="session")
    def gamedata_create_schema({arguments}):
        return build({label})
"""


@pytest.fixture
def building(project):
    """Give a project with a cache of its own; `write()` adds files, `builds()` tells which labels were built since."""
    project.ini = lambda *lines: project.makeini("\n".join([INI, *lines]))
    project.ini()

    def write(**files):
        for name, content in files.items():
            path = project.path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(dedent(content))

    def builds():
        noted = project.path / "builds"
        found = noted.read_text().split() if noted.exists() else []
        noted.unlink(missing_ok=True)
        return found

    project.write, project.builds = write, builds
    write(building=BUILDING)
    return project


def override(label, arguments=""):
    return dedent(OVERRIDE).format(label=label, arguments=arguments)


TESTS = """
@pytest.mark.parametrize("number", range(4))
def test_label(gamedata_db, number):
    assert label_of(gamedata_db) == {label!r}
"""


@pytest.mark.parametrize("arguments", ["", "request", "pytestconfig, tmp_path_factory"])
def test_all_workers_share_what_one_has_built(building, run, arguments):
    building.write(
        conftest=override("'a'", arguments),
        **{
            f"test_{name}": "import pytest\nfrom building import label_of\n" + TESTS.format(label="a")
            for name in "ab"
        },
    )

    run("--gamedata-users=1", "-n2", "--dist=load").assert_outcomes(passed=8)

    assert building.builds() == ["a"]


@pytest.mark.parametrize("args", [[], ["-n2"]], ids=["alone", "n2"])
def test_overrides_of_one_name_are_told_apart(building, run, args):
    """By the module, class or directory that they are in, though they are the same code."""
    building.write(
        test_a=override("'a'") + TESTS.format(label="a"),
        test_b=override("'b'") + TESTS.format(label="b"),
        sub__conftest=override("'c'"),
        sub__test_c="import pytest\nfrom building import label_of\n" + TESTS.format(label="c"),
        test_classes="""
            import pytest
            from building import build, label_of

            class Base:
                @pytest.fixture
                def gamedata_create_schema(self):
                    return build(self.label)

                def test_label(self, gamedata_db):
                    assert label_of(gamedata_db) == self.label

            class TestD(Base):
                label = "d"

            class TestE(Base):
                label = "e"
        """,
    )

    run("--gamedata-users=1", *args).assert_outcomes(passed=14)

    assert sorted(building.builds()) == ["a", "b", "c", "d", "e"]


def test_a_fixture_that_another_one_asks_for_is_part_of_the_origin(building, run):
    """A run of both modules builds what the first one gives; a run of the second alone must not find that."""
    building.ini("gamedata_cache_key = building.py")
    given = "@pytest.fixture(scope='session')\ndef label(): return {label!r}\n" + TESTS
    head = "import pytest\nfrom building import label_of\n"
    building.write(
        conftest=override("names[0]", "names")
        + "@pytest.fixture(scope='session')\ndef names(label): return [label]\n",
        test_a=head + given.format(label="a"),
        test_b=head + given.format(label="b"),
    )

    both = run("--gamedata-users=1")
    alone = run("--gamedata-users=1", "test_b.py")

    both.assert_outcomes(passed=4, failed=4)  # pytest's own rule: a session's value is kept
    alone.assert_outcomes(passed=4)
    assert building.builds() == ["a", "b"]


@pytest.mark.parametrize("args", [[], ["-n2"]], ids=["alone", "n2"])
def test_each_parameter_of_a_fixture_gives_another_template(building, run, args):
    building.write(
        conftest=override("wrapped", "wrapped")
        + """
@pytest.fixture(scope="session", params=["a", pytest.param("b", id="second")])
def label(request):
    return request.param

@pytest.fixture(scope="session")
def wrapped(label):
    return label
""",
        test_labels="""
            import pytest
            from building import label_of

            @pytest.mark.parametrize("number", range(3))
            def test_label(gamedata_db, label, number):
                assert label_of(gamedata_db) == label
        """,
    )

    run("--gamedata-users=1", *args).assert_outcomes(passed=6)

    assert sorted(building.builds()) == ["a", "b"]


def test_a_parameter_that_is_asked_for_by_request_is_part_of_the_origin(building, run):
    """pytest keeps the value that the first parameter gave; a run of the second alone must not find that."""
    building.ini("gamedata_cache_key = building.py")
    building.write(
        conftest=override("request.getfixturevalue('label')", "request")
        + "\n@pytest.fixture(scope='session', params=['a', 'b'])\ndef label(request): return request.param\n",
        test_label="""
            from building import label_of

            def test_label(gamedata_db, label):
                assert label_of(gamedata_db) == label
        """,
    )

    run("--gamedata-users=1")
    alone = run("--gamedata-users=1", "-k", "test_label[b]")

    alone.assert_outcomes(passed=1, deselected=1)
    assert building.builds() == ["a", "b"]


def test_parameters_that_a_test_gives_are_its_own(building, run):
    """Two tests give the same position different values."""
    building.write(
        conftest=override("label", "label").replace('scope="session"', "")
        + "\n@pytest.fixture\ndef label(request): return request.param\n",
        test_labels="""
            import pytest
            from building import build, label_of

            @pytest.mark.parametrize("label", ["a", "b"])
            def test_one(gamedata_db, label):
                assert label_of(gamedata_db) == label

            @pytest.mark.parametrize("label", ["c"])
            def test_other(gamedata_db, label):
                assert label_of(gamedata_db) == label

            @pytest.mark.parametrize("label", ["d"], indirect=True)
            def test_indirect(gamedata_db, label):
                assert label_of(gamedata_db) == label

            @pytest.mark.parametrize("gamedata_create_schema", [build("e")])
            def test_direct(gamedata_db):
                assert label_of(gamedata_db) == "e"

            class TestNode:
                @pytest.fixture
                def label(self, request):
                    return request.node.name[-1]

                def test_f(self, gamedata_db):
                    assert label_of(gamedata_db) == "f"

                def test_g(self, gamedata_db):
                    assert label_of(gamedata_db) == "g"
        """,
    )

    run("--gamedata-users=1").assert_outcomes(passed=7)

    assert sorted(building.builds()) == ["a", "b", "c", "d", "e", "f", "g"]


@pytest.fixture
def keeping(building):
    """Give a project whose own schema is made of `migrations/`; `key()` writes gamedata_cache_key."""
    building.write(
        conftest=override(
            "Path(__file__).with_name('migrations').joinpath('label').read_text().strip()"
        ).replace("import pytest", "import pytest\nfrom pathlib import Path"),
        test_it="def test_it(gamedata_db): pass",
    )
    building.mkdir("migrations").joinpath("label").write_text("a")
    building.key = lambda entries: building.ini(f"gamedata_cache_key = {entries}")
    return building


def test_without_a_key_every_run_builds(keeping, run):
    keeping.key("")
    for _ in range(2):
        result = run("--gamedata-users=1")

        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["  users 1, *: built in *"])
        assert keeping.builds() == ["a"]
    result.stdout.fnmatch_lines(["PostgreSQL *, from the cache, started in *"])  # the empty server is kept


def test_with_a_key_later_runs_find_what_has_not_changed(keeping, run):
    keeping.key("migrations/ *.py")
    migrations = keeping.path / "migrations"

    def built(*args):
        run("--gamedata-users=1", *args).assert_outcomes(passed=1)
        return keeping.builds()

    assert built() == ["a"]
    assert built("-n2") == []
    migrations.joinpath("label").write_text("b")
    assert built() == ["b"]
    migrations.joinpath("more").write_text("")
    assert built() == ["b"]
    migrations.joinpath("more").rename(migrations / "other")
    assert built() == ["b"]
    assert built() == []
    keeping.path.joinpath("unnamed.txt").write_text("")
    assert built() == []
    keeping.write(conftest=keeping.path.joinpath("conftest.py").read_text() + "\n")
    assert built() == ["b"]
    installed = keeping.mkdir("other-2.0.dist-info")
    installed.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 2.0\n")
    assert built() == ["b"]
    assert built() == []


def test_files_that_change_while_the_run_loads_its_code_are_not_kept(keeping, run):
    keeping.key("migrations/")
    keeping.write(
        conftest=keeping.path.joinpath("conftest.py").read_text() + "\nPath('migrations/label').touch()\n"
    )

    for _ in range(2):
        run("--gamedata-users=1", "-n2").assert_outcomes(passed=1)

        assert keeping.builds() == ["a"]


def test_our_own_create_all_needs_no_key(keeping, run):
    keeping.key("")
    keeping.write(
        conftest="""
            import pytest
            from pytest_gamedata.factories import FACTORIES
            from pytest_gamedata.models import Base

            @pytest.fixture(scope="session")
            def gamedata_create_schema():
                return Base.metadata.create_all

            @pytest.fixture(scope="session")
            def gamedata_factories():
                return list(FACTORIES)
        """
    )

    results = [run("--gamedata-users=1") for _ in range(2)]

    results[0].stdout.fnmatch_lines(["  users 1, *: built in *"])
    results[1].stdout.fnmatch_lines(["  users 1, *: from the cache"])


def test_a_key_that_names_nothing_is_refused_before_anything_starts(keeping, refuse):
    keeping.key("conftest.py migration/ *.sql")

    assert refuse() == [
        f"ERROR: ini gamedata_cache_key: 'migration/' matches no file. Name files, directories or globs below {keeping.path}."
    ]


def test_names_are_relative_to_the_ini_file(keeping, run):
    keeping.key("migrations")
    directory = keeping.mkdir("elsewhere")
    result = run("--gamedata-users=1", "-c", "tox.ini", "--rootdir", str(directory), "test_it.py")

    result.assert_outcomes(passed=1)
