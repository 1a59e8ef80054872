"""Which instruments are in a list of the ledger: their ids, found whichever way is soonest.

Where the rows are dense, walking along the key finds them soonest; where they are rare, an index does. No
planner knows beforehand which it is when words are searched for, so both are tried, the nearest rows first.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from db import ledger, reach, search
from db.ledger import Filters
from db.models import Account, Division, Instrument, InstrumentStatus, Role

# Rows counted at most, fewer where each must be looked at: more are said to be more.
MOST, MOST_LOOKED_AT = 10_000, 500
# Nearest rows that are looked through one by one before an index is asked.
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
class _Side:
    """Below the id `before`, above the id `after`, or from the newest row on."""

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


class Finder:
    """The ids of one question within the asker's reach."""

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

    def ids(
        self, size: int, before: int | None = None, after: int | None = None, offset: int = 0
    ) -> list[int]:
        """At most `size` ids below `before`, the highest first, or above `after`, the lowest first.

        After `total`, or a hint in `is_frequent`, the same ids may be found in another way.
        """
        side = _Side(before, after)
        if offset:
            return self._counted_off(size, side, offset)
        nearby = self._nearby(size, side)
        if nearby is not None:
            return nearby
        if self.is_searched:
            return self._indexed(size, side)
        return self._read_through(size, side, KEY if self.is_owned else search.HIDDEN_KEY)

    @cached_property
    def total(self) -> tuple[int, bool]:
        """How many rows there are, and whether that is all of them."""
        is_looked_at = self.filters.text or self.filters.is_booked is not None
        most = MOST_LOOKED_AT if is_looked_at else MOST
        found = self._count(most + 1)
        self.is_frequent = found > most
        return min(found, most), found <= most

    @cached_property
    def parts(self) -> list[Any]:
        """Conditions that share no row, and together are the list without its words."""
        return _parts(self.session, self.by, self.filters)

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
    def _newest(self) -> int:
        return self.session.scalar(select(func.max(KEY))) or 0

    def _start(self, side: _Side) -> int:
        """Where a walk begins: no row lies between the side and this id."""
        if side.after is not None:
            return max(side.after + 1, self.session.scalar(select(func.min(KEY))) or 0)
        return self._newest if side.before is None else side.before - 1

    def _is_ended(self, side: _Side, distance: int) -> bool:
        """Whether a walk over so many rows has seen all there are: there are no more of them, or of ids."""
        if self.is_owned:
            # From the newest on there are more than FEW.
            rows = ONE.where(*self.whole, *side.beyond(KEY))
            return side != _Side() and self._length(rows, distance + 1) <= distance
        return (self._newest - side.after if side.after is not None else self._start(side)) <= distance

    def _nearby(self, size: int, side: _Side) -> list[int] | None:
        """What is found by walking from the side on; None where more would be found in another way."""
        if self.words.is_ordered or (self.is_owned and not self.is_searched):
            return None
        walk = self._walk_owned if self.is_owned else partial(self._walk, self._start(side))
        for distance in self._distances():
            found = walk(size, side, distance)
            if len(found) >= size or self._is_ended(side, distance):
                return found
            if not found and not self.is_frequent:
                break
        return None

    def _distances(self) -> list[int]:
        """How many rows to look through, and how many if some of them, but too few, are found there."""
        usual = NEAR_OWNED if self.is_owned else NEAR
        return [usual // GLANCE, usual * FURTHER if self.is_frequent else usual] if self.words else [usual]

    def _walk(self, start: int, size: int, side: _Side, distance: int) -> list[int]:
        """Among so many rows from `start` on, whoever owns them."""
        near = KEY.between(start, start + distance) if side.is_up else KEY.between(start - distance, start)
        return self._found(self._one_by_one().where(near), side.order(KEY), size)

    def _one_by_one(self) -> Any:
        # SQLite would rather sort what another index gives than walk along the key.
        rows = sa.select(KEY).where(*self.whole, *self.words.held())
        return rows.with_hint(Instrument, "NOT INDEXED", "sqlite")

    def _walk_owned(self, size: int, side: _Side, distance: int) -> list[int]:
        """Among so many rows of one owner next to the side."""
        rows, key = self._owned(side, distance)
        return self._found(rows, side.order(key), size)

    def _owned(self, side: _Side, distance: int) -> tuple[Any, Any]:
        rows = sa.select(KEY, Instrument.search_text).where(*self.whole, *side.beyond(KEY))
        near = rows.order_by(side.order(KEY)).limit(distance).subquery()
        return sa.select(near.c.id).where(*self.words.held(near.c.search_text)), near.c.id

    def _indexed(self, size: int, side: _Side, offset: int = 0) -> list[int]:
        """Through the index of words; for the first page as far as it is counted."""
        rows, key = self.words.rows(*self.whole)
        if side == _Side() and not offset:
            found = self._found(rows, side.order(key), max(size, MOST_LOOKED_AT + 1))
            self.indexed = len(found)
            return found[:size]
        return self._found(rows.where(*side.beyond(key)), side.order(key), size, offset)

    def _counted_off(self, size: int, side: _Side, offset: int) -> list[int]:
        if self.is_searched:
            return self._indexed(size, side, offset)
        if self.is_owned or not self._is_many:
            key = KEY if self.is_owned or not self.words else search.HIDDEN_KEY
            return self._read_through(size + offset, side, key)[offset:]
        return self._found(self._one_by_one(), side.order(KEY), size, offset)

    def _read_through(self, size: int, side: _Side, key: Any) -> list[int]:
        """The first ids of every part of the asker's reach, each row asked for the words."""
        found: list[int] = []
        for part in self.parts:
            rows = sa.select(KEY).where(part, *side.beyond(key), *self.words.held())
            found += self._found(rows, side.order(key), size)
        return sorted(found, reverse=not side.is_up)[:size]

    def _found(self, rows: Any, order: Any, size: int, offset: int = 0) -> list[int]:
        return list(self.session.scalars(rows.order_by(order).limit(size).offset(offset or None)))

    def _count(self, most: int) -> int:
        if not self.is_searched:
            return self._counted(ONE.where(*self.words.held()), most)
        if self.indexed is not None:
            return self.indexed
        nearby, is_all = self._count_nearby(most)
        if is_all or nearby == most:
            return nearby
        rows, key = self.words.rows(*self.whole)
        # In no order wherever an order would have to be made.
        return self._length(rows.order_by(key.desc()) if self.words.is_ordered else rows, most)

    def _count_nearby(self, most: int) -> tuple[int, bool]:
        """How many of the newest rows hold the words, and whether no others may hold them."""
        if self.words.is_ordered:
            return 0, False
        side, distance = _Side(), NEAR_OWNED if self.is_owned else NEAR
        if self.is_owned:
            rows, _ = self._owned(side, distance)
        else:
            rows = self._one_by_one().where(KEY.between(self._newest - distance, self._newest))
        return self._length(rows, most), self._is_ended(side, distance)

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
