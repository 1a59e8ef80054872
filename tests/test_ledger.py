"""Lists of the ledger: who sees what, narrowed how, in which order."""

from datetime import date

import pytest

from db import history, instruments, ledger
from db.errors import NotFound, Refused
from db.ledger import Filters
from db.models import (
    Conclusion,
    DeliveryMode,
    InstrumentStatus,
    LineStatus,
    Purpose,
    Role,
)
from tests import make


def test_lists_and_counts_follow_every_filter(session, owner):
    gauge = make.make_instrument(session, owner, delivery_mode="现场检")
    scale = make.make_instrument(
        session,
        owner,
        name="电子秤",
        kind_id=make.kind(session, "90201").id,
        division_code="330108",
        purpose=Purpose.trade_settlement,
    )
    legacy = make.make_legacy_instrument(session, owner, division_code=None)
    for filters, expected in (
        (Filters(), [legacy, scale, gauge]),
        (Filters(text="电子秤"), [scale]),
        (Filters(kind_id=gauge.kind_id), [legacy, gauge]),
        (Filters(category_id=make.kind(session, "90201").category_id), [scale]),
        (Filters(status=InstrumentStatus.scrapped), []),
        (Filters(division_code=make.HANGZHOU), [scale, gauge]),
        (Filters(division_code="330108"), [scale]),
        (Filters(is_placeless=True), [legacy]),
        (Filters(due="no_division"), [legacy]),
        (Filters(purpose=Purpose.trade_settlement), [scale]),
        (Filters(delivery_mode=DeliveryMode.on_site), [gauge]),
        (Filters(enterprise_id=owner.enterprise_id), [legacy, scale, gauge]),
    ):
        found = [row.id for row in ledger.page(session, filters, by=owner)]
        assert found == [row.id for row in expected], filters
        assert ledger.count(session, filters, by=owner) == len(expected), filters


@pytest.mark.parametrize(
    ("text", "hits"),
    [("hy37", 1), ("ＨＹ３７", 1), ("压力表 银普", 1), ("压力表 天平", 0), ("%", 0), ("_", 0), ("1) mpa", 1)],
)
def test_the_search_folds_letters_and_takes_every_word_literally(session, owner, text, hits):
    make.make_instrument(session, owner, serial_number="HY37")
    assert ledger.count(session, Filters(text=text), by=owner) == hits


def test_staff_also_find_instruments_by_their_owner(session, owner):
    make.make_instrument(session, owner)
    found = {
        role: ledger.count(session, Filters(text="明达"), by=account)
        for role, account in (
            ("staff", make.make_account(session, Role.supervisor)),
            ("owner", owner),
        )
    }
    assert found == {"staff": 1, "owner": 0}


@pytest.mark.parametrize(
    ("due", "days"),
    [
        ("overdue", ["2026-11-22"]),
        ("30", ["2026-11-23", "2026-12-23"]),
        ("60", ["2026-11-23", "2026-12-23", "2027-01-22"]),
        ("90", ["2026-11-23", "2026-12-23", "2027-01-22", "2027-02-21"]),
        ("valid", ["2026-11-23", "2026-12-23", "2027-01-22", "2027-02-21", "2027-02-22"]),
        ("missing", [None]),
    ],
)
def test_due_windows_begin_today_and_nest(session, owner, due, days):
    for day in (-1, 0, 30, 60, 90, 91):
        until = date.fromordinal(date(2026, 11, 23).toordinal() + day)
        make.make_instrument(session, owner, valid_until=until)
    make.make_instrument(session, owner)
    rows = ledger.page(session, Filters(due=due), by=owner)
    found = [row.valid_until and row.valid_until.isoformat() for row in rows]
    assert sorted(found, key=str) == days


def test_a_due_window_that_does_not_exist_is_refused(session, owner):
    with pytest.raises(Refused, match="没有这个到期范围"):
        ledger.count(session, Filters(due="120"), by=owner)


def test_passed_without_an_end_is_valid_and_rejected_is_not(session, owner):
    clerk, day = make.make_account(session, Role.institution), date(2026, 11, 20)
    thermometer = make.make_instrument(session, owner, kind_id=make.kind(session, "90101").id)
    gauge = make.make_instrument(session, owner, valid_until=date(2027, 3, 1))
    instruments.move_validity(session, thermometer, None, day, Conclusion.passed, clerk)
    instruments.move_validity(session, gauge, None, day, Conclusion.rejected, clerk)
    found = {
        due: [row.id for row in ledger.page(session, Filters(due=due), by=owner)]
        for due in ("valid", "missing", "rejected")
    }
    assert found == {"valid": [thermometer.id], "missing": [], "rejected": [gauge.id]}


def test_pages_of_a_list_meet_without_gap_or_overlap(session, owner):
    ids = [make.make_instrument(session, owner).id for _ in range(7)]
    pages = [ledger.page(session, by=owner, number=n, size=3) for n in (1, 2, 3, 4)]
    assert [row.id for rows in pages for row in rows] == ids[::-1]
    assert ledger.page(session, by=owner, number=-5, size=3)[0].id == ids[-1]


def test_a_list_says_where_a_booked_instrument_stands(session, owner):
    line = make.make_line(session, by=owner)
    (row,) = ledger.page(session, by=owner)
    assert (row.id, row.line_status) == (line.instrument_id, LineStatus.assigned)


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.administrator])
def test_strangers_see_no_rows(session, owner, role):
    gauge = make.make_instrument(session, owner)
    stranger = make.make_account(session, role)
    assert ledger.page(session, by=stranger) == []
    assert ledger.count(session, by=stranger) == 0
    assert ledger.chosen(session, [gauge.id], by=stranger) == []
    assert ledger.places(session, owner.enterprise_id, by=stranger) == {}
    with pytest.raises(NotFound):
        ledger.find(session, gauge.id, by=stranger)


def test_staff_see_their_area_and_the_placeless_rows_of_its_enterprises(session, owner):
    here = make.make_instrument(session, owner)
    placeless = make.make_legacy_instrument(session, owner, division_code=None)
    away = make.make_instrument(session, owner, division_code="330203")
    expected = {
        make.XIHU: {here.id, placeless.id},
        make.HANGZHOU: {here.id, placeless.id},
        "330203": {away.id},
        None: {here.id, placeless.id, away.id},
    }
    for code, ids in expected.items():
        supervisor = make.make_account(session, Role.supervisor, division_code=code)
        assert {row.id for row in ledger.page(session, by=supervisor)} == ids, code


def test_places_are_those_that_occur_in_the_ledger(session, owner):
    make.make_instrument(session, owner)
    make.make_instrument(session, owner, division_code="330203")
    make.make_legacy_instrument(session, owner, division_code=None)
    places = ledger.places(session, owner.enterprise_id, by=owner)
    assert places == {"330106": "浙江省杭州市西湖区", "330203": "浙江省宁波市海曙区"}


def test_the_picker_offers_at_most_a_hundred(session, owner):
    ids = [make.make_instrument(session, owner).id for _ in range(101)]
    rows = ledger.bookable(session, owner.enterprise_id, by=owner)
    assert [row.id for row in rows] == ids[:100]


def test_the_picker_offers_what_expires_first_and_is_free(session, owner):
    endless = make.make_instrument(session, owner)
    later = make.make_instrument(session, owner, valid_until=date(2027, 3, 1))
    sooner = make.make_instrument(session, owner, valid_until=date(2026, 12, 1))
    idle = make.make_instrument(session, owner)
    instruments.change_status(session, [idle.id], "store", by=owner)
    make.make_line(session, by=owner)
    enterprise_id = owner.enterprise_id
    rows = ledger.bookable(session, enterprise_id, by=owner)
    assert [row.id for row in rows] == [sooner.id, later.id, endless.id]
    rest = ledger.bookable(session, enterprise_id, by=owner, without=[sooner.id], size=1)
    assert [row.id for row in rest] == [later.id]
    due = ledger.bookable(session, enterprise_id, Filters(due="30"), by=owner)
    assert [row.id for row in due] == [sooner.id]


def test_strangers_get_no_picker(session, owner):
    with pytest.raises(NotFound):
        ledger.bookable(session, owner.enterprise_id, by=make.make_account(session))


def test_chosen_gives_the_rows_asked_for_within_reach(session, owner):
    mine = [make.make_instrument(session, owner).id for _ in range(2)]
    theirs = make.make_instrument(session, make.make_account(session)).id
    assert [row.id for row in ledger.chosen(session, [*mine, theirs, 999], by=owner)] == mine[::-1]


def test_the_history_tells_who_did_what_the_newest_first(session, owner):
    gauge = make.make_instrument(session, owner)
    supervisor = make.make_account(session, Role.supervisor, full_name="许衡")
    instruments.edit(session, gauge.id, 1, {"division_code": "330108"}, by=supervisor)
    newest, oldest = history.of_instrument(session, gauge.id, by=owner)
    assert (newest.by_name, newest.by_role, oldest.by_name) == ("许衡", Role.supervisor, "沈越")
    assert newest.changes == {"division_code": ["330106", "330108"]}


def test_a_snapshot_holds_plain_values_and_names(session, owner):
    gauge = make.make_instrument(session, owner, valid_until=date(2027, 3, 1), serial_number="00123")
    kept = ledger.snapshots(session, [gauge.id])[gauge.id]
    assert (kept["serial_number"], kept["valid_until"]) == ("00123", "2027-03-01")
    assert (kept["category"], kept["division"]) == ("压力仪表", "浙江省杭州市西湖区")
    assert (kept["purpose"], kept["delivery_mode"]) == ("安全防护", "送检")
