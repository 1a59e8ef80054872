"""The list of appointments, each counted by what became of its lines."""

import pytest

from db import (
    appointment_lines,
    appointment_pages,
    appointments,
)
from db.appointment_lines import Filters
from db.errors import NotFound
from db.models import (
    LineStatus,
    Role,
)
from tests import make


def test_the_whole_stands_where_its_lines_stand(session, owner, clerk):
    appointment = make.make_appointment(session, owner, count=2)
    one, other = appointment_lines.page(session, Filters(appointment_id=appointment.id), by=owner)

    def summary():
        return appointment_pages.find(session, appointment.id, by=owner).summary

    assert summary() == "待受理 2"
    make.accept(session, clerk, one)
    assert summary() == "待受理 1 · 已受理 1"
    appointments.decline(session, [other.id], by=clerk, reason="量程不符")
    assert summary() == "已受理 1 · 不予受理 1"
    appointments.terminate(session, [one.id], by=clerk, reason="设备检修")
    assert summary() == "已办结"


def test_a_whole_of_completed_lines_is_completed():
    counts = {LineStatus.completed: 3}
    row = appointment_pages.AppointmentRow(1, "YJ1", 1, "锅炉厂", None, "沈越", False, "", 3, counts)
    assert row.summary == "已完成"


def test_the_list_shows_the_newest_first_in_pages(session, owner):
    numbers = [make.make_appointment(session, owner).number for _ in range(3)]
    rows, total = appointment_pages.page(session, by=owner, size=2)
    rest, _ = appointment_pages.page(session, by=owner, size=2, number=2)
    assert [row.number for row in (*rows, *rest)] == numbers[::-1]
    assert total == 3


def test_the_list_narrows_by_text_enterprise_and_openness(session, owner, clerk):
    done = make.make_line(session, clerk, owner)
    appointments.decline(session, [done.id], by=clerk, reason="量程不符")
    underway = make.make_appointment(session, owner)
    other = make.make_appointment(session)
    staff = make.make_account(session, Role.supervisor)

    def found(**filters):
        return [row.id for row in appointment_pages.page(session, by=staff, **filters)[0]]

    assert found(text=underway.number) == [underway.id]
    assert found(text="明达") == [other.id, underway.id, done.appointment_id]
    assert found(text="%") == []
    assert found(enterprise_id=owner.enterprise_id, is_open=True) == [underway.id]
    assert found(enterprise_id=owner.enterprise_id, is_open=False) == [done.appointment_id]


def test_an_institution_sees_and_counts_only_its_own_lines(session, owner, clerk):
    gauge = make.make_instrument(session, owner)
    scale = make.make_instrument(session, owner, kind_id=make.kind(session, "90201").id)
    (made,) = appointments.submit(session, owner.enterprise_id, [gauge.id, scale.id], by=owner)
    (row,), total = appointment_pages.page(session, by=clerk)
    assert (row.id, row.line_count, total) == (made.id, 1, 1)
    assert appointment_pages.find(session, made.id, by=clerk).counts == {LineStatus.assigned: 1}
    assert appointment_pages.find(session, made.id, by=owner).line_count == 2


def test_a_district_counts_only_the_lines_of_its_area(session, owner):
    here = make.make_instrument(session, owner)
    away = make.make_instrument(session, owner, division_code="330108")
    (made,) = appointments.submit(session, owner.enterprise_id, [here.id, away.id], by=owner)
    district = make.make_account(session, Role.supervisor, division_code=make.XIHU)
    row = appointment_pages.find(session, made.id, by=district)
    assert (
        row.line_count == appointment_lines.count(session, Filters(appointment_id=made.id), by=district) == 1
    )


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.administrator])
def test_strangers_see_no_appointments(session, owner, role):
    appointment = make.make_appointment(session, owner)
    stranger = make.make_account(session, role)
    assert appointment_pages.page(session, by=stranger) == ([], 0)
    assert appointment_lines.page(session, by=stranger) == []
    assert appointment_lines.count(session, by=stranger) == 0
    assert appointment_lines.by_appointment(session, by=stranger) == []
    with pytest.raises(NotFound, match="预约单"):
        appointment_pages.find(session, appointment.id, by=stranger)
