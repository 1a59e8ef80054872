"""The returned workbook: exactly the bad cells are marked, everything else comes back as it was."""

import io
import re
import subprocess
from dataclasses import replace
from datetime import date, datetime
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from PIL import Image as Picture

from catalog import marking, workbook
from catalog.columns import COLUMNS
from catalog.marking import SUMMARY_SHEET, MarkingFailed, Problem, Summary, bad_rows, mark
from catalog.marking import process as processes
from catalog.marking.returned import mark_workbook
from catalog.marking.sheets import Sheet
from catalog.reading import read

RED = "FFFFC7CE"
YELLOW = PatternFill("solid", fgColor="FFFFFF00")
HEADINGS = ["器具名称", "强检器具种别代码", "出厂编号", "器具数量", "购置时间", "备注"]
KIND = Problem(2, 1, "强检器具种别代码", "91109", "没有这个种别代码", "91101 指示类压力表")
SERIAL = Problem(3, 2, "出厂编号", "", "出厂编号必须填写")
TWICE = Problem(3, None, "", "", "与第 2 行重复")
SUMMARY = Summary(rows=3, added=1, invalid=2)


@pytest.fixture
def uploaded(tmp_path):
    """A ledger as people keep theirs: styles, formulas, a hidden sheet, lists, a picture, own comments."""
    book = Workbook()
    sheet = book.active
    sheet.title = "我的台账"
    sheet.append(HEADINGS)
    sheet.append(["压力表", "91109", "00123", 1, datetime(2024, 3, 15), "=A2&C2"])
    sheet.append(["电能表", "91201", None, 2, None, "二楼"])
    sheet.append(["水表", "91301", "S-1", 1, None, "<&>"])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet["B2"].fill, sheet["B2"].font, sheet["B2"].number_format = YELLOW, Font(italic=True), "@"
    sheet["E2"].number_format = "yyyy/m/d"
    sheet["A4"].comment = Comment("这台在二楼", "张三")
    sheet.column_dimensions["B"].width = 33
    sheet.column_dimensions["C"].number_format = "@"
    sheet.merge_cells("A6:C6")
    rule = DataValidation(type="list", formula1='"国产,进口"')
    rule.add("F2:F9")
    sheet.add_data_validation(rule)
    sheet.auto_filter.ref = "A1:F4"
    sheet.freeze_panes = "A2"
    drawn = io.BytesIO()
    Picture.new("RGB", (4, 4), "red").save(drawn, "PNG")
    sheet.add_image(Image(drawn), "H2")
    hidden = book.create_sheet("秘密")
    hidden.sheet_state = "hidden"
    hidden["A1"] = "001"
    book.defined_names["places"] = DefinedName("places", attr_text="'秘密'!$A$1")
    path = tmp_path / "ledger.xlsx"
    book.save(path)
    return path


@pytest.fixture
def returned(uploaded, tmp_path):
    """Mark the upload, or another file, and read what comes back."""

    def give(problems, source=uploaded, sheet="我的台账", summary=SUMMARY):
        out = tmp_path / f"returned{len(list(tmp_path.iterdir()))}.xlsx"
        mark_workbook(source, "台账.xlsx", out, sheet, problems, summary)
        return out, load_workbook(out)

    return give


def red(sheet):
    return {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.fill.fgColor.rgb == RED}


def comments(sheet):
    return {
        cell.coordinate: cell.comment.text
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment is not None
    }


def content(sheet):
    return {
        cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None
    }


def test_exactly_the_bad_cells_are_red_and_commented(returned):
    sheet = returned([KIND, SERIAL])[1]["我的台账"]
    assert red(sheet) == {"B2", "C3"}
    assert comments(sheet) == {
        "A4": "这台在二楼",
        "B2": "【检查结果】\n没有这个种别代码；建议：91101 指示类压力表",
        "C3": "【检查结果】\n出厂编号必须填写",
    }
    assert sheet["B2"].comment.author == "约检台"


def test_a_bad_cell_keeps_its_other_format(returned):
    sheet = returned([KIND, SERIAL])[1]["我的台账"]
    assert sheet["B2"].font.i and sheet["B2"].number_format == "@"
    assert sheet["C3"].number_format == "@"  # its column's


def test_every_value_and_formula_stays(returned, uploaded):
    book = returned([KIND, SERIAL])[1]
    assert content(book["我的台账"]) == content(load_workbook(uploaded)["我的台账"])
    assert book["我的台账"]["C2"].value == "00123"
    assert book["我的台账"]["F2"].value == "=A2&C2"


def test_everything_around_the_cells_stays(returned):
    book = returned([KIND])[1]
    sheet = book["我的台账"]
    assert book.sheetnames == ["我的台账", "秘密", SUMMARY_SHEET]
    assert book["秘密"].sheet_state == "hidden" and book["秘密"]["A1"].value == "001"
    assert book.defined_names["places"].attr_text == "'秘密'!$A$1"
    assert sheet.column_dimensions["B"].width == 33
    assert [(str(rule.sqref), rule.formula1) for rule in sheet.data_validations.dataValidation] == [
        ("F2:F9", '"国产,进口"')
    ]
    assert str(sheet.merged_cells.ranges) == "{<MergedCellRange A6:C6>}"
    assert (sheet.auto_filter.ref, sheet.freeze_panes, len(sheet._images)) == ("A1:F4", "A2", 1)
    assert sheet["A1"].font.b and sheet["E2"].number_format == "yyyy/m/d"


def test_parts_that_marking_does_not_concern_are_the_same_bytes(returned, uploaded):
    with ZipFile(returned([KIND])[0]) as after, ZipFile(uploaded) as before:
        for part in (
            "xl/worksheets/sheet2.xml",
            "xl/media/image1.png",
            "xl/theme/theme1.xml",
        ):
            assert after.read(part) == before.read(part)


def test_the_new_parts_hold_only_what_excel_allows(returned):
    """Excel repairs, that is empties, a file whose parts break the schema; no reader here is as strict."""
    with ZipFile(returned([KIND, SERIAL])[0]) as archive:
        notes = ElementTree.fromstring(archive.read("xl/comments/comment1.xml"))
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        drawing = ElementTree.fromstring(archive.read("xl/drawings/commentsDrawing1.vml"))
    assert [each.attrib for each in notes.findall(".//{*}author")] == [{}, {}]
    assert len(notes.findall(".//{*}comment")) == len(drawing.findall(".//{*}ClientData")) == 3
    assert len({shape.get("id") for shape in drawing.findall(".//{*}shape")}) == 3
    order = re.findall(r"<(sheetData|mergeCells|dataValidations|drawing|legacyDrawing)\b", sheet)
    assert order == ["sheetData", "mergeCells", "dataValidations", "drawing", "legacyDrawing"]


def test_problems_of_one_cell_share_a_comment(returned):
    other = Problem(2, 1, "强检器具种别代码", "91109", "与器具名称不符")
    text = comments(returned([KIND, other])[1]["我的台账"])["B2"]
    assert text.splitlines()[1:] == ["没有这个种别代码；建议：91101 指示类压力表", "与器具名称不符"]


def test_a_problem_of_a_whole_row_marks_its_first_cell(returned):
    sheet = returned([TWICE])[1]["我的台账"]
    assert red(sheet) == {"A3"}
    assert comments(sheet)["A3"].endswith("与第 2 行重复")


def test_another_persons_comment_on_a_bad_cell_stays_above_ours(returned):
    problem = Problem(4, 0, "器具名称", "水表", "器具名称与种别不符")
    sheet = returned([problem])[1]["我的台账"]
    assert comments(sheet) == {"A4": "这台在二楼\n【检查结果】\n器具名称与种别不符"}
    assert sheet["A4"].comment.author == "张三"


def test_a_problem_of_a_row_that_is_not_there_is_only_listed(returned):
    book = returned([Problem(99, 1, "强检器具种别代码", "1", "没有这个种别代码")])[1]
    assert red(book["我的台账"]) == set()
    assert [cell.value for cell in book[SUMMARY_SHEET][8]] == [
        None,
        99,
        "强检器具种别代码",
        "1",
        "没有这个种别代码",
        None,
    ]


def test_the_summary_lists_totals_and_every_problem_by_row(returned):
    sheet = returned([TWICE, SERIAL, KIND])[1][SUMMARY_SHEET]
    assert sheet["A1"].value == "检查结果：台账.xlsx"
    assert (sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight) == (True, 0)
    assert dict(zip([c.value for c in sheet[4]], [c.value for c in sheet[5]], strict=True)) == {
        "文件行数": 3, "新增": 1, "修改": 0, "未变": 0, "错误": 2, "重复": 0,
    }  # fmt: skip
    assert [[cell.value or "" for cell in row] for row in sheet.iter_rows(min_row=8)] == [
        ["B2", 2, "强检器具种别代码", "91109", "没有这个种别代码", "91101 指示类压力表"],
        ["A3", 3, "", "", "与第 2 行重复", ""],
        ["C3", 3, "出厂编号", "", "出厂编号必须填写", ""],
    ]
    assert [sheet[f"A{row}"].hyperlink.location for row in (8, 9, 10)] == [
        "'我的台账'!B2",
        "'我的台账'!A3",
        "'我的台账'!C3",
    ]


def test_a_ledger_that_has_the_name_of_the_summary_is_left_alone(returned, tmp_path):
    book = Workbook()
    book.active.title = SUMMARY_SHEET
    book.active.append(["器具名称", "出厂编号"])
    book.active.append(["压力表", "HY37"])
    path = tmp_path / "named.xlsx"
    book.save(path)
    problem = Problem(2, 0, "器具名称", "压力表", "请核对")
    for _ in range(2):
        path, marked = returned([problem], path, SUMMARY_SHEET)
        assert marked.sheetnames == [SUMMARY_SHEET, f"{SUMMARY_SHEET} (2)"]
        assert content(marked[SUMMARY_SHEET])["B2"] == "HY37"


def test_a_long_sentence_has_the_lines_it_needs(returned):
    sheet = returned([KIND, replace(TWICE, sentence="很长的句子" * 20)])[1][SUMMARY_SHEET]
    assert (sheet.row_dimensions[8].height, sheet.row_dimensions[9].height) == (18, 72)


def test_what_was_filled_in_never_becomes_a_formula_of_the_summary(returned):
    problem = Problem(2, 1, "强检器具种别代码", "=HYPERLINK(1)", "没有这个种别代码", '=1"<&>')
    cells = returned([problem])[1][SUMMARY_SHEET][8]
    assert [(cell.data_type, cell.value) for cell in cells[3:6:2]] == [
        ("s", "=HYPERLINK(1)"),
        ("s", '=1"<&>'),
    ]


@pytest.mark.parametrize(
    "saved_by", ["nobody", "openpyxl", pytest.param("libreoffice", marks=pytest.mark.slow)]
)
def test_a_corrected_file_has_only_the_new_marks_when_it_is_returned_again(returned, tmp_path, saved_by):
    on_a_comment = Problem(4, 0, "器具名称", "水表", "器具名称与种别不符")
    path, book = returned([KIND, TWICE, on_a_comment])
    if saved_by == "openpyxl":
        book["我的台账"]["B2"] = "91101"
        book.save(path)
    if saved_by == "libreoffice":
        path = saved(path, tmp_path / "office")
    book = returned([SERIAL], path)[1]
    sheet = book["我的台账"]
    assert red(sheet) == {"C3"}
    assert comments(sheet) == {"A4": "这台在二楼", "C3": "【检查结果】\n出厂编号必须填写"}
    assert sheet["B2"].fill.fgColor.rgb == "FFFFFF00" and sheet["B2"].font.i
    assert sheet["A3"].fill.fill_type is None
    assert book.sheetnames == ["我的台账", "秘密", SUMMARY_SHEET]
    assert [cell.value for cell in book[SUMMARY_SHEET]["E"][7:]] == ["出厂编号必须填写"]


def test_a_cell_marked_twice_gets_its_own_fill_back(returned):
    path = returned([KIND])[0]
    for _ in range(3):
        path = returned([KIND], path)[0]
    sheet = returned([], path)[1]["我的台账"]
    assert red(sheet) == set() and sheet["B2"].fill.fgColor.rgb == "FFFFFF00"
    assert comments(sheet) == {"A4": "这台在二楼"}


def saved(path, folder, kind="xlsx"):
    command = [
        "soffice",
        f"-env:UserInstallation={folder.as_uri()}/profile",
        "--headless",
        "--convert-to",
        kind,
    ]
    subprocess.run([*command, "--outdir", folder, path], check=True, capture_output=True, timeout=180)
    return folder / f"{path.stem}.{kind}"


@pytest.mark.slow
def test_libreoffice_keeps_the_marks(returned, tmp_path):
    book = load_workbook(saved(returned([KIND, SERIAL])[0], tmp_path / "office"))
    assert red(book["我的台账"]) == {"B2", "C3"}
    assert comments(book["我的台账"])["C3"].endswith("出厂编号必须填写")
    assert comments(book["我的台账"]).keys() == {"A4", "B2", "C3"}


def written_otherwise(path, change, changed="xl/worksheets/sheet1.xml"):
    """Change a part's XML the way another program would have written it."""
    other = path.with_name("other.xlsx")
    with ZipFile(path) as before, ZipFile(other, "w") as after:
        for part in before.namelist():
            data = before.read(part)
            after.writestr(part, change(data) if part == changed else data)
    return other


def prefixed(data):
    names = (
        "worksheet",
        "sheetData",
        "row",
        "c",
        "v",
        "is",
        "t",
        "cols",
        "col",
        "legacyDrawing",
        "f",
        "drawing",
    )
    text = data.decode().replace('xmlns="', 'xmlns:x="')
    names = {*names, "sheetPr", "outlinePr", "pageSetUpPr", "dimension", "sheetViews", "sheetView", "pane"}
    names |= {"selection", "sheetFormatPr", "autoFilter", "mergeCells", "mergeCell", "dataValidations"}
    for name in names | {"dataValidation", "formula1", "pageMargins"}:
        for end in " />":
            text = text.replace(f"<{name}{end}", f"<x:{name}{end}").replace(
                f"</{name}{end}", f"</x:{name}{end}"
            )
    return text.encode()


def without_references(data):
    """As Power BI and others write: no row numbers, and no references in the rows that have every cell."""
    head, second, rest = re.split(rb'(?=<row r="[23]")', data)
    return head + re.sub(rb'<(c|row) r="[A-Z]*2"', rb"<\1", second) + re.sub(rb'<row r="\d+"', b"<row", rest)


@pytest.mark.parametrize(
    "change", [prefixed, without_references, lambda data: data.decode().encode("utf-16")]
)
def test_sheets_written_in_other_ways_are_marked_too(uploaded, returned, change):
    sheet = returned([KIND, Problem(3, 4, "购置时间", "", "必须填写")], written_otherwise(uploaded, change))[
        1
    ]["我的台账"]
    assert red(sheet) == {"B2", "E3"}
    assert content(sheet) == content(load_workbook(uploaded)["我的台账"])


def test_formats_that_end_early_are_added_to(uploaded, returned):
    def cut(data):
        return data[: data.index(b"<cellStyles")] + b"</styleSheet>"

    _, book = returned([KIND], written_otherwise(uploaded, cut, "xl/styles.xml"))
    assert red(book["我的台账"]) == {"B2"}


def test_a_row_is_found_by_its_number_and_by_its_place():
    sheet = Sheet(b'<worksheet><sheetData><row r="3"/><row><c/></row></sheetData></worksheet>')
    assert [number for number, _, _ in sheet._rows({3, 4, 5})] == [3, 4]


@pytest.mark.parametrize("content", [None, b"", b"not a workbook", b"PK\x03\x04"])
def test_a_file_that_cannot_be_marked_is_a_sentence_and_leaves_nothing(tmp_path, content):
    source, out = tmp_path / "bad.xlsx", tmp_path / "out.xlsx"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(MarkingFailed, match="请"):
        mark(source, "台账.xlsx", out, "我的台账", [KIND], SUMMARY)
    assert not out.exists()


def test_a_sheet_that_is_not_there_is_named(uploaded, tmp_path):
    with pytest.raises(MarkingFailed, match="“别的表”"):
        mark(uploaded, "台账.xlsx", tmp_path / "out.xlsx", "别的表", [KIND], SUMMARY)


def test_a_returned_file_is_read_like_the_upload(uploaded, returned):
    """Neither the summary nor the marks change what an import sees."""
    before, after = (read(path, "台账.xlsx") for path in (uploaded, returned([KIND, SERIAL, TWICE])[0]))
    assert (after.sheet, after.header_row, after.headings) == (
        before.sheet,
        before.header_row,
        before.headings,
    )
    assert list(after.rows) == list(before.rows)


def test_a_process_that_runs_out_of_memory_or_time_is_a_sentence(uploaded, tmp_path, monkeypatch):
    out = tmp_path / "out.xlsx"
    for name, value in {"MEMORY": 50 * 2**20, "SECONDS": 0, "PATIENCE": 0.01}.items():
        with monkeypatch.context() as patch:
            patch.setattr(processes, name, value)
            with pytest.raises(MarkingFailed, match="重新导入"):
                mark(uploaded, "台账.xlsx", out, "我的台账", [KIND], SUMMARY)
    mark(uploaded, "台账.xlsx", out, "我的台账", [KIND], SUMMARY)


def converted(source, name, tmp_path, problems):
    out = tmp_path / "back.xlsx"
    mark(source, name, out, "随便", problems, SUMMARY)
    return load_workbook(out)


TABLE = [
    ["本厂台账", *[None] * 5],
    HEADINGS,
    ["压力表", "91109", "00123", 1, "2024-03-15", "=1+1"],
    [None] * 6,
]
TABLE += [["电能表", "91201", None, 2, None, "二楼"]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_csv_comes_back_as_a_workbook_with_the_same_values(tmp_path, encoding):
    source = tmp_path / "ledger.csv"
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in TABLE]
    source.write_text("\n".join(lines), encoding=encoding)
    book = converted(source, "台账.csv", tmp_path, [replace(KIND, row=3), replace(SERIAL, row=5)])
    sheet = book["台账"]
    assert [cell.value for cell in sheet[1]] == HEADINGS
    assert [sheet[place].value for place in ("B2", "C2", "F2", "A3")] == ["91109", "00123", "=1+1", "电能表"]
    assert sheet["F2"].data_type == "s"
    assert red(sheet) == set(comments(sheet)) == {"B2", "C3"}
    assert [cell.value for cell in book[SUMMARY_SHEET]["B"][6:]] == ["原文件中的行", 3, 5]
    assert "格式" in book[SUMMARY_SHEET]["A3"].value


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_other_workbooks_come_back_as_one_with_the_same_values(uploaded, tmp_path, kind):
    source = saved(uploaded, tmp_path / "office", kind)
    sheet = converted(source, f"台账.{kind}", tmp_path, [KIND, SERIAL])["台账"]
    assert [cell.value for cell in sheet[1]] == HEADINGS
    assert [sheet[place].value for place in ("B2", "C2", "E2")] == ["91109", "00123", datetime(2024, 3, 15)]
    assert red(sheet) == set(comments(sheet)) == {"B2", "C3"}


def test_a_workbook_that_cannot_be_changed_where_it_stands_comes_back_as_a_copy(
    uploaded, tmp_path, monkeypatch
):
    attempts = []
    run = processes._run

    def failing(request, out):
        attempts.append(request["act"])
        if len(attempts) == 1:
            raise processes._Unmarkable(processes.FAILED)
        return run(request, out)

    monkeypatch.setattr(processes, "_run", failing)
    sheet = converted(uploaded, "台账.xlsx", tmp_path, [KIND, SERIAL])["台账"]
    assert attempts == ["mark", "convert", "mark"]
    assert red(sheet) == set(comments(sheet)) == {"B2", "C3"}


def values(**given):
    row = [given.get(column.heading) for column in COLUMNS]
    return row


def test_the_bad_rows_come_back_on_the_template(tmp_path):
    index = [column.heading for column in COLUMNS].index
    rows = [
        (
            7,
            values(
                器具名称="压力表",
                强检器具种别代码="91109",
                出厂编号="00123",
                器具数量=1,
                购置时间=date(2024, 3, 15),
            ),
        ),
        (9, values(器具名称="=1+1", 出厂编号="HY37", 购置时间="去年")),
    ]
    day, code = index("购置时间"), index("强检器具种别代码")
    problems = [
        Problem(9, day, "购置时间", "去年", "不是日期"),
        Problem(7, code, "强检器具种别代码", "91109", "没有这个种别代码"),
    ]
    template, out = tmp_path / "template.xlsx", tmp_path / "bad.xlsx"
    workbook.write_template(template)
    bad_rows(template, out, "台账.xlsx", rows, problems, SUMMARY)
    book = load_workbook(out)
    sheet = book[workbook.DATA_SHEET]
    assert [cell.value for cell in sheet[1]] == [column.heading for column in COLUMNS]
    assert [
        sheet.cell(2, index(name) + 1).value for name in ("器具名称", "出厂编号", "器具数量", "购置时间")
    ] == [
        "压力表",
        "00123",
        1,
        datetime(2024, 3, 15),
    ]
    assert [(sheet["A3"].data_type, sheet["A3"].value), sheet.cell(3, day + 1).value] == [
        ("s", "=1+1"),
        "去年",
    ]
    assert (
        red(sheet)
        == set(comments(sheet))
        == {sheet.cell(2, code + 1).coordinate, sheet.cell(3, day + 1).coordinate}
    )
    assert [cell.value for cell in book[SUMMARY_SHEET]["B"][6:]] == ["原文件中的行", 7, 9]
    assert len(sheet.data_validations.dataValidation) > 3


def test_nothing_of_the_servers_environment_reaches_the_process():
    assert not {"DATABASE_URL", "HOME"} & set(processes.ENVIRONMENT)


def test_the_sheet_an_import_leaves_aside_has_one_name():
    assert marking.SUMMARY_SHEET == "检查结果"
