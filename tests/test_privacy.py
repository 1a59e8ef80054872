"""Personal data: what is left of a number or a name where it is not needed in full."""

import pytest

from db import privacy


@pytest.mark.parametrize(
    ("number", "shown"),
    [("13800138000", "138****8000"), ("", ""), ("0571-87654321", "05****21"), ("1234", "1234")],
)
def test_a_mobile_number_keeps_its_ends(number, shown):
    assert privacy.mobile(number) == shown


@pytest.mark.parametrize(("full", "shown"), [("张三", "张*"), ("欧阳修文", "欧***"), ("", ""), ("李", "李")])
def test_a_name_keeps_its_first_character(full, shown):
    assert privacy.name(full) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("11010519491231002X", "110***********002X"),
        ("110105491231002", "110********1002"),
        ("12345", "*****"),
    ],
)
def test_an_identity_number_keeps_three_places_and_four(number, shown):
    assert privacy.identity(number) == shown


def test_numbers_within_a_sentence_are_hidden_and_other_numbers_left():
    said = privacy.text(
        "手机号13800138000，身份证11010519491231002X，编号YJ20261123-0001，代码91330106MA2H2LPA0B"
    )
    assert said == "手机号138****8000，身份证110***********002X，编号YJ20261123-0001，代码91330106MA2H2LPA0B"
