"""`gamedata_django = true`: pytest-django's test database is a seeded clone, made by Django's migrations."""

from textwrap import dedent

import pytest

SETTINGS = """
    SECRET_KEY = "of the tests"
    INSTALLED_APPS = ["arena"]
    USE_TZ = True
    ROOT_URLCONF = "arena.urls"
    STATIC_URL = "static/"
    DATABASES = {
        "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "production", "HOST": "production.invalid"},
    }
"""
MODELS = """
    from django.db import models

    class Player(models.Model):
        nickname = models.CharField(max_length=40, unique=True)
        class Meta:
            app_label = "arena"
"""
MIGRATION = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        initial = True
        operations = [
            migrations.CreateModel("Player", [
                ("id", models.BigAutoField(primary_key=True)),
                ("nickname", models.CharField(max_length=40, unique=True)),
            ]),
        ]
"""
URLS = """
    from arena.models import Player
    from django.http import HttpResponse
    from django.urls import path

    urlpatterns = [path("count", lambda request: HttpResponse(str(Player.objects.count())))]
"""
CONFTEST = """
    import pytest

    @pytest.fixture(scope="session")
    def gamedata_factories():
        from arena.models import Player
        from pytest_gamedata.factories import UserFactory

        class PlayerFactory(UserFactory):
            class Meta:
                model = Player
                rename = {"username": "nickname"}

        return [PlayerFactory]
"""


@pytest.fixture
def arena(project):
    """Give a project with a Django application."""
    project.ini(
        "gamedata_django = true", "DJANGO_SETTINGS_MODULE = conf", "pythonpath = .", "gamedata_users = 7"
    )
    project.mkpydir("arena")
    project.mkpydir("arena/migrations")
    files = {
        "arena/models": MODELS,
        "arena/migrations/0001_initial": MIGRATION,
        "arena/urls": URLS,
        "conf": SETTINGS,
    }
    for name, text in files.items():
        (project.path / f"{name}.py").write_text(dedent(text))
    project.makeconftest(dedent(CONFTEST))
    return project


@pytest.fixture
def run_django(run):
    """Give a callable that runs pytest with pytest-django."""
    return lambda *args: run("-p", "pytest_django.plugin", *args)


NOT_POSTGRESQL = (
    "ini gamedata_django: DATABASES['default'] is for sqlite, not for PostgreSQL. "
    "Set its ENGINE to django.db.backends.postgresql for the tests."
).replace("[", "[[]")
TESTS = """
    import urllib.request

    import pytest
    from django.db import connection
    from django.test import TestCase, TransactionTestCase
    from arena.models import Player

    @pytest.mark.django_db
    @pytest.mark.parametrize("time", [1, 2])
    def test_rows_are_there_each_time(time):
        assert Player.objects.count() == 7
        Player.objects.all().delete()

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("time", [1, 2])
    def test_commits_are_undone(time):
        assert Player.objects.count() == 7
        Player.objects.all().delete()

    @pytest.mark.parametrize("time", [1, 2])
    def test_with_transactional_db(transactional_db, time):
        assert Player.objects.count() == 7
        Player.objects.create(nickname="new")

    class TestInTransaction(TestCase):
        @classmethod
        def setUpTestData(cls):
            cls.count = Player.objects.count()

        def test_one(self):
            assert self.count == Player.objects.count() == 7
            Player.objects.all().delete()

        def test_two(self):
            assert Player.objects.count() == 7

    class TestCommitting(TransactionTestCase):
        def test_one(self):
            assert Player.objects.count() == 7
            Player.objects.all().delete()

        def test_two(self):
            assert Player.objects.count() == 7

    def test_live_server(live_server):
        assert urllib.request.urlopen(f"{live_server.url}/count").read() == b"7"

    @pytest.mark.django_db
    def test_a_database_of_its_own_beside_it(gamedata_db):
        assert gamedata_db.counts == {"arena_player": 7}
        assert gamedata_db.name != connection.settings_dict["NAME"]
        with gamedata_db.engine.connect() as other:
            assert other.exec_driver_sql("SELECT count(*) FROM arena_player").scalar() == 7
        assert gamedata_db.cast["whale"] in Player.objects.values_list("pk", flat=True)
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_every_kind_of_test_finds_the_rows(arena, run_django, workers):
    arena.makepyfile(dedent(TESTS))

    run_django(*workers).assert_outcomes(passed=12)


def test_mirrors_of_the_default_database_lead_there_too(arena, run_django):
    mirror = '\nDATABASES["replica"] = {**DATABASES["default"], "TEST": {"MIRROR": "default"}}\n'
    (arena.path / "conf.py").write_text(dedent(SETTINGS) + mirror)
    arena.makepyfile(
        dedent("""
        import pytest
        from arena.models import Player

        @pytest.mark.django_db(databases=["default", "replica"])
        def test_replica():
            assert Player.objects.using("replica").count() == 7
    """)
    )

    run_django().assert_outcomes(passed=1)


def test_without_pytest_django_it_is_a_usage_error(arena, collect):
    arena.ini("gamedata_django = true")
    (arena.path / "conftest.py").unlink()

    result = collect()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        "ERROR: ini gamedata_django needs pytest-django: pip install pytest-django, and leave `-p no:django` out."
    ]


def test_without_settings_of_django_the_error_says_so(arena, run_django):
    arena.ini("gamedata_django = true")
    (arena.path / "conftest.py").unlink()
    arena.makepyfile("def test_rows(gamedata_db): ...")

    result = run_django()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "ini gamedata_django needs Django's settings: set DJANGO_SETTINGS_MODULE in the ini, or call settings.configure()."
        ]
    )


def test_another_database_than_postgresql_is_refused(arena, run_django):
    text = (
        dedent(SETTINGS)
        .replace("backends.postgresql", "backends.sqlite3")
        .replace('"production"', '":memory:"')
    )
    (arena.path / "conf.py").write_text(text)
    arena.makepyfile("import pytest\n@pytest.mark.django_db\ndef test_rows(): ...")

    result = run_django()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([NOT_POSTGRESQL])
