"""自动核对: which other records a registration is like, and the place within its code."""

import pytest

from db import likeness, reviews
from db.models import Enterprise, RegistrationStatus, Role
from tests.make import PERSON, make_account, make_enterprise, make_registration
from tests.test_registrations import OTHER_CODE, submitted

pytestmark = pytest.mark.usefixtures("quick")


def alike(session, registration, reviewer):
    return likeness.alike(session, registration.id, by=reviewer)


def test_the_reviewer_learns_which_units_are_alike_and_in_what(session, reviewer):
    names = ("杭州明达锅炉有限公司", "杭州（明达） 锅炉有限责任公司", "杭州海天机械厂")
    mobiles = ("13900139000", "13900139001", "13800138000")
    for name, mobile in zip(names, mobiles, strict=True):
        make_enterprise(session, name, mobile=mobile)
    make_enterprise(session, "浙江明达集团", mobile="13900139002", credit_code="60003734-1")
    said = alike(session, submitted(session), reviewer)
    assert [sentence.split("（9")[0] for sentence in said] == [
        "名称相同：已注册单位 杭州明达锅炉有限公司",
        "名称相近：已注册单位 杭州（明达） 锅炉有限责任公司",
        "手机号相同：已注册单位 杭州海天机械厂",
        "代码相同：已注册单位 浙江明达集团（60003734-1）",
    ]


def test_the_reviewer_learns_which_registrations_are_alike(session, reviewer):
    declined = submitted(session)
    reviews.decline(session, declined.id, by=reviewer, reason="该单位不在本辖区")
    other = submitted(session, credit_code=OTHER_CODE, username="mingda2", name="杭州明达锅炉有限责任公司")
    stranger = submitted(
        session, credit_code="10000018-X", username="kangtai", name="康泰", mobile="13700137000"
    )
    said = alike(session, submitted(session, username="mingda3"), reviewer)
    assert said == [
        f"名称相近、手机号相同：注册申请 {other.number} 杭州明达锅炉有限责任公司（待审核）",
        f"代码相同、名称相同、手机号相同：注册申请 {declined.number} 杭州明达锅炉有限公司（不予通过）",
    ]
    assert alike(session, stranger, reviewer) == []


def test_the_reviewer_learns_whose_account_has_the_number(session, reviewer):
    make_account(session, Role.personal, full_name="王伟", username="wangwei", mobile="13800138000")
    owner = make_account(
        session, full_name="陈建", username="chenjian", mobile="13800138000", is_active=False
    )
    session.get_one(Enterprise, owner.enterprise_id).mobile = "13900139000"
    session.flush()
    assert alike(session, submitted(session), reviewer) == [
        "手机号相同：个人用户账号 王伟（wangwei，可登录）",
        "手机号相同：使用单位账号 陈建（chenjian，已停用）",
    ]


def test_a_person_is_compared_by_the_number_alone(session, reviewer):
    make_enterprise(session, "王伟", mobile="13900139000")
    make_account(session, Role.personal, full_name="王伟", username="ww", mobile="13900139000")
    other = make_registration(session, PERSON, username="wangwei2")
    assert alike(session, make_registration(session, PERSON), reviewer) == [
        f"名称相同、手机号相同：注册申请 {other.number} 王伟（待审核）",
        "手机号相同：个人用户账号 王伟（ww，可登录）",
    ]


def test_a_person_is_named_in_full_only_to_who_decides(session, reviewer):
    supervisor = make_account(session, Role.supervisor)
    make_account(session, Role.personal, full_name="王伟", username="ww", mobile="13900139000")
    make_registration(session, PERSON, username="wangwei2")
    asked = make_registration(session, PERSON)
    for by, name in ((reviewer, "王伟"), (supervisor, "王*")):
        assert [row.name for row in reviews.page(session, by=by)[0]] == [name, name]
        assert [name in sentence for sentence in alike(session, asked, by)] == [True, True]
    reviews.decline(session, asked.id, by=reviewer, reason="不是本人")
    session.refresh(asked)
    rows, _ = reviews.page(session, by=reviewer, status=RegistrationStatus.declined)
    assert [row.name for row in rows] == ["王*"]
    assert "王伟" not in "".join(alike(session, asked, reviewer))


def test_an_approved_enterprise_is_not_like_itself(session, reviewer):
    registration = submitted(session)
    reviews.approve(session, registration.id, by=reviewer)
    session.refresh(registration)
    assert likeness.alike(session, registration.id, by=reviewer) == []


@pytest.mark.parametrize(
    ("code", "place"),
    [("91330106MA2CGRJH2A", "浙江省杭州市西湖区"), ("91999999MA2CGRJH2A", ""), ("60003734-1", "")],
)
def test_the_division_within_a_code_is_read(session, code, place):
    assert likeness.place_in_code(session, code) == place
