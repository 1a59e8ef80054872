"""The status board: every number is the length of the list behind it."""

from datetime import date

import pytest

from db import appointment_lines, appointments, board, instruments, ledger
from db.errors import Refused
from db.models import (
    OPEN,
    Conclusion,
    Institution,
    InstrumentStatus,
    LineStatus,
    Role,
    UnassignedReason,
)
from tests import make

DAY = date(2026, 11, 24)


@pytest.fixture
def bureau(session):
    """Two districts with instruments of every validity and lines in several statuses."""
    owner = make.make_account(session)
    clerk = make.make_account(session, Role.institution)
    make.make_authorization(session, session.get(Institution, clerk.institution_id))
    days = ("2026-11-22", "2026-11-23", "2026-12-23", "2027-01-22", "2027-02-21", "2028-01-01")
    for day in days:
        make.make_instrument(session, owner, valid_until=date.fromisoformat(day))
    for code in ("330108", "330108", make.XIHU):
        make.make_appointment(session, owner, division_code=code)
    make.make_legacy_instrument(session, owner, division_code=None)
    nowhere = make.make_legacy_instrument(session, owner, division_code=None, serial_number="无")
    appointments.submit(session, owner.enterprise_id, [nowhere.id], by=owner)
    accepted, declined = (make.make_line(session, clerk, owner) for _ in range(2))
    appointments.accept(session, [accepted.id], by=clerk, planned_from=DAY, planned_until=DAY)
    appointments.decline(session, [declined.id], by=clerk, reason="量程不符")
    rejected = make.make_instrument(session, owner, valid_until=date(2027, 3, 1))
    instruments.move_validity(session, rejected, None, DAY, Conclusion.rejected, clerk)
    idle = make.make_instrument(session, owner, valid_until=date(2026, 1, 1))
    instruments.change_status(session, [idle.id], "scrap", by=owner, reason="拆除")
    return {"owner": owner, "clerk": clerk}


def viewers(session, bureau):
    """Everyone who has a board: two areas, the whole country, and the owner."""
    areas = (make.HANGZHOU, make.XIHU, "330108", None)
    staff = [make.make_account(session, Role.supervisor, division_code=code) for code in areas]
    return [*staff, make.make_account(session, Role.reviewer), bureau["owner"]]


def test_validity_counts_what_the_ledger_lists(session, bureau):
    windows = ("valid", "overdue", "30", "60", "90", "missing", "rejected")
    for viewer in viewers(session, bureau):
        for code in (None, make.XIHU, "330108"):
            counted = board.validity(session, by=viewer, division_code=code)
            shown = (counted.in_use, counted.valid, counted.overdue, counted.within_30)
            shown += (counted.within_60, counted.within_90, counted.missing, counted.rejected)
            listed = [
                ledger.count(
                    session,
                    ledger.Filters(status=InstrumentStatus.in_use, division_code=code, due=due),
                    by=viewer,
                )
                for due in (None, *windows)
            ]
            assert list(shown) == listed


def test_validity_of_the_prefecture_in_figures(session, bureau):
    staff = make.make_account(session, Role.supervisor)
    counted = board.validity(session, by=staff)
    assert (counted.in_use, counted.valid, counted.overdue) == (14, 5, 1)
    assert (counted.within_30, counted.within_60, counted.within_90) == (2, 3, 4)
    assert (counted.missing, counted.rejected) == (7, 1)
    assert counted.rate == 0.357


def test_validity_of_one_enterprise(session, bureau):
    make.make_instrument(session)
    staff = make.make_account(session, Role.supervisor)
    mine = board.validity(session, by=staff, enterprise_id=bureau["owner"].enterprise_id)
    assert mine == board.validity(session, by=bureau["owner"])
    assert mine.in_use == board.validity(session, by=staff).in_use - 1


def test_the_rate_is_never_rounded_up_to_all():
    assert board.Validity(in_use=100_171, valid=100_132).rate == 0.999
    assert board.Validity(in_use=3, valid=3).rate == 1


def test_a_bureau_without_instruments_has_no_rate(session):
    assert board.validity(session, by=make.make_account(session)).rate is None


def test_places_add_up_to_the_whole(session, bureau):
    for viewer in viewers(session, bureau)[:-1]:
        places = board.validity_by_division(session, by=viewer)
        assert board.together(places) == board.validity(session, by=viewer)
    staff = make.make_account(session, Role.supervisor)
    places = board.validity_by_division(session, by=staff)
    assert [(place.code, place.validity.in_use) for place in places] == [
        (make.XIHU, 10),
        ("330108", 2),
        (None, 2),
    ]
    assert (places[0].name, places[-1].name) == ("浙江省杭州市西湖区", "未填使用地点")


def test_no_places_are_nothing_together():
    assert board.together([]) == board.Validity()


def test_statuses_count_what_the_lists_hold(session, bureau):
    for viewer in (*viewers(session, bureau), bureau["clerk"]):
        for code in (None, make.XIHU):
            counted = board.by_status(session, by=viewer, division_code=code)
            filters = [
                appointment_lines.Filters(statuses=(status,), division_code=code) for status in LineStatus
            ]
            listed = [appointment_lines.count(session, one, by=viewer) for one in filters]
            assert list(counted.values()) == listed
    assert board.by_status(session, by=bureau["owner"])[LineStatus.unassigned] == 3


def test_statuses_of_one_enterprise(session, bureau):
    make.make_appointment(session)
    staff = make.make_account(session, Role.supervisor)
    enterprise_id = bureau["owner"].enterprise_id
    mine = board.by_status(session, by=staff, enterprise_id=enterprise_id)
    assert mine == board.by_status(session, by=bureau["owner"])


def test_divisions_count_what_the_lists_hold(session, bureau):
    for viewer in viewers(session, bureau)[:-1]:
        for group in board.by_division(session, by=viewer):
            for status, count in group.counts.items():
                filters = appointment_lines.Filters(
                    statuses=(status,), division_code=group.key, is_placeless=group.key is None
                )
                assert appointment_lines.count(session, filters, by=viewer) == count
    groups = board.by_division(session, by=make.make_account(session, Role.supervisor))
    assert [(group.key, group.total) for group in groups] == [(make.XIHU, 2), ("330108", 2), (None, 1)]
    assert groups[-1].name == "未填使用地点"


def test_institutions_count_what_the_lists_hold(session, bureau):
    staff = make.make_account(session, Role.supervisor)
    groups = board.by_institution(session, by=staff)
    for group in groups:
        filters = appointment_lines.Filters(
            statuses=OPEN, institution_id=group.key, is_nowhere=group.key is None
        )
        assert appointment_lines.count(session, filters, by=staff) == group.total
    assert [(group.key, group.counts) for group in groups] == [
        (None, {LineStatus.unassigned: 3}),
        (bureau["clerk"].institution_id, {LineStatus.assigned: 1, LineStatus.accepted: 1}),
    ]


def test_reasons_count_what_the_lists_hold(session, bureau):
    for viewer in viewers(session, bureau):
        for reason, count in board.unassigned(session, by=viewer).items():
            filters = appointment_lines.Filters(reason=reason, statuses=(LineStatus.unassigned,))
            assert appointment_lines.count(session, filters, by=viewer) == count
    assert board.unassigned(session, by=bureau["owner"]) == {
        UnassignedReason.no_institution: 2,
        UnassignedReason.no_division: 1,
    }


def test_late_lines_count_what_the_lists_hold(session, bureau, monkeypatch):
    monkeypatch.setenv("YUEJIAN_NOW", "2026-12-20T09:00:00+08:00")
    for viewer in viewers(session, bureau):
        for key, count in board.late(session, by=viewer).items():
            assert appointment_lines.count(session, appointment_lines.Filters(late=key), by=viewer) == count
    assert board.late(session, by=bureau["clerk"]) == {"answer": 1, "visit": 1, "verification": 0}


def test_strangers_see_empty_boards(session, bureau):
    stranger = make.make_account(session)
    assert board.validity(session, by=stranger) == board.Validity()
    assert sum(board.by_status(session, by=stranger).values()) == 0
    assert board.unassigned(session, by=stranger) == {}
    assert set(board.late(session, by=stranger).values()) == {0}


@pytest.mark.parametrize("look", [board.by_division, board.by_institution, board.validity_by_division])
def test_only_the_bureau_compares_places_and_institutions(session, look):
    for role in (Role.enterprise, Role.personal, Role.institution, Role.administrator):
        with pytest.raises(Refused, match="不能执行此操作"):
            look(session, by=make.make_account(session, role))


@pytest.mark.parametrize("role", [Role.institution, Role.administrator])
def test_institutions_and_administrators_have_no_validity_board(session, role):
    with pytest.raises(Refused, match="不能执行此操作"):
        board.validity(session, by=make.make_account(session, role))
