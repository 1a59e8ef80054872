"""The headings of the template under the names and in the spellings that people give them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.columns import COLUMNS, EXTRAS, PLACES, SYSTEM_ID, match, renamed
from catalog.identifiers import fold

HEADINGS = [column.heading for column in COLUMNS]
NAMES = {column.heading: column.aliases for column in COLUMNS} | EXTRAS


def test_the_headings_of_the_template_stand_for_themselves():
    assert match(HEADINGS) == HEADINGS
    assert match(HEADINGS[::-1]) == HEADINGS[::-1]


def test_the_id_of_an_export_and_an_address_in_three_cells_are_known():
    assert match([SYSTEM_ID, *PLACES]) == [SYSTEM_ID, *PLACES]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("* 出厂编号", "出厂编号"),
        ("出厂编号＊", "出厂编号"),
        ("出厂编号（必填）", "出厂编号"),
        ("出厂\n编号", "出厂编号"),
        ("\u3000出 厂\u00a0编 号\u200b：", "出厂编号"),
        ("安装／使用地点", "安装/使用地点"),
        ("有效期至(YYYY-MM-DD)", "有效期至"),
        ("出厂号", "出厂编号"),
        ("制造单位", "生产厂家"),
        ("生产单位【全称】", "生产厂家"),
        ("规格型号", "型号规格"),
        ("使用地点", "安装/使用地点"),
        ("安装（使用）地点", "安装/使用地点"),
        ("种别代码", "强检器具种别代码"),
        ("器具种别", "强检器具种别代码"),
        ("行政区划", "使用地点行政区划代码"),
        ("数量（台）", "器具数量"),
        ("用途", "器具用途"),
        ("有效日期至", "有效期至"),
        ("县（区）", "区县"),
    ],
)
def test_other_spellings_and_names_are_understood(written, meant):
    assert match([written]) == [meant]


@pytest.mark.parametrize(
    "written", ["", "  ", "（必填）", "序号", "编号", "检定周期", "检定方式", "规格", "*"]
)
def test_an_unknown_heading_stands_for_nothing(written):
    assert match([written]) == [None]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["出厂编号（旧）", "出厂编号"], [None, "出厂编号"]),
        (["序列号", "出厂编号 "], [None, "出厂编号"]),
        (["序列号", "出厂号"], [None, "出厂编号"]),
        (["种别名称", "种别代码"], [None, "强检器具种别代码"]),
        (["备注", "备注"], ["备注", None]),
        (["使用地点", "使用地点行政区划"], ["安装/使用地点", "使用地点行政区划代码"]),
    ],
)
def test_of_two_headings_for_one_column_the_surer_wins(written, meant):
    assert match(written) == meant


def test_headings_under_another_name_are_told():
    written = ["出厂编号（必填）", " 安装／使用地点*", "名称", "x", "序列号"]
    fields = ["出厂编号", "安装/使用地点", "器具名称", None, "出厂编号"]
    assert renamed(written, fields) == [("名称", "器具名称"), ("序列号", "出厂编号")]
    assert renamed(HEADINGS, HEADINGS) == []


def test_no_name_stands_for_two_columns():
    names = Counter(name for heading, aliases in NAMES.items() for name in (heading, *aliases))
    assert names.most_common(1)[0][1] == 1


def test_every_alias_is_written_as_it_is_compared():
    for heading, aliases in NAMES.items():
        for alias in aliases:
            assert fold(alias) == alias
            assert match([alias]) == [heading]


@given(
    st.lists(st.sampled_from([*HEADINGS, "编号", "数量", " 备注*", "省份", "x", ""]) | st.text(max_size=9))
)
def test_no_two_headings_stand_for_the_same(headings):
    found = match(headings)
    assert len(found) == len(headings)
    assert max(Counter(name for name in found if name).values(), default=1) == 1
