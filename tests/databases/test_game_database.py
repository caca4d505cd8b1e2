import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


@pytest.mark.gamedata(users=3, transactions=0)
def test_async_url_opens_an_async_engine(gamedata_db):
    async def count_users():
        engine = create_async_engine(gamedata_db.async_url)
        async with engine.connect() as connection:
            count = await connection.scalar(text("SELECT count(*) FROM users"))
        await engine.dispose()
        return count

    assert asyncio.run(count_users()) == 3
