"""The app on the test's own database, whose tables the migrations make and the factories fill."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from factories import FACTORIES
from guild_api import create_app
from pytest_gamedata import GameDatabase


@pytest.fixture(scope="session")
def gamedata_factories() -> list[Any]:
    return FACTORIES


@pytest.fixture
def client(gamedata_db: GameDatabase) -> Iterator[TestClient]:
    # each request runs in an event loop of its own here: no connection outlives it
    app = create_app(create_async_engine(gamedata_db.async_url, poolclass=NullPool))
    with TestClient(app) as client:
        yield client


@pytest.fixture
def log_in(client: TestClient, gamedata_db: GameDatabase) -> Callable[[str], httpx.Response]:
    """Log in with the password that every account of the dataset has."""

    def log_in(handle: str) -> httpx.Response:
        return client.post("/login", json={"handle": handle, "password": gamedata_db.password})

    return log_in
