"""The two lists read back: as we write them, as others do, and what is wrong in a row."""

import pytest

from catalog import list_books, list_files, lists
from catalog.divisions import divisions, full_name
from catalog.kinds import kinds
from catalog.reading import Unreadable

KINDS = (
    "种别代码,项别代码,器具项别,器具种别,监管方式,检定方式,强检范围及说明,检定周期（月）,检定规程,后继代码\n"
)
GAUGE = "91101,911,压力仪表,压力表,强制检定,周期检定,安全防护,6,JJG 52-2013,\n"


def kind_file(tmp_path, *rows, headings=KINDS):
    path = tmp_path / "list"
    path.write_text(headings + "".join(rows), encoding="utf-8")
    return list_files.read_kinds(path, "目录.csv")


def division_file(tmp_path, text):
    path = tmp_path / "list"
    path.write_text(text, encoding="utf-8")
    return list_files.read_divisions(path, "区划.csv")


def test_our_own_catalog_is_read_back_as_it_is(tmp_path):
    path = tmp_path / "kinds.xlsx"
    path.write_bytes(list_books.content(list_books.kind_book(lists.shipped())))
    found = list_files.read_kinds(path, path.name)
    assert found.problems == [] and list(found.rows) == [kind.code for kind in kinds()]
    for kind in kinds():
        row = found.rows[kind.code]
        assert (row["category_code"], row["category"], row["name"], row["supervision"]) == (
            kind.category.code,
            kind.category.name,
            kind.name,
            kind.supervision,
        )
        assert row["verification_mode"] == (kind.verification_mode and kind.verification_mode.name)
        assert (row["interval_months"], row["scope"]) == (kind.interval_months, kind.scope)


def test_our_own_divisions_are_read_back_with_all_that_is_above_them(tmp_path):
    path = tmp_path / "divisions.xlsx"
    path.write_bytes(list_books.content(list_books.division_book(lists.shipped())))
    found = list_files.read_divisions(path, path.name)
    assert found.problems == []
    read = [(row["code"], row["name"], row["level"], row["parent_code"]) for row in found.rows.values()]
    assert read == [(one.code, one.name, one.level.name, one.parent_code) for one in divisions()]
    assert all(row["full_name"] == full_name(code) for code, row in found.rows.items())


def test_other_names_of_the_columns_and_months_with_their_unit_are_understood(tmp_path):
    found = kind_file(tmp_path, "10101,压力仪表,压力表,12 个月\n", headings="编码,项别,种别名称,检定周期\n")
    assert found.problems == []
    row = found.rows["10101"]
    assert (row["category_code"], row["category"], row["interval_months"]) == ("101", "压力仪表", 12)


def test_a_list_of_names_and_codes_alone_is_enough_for_divisions(tmp_path):
    text = (
        "行政区划代码,单位名称\n330000,浙江省\n330100,杭州市\n330106,西湖区\n110000,北京市\n110101,东城区\n"
    )
    found = division_file(tmp_path, text)
    assert found.problems == []
    assert found.rows["330106"]["full_name"] == "浙江省杭州市西湖区"
    assert found.rows["110101"]["parent_code"] == "110100"
    assert found.rows["110100"]["name"] == "市辖区"


def test_a_row_with_a_successor_is_a_code_no_longer_in_force(tmp_path):
    found = kind_file(tmp_path, GAUGE, "91100,911,压力仪表,旧压力表,,,,,,91101\n")
    assert found.successors == {"91100": "91101"}
    assert list(found.rows) == ["91101"]


@pytest.mark.parametrize(
    ("row", "heading", "sentence"),
    [
        ("9110A,911,压力仪表,压力表,,,,,,\n", "种别代码", "2 至 12 位数字"),
        ("91101,911,压力仪表,压力表,,,,,,\n", "种别代码", "前面已经出现过"),
        ("91102,911,,压力表,,,,,,\n", "器具项别", "不能为空"),
        ("91102,911,天平,天平,,,,,,\n", "器具项别", "请统一"),
        ("91102,911,压力仪表,压力表,抽查,,,,,\n", "监管方式", "型式批准"),
        ("91102,911,压力仪表,压力表,,,,半年,,\n", "检定周期（月）", "1 至 600"),
        ("91102,911,压力仪表,压力表,,,,0,,\n", "检定周期（月）", "1 至 600"),
        (f"91102,911,压力仪表,{'表' * 201},,,,,,\n", "器具种别", "最多 200 个字"),
    ],
)
def test_what_is_wrong_is_said_row_by_row(tmp_path, row, heading, sentence):
    found = kind_file(tmp_path, GAUGE, row)
    (problem,) = found.problems
    assert (problem.row, problem.heading) == (3, heading)
    assert sentence in problem.sentence


def test_years_are_not_taken_for_months(tmp_path):
    found = kind_file(tmp_path, "91101,压力仪表,压力表,1\n", headings="代码,项别,种别,检定周期（年）\n")
    assert "换算成月" in found.problems[0].sentence


def test_a_division_without_the_one_above_it_is_a_problem(tmp_path):
    found = division_file(tmp_path, "代码,名称\n330000,浙江省\n330106,西湖区\n")
    assert "上级 330100 不在文件中" in found.problems[0].sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("姓名,电话,地址\n沈越,1,2\n", "没有找到列"), ("种别代码,器具项别,器具种别\n", "没有任何一行")],
)
def test_a_file_that_is_no_such_list_is_refused(tmp_path, text, sentence):
    path = tmp_path / "list"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable, match=sentence):
        list_files.read_kinds(path, "目录.csv")
