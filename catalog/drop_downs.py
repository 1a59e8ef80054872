"""The drop-down lists of the template's data sheet, and the hidden sheet they take their entries from.

A division is chosen in one cell, level by level: the list of a cell offers what lies below the code the cell
begins with, or the provinces while it is empty. Lists refer to defined names and use OFFSET and VLOOKUP only,
which Excel, WPS and LibreOffice all know; INDIRECT would need names that divisions cannot have.
"""

from collections.abc import Iterator, Sequence

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from catalog.columns import DIVISION, KIND, Column
from catalog.divisions import Division, Tree
from catalog.lists import Lists
from catalog.spreadsheets import DAY, TEXT, WHOLE

SHEET = "下拉列表"
KIND_COLUMN, ENTRY_COLUMN = "A", "C"
INDEX_COLUMNS = ("E", "F", "G")
# Stands behind a division that has others below it: the choice goes on. A lookup takes it for punctuation.
GOES_ON = "›"

# As far as Excel's sheets reach: no instrument stands below the last drop-down.
LAST_ROW = 1_048_576
# 1950-01-01 and 2099-12-31 as Excel counts days; the limit also catches 20240315 typed without dashes.
FIRST_DAY, LAST_DAY = "18264", "73050"


def fill(book: Workbook, lists: Lists) -> None:
    """Add the hidden sheet and the names the rules of the data sheet refer to."""
    sheet = book.create_sheet(SHEET)
    sheet.sheet_state = "hidden"
    _write(sheet, KIND_COLUMN, kind_entries(lists))
    entries, index = cascade(lists.tree)
    _write(sheet, ENTRY_COLUMN, entries)
    for column, values in zip(INDEX_COLUMNS, zip(*index, strict=True), strict=True):
        _write(sheet, column, values)
    first, last = INDEX_COLUMNS[0], INDEX_COLUMNS[-1]
    _name(book, "kind_list", f"${KIND_COLUMN}$1:${KIND_COLUMN}${len(lists.kinds)}")
    _name(book, "division_list", f"${ENTRY_COLUMN}$1:${ENTRY_COLUMN}${len(entries)}")
    _name(book, "division_index", f"${first}$1:${last}${len(index)}")


def kind_entries(lists: Lists) -> list[str]:
    """The kinds as the list offers them: "91101 指示类压力表、显示类压力表"."""
    return [f"{kind.code} {kind.name}" for kind in lists.kinds]


def cascade(tree: Tree) -> tuple[list[str], list[tuple[str, int, int]]]:
    """The entries of the cascade, and for each code where those it leads to begin and how many they are.

    Each list of siblings stands together, the provinces first. A code that is complete leads to its
    siblings, so that another can be chosen in its place.
    """
    entries: list[str] = []
    places: dict[str, tuple[int, int]] = {}
    for code, below in _families(tree):
        place = len(entries), len(below)
        places.update({child.code: place for child in below if tree.is_complete(child.code)})
        if code:
            places[code] = place
        entries += [entry(tree, child) for child in below]
    return entries, [(code, *places[code]) for code in sorted(places)]


def entry(tree: Tree, division: Division) -> str:
    """A division as the list offers it: "330106 西湖区", or "330100 杭州市 ›" where the choice goes on."""
    text = f"{division.code} {division.name}"
    return text if tree.is_complete(division.code) else f"{text} {GOES_ON}"


def _families(tree: Tree) -> Iterator[tuple[str | None, Sequence[Division]]]:
    yield None, tree.children(None)
    for code in tree.by_code:
        if below := tree.children(code):
            yield code, below


def _write(sheet: Worksheet, column: str, values: Sequence[str | int]) -> None:
    for row, value in enumerate(values, start=1):
        sheet[f"{column}{row}"] = value
        sheet[f"{column}{row}"].number_format = TEXT if isinstance(value, str) else WHOLE


def _name(book: Workbook, name: str, area: str) -> None:
    book.defined_names[name] = DefinedName(name, attr_text=f"'{SHEET}'!{area}")


def rule(column: Column, letter: str, province_count: int) -> DataValidation:
    """The drop-down or limit of a whole column, with its note as the prompt; an import checks all again."""
    made = DataValidation(allow_blank=True, **_limit(column, letter, province_count))
    made.promptTitle = f"{column.heading}（{'必填' if column.is_required else '选填'}）"
    made.prompt = column.note
    made.errorTitle = column.heading
    made.error = column.note
    made.showInputMessage = True
    # A kind and a division may be typed in other words than the list's.
    made.showErrorMessage = column.heading not in (KIND, DIVISION)
    made.add(f"{letter}2:{letter}{LAST_ROW}")
    return made


def _limit(column: Column, letter: str, province_count: int) -> dict[str, str]:
    if column.choices:
        return {"type": "list", "formula1": f'"{",".join(column.choices)}"'}
    if column.heading == KIND:
        return {"type": "list", "formula1": "kind_list"}
    if column.heading == DIVISION:
        return {"type": "list", "formula1": division_formula(f"${letter}2", province_count)}
    if column.format == WHOLE:
        return {"type": "whole", "operator": "greaterThanOrEqual", "formula1": "1"}
    if column.format == DAY:
        return {"type": "date", "operator": "between", "formula1": FIRST_DAY, "formula2": LAST_DAY}
    return {}


def division_formula(cell: str, province_count: int) -> str:
    """The entries to choose from in `cell`, by the six digits it begins with."""
    start, count = (
        f"IFERROR(VLOOKUP(LEFT({cell},6),division_index,{column},FALSE),{otherwise})"
        for column, otherwise in ((2, 0), (3, province_count))
    )
    return f"OFFSET(division_list,{start},0,{count},1)"
