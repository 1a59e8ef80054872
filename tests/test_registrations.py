"""企业注册 and 个人注册: applying, following, answering."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import select

from db import accounts, attachments, passwords, registrations, reviews, sign_ins, workdays
from db.engine import transaction
from db.errors import Refused
from db.models import Attachment, Division, Level, RegistrationStatus, Role, SignInAttempt
from db.registrations import Key
from tests.conftest import NOW
from tests.make import (
    APPLICATION,
    HANGZHOU,
    PERSON,
    PNG,
    make_account,
    make_enterprise,
    make_registration,
)

CODE = "91110000600037341L"
OTHER_CODE = "91110108551385082Q"
TYPED = APPLICATION
KEY = Key(Role.enterprise, CODE, "13800138000")
HERE = "10.1.2.3"


pytestmark = pytest.mark.usefixtures("quick")


def submitted(session, **values):
    return make_registration(session, **values)


def sent_back(session, reviewer, reason="请填写营业执照上的全称"):
    registration = submitted(session)
    reviews.send_back(session, registration.id, by=reviewer, reason=reason)
    session.refresh(registration)
    return registration


def resubmit(session, **values):
    return registrations.resubmit(session, KEY, TYPED["password"], TYPED | values, "已改为全称")


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
        ("licence", b"", "请上传营业执照扫描件"),
        ("licence", "data.png", "请上传营业执照扫描件"),
        ("licence", b"<svg onload=alert(1)>", "不是 JPG、PNG 图片或 PDF 文件"),
        ("licence", PNG + bytes(10 << 20), "不能超过 10 MB"),
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


def handed_in(session, number, address=HERE, **values):
    """The registration of one of many persons."""
    person = {"username": f"person{number}", "mobile": f"139{number:08}"}
    typed = PERSON | person | values
    return registrations.submit(session, typed, "hash", address)


def test_a_number_has_five_registrations_under_way(session, reviewer):
    one, *_ = (handed_in(session, number, mobile="13800138000") for number in range(5))
    assert problems(session)["mobile"] == registrations.NUMBER_TAKEN
    with pytest.raises(Refused, match="该手机号已有 5 份"):
        handed_in(session, 5, "10.9.9.9", mobile="13800138000")
    assert handed_in(session, 5)
    # Those handed in already can still be decided.
    reviews.approve(session, one.id, by=reviewer)
    assert handed_in(session, 6, mobile="13800138000")


def test_an_address_hands_in_sixty_an_hour_and_two_hundred_a_day(session, later):
    for hour, most in enumerate((60, 60, 60, 20)):
        later(hour * 1.01)
        for number in range(most):
            handed_in(session, hour * 60 + number)
        with pytest.raises(Refused, match="网络提交的注册申请过多"):
            handed_in(session, 999)
        with pytest.raises(Refused, match="网络提交的注册申请过多"):
            registrations.check_pace(session, HERE)
        registrations.check_pace(session, "10.9.9.9")
        registrations.check_pace(session, "")
    later(24.01)
    assert handed_in(session, 999)


def test_what_came_from_an_address_does_not_lock_its_sign_ins(session):
    for number in range(40):
        handed_in(session, number)
    assert sign_ins.credential(session, "wang", HERE)


def test_many_at_once_do_not_pass_the_limit_of_a_number(database):
    def hand_in(number):
        try:
            with transaction() as session:
                return bool(handed_in(session, number, mobile="13800138000"))
        except Refused:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(hand_in, range(12))) == 5


def test_a_code_under_review_cannot_be_submitted_again(session):
    submitted(session)
    with pytest.raises(Refused, match="正在办理"):
        submitted(session, username="mingda2")


def test_after_a_refusal_the_code_may_be_submitted_again(session, reviewer):
    first = submitted(session)
    reviews.decline(session, first.id, by=reviewer, reason="该单位不在本辖区")
    second = submitted(session)
    assert registrations.follow(session, KEY).id == second.id


def test_following_takes_the_code_and_the_mobile_number(session):
    registration = submitted(session)
    assert (
        registrations.follow(session, Key(Role.enterprise, " 91110000600037341l ", "+86 138 0013 8000")).id
        == registration.id
    )


@pytest.mark.parametrize(("code", "mobile"), [(CODE, "13900139000"), (OTHER_CODE, "13800138000")])
def test_following_with_only_one_of_them_finds_nothing(session, code, mobile):
    submitted(session)
    with pytest.raises(Refused, match="没有找到"):
        registrations.follow(session, Key(Role.enterprise, code, mobile))
    assert not registrations.is_there(session, Key(Role.enterprise, code, mobile), HERE)


def test_following_with_a_malformed_number_says_so(session):
    with pytest.raises(Refused, match="手机号应为 11 位"):
        registrations.follow(session, KEY._replace(mobile="1380013800"))


def test_the_sixth_wrong_look_up_has_to_wait(session):
    submitted(session)
    for last in range(5):
        assert not registrations.is_there(session, KEY._replace(mobile=f"1390013900{last}"), "")
    with pytest.raises(Refused, match="请 15 分钟后再试"):
        registrations.is_there(session, KEY, "")


def test_a_look_up_that_succeeds_starts_the_count_anew(session):
    submitted(session)
    for _ in range(12):
        assert registrations.is_there(session, KEY, HERE)
    failed = select(SignInAttempt).where(~SignInAttempt.has_succeeded)
    assert session.exec(failed).all() == []


def test_one_address_cannot_try_code_after_code(session):
    for number in range(30):
        session.add(SignInAttempt(username=f"注册查询 {number}", address=HERE))
    session.flush()
    with pytest.raises(Refused, match="查询失败次数过多"):
        registrations.is_there(session, KEY, HERE)


def test_the_password_is_tried_five_times(session, reviewer):
    registration = sent_back(session, reviewer)
    for _ in range(5):
        assert registrations.resubmit(session, KEY, "Guolu-2020", TYPED, "", HERE) is None
    with pytest.raises(Refused, match="分钟后再试"):
        registrations.resubmit(session, KEY, TYPED["password"], TYPED, "", HERE)
    assert registration.status == RegistrationStatus.sent_back


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
    registration = sent_back(session, reviewer)
    assert registrations.resubmit(session, KEY, "Guolu-2020", TYPED | {"name": "杭州海天"}, "") is None
    assert (registration.name, registration.version) == (TYPED["name"], 1)


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


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of this test's own for files."""
    monkeypatch.setenv("YUEJIAN_FILES", str(tmp_path / "files"))
    return tmp_path / "files"


def files(folder):
    """The bytes of every file kept."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [PNG, b"\xff\xd8\xff\xe0 jpeg", b"%PDF-1.7 scan"])
def test_the_scan_is_kept_with_the_registration(session, folder, content):
    scan = registrations.licence(session, submitted(session, licence=content))
    assert (scan.name, scan.media_type) == ("营业执照.png", attachments.media_type(content))
    assert files(folder) == [content]


def test_a_registration_refused_leaves_no_file(session, folder):
    submitted(session, licence=PNG + b"1")
    for values in ({"name": ""}, {"username": "mingda2"}):
        with pytest.raises(Refused):
            submitted(session, **values)
    assert files(folder) == [PNG + b"1"]


@pytest.mark.usefixtures("database")
def test_a_correction_keeps_the_scan_unless_there_is_a_new_one(session, reviewer, folder):
    registration = sent_back(session, reviewer)
    first = registration.licence_id
    resubmit(session, licence=b"", licence_name="")
    assert registration.licence_id == first
    reviews.send_back(session, registration.id, by=reviewer, reason="扫描件看不清")
    session.refresh(registration)
    resubmit(session, licence=b"%PDF-1.7", licence_name="营业执照.pdf")
    assert registrations.licence(session, registration).media_type == "application/pdf"
    assert session.get(Attachment, first) is None
    session.commit()
    assert files(folder) == [b"%PDF-1.7"]


@pytest.mark.usefixtures("database")
def test_a_scan_that_another_has_too_stays_on_the_disk(session, reviewer, folder):
    submitted(session, credit_code=OTHER_CODE, username="haitian")
    sent_back(session, reviewer)
    resubmit(session, licence=b"%PDF-1.7")
    session.commit()
    assert sorted(files(folder)) == sorted([PNG, b"%PDF-1.7"])


def test_a_registration_from_before_scans_gets_one_with_its_correction(session, reviewer, folder):
    registration = sent_back(session, reviewer)
    registration.licence_id = None
    session.flush()
    with pytest.raises(Refused, match="请上传营业执照扫描件"):
        resubmit(session, licence=b"")
    resubmit(session)
    assert registration.licence_id


def test_a_person_registers_with_fewer_fields(session):
    person = make_registration(session, PERSON)
    assert (person.role, person.credit_code, person.licence_id) == (Role.personal, "", None)
    assert (person.name, person.contact_name, person.mobile) == ("王伟", "王伟", "13900139000")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "请填写“姓名”"),
        ("mobile", "1", "手机号应为 11 位"),
        ("division_code", HANGZHOU, "选到区县一级"),
        ("username", "王", "3 至 40 个"),
        ("password", "wang", "8 至 64 个字符"),
    ],
)
def test_each_field_of_a_person_says_what_is_wrong_with_it(session, field, value, sentence):
    assert sentence in registrations.look_over(session, PERSON | {field: value}).problems[field]


@pytest.mark.parametrize("role", [Role.administrator, "personal", Role.reviewer])
def test_no_other_role_is_applied_for(session, role):
    assert make_registration(session, role=role).role == Role.enterprise


def test_two_persons_wait_at_once_and_each_follows_by_name_and_number(session):
    first = make_registration(session, PERSON)
    second = make_registration(session, PERSON, username="wangwei2")
    assert registrations.follow(session, Key(Role.personal, " WangWei ", "139 0013 9000")).id == first.id
    assert registrations.follow(session, registrations.key_of(second)).id == second.id
    for key in (Key(Role.personal, "wangwei", "13800138000"), Key(Role.personal, CODE, "13900139000")):
        with pytest.raises(Refused, match="没有找到"):
            registrations.follow(session, key)
        assert not registrations.is_there(session, key, HERE)


def test_a_person_corrects_what_was_sent_back(session, reviewer):
    person = make_registration(session, PERSON)
    reviews.send_back(session, person.id, by=reviewer, reason="请填写身份证上的姓名")
    session.refresh(person)
    key, typed = registrations.key_of(person), PERSON | {"name": "王伟强"}
    registrations.resubmit(session, key, PERSON["password"], typed, "已改")
    assert (person.status, person.name) == (RegistrationStatus.submitted, "王伟强")


def test_what_a_registration_is_does_not_change_with_a_correction(session, reviewer):
    registration = sent_back(session, reviewer)
    resubmit(session, role=Role.personal)
    assert (registration.role, registration.credit_code) == (Role.enterprise, CODE)
