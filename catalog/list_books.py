"""The two lists that go with the template, 《强检器具目录》 and 《行政区划信息》, as sheets and workbooks."""

import io
from collections.abc import Iterable, Sequence
from math import ceil

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from catalog.divisions import Level, Tree
from catalog.kinds import Kind
from catalog.lists import Lists
from catalog.spreadsheets import TEXT, WHOLE

KIND_SHEET = "强检器具目录"
DIVISION_SHEET = "行政区划信息"

KIND_HEADINGS = {
    "种别代码": 12,
    "项别代码": 12,
    "器具项别": 24,
    "器具种别": 36,
    "监管方式": 20,
    "检定方式": 40,
    "强检范围及说明": 60,
    "检定周期（月）": 16,
    "使用期限（月）": 16,
    "检定规程": 30,
}
DIVISION_HEADINGS = {"行政区划代码": 16, "全称": 44, "省级": 22, "地级": 30, "县级": 30}
SUPERVISION_TEXTS = {"": "", "P": "型式批准", "V": "强制检定", "P+V": "型式批准、强制检定"}

FONT = "Microsoft YaHei"
BODY_FONT = Font(name=FONT, size=10)
HEADING_FONT = Font(name=FONT, size=10, bold=True, color="FFFFFF")
NOTE_FONT = Font(name=FONT, size=10, color="8A4B00")
TITLE_FONT = Font(name=FONT, size=14, bold=True)
REQUIRED_FILL = PatternFill("solid", fgColor="B3261E")
OPTIONAL_FILL = PatternFill("solid", fgColor="5F6B7A")
LINE = Side("thin", color="D5DAE0")
GRID = Border(LINE, LINE, LINE, LINE)
CENTERED = Alignment(horizontal="center", vertical="center", wrap_text=True)
WRAPPED = Alignment(horizontal="left", vertical="center", wrap_text=True, indent=1)
# The names of the styles that thousands of cells share.
TEXT_STYLE, NUMBER_STYLE = "表格文本", "表格数字"
# A heading keeps its exact value, which an import looks for; the star is only displayed.
STARRED = '"* "@'

LINE_HEIGHT = 15

Row = Sequence[str | int | None]


def kind_book(lists: Lists) -> Workbook:
    """《强检器具目录》 as a workbook of its own."""
    book = new_book(KIND_SHEET, KIND_SHEET)
    fill_kinds(book.active, lists)
    return book


def division_book(lists: Lists) -> Workbook:
    """《行政区划信息》 as a workbook of its own."""
    book = new_book(DIVISION_SHEET, DIVISION_SHEET)
    fill_divisions(book.active, lists)
    return book


def content(book: Workbook) -> bytes:
    """The workbook as the bytes of an .xlsx file."""
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def new_book(title: str, sheet_title: str) -> Workbook:
    """A workbook with one empty sheet and the styles of `write`."""
    book = Workbook()
    book.properties.title = title
    book.properties.creator = "约检台"
    book.active.title = sheet_title
    for name, number_format in ((TEXT_STYLE, TEXT), (NUMBER_STYLE, WHOLE)):
        style = NamedStyle(name, BODY_FONT, border=GRID, alignment=WRAPPED, number_format=number_format)
        book.add_named_style(style)
    return book


def fill_kinds(sheet: Worksheet, lists: Lists) -> None:
    """Write the kinds in force into an empty sheet."""
    _fill(sheet, lists.kind_edition.note, KIND_HEADINGS, map(_kind_cells, lists.kinds))


def _kind_cells(kind: Kind) -> Row:
    return [
        kind.code,
        kind.category.code,
        kind.category.name,
        kind.name,
        SUPERVISION_TEXTS.get(kind.supervision, kind.supervision) or None,
        str(kind.verification_mode or kind.verification_mode_text) or None,
        kind.scope or None,
        kind.interval_months,
        kind.limit_of_use_months,
        "；".join(kind.regulations) or None,
    ]


def fill_divisions(sheet: Worksheet, lists: Lists) -> None:
    """Write the divisions an address may end in into an empty sheet."""
    tree = lists.tree
    fillable = (each.code for each in lists.divisions if tree.is_complete(each.code))
    _fill(
        sheet,
        lists.division_edition.note,
        DIVISION_HEADINGS,
        (_division_cells(tree, code) for code in fillable),
    )


def _division_cells(tree: Tree, code: str) -> Row:
    names = {each.level: each.name for each in tree.path(code)}
    return [code, tree.full_name(code), *(names.get(level) for level in Level)]


def _fill(sheet: Worksheet, note: str, headings: dict[str, int], rows: Iterable[Row]) -> None:
    """A note, a row of headings with their widths, then the rows; the first column holds the codes."""
    sheet["A1"] = note
    sheet["A1"].font = NOTE_FONT
    sheet.row_dimensions[1].height = 24
    for column, (heading, width) in enumerate(headings.items(), start=1):
        head(sheet, 2, column, heading, width)
    widths = list(headings.values())
    for number, cells in enumerate(rows, start=3):
        write(sheet, number, cells, widths)
    sheet.auto_filter.ref = f"A2:{get_column_letter(len(headings))}{sheet.max_row}"
    sheet.freeze_panes = "B3"
    sheet.sheet_view.showGridLines = False
    printed(sheet, headings=2)


def head(
    sheet: Worksheet, row: int, column: int, heading: str, width: int, is_required: bool = False
) -> None:
    """Write the heading of a column and set the column's width in characters."""
    cell = sheet.cell(row, column, heading)
    cell.font = HEADING_FONT
    cell.fill = REQUIRED_FILL if is_required else OPTIONAL_FILL
    cell.alignment = CENTERED
    cell.border = GRID
    cell.number_format = STARRED if is_required else TEXT
    sheet.row_dimensions[row].height = 26
    sheet.column_dimensions[get_column_letter(column)].width = width


def write(sheet: Worksheet, row: int, cells: Row, widths: Sequence[int]) -> None:
    """Write a row of a table, as high as its texts need; text stays text, whatever it looks like."""
    for column, value in enumerate(cells, start=1):
        cell = sheet.cell(row, column, value)
        cell.style = NUMBER_STYLE if isinstance(value, int) else TEXT_STYLE
    lines = max(line_count(str(value or ""), width) for value, width in zip(cells, widths, strict=True))
    sheet.row_dimensions[row].height = 4 + LINE_HEIGHT * lines


def line_count(text: str, width: int) -> int:
    """How many lines a text takes in a column of `width` characters, a Chinese one counting two."""
    taken = sum(1 if char.isascii() else 2 for char in text)
    return max(1, ceil(taken / (width - 2)))


def printed(sheet: Worksheet, headings: int) -> None:
    """Let the sheet print on landscape pages, as wide as one, with its first rows on each."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"1:{headings}"
