"""Rows of a sheet turned into cells of the ledger, column by column and a thousand rows at a time."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from itertools import islice
from typing import Any

from catalog.columns import COLUMNS, DAY, DIVISION, KIND, SYSTEM_ID, WHOLE
from catalog.reading import cells, limits
from catalog.reading.cells import MERGED, Raw, Reader
from catalog.reading.contents import Fault, Unreadable
from catalog.reading.headers import Header
from catalog.reading.limits import ROWS
from catalog.reading.marks import Area, Marks

BATCH = 1000
# Distinct values of a column that are remembered.
REMEMBERED = 20_000
FORMATS = {column.heading: column.format for column in COLUMNS}
CODES = {KIND, DIVISION, SYSTEM_ID, "出厂编号"}

TOO_MANY = f"超过 {ROWS:,} 行，请拆分成几个文件后分别上传"

# What an empty cell holds.
NOTHING = frozenset(("", None))

Encoded = str | int | list[str] | None
Numbered = tuple[int, list[Raw]]


def kind(field: str | None) -> str:
    """How the cells of a column are read: 'day', 'whole', 'code', 'text', or '' where it is not used."""
    if field is None:
        return ""
    if field in CODES:
        return "code"
    return {DAY: "day", WHOLE: "whole"}.get(FORMATS.get(field, ""), "text")


def batches(
    rows: Iterable[tuple[int, Sequence[Raw]]],
    header: Header,
    kinds: Sequence[str],
    marks: Marks,
    is_1904: bool,
) -> Iterator[dict[str, Any]]:
    """The rows below the header as messages: their numbers, their cells by column, the columns with faults.

    `rows` have their numbers, counted from 0. Empty rows are left out. Raises Unreadable beyond the limit.
    """
    memories = [_Memory(_reader(each, is_1904)) for each in kinds]
    textual = [each in ("text", "code", "") for each in kinds]
    full = _merged(_marked(_full_rows(rows, header, marks), marks, textual), marks.merged, header)
    count = 0
    while batch := list(islice(full, BATCH)):
        message = _message(batch, memories)
        count += len(message["numbers"])
        if count > ROWS:
            raise Unreadable(TOO_MANY)
        yield message


def _full_rows(rows: Iterable[tuple[int, Sequence[Raw]]], header: Header, marks: Marks) -> Iterator[Numbered]:
    """The rows below the header that have something in them, as wide as the header; notes what is cut off."""
    width, last = len(header.headings), header.row
    for number, row in rows:
        if number <= header.row:
            continue
        last = number
        if len(row) > width and not NOTHING.issuperset(beyond := row[width : limits.COLUMNS]):
            marks.nameless.update(at for at, cell in enumerate(beyond, width) if cell not in NOTHING)
        cut = row if len(row) == width else [*row[:width], *[None] * (width - len(row))]
        if any(cut) or number in marks.faults or any(cell not in ("", None) for cell in cut):
            yield number, cut if type(cut) is list else list(cut)
    # Where nothing but errors and formulas without a value follows, a reader of values sees the end.
    for number in sorted(number for number in marks.faults if number > last):
        yield number, [None] * width


def _marked(rows: Iterator[Numbered], marks: Marks, textual: list[bool]) -> Iterator[Numbered]:
    """The rows with what the markup says put in the place of values."""
    if not marks.faults and not marks.values and not marks.shown:
        yield from rows
        return
    for number, row in rows:
        for column, value in marks.values.get(number, {}).items():
            if column < len(row):
                row[column] = value
        for column, shown in marks.shown.get(number, {}).items():
            if column < len(row) and textual[column]:
                row[column] = shown
        for column, fault in marks.faults.get(number, {}).items():
            if column < len(row):
                row[column] = fault
        yield number, row


def _merged(rows: Iterator[Numbered], areas: list[Area], header: Header) -> Iterator[Numbered]:
    """The rows with a fault in each cell that is empty only because it is merged with another."""
    starts: dict[int, list[Area]] = {}
    for area in areas:
        starts.setdefault(area[0], []).append(area)
    if not any(row > header.row for row in starts):
        yield from rows
        return
    active: list[Area] = []
    for number, row in rows:
        active = [area for area in active if area[2] >= number]
        active += [
            area for area in starts.get(number, ()) if row[area[1] : area[1] + 1] not in ([], [""], [None])
        ]
        for area in active:
            _cover(number, row, area)
        yield number, row


def _cover(number: int, row: list[Raw], area: Area) -> None:
    top, left, _, right = area
    for column in range(left, min(right + 1, len(row))):
        if (number, column) != (top, left) and row[column] in ("", None):
            row[column] = Fault(MERGED)


class _Memory(dict[Raw, Encoded]):
    """What each distinct value of a column means, ready to be written down."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader
        self.has_faults = False

    def __missing__(self, value: Raw) -> Encoded:
        found = self.reader(value)
        if len(self) >= REMEMBERED:
            self.clear()
        if isinstance(found, Fault):
            self.has_faults = True
            return self.setdefault(value, [found.sentence, found.shown])
        return self.setdefault(value, found.isoformat() if isinstance(found, date) else found)


def _message(batch: list[Numbered], memories: list[_Memory]) -> dict[str, Any]:
    numbers = [number + 1 for number, _ in batch]
    columns = [
        _column(values, memory)
        for values, memory in zip(zip(*(row for _, row in batch), strict=True), memories, strict=True)
    ]
    if all(None in column for column in columns):
        full = [index for index, row in enumerate(zip(*columns, strict=True)) if row.count(None) < len(row)]
        numbers = [numbers[index] for index in full]
        columns = [[column[index] for index in full] for column in columns]
    faulty = [index for index, memory in enumerate(memories) if memory.has_faults]
    return {"numbers": numbers, "columns": columns, "faulty": faulty}


def _column(values: tuple[Raw, ...], memory: _Memory) -> list[Encoded]:
    # True and 1 would be the same to a dictionary.
    if bool in set(map(type, values)):
        return [memory[cells.text(value) if type(value) is bool else value] for value in values]
    return [memory[value] for value in values]


def _reader(kind: str, is_1904: bool) -> Reader:
    if kind == "day":
        return partial(cells.day, is_1904=is_1904)
    return {"whole": cells.whole, "code": cells.code, "text": cells.text}.get(kind, _unused)


def _unused(value: Raw) -> str | None:
    """A cell nobody uses: what it shows, whether one can believe it or not."""
    found = value if isinstance(value, Fault) else cells.text(value)
    return found.shown or None if isinstance(found, Fault) else found
