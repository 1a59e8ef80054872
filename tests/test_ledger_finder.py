"""Which way the rows of a ledger are found, and that each finds the same ones."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from db import instruments, ledger, ledger_finder
from db.engine import engine
from db.ledger import Filters
from db.ledger_finder import Finder
from db.models import Conclusion, DeliveryMode, InstrumentStatus, Origin, Purpose, Role
from tests import make


@pytest.fixture
def supervisor(session):
    """Of the whole prefecture."""
    return make.make_account(session, Role.supervisor)


def test_staff_who_search_one_ledger_look_through_its_newest_rows_first(
    session, owner, supervisor, monkeypatch
):
    monkeypatch.setattr(ledger_finder, "FEW", 0)
    make.make_instruments(session, owner, 4)
    filters = Filters(text="压", enterprise_id=owner.enterprise_id)
    found = plans(session, lambda: Finder(session, supervisor, filters).ids(3))
    assert not any("instrument_search" in plan for plan in found)


@pytest.mark.parametrize("text", ["压", "虹"])
@pytest.mark.usefixtures("database")  # Its ids begin at 1, however many others have used.
def test_a_walk_that_has_seen_every_row_asks_no_index(session, owner, supervisor, text):
    middle = make.make_instruments(session, owner, 8)[4]
    finder = Finder(session, supervisor, Filters(text=text))
    for ask in (
        lambda: finder.ids(50),
        lambda: finder.ids(50, before=middle),
        lambda: finder.ids(50, after=middle),
        lambda: finder.total,
    ):
        assert not any("instrument_search" in plan for plan in plans(session, ask))


@pytest.mark.parametrize("glance", [1, 2, 10])
@pytest.mark.usefixtures("database")
def test_a_walk_that_stops_short_is_not_the_answer(session, owner, supervisor, glance, monkeypatch):
    oldest = make.make_instrument(session, owner, name="电子秤").id
    make.make_instruments(session, owner, 6)
    newest = make.make_instrument(session, owner, name="电子秤").id
    monkeypatch.setattr(ledger_finder, "FEW", 0)
    monkeypatch.setattr(ledger_finder, "GLANCE", glance)
    for by, near in ((by, near) for by in (supervisor, owner) for near in range(1, newest + 3)):
        monkeypatch.setattr(ledger_finder, "NEAR", near)
        monkeypatch.setattr(ledger_finder, "NEAR_OWNED", near)
        finder = Finder(session, by, Filters(text="秤"))
        assert finder.ids(50) == [newest, oldest]
        assert finder.ids(50, before=newest) == [oldest]
        assert finder.ids(50, after=oldest) == [newest]
        assert finder.ids(50, after=0) == [oldest, newest]
        assert finder.total == (2, True)


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
    assert Finder(session, by, filters).ids(50) == [row.id for row in plain]
    assert Finder(session, by, filters).total == (len(plain), True)


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.administrator])
@pytest.mark.parametrize("filters", [Filters(), Filters(text="压力"), Filters(division_code=make.XIHU)])
@pytest.mark.usefixtures("reached")
def test_strangers_find_nothing(session, owner, role, filters):
    make.make_instruments(session, owner, 2)
    stranger = make.make_account(session, role)
    assert Finder(session, stranger, filters).ids(50) == []
    assert Finder(session, stranger, filters).total == (0, True)


def test_staff_of_another_area_find_nothing_here(session, owner, reached):
    make.make_instruments(session, owner, 2)
    make.make_legacy_instrument(session, owner, division_code=None)
    stranger = make.make_account(session, Role.supervisor, division_code="330200")
    for filters in (
        Filters(),
        Filters(text="压力"),
        Filters(division_code=make.XIHU),
        Filters(is_placeless=True),
    ):
        assert Finder(session, stranger, filters).ids(50) == []
        assert Finder(session, stranger, filters).total == (0, True)


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
    monkeypatch.setattr(ledger_finder, "NEAR", 20)
    make.make_instruments(session, owner, 60)
    if session.get_bind().dialect.name == "postgresql":
        # A table this small would be read whole.
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))
    found = plans(session, lambda: Finder(session, supervisor, Filters(text="虹膜")).ids(3))
    assert any("instrument_search" in plan for plan in found)
    assert not any("SCAN instruments" in plan or "Seq Scan on instrument" in plan for plan in found)


def test_a_ledger_of_one_owner_is_read_in_the_order_of_its_index(session, owner):
    make.make_instruments(session, owner, 5)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        session.execute(sa.text("SET LOCAL enable_sort = off"))
    found = plans(session, lambda: Finder(session, owner, Filters()).ids(3))
    assert "ix_instruments_owned" in found[0]
    assert "SORT" not in found[0].upper().replace("TEMP B-TREE FOR ORDER BY", "SORT")
