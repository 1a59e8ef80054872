"""Pages of a ledger list by key, the newest row first, and how many rows there are about.

No page costs more for lying deep in the list: the next one begins after the id the last one ended with. Only
a page asked for by its number has to count its way there, over ids.

Where the rows are dense, walking down the key finds a page soonest; where they are rare, an index does. No
planner knows beforehand which it is when words are searched for, so both are tried, the newest rows first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from db import ledger, reach, search
from db.ledger import Filters
from db.models import Account, Division, Instrument, InstrumentStatus, Role

SIZES = (50, 100, 200)
# Rows counted at most, fewer where each must be looked at: more are said to be more.
MOST, MOST_LOOKED_AT = 10_000, 500
# Newest rows that are looked through one by one before an index is asked.
NEAR, NEAR_OWNED = 20_000, 5_000
# Of these, the part that tells a rare word: one that none of them holds is looked up in the index.
GLANCE = 10
# How much further words are looked for that are known to be frequent.
FURTHER = 10
# Rows that are still read sooner one by one than through the index of words.
FEW = 30_000
WINDOWS = ("overdue", "30", "60", "90")
KEY: Any = col(Instrument.id)
ONE = sa.select(sa.literal(1).label("one")).select_from(Instrument)


@dataclass(frozen=True)
class Spot:
    """Where a page lies: below the id `before` or above the id `after`, else counted off by its number.

    A negative number counts from the end of the list, where how many pages there are is not known.
    """

    number: int = 1
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class Leaf:
    """One page: rows as `ledger.COLUMNS`, where it lies, and whether there is more on either side."""

    rows: list[sa.Row[Any]]
    spot: Spot = Spot()
    has_newer: bool = False
    has_older: bool = False

    @property
    def newer(self) -> Spot:
        """The page before this one."""
        number = self.spot.number - 1
        return Spot(max(number, 1) if number >= 0 else number, after=self.rows[0].id)

    @property
    def older(self) -> Spot:
        """The page after this one."""
        number = self.spot.number + 1
        return Spot(number if number > 1 else min(number, -1), before=self.rows[-1].id)


LAST = Spot(-1)


def read(
    session: Session, filters: Filters, spot: Spot = Spot(), *, by: Account, size: int = SIZES[0]
) -> Leaf:
    """The page at `spot` of the rows within the asker's reach; the last one when the list ends before it.

    Its own `spot` begins with a key wherever it is not the first page of the list.
    """
    return _read(_Finder(session, by, filters), spot, min(size, SIZES[-1]))


def read_counted(
    session: Session, filters: Filters, spot: Spot = Spot(), *, by: Account, size: int = SIZES[0]
) -> tuple[Leaf, int, bool]:
    """The page at `spot` as `read` gives it, with what `count` says."""
    finder = _Finder(session, by, filters)
    leaf = _read(finder, spot, min(size, SIZES[-1]))
    if leaf.has_newer or leaf.has_older:
        return leaf, *finder.total
    return leaf, len(leaf.rows), True


def _read(finder: "_Finder", spot: Spot, size: int) -> Leaf:
    if spot.after is not None:
        ids = finder.ids(size + 1, after=spot.after)
        if len(ids) <= size:
            return _read(finder, Spot(), size)
        return _leaf(finder.session, ids[-2::-1], replace(spot, after=None), has_newer=True, has_older=True)
    if spot.number < 0 and spot.before is None:
        return _last(finder, size)
    offset = 0 if spot.before is not None else (max(spot.number, 1) - 1) * size
    ids = finder.ids(size + 1, before=spot.before, offset=offset)
    is_first = spot.before is None and offset == 0
    if not ids and not is_first:
        return _last(finder, size)
    return _leaf(finder.session, ids[:size], spot, has_newer=not is_first, has_older=len(ids) > size)


def count(session: Session, filters: Filters, *, by: Account) -> tuple[int, bool]:
    """How many rows match, and whether that is all of them: no more than MOST are counted."""
    return _Finder(session, by, filters).total


def _leaf(session: Session, ids: list[int], spot: Spot, has_newer: bool, has_older: bool) -> Leaf:
    rows = ledger.rows(session, ids)
    if not has_newer:
        spot = Spot()
    elif ids:
        spot = Spot(spot.number, before=ids[0] + 1)
    return Leaf(rows, spot, has_newer, has_older)


def _last(finder: "_Finder", size: int) -> Leaf:
    total, is_all = finder.total
    if is_all and total <= size:
        return _read(finder, Spot(), size)
    rest = (total % size or size) if is_all else size
    ids = finder.ids(rest, after=0)[::-1]
    number = -(-total // size) if is_all else -1
    return _leaf(finder.session, ids, Spot(number), has_newer=True, has_older=False)


class _Finder:
    """The ids of one question, however they are found soonest."""

    def __init__(self, session: Session, by: Account, filters: Filters):
        self.session, self.by, self.filters = session, by, filters
        self.whole = (reach.instruments(by), *ledger.narrowed(session, filters, by))
        self.words = search.Words(session, filters.text, has_owner=by.role in reach.BUREAU)
        # The rows of one owner have an index in the order of the key.
        self.is_owned = by.role == Role.enterprise or filters.enterprise_id is not None
        # How many rows the index of words gave for the first page, where it was asked.
        self.indexed: int | None = None
        # Whether it is known that there are more rows than are counted.
        self.is_frequent = False

    @cached_property
    def parts(self) -> list[Any]:
        return _parts(self.session, self.by, self.filters)

    def ids(
        self, size: int, before: int | None = None, after: int | None = None, offset: int = 0
    ) -> list[int]:
        """Ids below `before`, the highest first, or above `after`, the lowest first."""
        for found in self._tries(size, _Side(before, after), offset):
            if len(found) >= size:
                break
        return found

    def _tries(self, size: int, side: "_Side", offset: int) -> Iterator[list[int]]:
        """Each finds more than the one before, the last one everything."""
        if offset:
            yield self._counted_off(size, side, offset)
            return
        if not self.is_owned and not self.words.is_ordered:
            walk = partial(self._near, side.start(self.session))
            yield from self._nearer(walk, NEAR, size, side)
        if self.is_searched:
            if self.is_owned and not self.words.is_ordered:
                yield from self._nearer(self._newest, NEAR_OWNED, size, side)
            yield self._indexed(size, side)
        else:
            yield self._read_through(size, side, KEY if self.is_owned else search.HIDDEN_KEY)

    def _nearer(self, walk: Any, most: int, size: int, side: "_Side") -> Iterator[list[int]]:
        """What a walk over `most` rows finds.

        It ends where a glance at a few of them finds the words nowhere, and goes further where they are known
        to be frequent.
        """
        if self.words:
            glanced = walk(size, side, most // GLANCE)
            yield glanced
            if self.is_frequent:
                most *= FURTHER
            elif not glanced:
                return
        yield walk(size, side, most)

    def _near(self, start: int, size: int, side: "_Side", most: int) -> list[int]:
        """Among so many rows from `start` on, whoever owns them."""
        near = KEY.between(start, start + most) if side.is_up else KEY.between(start - most, start)
        return self._found(self._walked().where(near), side.order(KEY), size)

    def _walked(self) -> Any:
        # SQLite would rather sort what another index gives than walk down the key.
        rows = sa.select(KEY).where(*self.whole, *self.words.held())
        return rows.with_hint(Instrument, "NOT INDEXED", "sqlite")

    def _indexed(self, size: int, side: "_Side", offset: int = 0) -> list[int]:
        """Through the index of words; for the first page as far as it is counted."""
        rows, key = self.words.rows(*self.whole)
        if side == _Side() and not offset:
            found = self._found(rows, side.order(key), max(size, MOST_LOOKED_AT + 1))
            self.indexed = len(found)
            return found[:size]
        return self._found(rows.where(*side.beyond(key)), side.order(key), size, offset)

    def _newest(self, size: int, side: "_Side", most: int) -> list[int]:
        """Among so many rows of one owner next to the side."""
        rows, key = self._owned(side, most)
        return self._found(rows, side.order(key), size)

    def _owned(self, side: "_Side", most: int) -> tuple[Any, Any]:
        rows = sa.select(KEY, Instrument.search_text).where(*self.whole, *side.beyond(KEY))
        near = rows.order_by(side.order(KEY)).limit(most).subquery()
        return sa.select(near.c.id).where(*self.words.held(near.c.search_text)), near.c.id

    def _counted_off(self, size: int, side: "_Side", offset: int) -> list[int]:
        if self.is_searched:
            return self._indexed(size, side, offset)
        if self.is_owned or not self._is_many:
            key = KEY if self.is_owned or not self.words else search.HIDDEN_KEY
            return self._read_through(size + offset, side, key)[offset:]
        return self._found(self._walked(), side.order(KEY), size, offset)

    def _read_through(self, size: int, side: "_Side", key: Any) -> list[int]:
        """The first ids of every part of the asker's reach, each row asked for the words."""
        found: list[int] = []
        for part in self.parts:
            rows = sa.select(KEY).where(part, *side.beyond(key), *self.words.held())
            found += self._found(rows, side.order(key), size)
        return sorted(found, reverse=not side.is_up)[:size]

    def _found(self, rows: Any, order: Any, size: int, offset: int = 0) -> list[int]:
        return list(self.session.scalars(rows.order_by(order).limit(size).offset(offset or None)))

    @property
    def is_searched(self) -> bool:
        """Whether words are looked for among so many rows that their index is worth its start."""
        return bool(self.words) and self._is_many

    @cached_property
    def _is_many(self) -> bool:
        """Whether reading the rows one by one, whatever words they hold, would take long."""
        if self.by.role in reach.BUREAU and self.filters == Filters(text=self.filters.text):
            return True
        return self._counted(ONE, FEW + 1) > FEW

    @cached_property
    def total(self) -> tuple[int, bool]:
        """How many rows there are, and whether that is all of them."""
        is_looked_at = self.filters.text or self.filters.is_booked is not None
        most = MOST_LOOKED_AT if is_looked_at else MOST
        found = self._count(most + 1)
        self.is_frequent = found > most
        return min(found, most), found <= most

    def _count(self, most: int) -> int:
        if not self.is_searched:
            return self._counted(ONE.where(*self.words.held()), most)
        if self.indexed is not None:
            return self.indexed
        if (near := self._count_near(most)) == most:
            return near
        rows, key = self.words.rows(*self.whole)
        # In no order wherever an order would have to be made.
        return self._length(rows.order_by(key.desc()) if self.words.is_ordered else rows, most)

    def _count_near(self, most: int) -> int:
        if self.words.is_ordered:
            return 0
        if self.is_owned:
            return self._length(self._owned(_Side(), NEAR_OWNED)[0], most)
        start = _Side().start(self.session)
        return self._length(self._walked().where(KEY.between(start - NEAR, start)), most)

    def _counted(self, rows: Any, most: int) -> int:
        found = 0
        for part in self.parts:
            if found < most:
                found += self._length(rows.where(part), most - found)
        return found

    def _length(self, rows: Any, most: int) -> int:
        return self.session.scalar(select(func.count()).select_from(rows.limit(most).subquery())) or 0


def _parts(session: Session, by: Account, filters: Filters) -> list[Any]:
    """The asker's reach with every filter but the words, in parts that share no row and need no OR.

    Divisions are named one by one, because an index on division and status cannot use a range of divisions.
    """
    if not by.is_active:
        return [sa.false()]
    narrowed = ledger.narrowed(session, replace(filters, division_code=None), by)
    if filters.due in WINDOWS and filters.status is None:
        # Between division and validity in the index.
        narrowed.append(col(Instrument.status).in_(InstrumentStatus))
    codes = _codes(session, by, filters.division_code)
    if codes is None:
        return [sa.and_(reach.instruments(by), *narrowed)]
    placed = sa.and_(col(Instrument.division_code).in_(codes), *narrowed)
    if by.role not in reach.BUREAU:
        return [sa.and_(reach.instruments(by), placed)]
    if filters.division_code:
        return [placed]
    placeless = sa.and_(reach.placeless_instruments(by), *narrowed)
    return [placeless] if filters.is_placeless else [placed, placeless]


def _codes(session: Session, by: Account, code: str | None) -> list[str] | None:
    """The divisions below `code` and within the area of a member of staff; None for everywhere."""
    area = by.division_code if by.role in reach.BUREAU else None
    if area is None and code is None:
        return None
    within = (reach.within(Division.code, one) for one in (area, code))
    return list(session.scalars(select(Division.code).where(*within)))


@dataclass(frozen=True)
class _Side:
    """Which way a page is read, and from where."""

    before: int | None = None
    after: int | None = None

    @property
    def is_up(self) -> bool:
        return self.after is not None

    def beyond(self, key: Any) -> list[Any]:
        if self.after is not None:
            return [key > self.after]
        return [key < self.before] if self.before is not None else []

    def order(self, key: Any) -> Any:
        return key.asc() if self.is_up else key.desc()

    def start(self, session: Session) -> int:
        if self.after is not None:
            return max(self.after + 1, session.scalar(select(func.min(KEY))) or 0)
        if self.before is not None:
            return self.before - 1
        return session.scalar(select(func.max(KEY))) or 0
