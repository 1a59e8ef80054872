"""What was typed, checked field by field."""

from datetime import date, datetime

import pytest

from catalog import identifiers
from db.errors import Refused
from db.fields import Form
from db.models import Purpose


@pytest.fixture
def form():
    """A form nothing is wrong with yet."""
    return Form()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [(" 锅炉房 ", "锅炉房"), (None, ""), ("", ""), ("一\n二", "一\n二"), ("00123", "00123")],
)
def test_a_text_is_stored_without_the_spaces_around_it(form, typed, stored):
    assert form.text("location", "地点", typed, 10) == stored
    assert form.problems == {}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("锅" * 11, "“地点”最多 10 个字，现有 11 个"),
        ("锅\t炉", "“地点”含有不可见的控制字符，请重新输入"),
        ("锅\x00炉", "“地点”含有不可见的控制字符，请重新输入"),
        ("锅\u202e炉", "“地点”含有不可见的控制字符，请重新输入"),
        ("锅\ud800炉", "“地点”含有不可见的控制字符，请重新输入"),
        (37, "“地点”应为文字"),
        ([], "“地点”应为文字"),
        (" ", "请填写“地点”"),
        (None, "请填写“地点”"),
    ],
)
def test_a_wrong_text_is_told_in_one_sentence(form, typed, sentence):
    form.text("location", "地点", typed, 10, required=True)
    assert form.problems == {"location": sentence}


@pytest.mark.parametrize(
    "typed",
    [
        "王伟",
        "阿卜杜拉·买买提",
        "次仁・卓玛",
        "王 伟",
        "\U00030edd邦",
        "\U0003136f江",
        "〇秀",
        "Jean-Luc O'Neil Jr.",
        "Зоя",
    ],
)
def test_a_name_of_a_person_is_kept(form, typed):
    assert form.person("full_name", "姓名", f" {typed} ") == typed
    assert form.problems == {}


@pytest.mark.parametrize(
    "typed",
    [
        "【约检台】账号异常",
        "王伟，请打开",
        "http://evil",
        "王伟13800138000",
        "王_伟",
        "·伟",
        "王\n伟",
        "<b>",
        "😀",
    ],
)
def test_what_is_no_name_of_a_person_is_refused(form, typed):
    form.person("full_name", "姓名", typed)
    sentence = "“姓名”只能填写汉字、字母、空格、“·”、“.”、“-”和“'”，请改正"
    assert form.problems == {"full_name": sentence}


def test_an_identifier_is_cleaned_or_explained(form):
    assert form.identifier("mobile", identifiers.mobile, " +86 138 0013 8000") == "13800138000"
    assert form.identifier("other", identifiers.mobile, 13800138000) == ""
    assert list(form.problems) == ["other"]


def test_an_identifier_that_was_probably_mistyped_is_suggested(form):
    form.identifier("credit_code", identifiers.credit_code, "9111OOOO600037341L")
    assert form.suggestions == {"credit_code": "91110000600037341L"}
    assert list(form.problems) == ["credit_code"]


def test_a_choice_is_a_member_or_its_chinese_value(form):
    assert form.choice("purpose", "器具用途", Purpose, "贸易结算") is Purpose.trade_settlement
    assert form.choice("purpose", "器具用途", Purpose, Purpose.medical_care) is Purpose.medical_care


@pytest.mark.parametrize("typed", [None, "", "trade_settlement", "取暖", 1, []])
def test_a_wrong_choice_lists_the_right_ones(form, typed):
    assert form.choice("purpose", "器具用途", Purpose, typed) is None
    sentence = "请选择“器具用途”：贸易结算、安全防护、医疗卫生、环境监测"
    assert form.problems == {"purpose": sentence}


@pytest.mark.parametrize("typed", [date(1950, 1, 1), date(2099, 12, 31), None])
def test_a_day_may_be_empty_or_within_reason(form, typed):
    assert form.day("purchased_on", "购置时间", typed) == typed
    assert form.problems == {}


@pytest.mark.parametrize(
    "typed", [date(1949, 12, 31), date(2100, 1, 1), "2026-11-23", datetime(2026, 11, 23), 20261123]
)
def test_a_wrong_day_is_refused(form, typed):
    assert form.day("purchased_on", "购置时间", typed) is None
    assert list(form.problems) == ["purchased_on"]


def test_a_required_day_is_asked_for(form):
    form.day("verified_on", "检定日期", None, required=True)
    assert form.problems == {"verified_on": "请选择“检定日期”的日期"}


@pytest.mark.parametrize(("typed", "stored"), [(1, 1), (100, 100), (3.0, 3)])
def test_a_whole_number_within_its_limits_is_stored(form, typed, stored):
    assert form.number("quantity", "器具数量", typed, 1, 100) == stored
    assert form.problems == {}


@pytest.mark.parametrize("typed", [0, 101, 1.5, "3", None, True, float("nan"), float("inf")])
def test_any_other_number_is_refused(form, typed):
    form.number("quantity", "器具数量", typed, 1, 100)
    assert form.problems == {"quantity": "“器具数量”请填 1 至 100 的整数"}


def test_the_first_problem_of_a_field_stays(form):
    form.say("quantity", "第一")
    form.say("quantity", "第二")
    assert form.problems == {"quantity": "第一"}


def test_a_form_without_problems_is_done(form):
    assert form.done() is None


def test_everything_wrong_is_raised_together(form):
    form.say("name", "请填写“器具名称”")
    form.say("quantity", "“器具数量”请填 1 至 100 的整数")
    with pytest.raises(Refused) as refusal:
        form.done()
    assert str(refusal.value) == "请填写“器具名称”；“器具数量”请填 1 至 100 的整数"
    assert refusal.value.problems == form.problems
