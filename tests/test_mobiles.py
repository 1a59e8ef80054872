"""更换手机号: with the password and a code to the new number, by the account itself."""

import pytest
from sqlmodel import select

from db import mobiles
from db.errors import Refused
from db.models import Enterprise, Notification
from tests.make import PASSWORD, make_account, make_enterprise
from tests.test_codes import other, sent

OLD, NEW = "13800138000", "13900001234"


@pytest.fixture(autouse=True)
def gateway(monkeypatch):
    """A gateway is configured; nothing is sent in these tests."""
    monkeypatch.setenv("YUEJIAN_SMS_URL", "https://gateway.example.cn")


@pytest.fixture
def wang(session):
    """王芳 of the boiler works, which is reached by her number."""
    enterprise = make_enterprise(session, mobile=OLD)
    return make_account(session, username="wang", mobile=OLD, enterprise_id=enterprise.id)


def ask(session, by, number=NEW, current=PASSWORD):
    return mobiles.ask(session, number, current, by=by, address="10.1.2.3")


def test_a_number_is_changed_once_it_is_proven(session, wang):
    token = ask(session, wang)
    assert wang.mobile == OLD
    assert not mobiles.is_code(session, token, other(sent(session).secret))
    assert mobiles.is_code(session, token, sent(session).secret)
    assert mobiles.change(session, token, by=wang) == NEW
    assert wang.mobile == NEW
    assert session.get_one(Enterprise, wang.enterprise_id).mobile == NEW
    told = session.exec(select(Notification).where(Notification.recipient == OLD)).one()
    assert "手机号已更换为 139****1234" in told.text


def test_an_enterprise_with_another_contact_keeps_it(session, wang):
    session.get_one(Enterprise, wang.enterprise_id).mobile = "13700001111"
    mobiles.set_number(session, wang, NEW)
    assert session.get_one(Enterprise, wang.enterprise_id).mobile == "13700001111"


def test_a_wrong_password_sends_nothing_and_is_counted(session, wang):
    assert [ask(session, wang, current="Guolu-2020") for _ in range(5)] == [None] * 5
    with pytest.raises(Refused, match="输错次数过多"):
        ask(session, wang)
    assert session.exec(select(Notification)).all() == []


def test_a_wrong_number_is_refused(session, wang):
    with pytest.raises(Refused) as refusal:
        ask(session, wang, OLD)
    assert set(refusal.value.problems) == {"mobile"}
    with pytest.raises(Refused, match="13 至 19"):
        ask(session, wang, "12800001111")


def test_without_the_code_nothing_changes(session, wang):
    with pytest.raises(Refused):
        mobiles.change(session, ask(session, wang), by=wang)
    assert wang.mobile == OLD


def test_a_proof_is_its_accounts_own_and_used_once(session, wang):
    token = ask(session, wang)
    mobiles.is_code(session, token, sent(session).secret)
    with pytest.raises(Refused):
        mobiles.change(session, token, by=make_account(session))
    mobiles.change(session, token, by=wang)
    with pytest.raises(Refused):
        mobiles.change(session, token, by=wang)


def test_a_number_is_sent_one_code_a_minute_whoever_asks(session, wang):
    ask(session, wang)
    with pytest.raises(Refused, match="过于频繁"):
        ask(session, make_account(session))


def test_without_a_gateway_a_number_is_changed_offline(session, wang, monkeypatch):
    monkeypatch.delenv("YUEJIAN_SMS_URL")
    with pytest.raises(Refused, match="主管部门"):
        ask(session, wang)
