"""Changes of accounts: what an administrator may change, and what it ends."""

import pytest

from db import account_changes, sign_ins
from db.errors import NotFound, Refused
from db.models import Role
from tests.make import HANGZHOU, XIHU, make_account, make_enterprise, make_institution, make_link


@pytest.fixture
def administrator(session):
    return make_account(session, Role.administrator)


def change(session, account, by, **values):
    same = {"full_name": account.full_name, "mobile": None, "role": account.role}
    return account_changes.change(session, account.id, by=by, **{**same, **values})


def signed_in(session, account):
    return sign_ins.redeem(
        session, sign_ins.begin(session, account.username, account.password_hash, "", "test")
    )


def test_name_and_number_are_changed_without_ending_a_sign_in(session, administrator):
    clerk = make_account(session, Role.supervisor)
    token = signed_in(session, clerk)
    change(session, clerk, administrator, full_name="李敏", mobile="138 0013 8000", division_code=HANGZHOU)
    assert (clerk.full_name, clerk.mobile) == ("李敏", "13800138000")
    assert sign_ins.account_of(session, token) is clerk


@pytest.mark.parametrize("values", [{"role": Role.supervisor}, {"division_code": XIHU}])
def test_another_role_or_area_ends_every_sign_in(session, administrator, values):
    clerk = make_account(session, Role.reviewer)
    token = signed_in(session, clerk)
    change(session, clerk, administrator, **{"division_code": HANGZHOU, **values})
    assert sign_ins.account_of(session, token) is None


def test_another_institution_ends_every_sign_in(session, administrator):
    clerk, other = make_account(session, Role.institution), make_institution(session, "余杭区计量检定所")
    token = signed_in(session, clerk)
    change(session, clerk, administrator, institution_id=other.id)
    assert clerk.institution_id == other.id
    assert sign_ins.account_of(session, token) is None


def test_what_belongs_to_the_former_role_is_gone(session, administrator):
    clerk = make_account(session, Role.institution)
    change(session, clerk, administrator, role=Role.reviewer, division_code=XIHU)
    assert (clerk.institution_id, clerk.division_code) == (None, XIHU)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"full_name": " "}, "full_name"),
        ({"mobile": "12345"}, "mobile"),
        ({"role": Role.enterprise}, "role"),
        ({"role": Role.institution}, "institution_id"),
        ({"division_code": "999999"}, "division_code"),
    ],
)
def test_every_wrong_value_is_named(session, administrator, values, field):
    clerk = make_account(session, Role.reviewer)
    with pytest.raises(Refused) as refusal:
        change(session, clerk, administrator, **values)
    assert field in refusal.value.problems


def test_an_enterprise_account_stays_one(session, administrator):
    owner = make_account(session)
    with pytest.raises(Refused, match="不能与其他身份互换"):
        change(session, owner, administrator, role=Role.supervisor)


def test_an_administrator_is_always_left(session, administrator):
    with pytest.raises(Refused, match="不能修改自己的身份"):
        change(session, administrator, administrator, role=Role.reviewer)


def test_what_hangs_on_an_account_is_told(session, administrator):
    owner, person = make_account(session), make_account(session, Role.personal)
    clerk, reviewer = make_account(session, Role.institution), make_account(session, Role.reviewer)
    make_link(session, person, make_enterprise(session))
    said = [account_changes.dependents(session, one.id, by=administrator) for one in (owner, person, clerk)]
    assert ["唯一" in said[0][0], "1 家企业授权" in said[1][0], "唯一" in said[2][0]] == [True] * 3
    assert "唯一" in account_changes.dependents(session, reviewer.id, by=administrator)[0]
    make_account(session, Role.reviewer)
    assert account_changes.dependents(session, reviewer.id, by=administrator) == []


def test_accounts_are_for_administrators(session, administrator):
    clerk = make_account(session, Role.reviewer)
    with pytest.raises(Refused):
        change(session, clerk, make_account(session, Role.supervisor))
    with pytest.raises(NotFound):
        account_changes.dependents(session, 999, by=administrator)
