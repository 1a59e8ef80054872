"""Which accounts somebody may mean, and who may look for them."""

import pytest

from db import candidates
from db.models import Enterprise, Role
from tests import make


@pytest.fixture
def wang(session):
    """王芳 of the boiler works."""
    return make.make_account(session, username="wang", mobile="13800138000")


@pytest.fixture
def asker(session):
    """周晓雯, who reviews 杭州."""
    return make.make_account(session, Role.reviewer, full_name="周晓雯")


def test_an_account_is_found_by_credit_code_and_by_user_name(session, wang, asker):
    code = session.get_one(Enterprise, wang.enterprise_id).credit_code
    for text in ("wang", " WANG ", code, code.lower()):
        assert [one.username for one in candidates.search(session, text, by=asker)] == ["wang"]
    (one,) = candidates.search(session, "wang", by=asker)
    assert (one.belongs_to, one.mobile) == ("杭州明达锅炉厂", "138****8000")
    for text in ("", "wan", "%", code[:-1]):
        assert candidates.search(session, text, by=asker) == []


def test_nobody_finds_staff_or_accounts_of_another_area(session, wang, asker):
    boss = make.make_account(session, Role.administrator)
    away = make.make_account(session, Role.reviewer, division_code="330108")
    assert candidates.search(session, "wang", by=away) == []
    assert candidates.search(session, boss.username, by=asker) == []
    assert candidates.search(session, asker.username, by=boss) == []


def test_a_person_is_found_where_an_enterprise_granted_a_link(session, wang, asker):
    person = make.make_account(session, Role.personal, username="chen")
    assert candidates.search(session, "chen", by=asker) == []
    everywhere = make.make_account(session, Role.reviewer, division_code=None)
    assert len(candidates.search(session, "chen", by=everywhere)) == 1
    make.make_link(session, person, session.get_one(Enterprise, wang.enterprise_id))
    assert len(candidates.search(session, "chen", by=asker)) == 1


def test_an_institutions_account_is_found_in_its_area(session, asker):
    clerk = make.make_account(session, Role.institution)
    assert [one.id for one in candidates.search(session, clerk.username, by=asker)] == [clerk.id]
