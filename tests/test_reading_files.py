"""Ledger files from everywhere: each odd one with what is read of it, each hostile one with its sentence."""

import json
import re
from datetime import date, datetime, time
from functools import partial
from random import Random
from typing import Any

import pytest

from catalog import drop_downs, workbook
from catalog.lists import shipped
from catalog.marking import problems
from catalog.reading import (
    Contents,
    Fault,
    Unreadable,
    books,
    cells,
    child,
    delimited,
    marks,
    process,
    read,
    tables,
)
from tests.workbooks import (
    GAUGE,
    HEADINGS,
    SHEET,
    bomb,
    book,
    compound,
    converted,
    encrypted,
    fill,
    lying,
    operated,
    packed,
    prefixed,
    replaced,
    row,
    strict,
    text_file,
    with_cells,
    with_shared_texts,
    without_references,
    written,
)

GOOD = packed(book())
STRAY = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'


@pytest.fixture
def opened(tmp_path):
    """Reads bytes as a file that a person calls by a name, in a process as it is done."""

    def opened(data: bytes, name: str = "台账.xlsx", **arguments) -> Contents:
        path = tmp_path / "upload"
        path.write_bytes(data)
        return read(path, name, **arguments)

    return opened


@pytest.fixture
def here(opened, monkeypatch):
    """The same in this process: quicker, where nothing is expected to break."""

    def answer(request, **others):
        yield from json.loads(json.dumps([*child.answer(**json.loads(json.dumps(request)))]))

    monkeypatch.setattr(process, "_answer", answer)
    return opened


def by_heading(contents: Contents) -> dict[int, dict[str, object]]:
    """The cells of each row by what their column stands for."""
    return {
        number: {field: cell for field, cell in zip(contents.fields, cells, strict=True) if field}
        for number, cells in contents.rows
    }


def refusal(opened, data: bytes, name: str = "台账.xlsx") -> str:
    with pytest.raises(Unreadable) as refused:
        list(opened(data, name).rows)
    return str(refused.value)


def formatted(value, number_format: str, heading: str = "出厂编号") -> bytes:
    """One gauge with a cell of this value and number format."""
    made = book(row(**{heading: value}))
    made.active.cell(2, HEADINGS.index(heading) + 1).number_format = number_format
    return packed(made)


def error_cell(value: str) -> bytes:
    made = book()
    made.active["G2"].value, made.active["G2"].data_type = value, "e"
    return packed(made)


def titled() -> bytes:
    """A title, a date and an empty row above the header."""
    made = book()
    made.active.delete_rows(1, 2)
    made.active["A1"] = "××公司强制检定计量器具台账"
    made.active.merge_cells("A1:Q1")
    made.active["A2"] = "填报日期：2026年11月23日"
    made.active.append([])
    fill(made.active)
    return packed(made)


def two_rows_of_headings() -> bytes:
    made = book(row())
    made.active.insert_rows(1)
    for index, heading in enumerate(HEADINGS, start=1):
        if heading not in ("使用地点行政区划代码", "安装/使用地点"):
            made.active.cell(1, index, heading)
            made.active.cell(2, index).value = None
            made.active.merge_cells(start_row=1, end_row=2, start_column=index, end_column=index)
    made.active["J1"] = "安装信息"
    made.active.merge_cells("J1:K1")
    return packed(made)


def optional_above() -> bytes:
    """Two rows of headings whose lower one has all but what is not required."""
    made = book(row())
    made.active.insert_rows(1)
    for index, heading in enumerate(HEADINGS, start=1):
        if heading in ("有效期至", "备注"):
            made.active.cell(1, index, heading)
            made.active.cell(2, index).value = None
            made.active.merge_cells(start_row=1, end_row=2, start_column=index, end_column=index)
    made.active["A1"] = "器具信息"
    made.active.merge_cells("A1:O1")
    return packed(made)


def beside_others() -> bytes:
    made = book(title="2026年台账")
    made.create_sheet("封面", 0)["A1"] = "强制检定计量器具台账"
    made.create_sheet("填写说明")["A1"] = "说明"
    made.create_sheet("旧数据")["A1"] = 1
    return packed(made)


def states(**given: str) -> bytes:
    """Two sheets with rows, 2025 and 2026; and an empty 器具信息; each visible, hidden or not there."""
    made = book([None], title="器具信息")
    for title, state in given.items():
        sheet = made["器具信息"] if title == "ours" else fill(made.create_sheet(title.strip("_")))
        sheet.sheet_state = state
    if "ours" not in given:
        del made["器具信息"]
    return packed(made)


def far_below() -> bytes:
    """A template with nothing but a space and a remark beside it, and one whose only row is far below."""
    made = book(*[[None]] * 60, row(), title="台账")
    fill(made.create_sheet("器具信息"), [" "], [None] * 18 + ["见另表"])
    return packed(made)


def nothing_but_formulas() -> bytes:
    made = book(["=A1"] * 17)
    fill(made.create_sheet("旧台账"))
    return packed(made)


def hidden() -> bytes:
    made = book(row(), row(出厂编号="2"))
    made.active.row_dimensions[3].hidden = True
    made.active.column_dimensions["D"].hidden = True
    return packed(made)


def filtered() -> bytes:
    made = book(row(), row(出厂编号="2"))
    made.active.auto_filter.ref = "A1:Q3"
    made.active.auto_filter.add_filter_column(0, ["压力表"])
    made.active.row_dimensions[3].hidden = True
    return packed(made)


def merged() -> bytes:
    made = book(row(), row(), row(生产厂家="别家"))
    made.active["H3"].value = None
    made.active.merge_cells("H2:H3")
    return packed(made)


def indented() -> bytes:
    """The table begins at C5."""
    made = book()
    made.active.delete_rows(1, 2)
    for index, cells_ in enumerate([HEADINGS, row()], start=5):
        for column, cell in enumerate(cells_, start=3):
            made.active.cell(index, column, cell)
    return packed(made)


def since_1904() -> bytes:
    made = book(row(购置时间=45000, 有效期至=45000))
    made.epoch = datetime(1904, 1, 1)
    return packed(made)


def formatted_to_the_end() -> bytes:
    made = book(row(), row(出厂编号="2"))
    data = packed(made)
    style = "".join(f'<row r="{n}"><c r="A{n}" s="1"/></row>' for n in range(4, 1_048_577))
    return operated(data, {SHEET: replaced("</sheetData>", style + "</sheetData>")})


def inline() -> bytes:
    """Text inside the cells, as many programs write it."""
    texts = [*written(出厂编号="00123", 购置时间="2024-03-15"), "x"]
    cells_ = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)
    return with_cells(f'<row r="3">{cells_}</row>')


# What is read of row 2, where it differs from the good gauge.
READ = {
    "as the template has it": (GOOD, {}),
    "in Strict OOXML": (strict(), {}),
    "with prefixed tags": (prefixed(GOOD), {}),
    "without cell references": (without_references(GOOD), {}),
    "a formula without its value, without cell references": (
        without_references(packed(book(row(出厂编号="=A1")))),
        {"出厂编号": Fault(cells.NO_VALUE, "=A1")},
    ),
    "a formula without its value, with prefixed tags": (
        prefixed(packed(book(row(出厂编号="=A1")))),
        {"出厂编号": Fault(cells.NO_VALUE, "=A1")},
    ),
    "a false dimension, as WPS writes it": (
        operated(GOOD, {SHEET: replaced('ref="A1:Q2"', 'ref="A1"')}),
        {},
    ),
    "a dimension of the whole sheet": (
        operated(GOOD, {SHEET: replaced('ref="A1:Q2"', 'ref="A1:XFD1048576"')}),
        {},
    ),
    "zeros kept by text": (packed(book(row(出厂编号="000123"))), {"出厂编号": "000123"}),
    "zeros kept by the number format": (formatted(1234, "000000"), {"出厂编号": "001234"}),
    "letters kept by the number format": (formatted(37, '"HY"0000'), {"出厂编号": "HY0037"}),
    "a padded whole number": (formatted(1, "000", "器具数量"), {"器具数量": 1}),
    "a counted whole number": (formatted(2, '0"台"', "器具数量"), {"器具数量": 2}),
    "a percentage in a text column": (formatted(0.005, "0.0%", "准确度等级"), {"准确度等级": "0.5%"}),
    "a number in a text column": (packed(book(row(出厂编号=123, 准确度等级=1.6))), {"出厂编号": "123"}),
    "fifteen digits": (packed(book(row(出厂编号=123456789012345))), {"出厂编号": "123456789012345"}),
    "a code that Excel took for a power of ten": (
        formatted(12e5, "0.00E+00"),
        {"出厂编号": Fault(marks.UNCLEAR, "1200000")},
    ),
    "a whole number shown with words under a condition": (
        formatted(2, '[>10]"B"0;"C"0', "器具数量"),
        {"器具数量": 2},
    ),
    "sixteen digits": (
        packed(book(row(出厂编号=1234567890123456))),
        {"出厂编号": Fault(cells.DAMAGED, "1.23456789012346E+15")},
    ),
    "sixteen digits with a padding format": (
        formatted(1234567890123456, "00000000000000000000"),
        {"出厂编号": Fault(cells.DAMAGED, "1.23456789012346E+15")},
    ),
    "a long number as Excel shows it": (
        packed(book(row(出厂编号="6.37702E+15"))),
        {"出厂编号": Fault(cells.DAMAGED, "6.37702E+15")},
    ),
    "a model that became a day": (
        packed(book(row(型号规格=date(2026, 1, 2)))),
        {"型号规格": Fault(cells.BECAME_DAY, "2026-01-02")},
    ),
    "a truth value": (packed(book(row(器具数量=True, 备注=True))), {
        "器具数量": Fault(cells.WHOLE_WANTED, "TRUE"), "备注": "TRUE"}),
    "#N/A": (error_cell("#N/A"), {"出厂编号": Fault(cells.ERROR, "#N/A")}),
    "#REF!": (error_cell("#REF!"), {"出厂编号": Fault(cells.ERROR, "#REF!")}),
    "a formula without its value": (
        packed(book(row(器具数量="=1+1"))),
        {"器具数量": Fault(cells.NO_VALUE, "=1+1")},
    ),
    "a formula with its value": (
        operated(packed(book(row(器具数量="=1+1"))), {SHEET: replaced("<v />", "<v>2</v>")}),
        {"器具数量": 2},
    ),
    "days as text": (
        packed(book(row(购置时间="2024年3月15日", 有效期至="20260914"))),
        {},
    ),
    "a day in Chinese format": (formatted(45366, 'yyyy"年"m"月"d"日"', "购置时间"), {}),
    "a serial number of 1900": (packed(book(row(购置时间=45366))), {}),
    "serial numbers of 1904": (
        since_1904(),
        {"购置时间": date(2027, 3, 16), "有效期至": date(2027, 3, 16)},
    ),
    "serial 60 with a date format": (
        formatted(60, "yyyy-mm-dd", "购置时间"),
        {"购置时间": Fault(cells.OUT_OF_RANGE, "1900-02-28")},
    ),
    "a negative day": (
        formatted(-5, "yyyy-mm-dd", "购置时间"),
        {"购置时间": Fault(cells.DAY_WANTED, "00:00:00")},
    ),
    "an American day": (
        packed(book(row(有效期至="11/23/2026"))),
        {"有效期至": Fault(cells.DAY_WANTED, "11/23/2026")},
    ),
    "a time of day": (packed(book(row(备注=time(3, 4)))), {"备注": Fault(cells.BECAME_TIME, "03:04:00")}),
    "full-width digits and odd spaces": (
        packed(book(row(强检器具种别代码="９１１０１", 器具数量="１", 器具名称="\ufeff压力\u200b表\u00a0"))),
        {},
    ),
    "signs that only look like others": (packed(book(row(备注="0.5㎥ ±2℃"))), {"备注": "0.5㎥ ±2℃"}),
    "a NUL": (
        operated(packed(book(row(备注="nul"))), {SHEET: replaced(">nul<", ">a_x0000_b<")}),
        {"备注": Fault(cells.BROKEN, "a\ufffdb")},
    ),
    "a line break of old Macs": (
        operated(packed(book(row(备注="nul"))), {SHEET: replaced(">nul<", ">a_x000D_\nb<")}),
        {"备注": "a b"},
    ),
    "an iso day": (
        operated(GOOD, {SHEET: lambda body: re.sub(
            rb'<c r="L2"[^>]*><v>[^<]*</v>', b'<c r="L2" t="d"><v>2024-03-15T00:00:00</v>', body)}),
        {},
    ),
    "UTF-8": (text_file(), {}),
    "UTF-8 with byte order mark": (text_file(encoding="utf-8-sig"), {}),
    "GB18030": (text_file(written(备注="㙍"), encoding="gb18030"), {"备注": "㙍"}),
    "UTF-16": (text_file(encoding="utf-16"), {}),
    "UTF-16 with tabs, Excel's Unicode text": (text_file(separator="\t", encoding="utf-16"), {}),
    "tabs": (text_file(separator="\t"), {}),
    "semicolons": (text_file(separator=";"), {}),
    "a separator that is announced": (b"sep=;\r\n" + text_file(separator=";"), {}),
    "commas and line breaks in quotes": (text_file(written(备注='东楼,\n"3" 层')), {"备注": '东楼, "3" 层'}),
    "zeros kept by a formula": (text_file(written(出厂编号='="00123"')), {}),
    "a guarded formula": (text_file(written(备注="'=1+1")), {"备注": "=1+1"}),
    "a guarded quote": (text_file(written(备注="''x")), {"备注": "'x"}),
    "an unguarded quote": (text_file(written(备注="'x")), {"备注": "'x"}),
    "a negative value": (text_file(written(测量范围="-20~60℃")), {"测量范围": "-20~60℃"}),
    "an error saved as text": (text_file(written(出厂编号="#N/A")), {"出厂编号": Fault(cells.ERROR, "#N/A")}),
    "a column that was too narrow": (
        text_file(written(购置时间="########")),
        {"购置时间": Fault(cells.NARROW_COLUMN, "########")},
    ),
    "a short row": (text_file(written()[:16]), {}),
    "a row out of place": (
        text_file([*written(), "x"]),
        {"器具名称": Fault(delimited.SHIFTED, "第 18 格：x")},
    ),
}  # fmt: skip


def made(data: Any) -> bytes:
    """The bytes of a file that may be too large to be made before it is needed."""
    return data() if callable(data) else data


def name_of(data: bytes) -> str:
    return "台账.xlsx" if data.startswith(b"PK") else "台账.csv"


@pytest.mark.parametrize(("data", "differs"), READ.values(), ids=READ)
def test_a_file_is_read(here, data, differs):
    contents = here(data, name_of(data))
    rows = by_heading(contents)
    assert contents.header_row == 1 and contents.headings == tuple(HEADINGS)
    assert rows[2] == {**GAUGE, **differs}


# Which sheet is read, its rows, and what is noted.
CHOSEN = {
    "rows on another sheet than ours": (
        states(ours="visible", _2026="visible"), "2026", [2],
        ["只读取了工作表“2026”，另外 1 个没有读取：“器具信息”"]),
    "the first of two": (
        states(ours="visible", _2025="visible", _2026="visible"), "2025", [2],
        ["只读取了工作表“2025”，另外 2 个没有读取：“器具信息”、“2026”"]),
    "a visible one behind a hidden one": (
        states(_2025="hidden", _2026="visible"), "2026", [2],
        ["只读取了工作表“2026”，另外 1 个没有读取：“2025”"]),
    "a visible one behind one that Excel does not even list": (
        states(_2025="veryHidden", _2026="visible"), "2026", [2],
        ["只读取了工作表“2026”，另外 1 个没有读取：“2025”"]),
    "a hidden one with rows": (
        states(ours="visible", _2025="hidden"), "2025", [2],
        ["工作表“2025”是隐藏的，也已读取", "只读取了工作表“2025”，另外 1 个没有读取：“器具信息”"]),
    "a row far below": (
        far_below(), "台账", [62], ["只读取了工作表“台账”，另外 1 个没有读取：“器具信息”"]),
    "nothing but formulas without values": (
        nothing_but_formulas(), "器具信息", [2], ["只读取了工作表“器具信息”，另外 1 个没有读取：“旧台账”"]),
    "nothing anywhere": (states(ours="visible"), "器具信息", [], []),
}  # fmt: skip


@pytest.mark.parametrize("stray", ["", STRAY])
@pytest.mark.parametrize(("data", "sheet", "numbers", "notes"), CHOSEN.values(), ids=CHOSEN)
def test_the_sheet_with_rows_that_a_person_sees_is_read(opened, data, sheet, numbers, notes, stray):
    if stray:
        data = operated(data, {SHEET: replaced("</sheetData>", stray)})
    contents = opened(data)
    assert (contents.sheet, [number for number, _ in contents.rows]) == (sheet, numbers)
    assert contents.notes == notes


# Where the header stands, which rows there are, and what is noted.
PLACED = {
    "titles above the header": (titled(), 4, [5], []),
    "two rows of headings": (two_rows_of_headings(), 2, [3], []),
    "optional headings above all others": (optional_above(), 2, [3], []),
    "other sheets": (beside_others(), 1, [2],
                     ["只读取了工作表“2026年台账”，另外 2 个没有读取：“封面”、“旧数据”"]),
    "hidden rows and columns": (hidden(), 1, [2, 3], ["有 1 个隐藏的行，也已读取", "有隐藏的列，也已读取"]),
    "a filter": (filtered(), 1, [2, 3], ["工作表设有筛选，被筛掉的行也已读取"]),
    "merged cells": (merged(), 1, [2, 3, 4], ["有合并的单元格，内容只算在第一格，其余各格已标为错误"]),
    "a table away from the corner": (indented(), 5, [6], []),
    "a million formatted rows": (formatted_to_the_end, 1, [2, 3], []),
    "text in the cells": (inline(), 1, [2, 3], ["没有表头的列（R）没有读取"]),
    "a cell right of the header far below": (
        packed(book(*[row()] * 40, [*row(), None, 0])), 1, [*range(2, 43)],
        ["没有表头的列（S）没有读取"]),
    "empty rows between": (packed(book(row(), [None], ["  "], row())), 1, [2, 5], []),
    "empty lines between": (text_file(written(), [""], ["", ""], written()), 1, [2, 5], []),
    "a record of two lines": (text_file(written(备注="a\nb"), written()), 1, [2, 3], []),
    "a zero is not nothing": (packed(book(row(), [None] * 12 + [0])), 1, [2, 3], []),
}  # fmt: skip


@pytest.mark.parametrize(("data", "header", "numbers", "notes"), PLACED.values(), ids=PLACED)
def test_rows_are_found_and_oddities_are_told(here, data, header, numbers, notes):
    data = made(data)
    contents = here(data, name_of(data))
    assert contents.header_row == header
    assert {field for field in contents.fields if field} == set(HEADINGS)
    assert [number for number, _ in contents.rows] == numbers
    assert contents.notes == notes


def test_a_cell_that_only_looks_empty_is_a_fault(here):
    rows = by_heading(here(merged()))
    assert rows[2]["生产厂家"] == GAUGE["生产厂家"]
    assert rows[3]["生产厂家"] == Fault(cells.MERGED)
    assert rows[4]["生产厂家"] == "别家"


def test_rows_of_nothing_but_formulas_without_values_are_not_overlooked(here):
    rows = by_heading(here(packed(book(row(), [None], ["=A2"] * 17))))
    assert list(rows) == [2, 4]
    assert set(rows[4].values()) == {Fault(cells.NO_VALUE, "=A2")}


def test_each_cell_merges_and_hides_nothing_outside_its_column(here):
    assert {**by_heading(here(merged()))[3], "生产厂家": GAUGE["生产厂家"]} == GAUGE


def test_the_template_tells_its_edition(here):
    contents = here(workbook.template_bytes())
    assert (contents.sheet, contents.edition) == (workbook.DATA_SHEET, shipped().stamp)
    assert contents.notes == [] and list(contents.rows) == []


def test_the_stamp_is_also_found_on_the_sheet_of_instructions(here):
    data = operated(workbook.template_bytes(), {"docProps/custom.xml": lambda body: b"<Properties/>"})
    assert here(data).edition == shipped().stamp


def test_the_names_of_our_sheets_are_the_templates():
    assert books.DATA_SHEET == workbook.DATA_SHEET
    lists = {workbook.KIND_SHEET, workbook.DIVISION_SHEET, drop_downs.SHEET}
    assert {workbook.GUIDE_SHEET, problems.SUMMARY_SHEET} | lists == books.REFERENCE_SHEETS


def test_unknown_headings_are_left_to_the_person(here):
    headings = [f"列{index}" for index in range(17)]
    data = packed(book(row(), headings=headings))
    contents = here(data)
    assert contents.fields == (None,) * 17 and contents.headings == tuple(headings)
    answered = here(data, chosen={6: "出厂编号", 15: "有效期至"})
    assert by_heading(answered) == {2: {"出厂编号": "00123", "有效期至": date(2026, 9, 14)}}


def test_the_persons_answer_replaces_the_headings(here):
    contents = here(GOOD, chosen={0: "备注"})
    assert [field for field in contents.fields if field] == ["备注"]


def test_columns_that_are_not_used_show_what_they_hold_and_never_fail(here):
    headings = [*HEADINGS[:16], "我们的列"]
    rows = [row(备注=date(2026, 1, 2)), row(备注=1e16), row(备注="a\x01".replace("\x01", "\u200b"))]
    contents = here(packed(book(*rows, headings=headings)))
    assert contents.fields[16] is None
    assert [cells_[16] for _, cells_ in contents.rows] == ["2026-01-02", "1E+16", "a"]


def test_too_many_rows_are_refused_and_empty_ones_do_not_count(here, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 3)
    rows = [written()] * 3 + [[""]] * 50
    assert len(list(here(text_file(*rows), "a.csv").rows)) == 3
    assert "行，请拆分" in refusal(here, text_file(*rows, written()), "a.csv")


def test_a_stray_cell_at_the_end_of_the_sheet_does_no_harm(opened):
    plain = operated(GOOD, {SHEET: replaced("</sheetData>", STRAY)})
    assert by_heading(opened(plain)) == {2: GAUGE}


def test_beside_a_stray_cell_nothing_is_overlooked(opened):
    made = book(row(出厂编号="=A1", 器具数量=True), row(购置时间=45366, 备注="#N/A", 强检器具种别代码=91101))
    made.active["Q3"].data_type = "e"
    made.active["G3"].value, made.active["G3"].number_format = 123, "00000"
    rows = by_heading(opened(operated(packed(made), {SHEET: replaced("</sheetData>", STRAY)})))
    assert rows[2] == {
        **GAUGE,
        "出厂编号": Fault(cells.NO_VALUE, "=A1"),
        "器具数量": Fault(cells.WHOLE_WANTED, "TRUE"),
    }
    assert rows[3] == {**GAUGE, "备注": Fault(cells.ERROR, "#N/A")}


def styled_by_number(code: int) -> bytes:
    """One gauge whose 备注 is a number with a format that the file does not spell out."""
    data = formatted(46086, "# ?/?", "备注")
    return operated(data, {"xl/styles.xml": replaced('numFmtId="12"', f'numFmtId="{code}"')})


@pytest.mark.parametrize("code", [14, 27, 36, 50, 58])
def test_the_days_of_chinese_formats_are_days_beside_a_stray_cell_too(opened, code):
    data = styled_by_number(code)
    beside = operated(data, {SHEET: replaced("</sheetData>", STRAY)})
    assert by_heading(opened(beside)) == by_heading(opened(data))
    assert by_heading(opened(data))[2]["备注"] == Fault(cells.BECAME_DAY, "2026-03-05")


ESCAPED = {
    "a_x000a_b": "a b",
    "_x0031_2": "12",
    "_x005F_x0031_": "_x0031_",
    "ax005F_b": "ax005F_b",
    "_xD83D_": "_xD83D_",
}


@pytest.mark.parametrize("is_shared", [True, False])
def test_escaped_characters_are_read_beside_a_stray_cell_too(opened, is_shared):
    data = packed(book(*[row(备注=f"escaped {index}") for index in range(len(ESCAPED))]))
    data = with_shared_texts(data) if is_shared else data

    def change(body: bytes) -> bytes:
        for index, written_ in enumerate(ESCAPED):
            body = body.replace(b">escaped %d<" % index, f">{written_}<".encode())
        return body

    data = operated(data, {"xl/sharedStrings.xml" if is_shared else SHEET: change})
    for each in (data, operated(data, {SHEET: replaced("</sheetData>", STRAY)})):
        assert [found["备注"] for found in by_heading(opened(each)).values()] == list(ESCAPED.values())


def test_a_strict_workbook_with_a_stray_cell_is_refused_for_what_it_is(opened):
    sentence = refusal(opened, operated(strict(), {SHEET: replaced("</sheetData>", STRAY)}))
    assert "Strict Open XML" in sentence and "请用 Excel 或 WPS 打开，另存为 .xlsx" in sentence


OLD_BOOK = b"\x09\x08\x10\x00\x00\x06" + bytes(14)
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
ODS = b"application/vnd.oasis.opendocument.spreadsheet"
ENTITIES = '<!DOCTYPE x [<!ENTITY a "b">]>'


def with_part(name: str, body: bytes = b"<a/>", data: bytes = GOOD) -> bytes:
    return operated(data, {}, **{name: body})


def in_encoding(encoding: str) -> bytes:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    return operated(GOOD, {SHEET: lambda body: (declared + body.decode()).encode(encoding)})


def with_macro_type() -> bytes:
    macro = replaced(
        "openxmlformats-officedocument.spreadsheetml.sheet.main", "ms-excel.sheet.macroEnabled.main"
    )
    return operated(GOOD, {"[Content_Types].xml": macro})


def encrypted_zip() -> bytes:
    """The sign that a part is encrypted, in the directory."""
    data = bytearray(GOOD)
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


REFUSED = {
    "nothing": ("台账.xlsx", b"", "文件是空的"),
    "only spaces": ("台账.csv", b" \r\n\r\n", "文件是空的"),
    "an empty workbook": ("台账.xlsx", packed(book([None], headings=[None])), "没有任何内容"),
    "a password": ("台账.xlsx", encrypted(), "打开密码"),
    "an encrypted zip": ("台账.xlsx", encrypted_zip(), "打开密码"),
    "cut off at the end": ("台账.xlsx", GOOD[:-300], "损坏或不完整"),
    "cut off early": ("台账.xlsx", GOOD[:1500], "损坏或不完整"),
    "a spoiled byte": ("台账.xlsx", GOOD[:900] + bytes([GOOD[900] ^ 255]) + GOOD[901:], "损坏或不完整"),
    "broken XML": ("台账.xlsx", operated(GOOD, {SHEET: lambda body: body[:-300]}), "损坏或不完整"),
    "no workbook": (
        "台账.xlsx",
        operated(GOOD, {"xl/workbook.xml": lambda body: b"<workbook/>"}),
        "损坏或不完整",
    ),
    "a web page": ("台账.xls", b"<html><body><table><tr><td>1", "网页"),
    "a saved web page": ("台账.xls", b"MIME-Version: 1.0\r\nX-Document-Type: Workbook", "网页"),
    "an XML spreadsheet": ("台账.xls", b'<?xml version="1.0"?><Workbook xmlns="urn:schemas">', "XML"),
    "text called .xlsx": ("台账.xlsx", text_file(), "改为以 .csv 结尾"),
    "text called .xls": ("台账.XLS", text_file(separator="\t"), "改为以 .csv 结尾"),
    "a workbook called .xls": ("台账.xls", GOOD, "改为以 .xlsx 结尾"),
    "a workbook called .csv": ("台账.csv", GOOD, "改为以 .xlsx 结尾"),
    "an old workbook called .xlsx": ("台账.xlsx", compound(Workbook=OLD_BOOK), "改为以 .xls 结尾"),
    "an old workbook without sheets": ("台账.xls", compound(Workbook=OLD_BOOK), "没有工作表"),
    "a broken old workbook": (
        "台账.xls",
        compound(Workbook=OLD_BOOK + b"\x85\x00\x01\x00\x00"),
        "损坏或不完整",
    ),
    "an old workbook with a password": (
        "台账.xls",
        compound(Workbook=OLD_BOOK + b"\x2f\x00\x06\x00" + bytes(6)),
        "打开密码",
    ),
    "an old workbook with macros": ("台账.xls", compound(Workbook=b"", _VBA_PROJECT_CUR=b""), "宏"),
    "Excel 95": ("台账.xls", compound(Book=b""), "Excel 95"),
    "Excel 4": ("台账.xls", b"\x09\x04\x06\x00\x00\x00\x10\x00", "Excel 95"),
    "a compound file in circles": (
        "台账.xls",
        encrypted()[:512] + bytes(512) + encrypted()[1024:],
        "损坏或不完整",
    ),
    "half a compound file": ("台账.xls", encrypted()[:700], "损坏或不完整"),
    "an old text document": ("台账.xls", compound(WordDocument=b""), "文档"),
    "macros by name": ("台账.xlsm", GOOD, "宏"),
    "macros inside": ("台账.xlsx", with_part("xl/vbaProject.bin"), "宏"),
    "macros by type": ("台账.xlsx", with_macro_type(), "宏"),
    ".xlsb": ("台账.xlsb", with_part("xl/workbook.bin"), "xlsb"),
    ".docx": ("台账.docx", with_part("word/document.xml"), "文档"),
    ".odt": (
        "台账.odt",
        with_part("mimetype", b"application/vnd.oasis.opendocument.text", EMPTY_ZIP),
        "文档",
    ),
    ".pdf": ("台账.pdf", b"%PDF-1.7\n", "PDF"),
    "a picture": ("台账.xlsx", b"\x89PNG\r\n\x1a\n", "图片"),
    "Numbers": ("台账.numbers", with_part("Index/Document.iwa"), "Numbers"),
    "a packed folder": ("台账.zip", with_part("台账.xlsx", GOOD, EMPTY_ZIP), "压缩包"),
    ".rar": ("台账.rar", b"Rar!\x1a\x07\x00", "压缩包"),
    "no text at all": ("台账.csv", b"\x01\x00\x02\x00" * 100, "无法识别"),
    "an unknown encoding": ("台账.csv", HEADINGS[0].encode() + b"\xff\xff", "编码"),
    "an open quote": ("台账.csv", text_file() + b'"abc', "第 3 行的引号"),
    "210 MB of spaces": ("台账.xlsx", partial(bomb, 210 << 20), "解压后超过 200 MB"),
    "210 MB of shared text": ("台账.xlsx", partial(bomb, 210 << 20, "xl/sharedStrings.xml"), "超过 200 MB"),
    "40 MB of spaces": ("台账.xlsx", partial(bomb, 40 << 20), "压缩得异常"),
    "a bomb that lies": ("台账.xlsx", partial(lying, 40 << 20), "损坏或不完整"),
    "two thousand parts": (
        "台账.xlsx",
        operated(GOOD, {}, **{f"{n}.xml": b"" for n in range(2000)}),
        "个部分",
    ),
    "entities": ("台账.xlsx", operated(GOOD, {SHEET: lambda body: ENTITIES.encode() + body}), "DOCTYPE"),
    "entities in the small parts": (
        "台账.xlsx",
        operated(GOOD, {"xl/workbook.xml": lambda body: ENTITIES.encode() + body}),
        "DOCTYPE",
    ),
    "UTF-16 inside": ("台账.xlsx", in_encoding("UTF-16"), "不是 UTF-8"),
    "another encoding inside": ("台账.xlsx", in_encoding("GBK"), "不是 UTF-8"),
    "a row beyond Excel's last": (
        "台账.xlsx",
        with_cells('<row r="999999999"><c r="A999999999"><v>1</v></c></row>'),
        "损坏或不完整",
    ),
    "an encrypted .ods": (
        "台账.ods",
        operated(EMPTY_ZIP, {}, mimetype=ODS, **{"META-INF/manifest.xml": b"<a><encryption-data/></a>"}),
        "打开密码",
    ),
    "an .ods without content": ("台账.ods", with_part("mimetype", ODS, EMPTY_ZIP), "损坏或不完整"),
    "too many columns": ("台账.csv", text_file(headings=[f"c{n}" for n in range(101)]), "超过 100 列"),
}


@pytest.mark.parametrize(("name", "data", "told"), REFUSED.values(), ids=REFUSED)
def test_a_file_is_refused_in_one_sentence_that_says_what_to_do(opened, data, name, told):
    sentence = refusal(opened, made(data), name)
    assert told in sentence
    assert re.search("请[^，。]+", sentence) and "。" not in sentence and "\n" not in sentence


UNKNOWN = [f"列{index}" for index in range(17)]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("headings", [HEADINGS, UNKNOWN, ['"器具"名称', *HEADINGS[1:]]])
def test_a_quote_out_of_place_is_told_whatever_parts_the_cells(here, separator, headings):
    lines = [headings, written(), written(型号规格='"Y"型', 备注="a;b")]
    data = "".join(separator.join(line) + "\r\n" for line in lines).encode()
    number = 1 if '"' in headings[0] else 3
    assert refusal(here, data, "a.csv") == f"第 {number} 行的引号不成对，无法分清各列，请改正后重新上传"


@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("headings", [HEADINGS, UNKNOWN])
def test_quoted_cells_are_read_whatever_parts_the_cells(here, separator, headings):
    lines = [headings, *[written(器具名称="表,甲,乙", 备注='大 "Y";小;中\t')] * 3]
    cells_ = ['"' + cell.replace('"', '""') + '"' for line in lines for cell in line]
    data = "".join(separator.join(cells_[at : at + 17]) + "\r\n" for at in range(0, len(cells_), 17)).encode()
    contents = here(data, "a.csv")
    rows = list(contents.rows)
    assert contents.headings == tuple(headings) and len(rows) == 3
    assert (rows[0][1][0], rows[0][1][16]) == ("表,甲,乙", '大 "Y";小;中')


@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_sheet_is_changed_into_gives_rows_or_one_sentence(opened, seed):
    chance = Random(seed)

    def spoiled(body: bytes) -> bytes:
        changed = bytearray(body)
        for _ in range(chance.randint(1, 12)):
            changed[chance.randrange(len(changed))] = chance.choice(b'<>/"=0129AZ \x00\xff')
        return bytes(changed)

    part = chance.choice([SHEET, "xl/styles.xml", "xl/workbook.xml", "[Content_Types].xml"])
    try:
        rows = list(opened(operated(GOOD, {part: spoiled})).rows)
    except Unreadable as refused:
        assert "请" in str(refused)
    else:
        assert all(isinstance(number, int) and len(cells_) for number, cells_ in rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "to"), [("xlsx", "xlsx:Calc MS Excel 2007 XML"), ("xls", "xls"), ("ods", "ods")]
)
class TestSavedByLibreOffice:
    def rows(self, opened, made, ending, to):
        contents = opened(converted(packed(made), "xlsx", to), f"台账.{ending}")
        return contents, by_heading(contents)

    def test_a_good_ledger_is_read(self, opened, ending, to):
        contents, rows = self.rows(opened, book(row(), row(出厂编号="2")), ending, to)
        assert rows == {2: GAUGE, 3: {**GAUGE, "出厂编号": "2"}} and contents.notes == []

    def test_errors_formulas_and_formats_are_seen(self, opened, ending, to):
        made = book(
            row(出厂编号=1234, 准确度等级=0.005), row(出厂编号="=NA()", 器具数量="=1+1"), row(备注=True)
        )
        made.active["G2"].number_format = "000000"
        made.active["F2"].number_format = "0.0%"
        _, rows = self.rows(opened, made, ending, to)
        assert (rows[2]["出厂编号"], rows[2]["准确度等级"]) == ("001234", "0.5%")
        assert rows[3]["出厂编号"] == Fault(cells.ERROR, "#N/A")
        assert rows[3]["器具数量"] == 2
        assert rows[4]["备注"] == "TRUE"

    def test_a_code_that_became_a_power_of_ten_is_not_believed(self, opened, ending, to):
        made = book(row(出厂编号=12e5, 型号规格=7, 器具数量=2))
        for place, code in {"G2": "0.00E+00", "D2": "000-000", "M2": "0.00E+00"}.items():
            made.active[place].number_format = code
        _, rows = self.rows(opened, made, ending, to)
        assert isinstance(rows[2]["出厂编号"], Fault) and rows[2]["器具数量"] == 2
        # Only LibreOffice's own files keep what is shown.
        assert rows[2]["型号规格"] == ("000-007" if ending == "ods" else Fault(marks.UNCLEAR, "7"))

    def test_hidden_and_merged_cells_are_told(self, opened, ending, to):
        made = book(row(), row(), row())
        made.active.row_dimensions[4].hidden = True
        made.active["H3"].value = None
        made.active.merge_cells("H2:H3")
        contents, rows = self.rows(opened, made, ending, to)
        assert rows[3]["生产厂家"] == Fault(cells.MERGED)
        assert len(contents.notes) == 2

    def test_days_of_1904_stay_days(self, opened, ending, to):
        made = book()
        made.epoch = datetime(1904, 1, 1)
        assert self.rows(opened, made, ending, to)[1] == {2: GAUGE}

    def test_the_template_comes_back_with_its_edition(self, opened, ending, to, tmp_path):
        data = converted(workbook.template_bytes(), "xlsx", to)
        contents = opened(data, f"模板.{ending}")
        assert contents.edition == shipped().stamp and contents.fields == tuple(HEADINGS)
