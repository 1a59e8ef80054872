"""以该身份预览: the other account's pages, and no right to change."""

import pytest
from sqlmodel import select

from db import audit, previews, sign_ins
from db.errors import NotFound, Refused
from db.models import Account, Role
from tests.make import make_account


@pytest.fixture
def administrator(session):
    return make_account(session, Role.administrator)


@pytest.fixture
def token(session, administrator):
    return sign_ins.redeem(session, sign_ins.begin(session, administrator.username, "", "test"))


def test_a_preview_shows_the_other_account_and_refuses_every_act(session, administrator, token):
    owner = make_account(session, must_change_password=True)
    previews.refuse(session, token)
    previews.begin(session, token, owner.id, by=administrator)
    seen = previews.shown(session, token, administrator)
    assert (seen.id, seen.enterprise_id, seen.must_change_password) == (owner.id, owner.enterprise_id, False)
    with pytest.raises(Refused, match="只能查看"):
        previews.refuse(session, token)
    assert sign_ins.account_of(session, token) is administrator


def test_what_is_previewed_is_a_copy_that_is_never_written(session, administrator, token):
    owner = make_account(session, full_name="沈越")
    previews.begin(session, token, owner.id, by=administrator)
    previews.shown(session, token, administrator).full_name = "别人"
    session.flush()
    session.expire_all()
    assert session.exec(select(Account.full_name).where(Account.id == owner.id)).one() == "沈越"


def test_a_preview_ends_and_both_are_in_the_audit_log(session, administrator, token):
    previews.begin(session, token, make_account(session).id, by=administrator)
    previews.end(session, token)
    previews.end(session, token)
    assert previews.shown(session, token, administrator) is administrator
    actions = [one["action"] for one in audit.waiting(session)]
    assert [one for one in actions if "预览" in one] == ["开始预览", "结束预览"]


def test_only_this_browser_previews(session, administrator, token):
    other = sign_ins.redeem(session, sign_ins.begin(session, administrator.username, "", "other"))
    previews.begin(session, token, make_account(session).id, by=administrator)
    assert previews.shown(session, other, administrator) is administrator


@pytest.mark.parametrize("values", [{"role": Role.administrator}, {"is_active": False}])
def test_another_administrator_or_a_suspended_account_is_not_previewed(session, administrator, token, values):
    other = make_account(session, **{"role": Role.reviewer, **values})
    with pytest.raises(Refused, match="另选一个"):
        previews.begin(session, token, other.id, by=administrator)


def test_previews_are_for_administrators_and_their_own_browser(session, administrator, token):
    clerk = make_account(session, Role.supervisor)
    with pytest.raises(Refused):
        previews.begin(session, token, clerk.id, by=clerk)
    second = make_account(session, Role.administrator)
    with pytest.raises(Refused, match="登录已失效"):
        previews.begin(session, token, clerk.id, by=second)
    with pytest.raises(NotFound):
        previews.begin(session, token, 999, by=administrator)
