"""The factories that fill pytest-django's test database."""

import pytest


@pytest.fixture(scope="session")
def gamedata_factories():
    from factories import FACTORIES  # Django is set up by now

    return FACTORIES
