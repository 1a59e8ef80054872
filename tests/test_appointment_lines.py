"""The lists of lines: every filter, their order, what is late, and the history of one line."""

from datetime import date

import pytest

from db import (
    appointment_lines,
    appointments,
)
from db.appointment_lines import Filters
from db.errors import NotFound, Refused
from db.models import (
    DeliveryMode,
    Institution,
    LineStatus,
    Role,
    UnassignedReason,
)
from tests import make


def test_lines_follow_every_filter(session, owner, clerk):
    gauge = make.make_line(session, clerk, owner)
    make.accept(session, clerk, gauge)
    visit = make.make_line(session, clerk, owner, delivery_mode=DeliveryMode.on_site)
    nowhere = make.make_legacy_instrument(session, owner, division_code=None)
    appointments.submit(session, owner.enterprise_id, [nowhere.id], by=owner)
    (placeless,) = appointment_lines.page(session, Filters(is_nowhere=True), by=owner)
    kind = make.kind(session)
    for filters, expected in (
        (Filters(), [gauge, visit, placeless]),
        (Filters(appointment_id=visit.appointment_id), [visit]),
        (Filters(instrument_id=gauge.instrument_id), [gauge]),
        (Filters(statuses=(LineStatus.accepted, LineStatus.unassigned)), [gauge, placeless]),
        (Filters(institution_id=clerk.institution_id), [gauge, visit]),
        (Filters(is_placeless=True), [placeless]),
        (Filters(enterprise_id=owner.enterprise_id, kind_id=kind.id), [gauge, visit, placeless]),
        (Filters(category_id=kind.category_id, division_code="330000"), [gauge, visit]),
        (Filters(reason=UnassignedReason.no_division), [placeless]),
        (Filters(delivery_mode=DeliveryMode.on_site), [visit]),
        (Filters(planned_on=date(2026, 11, 25)), [gauge]),
        (Filters(planned_on=date(2026, 11, 28)), []),
        (Filters(text=f"明达 {gauge.snapshot['serial_number'].lower()}"), [gauge]),
        (Filters(text="天平"), []),
    ):
        found = [row.id for row in appointment_lines.page(session, filters, by=owner)]
        assert found == [line.id for line in expected], filters
        assert appointment_lines.count(session, filters, by=owner) == len(expected), filters


def test_lines_come_in_pages_the_oldest_first(session, owner):
    make.make_appointment(session, owner, count=5)
    pages = [appointment_lines.page(session, by=owner, number=n, size=2) for n in (1, 2, 3)]
    ids = [row.id for rows in pages for row in rows]
    assert ids == sorted(ids) and len(set(ids)) == 5


def test_what_must_be_done_first_comes_first(session, owner, clerk):
    waiting, late, early = (make.make_line(session, clerk, owner) for _ in range(3))
    make.accept(session, clerk, waiting)
    make.begin(session, clerk, late, begun_on=date(2026, 11, 20))
    make.begin(session, clerk, early, begun_on=date(2026, 11, 2))
    rows = appointment_lines.page(session, by=clerk, is_by_deadline=True)
    assert [row.id for row in rows] == [early.id, late.id, waiting.id]


def test_batches_say_how_many_lines_of_each_appointment_match(session, owner, clerk):
    first = make.make_appointment(session, owner, count=2)
    second = make.make_appointment(session, owner)
    line = appointment_lines.page(session, Filters(appointment_id=first.id), by=owner)[0]
    make.accept(session, clerk, line)
    batches = appointment_lines.by_appointment(session, Filters(statuses=(LineStatus.assigned,)), by=clerk)
    assert [(batch.number, batch.line_count) for batch in batches] == [(first.number, 1), (second.number, 1)]


def test_lines_to_book_again_are_those_given_up_and_not_booked_since(session, owner, clerk):
    declined, stopped, canceled = (make.make_line(session, clerk, owner) for _ in range(3))
    make.accept(session, clerk, stopped)
    appointments.decline(session, [declined.id], by=clerk, reason="量程不符")
    appointments.terminate(session, [stopped.id], by=clerk, reason="设备检修")
    appointments.cancel(session, [canceled.id], by=owner)

    def found():
        return [row.id for row in appointment_lines.page(session, Filters(is_to_rebook=True), by=owner)]

    assert found() == [declined.id, stopped.id]
    appointments.submit(session, owner.enterprise_id, [declined.instrument_id], by=owner)
    assert found() == [stopped.id]


def test_lines_wait_too_long_for_an_answer_after_five_working_days(session, owner, clerk, monkeypatch):
    line = make.make_line(session, clerk, owner)
    for day, count in (("2026-11-30", 0), ("2026-12-01", 1)):
        monkeypatch.setenv("YUEJIAN_NOW", f"{day}T08:00:00+08:00")
        found = appointment_lines.page(session, Filters(late="answer"), by=clerk)
        assert [row.id for row in found] == [line.id] * count, day


def test_a_visit_is_late_the_day_after_the_last_day_agreed(session, owner, clerk, monkeypatch):
    make.accept(session, clerk, make.make_line(session, clerk, owner))
    for day, count in (("2026-11-27", 0), ("2026-11-28", 1)):
        monkeypatch.setenv("YUEJIAN_NOW", f"{day}T08:00:00+08:00")
        assert appointment_lines.count(session, Filters(late="visit"), by=clerk) == count, day


def test_a_verification_is_late_the_day_after_its_legal_deadline(session, owner, clerk, monkeypatch):
    line = make.make_line(session, clerk, owner)
    make.begin(session, clerk, line)
    assert line.due_on == date(2026, 12, 21)
    for day, count in (("2026-12-21", 0), ("2026-12-22", 1)):
        monkeypatch.setenv("YUEJIAN_NOW", f"{day}T08:00:00+08:00")
        assert appointment_lines.count(session, Filters(late="verification"), by=clerk) == count, day


def test_a_lateness_that_does_not_exist_is_refused(session, owner):
    with pytest.raises(Refused, match="没有这个超时类别"):
        appointment_lines.count(session, Filters(late="payment"), by=owner)


def test_the_history_of_a_line_tells_every_move(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    make.accept(session, clerk, line, note="请带旧证书")
    rows = appointment_lines.history(session, line.id, by=owner)
    assert [(row.action, row.source, row.target) for row in rows] == [
        ("submit", None, "unassigned"),
        ("assign", "unassigned", "assigned"),
        ("accept", "assigned", "accepted"),
    ]
    assert (rows[1].by_name, rows[2].by_role, rows[2].note) == (None, Role.institution, "请带旧证书")
    assert rows[2].institution == session.get(Institution, clerk.institution_id).name


def test_strangers_cannot_read_the_history_of_a_line(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    for role in (Role.enterprise, Role.institution, Role.administrator):
        with pytest.raises(NotFound, match="预约器具"):
            appointment_lines.history(session, line.id, by=make.make_account(session, role))
