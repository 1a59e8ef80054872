"""The import template after someone has filled it in with LibreOffice."""

from datetime import datetime

import pytest
from openpyxl import load_workbook

from catalog import drop_downs, workbook
from catalog.columns import COLUMNS, match
from catalog.lists import shipped
from tests import office

# LibreOffice is started for every workbook.
pytestmark = pytest.mark.slow

FILLED = {
    "器具名称": "压力表",
    "器具类型": "工作计量器具",
    "强检器具种别代码": "91101 指示类压力表、显示类压力表",
    "型号规格": "(0-1) MPa",
    "测量范围": "(0-1) MPa",
    "准确度等级": "1.6",
    "出厂编号": "00123",
    "生产厂家": "上海银普仪表有限公司",
    "器具产地": "国产",
    "使用地点行政区划代码": "330106 西湖区",
    "安装/使用地点": "锅炉房",
    "购置时间": datetime(2024, 3, 15),
    "器具数量": 1,
    "器具用途": "安全防护",
    "送检方式": "送检",
    "有效期至": datetime(2027, 3, 14),
    "备注": "二号\n锅炉",
}
# What is in the cell of the division, and what its list then offers: how many, the first, the last.
CASCADE = [
    (None, 34, "110000 北京市 ›", "820000 澳门特别行政区"),
    ("330000 浙江省 ›", 11, "330100 杭州市 ›", "331100 丽水市 ›"),
    ("330100 杭州市 ›", 13, "330102 上城区", "330182 建德市"),
    ("330106 西湖区", 13, "330102 上城区", "330182 建德市"),
    ("330106", 13, "330102 上城区", "330182 建德市"),
    ("110000 北京市 ›", 16, "110101 东城区", "110119 延庆区"),
    ("420000 湖北省 ›", 17, "420100 武汉市 ›", "429021 神农架林区"),
    ("乱写", 34, "110000 北京市 ›", "820000 澳门特别行政区"),
]
PLACE = [column.heading for column in COLUMNS].index("使用地点行政区划代码") + 1
PROBE = "试算"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The template with one instrument at the top and one far down, and the cascade's formula on a sheet."""
    book = workbook.template()
    sheet = book["器具信息"]
    for row in (2, 3000):
        for column, value in enumerate(FILLED.values(), start=1):
            sheet.cell(row, column, value)
    probe = book.create_sheet(PROBE)
    for row, (typed, *_) in enumerate(CASCADE, start=1):
        offered = drop_downs.division_formula(f"$A{row}", 34)
        probe.append(
            [typed, f"=ROWS({offered})", f"=INDEX({offered},1)", f"=INDEX({offered},ROWS({offered}))"]
        )
    path = tmp_path_factory.mktemp("template") / "filled.xlsx"
    book.save(path)
    return path


@pytest.fixture(scope="module")
def as_xlsx(filled):
    return office.saved(filled, "xlsx", filled.parent / "xlsx")


@pytest.fixture(scope="module")
def as_ods(filled):
    """Saved as .ods and from there as .xlsx again, to be read."""
    path = office.saved(filled, "ods", filled.parent / "ods")
    return office.saved(path, "xlsx", filled.parent / "back")


@pytest.fixture(scope="module", params=["as_xlsx", "as_ods"])
def book(request):
    return load_workbook(request.getfixturevalue(request.param), data_only=True)


def test_what_was_filled_in_is_still_there_with_its_zeros_and_days(book):
    rows = list(book["器具信息"].iter_rows(max_col=len(COLUMNS), values_only=True))
    assert match(rows[0]) == list(FILLED)
    assert rows[1] == tuple(FILLED.values())
    assert rows[2999] == tuple(FILLED.values())
    assert not any(any(row) for row in rows[2:2999])


def test_the_lists_stay_hidden_and_the_stamp_stays(book):
    assert {sheet.title: sheet.sheet_state for sheet in book} == {
        "器具信息": "visible",
        "填写说明": "visible",
        "强检器具目录": "visible",
        "行政区划信息": "visible",
        "下拉列表": "hidden",
        PROBE: "visible",
    }
    assert book["填写说明"]["B2"].value == shipped().stamp
    assert book.custom_doc_props["edition"].value == shipped().stamp


def test_the_drop_downs_are_still_there_beyond_the_last_row_filled_in(book):
    sheet = book["器具信息"]
    lists = [each for each in sheet.data_validations.dataValidation if each.type == "list"]
    letters = {area.coord.split(":")[0] for each in lists for area in each.sqref.ranges}
    assert letters == {"B2", "C2", "I2", "J2", "N2", "O2"}
    assert all(area.max_row > 3000 for each in lists for area in each.sqref.ranges)
    assert not any(each.showDropDown for each in lists)
    division = next(each for each in lists if "J2" in each.sqref)
    assert division.formula1.startswith("OFFSET(division_list,IFERROR(VLOOKUP(LEFT($J2,6),division_index,2,")
    assert set(book.defined_names) >= {"kind_list", "division_list", "division_index"}


def test_the_cascade_offers_what_lies_below(book):
    assert list(book[PROBE].values) == CASCADE
