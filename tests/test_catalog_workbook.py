"""The import template as a program reads it back, and the command that writes it."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from catalog import divisions, kinds, workbook
from catalog.__main__ import main

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
    assert book.sheetnames == ["器具信息", "填写说明", "强检器具目录", "行政区划信息"]
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
        ("器具产地", "国产,进口"),
        ("器具用途", "贸易结算,安全防护,医疗卫生,环境监测"),
        ("送检方式", "送检,现场检"),
    ],
)
def test_closed_lists_are_drop_downs(sheet, name, choices):
    assert rule(sheet, name).formula1 == f'"{choices}"'
    assert not rule(sheet, name).showDropDown


def test_the_kind_code_drops_down_exactly_the_codes_of_the_catalog_sheet(book, sheet):
    place = rule(sheet, "强检器具种别代码").formula1
    assert place == "'强检器具目录'!$A$3:$A$31"
    cells = book["强检器具目录"][place.split("!")[1].replace("$", "")]
    assert [row[0].value for row in cells] == [kind.code for kind in kinds.kinds()]


def test_the_rules_hold_for_5000_instruments(sheet):
    for each in sheet.data_validations.dataValidation:
        assert [area.max_row for area in each.sqref.ranges] == [5001]


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


def test_the_guide_explains_every_column_and_carries_the_stamp(book):
    rows = list(book["填写说明"].values)
    assert rows[1][:2] == ("版本", workbook.stamp())
    explained = {row[0]: row[1] for row in rows[8:]}
    assert list(explained) == HEADINGS
    assert [name for name, need in explained.items() if need == "必填"] == REQUIRED


def test_the_examples_of_the_guide_would_pass(book):
    examples = {row[0]: row[3] for row in list(book["填写说明"].values)[8:]}
    assert kinds.find(examples["强检器具种别代码"]).category.name == "压力仪表"
    assert divisions.is_complete(examples["使用地点行政区划代码"])


def test_the_stamp_also_travels_as_a_property_of_the_file(book):
    assert book.custom_doc_props["edition"].value == workbook.stamp()
    assert kinds.EDITION.name in workbook.stamp() and divisions.EDITION.name in workbook.stamp()


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
