"""The app under test, on the test's own seeded database."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from pytest_gamedata import GameDatabase
from shop_api import create_app, dependencies

SIGNING_KEY = "of the tests"


@pytest.fixture
def clock(gamedata_db: GameDatabase) -> SimpleNamespace:
    """The app's clock: it stands where the seeded history ends, until a test moves it."""
    return SimpleNamespace(now=gamedata_db.spec.until)


@pytest.fixture
def client(gamedata_db: GameDatabase, clock: SimpleNamespace) -> Iterator[TestClient]:
    app = create_app(gamedata_db.engine, SIGNING_KEY, lambda: clock.now)
    with TestClient(app, client=("203.0.113.7", 50_000)) as client:
        yield client


@pytest.fixture
def as_user(clock: SimpleNamespace) -> Callable[[int], dict[str, str]]:
    """Return the headers of a logged-in user, whatever their way of signing in."""

    def headers(user_id: int) -> dict[str, str]:
        token = dependencies.sign_token(SIGNING_KEY.encode(), user_id, clock.now + timedelta(hours=1))
        return {"Authorization": f"Bearer {token}"}

    return headers
