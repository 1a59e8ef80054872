"""验证码: limits, tries, their ends, and nothing that tells a known number from an unknown one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from db import codes
from db.engine import reading, transaction
from db.errors import Conflict, Refused
from db.models import CodePurpose, ConfirmationCode, Notification
from tests.conftest import NOW

MOBILE, HERE = "13900001234", "10.1.2.3"
RECOVERY = CodePurpose.recovery


@pytest.fixture(autouse=True)
def gateway(monkeypatch):
    """A gateway is configured; nothing is sent in these tests."""
    monkeypatch.setenv("YUEJIAN_SMS_URL", "https://gateway.example.cn")


@pytest.fixture
def later(monkeypatch):
    """Sets the clock so many seconds after the moment the tests start from."""

    def move(seconds):
        moment = datetime.fromisoformat(NOW) + timedelta(seconds=seconds)
        monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())

    return move


def send(session, asked="wang", mobile=MOBILE, purpose=RECOVERY, address="", **values):
    return codes.send(session, purpose, asked, mobile, address, **values)


def sent(session, mobile=MOBILE):
    """The code sent last to the number, as its owner reads it."""
    here = select(Notification).where(Notification.recipient == mobile).order_by(Notification.id.desc())
    return session.exec(here).first()


def other(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_right_code_proves_the_number_however_it_is_typed(session):
    for number, shape in enumerate(("{}", " {} ", "{:.3}")):
        token = send(session, f"wang{number}", f"1390000123{number}")
        code = sent(session, f"1390000123{number}").secret
        typed = shape.format(code) if number < 2 else "".join(chr(ord(digit) + 0xFEE0) for digit in code)
        assert codes.is_right(session, token, RECOVERY, typed)
        assert codes.proven(session, token, RECOVERY).mobile == f"1390000123{number}"


def test_a_code_has_six_digits_and_five_minutes_by_message(session):
    send(session)
    message = sent(session)
    assert len(message.secret) == 6 and message.secret.isdecimal()
    assert message.expires_at - message.created_at == timedelta(minutes=5)
    assert "5 分钟内有效" in message.text and "{secret}" in message.text


def test_a_code_that_staff_have_to_tell_lasts_half_an_hour(session, monkeypatch):
    monkeypatch.delenv("YUEJIAN_SMS_URL")
    send(session)
    assert sent(session).expires_at - sent(session).created_at == timedelta(minutes=30)


def test_neither_code_nor_token_is_stored_and_the_hash_cannot_be_tried_without_the_token(session):
    token = send(session)
    row = session.exec(select(ConfirmationCode)).one()
    stored = {str(value) for value in row.model_dump().values()}
    assert stored.isdisjoint({token, sent(session).secret})
    assert row.code_hash == codes._code_hash(token, sent(session).secret)
    assert codes._code_hash("another", sent(session).secret) != row.code_hash


def test_five_wrong_tries_end_a_code_even_for_the_right_one(session):
    token = send(session)
    code = sent(session).secret
    for left in (4, 3, 2, 1):
        assert not codes.is_right(session, token, RECOVERY, other(code))
        assert codes.wrong(session, token) == f"验证码不正确，还可以试 {left} 次"
    assert not codes.is_right(session, token, RECOVERY, other(code))
    assert codes.wrong(session, token) == codes.OVER
    with pytest.raises(Refused, match="重新获取"):
        codes.is_right(session, token, RECOVERY, code)


def test_wrong_tries_count_across_sessions(database):
    with transaction() as session:
        token, code = send(session), sent(session).secret
    for _ in range(5):
        with transaction() as session:
            assert not codes.is_right(session, token, RECOVERY, other(code))
    with pytest.raises(Refused), transaction() as session:
        codes.is_right(session, token, RECOVERY, code)


def test_tries_at_once_do_not_exceed_five(database):
    with transaction() as session:
        token, code = send(session), sent(session).secret
    start = threading.Barrier(12)

    def guess(_):
        start.wait()
        try:
            with transaction() as session:
                return codes.is_right(session, token, RECOVERY, other(code))
        except Refused:
            return None

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(guess, range(12)))
    assert (answers.count(False), answers.count(True), answers.count(None)) == (5, 0, 7)
    with reading() as session:
        assert session.exec(select(ConfirmationCode.try_count)).one() == 5


def test_a_code_is_over_after_its_minutes(session, later):
    token = send(session)
    later(300)
    with pytest.raises(Refused, match="重新获取"):
        codes.is_right(session, token, RECOVERY, sent(session).secret)


def test_a_new_code_cancels_the_former_and_its_message(session, later):
    first = send(session)
    code, message = sent(session).secret, sent(session).id
    later(60)
    send(session, "chen")
    with pytest.raises(Refused, match="重新获取"):
        codes.is_right(session, first, RECOVERY, code)
    session.expire_all()
    assert session.get_one(Notification, message).secret == ""


def test_a_code_of_one_purpose_is_none_for_another(session):
    token = send(session)
    with pytest.raises(Refused):
        codes.is_right(session, token, CodePurpose.mobile, sent(session).secret)
    assert codes.is_right(session, token, RECOVERY, sent(session).secret)
    with pytest.raises(Refused):
        codes.proven(session, token, CodePurpose.mobile)


def test_a_proof_lasts_ten_minutes_and_is_used_once(session, later):
    token = send(session)
    codes.is_right(session, token, RECOVERY, sent(session).secret)
    later(599)
    row = codes.proven(session, token, RECOVERY)
    codes.use(session, row)
    with pytest.raises(Refused):
        codes.proven(session, token, RECOVERY)
    with pytest.raises(Conflict):
        codes.use(session, row)


def test_a_proof_is_over_after_ten_minutes(session, later):
    token = send(session)
    codes.is_right(session, token, RECOVERY, sent(session).secret)
    later(600)
    with pytest.raises(Refused):
        codes.proven(session, token, RECOVERY)


def test_nothing_is_proven_before_the_code(session):
    with pytest.raises(Refused):
        codes.proven(session, send(session), RECOVERY)


@pytest.mark.parametrize("token", ["", "made-up"])
def test_a_made_up_token_opens_nothing(session, token):
    send(session)
    with pytest.raises(Refused):
        codes.is_right(session, token, RECOVERY, sent(session).secret)
    with pytest.raises(Refused):
        codes.proven(session, token, RECOVERY)


@pytest.mark.parametrize("mobile", [MOBILE, ""])
def test_one_code_a_minute_five_an_hour_ten_a_day_known_or_not(session, later, mobile):
    told = []
    for seconds in range(0, 86_400, 30):
        later(seconds)
        try:
            send(session, mobile=mobile)
            told.append(seconds)
        except Refused as refusal:
            assert "过于频繁" in str(refusal)
    assert told == [0, 60, 120, 180, 240, 3600, 3660, 3720, 3780, 3840]


def test_the_wait_is_told_in_the_same_words_known_or_not(session, later):
    sentences = []
    for asked, mobile in (("wang", MOBILE), ("nobody", "")):
        later(0)
        send(session, asked, mobile)
        later(15)
        with pytest.raises(Refused) as refusal:
            send(session, asked, mobile)
        sentences.append(str(refusal.value))
    assert set(sentences) == {"获取验证码过于频繁，请 45 秒后再试"}


def test_another_name_of_the_same_number_gets_no_second_message_and_no_other_answer(session):
    send(session, "wang")
    assert send(session, "chen")
    assert len(session.exec(select(Notification)).all()) == 1


def test_an_address_asks_thirty_times_an_hour(session):
    for number in range(30):
        send(session, f"guess{number}", "", address=HERE)
    with pytest.raises(Refused, match="过于频繁"):
        send(session, address=HERE)
    assert send(session, address="10.9.9.9")


def test_visitors_without_an_address_are_not_taken_for_one(session):
    for number in range(40):
        send(session, f"guess{number}", "")


def test_at_once_one_code_is_sent(database):
    start = threading.Barrier(6)

    def ask(_):
        start.wait()
        try:
            with transaction() as session:
                return bool(send(session))
        except Refused:
            return False

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(ask, range(6))) == 1
    with reading() as session:
        assert len(session.exec(select(Notification)).all()) == 1


def test_no_guess_is_right_for_nobody(session, monkeypatch):
    monkeypatch.setattr(codes.secrets, "randbelow", lambda _: 493817)
    token = send(session, "nobody", "")
    assert not codes.is_right(session, token, RECOVERY, "493817")
    assert codes.wrong(session, token) == "验证码不正确，还可以试 4 次"


def test_who_asked_is_forgotten_after_a_week(session, later):
    send(session)
    later(7 * 86_400 + 1)
    send(session, "chen", "13700001111")
    assert session.exec(select(ConfirmationCode.mobile)).all() == ["13700001111"]


def test_what_is_not_sent_leaves_no_message(session):
    send(session, "nobody", "")
    assert session.exec(select(Notification)).all() == []
