"""《强制检定器具信息导入模板》: the sheet an enterprise fills in, with the lists its codes come from."""

import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from catalog import divisions, kinds
from catalog.columns import COLUMNS, DAY, KIND, TEXT, WHOLE, Column

TITLE = "强制检定器具信息导入模板"
VERSION = "1"
DATA_SHEET = "器具信息"
GUIDE_SHEET = "填写说明"
KIND_SHEET = "强检器具目录"
DIVISION_SHEET = "行政区划信息"
FILLABLE_ROWS = 5000

# 1950-01-01 and 2099-12-31 as Excel counts days; the limit also catches 20240315 typed without dashes.
FIRST_DAY, LAST_DAY = "18264", "73050"


GUIDE_HEADINGS = {"列名": 24, "是否必填": 12, "怎样填": 60, "示例": 28}
KIND_HEADINGS = {
    "种别代码": 12,
    "项别代码": 12,
    "器具项别": 24,
    "器具种别": 36,
    "监管方式": 20,
    "检定方式": 30,
    "强检范围及说明": 60,
    "检定周期（月）": 16,
    "使用期限（月）": 16,
    "检定规程": 24,
}
DIVISION_HEADINGS = {"行政区划代码": 16, "全称": 40, "省级": 20, "地级": 24, "县级": 24}
SUPERVISION_TEXTS = {"": "", "P": "型式批准", "V": "强制检定", "P+V": "型式批准、强制检定"}

REQUIRED_FILL = PatternFill("solid", fgColor="B3261E")
OPTIONAL_FILL = PatternFill("solid", fgColor="5F6B7A")
HEADING_FONT = Font(name="Microsoft YaHei", bold=True, color="FFFFFF")
NOTE_FONT = Font(name="Microsoft YaHei", color="8A4B00")
TITLE_FONT = Font(name="Microsoft YaHei", bold=True, size=14)

# A heading keeps its exact value, which an import looks for; the star is only displayed.
STARRED = '"* "@'


def stamp() -> str:
    """Which template and which editions of the two lists a file was made from, as one line of text."""
    return f"模板 {VERSION} · 目录 {kinds.EDITION.name} · 行政区划 {divisions.EDITION.name}"


def template() -> Workbook:
    """The empty template: 器具信息 to fill in, 填写说明, 《强检器具目录》 and 《行政区划信息》.

    The stamp stands in 填写说明 and in the file's custom property `edition`.
    """
    book = Workbook()
    book.properties.title = TITLE
    book.properties.creator = "约检台"
    book.custom_doc_props.append(StringProperty(name="edition", value=stamp()))
    book.active.title = DATA_SHEET
    _fill_guide_sheet(book.create_sheet(GUIDE_SHEET))
    _fill_kind_sheet(book.create_sheet(KIND_SHEET))
    _fill_division_sheet(book.create_sheet(DIVISION_SHEET))
    _fill_data_sheet(book[DATA_SHEET])
    return book


@cache
def template_bytes() -> bytes:
    """The template as the bytes of an .xlsx file, made once per process."""
    buffer = io.BytesIO()
    template().save(buffer)
    return buffer.getvalue()


def write_template(path: Path) -> None:
    """Write the template to `path`, replacing a file of that name. Raises OSError where it cannot."""
    path.write_bytes(template_bytes())


def _fill_data_sheet(sheet: Worksheet) -> None:
    for index, column in enumerate(COLUMNS, start=1):
        letter = get_column_letter(index)
        sheet.column_dimensions[letter].number_format = column.format
        _head(sheet, 1, index, column.heading, column.width, column.is_required)
        rule = _rule(column)
        rule.add(f"{letter}2:{letter}{FILLABLE_ROWS + 1}")
        sheet.add_data_validation(rule)
    sheet.row_dimensions[1].height = 24
    sheet.freeze_panes = "B2"


def _head(
    sheet: Worksheet, row: int, column: int, heading: str, width: int, is_required: bool = False
) -> None:
    cell = sheet.cell(row, column, heading)
    cell.font = HEADING_FONT
    cell.fill = REQUIRED_FILL if is_required else OPTIONAL_FILL
    cell.alignment = Alignment(horizontal="center", vertical="center")
    cell.number_format = STARRED if is_required else TEXT
    sheet.column_dimensions[get_column_letter(column)].width = width


def _rule(column: Column) -> DataValidation:
    """The drop-down or limit of a column, with its note as the prompt; an import checks everything again."""
    rule = DataValidation(allow_blank=True, **_limit(column))
    rule.promptTitle = f"{column.heading}（{'必填' if column.is_required else '选填'}）"
    rule.prompt = column.note
    rule.errorTitle = column.heading
    rule.error = column.note
    rule.showInputMessage = rule.showErrorMessage = True
    return rule


def _limit(column: Column) -> dict[str, str]:
    if column.choices:
        return {"type": "list", "formula1": f'"{",".join(column.choices)}"'}
    if column.heading == KIND:
        last = len(kinds.kinds()) + 2
        return {"type": "list", "formula1": f"'{KIND_SHEET}'!$A$3:$A${last}"}
    if column.format == WHOLE:
        return {"type": "whole", "operator": "greaterThanOrEqual", "formula1": "1"}
    if column.format == DAY:
        return {"type": "date", "operator": "between", "formula1": FIRST_DAY, "formula2": LAST_DAY}
    return {}


def _fill_guide_sheet(sheet: Worksheet) -> None:
    sheet["A1"] = f"《{TITLE}》填写说明"
    sheet["A1"].font = TITLE_FONT
    for row, cells in enumerate(_guide_lines(), start=2):
        sheet.append(cells)
        sheet.merge_cells(start_row=row, end_row=row, start_column=2, end_column=4)
        sheet.cell(row, 2).alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[row].height = 36
    for index, (heading, width) in enumerate(GUIDE_HEADINGS.items(), start=1):
        _head(sheet, 8, index, heading, width)
    for column in COLUMNS:
        need = "必填" if column.is_required else "选填"
        sheet.append([column.heading, need, _how(column), column.example])
    sheet.freeze_panes = "A9"


def _guide_lines() -> list[tuple[str, str]]:
    return [
        ("版本", stamp()),
        ("目录说明", kinds.EDITION.note),
        ("区划说明", divisions.EDITION.note),
        ("填写方法", f"请在“{DATA_SHEET}”表中从第 2 行起填写，每行一台器具；表头和列的顺序请勿改动。"),
        ("必填项", "红底并带 * 的列必须填写；没有的内容留空，不要填“无”或“/”。"),
    ]


def _how(column: Column) -> str:
    return column.note + (f"：{'、'.join(column.choices)}" if column.choices else "")


def _fill_kind_sheet(sheet: Worksheet) -> None:
    _fill_list(sheet, kinds.EDITION.note, KIND_HEADINGS, (_kind_cells(kind) for kind in kinds.kinds()))


def _kind_cells(kind: kinds.Kind) -> list[str | int | None]:
    return [
        kind.code,
        kind.category.code,
        kind.category.name,
        kind.name,
        SUPERVISION_TEXTS[kind.supervision] or None,
        str(kind.verification_mode) if kind.verification_mode else None,
        kind.scope or None,
        kind.interval_months,
        kind.limit_of_use_months,
        "；".join(kind.regulations) or None,
    ]


def _fill_division_sheet(sheet: Worksheet) -> None:
    fillable = (each for each in divisions.divisions() if divisions.is_complete(each.code))
    _fill_list(sheet, divisions.EDITION.note, DIVISION_HEADINGS, map(_division_cells, fillable))


def _division_cells(division: divisions.Division) -> list[str | int | None]:
    names = {each.level: each.name for each in divisions.path(division.code)}
    return [
        division.code,
        divisions.full_name(division.code),
        *(names.get(level) for level in divisions.Level),
    ]


def _fill_list(
    sheet: Worksheet, note: str, headings: dict[str, int], rows: Iterable[list[str | int | None]]
) -> None:
    """A note, a row of headings with their widths, then the rows; the first column holds the codes."""
    sheet["A1"] = note
    sheet["A1"].font = NOTE_FONT
    for index, (heading, width) in enumerate(headings.items(), start=1):
        _head(sheet, 2, index, heading, width)
    for row, cells in enumerate(rows, start=3):
        sheet.append(cells)
        sheet.cell(row, 1).number_format = TEXT
    sheet.auto_filter.ref = f"A2:{get_column_letter(len(headings))}{sheet.max_row}"
    sheet.freeze_panes = "A3"
