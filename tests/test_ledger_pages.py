"""Pages of the ledger by key: they meet, they come back, they cost what they hold."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlmodel import col

from db import instruments, ledger, ledger_pages
from db.engine import engine
from db.ledger import Filters
from db.ledger_pages import LAST, Spot
from db.models import (
    Conclusion,
    DeliveryMode,
    Instrument,
    InstrumentChange,
    InstrumentStatus,
    Origin,
    Purpose,
    Role,
)
from tests import make


@pytest.fixture
def supervisor(session):
    """Of the whole prefecture."""
    return make.make_account(session, Role.supervisor)


@pytest.fixture(params=["near", "halfway", "far"])
def reached(request, monkeypatch):
    """Found next to where one stands, by the indexes too because that does not do, or by them alone."""
    if request.param != "near":
        is_far = request.param == "far"
        monkeypatch.setattr(ledger_pages, "NEAR", -1 if is_far else 2)
        monkeypatch.setattr(ledger_pages, "NEAR_OWNED", 0 if is_far else 2)
        monkeypatch.setattr(ledger_pages, "GLANCE", 1)
        monkeypatch.setattr(ledger_pages, "FURTHER", 1)
        monkeypatch.setattr(ledger_pages, "FEW", 0)


def stock(session, owner, count):
    """The ids of as many gauges, the newest first."""
    return [make.make_instrument(session, owner).id for _ in range(count)][::-1]


FIRST, EVERYTHING = Spot(), Filters()


def read(session, by, spot=FIRST, filters=EVERYTHING, size=3):
    """A page of three."""
    return ledger_pages.read(session, filters, spot, by=by, size=size)


def ids(leaf):
    """What stands on a page."""
    return [row.id for row in leaf.rows]


@pytest.mark.parametrize("who", ["owner", "supervisor"])
@pytest.mark.usefixtures("reached")
def test_pages_meet_without_gap_or_overlap_in_both_directions(session, owner, who, request):
    by, expected = request.getfixturevalue(who), stock(session, owner, 8)
    there = [read(session, by)]
    while there[-1].has_older:
        there.append(read(session, by, there[-1].older))
    assert [id for leaf in there for id in ids(leaf)] == expected
    assert [leaf.spot.number for leaf in there] == [1, 2, 3]
    back = [there[-1]]
    while back[-1].has_newer:
        back.append(read(session, by, back[-1].newer))
    assert [ids(leaf) for leaf in back] == [ids(leaf) for leaf in there[::-1]]
    assert [leaf.spot.number for leaf in back] == [3, 2, 1]


def test_rows_added_and_removed_meanwhile_move_no_page(session, owner):
    expected = stock(session, owner, 9)
    second = read(session, owner, read(session, owner).older)
    make.make_instrument(session, owner)
    for model, key in ((InstrumentChange, InstrumentChange.instrument_id), (Instrument, Instrument.id)):
        session.execute(sa.delete(model).where(col(key) == expected[5]))
    third = read(session, owner, second.older)
    assert ids(second) + ids(third) == expected[3:9]
    assert ids(read(session, owner, third.newer)) == [*expected[2:5]]


def test_going_back_to_the_beginning_shows_what_is_new(session, owner):
    stock(session, owner, 6)
    second = read(session, owner, read(session, owner).older)
    added = make.make_instrument(session, owner).id
    first = read(session, owner, second.newer)
    assert (added in ids(first), first.has_newer) == (False, True)
    newest = read(session, owner, first.newer)
    assert (ids(newest)[0], newest.has_newer, newest.spot) == (added, False, Spot())


@pytest.mark.parametrize("who", ["owner", "supervisor"])
@pytest.mark.usefixtures("reached")
def test_a_page_asked_for_by_its_number_is_that_page(session, owner, who, request):
    by, expected = request.getfixturevalue(who), stock(session, owner, 8)
    leaf = read(session, by, Spot(2))
    assert (ids(leaf), leaf.has_newer, leaf.has_older) == (expected[3:6], True, True)
    assert ids(read(session, by, leaf.spot)) == ids(leaf)


@pytest.mark.parametrize("spot", [LAST, Spot(99), Spot(3, before=1), Spot(-5)])
def test_beyond_the_end_lies_the_last_page(session, owner, spot):
    expected = stock(session, owner, 8)
    leaf = read(session, owner, spot)
    assert (ids(leaf), leaf.spot.number, leaf.has_older) == (expected[6:], 3, False)


@pytest.mark.parametrize("spot", [LAST, Spot(-3), Spot(0), Spot(7), Spot(2, before=1), Spot(1, after=10**9)])
def test_an_empty_list_is_one_empty_page(session, owner, spot):
    leaf = read(session, owner, spot)
    assert (leaf.rows, leaf.spot, leaf.has_newer, leaf.has_older) == ([], Spot(), False, False)


def test_pages_of_a_list_too_long_to_count_are_numbered_from_its_end(session, owner, monkeypatch):
    monkeypatch.setattr(ledger_pages, "MOST", 4)
    expected = stock(session, owner, 8)
    last = read(session, owner, LAST)
    before = read(session, owner, last.newer)
    assert (ids(last), last.spot.number) == (expected[5:], -1)
    assert (ids(before), before.spot.number) == (expected[2:5], -2)
    assert read(session, owner, before.older).spot.number == -1


def test_no_page_is_longer_than_two_hundred(session, owner):
    stock(session, owner, 201)
    assert len(ids(read(session, owner, size=10_000))) == 200


def test_a_list_is_counted_no_further_than_needed(session, owner, supervisor, monkeypatch):
    monkeypatch.setattr(ledger_pages, "MOST", 4)
    stock(session, owner, 4)
    assert ledger_pages.count(session, Filters(), by=supervisor) == (4, True)
    stock(session, owner, 2)
    assert ledger_pages.count(session, Filters(), by=supervisor) == (4, False)
    assert ledger_pages.count(session, Filters(text="压力"), by=owner) == (6, True)


@pytest.mark.parametrize("count", [0, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("who", ["owner", "supervisor"])
@pytest.mark.parametrize("text", ["", "压力"])
@pytest.mark.usefixtures("reached")
def test_a_page_comes_with_the_total(session, owner, count, who, text, request, monkeypatch):
    monkeypatch.setattr(ledger_pages, "MOST", 4)
    monkeypatch.setattr(ledger_pages, "MOST_LOOKED_AT", 4)
    by, filters = request.getfixturevalue(who), Filters(text=text)
    expected = stock(session, owner, count)
    for spot, shown in ((Spot(), slice(3)), (Spot(1, before=10**9), slice(3)), (Spot(2), slice(3, 6))):
        leaf, number, is_all = ledger_pages.read_counted(session, filters, spot, by=by, size=3)
        assert (number, is_all) == (min(count, 4), count <= 4)
        if count > 3 or spot == Spot():
            assert (ids(leaf), leaf.has_older) == (expected[shown], spot.number == 1 and count > 3)
    last = ledger_pages.read_counted(session, filters, LAST, by=by, size=3)
    assert last[1:] == (min(count, 4), count <= 4)
    assert ids(last[0]) == (expected[-3:] if count > 4 else expected[3:] or expected)


def test_staff_who_search_one_ledger_look_through_its_newest_rows_first(
    session, owner, supervisor, monkeypatch
):
    monkeypatch.setattr(ledger_pages, "FEW", 0)
    stock(session, owner, 4)
    filters = Filters(text="压", enterprise_id=owner.enterprise_id)
    found = plans(session, lambda: read(session, supervisor, filters=filters))
    assert not any("instrument_search" in plan for plan in found)


FILTERS = {
    "nothing": Filters(),
    "text": Filters(text="电子秤"),
    "one sign": Filters(text="秤"),
    "part of a number": Filters(text="0417"),
    "initials": Filters(text="dzc"),
    "no sign of any language": Filters(text="%"),
    "nobody's word": Filters(text="虹膜"),
    "status": Filters(status=InstrumentStatus.in_use),
    "division": Filters(division_code="330108"),
    "prefecture": Filters(division_code=make.HANGZHOU),
    "another prefecture": Filters(division_code="330200"),
    "placeless": Filters(is_placeless=True),
    "due": Filters(due="30"),
    "rejected": Filters(due="rejected"),
    "purpose": Filters(purpose=Purpose.trade_settlement),
    "delivery": Filters(delivery_mode=DeliveryMode.on_site),
    "origin": Filters(origin=Origin.imported),
    "passed": Filters(conclusion=Conclusion.passed),
    "conclusion": Filters(conclusion=Conclusion.rejected),
    "booked": Filters(is_booked=True),
    "free": Filters(is_booked=False),
    "quality": Filters(quality="no_division"),
    "one word of one enterprise": Filters(text="压力", enterprise_id=1),
    "one sign of one enterprise": Filters(text="秤", enterprise_id=1),
    "all at once": Filters(
        text="秤",
        status=InstrumentStatus.in_use,
        division_code="330108",
        purpose=Purpose.trade_settlement,
        origin=Origin.imported,
        is_booked=False,
    ),
}


@pytest.mark.parametrize("who", ["owner", "supervisor"])
@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.usefixtures("reached")
def test_every_way_to_find_rows_finds_the_same(session, owner, name, who, request):
    by = request.getfixturevalue(who)
    scale = make.make_instrument(
        session,
        owner,
        name="电子秤",
        serial_number="DZ260417",
        kind_id=make.kind(session, "90201").id,
        division_code="330108",
        purpose=Purpose.trade_settlement,
        delivery_mode=DeliveryMode.on_site,
        origin=Origin.imported,
    )
    make.make_line(session, by=owner)
    make.make_legacy_instrument(session, owner, division_code=None)
    failed = make.make_instrument(session, owner, valid_until=make.date(2026, 12, 1))
    day = make.date(2026, 11, 20)
    clerk = make.make_account(session, Role.institution)
    instruments.move_validity(session, failed, failed.valid_until, day, Conclusion.rejected, clerk)
    instruments.move_validity(session, scale, make.date(2027, 11, 20), day, Conclusion.passed, clerk)
    filters = FILTERS[name]
    if filters.enterprise_id:
        filters = replace(filters, enterprise_id=owner.enterprise_id)
    plain = ledger.page(session, filters, by=by)
    assert ids(read(session, by, filters=filters, size=50)) == [row.id for row in plain]
    assert ledger_pages.count(session, filters, by=by) == (len(plain), True)


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.administrator])
@pytest.mark.parametrize("filters", [Filters(), Filters(text="压力"), Filters(division_code=make.XIHU)])
@pytest.mark.usefixtures("reached")
def test_strangers_find_nothing(session, owner, role, filters):
    stock(session, owner, 2)
    stranger = make.make_account(session, role)
    assert read(session, stranger, filters=filters).rows == []
    assert ledger_pages.count(session, filters, by=stranger) == (0, True)


def test_staff_of_another_area_find_nothing_here(session, owner, reached):
    stock(session, owner, 2)
    make.make_legacy_instrument(session, owner, division_code=None)
    stranger = make.make_account(session, Role.supervisor, division_code="330200")
    for filters in (
        Filters(),
        Filters(text="压力"),
        Filters(division_code=make.XIHU),
        Filters(is_placeless=True),
    ):
        assert read(session, stranger, filters=filters).rows == []
        assert ledger_pages.count(session, filters, by=stranger) == (0, True)


def plans(session, act):
    """The plans of the statements that `act` sends."""
    sent, found = [], []
    listener = lambda *given: sent.append(given[2:4])  # noqa: E731
    sa.event.listen(engine(), "before_cursor_execute", listener)
    act()
    sa.event.remove(engine(), "before_cursor_execute", listener)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    for statement, values in sent:
        if statement.startswith(("SELECT", "WITH")):
            rows = session.connection().exec_driver_sql(f"{explain} {statement}", values)
            found.append("\n".join(str(row[-1]) for row in rows))
    return found


def test_a_search_asks_its_index(session, owner, supervisor, monkeypatch):
    stock(session, owner, 60)
    if session.get_bind().dialect.name == "postgresql":
        # A table this small would be read whole.
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))
    found = plans(session, lambda: read(session, supervisor, filters=Filters(text="虹膜")))
    assert any("instrument_search" in plan for plan in found)
    assert not any("SCAN instruments" in plan or "Seq Scan on instrument" in plan for plan in found)


def test_a_ledger_of_one_owner_is_read_in_the_order_of_its_index(session, owner):
    stock(session, owner, 5)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        session.execute(sa.text("SET LOCAL enable_sort = off"))
    found = plans(session, lambda: read(session, owner))
    assert "ix_instruments_owned" in found[0]
    assert "SORT" not in found[0].upper().replace("TEMP B-TREE FOR ORDER BY", "SORT")
