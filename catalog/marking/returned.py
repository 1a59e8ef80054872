"""A workbook as it goes back to the person: the bad cells red and commented, and 《检查结果》 at the end."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import islice
from pathlib import Path

from catalog.export import Value
from catalog.marking.markup import text_element
from catalog.marking.notes import MOST, annotate
from catalog.marking.package import Package
from catalog.marking.problems import Place, Problem, Summary, comment, reference
from catalog.marking.sheets import ColumnStyles, Sheet, part_of
from catalog.marking.styles import Styles
from catalog.marking.summaries import ROW, ROW_OF_UPLOAD, Findings, summarize
from catalog.spreadsheets import EPOCH
from catalog.workbook import DATA_SHEET

HEADING_ROW = 1


def mark_workbook(
    source: Path,
    name: str,
    out: Path,
    sheet: str,
    problems: Sequence[Problem],
    summary: Summary,
    numbers: dict[int, int] | None = None,
) -> None:
    """Write the workbook `source` (.xlsx) with its problems marked to `out`; the rest stays as it is.

    `numbers` gives the rows of `source` by their numbers in the upload where these differ.
    """
    package = Package(source)
    _mark(package, Sheet(package.read(part_of(package, sheet))), name, sheet, problems, summary, numbers)
    package.save(out)


def write_bad_rows(
    template: Path,
    out: Path,
    name: str,
    rows: Sequence[tuple[int, Sequence[Value]]],
    problems: Sequence[Problem],
    summary: Summary,
) -> None:
    """Write the `template` filled with `rows` (each with its number in the upload), their problems marked."""
    package = Package(template)
    sheet = Sheet(package.read(part_of(package, DATA_SHEET)))
    sheet.insert(_filled(rows, ColumnStyles(sheet.head)))
    new_numbers = {number: index for index, (number, _) in enumerate(rows, start=HEADING_ROW + 1)}
    _mark(package, sheet, name, DATA_SHEET, problems, summary, new_numbers)
    package.save(out)


def _mark(
    package: Package,
    sheet: Sheet,
    name: str,
    sheet_name: str,
    problems: Sequence[Problem],
    summary: Summary,
    numbers: dict[int, int] | None,
) -> None:
    part = part_of(package, sheet_name)
    styles = Styles(package)
    by_row: dict[int, list[Problem]] = defaultdict(list)
    for problem in problems:
        by_row[problem.row if numbers is None else numbers.get(problem.row, 0)].append(problem)
    rows, placed = sheet.marked(by_row, styles)
    texts = {place: comment(found) for place, found in islice(placed.items(), MOST)}
    annotate(package, part, sheet, texts)
    package.put(part, [sheet.head, *rows, sheet.tail])
    row_heading = ROW if numbers is None else ROW_OF_UPLOAD
    found = Findings(name, sheet_name, row_heading, _listed(problems, placed), summary)
    summarize(package, styles, found)


def _listed(
    problems: Sequence[Problem], placed: dict[Place, list[Problem]]
) -> list[tuple[Place | None, Problem]]:
    """The problems by row, each with its cell where the sheet has it."""
    places = {id(problem): place for place, found in placed.items() for problem in found}
    ordered = sorted(problems, key=lambda each: (each.row, -1 if each.column is None else each.column))
    return [(places.get(id(problem)), problem) for problem in ordered]


def _filled(rows: Iterable[tuple[int, Sequence[Value]]], styles: ColumnStyles) -> bytes:
    """Rows below the headings as XML, each cell in the format of its column."""
    lines = []
    for number, (_, values) in enumerate(rows, start=HEADING_ROW + 1):
        cells = "".join(
            _cell(reference((number, column)), styles.of(column), value)
            for column, value in enumerate(values)
            if value is not None and value != ""
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    return "".join(lines).encode()


def _cell(place: str, style: int, value: Value) -> str:
    start = f'<c r="{place}" s="{style}"'
    if isinstance(value, str):
        return f'{start} t="inlineStr"><is>{text_element(value)}</is></c>'
    number = (value - EPOCH).days if isinstance(value, date) else value
    return f"{start}><v>{number}</v></c>"
