"""《强制检定器具信息导入模板》: the sheet an enterprise fills in, with the lists its codes come from."""

from functools import cache
from pathlib import Path

from openpyxl import Workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from catalog import drop_downs
from catalog.columns import COLUMNS, DIVISION, Column
from catalog.list_books import (
    BODY_FONT,
    DIVISION_SHEET,
    FONT,
    KIND_SHEET,
    LINE_HEIGHT,
    TITLE_FONT,
    WRAPPED,
    content,
    fill_divisions,
    fill_kinds,
    head,
    line_count,
    new_book,
    printed,
    write,
)
from catalog.lists import Lists, shipped

TITLE = "强制检定器具信息导入模板"
DATA_SHEET = "器具信息"
GUIDE_SHEET = "填写说明"

GUIDE_HEADINGS = {"列名": 26, "是否必填": 12, "怎样填": 72, "示例": 28}
LABEL_FONT = Font(name=FONT, size=10, bold=True)
# A division whose choice is not finished yet.
UNFINISHED = PatternFill("solid", bgColor="FCE3B6")


def template(lists: Lists | None = None) -> Workbook:
    """The empty template: 器具信息 to fill in, 填写说明, 《强检器具目录》 and 《行政区划信息》.

    The stamp stands in 填写说明 and in the file's custom property `edition`. Without `lists` the shipped
    ones are used.
    """
    lists = lists or shipped()
    book = new_book(TITLE, DATA_SHEET)
    book.custom_doc_props.append(StringProperty(name="edition", value=lists.stamp))
    _fill_guide_sheet(book.create_sheet(GUIDE_SHEET), lists)
    fill_kinds(book.create_sheet(KIND_SHEET), lists)
    fill_divisions(book.create_sheet(DIVISION_SHEET), lists)
    drop_downs.fill(book, lists)
    _fill_data_sheet(book[DATA_SHEET], lists)
    return book


@cache
def template_bytes() -> bytes:
    """The template with the shipped lists as the bytes of an .xlsx file, made once per process."""
    return content(template())


def write_template(path: Path) -> None:
    """Write the template to `path`, replacing a file of that name. Raises OSError where it cannot."""
    path.write_bytes(template_bytes())


def _fill_data_sheet(sheet: Worksheet, lists: Lists) -> None:
    province_count = len(lists.tree.children(None))
    for index, column in enumerate(COLUMNS, start=1):
        letter = get_column_letter(index)
        head(sheet, 1, index, column.heading, column.width, column.is_required)
        sheet.column_dimensions[letter].number_format = column.format
        sheet.column_dimensions[letter].font = BODY_FONT
        sheet.add_data_validation(drop_downs.rule(column, letter, province_count))
        if column.heading == DIVISION:
            _mark_unfinished(sheet, letter)
    sheet.row_dimensions[1].height = 30
    sheet.freeze_panes = "B2"
    printed(sheet, headings=1)


def _mark_unfinished(sheet: Worksheet, letter: str) -> None:
    formula = f'RIGHT(${letter}2,1)="{drop_downs.GOES_ON}"'
    area = f"{letter}2:{letter}{drop_downs.LAST_ROW}"
    sheet.conditional_formatting.add(area, FormulaRule(formula=[formula], fill=UNFINISHED))


def _fill_guide_sheet(sheet: Worksheet, lists: Lists) -> None:
    sheet["A1"] = f"《{TITLE}》填写说明"
    sheet["A1"].font = TITLE_FONT
    sheet.row_dimensions[1].height = 32
    for row, cells in enumerate(_guide_lines(lists), start=2):
        sheet.append(cells)
        sheet.merge_cells(start_row=row, end_row=row, start_column=2, end_column=4)
        sheet.cell(row, 1).font, sheet.cell(row, 1).alignment = LABEL_FONT, WRAPPED
        sheet.cell(row, 2).font, sheet.cell(row, 2).alignment = BODY_FONT, WRAPPED
        lines = line_count(cells[1], sum(GUIDE_HEADINGS.values()) - GUIDE_HEADINGS["列名"])
        sheet.row_dimensions[row].height = 8 + LINE_HEIGHT * lines
    top = sheet.max_row + 2
    for index, (heading, width) in enumerate(GUIDE_HEADINGS.items(), start=1):
        head(sheet, top, index, heading, width)
    for row, column in enumerate(COLUMNS, start=top + 1):
        need = "必填" if column.is_required else "选填"
        explained = (column.heading, need, _how(column), column.example)
        write(sheet, row, explained, list(GUIDE_HEADINGS.values()))
    sheet.sheet_view.showGridLines = False
    printed(sheet, headings=1)


def _guide_lines(lists: Lists) -> list[tuple[str, str]]:
    return [
        ("版本", lists.stamp),
        ("目录说明", lists.kind_edition.note),
        ("区划说明", lists.division_edition.note),
        ("填写方法", f"请在“{DATA_SHEET}”表中从第 2 行起填写，每行一台器具；表头请勿改动。"),
        ("必填项", "红底并带 * 的列必须填写；没有的内容留空，不要填“无”或“/”。"),
        (
            "行政区划",
            f"点开“{DIVISION}”的下拉列表先选省，再点开选市，再点开选区县；还带“{drop_downs.GOES_ON}”的"
            "表示没有选完。选错了先清空这一格。直接填写六位代码或全称也可以。",
        ),
        ("下拉列表", f"列表适用于“{DATA_SHEET}”表的每一行；成批填写时可选好一格后向下填充或复制。"),
    ]


def _how(column: Column) -> str:
    return column.note + (f"：{'、'.join(column.choices)}" if column.choices else "")
