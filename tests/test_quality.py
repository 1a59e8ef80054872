"""数据质量: each finding by example, each count against its list, days against the calendar."""

from datetime import date, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import select

from db import clock, instruments, ledger, quality
from db.errors import Refused
from db.ledger import Filters
from db.models import Conclusion, Division, Instrument, Kind, Role, VerificationMode
from db.quality import FINDINGS
from db.verifications import months_later
from tests import make


def legacy(session, owner, **values):
    """An instrument as an old ledger may have had it."""
    return make.make_legacy_instrument(session, owner, **values)


def listed(session, finding, by, **filters):
    """The ids that the ledger lists for a finding, the newest first."""
    return [row.id for row in ledger.page(session, Filters(quality=finding, **filters), by=by, size=200)]


def retire(session, model, key, **values):
    """Take a kind or division out of force."""
    row = session.get_one(model, key)
    row.sqlmodel_update({"retired_on": date(2026, 1, 1), **values})
    session.flush()


def verified(session, gauge, verified_on, valid_until):
    """Write a result into the ledger."""
    clerk = make.make_account(session, Role.institution)
    instruments.move_validity(session, gauge, valid_until, verified_on, Conclusion.passed, clerk)


@pytest.fixture
def messy(session, owner):
    """A ledger with one row, or two that belong together, for each finding; their ids by finding."""
    make.make_instrument(session, owner, valid_until=date(2027, 1, 31))
    once = session.exec(
        select(Kind.id).where(Kind.verification_mode == VerificationMode.first_only_scrap).limit(1)
    ).one()
    retired = make.kind(session, "90201").id
    made = {
        "no_kind": [legacy(session, owner, kind_id=None)],
        "retired_kind": [legacy(session, owner, kind_id=retired)],
        "no_division": [legacy(session, owner, division_code=None)],
        "retired_division": [legacy(session, owner, division_code="330108")],
        "shallow_division": [legacy(session, owner, division_code=make.HANGZHOU)],
        "duplicate": [legacy(session, owner, serial_number="HY-A") for _ in range(2)],
        "quantity": [legacy(session, owner, quantity=3)],
        "beyond_interval": [legacy(session, owner, valid_until=date(2027, 5, 24))],
        "once_only": [legacy(session, owner, kind_id=once, valid_until=date(2026, 12, 1))],
        "bought_later": [legacy(session, owner, purchased_on=date(2026, 11, 24))],
        "damaged_number": [legacy(session, owner, serial_number="6.37702E+15")],
    }
    retire(session, Kind, retired)
    retire(session, Division, "330108")
    return {key: [row.id for row in rows[::-1]] for key, rows in made.items()}


def test_every_finding_lists_its_rows_and_no_others(session, owner, messy):
    assert {key: listed(session, key, owner) for key in FINDINGS} == messy


@pytest.mark.parametrize("role", [Role.supervisor, Role.reviewer, Role.enterprise, Role.personal])
def test_each_count_is_the_length_of_its_list(session, owner, messy, role):
    by = owner if role == Role.enterprise else make.make_account(session, role)
    found = quality.counts(session, by=by)
    assert list(found) == list(FINDINGS)
    assert found == {key: ledger.count(session, Filters(quality=key), by=by) for key in FINDINGS}
    assert sum(found.values()) == (0 if role == Role.personal else 12)


def test_counts_of_one_enterprise_leave_the_others_out(session, owner, messy):
    other = make.make_account(session)
    legacy(session, other, quantity=2)
    supervisor = make.make_account(session, Role.supervisor, division_code=None)
    for id in (owner.enterprise_id, other.enterprise_id):
        found = quality.counts(session, by=supervisor, enterprise_id=id)
        filters = {key: Filters(quality=key, enterprise_id=id) for key in FINDINGS}
        assert found == {key: ledger.count(session, one, by=supervisor) for key, one in filters.items()}
    assert sum(found.values()) == 1
    assert sum(quality.counts(session, by=other, enterprise_id=owner.enterprise_id).values()) == 0


def test_nothing_is_found_in_a_sound_ledger_or_an_empty_one(session, owner):
    assert set(quality.counts(session, by=owner).values()) == {0}
    gauge = make.make_instrument(session, owner, valid_until=date(2026, 12, 1))
    verified(session, gauge, date(2026, 11, 20), date(2027, 5, 19))
    assert set(quality.counts(session, by=owner).values()) == {0}


def test_scrapped_instruments_are_past_mending(session, owner, messy):
    ids = [id for rows in messy.values() for id in rows]
    instruments.change_status(session, ids, "scrap", by=owner, reason="报废")
    assert set(quality.counts(session, by=owner).values()) == {0}


def test_a_twin_that_is_scrapped_counts_no_more(session, owner, messy):
    _, scrapped = messy["duplicate"]
    instruments.change_status(session, [scrapped], "scrap", by=owner, reason="重复录入")
    assert listed(session, "duplicate", owner) == []


def test_twins_are_alike_in_all_three_and_of_one_ledger(session, owner):
    same = {"serial_number": "HY-B", "manufacturer": "甲厂", "specification": "1 MPa"}
    legacy(session, owner, **same)
    legacy(session, make.make_account(session), **same)
    for field in same:
        legacy(session, owner, **same | {field: "另一个"})
    blank = same | {"serial_number": ""}
    legacy(session, owner, **blank)
    legacy(session, owner, **blank)
    everywhere = make.make_account(session, Role.supervisor, division_code=None)
    for by in (owner, everywhere):
        assert quality.counts(session, by=by)["duplicate"] == 0


@pytest.mark.parametrize(
    ("number", "is_damaged"),
    [
        ("6.37702E+15", True),
        ("6.37702e+15", True),
        ("1E+20", True),
        ("123456789012345000", True),
        ("12345678901234500000", True),
        ("1234567890123450", False),
        ("123456789012345678", False),
        ("123456789012000", False),
        ("000000000000001000", False),
        ("HY12345678901234000", False),
        ("TE+37", False),
        ("E+15", False),
        ("A6.3E+15", False),
        ("00123", False),
        ("HY37", False),
    ],
)
def test_a_number_spoiled_by_a_spreadsheet_is_suspected(session, owner, number, is_damaged):
    legacy(session, owner, serial_number=number)
    assert bool(listed(session, "damaged_number", owner)) is is_damaged


@pytest.mark.parametrize(
    ("quantity", "number", "is_listed"), [(1, "HY1", False), (2, "HY1", True), (5, "", False)]
)
def test_many_pieces_may_not_share_a_number(session, owner, quantity, number, is_listed):
    legacy(session, owner, quantity=quantity, serial_number=number)
    assert bool(listed(session, "quantity", owner)) is is_listed


@pytest.mark.parametrize(
    ("entered_at", "bought_on", "is_later"),
    [
        ("2026-11-23T00:30:00+08:00", date(2026, 11, 23), False),
        ("2026-11-22T23:30:00+08:00", date(2026, 11, 23), True),
        ("2026-11-23T07:59:00+08:00", date(2026, 11, 23), False),
        ("2026-11-23T23:59:00+08:00", date(2026, 11, 24), True),
        ("2026-11-23T12:00:00+08:00", None, False),
    ],
)
def test_the_day_of_entry_is_a_day_in_china(session, owner, entered_at, bought_on, is_later):
    legacy(session, owner, purchased_on=bought_on, created_at=datetime.fromisoformat(entered_at))
    assert bool(listed(session, "bought_later", owner)) is is_later


def test_validity_beyond_the_interval_agrees_with_the_calendar_at_every_end_of_a_month(session, owner):
    kinds = {1: "91101", 6: "91201", 12: "90201", 24: "92001"}
    for months, code in kinds.items():
        row = make.kind(session, code)
        row.interval_months, row.verification_mode = months, VerificationMode.periodic
    ends = [date(y, m, d) for y in (2023, 2024, 2025) for m in (1, 2, 3, 4, 8, 11, 12) for d in (1, 15, 28)]
    ends += [date(2024, 1, 29), date(2024, 2, 29), date(2025, 1, 30), date(2023, 10, 31), date(2024, 12, 31)]
    ends += [date(2023, 1, 29), date(2025, 4, 30), date(2025, 8, 31), date(2023, 8, 30), date(2022, 8, 29)]
    expected, rows = set(), []
    for verified_on in ends:
        for months, code in kinds.items():
            due = months_later(verified_on, months)
            for days in (-40, -3, -2, -1, 0, 1, 2, 3, 40):
                until = date.fromordinal(due.toordinal() + days)
                rows.append((make.kind(session, code).id, verified_on, until))
                expected |= {rows[-1]} if days >= 0 else set()
    template = make.make_legacy_instrument(session, owner).model_dump(exclude={"id"})
    changing = [
        template | {"kind_id": k, "verified_on": v, "valid_until": u, "serial_number": f"S{n}"}
        for n, (k, v, u) in enumerate(rows)
    ]
    session.execute(sa.insert(Instrument), changing)
    here = quality.condition(session, "beyond_interval", owner)
    found = session.execute(
        sa.select(Instrument.kind_id, Instrument.verified_on, Instrument.valid_until).where(here)
    )
    assert {tuple(row) for row in found} == expected


def test_without_a_result_validity_is_measured_from_today(session, owner):
    limit = months_later(clock.today(), 6)
    inside = legacy(session, owner, valid_until=limit)
    beyond = legacy(session, owner, valid_until=date.fromordinal(limit.toordinal() + 1))
    assert listed(session, "beyond_interval", owner) == [beyond.id]
    verified(session, inside, date(2026, 11, 20), limit)
    assert listed(session, "beyond_interval", owner) == [beyond.id, inside.id]


def test_a_kind_without_an_interval_has_no_limit(session, owner):
    row = make.kind(session)
    row.interval_months = None
    legacy(session, owner, valid_until=date(2090, 1, 1))
    assert listed(session, "beyond_interval", owner) == []


def test_the_limit_of_use_is_the_interval_of_kinds_rotated_out(session, owner):
    row = make.kind(session)
    row.verification_mode, row.limit_of_use_months = VerificationMode.first_only_rotate, 72
    legacy(session, owner, valid_until=date(2032, 11, 23))
    beyond = legacy(session, owner, valid_until=date(2032, 11, 24))
    assert listed(session, "beyond_interval", owner) == [beyond.id]


def test_retired_kinds_and_divisions_name_their_successors(session, owner):
    gauge, scale = make.kind(session), make.kind(session, "90201")
    for _ in range(2):
        legacy(session, owner, kind_id=scale.id, division_code="330108")
    legacy(session, owner, division_code="330105")
    retire(session, Kind, scale.id, successor_id=gauge.id)
    retire(session, Division, "330108", successor_code=make.XIHU)
    retire(session, Division, "330105")
    (kind,) = quality.retired_kinds(session, by=owner)
    assert (kind.kind_id, kind.name, kind.successor, kind.number) == (scale.id, scale.name, gauge.name, 2)
    first, second = quality.retired_divisions(session, by=owner)
    assert (kind.successor_id, first.successor_code, second.successor_code) == (gauge.id, make.XIHU, None)
    assert (first.code, first.successor, first.number) == ("330108", "浙江省杭州市西湖区", 2)
    assert (second.code, second.successor, second.number) == ("330105", None, 1)
    stranger = make.make_account(session)
    assert quality.retired_kinds(session, by=stranger) == []
    assert quality.retired_divisions(session, by=stranger) == []


def test_a_successor_that_is_retired_itself_is_none(session, owner):
    gauge, scale = make.kind(session), make.kind(session, "90201")
    legacy(session, owner, kind_id=scale.id, division_code="330108")
    retire(session, Kind, gauge.id)
    retire(session, Kind, scale.id, successor_id=gauge.id)
    retire(session, Division, "330105")
    retire(session, Division, "330108", successor_code="330105")
    (kind,) = quality.retired_kinds(session, by=owner)
    (division,) = quality.retired_divisions(session, by=owner)
    assert (kind.successor, kind.successor_id) == (None, None)
    assert (division.successor, division.successor_code) == (None, None)


def test_the_rows_of_a_retired_value_are_those_of_one_ledger_and_of_no_division_below(session, owner):
    city, _ = legacy(session, owner, division_code="330100"), legacy(session, owner, division_code="330108")
    scrapped = legacy(session, owner, division_code="330100")
    instruments.change_status(session, [scrapped.id], "scrap", by=owner, reason="报废")
    stranger = make.make_account(session)
    legacy(session, stranger, division_code="330100")
    here = {"enterprise_id": owner.enterprise_id}
    assert quality.holding(session, "division_code", "330100", by=owner, **here) == [city.id]
    assert quality.holding(session, "division_code", "330100", by=stranger, **here) == []
    with pytest.raises(Refused, match="没有这项数据质量检查"):
        quality.holding(session, "serial_number", "1", by=owner, **here)


def test_a_finding_that_does_not_exist_is_refused(session, owner):
    with pytest.raises(Refused, match="没有这项数据质量检查"):
        ledger.count(session, Filters(quality="everything"), by=owner)
