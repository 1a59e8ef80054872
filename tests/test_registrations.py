"""企业注册: applying, following, answering, reviewing."""

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import select

from db import accounts, checks, passwords, registrations, workdays
from db.engine import transaction
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Account,
    Division,
    Enterprise,
    Level,
    Notification,
    RegistrationStatus,
    Role,
    SignInAttempt,
)
from tests.conftest import NOW
from tests.make import HANGZHOU, XIHU, make_account, make_enterprise

CODE = "91110000600037341L"
OTHER_CODE = "91110108551385082Q"
TYPED = {
    "name": "杭州明达锅炉有限公司",
    "credit_code": CODE,
    "division_code": XIHU,
    "mobile": "138 0013 8000",
    "contact_name": "陈建国",
    "address": "文三路 90 号",
    "username": "mingda",
    "password": "Guolu-2026",
    "repeated": "Guolu-2026",
}
HERE = "10.1.2.3"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Hashing as fast as bcrypt goes."""
    monkeypatch.setattr(passwords, "COST", 4)


@pytest.fixture
def later(monkeypatch):
    """Sets the clock so many hours after the moment the tests start from."""

    def move(hours: float):
        moment = datetime.fromisoformat(NOW) + timedelta(hours=hours)
        monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())

    return move


@pytest.fixture
def reviewer(session):
    return make_account(session, Role.reviewer, full_name="周晓雯")


def submitted(session, **values):
    return registrations.submit(session, TYPED | values)


def sent_back(session, reviewer, reason="请填写营业执照上的全称"):
    registration = submitted(session)
    registrations.send_back(session, registration.id, by=reviewer, reason=reason)
    session.refresh(registration)
    return registration


def resubmit(session, **values):
    known = (CODE, "13800138000", TYPED["password"])
    return registrations.resubmit(session, *known, TYPED | values, "已改为全称")


def problems(session, **values):
    return registrations.look_over(session, TYPED | values).problems


def test_a_complete_application_has_no_problems(session):
    assert problems(session) == {}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", " ", "请填写“企业名称”"),
        ("name", "锅" * 121, "最多 120 个字"),
        ("credit_code", "91110000600037341X", "校验位不对"),
        ("credit_code", "9111000060003734", "现为 16 位"),
        ("mobile", "12800138000", "13 至 19 开头"),
        ("contact_name", "", "请填写“联系人”"),
        ("address", "文三路\x00", "控制字符"),
        ("division_code", None, "选到区县一级"),
        ("division_code", HANGZHOU, "选到区县一级"),
        ("division_code", "999999", "选到区县一级"),
        ("username", "陈", "3 至 40 个"),
        ("password", "guolu", "8 至 64 个字符"),
        ("repeated", "Guolu-2027", "两次输入的密码不一致"),
    ],
)
def test_each_field_says_what_is_wrong_with_it(session, field, value, sentence):
    assert sentence in problems(session, **{field: value})[field]


def test_a_letter_misread_for_a_digit_is_offered_back(session):
    form = registrations.look_over(session, TYPED | {"credit_code": "911100006OOO37341L"})
    assert form.suggestions == {"credit_code": CODE}
    assert "O" in form.problems["credit_code"]


def test_an_organization_code_will_do(session):
    assert problems(session, credit_code="60003734-1") == {}


def test_a_retired_division_cannot_be_chosen(session):
    retired = Division(
        code="330103", name="下城区", full_name="浙江省杭州市下城区", level=Level.county, parent_code=HANGZHOU
    )
    retired.retired_on = date(2021, 4, 9)
    session.add(retired)
    session.flush()
    assert "所在地" in problems(session, division_code="330103")["division_code"]


def test_who_is_registered_is_sent_to_the_sign_in(session):
    make_enterprise(session, credit_code=CODE)
    assert problems(session)["credit_code"] == registrations.REGISTERED


def test_a_user_name_taken_or_applied_for_is_not_free(session):
    make_account(session, username="mingda")
    submitted(session, username="mingda2")
    assert problems(session, username="MINGDA")["username"] == accounts.TAKEN
    assert problems(session, username="mingda2")["username"] == accounts.TAKEN


def test_submitting_keeps_the_folded_values_and_a_hash(session):
    registration = submitted(session, credit_code="91110000600037341l", username=" MingDa ")
    assert registration.number == "ZC20261123-0001"
    assert registration.status == RegistrationStatus.submitted
    assert (registration.credit_code, registration.mobile) == (CODE, "13800138000")
    assert registration.username == "mingda"
    assert passwords.matches(TYPED["password"], registration.password_hash)
    assert [row.action for row in registrations.history(session, registration)] == ["submit"]


def test_submitting_names_every_wrong_field_at_once(session):
    with pytest.raises(Refused) as refusal:
        submitted(session, name="", mobile="1", username="x")
    assert list(refusal.value.problems) == ["name", "mobile", "username"]


def test_a_code_under_review_cannot_be_submitted_again(session):
    submitted(session)
    with pytest.raises(Refused, match="正在办理"):
        submitted(session, username="mingda2")


def test_after_a_refusal_the_code_may_be_submitted_again(session, reviewer):
    first = submitted(session)
    registrations.decline(session, first.id, by=reviewer, reason="该单位不在本辖区")
    second = submitted(session)
    assert registrations.follow(session, CODE, "13800138000").id == second.id


def test_following_takes_the_code_and_the_mobile_number(session):
    registration = submitted(session)
    assert registrations.follow(session, " 91110000600037341l ", "+86 138 0013 8000").id == registration.id


@pytest.mark.parametrize(("code", "mobile"), [(CODE, "13900139000"), (OTHER_CODE, "13800138000")])
def test_following_with_only_one_of_them_finds_nothing(session, code, mobile):
    submitted(session)
    with pytest.raises(Refused, match="没有找到"):
        registrations.follow(session, code, mobile)
    assert not registrations.is_there(session, code, mobile, HERE)


def test_following_with_a_malformed_number_says_so(session):
    with pytest.raises(Refused, match="手机号应为 11 位"):
        registrations.follow(session, CODE, "1380013800")


def test_the_sixth_wrong_look_up_has_to_wait(session):
    submitted(session)
    for last in range(5):
        assert not registrations.is_there(session, CODE, f"1390013900{last}", "")
    with pytest.raises(Refused, match="请 15 分钟后再试"):
        registrations.is_there(session, CODE, "13800138000", "")


def test_a_look_up_that_succeeds_starts_the_count_anew(session):
    submitted(session)
    for _ in range(12):
        assert registrations.is_there(session, CODE, "13800138000", HERE)
    failed = select(SignInAttempt).where(~SignInAttempt.has_succeeded)
    assert session.exec(failed).all() == []


def test_one_address_cannot_try_code_after_code(session):
    for number in range(30):
        session.add(SignInAttempt(username=f"注册查询 {number}", address=HERE))
    session.flush()
    with pytest.raises(Refused, match="查询失败次数过多"):
        registrations.is_there(session, CODE, "13800138000", HERE)


def test_the_password_is_tried_five_times(session, reviewer):
    sent_back(session, reviewer)
    assert registrations.is_password(session, CODE, "13800138000", TYPED["password"], HERE)
    for _ in range(5):
        assert not registrations.is_password(session, CODE, "13800138000", "Guolu-2020", HERE)
    with pytest.raises(Refused, match="分钟后再试"):
        registrations.is_password(session, CODE, "13800138000", TYPED["password"], HERE)


def test_the_deadline_is_two_working_days_after_it_was_handed_in(session, later):
    assert str(registrations.deadline(session, submitted(session))) == "2026-11-25"
    later(24 * 37 + 6)
    registration = submitted(session, credit_code=OTHER_CODE, username="mingda2")
    assert str(registrations.deadline(session, registration)) == f"2027-01-01（{workdays.ESTIMATED}）"


def test_a_correction_is_handed_in_with_an_answer(session, reviewer, later):
    registration = sent_back(session, reviewer)
    later(3)
    resubmit(session, name="杭州明达锅炉制造有限公司", mobile="13900139000", username="mingda.gl")
    assert registration.status == RegistrationStatus.submitted
    assert (registration.name, registration.mobile) == ("杭州明达锅炉制造有限公司", "13900139000")
    assert (registration.username, registration.version) == ("mingda.gl", 2)
    assert registration.submitted_at == datetime.fromisoformat(NOW) + timedelta(hours=3)
    last = registrations.history(session, registration)[-1]
    assert (last.action, last.note, last.by_name) == ("resubmit", "已改为全称", None)


def test_a_correction_needs_the_password(session, reviewer):
    sent_back(session, reviewer)
    with pytest.raises(Refused, match="注册时设置的密码不正确"):
        registrations.resubmit(session, CODE, "13800138000", "Guolu-2020", TYPED, "")


def test_a_correction_obeys_the_same_rules(session, reviewer):
    sent_back(session, reviewer)
    with pytest.raises(Refused) as refusal:
        resubmit(session, credit_code="91110000600037341X", contact_name="")
    assert list(refusal.value.problems) == ["credit_code", "contact_name"]


def test_a_correction_cannot_take_the_code_of_another_application(session, reviewer):
    submitted(session, credit_code=OTHER_CODE, username="haitian")
    sent_back(session, reviewer)
    with pytest.raises(Refused, match="正在办理"):
        resubmit(session, credit_code=OTHER_CODE)


def test_only_what_was_sent_back_can_be_corrected(session):
    submitted(session)
    with pytest.raises(Refused, match="当前状态为“待审核”"):
        resubmit(session)


def test_the_queue_has_urgent_ones_first_then_the_oldest(session, reviewer, later):
    first = submitted(session)
    later(1)
    second = submitted(session, credit_code=OTHER_CODE, username="haitian")
    later(2)
    third = submitted(session, credit_code="60003734-1", username="kangtai", is_urgent=True)
    rows = registrations.queue(session, by=reviewer)
    assert [row.id for row in rows] == [third.id, first.id, second.id]
    assert rows[1].division == "浙江省杭州市西湖区"


@pytest.mark.parametrize(("hours", "left"), [(0, 2), (24, 1), (48, 0), (72, -1), (24 * 5, -2), (24 * 7, -3)])
def test_the_clock_counts_working_days(session, reviewer, later, hours, left):
    submitted(session)
    later(hours)
    assert registrations.queue(session, by=reviewer)[0].working_days_left == left


def test_what_was_decided_comes_latest_first(session, reviewer, later):
    first = submitted(session)
    second = submitted(session, credit_code=OTHER_CODE, username="haitian", is_urgent=True)
    registrations.decline(session, second.id, by=reviewer, reason="该单位不在本辖区")
    later(1)
    registrations.decline(session, first.id, by=reviewer, reason="该单位不在本辖区")
    rows = registrations.queue(session, by=reviewer, status=RegistrationStatus.declined)
    assert [row.id for row in rows] == [first.id, second.id]
    assert rows[0].decided_at == datetime.fromisoformat(NOW) + timedelta(hours=1)


def test_the_queue_and_the_counts_end_at_the_area(session, reviewer):
    submitted(session)
    stranger = make_account(session, Role.reviewer, division_code="330200")
    assert registrations.counts(session, by=reviewer)[RegistrationStatus.submitted] == 1
    assert registrations.counts(session, by=stranger)[RegistrationStatus.submitted] == 0
    assert registrations.queue(session, by=stranger) == []


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.administrator])
def test_the_queue_is_for_the_bureau_alone(session, role):
    account = make_account(session, role)
    for query in (registrations.queue, registrations.counts):
        with pytest.raises(Refused, match="不能执行此操作"):
            query(session, by=account)


def test_a_registration_of_another_area_does_not_exist(session):
    registration = submitted(session)
    stranger = make_account(session, Role.reviewer, division_code="330200")
    for act in (registrations.find, registrations.alike, registrations.approve):
        with pytest.raises(NotFound):
            act(session, registration.id, by=stranger)


def test_the_reviewer_learns_who_carries_the_same_name_or_number(session, reviewer):
    make_enterprise(session, TYPED["name"], mobile="13900139000")
    make_enterprise(session, "杭州海天机械厂", mobile="13800138000")
    registration = submitted(session)
    assert registrations.alike(session, registration.id, by=reviewer) == [
        "已有同名单位：杭州明达锅炉有限公司",
        "手机号与已注册单位相同：杭州海天机械厂",
    ]


def test_an_approved_enterprise_is_not_like_itself(session, reviewer):
    registration = submitted(session)
    registrations.approve(session, registration.id, by=reviewer)
    session.refresh(registration)
    assert registrations.alike(session, registration.id, by=reviewer) == []


@pytest.mark.parametrize(
    ("code", "place"),
    [("91330106MA2CGRJH2A", "浙江省杭州市西湖区"), ("91999999MA2CGRJH2A", ""), ("60003734-1", "")],
)
def test_the_division_within_a_code_is_read(session, code, place):
    assert registrations.place_in_code(session, code) == place


def test_approving_makes_the_enterprise_and_its_account(session, reviewer):
    registration = submitted(session)
    enterprise = registrations.approve(session, registration.id, by=reviewer)
    owner = session.exec(select(Account).where(Account.username == "mingda")).one()
    assert (enterprise.credit_code, enterprise.division_code) == (CODE, XIHU)
    assert (owner.role, owner.enterprise_id, owner.full_name) == (Role.enterprise, enterprise.id, "陈建国")
    assert passwords.matches(TYPED["password"], owner.password_hash)
    session.refresh(registration)
    assert registration.status == RegistrationStatus.approved
    assert registration.enterprise_id == enterprise.id
    assert checks.findings(session) == []


def test_nobody_but_a_reviewer_decides(session):
    registration = submitted(session)
    supervisor = make_account(session, Role.supervisor)
    with pytest.raises(Refused, match="监管人员不能执行“通过”"):
        registrations.approve(session, registration.id, by=supervisor)


def test_a_code_registered_meanwhile_cannot_be_approved(session, reviewer):
    registration = submitted(session)
    make_enterprise(session, credit_code=CODE)
    with pytest.raises(Refused, match="已注册"):
        registrations.approve(session, registration.id, by=reviewer)


def test_a_user_name_taken_meanwhile_is_sent_back_to_be_changed(session, reviewer):
    registration = submitted(session)
    make_account(session, username="mingda")
    with pytest.raises(Refused, match="请退回补正"):
        registrations.approve(session, registration.id, by=reviewer)
    registrations.send_back(session, registration.id, by=reviewer, reason="账号名已被他人使用，请换一个")
    session.refresh(registration)
    resubmit(session, username="mingda.gl")
    assert registrations.approve(session, registration.id, by=reviewer).credit_code == CODE


@pytest.mark.parametrize("decide", [registrations.send_back, registrations.decline])
def test_sending_back_and_declining_need_a_reason(session, reviewer, decide):
    registration = submitted(session)
    with pytest.raises(Refused, match="请填写理由"):
        decide(session, registration.id, by=reviewer, reason=" ")
    with pytest.raises(Refused, match="最多 500 个字"):
        decide(session, registration.id, by=reviewer, reason="错" * 501)


def test_a_reason_stays_for_the_applicant_to_read(session, reviewer):
    registration = sent_back(session, reviewer)
    last = registrations.history(session, registration)[-1]
    assert (last.action, last.note, last.by_name) == ("send_back", "请填写营业执照上的全称", "周晓雯")


def test_what_is_decided_is_not_decided_again(session, reviewer):
    registration = submitted(session)
    registrations.decline(session, registration.id, by=reviewer, reason="该单位不在本辖区")
    session.refresh(registration)
    with pytest.raises(Refused, match="当前状态为“不予通过”"):
        registrations.approve(session, registration.id, by=reviewer)


def test_the_second_of_two_reviewers_is_told_so(session, reviewer):
    registration = submitted(session)
    session.commit()
    with transaction() as other:
        registrations.decline(other, registration.id, by=reviewer, reason="该单位不在本辖区")
    with pytest.raises(Conflict, match="请刷新后重试"):
        registrations.approve(session, registration.id, by=reviewer)
    session.rollback()
    assert session.exec(select(Enterprise)).all() == []


def test_every_decision_is_told_to_the_applicant_by_message(session, reviewer):
    registration = sent_back(session, reviewer)
    resubmit(session)
    registrations.approve(session, registration.id, by=reviewer)
    rows = session.exec(select(Notification).order_by(Notification.id)).all()
    assert {(row.recipient, row.division_code) for row in rows} == {("13800138000", XIHU)}
    assert ["被退回补正" in rows[0].text, "请用账号“mingda”登录" in rows[1].text] == [True, True]


def test_a_decision_that_fails_tells_nobody(database):
    with transaction() as session:
        reviewer, registration = make_account(session, Role.reviewer), submitted(session)
    with pytest.raises(Refused), transaction() as session:
        registrations.decline(session, registration.id, by=reviewer, reason=" ")
    with transaction() as session:
        assert session.exec(select(Notification)).all() == []
