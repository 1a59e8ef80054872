"""统一身份: who is let in by the provider's word, who connects it, and what it ends."""

import pytest
from sqlmodel import select

from db import authenticators, identities, sign_ins
from db.errors import Conflict, NotFound, Refused
from db.models import Authenticator, Role, Setting, SignIn
from tests.make import PASSWORD_HASH, make_account

ISSUER = "https://id.example.gov.cn"


@pytest.fixture
def administrator(session):
    return make_account(session, Role.administrator)


@pytest.fixture
def zhao(session, administrator):
    """Connected with u1001."""
    account = make_account(session, Role.reviewer, username="zhao")
    return identities.connect(session, account.id, ISSUER, " u1001 ", by=administrator)


def begin(session, subject="u1001", issuer=ISSUER):
    return identities.begin(session, issuer, subject, "10.1.2.3", "Chrome")


def test_the_providers_word_gives_a_ticket_for_the_connected_account(session, zhao):
    token = sign_ins.redeem(session, begin(session))
    assert sign_ins.account_of(session, token) is zhao
    row = session.exec(select(SignIn)).one()
    assert (row.address, row.agent) == ("10.1.2.3", "Chrome")


@pytest.mark.parametrize(
    "who", [("u1002", ISSUER), ("u1001", "https://elsewhere.example"), ("", ISSUER), ("U1001", ISSUER)]
)
def test_whom_nobody_has_connected_is_refused_and_no_account_is_made(session, zhao, who):
    with pytest.raises(Refused, match="请联系本系统的主管部门关联或恢复账号"):
        begin(session, *who)
    assert session.exec(select(SignIn)).all() == []


def test_the_refusal_names_the_contact_of_the_settings(session, zhao):
    session.add(Setting(name="contact", value="计量处，0571-87654321"))
    with pytest.raises(Refused, match="请联系计量处，0571-87654321关联"):
        begin(session, "u1002")


def test_a_suspended_account_is_refused(session, zhao):
    zhao.is_active = False
    with pytest.raises(Refused, match="没有可用的约检台账号"):
        begin(session)


@pytest.mark.parametrize("asks", [False, True])
def test_a_code_is_asked_for_only_where_staff_must_use_one(session, zhao, asks):
    session.add(Authenticator(account_id=zhao.id, secret="sealed", confirmed_at=zhao.created_at))
    session.add(Setting(name="staff_code", value=asks))
    ticket = begin(session)
    assert authenticators.is_waiting(session, ticket) is asks
    if asks:
        with pytest.raises(Refused):
            sign_ins.redeem(session, ticket)
    else:
        assert sign_ins.redeem(session, ticket)


def test_connecting_and_disconnecting_end_every_sign_in(session, zhao, administrator):
    token = sign_ins.redeem(session, begin(session))
    identities.disconnect(session, zhao.id, by=administrator)
    assert sign_ins.account_of(session, token) is None
    with pytest.raises(Refused):
        begin(session)
    token = sign_ins.redeem(session, sign_ins.begin(session, "zhao", PASSWORD_HASH, "", "test"))
    identities.connect(session, zhao.id, ISSUER, "u1003", by=administrator)
    assert sign_ins.account_of(session, token) is None


def test_one_identity_belongs_to_one_account(session, zhao, administrator):
    other = make_account(session, Role.supervisor)
    with pytest.raises(Conflict, match="已关联另一个账号"):
        identities.connect(session, other.id, ISSUER + "/", "u1001", by=administrator)
    identities.connect(session, zhao.id, ISSUER, "u1001", by=administrator)


@pytest.mark.parametrize("subject", ["", "  ", "\0", "x" * 200])
def test_an_identity_must_fit(session, zhao, administrator, subject):
    with pytest.raises(Refused, match="统一身份标识"):
        identities.connect(session, zhao.id, ISSUER, subject, by=administrator)


def test_what_is_not_connected_cannot_be_disconnected(session, administrator):
    with pytest.raises(Refused, match="没有关联"):
        identities.disconnect(session, administrator.id, by=administrator)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.administrator])
def test_only_administrators_connect_and_disconnect(session, zhao, role):
    stranger = make_account(session, role)
    with pytest.raises(Refused):
        identities.connect(session, stranger.id, ISSUER, "u1009", by=stranger)
    with pytest.raises(Refused):
        identities.disconnect(session, zhao.id, by=stranger)


def test_an_account_that_is_not_there_is_not_found(session, administrator):
    with pytest.raises(NotFound):
        identities.connect(session, 999_999, ISSUER, "u1009", by=administrator)
