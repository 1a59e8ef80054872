"""Where the headings of a sheet stand, and which columns of the ledger they mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from catalog.columns import COLUMNS, match
from catalog.reading.cells import text

# Headings are looked for in the first rows.
HEAD = 30
# So many known headings make a row the header.
ENOUGH = 2
REQUIRED = {column.heading for column in COLUMNS if column.is_required}


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a sheet: its (last) row counted from 0, its headings, and what they stand for."""

    row: int
    headings: tuple[str, ...]
    fields: tuple[str | None, ...]

    @property
    def score(self) -> int:
        """How many headings are known."""
        return sum(field is not None for field in self.fields)

    @property
    def is_complete(self) -> bool:
        """Whether every required column is there."""
        return set(self.fields) >= REQUIRED


def best_header(head: Sequence[Sequence[Any]]) -> Header:
    """The header in the first rows of a sheet, in one row or in two; without any, its first full row."""
    rows = [[_heading(cell) for cell in row] for row in head]
    best = Header(0, (), ())
    for header in _candidates(rows):
        if header.score > best.score:
            best = header
        if best.is_complete:
            break
    best = max([best, *_beside(rows, best)], key=lambda header: header.score)
    return best if best.score >= ENOUGH else _unknown(rows)


def _heading(cell: Any) -> str:
    found = text(cell)
    return found if isinstance(found, str) else ""


def _candidates(rows: list[list[str]]) -> Iterator[Header]:
    """Single rows first, then pairs: a group above, its parts below."""
    for number, row in enumerate(rows):
        if sum(map(bool, row)) >= ENOUGH:
            yield _header(number, row)
    yield from _pairs(rows)


def _pairs(rows: list[list[str]]) -> Iterator[Header]:
    for number, (upper, lower) in enumerate(pairwise(rows), start=1):
        if any(upper) and any(lower):
            yield _header(number, _joined(upper, lower))


def _beside(rows: list[list[str]], found: Header) -> list[Header]:
    """The complete headers that the row of a complete one makes with the row above or below."""
    near = (found.row, found.row + 1)
    return [pair for pair in _pairs(rows[: found.row + 2]) if pair.row in near and pair.is_complete]


def _joined(upper: list[str], lower: list[str]) -> list[str]:
    width = max(len(upper), len(lower))
    upper, lower = (row + [""] * (width - len(row)) for row in (upper, lower))
    return [low or high for high, low in zip(upper, lower, strict=True)]


def _header(number: int, row: list[str]) -> Header:
    width = max((index for index, heading in enumerate(row, start=1) if heading), default=0)
    return Header(number, tuple(row[:width]), tuple(match(row[:width])))


def _unknown(rows: list[list[str]]) -> Header:
    """The first row that looks like headings, or the first that is not empty; none of them known."""
    full = [number for number, row in enumerate(rows) if any(row)]
    number = next((n for n in full if sum(map(bool, rows[n])) > ENOUGH), full[0] if full else 0)
    header = _header(number, rows[number] if rows else [])
    return Header(number, header.headings, (None,) * len(header.headings))
