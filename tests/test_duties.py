"""What must be done in 个人中心 first."""

from datetime import timedelta

import pytest

from db import clock, duties, settings
from db.models import STAFF, Role
from tests.make import make_account
from tests.test_authenticators import bind


def test_nothing_stands_in_the_way_of_a_fresh_account(session):
    for role in Role:
        assert duties.obstacle(session, make_account(session, role)) is None


def test_a_password_somebody_else_has_chosen_is_changed_first(session):
    account = make_account(session, must_change_password=True)
    assert duties.obstacle(session, account) == duties.CHANGE_PASSWORD


@pytest.mark.parametrize("role", Role)
def test_staff_change_their_password_every_ninety_days_unless_the_setting_says_otherwise(session, role):
    account = make_account(session, role, password_changed_at=clock.now() - timedelta(days=91))
    sentence = duties.obstacle(session, account)
    assert (sentence == duties.OLD_PASSWORD.format(days=90)) == (role in STAFF)
    administrator = make_account(session, Role.administrator)
    settings.save(session, {"staff_password_days": 0}, by=administrator)
    assert duties.obstacle(session, account) is None


@pytest.mark.parametrize("role", Role)
def test_staff_bind_a_telephone_where_the_setting_says_so(session, role):
    account = make_account(session, role)
    settings.save(session, {"staff_code": True}, by=make_account(session, Role.administrator))
    assert (duties.obstacle(session, account) == duties.BIND) == (role in STAFF)
    if role in STAFF:
        bind(session, account)
        assert duties.obstacle(session, account) is None
