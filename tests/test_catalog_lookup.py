"""What a cell means by a kind or a division, whether written as a code, a name or both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import divisions, kinds
from catalog.lookup import DivisionIndex, KindIndex, KnownDivision, KnownKind, Match

KINDS = KindIndex(KnownKind(each.code, each.name, each.category.name) for each in kinds.kinds())
DIVISIONS = DivisionIndex(KnownDivision(each.code, each.name) for each in divisions.divisions())
COMPLETE = [each.code for each in divisions.divisions() if divisions.is_complete(each.code)]
INCOMPLETE = [each.code for each in divisions.divisions() if not divisions.is_complete(each.code)]

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
spaces = st.text(" \u3000\u00a0\u200b\t", max_size=3)


# Kinds


@given(st.sampled_from(kinds.kinds()), spaces, spaces)
def test_every_kind_is_found_by_its_code_its_name_and_both(kind, before, after):
    for text in (kind.code, kind.code.translate(FULL_WIDTH), kind.name, KINDS.label(kind.code)):
        assert KINDS.find(before + text + after) == Match(kind.code)


@pytest.mark.parametrize(
    "text",
    [
        "指示类压力表,显示类压力表",
        "指示类 压力表、显示类 压力表",
        "91101指示类压力表、显示类压力表",
        "91101 - 指示类压力表、显示类压力表",
        "指示类压力表、显示类压力表（91101）",
        "压力仪表/指示类压力表、显示类压力表",
        "91101 压力仪表",
    ],
)
def test_a_kind_is_found_however_its_name_is_punctuated(text):
    assert KINDS.find(text) == Match("91101")


def test_a_sign_that_tells_two_kinds_apart_counts():
    assert KINDS.find("水表(dn≤25)") == Match("91301")
    assert KINDS.find("水表（25<DN≤50）") == Match("91302")


def test_a_category_is_answered_with_its_kinds():
    assert KINDS.find("水表") == Match(
        None, "“水表”是项别，请填写其中的种别：91301 水表（DN≤25）、91302 水表（25<DN≤50）"
    )
    assert KINDS.find("压力仪表").suggestion == "91101 指示类压力表、显示类压力表"


def test_a_code_and_a_name_of_another_kind_contradict_each_other():
    found = KINDS.find("91301 电能表")
    assert found.code is None
    assert found.problem == "代码 91301 是“水表（DN≤25）”，与“电能表”不一致，请改正其一"


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("91102", "91101 指示类压力表、显示类压力表"),
        ("91102x", "91101 指示类压力表、显示类压力表"),
        ("压力表", "91101 指示类压力表、显示类压力表"),
        ("一般压力表", "91101 指示类压力表、显示类压力表"),
        ("电能标", "91501 电能表"),
        ("随便", ""),
        ("（", ""),
    ],
)
def test_an_unknown_kind_is_answered_with_the_nearest(text, suggestion):
    found = KINDS.find(text)
    assert found.code is None and "《强检器具目录》中没有" in found.problem
    assert found.suggestion == suggestion


def test_a_retired_kind_leads_to_the_one_in_force():
    index = KindIndex(
        [
            KnownKind("101", "竹木直尺", "长度", True, "102"),
            KnownKind("102", "直尺", "长度", True, "103"),
            KnownKind("103", "量尺", "长度"),
            KnownKind("104", "套管尺", "长度", True),
        ]
    )
    assert index.find("101") == Match(None, "种别 101 竹木直尺 已停用，请改用 103 量尺", "103 量尺")
    assert "现行种别" in index.find("套管尺").problem
    assert index.find("长度").suggestion == "103 量尺"


def test_a_name_used_again_means_the_kind_in_force():
    index = KindIndex([KnownKind("1", "直尺", "长度", True), KnownKind("2", "直尺", "长度")])
    assert index.find("直尺") == Match("2")


def test_a_name_of_two_kinds_is_answered_with_both():
    index = KindIndex([KnownKind("11", "直尺", "长度"), KnownKind("21", "直尺", "其他")])
    assert index.find("直尺").problem == "“直尺”可指 2 个种别，请填写代码：11 直尺、21 直尺"
    assert index.find("其他 直尺") == Match("21")


# Divisions


@given(st.sampled_from(COMPLETE), spaces, spaces)
def test_every_division_is_found_by_its_code_its_full_name_and_both(code, before, after):
    texts = [code, code.translate(FULL_WIDTH), divisions.full_name(code), DIVISIONS.label(code)]
    texts += [f"{code} {divisions.find(code).name}", f"{code}000000"]
    for text in texts:
        assert DIVISIONS.find(before + text + after) == Match(code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("浙江省 杭州市 西湖区", "330106"),
        ("浙江-杭州-西湖区", "330106"),
        ("杭州西湖区", "330106"),
        ("浙江省西湖区", "330106"),
        ("余杭区", "330110"),
        ("北京市东城区", "110101"),
        ("北京市北京市东城区", "110101"),
        ("北京市市辖区东城区", "110101"),
        ("重庆市县城口县", "500229"),
        ("湖北省省直辖县级行政区划仙桃市", "429004"),
        ("广东省东莞市", "441900"),
        ("香港特别行政区", "810000"),
    ],
)
def test_a_division_is_found_by_any_name_that_is_unmistakable(text, code):
    assert DIVISIONS.find(text).code == code


def test_an_address_that_stops_early_is_told_to_go_on():
    for code in INCOMPLETE:
        found = DIVISIONS.find(code)
        assert found.code is None
        assert "请填写到区县一级" in found.problem


def test_a_name_of_several_divisions_is_answered_with_all():
    assert DIVISIONS.find("鼓楼区") == Match(
        None,
        "“鼓楼区”有 4 处，请填写代码或全称：320106 江苏省南京市鼓楼区、320302 江苏省徐州市鼓楼区、"
        "350102 福建省福州市鼓楼区、410204 河南省开封市鼓楼区",
    )
    assert " 等 5 个" not in DIVISIONS.find("鼓楼区").problem


def test_a_code_and_a_name_of_another_division_contradict_each_other():
    found = DIVISIONS.find("330106 拱墅区")
    assert found.problem == "代码 330106 是“浙江省杭州市西湖区”，与“拱墅区”不一致，请改正其一"


@pytest.mark.parametrize(
    ("text", "problem", "suggestion"),
    [
        ("浙江省杭州市西胡区", "没有“浙江省杭州市西胡区”", "330106 浙江省杭州市西湖区"),
        ("330199 浙江省杭州市西湖区", "不是现行的行政区划代码", "330106 浙江省杭州市西湖区"),
        ("33016", "应为六位数字，现为 5 位", "330106 浙江省杭州市西湖区"),
        ("330106001", "应为六位数字，现为 9 位", "330106 浙江省杭州市西湖区"),
        ("余杭", "没有“余杭”", "330110 浙江省杭州市余杭区"),
        ("月球背面", "没有“月球背面”", ""),
    ],
)
def test_an_unknown_division_is_answered_with_the_nearest(text, problem, suggestion):
    found = DIVISIONS.find(text)
    assert found.code is None and problem in found.problem
    assert found.suggestion == suggestion


def test_a_retired_division_leads_to_its_successor():
    index = DivisionIndex(
        [
            KnownDivision("330000", "浙江省"),
            KnownDivision("330100", "杭州市"),
            KnownDivision("330103", "下城区", True, "330105"),
            KnownDivision("330104", "江干区", True),
            KnownDivision("330105", "拱墅区"),
        ]
    )
    told = "行政区划 330103 浙江省杭州市下城区 已撤销，请改用 330105 浙江省杭州市拱墅区"
    for text in ("330103", "浙江省杭州市下城区", "下城区", "330103 下城区"):
        assert index.find(text) == Match(None, told, "330105 浙江省杭州市拱墅区")
    assert "请改用现行的行政区划" in index.find("江干区").problem


# Both


@pytest.mark.parametrize("text", ["", "  ", "\u3000", "\u200b"])
def test_an_empty_cell_is_asked_to_be_filled_in(text):
    assert KINDS.find(text).problem == "请填写“强检器具种别代码”"
    assert DIVISIONS.find(text).problem == "请填写“使用地点行政区划代码”"


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4,13}", fullmatch=True))
@pytest.mark.parametrize("index", [KINDS, DIVISIONS], ids=["kinds", "divisions"])
def test_a_cell_has_either_a_code_or_a_problem_and_every_suggestion_is_understood(index, text):
    found = index.find(text)
    assert (found.code is None) == bool(found.problem)
    if found.suggestion:
        assert index.find(found.suggestion).code == found.suggestion.split()[0]
        assert found.sentence == f"{found.problem}；最接近的是“{found.suggestion}”"


@pytest.mark.parametrize("index", [KINDS, DIVISIONS], ids=["kinds", "divisions"])
@pytest.mark.parametrize("text", ["x" * 40_000, "(" * 40_000, "1" * 40_000, "西湖区" * 20_000])
def test_a_cell_full_of_text_is_not_repeated_in_the_answer(index, text):
    assert len(index.find(text).problem) < 100
