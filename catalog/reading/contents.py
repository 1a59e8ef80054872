"""What reading a file gives: its rows, the cells that cannot be believed, or a refusal."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date


class Unreadable(Exception):
    """The file is refused: one Chinese sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell that cannot be believed: what is wrong and what to do, and the text that was seen."""

    sentence: str
    shown: str = ""


Cell = str | int | date | Fault | None


@dataclass
class Contents:
    """One sheet of a file.

    `header_row` is a number as Excel shows it. `headings` begins at column A, "" where a cell is empty;
    `fields` has the heading of `catalog.columns` that each of them stands for, None for a column that is not
    used. `edition` is the template's stamp, "" without one; `notes` are sentences for the person: sheets left
    aside, hidden rows, merged cells, and once the rows are read also columns without a heading. `rows` gives
    (row number, cells by column) once, while the file is still being read, without the empty rows; it raises
    Unreadable where the file turns out to be broken.
    """

    sheet: str
    header_row: int
    headings: tuple[str, ...]
    fields: tuple[str | None, ...]
    edition: str
    notes: list[str]
    rows: Iterator[tuple[int, list[Cell]]]
