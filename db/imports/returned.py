"""The workbook that comes back: the whole upload with its bad cells marked, or its refused rows alone."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog import marking, reading
from catalog.columns import COLUMNS, DIVISION, SYSTEM_ID
from catalog.marking import Problem, Summary
from catalog.reading import Unreadable
from db import engine as engines
from db import reference
from db.imports import rows
from db.imports.rows import Sheet
from db.imports.run import Outcome

# Where `rows.addressed` puts a division that stands in three cells.
LAST = -1
EXTRA_WIDTH = 14


def ordered(sheet: Sheet) -> list[Problem]:
    """The problems kept, in the order of the file."""
    return sorted(sheet.problems, key=lambda one: (one.row, -1 if one.column is None else one.column))


def marked(source: Path, name: str, sheet_name: str, sheet: Sheet, outcome: Outcome) -> bytes | None:
    """The uploaded workbook with its bad cells marked; None when it cannot be made."""
    problems = ordered(sheet)
    left = sheet.problem_count - len(problems)
    note = f"另有 {left:,} 个问题没有列出，改正后重新导入时再列出。" if left else ""
    summary = _summary(outcome, note)
    return _made(lambda out: marking.mark(source, name, out, sheet_name, problems, summary))


def _summary(outcome: Outcome, note: str = "") -> Summary:
    return Summary(**outcome.totals, note=note)


def bad_rows(
    source: Path, name: str, chosen: dict[int, str] | None, sheet: Sheet, outcome: Outcome
) -> bytes | None:
    """A template that holds the refused rows only, as they were filled in; None when it cannot be made."""
    contents = reading.read(source, name, chosen)
    extra = tuple({SYSTEM_ID} & sheet.columns.keys())
    headings = (*(column.heading for column in COLUMNS), *extra)
    places = {DIVISION: LAST, **sheet.columns}
    refused = [
        (number, [rows.shown(cells[places[each]]) if each in places else None for each in headings])
        for number, cells in rows.addressed(contents, sheet.columns)
        if number in sheet.invalid
    ][: rows.MOST_PROBLEMS]
    here: dict[str, int] = {heading: index for index, heading in enumerate(headings)}
    problems = [replace(one, column=here.get(one.heading)) for one in ordered(sheet)]
    left = len(sheet.invalid) - len(refused)
    note = f"只取回了前 {len(refused):,} 行，另有 {left:,} 行请在原文件中查找" if left else ""
    summary = _summary(outcome, note)
    template = _template(extra)

    def fill(out: Path) -> None:
        empty = out.with_stem("template")
        empty.write_bytes(template)
        marking.bad_rows(empty, out, name, refused, problems, summary)

    return _made(fill)


def _template(extra: tuple[str, ...]) -> bytes:
    """The import template with the lists in force, and columns with these headings behind its own."""
    # openpyxl takes a quarter of a second to load, which most imports do not need.
    from catalog import list_books, workbook

    with engines.reading() as session:
        book = workbook.template(reference.lists(session))
    for index, heading in enumerate(extra, start=len(COLUMNS) + 1):
        list_books.head(book[workbook.DATA_SHEET], 1, index, heading, EXTRA_WIDTH)
    return list_books.content(book)


def _made(write: Callable[[Path], Any]) -> bytes | None:
    """The bytes of a workbook that `write` makes; None when it cannot be made, which undoes nothing."""
    with tempfile.TemporaryDirectory(prefix="yuejian-") as folder:
        out = Path(folder) / "out.xlsx"
        try:
            write(out)
        except (marking.MarkingFailed, Unreadable):
            return None
        return out.read_bytes()
