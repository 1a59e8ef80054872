"""Accounts: made, found, changed, suspended."""

import pytest

from db import accounts, passwords, sign_ins
from db.errors import NotFound, Refused
from db.models import Role
from tests.make import (
    HANGZHOU,
    PASSWORD,
    make_account,
    make_enterprise,
    make_institution,
    make_registration,
)

NEW = "Qiantang-2027"


pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def administrator(session):
    return make_account(session, Role.administrator, username="gly", full_name="俞志明")


def created(session, administrator, **values):
    fields = {"username": "zhou", "full_name": "周晓雯", "password": NEW, "role": Role.reviewer}
    return accounts.create(session, by=administrator, **fields | values)


def sign_in(session, account):
    return sign_ins.redeem(
        session, sign_ins.begin(session, account.username, account.password_hash, "", "Chrome")
    )


@pytest.mark.parametrize(("typed", "name"), [(" WANG ", "wang"), ("ｗａｎｇ", "wang"), ("王芳芳", "王芳芳")])
def test_a_user_name_is_folded(typed, name):
    assert accounts.username(typed) == name


@pytest.mark.parametrize("typed", ["", "ab", "a" * 41, "wang fang", "wang/fang", "wang\x00fang", "王芳"])
def test_other_user_names_are_refused(typed):
    with pytest.raises(Refused, match="3 至 40 个"):
        accounts.username(typed)


def test_a_name_applied_for_is_taken_but_for_its_own_application(session):
    registration = make_registration(session)
    assert accounts.is_taken(session, "mingda")
    assert not accounts.is_taken(session, "mingda", registration.id)
    assert not accounts.is_taken(session, "mingda2")


def test_the_first_administrator_is_the_first_account(session):
    assert accounts.is_empty(session)
    made = accounts.create_first_administrator(session, username="gly", full_name="俞志明", password=NEW)
    assert (made.role, made.must_change_password) == (Role.administrator, False)
    with pytest.raises(Refused, match="系统已有账号"):
        accounts.create_first_administrator(session, username="gly2", full_name="俞志明", password=NEW)


def test_the_command_line_may_add_an_administrator(session, administrator):
    made = accounts.create_administrator(session, username="gly2", full_name="方强", password=NEW)
    assert made.role == Role.administrator


def test_a_new_account_has_to_change_its_password(session, administrator):
    made = created(session, administrator, division_code=HANGZHOU, mobile="138 0013 8000")
    assert (made.username, made.division_code, made.mobile) == ("zhou", HANGZHOU, "13800138000")
    assert made.must_change_password
    assert passwords.matches(NEW, made.password_hash)


def test_only_staff_of_the_bureau_have_an_area_and_clerks_an_institution(session, administrator):
    institution = make_institution(session)
    clerk = created(
        session,
        administrator,
        role=Role.institution,
        institution_id=institution.id,
        division_code=HANGZHOU,
    )
    person = created(
        session, administrator, role=Role.personal, username="chen", institution_id=institution.id
    )
    assert (clerk.institution_id, clerk.division_code) == (institution.id, None)
    assert person.institution_id is None


def test_every_wrong_field_is_named_at_once(session, administrator):
    with pytest.raises(Refused) as refusal:
        created(
            session,
            administrator,
            role=Role.institution,
            username="z",
            full_name="",
            mobile="1",
            password="kurz",
            division_code="999999",
        )
    named = ["institution_id", "division_code", "username", "full_name", "mobile", "password"]
    assert list(refusal.value.problems) == named


def test_a_taken_name_is_refused(session, administrator):
    with pytest.raises(Refused, match="已被使用"):
        created(session, administrator, username="GLY")


def test_an_enterprise_account_comes_from_a_registration(session, administrator):
    with pytest.raises(Refused, match="须经企业注册和审核产生"):
        created(session, administrator, role=Role.enterprise)


def test_nobody_but_an_administrator_manages_accounts(session):
    account = make_account(session)
    for role in (Role.enterprise, Role.personal, Role.institution, Role.reviewer, Role.supervisor):
        stranger = make_account(session, role)
        for act in (
            lambda by: created(session, by),
            lambda by: accounts.reset_password(session, account.id, NEW, by=by),
            lambda by: accounts.suspend(session, account.id, by=by),
            lambda by: accounts.resume(session, account.id, by=by),
            lambda by: accounts.page(session, by=by),
            lambda by: accounts.counts(session, by=by),
        ):
            with pytest.raises(Refused, match="不能执行此操作"):
                act(stranger)


def test_changing_the_password_ends_the_other_sign_ins(session):
    account = make_account(session, must_change_password=True)
    here, elsewhere = sign_in(session, account), sign_in(session, account)
    accounts.change_password(session, by=account, current=PASSWORD, new=NEW, token=here)
    assert passwords.matches(NEW, account.password_hash)
    assert not account.must_change_password
    assert sign_ins.account_of(session, here)
    assert sign_ins.account_of(session, elsewhere) is None


@pytest.mark.parametrize(("new", "sentence"), [(PASSWORD, "不能与当前密码相同"), ("kurz", "8 至 64 个字符")])
def test_a_weak_password_changes_nothing(session, new, sentence):
    account = make_account(session)
    with pytest.raises(Refused, match=sentence):
        accounts.change_password(session, by=account, current=PASSWORD, new=new)
    assert passwords.matches(PASSWORD, account.password_hash)


def test_guesses_at_the_current_password_are_counted(session):
    account = make_account(session)
    guess = {"by": account, "new": NEW, "address": "10.1.2.3"}
    for _ in range(5):
        assert not accounts.change_password(session, current="Guolu-2020", **guess)
    with pytest.raises(Refused, match="输错次数过多"):
        accounts.change_password(session, current=PASSWORD, **guess)
    assert passwords.matches(PASSWORD, account.password_hash)
    assert sign_ins.credential(session, account.username, "10.1.2.4") == account.password_hash


def test_a_reset_gives_a_passing_password_and_ends_every_sign_in(session, administrator):
    account = make_account(session)
    token = sign_in(session, account)
    accounts.reset_password(session, account.id, NEW, by=administrator)
    assert passwords.matches(NEW, account.password_hash)
    assert account.must_change_password
    assert sign_ins.account_of(session, token) is None


def test_a_reset_obeys_the_rules_and_is_not_for_oneself(session, administrator):
    account = make_account(session)
    with pytest.raises(Refused, match="8 至 64 个字符"):
        accounts.reset_password(session, account.id, "kurz", by=administrator)
    with pytest.raises(Refused, match="个人中心"):
        accounts.reset_password(session, administrator.id, NEW, by=administrator)
    with pytest.raises(NotFound):
        accounts.reset_password(session, 999, NEW, by=administrator)


def test_a_suspended_account_is_out_at_once_and_may_come_back(session, administrator):
    account = make_account(session)
    token = sign_in(session, account)
    accounts.suspend(session, account.id, by=administrator)
    assert sign_ins.account_of(session, token) is None
    with pytest.raises(Refused):
        sign_in(session, account)
    accounts.resume(session, account.id, by=administrator)
    assert sign_ins.account_of(session, sign_in(session, account)) is account


def test_administrators_cannot_suspend_themselves(session, administrator):
    with pytest.raises(Refused, match="不能停用自己"):
        accounts.suspend(session, administrator.id, by=administrator)
    with pytest.raises(NotFound):
        accounts.suspend(session, 999, by=administrator)


def test_a_suspended_administrator_manages_nothing(session, administrator):
    account = make_account(session)
    administrator.is_active = False
    with pytest.raises(Refused, match="不能执行此操作"):
        accounts.suspend(session, account.id, by=administrator)


def test_people_correct_their_own_name_and_number(session):
    account = make_account(session)
    accounts.edit_profile(session, by=account, full_name=" 王芳 ", mobile="+86 138 0013 8000")
    assert (account.full_name, account.mobile) == ("王芳", "13800138000")
    with pytest.raises(Refused) as refusal:
        accounts.edit_profile(session, by=account, full_name="", mobile="138")
    assert list(refusal.value.problems) == ["full_name", "mobile"]


def test_accounts_are_counted_by_role(session, administrator):
    make_account(session, Role.personal)
    make_account(session, Role.personal, is_active=False)
    counts = accounts.counts(session, by=administrator)
    assert (counts[Role.personal], counts[Role.administrator]) == ((1, 1), (1, 0))
    assert counts[Role.supervisor] == (0, 0)


def test_accounts_are_found_by_name_person_and_whom_they_belong_to(session, administrator):
    enterprise = make_enterprise(session, "杭州明达锅炉厂")
    institution = make_institution(session, "西湖区计量检定所")
    make_account(session, username="mingda", full_name="陈建国", enterprise_id=enterprise.id)
    make_account(session, Role.institution, username="xhjl", full_name="李敏", institution_id=institution.id)
    make_account(session, Role.reviewer, username="zhou", full_name="周晓雯", division_code=HANGZHOU)

    def found(text):
        return [row.username for row in accounts.page(session, by=administrator, text=text)[0]]

    assert found("mingda") == ["mingda"]
    assert found(" 李敏 ") == ["xhjl"]
    assert found("西湖区计量") == ["xhjl"]
    assert found("浙江省杭州") == ["zhou"]
    assert found("%") == found("没有") == []


def test_accounts_come_by_pages_and_by_role(session, administrator):
    for number in range(5):
        make_account(session, Role.personal, username=f"person{number}")
    rows, total = accounts.page(session, by=administrator, role=Role.personal, number=2, size=2)
    assert [row.username for row in rows] == ["person2", "person3"]
    assert total == 5
    assert accounts.page(session, by=administrator, number=9)[0] == []
