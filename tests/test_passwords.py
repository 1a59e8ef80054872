"""What may be a password, and that the sign-in form accepts its hash."""

import time

import pytest
from streamlit_authenticator import Hasher
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from db import passwords
from db.errors import Refused


@pytest.mark.parametrize(
    "password", ["Qidian2026", "yajin-li4", "二维码Ab1xyz", "四句诗也可以当作密码用呀", "a b c d e f g 7"]
)
def test_these_are_accepted(password):
    passwords.check(password, "zhang.wei")


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("Ab1!xyz", "8 至 64 个字符"),
        ("Ab1!" + "x" * 61, "8 至 64 个字符"),
        ("强制检定工作计量器具" * 3, "72 个字节"),
        (" Qidian2026", "空格"),
        ("Qidian2026 ", "空格"),
        ("Qidian\x002026", "不可见"),
        ("Qidian\u200b2026", "不可见"),
        ("qidian2026", "三种"),
        ("QIDIANLI", "三种"),
        ("Zhang.Wei2026", "不能与账号相同"),
        ("P@ssw0rd", "太常见"),
        ("PASSWORD1234", "太常见"),
        ("aaaaaaaaaaaaaa", "太常见"),
    ],
)
def test_these_are_refused_with_a_sentence(password, sentence):
    with pytest.raises(Refused, match=sentence) as refusal:
        passwords.check(password, "zhang.wei2026")
    assert sentence in refusal.value.problems["password"]


@pytest.mark.parametrize(
    "password",
    [
        "Password1!",
        "Admin@123",
        "1qaz@WSX",
        "!QAZ2wsx",
        "Qwer1234!",
        "Aa123456!",
        "P@ssw0rd2024",
        "Welcome@123",
        "Root@1234",
        "Admin@123456",
        "Zhang123!",
        "123123123123",
        "20001231!Qq",
        "zhang.wei2",
    ],
)
def test_passwords_that_many_people_choose_are_refused(password):
    with pytest.raises(Refused, match="太常见"):
        passwords.check(password, "zhang.wei")


def test_a_list_of_leaked_passwords_stands_behind_it():
    leaked = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= passwords.LONG_ENOUGH]
    assert len(leaked) > 100
    for word in leaked[:100]:
        with pytest.raises(Refused):
            passwords.check(word.upper(), "zhang.wei")


def test_the_sign_in_form_accepts_our_hash():
    made = passwords.hashed("压力表Yb-1.6")
    assert made.startswith("$2b$12$")
    assert Hasher.is_hash(made)
    assert Hasher.check_pw("压力表Yb-1.6", made)


def test_only_the_right_password_matches():
    made = passwords.hashed("压力表Yb-1.6")
    assert passwords.matches("压力表Yb-1.6", made)
    assert not passwords.matches("压力表yb-1.6", made)


def test_a_password_too_long_for_bcrypt_does_not_match():
    made = passwords.hashed("a" * 72)
    assert not passwords.matches("a" * 73, made)


def test_two_hashes_of_one_password_differ():
    assert passwords.hashed("压力表Yb-1.6") != passwords.hashed("压力表Yb-1.6")


def test_an_unknown_name_costs_the_work_of_a_wrong_password():
    made = passwords.hashed("压力表Yb-1.6")
    assert passwords.DUMMY_HASH[:7] == made[:7]
    assert 0.3 < _seconds(passwords.DUMMY_HASH) / _seconds(made) < 3


def _seconds(password_hash):
    start = time.process_time()
    assert not passwords.matches("wrong", password_hash)
    return time.process_time() - start


def test_a_generated_password_may_be_one_and_is_never_the_same():
    made = {passwords.generated() for _ in range(20)}
    assert len(made) == 20
    for password in made:
        passwords.check(password, "zhang.wei")
