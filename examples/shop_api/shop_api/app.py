"""The app, put together."""

import os
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI
from sqlalchemy import Engine, create_engine, make_url

from shop_api import items, ledger, login


def create_app(
    engine: Engine | None = None, secret: str | None = None, now: Callable[[], datetime] | None = None
) -> FastAPI:
    """Build the app; what is not given comes from DATABASE_URL, SHOP_SECRET and the wall clock."""
    app = FastAPI(title="Shop")
    app.state.engine = engine or create_engine(
        make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
    )
    app.state.secret = (secret or os.environ["SHOP_SECRET"]).encode()
    app.state.now = now or (lambda: datetime.now(UTC))
    for room in (items, ledger, login):
        app.include_router(room.router)
    return app
