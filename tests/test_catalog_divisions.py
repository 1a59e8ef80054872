"""Administrative divisions: the shipped list, its tree, and the arithmetic of its codes."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from catalog import divisions
from catalog.divisions import Division, Level
from catalog.files import CatalogError

CONNECTORS = ["110100", "120100", "310100", "419000", "429000", "469000", "500100", "500200", "659000"]
COMPLETE_ABOVE_COUNTY = ["441900", "442000", "460400", "620200", "710000", "810000", "820000"]


def names(members: tuple[Division, ...]) -> list[str]:
    return [division.name for division in members]


def test_the_shipped_list_has_every_row():
    levels = Counter(division.level for division in divisions.divisions())
    assert levels == {Level.province: 34, Level.prefecture: 342, Level.county: 2847}


def test_the_shipped_file_is_the_one_the_readme_describes():
    readme = (Path(divisions.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(divisions.PATH.read_bytes()).hexdigest() in readme


def test_the_sentence_on_screen_counts_right():
    connectors = [division.code for division in divisions.divisions() if divisions.is_connector(division)]
    assert connectors == CONNECTORS
    assert f"共 {len(divisions.divisions())} 条" in divisions.EDITION.note
    assert f"{len(connectors)} 条中间层级" in divisions.EDITION.note
    assert divisions.EDITION.dated_on.isoformat() == divisions.EDITION.name


def test_a_row_is_typed():
    assert divisions.find("330106") == Division("330106", "西湖区", Level.county, "330100")
    assert divisions.find("330000") == Division("330000", "浙江省", Level.province, None)
    assert divisions.find("330103") is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("330106", ("330106", "330100", "330000")),
        ("330100", ("330100", "330000")),
        ("330000", ("330000",)),
        ("429004", ("429004", "429000", "420000")),
        ("330103", ("330103", "330100", "330000")),
    ],
)
def test_a_code_names_itself_and_what_is_above_it(code, expected):
    assert divisions.parent_codes(code) == expected


def test_the_arithmetic_agrees_with_every_parent_in_the_file():
    for division in divisions.divisions():
        assert division.parent_code == next(iter(divisions.parent_codes(division.code)[1:]), None)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("330106", ("330106", "330106")),
        ("330100", ("330100", "330199")),
        ("330000", ("330000", "339999")),
        ("429000", ("429000", "429099")),
    ],
)
def test_bounds_enclose_the_subtree(code, expected):
    assert divisions.bounds(code) == expected


def test_bounds_hold_exactly_the_codes_below():
    for top in divisions.divisions():
        low, high = divisions.bounds(top.code)
        if top.level is Level.prefecture:
            inside = {each.code for each in divisions.divisions() if low <= each.code <= high}
            below = {each.code for each in divisions.divisions() if each.parent_code == top.code}
            assert inside == below | {top.code}


@pytest.mark.parametrize("code", ["", "33010", "3301060", "33010a", "３３０１０６", "030106", "330106\n"])
@pytest.mark.parametrize(
    "ask", [divisions.parent_codes, divisions.bounds, divisions.full_name, divisions.path]
)
def test_a_code_of_another_shape_is_refused(ask, code):
    with pytest.raises(CatalogError, match="应为六位数字"):
        ask(code)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("330106", "浙江省杭州市西湖区"),
        ("330100", "浙江省杭州市"),
        ("330000", "浙江省"),
        ("110101", "北京市东城区"),
        ("500229", "重庆市城口县"),
        ("429004", "湖北省仙桃市"),
        ("659001", "新疆维吾尔自治区石河子市"),
        ("441900", "广东省东莞市"),
        ("810000", "香港特别行政区"),
        ("110100", "北京市"),
    ],
)
def test_a_full_name_reads_like_an_address(code, expected):
    assert divisions.full_name(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("330103", "浙江省杭州市（330103）"), ("110199", "北京市（110199）"), ("990101", "未知区划（990101）")],
)
def test_a_code_that_is_gone_stays_readable(code, expected):
    assert divisions.full_name(code) == expected


def test_no_full_name_stands_for_two_places():
    complete = [each.code for each in divisions.divisions() if divisions.is_complete(each.code)]
    assert len({divisions.full_name(code) for code in complete}) == len(complete)


def test_a_municipality_offers_its_districts_directly():
    assert names(divisions.children("110000"))[:2] == ["东城区", "西城区"]
    assert len(divisions.children("110000")) == 16
    assert names(divisions.children("500000"))[-1] == "彭水苗族土家族自治县"
    assert len(divisions.children("500000")) == 25 + 12


def test_a_province_offers_its_prefectures_and_the_counties_directly_under_it():
    offered = divisions.children("420000")
    assert Counter(division.level for division in offered) == {Level.prefecture: 13, Level.county: 4}
    assert names(offered)[-4:] == ["仙桃市", "潜江市", "天门市", "神农架林区"]


def test_the_cascade_begins_with_the_provinces_and_ends_at_a_county():
    assert len(divisions.children(None)) == 34
    assert divisions.children("330106") == ()
    assert divisions.children("990000") == ()


def test_the_cascade_reaches_every_division_but_the_connectors_once():
    def walk(code: str | None) -> list[str]:
        return [found for child in divisions.children(code) for found in [child.code, *walk(child.code)]]

    everything = {division.code for division in divisions.divisions()}
    reached = walk(None)
    assert len(reached) == len(set(reached))
    assert set(reached) == everything - set(CONNECTORS)


def test_the_path_gives_the_choices_of_the_cascade():
    assert [division.code for division in divisions.path("110101")] == ["110000", "110101"]
    assert [division.code for division in divisions.path("330106")] == ["330000", "330100", "330106"]


def test_an_address_may_stop_where_its_branch_ends():
    complete = [each for each in divisions.divisions() if divisions.is_complete(each.code)]
    assert [each.code for each in complete if each.level is not Level.county] == COMPLETE_ABOVE_COUNTY
    assert Counter(each.level for each in complete)[Level.county] == 2847


@pytest.mark.parametrize("code", ["330000", "330100", "110000", "110100", "659000", "330103", "", "杭州"])
def test_an_address_may_not_stop_halfway_or_nowhere(code):
    assert not divisions.is_complete(code)


GOOD = "code,name,level,parent_code\n330000,浙江省,province,\n330100,杭州市,prefecture,330000\n"


def test_a_file_may_be_read_from_elsewhere(tmp_path):
    path = tmp_path / "divisions.csv"
    path.write_text(GOOD, encoding="utf-8")
    assert names(divisions.read_divisions(path)) == ["浙江省", "杭州市"]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("33010,西湖区,county,330100", "代码 33010 不是六位数字"),
        ("330100,杭州市,prefecture,330000", "代码 330100 重复或未按顺序排列"),
        ("330106,,county,330100", "代码 330106 缺少名称"),
        ("330106,西湖区,prefecture,330100", "代码 330106 的层级应为 county"),
        ("330106,西湖区,township,330100", "代码 330106 的层级应为 county"),
        ("330106,西湖区,county,330000", "代码 330106 的上级应为 330100"),
        ("340000,安徽省,province,330000", "代码 340000 的上级应为 空"),
        ("330206,北仑区,county,330200", "代码 330206 的上级 330200 不在表中"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path, row, fault):
    path = tmp_path / "divisions.csv"
    path.write_text(GOOD + row + "\n", encoding="utf-8")
    with pytest.raises(CatalogError) as refused:
        divisions.read_divisions(path)
    assert str(refused.value) == f"divisions.csv 第 4 行：{fault}"
