"""The import template as a program reads it back, and the command that writes it."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from catalog import divisions, kinds, list_books, lists, workbook
from catalog.__main__ import main
from catalog.files import Edition
from catalog.lookup import DivisionIndex, KindIndex, KnownDivision, KnownKind

HEADINGS = [
    "器具名称",
    "器具类型",
    "强检器具种别代码",
    "型号规格",
    "测量范围",
    "准确度等级",
    "出厂编号",
    "生产厂家",
    "器具产地",
    "使用地点行政区划代码",
    "安装/使用地点",
    "购置时间",
    "器具数量",
    "器具用途",
    "送检方式",
    "有效期至",
    "备注",
]
REQUIRED = [
    "器具名称",
    "强检器具种别代码",
    "出厂编号",
    "生产厂家",
    "使用地点行政区划代码",
    "器具用途",
    "送检方式",
]


@pytest.fixture(scope="module")
def book():
    return load_workbook(io.BytesIO(workbook.template_bytes()))


@pytest.fixture(scope="module")
def sheet(book):
    return book["器具信息"]


def heads(sheet) -> dict[str, object]:
    return {cell.value: cell for cell in sheet[1]}


def rule(sheet, heading: str):
    """The validation of the column under `heading`."""
    letter = heads(sheet)[heading].column_letter
    return next(each for each in sheet.data_validations.dataValidation if f"{letter}2" in each.sqref)


def test_the_template_opens_on_the_sheet_to_fill_in(book):
    assert book.sheetnames == ["器具信息", "填写说明", "强检器具目录", "行政区划信息", "下拉列表"]
    assert [sheet.title for sheet in book if sheet.sheet_state != "visible"] == ["下拉列表"]
    assert book.active.title == "器具信息"


def test_the_headings_are_the_ledgers_own(sheet):
    assert list(heads(sheet)) == HEADINGS
    assert sheet.max_row == 1
    assert sheet.freeze_panes == "B2"


def test_required_columns_show_a_star_and_another_color(sheet):
    starred = [name for name, cell in heads(sheet).items() if cell.number_format == '"* "@']
    assert starred == REQUIRED
    colors = {name: cell.fill.fgColor.rgb for name, cell in heads(sheet).items()}
    assert {colors[name] for name in REQUIRED}.isdisjoint(
        {colors[name] for name in HEADINGS if name not in REQUIRED}
    )


def test_every_column_says_in_words_whether_it_is_required(sheet):
    for name in HEADINGS:
        assert rule(sheet, name).promptTitle == f"{name}（{'必填' if name in REQUIRED else '选填'}）"
        assert rule(sheet, name).prompt


@pytest.mark.parametrize(
    "name", ["强检器具种别代码", "出厂编号", "使用地点行政区划代码", "准确度等级", "型号规格"]
)
def test_codes_and_numbers_of_a_plate_are_text_so_that_zeros_stay(sheet, name):
    assert sheet.column_dimensions[heads(sheet)[name].column_letter].number_format == "@"


@pytest.mark.parametrize("name", ["购置时间", "有效期至"])
def test_days_are_dates(sheet, name):
    assert sheet.column_dimensions[heads(sheet)[name].column_letter].number_format == "yyyy-mm-dd"
    assert rule(sheet, name).type == "date"


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("器具类型", "工作计量器具,计量标准器具"),
        ("器具产地", "国产,进口"),
        ("器具用途", "贸易结算,安全防护,医疗卫生,环境监测"),
        ("送检方式", "送检,现场检"),
    ],
)
def test_closed_lists_are_drop_downs(sheet, name, choices):
    assert rule(sheet, name).formula1 == f'"{choices}"'
    assert not rule(sheet, name).showDropDown


def test_the_rules_hold_on_every_row_a_sheet_can_have(sheet):
    for each in sheet.data_validations.dataValidation:
        assert [(area.min_row, area.max_row) for area in each.sqref.ranges] == [(2, 1_048_576)]


def test_the_rules_keep_to_what_excel_allows(book, sheet):
    for each in sheet.data_validations.dataValidation:
        assert len(each.formula1 or "") <= 255
        assert len(each.promptTitle) <= 32 and len(each.prompt) <= 255
        assert len(each.errorTitle) <= 32 and len(each.error) <= 225
    for name, defined in book.defined_names.items():
        assert re.fullmatch(r"[a-z]+_[a-z]+", name)
        assert all(area for _, area in defined.destinations)
    assert all(len(name) <= 31 for name in book.sheetnames)


def listed(book, name: str) -> list[tuple]:
    """The rows of the area that a defined name stands for."""
    [(title, area)] = book.defined_names[name].destinations
    return [tuple(cell.value for cell in row) for row in book[title][area]]


def test_the_kind_drops_down_by_code_and_name_and_may_be_typed_too(book, sheet):
    assert rule(sheet, "强检器具种别代码").formula1 == "kind_list"
    assert not rule(sheet, "强检器具种别代码").showErrorMessage
    entries = [text for (text,) in listed(book, "kind_list")]
    assert entries == [f"{kind.code} {kind.name}" for kind in kinds.kinds()]


def offered(book, typed: str = "") -> list[str]:
    """What the division's list offers below a cell that says `typed`, by the hidden sheet."""
    index = {code: (start, count) for code, start, count in listed(book, "division_index")}
    start, count = index.get(typed[:6], (0, 34))
    return [text for (text,) in listed(book, "division_list")[start : start + count]]


def test_the_division_drops_down_level_by_level(book):
    assert offered(book)[:2] == ["110000 北京市 ›", "120000 天津市 ›"]
    assert offered(book)[-3:] == ["710000 台湾省", "810000 香港特别行政区", "820000 澳门特别行政区"]
    assert offered(book, "330000 浙江省 ›")[0] == "330100 杭州市 ›"
    assert "330106 西湖区" in offered(book, "330100 杭州市 ›")


def test_a_finished_choice_drops_down_its_siblings(book):
    assert offered(book, "330106 西湖区") == offered(book, "330100")
    assert offered(book, "710000 台湾省") == offered(book)


def test_no_one_has_to_choose_what_only_connects(book):
    assert offered(book, "110000")[0] == "110101 东城区"
    assert "429004 仙桃市" in offered(book, "420000")
    assert "441900 东莞市" in offered(book, "440000")
    assert not [text for (text,) in listed(book, "division_list") if "市辖区" in text or "直辖县" in text]


def test_every_address_can_be_reached_from_the_provinces_and_is_understood(book):
    index = DivisionIndex(KnownDivision(each.code, each.name) for each in divisions.divisions())
    reached, waiting = [], offered(book)
    while waiting:
        text = waiting.pop()
        if text.endswith("›"):
            assert "区县一级" in index.find(text).problem
            waiting += offered(book, text)
        else:
            reached.append(index.find(text).code)
    assert sorted(reached) == [
        each.code for each in divisions.divisions() if divisions.is_complete(each.code)
    ]


def test_every_kind_of_the_list_is_understood(book):
    index = KindIndex(KnownKind(each.code, each.name, each.category.name) for each in kinds.kinds())
    for (text,) in listed(book, "kind_list"):
        assert index.find(text).code == text.split()[0]


def test_an_unfinished_division_is_marked(sheet):
    letter = heads(sheet)["使用地点行政区划代码"].column_letter
    [(area, marked)] = [(str(each.sqref), each.rules) for each in sheet.conditional_formatting]
    assert area == f"{letter}2:{letter}1048576"
    assert marked[0].formula == [f'RIGHT(${letter}2,1)="›"']


def test_another_edition_of_the_lists_is_shown_where_one_is_in_force():
    mine = lists.Lists(
        kinds=kinds.kinds()[:2],
        divisions=[each for each in divisions.divisions() if each.code[:2] in ("33", "71")],
        kind_edition=Edition("官方目录", None, "官方的说明"),
        division_edition=Edition("2027-01-01", None, "区划的说明"),
    )
    made = workbook.template(mine)
    assert made["填写说明"]["B2"].value == "模板 2 · 目录 官方目录 · 行政区划 2027-01-01"
    assert made["强检器具目录"]["A1"].value == "官方的说明"
    assert made["强检器具目录"].max_row == 4
    assert listed(made, "kind_list") == [("90101 体温计",), ("90201 非自动衡器",)]
    assert listed(made, "division_list")[:2] == [("330000 浙江省 ›",), ("710000 台湾省",)]
    assert rule(made["器具信息"], "使用地点行政区划代码").formula1.endswith(",2),1)")


def test_the_lists_are_also_workbooks_of_their_own(book):
    for name, made in (
        ("强检器具目录", list_books.kind_book(lists.shipped())),
        ("行政区划信息", list_books.division_book(lists.shipped())),
    ):
        assert made.sheetnames == [name]
        assert list(made[name].values) == list(book[name].values)


def test_the_catalog_sheet_says_what_it_is_and_leaves_empty_cells_empty(book):
    rows = list(book["强检器具目录"].values)
    assert rows[0][0] == kinds.EDITION.note
    assert rows[1][:4] == ("种别代码", "项别代码", "器具项别", "器具种别")
    listed = {row[0]: row for row in rows[2:]}
    assert listed["91101"][4:6] == (None, "周期检定")
    assert listed["91101"][7:] == (6, None, "JJG 52-2013")
    assert listed["90701"] == ("90701", "907", "声级计", "声级计", None, None, None, None, None, None)


def test_the_division_sheet_lists_exactly_the_codes_an_address_may_have(book):
    rows = list(book["行政区划信息"].values)
    assert rows[0][0] == divisions.EDITION.note
    listed = {row[0]: row[1:] for row in rows[2:]}
    assert len(listed) == len(rows) - 2
    assert set(listed) == {each.code for each in divisions.divisions() if divisions.is_complete(each.code)}
    assert listed["330106"] == ("浙江省杭州市西湖区", "浙江省", "杭州市", "西湖区")
    assert listed["110101"] == ("北京市东城区", "北京市", None, "东城区")
    assert listed["441900"] == ("广东省东莞市", "广东省", "东莞市", None)


def explanations(book) -> list[tuple]:
    """The rows of the guide's table."""
    rows = list(book["填写说明"].values)
    return rows[[row[0] for row in rows].index("列名") + 1 :]


def test_the_guide_explains_every_column_and_carries_the_stamp(book):
    rows = list(book["填写说明"].values)
    assert rows[1][:2] == ("版本", lists.shipped().stamp)
    explained = {row[0]: row[1] for row in explanations(book)}
    assert list(explained) == HEADINGS
    assert [name for name, need in explained.items() if need == "必填"] == REQUIRED


def test_the_examples_of_the_guide_would_pass(book):
    examples = {row[0]: row[3] for row in explanations(book)}
    assert kinds.find(examples["强检器具种别代码"]).category.name == "压力仪表"
    assert divisions.is_complete(examples["使用地点行政区划代码"])


def test_the_stamp_also_travels_as_a_property_of_the_file(book):
    assert book.custom_doc_props["edition"].value == lists.shipped().stamp
    assert kinds.EDITION.name in lists.shipped().stamp and divisions.EDITION.name in lists.shipped().stamp


def test_no_cell_is_a_formula(book):
    assert not [cell.coordinate for sheet in book for row in sheet for cell in row if cell.data_type == "f"]


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "catalog", *map(str, arguments)],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_command_writes_the_template(tmp_path):
    out = tmp_path / "导入模板.xlsx"
    done = run("template", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"已写入 {out}\n", "")
    assert load_workbook(out, read_only=True).sheetnames[0] == "器具信息"


def test_the_command_writes_the_two_lists(tmp_path):
    done = run("lists", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("强检器具目录", "行政区划信息"):
        assert f"已写入 {tmp_path / name}.xlsx\n" in done.stdout
        assert load_workbook(tmp_path / f"{name}.xlsx", read_only=True).sheetnames == [name]


def test_the_lists_are_not_written_where_there_is_no_folder(tmp_path, capsys):
    assert main(["lists", str(tmp_path / "absent")]) == 2
    assert capsys.readouterr().err.startswith("文件夹不存在，请先建立")


def test_the_command_survives_a_terminal_that_cannot_show_chinese(tmp_path):
    assert run("template", tmp_path / "t.xlsx", PYTHONIOENCODING="ascii").returncode == 0
    assert run("template", tmp_path / "t.xls", PYTHONIOENCODING="ascii").returncode == 2


def test_help_is_given_for_the_command_and_its_parts():
    assert "template" in run("--help").stdout
    asked = run("template", "--help")
    assert asked.returncode == 0 and "OUT.xlsx" in asked.stdout


@pytest.mark.parametrize(
    "arguments", [[], ["temple", "x.xlsx"], ["template"], ["template", "--fast", "x.xlsx"]]
)
def test_a_command_that_is_not_one_is_refused_in_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert capsys.readouterr().err == "命令不完整或写错，请用 python -m catalog --help 查看用法\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("t.xls", "文件名应以 .xlsx 结尾"),
        ("absent/t.xlsx", "文件夹不存在"),
        ("file.txt/t.xlsx", "文件夹不存在"),
        ("folder.xlsx", "这是一个文件夹"),
        ("长" * 300 + ".xlsx", "无法写入"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_in_one_line(tmp_path, capsys, name, told):
    (tmp_path / "folder.xlsx").mkdir()
    (tmp_path / "file.txt").touch()
    assert main(["template", str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(told)


def test_a_file_that_another_program_holds_open_is_refused(tmp_path, monkeypatch, capsys):
    def locked(*_: object) -> None:
        raise PermissionError(13, "locked")

    monkeypatch.setattr(Path, "write_bytes", locked)
    assert main(["template", str(tmp_path / "t.xlsx")]) == 2
    assert "关闭正打开它的程序" in capsys.readouterr().err
