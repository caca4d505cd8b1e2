"""Guilds: rows of ordinary factories, whose parents are seeded accounts."""

import pytest
from sqlalchemy import func, select

from guild_api.models import Account, Guild, Membership, State


def test_guilds_are_listed_with_their_members(client, gamedata_db):
    listed = client.get("/guilds").json()

    assert len(listed) == 20
    assert sum(guild["members"] for guild in listed) == gamedata_db.counts["social.memberships"]


def test_founders_are_active_accounts(gamedata_db):
    with gamedata_db.session() as session:
        founders = session.scalars(select(Account).join(Guild, Guild.founder_uuid == Account.uuid)).all()

    assert {founder.state for founder in founders} == {State.ACTIVE}


@pytest.mark.gamedata(users=1000)
def test_accounts_are_in_one_or_two_guilds_on_average(gamedata_db):
    with gamedata_db.session() as session:
        members = session.scalar(select(func.count()).select_from(Membership))

    assert 1.3 < members / 1000 < 1.7


def test_joining_twice_is_refused(client, gamedata_db):
    with gamedata_db.session() as session:
        guild, account = session.execute(select(Membership.guild_id, Membership.account_uuid).limit(1)).one()

    response = client.post(f"/guilds/{guild}/members", json={"account": str(account)})

    assert response.status_code == 409


def test_new_rows_get_free_ids(gamedata_db):
    with gamedata_db.session() as session:
        guild = Guild(name="Latecomers", founder_uuid=gamedata_db.cast["whale"])
        session.add(guild)
        session.commit()

        assert guild.id == 21
