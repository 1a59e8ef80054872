"""Booking, the institution's answer, plans and cancellation."""

from datetime import date

import pytest

from db import (
    appointment_lines,
    appointment_pages,
    appointments,
    instruments,
    ledger,
    settings,
    workdays,
    workflow,
)
from db.appointment_lines import Filters
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Appointment,
    AppointmentLine,
    DeliveryMode,
    Enterprise,
    Institution,
    LineStatus,
    Role,
    Setting,
    Subject,
    UnassignedReason,
)
from tests import make

TODAY, TOMORROW, FRIDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 27)


def linked(session, owner, **values):
    """A personal account that works for the enterprise of `owner`."""
    person = make.make_account(session, Role.personal)
    make.make_link(session, person, session.get(Enterprise, owner.enterprise_id), **values)
    return person


def test_submitting_books_the_instruments_and_assigns_them(session, owner, clerk):
    ids = [make.make_instrument(session, owner).id for _ in range(2)]
    (appointment,) = appointments.submit(session, owner.enterprise_id, ids, by=owner, note=" 请上午联系 ")
    assert (appointment.number, appointment.note) == ("YJ20261123-0001", "请上午联系")
    rows = appointment_lines.page(session, Filters(appointment_id=appointment.id), by=owner)
    assert [row.instrument_id for row in rows] == ids
    assert {(row.status, row.institution_id) for row in rows} == {(LineStatus.assigned, clerk.institution_id)}


def test_an_appointment_keeps_whom_to_call(session, owner):
    enterprise = session.get(Enterprise, owner.enterprise_id)
    enterprise.contact_name, enterprise.mobile = "葛师傅", "13912345678"
    appointment = make.make_appointment(session, owner)
    enterprise.contact_name = "别人"
    session.flush()
    (row,) = appointment_lines.page(session, Filters(appointment_id=appointment.id), by=owner)
    assert (row.contact_name, row.mobile) == ("葛师傅", "13912345678")


def test_more_than_a_hundred_are_split_into_several_appointments(session, owner):
    ids = [make.make_instrument(session, owner).id for _ in range(201)]
    made = appointments.submit(session, owner.enterprise_id, ids, by=owner)
    assert [one.number[-4:] for one in made] == ["0001", "0002", "0003"]
    counts = [appointment_pages.find(session, one.id, by=owner).line_count for one in made]
    assert counts == [100, 100, 1]


def test_the_size_of_an_appointment_is_a_setting(session, owner):
    session.add(Setting(name="lines_per_appointment", value=2))
    ids = [make.make_instrument(session, owner).id for _ in range(3)]
    assert settings.value(session, "lines_per_appointment") == 2
    assert len(appointments.submit(session, owner.enterprise_id, ids, by=owner)) == 2


def test_an_instrument_chosen_twice_is_booked_once(session, owner):
    gauge = make.make_instrument(session, owner)
    (made,) = appointments.submit(session, owner.enterprise_id, [gauge.id, gauge.id], by=owner)
    assert appointment_pages.find(session, made.id, by=owner).line_count == 1


def test_nothing_chosen_is_refused(session, owner):
    with pytest.raises(Refused, match="请先选择要预约的器具"):
        appointments.submit(session, owner.enterprise_id, [], by=owner)


def test_too_many_chosen_are_refused(session, owner):
    with pytest.raises(Refused, match="一次最多选择 2000 台器具，请分批提交"):
        appointments.submit(session, owner.enterprise_id, range(1, 2002), by=owner)


def test_a_note_too_long_is_refused(session, owner):
    gauge = make.make_instrument(session, owner)
    with pytest.raises(Refused, match="“备注”最多 500 个字"):
        appointments.submit(session, owner.enterprise_id, [gauge.id], by=owner, note="急" * 501)


def test_instruments_of_others_cannot_be_booked(session, owner):
    mine, theirs = make.make_instrument(session, owner), make.make_instrument(session)
    with pytest.raises(NotFound, match="所选器具不存在，或不在您的权限范围内"):
        appointments.submit(session, owner.enterprise_id, [mine.id, theirs.id], by=owner)


def test_an_enterprise_cannot_book_for_another(session, owner):
    theirs = make.make_instrument(session)
    with pytest.raises(NotFound, match="使用单位"):
        appointments.submit(session, theirs.enterprise_id, [theirs.id], by=owner)


def test_what_is_out_of_use_cannot_be_booked(session, owner):
    gauge = make.make_instrument(session, owner, serial_number="HY37")
    instruments.change_status(session, [gauge.id], "take_out_of_use", by=owner)
    with pytest.raises(Refused, match="压力表 HY37 不是在用状态，不能预约，请先恢复在用"):
        appointments.submit(session, owner.enterprise_id, [gauge.id], by=owner)


def test_what_is_booked_already_is_a_conflict_that_names_the_appointment(session, owner):
    gauge = make.make_instrument(session, owner, serial_number="HY37")
    appointments.submit(session, owner.enterprise_id, [gauge.id], by=owner)
    with pytest.raises(Conflict, match="HY37（YJ20261123-0001） 已在办理中的预约单里") as refusal:
        appointments.submit(session, owner.enterprise_id, [gauge.id], by=owner)
    assert refusal.value.problems == {str(gauge.id): "YJ20261123-0001"}


def test_a_declined_instrument_is_free_to_be_booked_again(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    appointments.decline(session, [line.id], by=clerk, reason="量程超出标准装置")
    again = appointments.submit(session, owner.enterprise_id, [line.instrument_id], by=owner)
    assert again[0].number == "YJ20261123-0002"


def test_staff_book_nothing_that_is_used_outside_their_area(session, owner):
    near = make.make_instrument(session, owner)
    far = make.make_instrument(session, owner, division_code="330108")
    supervisor = make.make_account(session, Role.supervisor, division_code=make.XIHU)
    with pytest.raises(NotFound, match="所选器具"):
        appointments.submit(session, owner.enterprise_id, [near.id, far.id], by=supervisor)
    assert len(appointments.submit(session, owner.enterprise_id, [near.id, far.id], by=owner)) == 1


def test_staff_book_for_an_enterprise_of_their_area(session, owner):
    gauge = make.make_instrument(session, owner)
    supervisor = make.make_account(session, Role.supervisor, full_name="许衡")
    (made,) = appointments.submit(session, owner.enterprise_id, [gauge.id], by=supervisor)
    row = appointment_pages.find(session, made.id, by=owner)
    assert (row.is_on_behalf, row.submitted_by) == (True, "许衡")


@pytest.mark.parametrize("role", [Role.institution, Role.administrator, Role.personal])
def test_strangers_cannot_book(session, owner, role):
    gauge = make.make_instrument(session, owner)
    with pytest.raises(NotFound):
        appointments.submit(session, owner.enterprise_id, [gauge.id], by=make.make_account(session, role))


def test_reviewers_and_links_without_booking_cannot_book(session, owner):
    gauge = make.make_instrument(session, owner)
    reviewer, person = make.make_account(session, Role.reviewer), linked(session, owner, can_book=False)
    with pytest.raises(Refused, match="审核人员不能执行此操作"):
        appointments.submit(session, owner.enterprise_id, [gauge.id], by=reviewer)
    with pytest.raises(Refused, match="企业未授予您此项权限"):
        appointments.submit(session, owner.enterprise_id, [gauge.id], by=person)


def test_a_linked_person_books(session, owner):
    gauge, person = make.make_instrument(session, owner), linked(session, owner)
    (made,) = appointments.submit(session, owner.enterprise_id, [gauge.id], by=person)
    assert appointment_pages.find(session, made.id, by=person).is_on_behalf is False


def test_a_line_keeps_the_instrument_as_it_was_booked(session, owner, clerk):
    line = make.make_line(session, clerk, owner, serial_number="00123")
    gauge_id = line.instrument_id
    edited = {"serial_number": "00999", "division_code": "330108"}
    instruments.edit(session, gauge_id, 1, edited, by=owner)
    (row,) = appointment_lines.page(session, Filters(appointment_id=line.appointment_id), by=owner)
    assert (row.snapshot["serial_number"], row.division_code) == ("00123", make.XIHU)
    assert ledger.find(session, gauge_id, by=owner).serial_number == "00999"


def test_an_assigned_line_is_canceled_and_the_instrument_free(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    assert appointments.cancel(session, [line.id], by=owner, reason="锅炉停用") == 1
    session.refresh(line)
    assert line.status == LineStatus.canceled
    assert instruments.booked(session, [line.instrument_id]) == {}


def test_a_line_not_assigned_yet_cannot_be_canceled(session, owner):
    appointment = make.make_appointment(session, owner)
    (row,) = appointment_lines.page(session, Filters(appointment_id=appointment.id), by=owner)
    with pytest.raises(Refused) as refusal:
        appointments.cancel(session, [row.id], by=owner)
    assert str(refusal.value) == "未成功分配的器具无法取消，等器具分配成功后再取消"


def test_an_accepted_line_cannot_be_canceled_by_its_enterprise(session, owner, clerk):
    line, waiting = make.make_line(session, clerk, owner), make.make_line(session, clerk, owner)
    make.accept(session, clerk, line)
    with pytest.raises(Refused, match="请联系技术机构终止"):
        appointments.cancel(session, [waiting.id, line.id], by=owner)
    assert waiting.status == LineStatus.assigned


def test_a_line_canceled_already_cannot_be_canceled_again(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    appointments.cancel(session, [line.id], by=owner)
    with pytest.raises(Refused, match="当前状态为“已取消”，不能执行“取消预约”，请刷新"):
        appointments.cancel(session, [line.id], by=owner)


def test_strangers_cannot_cancel(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    stranger, person = make.make_account(session), linked(session, owner, can_book=False)
    for other in (stranger, clerk):
        with pytest.raises(NotFound):
            appointments.cancel(session, [line.id], by=other)
    with pytest.raises(Refused, match="企业未授予您此项权限"):
        appointments.cancel(session, [line.id], by=person)


def test_accepting_issues_one_receipt_for_each_appointment(session, owner, clerk):
    lines = [make.make_line(session, clerk, owner) for _ in range(2)]
    receipts = make.accept(session, clerk, *lines, note="请送至一楼收发室")
    assert [receipt.number for receipt in receipts] == ["HZ20261123-0001", "HZ20261123-0002"]
    row = appointment_lines.page(session, by=owner)[0]
    assert (row.status, row.receipt_number) == (LineStatus.accepted, "HZ20261123-0001")
    assert (row.planned_from, row.planned_until) == (TOMORROW, FRIDAY)
    assert row.receipt_note == "请送至一楼收发室"


@pytest.mark.parametrize(
    ("planned_from", "planned_until"),
    [(date(2026, 11, 22), FRIDAY), (FRIDAY, TOMORROW), (None, FRIDAY), (TOMORROW, None)],
)
def test_accepting_needs_days_from_today_on(session, owner, clerk, planned_from, planned_until):
    line = make.make_line(session, clerk, owner)
    with pytest.raises(Refused, match="约定日期"):
        make.accept(session, clerk, line, planned_from=planned_from, planned_until=planned_until)
    assert line.status == LineStatus.assigned


def test_an_institution_cannot_accept_lines_of_another(session, owner, clerk):
    line, other = make.make_line(session, clerk, owner), make.make_account(session, Role.institution)
    with pytest.raises(NotFound, match="预约器具不存在，或不在您的权限范围内"):
        make.accept(session, other, line)


def test_an_enterprise_cannot_accept_its_own_appointment(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    with pytest.raises(Refused, match="使用单位不能执行此操作"):
        make.accept(session, owner, line)


def test_a_line_accepted_already_is_refused(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    make.accept(session, clerk, line)
    with pytest.raises(Refused, match="当前状态为“已受理”，不能执行“受理”，请刷新后查看"):
        make.accept(session, clerk, line)


def test_agreed_days_may_be_changed_until_the_verification_begins(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    make.accept(session, clerk, line)
    days = {"planned_from": FRIDAY, "planned_until": FRIDAY}
    assert appointments.plan(session, [line.id], by=clerk, **days) == 1
    assert (line.planned_from, line.planned_until) == (FRIDAY, FRIDAY)
    appointments.begin(session, [line.id], by=clerk)
    session.expire_all()
    with pytest.raises(Refused, match="尚未开始检定的器具可以改期"):
        appointments.plan(session, [line.id], by=clerk, **days)


def test_agreed_days_do_not_lie_in_the_past(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    make.accept(session, clerk, line)
    with pytest.raises(Refused, match="约定日期应从今天起"):
        appointments.plan(session, [line.id], by=clerk, planned_from=date(2026, 11, 20), planned_until=FRIDAY)


def test_strangers_cannot_change_agreed_days(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    make.accept(session, clerk, line)
    days = {"planned_from": FRIDAY, "planned_until": FRIDAY}
    with pytest.raises(Refused):
        appointments.plan(session, [line.id], by=owner, **days)
    with pytest.raises(NotFound):
        appointments.plan(session, [line.id], by=make.make_account(session, Role.institution), **days)


def test_declining_frees_the_instrument_and_says_why(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    assert appointments.decline(session, [line.id], by=clerk, reason=" 量程超出标准装置 ") == 1
    assert instruments.booked(session, [line.instrument_id]) == {}
    last = appointment_lines.history(session, line.id, by=owner)[-1]
    assert (last.target, last.note) == ("declined", "量程超出标准装置")


def test_terminating_ends_what_was_accepted(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    make.accept(session, clerk, line)
    appointments.terminate(session, [line.id], by=clerk, reason="标准装置送检")
    session.refresh(line)
    assert line.status == LineStatus.canceled


@pytest.mark.parametrize("act", [appointments.decline, appointments.hand_back])
def test_an_answer_that_disappoints_needs_a_reason_that_fits(session, owner, clerk, act):
    line = make.make_line(session, clerk, owner)
    with pytest.raises(Refused, match="请填写理由，对方将看到这段文字"):
        act(session, [line.id], by=clerk, reason="  ")
    with pytest.raises(Refused, match="最多 500 个字"):
        act(session, [line.id], by=clerk, reason="远" * 501)


@pytest.mark.parametrize(
    "act", [appointments.decline, appointments.terminate, appointments.hand_back, appointments.reassign]
)
def test_only_those_whose_line_it_is_may_give_it_up(session, owner, clerk, act):
    line = make.make_line(session, clerk, owner)
    other = make.make_account(session, Role.institution)
    elsewhere = make.make_account(session, Role.supervisor, division_code="330203")
    for stranger in (other, elsewhere):
        with pytest.raises(NotFound):
            act(session, [line.id], by=stranger, reason="不归我管")
    with pytest.raises(Refused, match="不能执行"):
        act(session, [line.id], by=owner, reason="不归我管")


def test_a_line_handed_back_goes_to_the_next_institution_and_never_returns(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    second = make.make_account(session, Role.institution)
    make.make_authorization(session, session.get(Institution, second.institution_id))
    assert appointments.hand_back(session, [line.id], by=clerk, reason="设备检修") == 1
    session.refresh(line)
    assert (line.status, line.institution_id) == (LineStatus.assigned, second.institution_id)
    assert appointments.hand_back(session, [line.id], by=second, reason="量程不符") == 0
    session.refresh(line)
    assert (line.status, line.institution_id) == (LineStatus.unassigned, None)
    assert line.unassigned_reason == UnassignedReason.handed_back


def test_a_supervisor_takes_a_line_away_from_an_institution(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    supervisor = make.make_account(session, Role.supervisor)
    assert appointments.reassign(session, [line.id], by=supervisor, reason="该所停电") == 0
    session.refresh(line)
    assert line.unassigned_reason == UnassignedReason.handed_back
    with pytest.raises(Refused, match="技术机构不能执行“转派”"):
        appointments.reassign(session, [make.make_line(session, clerk).id], by=clerk, reason="转走")


def test_beginning_starts_the_legal_deadline_for_each_way_of_delivery(session, owner, clerk):
    session.add(Setting(name="on_site_days", value=10))
    brought = make.make_line(session, clerk, owner)
    visit = make.make_line(session, clerk, owner, delivery_mode=DeliveryMode.on_site)
    make.begin(session, clerk, brought, visit)
    assert (brought.begun_on, brought.due_on) == (TODAY, date(2026, 12, 21))
    assert (visit.status, visit.due_on) == (LineStatus.in_verification, date(2026, 12, 7))


@pytest.mark.parametrize(
    ("begun_on", "due_on", "shown"),
    [
        # The National Day holidays off, and the Saturday after them worked.
        (date(2026, 9, 28), date(2026, 10, 30), "2026-10-30"),
        # 2027 is not published yet, so its New Year's Day counts as a Friday.
        (date(2026, 12, 7), date(2027, 1, 4), "2027-01-04（节假日安排未公布，按周一至周五估算）"),
    ],
)
def test_the_legal_deadline_counts_working_days(session, owner, clerk, monkeypatch, begun_on, due_on, shown):
    line = make.make_line(session, clerk, owner)
    make.accept(session, clerk, line)
    monkeypatch.setenv("YUEJIAN_NOW", "2026-12-07T16:00:00+08:00")
    appointments.begin(session, [line.id], by=clerk, begun_on=begun_on)
    session.refresh(line)
    assert line.due_on == due_on
    assert str(workdays.limit(session).deadline(begun_on, due_on)) == shown


def test_the_legal_deadline_may_count_calendar_days(session, owner, clerk):
    session.add(Setting(name="limit_in_calendar_days", value=True))
    line = make.make_line(session, clerk, owner)
    make.begin(session, clerk, line)
    assert line.due_on == date(2026, 12, 13)


def test_beginning_may_be_recorded_later_but_not_ahead(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    make.accept(session, clerk, line)
    with pytest.raises(Refused, match="开始日期不能晚于今天"):
        appointments.begin(session, [line.id], by=clerk, begun_on=TOMORROW)
    appointments.begin(session, [line.id], by=clerk, begun_on=date(2026, 11, 20))
    session.refresh(line)
    assert line.begun_on == date(2026, 11, 20)


def test_a_line_not_accepted_cannot_begin(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    with pytest.raises(Refused, match="当前状态为“待受理”，不能执行“开始检定”"):
        appointments.begin(session, [line.id], by=clerk)


def test_strangers_cannot_begin(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    make.accept(session, clerk, line)
    with pytest.raises(Refused):
        appointments.begin(session, [line.id], by=owner)
    with pytest.raises(NotFound):
        appointments.begin(session, [line.id], by=make.make_account(session, Role.institution))


def test_lines_of_different_statuses_move_together_or_not_at_all(session, owner, clerk):
    accepted, waiting = make.make_line(session, clerk, owner), make.make_line(session, clerk, owner)
    make.accept(session, clerk, accepted)
    with pytest.raises(Refused, match="当前状态为“已受理、待受理”"):
        appointments.decline(session, [accepted.id, waiting.id], by=clerk, reason="量程不符")
    assert {row.id for row in appointment_lines.page(session, Filters(), by=clerk)} == {
        accepted.id,
        waiting.id,
    }
    assert len(workflow.history(session, Subject.line, waiting.id)) == 2


def test_the_status_of_an_appointment_is_not_stored():
    assert "status" not in Appointment.model_fields
    assert "status" in AppointmentLine.model_fields
