"""《检查结果》: the sheet of a returned workbook that lists what is wrong, with a link to each cell."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from openpyxl.utils import get_column_letter

from catalog.export import MOST_ROWS
from catalog.marking.markup import TYPES, text_element
from catalog.marking.notes import MOST
from catalog.marking.package import Package, added, elements, one, related_id
from catalog.marking.problems import SUMMARY_SHEET, Place, Problem, Summary, reference
from catalog.marking.styles import GREY, Styles

ROW, ROW_OF_UPLOAD = "行", "原文件中的行"
HEADINGS = {"单元格": 12, ROW: 14, "列": 22, "填写的内容": 28, "问题": 56, "建议": 40}
TOTALS = {
    "文件行数": "rows",
    "新增": "added",
    "修改": "updated",
    "未变": "unchanged",
    "错误": "invalid",
    "重复": "duplicates",
}
ADVICE = "请在数据表中改正标红的单元格（原因见批注），保存后把本文件重新导入。本表和批注不会被导入。"
TABLE_ROW = 7
LINE = 18
BLUE, WHITE = "FF0B57D0", "FFFFFFFF"


@dataclass(frozen=True, slots=True)
class Findings:
    """What the summary says of the upload `name`: the problems of `sheet`, each with its cell if any."""

    name: str
    sheet: str
    row_heading: str
    placed: Sequence[tuple[Place | None, Problem]]
    summary: Summary


def summarize(package: Package, styles: Styles, found: Findings) -> None:
    """Add the sheet at the end, or replace that of an earlier return where it stands.

    A ledger that has the name itself is left alone.
    """
    name = f"{SUMMARY_SHEET} (2)" if found.sheet == SUMMARY_SHEET else SUMMARY_SHEET
    part = _existing(package, name) or _new_part(package, name)
    package.put(part, [piece.encode() for piece in _markup(package.main, styles, found)])


def _existing(package: Package, name: str) -> str | None:
    for element in elements(package.tree(package.book), "sheet"):
        if element.getAttribute("name") == name:
            return package.target(package.book, related_id(element))
    return None


def _new_part(package: Package, name: str) -> str:
    part = package.free_name("xl/worksheets/sheet{}.xml")
    package.declare(part, f"{TYPES}.spreadsheetml.worksheet+xml")
    relation = package.relate(package.book, "worksheet", part)
    tree = package.tree(package.book)
    numbers = [int(each.getAttribute("sheetId")) for each in elements(tree, "sheet")]
    element = added(
        one(package.root(package.book), "sheets"),
        "sheet",
        name=name,
        sheetId=str(max(numbers, default=0) + 1),
    )
    element.setAttribute("xmlns:r", package.office)
    element.setAttribute("r:id", relation)
    return part


def _markup(main: str, styles: Styles, found: Findings) -> Iterator[str]:
    title, label = styles.plain(bold=True, size=14), styles.plain(bold=True, color=WHITE, fill=GREY)
    plain, link = styles.plain(), styles.plain(color=BLUE)
    shown = found.placed[: MOST_ROWS - TABLE_ROW]
    yield f'<worksheet xmlns="{main}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
    yield f'<sheetViews><sheetView workbookViewId="0"><pane ySplit="{TABLE_ROW}"'
    yield f' topLeftCell="A{TABLE_ROW + 1}" activePane="bottomLeft" state="frozen"/>'
    yield f'</sheetView></sheetViews><sheetFormatPr defaultRowHeight="{LINE}"/><cols>'
    for index, width in enumerate(HEADINGS.values(), start=1):
        yield f'<col min="{index}" max="{index}" width="{width}" customWidth="1"/>'
    yield "</cols><sheetData>"
    yield _row(1, title, [f"检查结果：{found.name}"], height=28)
    yield _row(2, plain, [ADVICE], height=20)
    yield _row(3, plain, [_remark(found.summary, found.placed)], height=20)
    yield _row(4, label, list(TOTALS))
    yield _row(5, title, [getattr(found.summary, total) for total in TOTALS.values()], height=24)
    headings = [found.row_heading if heading == ROW else heading for heading in HEADINGS]
    yield _row(TABLE_ROW, label, headings)
    for number, (place, problem) in enumerate(shown, start=TABLE_ROW + 1):
        yield _problem_row(number, plain, link, place, problem)
    yield '</sheetData><mergeCells count="3"><mergeCell ref="A1:F1"/><mergeCell ref="A2:F2"/>'
    yield '<mergeCell ref="A3:F3"/></mergeCells>'
    yield from _links(found.sheet, shown)
    # A4 across, as many pages as there are rows, no column cut off.
    yield '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'


def _remark(summary: Summary, placed: Sequence[tuple[Place | None, Problem]]) -> str:
    cells = len({place for place, _ in placed if place})
    limit = f"批注只加在前 {MOST:,} 处，其余见下表。" if cells > MOST else ""
    return f"列出 {len(placed):,} 个问题。{limit}{summary.note}"


def _row(number: int, style: int, values: Sequence[str | int], height: int = 0) -> str:
    cells = "".join(_cell(number, column, style, value) for column, value in enumerate(values, start=1))
    tall = f' ht="{height}" customHeight="1"' if height else ""
    return f'<row r="{number}"{tall}>{cells}</row>'


def _problem_row(number: int, plain: int, link: int, place: Place | None, problem: Problem) -> str:
    values: list[str | int] = [
        problem.row,
        problem.heading,
        problem.value,
        problem.sentence,
        problem.suggestion,
    ]
    cells = [_cell(number, column, plain, value) for column, value in enumerate(values, start=2)]
    shown = _cell(number, 1, link, reference(place)) if place else ""
    widths = list(HEADINGS.values())[1:]
    lines = max(_lines(str(value), width) for value, width in zip(values, widths, strict=True))
    tall = f' ht="{LINE * lines}" customHeight="1"'
    return f'<row r="{number}"{tall}>{shown}{"".join(cells)}</row>'


def _lines(text: str, width: int) -> int:
    """How many lines a text takes in a column; a Chinese character is as wide as two others."""
    sizes = [sum(2 if char > "\u2e7f" else 1 for char in line) for line in text.split("\n")]
    return sum(max(math.ceil(size / (width - 2)), 1) for size in sizes)


def _cell(row: int, column: int, style: int, value: str | int) -> str:
    start = f'<c r="{get_column_letter(column)}{row}" s="{style}"'
    if value == "":
        return f"{start}/>"
    if isinstance(value, int):
        return f"{start}><v>{value}</v></c>"
    return f'{start} t="inlineStr"><is>{text_element(value)}</is></c>'


def _links(sheet: str, placed: Sequence[tuple[Place | None, Problem]]) -> Iterator[str]:
    links = [(number, place) for number, (place, _) in enumerate(placed, start=TABLE_ROW + 1) if place]
    if not links:
        return
    quoted = "'" + sheet.replace("'", "''") + "'"
    yield "<hyperlinks>"
    for number, place in links:
        target = quoteattr(f"{quoted}!{reference(place)}")
        yield f'<hyperlink ref="A{number}" location={target} display="{escape(reference(place))}"/>'
    yield "</hyperlinks>"
