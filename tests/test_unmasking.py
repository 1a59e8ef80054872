"""查看完整信息: a hidden number in full, for a reason, noted each time."""

import pytest
from sqlmodel import select

from db import unmasking
from db.engine import reading, transaction
from db.errors import NotFound, Refused
from db.models import AuditEntry, Role
from tests import make

WHY = "电话核实注册信息"


@pytest.fixture
def enterprise(database):
    """An enterprise in Xihu."""
    with transaction() as session:
        return make.make_enterprise(session)


def seen(enterprise, role=Role.supervisor, subject="enterprise", reason=WHY, **values):
    """What an account of that role gets to see."""
    with transaction() as session:
        by = make.make_account(session, role, **values)
    with transaction() as session:
        return unmasking.unmask(session, subject, enterprise.id, reason, by=by)


def noted():
    """The entries about it."""
    with reading() as session:
        return session.exec(select(AuditEntry).where(AuditEntry.action == "查看完整信息")).all()


def test_a_supervisor_sees_the_contact_and_the_log_says_why_without_the_number(enterprise):
    assert seen(enterprise) == {"联系人": "陈师傅", "手机号": "13800138000"}
    (entry,) = noted()
    assert (entry.subject, entry.subject_id, entry.note) == ("enterprise", enterprise.id, WHY)
    assert entry.after == {"fields": "联系人、手机号"}


@pytest.mark.parametrize("reason", ["", "  ", "核实", "\0\0\0\0"])
def test_without_a_reason_nothing_is_shown(enterprise, reason):
    with pytest.raises(Refused):
        seen(enterprise, reason=reason)
    assert noted() == []


def test_an_administrator_sees_the_number_of_an_account_only(database):
    with transaction() as session:
        administrator = make.make_account(session, Role.administrator)
        clerk = make.make_account(session, Role.reviewer, mobile="13900139000")
        enterprise = make.make_enterprise(session)
    with transaction() as session:
        shown = unmasking.unmask(session, "account", clerk.id, WHY, by=administrator)
        assert shown == {"手机号": "13900139000"}
        with pytest.raises(Refused):
            unmasking.unmask(session, "enterprise", enterprise.id, WHY, by=administrator)


def test_another_area_and_another_kind_of_record_do_not_exist(enterprise):
    with pytest.raises(NotFound):
        seen(enterprise, division_code="110000")
    with pytest.raises(NotFound):
        seen(enterprise, subject="settings")
    assert noted() == []


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution])
def test_whoever_has_no_such_duty_is_refused(enterprise, role):
    with pytest.raises(Refused):
        seen(enterprise, role)


def test_an_institution_sees_the_contact_of_its_own_lines_only(database):
    with transaction() as session:
        clerk = make.make_account(session, Role.institution)
        line = make.make_line(session, clerk)
        stranger = make.make_account(session, Role.institution)
    with transaction() as session:
        shown = unmasking.unmask(session, "appointment", line.appointment_id, WHY, by=clerk)
        assert shown["手机号"] == "13800138000"
        with pytest.raises(NotFound):
            unmasking.unmask(session, "appointment", line.appointment_id, WHY, by=stranger)
