"""Pages of the ledger by key: they meet, they come back, they cost what they hold."""

import pytest
import sqlalchemy as sa
from sqlmodel import col

from db import ledger_finder, ledger_pages
from db.ledger import Filters
from db.ledger_pages import LAST, Spot
from db.models import Instrument, InstrumentChange, Role
from tests import make


@pytest.fixture
def supervisor(session):
    """Of the whole prefecture."""
    return make.make_account(session, Role.supervisor)


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
    by, expected = request.getfixturevalue(who), make.make_instruments(session, owner, 8)
    there = [read(session, by)]
    while there[-1].has_older and len(there) < 9:
        there.append(read(session, by, there[-1].older))
    assert [id for leaf in there for id in ids(leaf)] == expected
    assert [leaf.spot.number for leaf in there] == [1, 2, 3]
    back = [there[-1]]
    while back[-1].has_newer and len(back) < 9:
        back.append(read(session, by, back[-1].newer))
    assert [ids(leaf) for leaf in back] == [ids(leaf) for leaf in there[::-1]]
    assert [leaf.spot.number for leaf in back] == [3, 2, 1]


def test_rows_added_and_removed_meanwhile_move_no_page(session, owner):
    expected = make.make_instruments(session, owner, 9)
    second = read(session, owner, read(session, owner).older)
    make.make_instrument(session, owner)
    for model, key in ((InstrumentChange, InstrumentChange.instrument_id), (Instrument, Instrument.id)):
        session.execute(sa.delete(model).where(col(key) == expected[5]))
    third = read(session, owner, second.older)
    assert ids(second) + ids(third) == expected[3:9]
    assert ids(read(session, owner, third.newer)) == [*expected[2:5]]


def test_going_back_to_the_beginning_shows_what_is_new(session, owner):
    make.make_instruments(session, owner, 6)
    second = read(session, owner, read(session, owner).older)
    added = make.make_instrument(session, owner).id
    first = read(session, owner, second.newer)
    assert (added in ids(first), first.has_newer) == (False, True)
    newest = read(session, owner, first.newer)
    assert (ids(newest)[0], newest.has_newer, newest.spot) == (added, False, Spot())


@pytest.mark.parametrize("who", ["owner", "supervisor"])
@pytest.mark.usefixtures("reached")
def test_a_page_asked_for_by_its_number_is_that_page(session, owner, who, request):
    by, expected = request.getfixturevalue(who), make.make_instruments(session, owner, 8)
    leaf = read(session, by, Spot(2))
    assert (ids(leaf), leaf.has_newer, leaf.has_older) == (expected[3:6], True, True)
    assert ids(read(session, by, leaf.spot)) == ids(leaf)


@pytest.mark.parametrize("spot", [LAST, Spot(99), Spot(3, before=1), Spot(-5)])
def test_beyond_the_end_lies_the_last_page(session, owner, spot):
    expected = make.make_instruments(session, owner, 8)
    leaf = read(session, owner, spot)
    assert (ids(leaf), leaf.spot.number, leaf.has_older) == (expected[6:], 3, False)


@pytest.mark.parametrize("spot", [LAST, Spot(-3), Spot(0), Spot(7), Spot(2, before=1), Spot(1, after=10**9)])
def test_an_empty_list_is_one_empty_page(session, owner, spot):
    leaf = read(session, owner, spot)
    assert (leaf.rows, leaf.spot, leaf.has_newer, leaf.has_older) == ([], Spot(), False, False)


def test_pages_of_a_list_too_long_to_count_are_numbered_from_its_end(session, owner, monkeypatch):
    monkeypatch.setattr(ledger_finder, "MOST", 4)
    expected = make.make_instruments(session, owner, 8)
    last = read(session, owner, LAST)
    before = read(session, owner, last.newer)
    assert (ids(last), last.spot.number) == (expected[5:], -1)
    assert (ids(before), before.spot.number) == (expected[2:5], -2)
    assert read(session, owner, before.older).spot.number == -1


def test_no_page_is_longer_than_two_hundred(session, owner):
    make.make_instruments(session, owner, 201)
    assert len(ids(read(session, owner, size=10_000))) == 200


def test_a_list_is_counted_no_further_than_needed(session, owner, supervisor, monkeypatch):
    monkeypatch.setattr(ledger_finder, "MOST", 4)
    make.make_instruments(session, owner, 4)
    assert ledger_pages.count(session, Filters(), by=supervisor) == (4, True)
    make.make_instruments(session, owner, 2)
    assert ledger_pages.count(session, Filters(), by=supervisor) == (4, False)
    assert ledger_pages.count(session, Filters(text="压力"), by=owner) == (6, True)


@pytest.mark.parametrize("count", [0, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("who", ["owner", "supervisor"])
@pytest.mark.parametrize("text", ["", "压力"])
@pytest.mark.usefixtures("reached")
def test_a_page_comes_with_the_total(session, owner, count, who, text, request, monkeypatch):
    monkeypatch.setattr(ledger_finder, "MOST", 4)
    monkeypatch.setattr(ledger_finder, "MOST_LOOKED_AT", 4)
    by, filters = request.getfixturevalue(who), Filters(text=text)
    expected = make.make_instruments(session, owner, count)
    for spot, shown in ((Spot(), slice(3)), (Spot(1, before=10**9), slice(3)), (Spot(2), slice(3, 6))):
        leaf, number, is_all = ledger_pages.read_counted(session, filters, spot, by=by, size=3)
        assert (number, is_all) == (min(count, 4), count <= 4)
        if count > 3 or spot == Spot():
            assert (ids(leaf), leaf.has_older) == (expected[shown], spot.number == 1 and count > 3)
    last = ledger_pages.read_counted(session, filters, LAST, by=by, size=3)
    assert last[1:] == (min(count, 4), count <= 4)
    assert ids(last[0]) == (expected[-3:] if count > 4 else expected[3:] or expected)
