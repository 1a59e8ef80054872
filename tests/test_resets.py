"""忘记密码: the same answer for everybody, then the password of whoever can read the code."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from db import audit, passwords, resets, sign_ins
from db.engine import reading, transaction
from db.errors import NotFound, Refused
from db.models import Account, ConfirmationCode, Notification, Role
from db.resets import Way
from tests.conftest import NOW
from tests.make import PASSWORD, PASSWORD_HASH, XIHU, make_account, make_enterprise
from tests.test_codes import other, sent

MOBILE, HERE, NEW = "13900001234", "10.1.2.3", "Guolu-2027"


@pytest.fixture(autouse=True)
def gateway_of_nobody(quick, monkeypatch):
    """Quick hashing, and a gateway that nothing is sent to."""
    monkeypatch.setenv("YUEJIAN_SMS_URL", "https://gateway.example.cn")


@pytest.fixture
def wang(session):
    """王芳 of the boiler works, whose number is known."""
    return make_account(session, username="wang", full_name="王芳", mobile=MOBILE)


def ask(session, typed="wang", way=Way.username, address=HERE):
    return resets.ask(session, way, typed, address)


def proven(session, typed="wang", way=Way.username):
    token = ask(session, typed, way)
    assert resets.is_code(session, token, sent(session).secret)
    return token


@pytest.mark.parametrize(
    ("way", "typed"),
    [(Way.username, "wang"), (Way.username, " ＷＡＮＧ "), (Way.mobile, "139 0000 1234")],
)
def test_an_account_is_found_by_name_or_number_and_gets_a_new_password(session, wang, way, typed):
    token = proven(session, typed, way)
    (found,) = resets.candidates(session, token)
    assert (found.username, found.role, found.mobile) == ("wang", Role.enterprise, "139****1234")
    assert resets.set_password(session, token, wang.id, NEW, HERE) == "wang"
    assert passwords.matches(NEW, wang.password_hash)
    assert not wang.must_change_password
    (act,) = (act for act in audit.waiting(session) if act["action"] == "找回密码")
    assert (act["account_id"], act["address"]) == (wang.id, HERE)
    assert NEW not in str(audit.waiting(session))


def test_all_sign_ins_end_and_the_failures_are_forgiven(session, wang):
    token = sign_ins.redeem(session, sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome"))
    for _ in range(5):
        sign_ins.credential(session, "wang", HERE)
    with pytest.raises(Refused):
        sign_ins.credential(session, "wang", HERE)
    proof = proven(session)
    resets.set_password(session, proof, wang.id, NEW, HERE)
    assert sign_ins.account_of(session, token) is None
    assert passwords.matches(NEW, sign_ins.credential(session, "wang", HERE))


def answers(session, typed, way=Way.username):
    """All that a visitor reads who asks for `typed` and guesses, until it is over; and what was sent."""
    token = ask(session, typed, way, address="")
    said = []
    for _ in range(5):
        guess = other(row.secret) if (row := sent(session)) and row.secret else "000000"
        said.append(resets.is_code(session, token, guess))
        said.append(resets.codes.wrong(session, token))
    for act in (lambda: resets.is_code(session, token, "000000"), lambda: ask(session, typed, way)):
        with pytest.raises(Refused) as refusal:
            act()
        said.append(str(refusal.value))
    with pytest.raises(Refused) as refusal:
        resets.candidates(session, token)
    return [*said, str(refusal.value)], len(session.exec(select(Notification)).all())


def test_known_unknown_suspended_and_numberless_accounts_read_the_same(session, wang):
    make_account(session, username="stopped", mobile="13900005678", is_active=False)
    make_account(session, username="numberless")
    known, count = answers(session, "wang")
    assert count == 1
    for typed in ("nobody", "stopped", "numberless", "王" * 60, "no'; --"):
        assert answers(session, typed) == (known, 1)
    for number in ("13900005678", "13711112222"):
        assert answers(session, number, Way.mobile) == (known, 1)


def test_known_and_unknown_names_leave_the_same_rows_but_the_number(session, wang):
    for typed in ("wang", "nobody"):
        ask(session, typed)
    known, unknown = session.exec(select(ConfirmationCode).order_by(ConfirmationCode.id)).all()
    assert (known.mobile, unknown.mobile) == (MOBILE, "")
    assert known.expires_at == unknown.expires_at
    assert "wang" not in str(known.model_dump())


@pytest.mark.parametrize(
    ("way", "typed", "sentence"),
    [
        (Way.username, " ", "请填写“用户名”"),
        (Way.username, "wa\x00ng", "控制字符"),
        (Way.mobile, "12800001234", "13 至 19 开头"),
        (Way.mobile, "", "手机号"),
    ],
)
def test_what_can_be_no_name_or_number_is_refused(session, way, typed, sentence):
    with pytest.raises(Refused, match=sentence):
        ask(session, typed, way)


def test_several_accounts_with_one_number_are_told_once_and_chosen_after_the_code(session, wang):
    chen = make_account(session, Role.personal, username="chen", mobile=MOBILE)
    make_account(session, Role.personal, username="gone", mobile=MOBILE, is_active=False)
    token = ask(session, MOBILE, Way.mobile)
    with pytest.raises(Refused):
        resets.candidates(session, token)
    assert len(session.exec(select(Notification)).all()) == 1
    resets.is_code(session, token, sent(session).secret)
    assert [one.username for one in resets.candidates(session, token)] == ["chen", "wang"]
    resets.set_password(session, token, chen.id, NEW, HERE)
    assert passwords.matches(PASSWORD, wang.password_hash)


def test_a_proof_by_name_opens_that_account_only(session, wang):
    chen = make_account(session, Role.personal, username="chen", mobile=MOBILE)
    token = proven(session)
    for stranger in (chen.id, 0, 10**6):
        with pytest.raises(NotFound):
            resets.set_password(session, token, stranger, NEW, HERE)


def test_an_account_suspended_or_renumbered_meanwhile_is_not_opened(session, wang):
    token = proven(session)
    wang.mobile = "13900009999"
    session.flush()
    assert resets.candidates(session, token) == []
    wang.mobile, wang.is_active = MOBILE, False
    session.flush()
    with pytest.raises(NotFound):
        resets.set_password(session, token, wang.id, NEW, HERE)


@pytest.mark.parametrize("new", ["short", "wang", PASSWORD, "a" * 65, "password123"])
def test_a_bad_password_is_refused_and_the_proof_stays(session, wang, new):
    token = proven(session)
    with pytest.raises(Refused) as refusal:
        resets.set_password(session, token, wang.id, new, HERE)
    assert set(refusal.value.problems) == {"password"}
    resets.set_password(session, token, wang.id, NEW, HERE)


def test_a_proof_sets_one_password(session, wang):
    token = proven(session)
    resets.set_password(session, token, wang.id, NEW, HERE)
    with pytest.raises(Refused, match="重新获取"):
        resets.set_password(session, token, wang.id, "Guolu-2028", HERE)


def test_of_two_new_passwords_at_once_one_is_set(database):
    with transaction() as session:
        account = make_account(session, username="wang", mobile=MOBILE)
        token = proven(session)
    start = threading.Barrier(2)

    def choose(new):
        start.wait()
        try:
            with transaction() as session:
                return resets.set_password(session, token, account.id, new, HERE)
        except Refused:
            return None

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(choose, ("Guolu-2027", "Guolu-2028")))
    assert done.count(None) == 1
    with reading() as session:
        stored = session.get_one(Account, account.id).password_hash
        assert passwords.matches(("Guolu-2027", "Guolu-2028")[done.index("wang")], stored)


def test_nothing_is_set_without_the_code(session, wang):
    token = ask(session)
    with pytest.raises(Refused):
        resets.set_password(session, token, wang.id, NEW, HERE)


def test_a_message_to_staff_is_addressed_to_them_even_if_others_share_the_number(session, wang):
    boss = make_account(session, Role.administrator, username="boss", mobile=MOBILE)
    ask(session, MOBILE, Way.mobile)
    assert sent(session).account_id == boss.id


def test_the_message_belongs_to_the_area_of_the_enterprise(session):
    enterprise = make_enterprise(session, division_code=XIHU)
    make_account(session, username="wang", mobile=MOBILE, enterprise_id=enterprise.id)
    ask(session)
    assert sent(session).division_code == XIHU


def test_the_next_code_may_be_asked_for_after_a_minute(session, wang, monkeypatch):
    ask(session)
    with pytest.raises(Refused, match="60 秒"):
        ask(session)
    moment = datetime.fromisoformat(NOW) + timedelta(seconds=60)
    monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())
    proven(session)
