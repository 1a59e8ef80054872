"""The workbook that comes back: the whole upload with its bad cells marked, or its refused rows alone."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog import marking, reading
from catalog.columns import COLUMNS
from catalog.marking import Problem, Summary
from catalog.reading import Unreadable
from db.errors import Refused
from db.imports import rows
from db.imports.rows import Sheet
from db.imports.run import Outcome


def ordered(sheet: Sheet) -> list[Problem]:
    """The problems kept, in the order of the file."""
    return sorted(sheet.problems, key=lambda one: (one.row, -1 if one.column is None else one.column))


def marked(source: Path, name: str, sheet_name: str, sheet: Sheet, outcome: Outcome) -> bytes | None:
    """The uploaded workbook with its bad cells marked; None when it cannot be made."""
    return _made(lambda out: mark(source, name, out, sheet_name, sheet, outcome))


def mark(source: Path, name: str, out: Path, sheet_name: str, sheet: Sheet, outcome: Outcome) -> None:
    """Write the workbook that comes back; raises Refused."""
    problems = ordered(sheet)
    left = sheet.problem_count - len(problems)
    note = f"只标注了前 {len(problems):,} 处，另有 {left:,} 处" if left else ""
    summary = _summary(outcome, note)
    try:
        marking.mark(source, name, out, sheet_name, problems, summary)
    except marking.MarkingFailed as error:
        raise Refused(str(error)) from error


def _summary(outcome: Outcome, note: str = "") -> Summary:
    return Summary(**outcome.totals, note=note)


def bad_rows(
    source: Path, name: str, chosen: dict[int, str] | None, sheet: Sheet, outcome: Outcome
) -> bytes | None:
    """A template that holds the refused rows only, as they were filled in; None when it cannot be made."""
    contents = reading.read(source, name, chosen)
    places = [
        contents.fields.index(column.heading) if column.heading in contents.fields else None
        for column in COLUMNS
    ]
    refused = [
        (number, [None if at is None else rows.shown(cells[at]) for at in places])
        for number, cells in contents.rows
        if number in sheet.invalid
    ][: rows.MOST_PROBLEMS]
    here: dict[int | None, int] = {place: index for index, place in enumerate(places) if place is not None}
    problems = [replace(one, column=here.get(one.column)) for one in ordered(sheet)]
    left = len(sheet.invalid) - len(refused)
    note = f"只取回了前 {len(refused):,} 行，另有 {left:,} 行请在原文件中查找" if left else ""
    summary = _summary(outcome, note)
    return _made(lambda out: marking.bad_rows(out, name, refused, problems, summary))


def _made(write: Callable[[Path], Any]) -> bytes | None:
    """The bytes of a workbook that `write` makes; None when it cannot be made, which undoes nothing."""
    with tempfile.TemporaryDirectory(prefix="yuejian-") as folder:
        out = Path(folder) / "out.xlsx"
        try:
            write(out)
        except (Refused, marking.MarkingFailed, Unreadable):
            return None
        return out.read_bytes()
