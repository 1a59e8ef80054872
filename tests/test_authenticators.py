"""The second factor: bound, asked for, refused, used once, reset."""

from datetime import datetime, timedelta

import pyotp
import pytest
from sqlmodel import select

from db import audit, authenticators, clock, sign_ins
from db.errors import NotFound, Refused
from db.models import Authenticator, Role
from tests.conftest import NOW
from tests.make import PASSWORD_HASH, make_account

HERE = "10.1.2.3"


@pytest.fixture
def later(monkeypatch):
    """Sets the clock so many seconds after the moment the tests start from."""

    def move(seconds: float):
        moment = datetime.fromisoformat(NOW) + timedelta(seconds=seconds)
        monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())

    return move


@pytest.fixture
def zhao(session):
    return make_account(session, Role.reviewer, username="zhao")


def code(secret, shift=0):
    return pyotp.TOTP(secret).at(int(clock.now().timestamp()) + shift)


def bind(session, account):
    """Bind a telephone; its secret. The code of the present half minute is used up."""
    secret = authenticators.offer(session, by=account).secret
    assert authenticators.confirm(session, code(secret), by=account, address=HERE)
    return secret


def begin(session):
    """A ticket after the right password."""
    sign_ins.credential(session, "zhao", HERE)
    return sign_ins.begin(session, "zhao", PASSWORD_HASH, HERE, "Chrome")


def test_a_telephone_counts_once_its_first_code_was_given(session, zhao):
    offer = authenticators.offer(session, by=zhao)
    assert offer.address.startswith("otpauth://totp/%E7%BA%A6%E6%A3%80%E5%8F%B0:zhao?secret=" + offer.secret)
    assert len(offer.secret) == 32
    assert authenticators.offer(session, by=zhao).secret == offer.secret
    assert sign_ins.redeem(session, begin(session))
    assert not authenticators.confirm(session, "000000", by=zhao, address=HERE)
    assert not sign_ins.has_authenticator(session, zhao.id)
    assert authenticators.confirm(session, code(offer.secret), by=zhao, address=HERE)
    assert sign_ins.has_authenticator(session, zhao.id)


def test_binding_ends_the_other_sign_ins(session, zhao):
    mine, other = (sign_ins.redeem(session, begin(session)) for _ in range(2))
    secret = authenticators.offer(session, by=zhao).secret
    authenticators.confirm(session, code(secret), by=zhao, address=HERE, token=mine)
    assert sign_ins.account_of(session, mine)
    assert sign_ins.account_of(session, other) is None


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution])
def test_only_staff_bind_a_telephone(session, role):
    account = make_account(session, role)
    with pytest.raises(Refused):
        authenticators.offer(session, by=account)
    with pytest.raises(Refused):
        authenticators.confirm(session, "123456", by=account, address=HERE)


def test_a_bound_telephone_is_not_offered_again(session, zhao):
    bind(session, zhao)
    with pytest.raises(Refused, match="先解除"):
        authenticators.offer(session, by=zhao)
    with pytest.raises(Refused, match="请先打开"):
        authenticators.confirm(session, "123456", by=zhao, address=HERE)


def test_a_ticket_is_not_redeemed_before_the_code(session, zhao, later):
    secret = bind(session, zhao)
    later(60)
    ticket = begin(session)
    assert authenticators.is_waiting(session, ticket)
    with pytest.raises(Refused, match="重新登录"):
        sign_ins.redeem(session, ticket)
    assert authenticators.prove(session, ticket, code(secret), address=HERE)
    assert not authenticators.is_waiting(session, ticket)
    assert sign_ins.account_of(session, sign_ins.redeem(session, ticket)).id == zhao.id


def test_the_log_says_signed_in_once_the_code_was_right(session, zhao, later):
    secret = bind(session, zhao)
    later(60)
    audit.waiting(session).clear()
    ticket = begin(session)
    authenticators.prove(session, ticket, "000000", address=HERE)
    authenticators.prove(session, ticket, code(secret), address=HERE)
    sign_ins.redeem(session, ticket)
    noted = [one for one in audit.waiting(session) if one["subject"] == "account"]
    assert [(one["action"], one["is_refused"], one.get("account_id")) for one in noted] == [
        ("登录（待动态口令）", False, zhao.id),
        ("登录", True, None),
        ("登录", False, zhao.id),
    ]
    assert {(one["subject_id"], one["address"]) for one in noted} == {(zhao.id, HERE)}


@pytest.mark.parametrize("shift", [-30, 0, 30])
def test_a_clock_may_be_half_a_minute_wrong(session, zhao, later, shift):
    secret = bind(session, zhao)
    later(120)
    typed = code(secret, shift)
    assert authenticators.prove(session, begin(session), f" {typed[:3]} {typed[3:]}", address=HERE)


@pytest.mark.parametrize("shift", [-90, 90])
def test_an_older_or_later_code_is_refused(session, zhao, later, shift):
    secret = bind(session, zhao)
    later(300)
    assert not authenticators.prove(session, begin(session), code(secret, shift), address=HERE)


def test_a_code_is_good_once(session, zhao, later):
    secret = bind(session, zhao)
    later(60)
    typed = code(secret)
    assert authenticators.prove(session, begin(session), typed, address=HERE)
    assert not authenticators.prove(session, begin(session), typed, address=HERE)
    # Nor does an earlier one count after it.
    assert not authenticators.prove(session, begin(session), code(secret, -30), address=HERE)


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "１２３４５６", "0" * 7, "\0"])
def test_what_is_no_code_is_refused(session, zhao, typed):
    bind(session, zhao)
    assert not authenticators.prove(session, begin(session), typed, address=HERE)


def test_wrong_codes_lock_the_account_as_wrong_passwords_do(session, zhao, later):
    secret = bind(session, zhao)
    later(60)
    ticket = begin(session)
    # The right password is no success before the code.
    for _ in range(4):
        assert not authenticators.prove(session, ticket, "000000", address=HERE)
    with pytest.raises(Refused, match="分钟后再试"):
        authenticators.prove(session, ticket, code(secret), address=HERE)
    with pytest.raises(Refused, match="分钟后再试"):
        sign_ins.credential(session, "zhao", HERE)


def test_the_right_code_forgives_what_was_counted_before_it(session, zhao, later):
    secret = bind(session, zhao)
    for number in range(12):
        later(60 * (number + 1))
        ticket = begin(session)
        assert not authenticators.prove(session, ticket, "000000", address=HERE)
        assert authenticators.prove(session, ticket, code(secret), address=HERE)
    # Nor has the address failed: 36 tries, each followed by a success.
    assert sign_ins.credential(session, "somebody", HERE)


def test_a_ticket_waits_five_minutes_for_its_code(session, zhao, later):
    secret = bind(session, zhao)
    ticket = begin(session)
    later(301)
    with pytest.raises(Refused, match="登录超时"):
        authenticators.prove(session, ticket, code(secret), address=HERE)


def test_a_proven_ticket_lasts_half_a_minute(session, zhao, later):
    secret = bind(session, zhao)
    later(60)
    ticket = begin(session)
    authenticators.prove(session, ticket, code(secret), address=HERE)
    later(91)
    with pytest.raises(Refused):
        sign_ins.redeem(session, ticket)


def test_one_unbinds_ones_telephone_by_a_code_of_it(session, zhao, later):
    secret = bind(session, zhao)
    later(60)
    assert not authenticators.remove(session, "000000", by=zhao, address=HERE)
    assert sign_ins.has_authenticator(session, zhao.id)
    assert authenticators.remove(session, code(secret), by=zhao, address=HERE)
    assert sign_ins.redeem(session, begin(session))
    with pytest.raises(Refused, match="没有绑定"):
        authenticators.remove(session, code(secret), by=zhao, address=HERE)


def test_an_administrator_resets_a_lost_telephone_and_ends_the_sign_ins(session, zhao):
    token = sign_ins.redeem(session, begin(session))
    administrator = make_account(session, Role.administrator)
    bind(session, administrator)
    with pytest.raises(Refused, match="没有绑定"):
        authenticators.reset(session, zhao.id, by=administrator)
    secret = authenticators.offer(session, by=zhao).secret
    authenticators.confirm(session, code(secret), by=zhao, address=HERE, token=token)
    assert authenticators.reset(session, zhao.id, by=administrator) is zhao
    assert sign_ins.account_of(session, token) is None
    assert not sign_ins.has_authenticator(session, zhao.id)
    with pytest.raises(Refused, match="另一位管理员"):
        authenticators.reset(session, administrator.id, by=administrator)
    with pytest.raises(NotFound):
        authenticators.reset(session, 99_999, by=administrator)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.administrator])
def test_nobody_else_resets_a_telephone(session, zhao, role):
    bind(session, zhao)
    with pytest.raises(Refused):
        authenticators.reset(session, zhao.id, by=make_account(session, role))


def test_secrets_are_sealed_where_a_key_is_set(session, zhao, later, monkeypatch):
    monkeypatch.setenv("YUEJIAN_SECRET_KEY", "a long sentence kept outside the database")
    secret = bind(session, zhao)
    stored = session.exec(select(Authenticator.secret)).one()
    assert stored.startswith("sealed:")
    assert secret not in stored
    later(60)
    assert authenticators.prove(session, begin(session), code(secret), address=HERE)


@pytest.mark.parametrize("key", ["", "another"])
def test_without_the_key_no_code_is_right(session, zhao, later, monkeypatch, key):
    monkeypatch.setenv("YUEJIAN_SECRET_KEY", "a long sentence kept outside the database")
    secret = bind(session, zhao)
    later(60)
    ticket = begin(session)
    monkeypatch.setenv("YUEJIAN_SECRET_KEY", key)
    assert not authenticators.prove(session, ticket, code(secret), address=HERE)
