"""以该身份预览: the other account's pages, and no right to change."""

from functools import partial

import pytest
from sqlmodel import select

from db import audit, ledger, previews, sign_ins
from db.errors import NotFound, Refused
from db.models import Account, Role
from tests.make import XIHU, make_account, make_enterprise, make_institution, make_instrument


@pytest.fixture
def administrator(session):
    return make_account(session, Role.administrator)


@pytest.fixture
def token(session, administrator):
    return sign_ins.redeem(
        session, sign_ins.begin(session, administrator.username, administrator.password_hash, "", "test")
    )


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
    noted = [(one["action"], one["account_id"]) for one in audit.waiting(session) if "预览" in one["action"]]
    assert noted == [("开始预览", administrator.id), ("结束预览", administrator.id)]


def test_only_this_browser_previews(session, administrator, token):
    other = sign_ins.redeem(
        session, sign_ins.begin(session, administrator.username, administrator.password_hash, "", "other")
    )
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


def test_a_role_is_previewed_without_any_such_account(session, administrator, token):
    make_instrument(session, make_account(session))
    previews.begin_as(session, token, Role.reviewer, by=administrator, division_code=XIHU)
    seen = previews.shown(session, token, administrator)
    assert (seen.id, seen.role, seen.division_code) == (0, Role.reviewer, XIHU)
    assert seen.full_name.endswith("西湖区")
    assert ledger.count(session, ledger.Filters(), by=seen)
    with pytest.raises(Refused, match="只能查看"):
        previews.refuse(session, token)
    assert session.get(Account, 0) is None


def test_the_place_of_a_role_is_one_that_is_there(session, administrator, token):
    enterprise = make_enterprise(session, "杭州西溪人民医院")
    institution = make_institution(session)
    begin = partial(previews.begin_as, session, token, by=administrator)
    for word in (enterprise.name, f" {enterprise.credit_code} "):
        assert begin(Role.enterprise, enterprise=word).enterprise_id == enterprise.id
    seen = begin(Role.institution, institution_id=institution.id)
    assert (seen.institution_id, seen.full_name) == (institution.id, institution.name)
    assert begin(Role.supervisor).full_name == "全部区域"
    assert begin(Role.personal).division_code is None


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.enterprise, {"enterprise": "没有的厂"}),
        (Role.institution, {}),
        (Role.reviewer, {"division_code": "999999"}),
        (Role.administrator, {}),
    ],
)
def test_a_place_that_is_not_there_is_refused(session, administrator, token, role, place):
    with pytest.raises(Refused, match="请"):
        previews.begin_as(session, token, role, by=administrator, **place)
    assert previews.shown(session, token, administrator) is administrator


def test_a_preview_of_a_role_ends_and_both_are_in_the_audit_log(session, administrator, token):
    previews.begin(session, token, make_account(session).id, by=administrator)
    previews.begin_as(session, token, Role.supervisor, by=administrator)
    previews.end(session, token)
    previews.end(session, token)
    assert previews.shown(session, token, administrator) is administrator
    previews.refuse(session, token)
    told = [(one["action"], one["note"]) for one in audit.waiting(session)][-2:]
    assert told == [("开始预览", "监管人员 全部区域"), ("结束预览", "监管人员 全部区域")]


def test_a_role_is_previewed_by_administrators_in_their_own_browser_only(session, administrator, token):
    clerk, second = make_account(session, Role.supervisor), make_account(session, Role.administrator)
    with pytest.raises(Refused, match="不能执行"):
        previews.begin_as(session, token, Role.reviewer, by=clerk)
    with pytest.raises(Refused, match="登录已失效"):
        previews.begin_as(session, token, Role.reviewer, by=second)
