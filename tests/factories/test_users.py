import numpy as np

from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.streams import Streams
from pytest_gamedata.factories import UserFactory


def test_users_built_alone_have_a_second_factor_as_often_as_others():
    users = UserFactory.build_batch(1000)
    able = [user for user in users if user.signup_provider != "device" and user.email_verified_at]
    enabled = sum(user.mfa_enabled for user in able)

    assert all(user in able for user in users if user.mfa_enabled)
    assert 0.4 < enabled / (len(able) * dist.MFA_SHARE) < 1.9


def test_a_table_has_exactly_its_quota_of_payers():
    number = np.arange(1, 1001)
    users = UserFactory.columns(1000, Streams(1), number=number, rounding=0.0)

    assert users["payer"].sum() == round(1000 * dist.PRESETS["top_quartile"].payer_share)
