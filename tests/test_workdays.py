"""The lawful time limit as lists of running verifications show it."""

from datetime import date

from db import settings, workdays
from db.models import Role
from tests.make import make_account

MONDAY = date(2026, 11, 23)


def test_what_is_left_is_counted_in_working_days(session):
    limit = workdays.limit(session)
    assert limit.unit == "个工作日"
    assert limit.left(MONDAY, date(2026, 11, 30)) == 5
    assert limit.left(MONDAY, MONDAY) == 0
    assert limit.left(MONDAY, date(2026, 11, 20)) == -1


def test_or_in_calendar_days_where_the_province_says_so(session):
    administrator = make_account(session, Role.administrator)
    settings.save(session, {"limit_in_calendar_days": True}, by=administrator)
    limit = workdays.limit(session)
    assert limit.unit == "天"
    assert limit.left(MONDAY, date(2026, 11, 20)) == -3
    assert not limit.deadline(date(2026, 12, 30), date(2027, 1, 5)).is_estimated


def test_a_deadline_beyond_the_published_years_is_estimated(session):
    limit = workdays.limit(session)
    assert not limit.deadline(MONDAY, date(2026, 12, 21)).is_estimated
    assert "按周一至周五估算" in str(limit.deadline(date(2026, 12, 14), date(2027, 1, 11)))
