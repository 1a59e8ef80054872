"""Pages of a ledger list by key, the newest row first, and how many rows there are about.

No page costs more for lying deep in the list: the next one begins after the id the last one ended with. Only
a page asked for by its number has to count its way there, over ids.
"""

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db import ledger
from db.ledger import Filters
from db.ledger_finder import Finder
from db.models import Account

SIZES = (50, 100, 200)


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
    return _read(Finder(session, by, filters), spot, min(size, SIZES[-1]))


def read_counted(
    session: Session, filters: Filters, spot: Spot = Spot(), *, by: Account, size: int = SIZES[0]
) -> tuple[Leaf, int, bool]:
    """The page at `spot` as `read` gives it, with what `count` says."""
    finder = Finder(session, by, filters)
    leaf = _read(finder, spot, min(size, SIZES[-1]))
    if leaf.has_newer or leaf.has_older:
        return leaf, *finder.total
    return leaf, len(leaf.rows), True


def _read(finder: Finder, spot: Spot, size: int) -> Leaf:
    if spot.after is not None:
        ids = finder.ids(size + 1, after=spot.after)
        if len(ids) <= size:
            return _read(finder, Spot(), size)
        return _leaf(finder.session, ids[-2::-1], replace(spot, after=None), has_newer=True, has_older=True)
    if spot.number < 0 and spot.before is None:
        return _last(finder, size)
    # Only in a list with more rows than are counted are pages numbered from the end.
    finder.is_frequent = spot.number < 0
    offset = 0 if spot.before is not None else (max(spot.number, 1) - 1) * size
    ids = finder.ids(size + 1, before=spot.before, offset=offset)
    is_first = spot.before is None and offset == 0
    if not ids and not is_first:
        return _last(finder, size)
    return _leaf(finder.session, ids[:size], spot, has_newer=not is_first, has_older=len(ids) > size)


def count(session: Session, filters: Filters, *, by: Account) -> tuple[int, bool]:
    """How many rows match, and whether that is all of them: no more than MOST are counted."""
    return Finder(session, by, filters).total


def _leaf(session: Session, ids: list[int], spot: Spot, has_newer: bool, has_older: bool) -> Leaf:
    rows = ledger.rows(session, ids)
    if not has_newer:
        spot = Spot()
    elif ids:
        spot = Spot(spot.number, before=ids[0] + 1)
    return Leaf(rows, spot, has_newer, has_older)


def _last(finder: Finder, size: int) -> Leaf:
    total, is_all = finder.total
    if is_all and total <= size:
        return _read(finder, Spot(), size)
    rest = (total % size or size) if is_all else size
    ids = finder.ids(rest, after=0)[::-1]
    number = -(-total // size) if is_all else -1
    return _leaf(finder.session, ids, Spot(number), has_newer=True, has_older=False)
