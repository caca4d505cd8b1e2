"""A seeded clone as pytest-django's test database, where the ini says `gamedata_django = true`.

Registered after pytest-django, whose `django_db_setup` it takes the place of.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_gamedata.errors import SettingsError
from pytest_gamedata.plugin.origins import find_parts
from pytest_gamedata.plugin.run_state import RUN

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

    from pytest_gamedata.postgres.clones import Admin
    from pytest_gamedata.postgres.pool import Pool

RENEW = pytest.StashKey[Callable[[], None]]()  # gives Django a new clone
NO_PLUGIN = (
    "ini gamedata_django needs pytest-django: pip install pytest-django, and leave `-p no:django` out."
)
NO_SETTINGS = (
    "ini gamedata_django needs Django's settings: set DJANGO_SETTINGS_MODULE in the ini, or call "
    "settings.configure()."
)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without pytest-django."""
    names = {getattr(plugin, "__name__", "") for plugin in config.pluginmanager.get_plugins()}
    if "pytest_django.plugin" not in names:
        raise pytest.UsageError(NO_PLUGIN)


def check_settings(blocker: Any) -> None:
    """Refuse settings of Django's that are not there, or not for PostgreSQL: pytest-django has no blocker then.

    Raises SettingsError.
    """
    if blocker is None:
        raise SettingsError(NO_SETTINGS)
    from django.db import connection

    if connection.vendor != "postgresql":
        raise SettingsError(
            f"ini gamedata_django: DATABASES['default'] is for {connection.vendor}, not for PostgreSQL. "
            "Set its ENGINE to django.db.backends.postgresql for the tests."
        )


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: Any,
    gamedata_create_schema: Callable[[Engine], None],
    gamedata_factories: Sequence[Any],
) -> Iterator[None]:
    """Give Django a seeded database for the run, and for each xdist worker one of its own."""
    from pytest_gamedata.databases.template import get_template
    from pytest_gamedata.plugin.failures import one_line_failures

    run = request.config.stash[RUN]
    admin, pool = request.getfixturevalue("_gamedata_databases")
    parts = find_parts(request, gamedata_create_schema, gamedata_factories)
    with one_line_failures():
        check_settings(django_db_blocker)
    with django_db_blocker.unblock(), one_line_failures(admin.server):
        template = get_template(run, admin, run.spec, parts)
        test_database = _TestDatabase(admin, pool, template.name)
        test_database.renew()
    request.config.stash[RENEW] = test_database.renew
    yield
    with django_db_blocker.unblock():
        test_database.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Give Django a new clone after a test that commits: it empties all tables at its end."""
    result = yield
    renew = item.config.stash.get(RENEW, None)
    if renew is not None and nextitem is not None and _commits(item):
        renew()
    return result


def _commits(item: pytest.Item) -> bool:
    """Tell whether a test runs outside of a transaction of Django's."""
    from django.test import TestCase, TransactionTestCase

    case = getattr(item, "cls", None)
    if isinstance(case, type) and issubclass(case, TransactionTestCase):
        return not issubclass(case, TestCase)
    marker = item.get_closest_marker("django_db")
    fixtures = {"transactional_db", "django_db_reset_sequences", "live_server"} & set(
        getattr(item, "fixturenames", ())
    )
    asked = marker is not None and (marker.kwargs.get("transaction") or marker.kwargs.get("reset_sequences"))
    return bool(fixtures or asked)


class _TestDatabase:
    """The clone that Django's default connection leads to."""

    def __init__(self, admin: Admin, pool: Pool, template: str) -> None:
        self._admin, self._pool, self._template = admin, pool, template
        self._name: str | None = None

    def renew(self) -> None:
        """Lead Django to a clone that nobody has used; drop the one before."""
        from django.db import connections

        used, self._name = self._name, self._pool.take(self._template, self._admin)
        server = self._admin.server
        connections.close_all()
        connect_django(server.host, str(server.port), server.user, server.password, self._name)
        if used is not None:
            self._pool.give_back(used)

    def close(self) -> None:
        """Close Django's connections, and drop the clone."""
        from django.db import connections

        connections.close_all()
        if self._name is not None:
            self._pool.give_back(self._name)


def connect_django(host: str, port: str, user: str, password: str, name: str) -> None:
    """Lead Django's default connection to a database, and those that mirror it in tests."""
    from django.conf import settings
    from django.db import connections

    address = {"HOST": host, "PORT": port, "USER": user, "PASSWORD": password, "NAME": name}
    for alias, configured in settings.DATABASES.items():
        if alias == "default" or configured.get("TEST", {}).get("MIRROR") == "default":
            connections[alias].close()
            connections[alias].settings_dict.update(address)
            configured.update(address)


def migrate(engine: Engine) -> None:
    """Create the tables of all Django applications by their migrations."""
    from django.core.management import call_command
    from django.db import connections

    before = dict(connections["default"].settings_dict)
    url: URL = engine.url
    connect_django(str(url.host), str(url.port), str(url.username), str(url.password), str(url.database))
    try:
        call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    finally:
        connections["default"].close()
        connections["default"].settings_dict.update(before)


def unblocked(request: pytest.FixtureRequest) -> Callable[[Engine], None]:
    """Return `migrate` with pytest-django's guard against queries lifted meanwhile."""
    blocker = request.getfixturevalue("django_db_blocker")

    def create_schema(engine: Engine) -> None:
        check_settings(blocker)
        with blocker.unblock():
            migrate(engine)

    return create_schema
