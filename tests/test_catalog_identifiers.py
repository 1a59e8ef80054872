"""Credit codes, organization codes and telephone numbers: what passes, and what a visitor is told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from catalog import identifiers
from catalog.identifiers import (
    CREDIT_ALPHABET,
    IdentifierError,
    credit_check_character,
    credit_code,
    enterprise_code,
    fold,
    mobile,
    organization_check_character,
    organization_code,
    telephone,
)

# Codes of well-known bodies as printed in public material; Σ mod 31 is 0 in the third.
REAL_CODES = [
    "91110000600037341L",
    "91110108551385082Q",
    "913534391706690730",
    "914403001922038216",
    "9144030071526726XG",
    "91440300192317458F",
    "91110000802100433B",
    "12100000400000624D",
    "911100006000650192",
    "91330108MA27Y5XH5G",
    "91310115MA1K427762",
    "91350206MA2XN2XQ4A",
    "91340111MA2RAD3M4R",
]

digits = st.text("0123456789", min_size=7, max_size=7)


@st.composite
def credit_codes(draw, first: str = "0123456789ANY") -> str:
    body = (
        draw(st.sampled_from(first)) + draw(digits) + draw(st.text(CREDIT_ALPHABET, min_size=9, max_size=9))
    )
    return body + credit_check_character(body)


def refusal(check, text: str) -> str:
    with pytest.raises(IdentifierError) as refused:
        check(text)
    return str(refused.value)


def test_folding_makes_alike_what_looks_alike():
    assert fold("\ufeff　ＨＹ３７\u200b\u00a0") == "HY37"
    assert fold("a\u200d\u00a0b\u202c") == "a b"
    assert fold(" \u200b ") == ""
    assert fold("e\u200d\u0301") == "é"


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("code", REAL_CODES)
def test_a_real_credit_code_passes(code):
    assert credit_code(code) == code


@pytest.mark.parametrize("code", REAL_CODES)
def test_the_organization_code_inside_a_real_credit_code_passes(code):
    assert organization_code(code[8:17]) == f"{code[8:16]}-{code[16]}"


@pytest.mark.parametrize(
    "typed",
    [
        "91110000600037341l",
        " 9111 0000 6000 3734 1L\n",
        "911100-00-60003734-1L",
        "９１１１００００６０００３７３４１Ｌ",
        "\ufeff91110000\u200b600037341L",
        "91110000\u3000600037341L\u00a0",
        "91110000—600037341L",
    ],
)
def test_the_way_of_writing_a_credit_code_does_not_matter(typed):
    assert credit_code(typed) == "91110000600037341L"


@pytest.mark.parametrize("first", ["N2", "A1", "Y1"])
def test_a_first_letter_of_village_collectives_and_others_is_legal(first):
    body = f"{first}330106MF1234567"
    code = body + credit_check_character(body)
    assert credit_code(code) == code
    assert not uscc.is_valid(code)


@pytest.mark.parametrize("length", [15, 17, 19])
def test_a_credit_code_of_another_length_is_told_both_lengths(length):
    typed = "91110000600037341LX"[:length]
    assert (
        refusal(credit_code, typed) == f"统一社会信用代码应为 18 位，现为 {length} 位，请补全或删去多余字符"
    )


@pytest.mark.parametrize(("letter", "digit"), [("I", "1"), ("O", "0"), ("S", "5"), ("Z", "2")])
def test_a_letter_that_is_not_used_is_told_its_likely_digit(letter, digit):
    message = refusal(credit_code, f"911100006000373{letter}1L")
    assert message.startswith(f"统一社会信用代码第 16 位是“{letter}”，而代码中不用字母 I、O、S、V、Z")
    assert f"可能应为数字 {digit}" in message


def test_the_letter_v_is_refused_without_a_guess():
    assert "可能应为" not in refusal(credit_code, "9111000060003734VL")


def test_the_repaired_code_is_offered_only_if_it_holds():
    with pytest.raises(IdentifierError) as refused:
        credit_code("9111OOOO600037341L")
    assert refused.value.suggestion == "91110000600037341L"
    with pytest.raises(IdentifierError) as refused:
        credit_code("9111OOOO600037342L")
    assert refused.value.suggestion is None


def test_a_foreign_character_is_named_with_its_place():
    assert (
        refusal(credit_code, "汉1110000600037341L")
        == "统一社会信用代码第 1 位“汉”不是数字或大写字母，请对照证照改正"
    )


def test_arabic_digits_are_not_digits_here():
    assert "第 1 位“٩”" in refusal(credit_code, "٩1110000600037341L")


@pytest.mark.parametrize("typed", ["X1110000600037341L", "9A110000600037341L", "91A10000600037341L"])
def test_a_letter_among_the_division_digits_is_refused(typed):
    assert "第 2 至 8 位应为数字" in refusal(credit_code, typed)


@pytest.mark.parametrize("typed", ["91310115MA1H8R7C6D", "91110000600037341M", "91110000600073341L"])
def test_a_wrong_check_character_is_refused(typed):
    assert "校验位不对" in refusal(credit_code, typed)


@pytest.mark.parametrize("check", [credit_code, enterprise_code])
def test_a_code_spoiled_by_a_spreadsheet_is_recognized(check):
    assert "科学计数法" in refusal(check, "9.14403001922038E+17")


@pytest.mark.parametrize("check", [credit_code, organization_code, enterprise_code, mobile, telephone])
@pytest.mark.parametrize("typed", ["", "  ", "\u200b"])
def test_nothing_typed_is_asked_for(check, typed):
    assert refusal(check, typed).startswith("请填写")


@given(credit_codes(), st.integers(0, 17), st.sampled_from(CREDIT_ALPHABET + "IOSVZ汉"))
@settings(deadline=None)
def test_every_single_wrong_character_is_refused(code, place, wrong):
    spoiled = code[:place] + wrong + code[place + 1 :]
    if spoiled == code:
        assert credit_code(spoiled) == code
    else:
        assert refusal(credit_code, spoiled).startswith("统一社会信用代码")


@given(credit_codes(), st.integers(0, 16))
@settings(deadline=None)
def test_every_swap_of_neighbors_is_refused(code, place):
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if swapped == code:
        assert credit_code(swapped) == code
    else:
        assert refusal(credit_code, swapped).startswith("统一社会信用代码")


@given(credit_codes(first="0123456789"), st.integers(0, 17), st.sampled_from(CREDIT_ALPHABET))
@settings(deadline=None)
def test_we_agree_with_stdnum_on_codes_that_begin_with_a_digit(code, place, other):
    changed = code[:place] + other + code[place + 1 :]
    assert uscc.is_valid(code)
    if changed[0].isdigit():
        assert uscc.is_valid(changed) == accepts(credit_code, changed)


def accepts(check, text: str) -> bool:
    try:
        return bool(check(text))
    except IdentifierError:
        return False


@pytest.mark.parametrize("code", ["60003734-1", "55138508-2", "10000018-X", "10000004-0"])
def test_a_valid_organization_code_comes_back_with_its_hyphen(code):
    assert organization_code(code) == code
    assert organization_code(code.replace("-", "").lower()) == code


def test_a_check_digit_of_ten_is_an_x_and_of_eleven_a_zero():
    assert organization_check_character("10000018") == "X"
    assert organization_check_character("10000004") == "0"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("60003734-2", "校验位不对"),
        ("60003734", "应为 9 位，现为 8 位"),
        ("6000373汉-1", "只含数字和字母"),
        ("60003734-A", "末位为数字或 X"),
    ],
)
def test_a_bad_organization_code_is_told_why(typed, fault):
    assert fault in refusal(organization_code, typed)


@given(st.text("0123456789", min_size=8, max_size=8), st.integers(0, 7), st.sampled_from("0123456789"))
@settings(deadline=None)
def test_every_single_wrong_digit_of_an_organization_code_is_refused(body, place, wrong):
    code = body + organization_check_character(body)
    spoiled = code[:place] + wrong + code[place + 1 :]
    assert accepts(organization_code, spoiled) == (spoiled == code)


def test_an_enterprise_may_give_either_code():
    assert enterprise_code("９１１１0000 600037341l") == "91110000600037341L"
    assert enterprise_code("600037341") == "60003734-1"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("60003734-2", "组织机构代码的校验位不对"),
        ("91110000600037342L", "统一社会信用代码的校验位不对"),
        ("110000600037341", "应填 18 位统一社会信用代码或 9 位组织机构代码，现为 15 位"),
    ],
)
def test_an_enterprise_is_told_about_the_code_it_meant(typed, fault):
    assert fault in refusal(enterprise_code, typed)


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "１３８００１３８０００",
        "+86 13800138000",
        "+86-138-0013-8000",
        "008613800138000",
        "8613800138000",
        "\u202a13800138000\u202c",
    ],
)
def test_the_way_of_writing_a_mobile_number_does_not_matter(typed):
    assert mobile(typed) == "13800138000"
    assert telephone(typed) == "13800138000"


@pytest.mark.parametrize("prefix", range(130, 200))
def test_every_prefix_from_13_to_19_passes(prefix):
    assert mobile(f"{prefix}00138000") == f"{prefix}00138000"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("1380013800", "手机号应为 11 位，现为 10 位，请补全或删去多余数字"),
        ("138001380001", "手机号应为 11 位，现为 12 位，请补全或删去多余数字"),
        ("12800138000", "手机号应以 13 至 19 开头，请核对后改正"),
        ("23800138000", "手机号应以 13 至 19 开头，请核对后改正"),
        ("1380013800O", "手机号只含数字，请只填一个 11 位手机号"),
        ("13800138000/13900139000", "手机号只含数字，请只填一个 11 位手机号"),
        ("+1 13800138000", "手机号只含数字，请只填一个 11 位手机号"),
        ("١٣٨٠٠١٣٨٠٠٠", "手机号只含数字，请只填一个 11 位手机号"),
    ],
)
def test_a_bad_mobile_number_is_told_why(typed, fault):
    assert refusal(mobile, typed) == fault


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("010-62795627", "010-62795627"),
        ("01062795627", "010-62795627"),
        ("(0571) 8765 4321", "0571-87654321"),
        ("（０５７１）８７６５４３２１", "0571-87654321"),
        ("0571—87654321", "0571-87654321"),
        ("0571-8765432", "0571-8765432"),
        ("021-6279-5627", "021-62795627"),
        ("+86 571 8765 4321", "0571-87654321"),
        ("+86-0571-87654321", "0571-87654321"),
        ("0086-10-62795627", "010-62795627"),
        ("0755-26012345转801", "0755-26012345-801"),
        ("0755-26012345-801", "0755-26012345-801"),
        ("0755-26012345 分机 801", "0755-26012345-801"),
        ("0755-26012345 ext. 801", "0755-26012345-801"),
        ("400-813-5888", "400-813-5888"),
        ("4008135888", "400-813-5888"),
        ("400-8135-888", "400-813-5888"),
        ("800-810-8888", "800-810-8888"),
    ],
)
def test_a_telephone_number_gets_one_spelling(typed, expected):
    assert telephone(typed) == expected
    assert telephone(expected) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "87654321",
        "0571-876543",
        "0571-876543210",
        "O1062795627",
        "0571-87654321/13800138000",
        "0571-87654321转",
        "0571-87654321转1234567",
        "请拨前台",
    ],
)
def test_anything_else_is_told_the_three_ways_to_write_a_number(typed):
    message = refusal(telephone, typed)
    assert all(way in message for way in ("11 位手机号", "带区号的固定电话", "400 电话"))


@given(st.text(max_size=40))
@settings(deadline=None)
def test_whatever_is_typed_is_either_clean_or_refused_in_one_sentence(text):
    for check in (credit_code, organization_code, enterprise_code, mobile, telephone):
        try:
            clean = check(text)
        except IdentifierError as error:
            assert str(error) and "\n" not in str(error)
        else:
            assert check(clean) == clean


def test_the_weights_are_those_of_the_standards():
    assert tuple(3**place % 31 for place in range(17)) == identifiers.CREDIT_WEIGHTS
    assert identifiers.ORGANIZATION_WEIGHTS == (3, 7, 9, 10, 5, 8, 4, 2)
