"""The pages that need no sign-in: registering, following a registration, recovering an account."""

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from db import passwords, registrations, reviews, settings
from db.engine import reading, transaction
from db.models import Registration, RegistrationStatus, Role
from pages.parts import navigation
from tests.make import PERSON, PNG, XIHU, make_account, make_registration
from tests.screens import APP, press, refusals, said, sound, write
from tests.test_registrations import CODE, TYPED

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow

PLACE = ("330000", "330100", XIHU)
CONTACT = "杭州市市场监督管理局计量处，0571-87654321"


@pytest.fixture(autouse=True)
def reviewer(sqlite, monkeypatch):
    """周晓雯, who reviews 杭州; hashing as fast as bcrypt goes."""
    monkeypatch.setattr(passwords, "COST", 4)
    with transaction() as session:
        return make_account(session, Role.reviewer, full_name="周晓雯")


@pytest.fixture
def contact():
    """The bureau has said whom to ask."""
    with transaction() as session:
        administrator = make_account(session, Role.administrator)
        settings.save(session, {"contact": CONTACT}, by=administrator)


def visit(name: str) -> AppTest:
    shown = AppTest.from_file(APP, default_timeout=60).run()
    shown.switch_page(str(navigation.FOLDER / navigation.BY_NAME[name].file))
    return sound(shown.run())


def stay(shown: AppTest) -> AppTest:
    return sound(shown.run())


def fill_in(shown: AppTest, **values: str) -> AppTest:
    labels = {
        "name": "企业名称",
        "credit_code": "统一社会信用代码/组织机构代码",
        "mobile": "手机号",
        "contact_name": "联系人",
        "username": "账号名",
        "password": "密码",
        "repeated": "再输一次密码",
    }
    for code in PLACE:
        shown = sound(shown.selectbox[-1].select(code).run())
    for field, label in labels.items():
        write(shown, label, (TYPED | values)[field])
    shown.file_uploader[0].set_value(("营业执照.png", PNG, "image/png"))
    return shown


def submitted() -> Registration:
    with transaction() as session:
        return make_registration(session)


def sent_back(reviewer) -> Registration:
    registration = submitted()
    with transaction() as session:
        reviews.send_back(session, registration.id, by=reviewer, reason="请填写*全称*")
    return registration


def follow(mobile: str = "13800138000") -> AppTest:
    shown = visit("follow")
    write(shown, "统一社会信用代码/组织机构代码", CODE)
    write(shown, "手机号", mobile)
    return press(shown, "查询")


def stored() -> list[Registration]:
    with reading() as session:
        return list(session.exec(select(Registration)))


def test_an_enterprise_registers_and_learns_what_comes_next():
    shown = press(fill_in(visit("register")), "注册")
    (registration,) = stored()
    assert registration.division_code == XIHU
    assert shown.success[0].value == f"注册申请已提交，申请编号 {registration.number}"
    assert "最迟 2026\\-11\\-25 完成" in said(shown)
    assert "“mingda”" in said(shown)


def test_the_password_is_nowhere_in_the_session_afterwards():
    shown = stay(press(fill_in(visit("register")), "注册"))
    for key in ("register-password", "register-repeated"):
        assert key not in shown.session_state


def test_what_is_typed_is_judged_field_by_field():
    shown = visit("register")
    assert "校验位" not in said(shown)
    write(shown, "统一社会信用代码/组织机构代码", "91110000600037341X")
    write(shown, "手机号", "138 0013 8000")
    shown = stay(shown)
    assert "校验位不对" in said(shown)
    assert "格式正确" in said(shown)
    assert "请填写“企业名称”" not in said(shown)


def test_a_suggested_code_is_taken_with_a_click():
    shown = visit("register")
    write(shown, "统一社会信用代码/组织机构代码", "911100006OOO37341L")
    shown = press(stay(shown), f"改为 {CODE}")
    assert "校验位正确" in said(shown)
    assert shown.text_input[1].value == CODE


def test_an_empty_form_says_all_that_is_missing_and_saves_nothing():
    shown = press(visit("register"), "注册")
    assert "请填写“企业名称”" in refusals(shown)[0]
    assert "请选择“所在地”" in refusals(shown)[0]
    assert stored() == []


def test_a_refusal_keeps_what_was_typed():
    shown = press(fill_in(visit("register"), repeated="Guolu-2027"), "注册")
    assert refusals(shown) == ["两次输入的密码不一致，请重新输入"]
    values = [field.value for field in shown.text_input]
    assert values[:2] == [TYPED["name"], CODE]
    assert shown.selectbox[-1].value == XIHU


def test_a_taken_user_name_is_told_before_anything_is_sent(reviewer):
    shown = visit("register")
    write(shown, "账号名", reviewer.username)
    assert "已被使用" in said(stay(shown))


def test_one_more_enterprise_finds_an_empty_form():
    shown = press(press(fill_in(visit("register")), "注册"), "注册另一家企业")
    assert {field.value for field in shown.text_input} == {""}
    assert "请填写" not in said(shown)


def test_who_is_in_a_hurry_learns_whom_to_call(contact):
    assert f"急需审核请联系{CONTACT}".replace("-", "\\-") in said(visit("register"))


def test_the_state_is_shown_with_the_deadline():
    submitted()
    shown = follow()
    assert "待审核" in said(shown)
    assert "最迟 2026-11-25 完成" in said(shown)


def test_the_reason_is_read_without_the_name_of_the_reviewer(reviewer):
    sent_back(reviewer)
    shown = follow()
    assert "请填写*全称*" in [text.value for text in shown.text]
    assert "审核人员" in said(shown)
    assert "周晓雯" not in said(shown)


def test_a_wrong_number_finds_nothing_and_the_sixth_has_to_wait():
    submitted()
    for last in range(5):
        assert "没有找到" in refusals(follow(f"1390013900{last}"))[0]
    assert "15 分钟后再试" in refusals(follow())[0]


def test_a_correction_starts_from_what_was_handed_in(reviewer):
    sent_back(reviewer)
    shown = follow()
    write(shown, "企业名称", "杭州明达锅炉制造有限公司")
    write(shown, "补正说明", "已改为全称")
    write(shown, "注册时设置的密码", TYPED["password"])
    shown = press(shown, "补正后重新提交")
    (registration,) = stored()
    assert registration.status == RegistrationStatus.submitted
    assert registration.name == "杭州明达锅炉制造有限公司"
    assert registration.contact_name == TYPED["contact_name"]
    assert "已改为全称" in said(shown)
    assert "补正后重新提交" not in [button.label for button in shown.button]


def test_a_corrected_number_is_the_one_it_is_followed_by(reviewer):
    sent_back(reviewer)
    shown = follow()
    fields = [field for field in shown.text_input if field.label == "手机号 *"]
    fields[1].input("139 0013 9000")
    write(shown, "注册时设置的密码", TYPED["password"])
    shown = stay(press(shown, "补正后重新提交"))
    assert refusals(shown) == []
    assert "待审核" in said(shown)


def test_a_wrong_password_corrects_nothing_and_counts(reviewer):
    sent_back(reviewer)
    shown = follow()
    write(shown, "企业名称", "杭州明达锅炉制造有限公司")
    for _ in range(5):
        write(shown, "注册时设置的密码", "Guolu-2020")
        shown = press(shown, "补正后重新提交")
        assert refusals(shown) == [registrations.WRONG_PASSWORD]
    write(shown, "注册时设置的密码", TYPED["password"])
    shown = press(shown, "补正后重新提交")
    assert "分钟后再试" in refusals(shown)[0]
    assert stored()[0].name == TYPED["name"]
    assert "杭州明达锅炉制造有限公司" in [field.value for field in shown.text_input]


def test_an_approved_applicant_is_shown_the_way_in(reviewer):
    registration = submitted()
    with transaction() as session:
        reviews.approve(session, registration.id, by=reviewer)
    assert "请用账号“mingda”" in said(follow())


def test_a_declined_applicant_may_register_again(reviewer):
    registration = submitted()
    with transaction() as session:
        reviews.decline(session, registration.id, by=reviewer, reason="该单位不在本辖区")
    assert "该单位不在本辖区" in said(follow())
    assert "可以重新注册" in said(follow())


def test_recovery_is_told_as_it_is(contact):
    told = said(visit("recover"))
    assert f"请联系{CONTACT}" in told
    assert "统一社会信用代码证明文件" in told
    assert "身份证复印件" in told
    assert "一个工作日" in told


def test_without_a_contact_the_bureau_is_named():
    assert "请联系本系统的主管部门" in said(visit("recover"))


def test_a_registration_without_a_scan_says_so():
    shown = fill_in(visit("register"))
    shown.file_uploader[0].set_value(("营业执照.png", b"GIF89a", "image/png"))
    assert "营业执照扫描件不是 JPG、PNG 图片或 PDF 文件" in refusals(press(shown, "注册"))[0]
    assert stored() == []


def test_a_correction_may_bring_another_scan(reviewer):
    sent_back(reviewer)
    shown = follow()
    assert "已上传一份（1 KB）" in shown.file_uploader[0].label
    shown.file_uploader[0].set_value(("执照.pdf", b"%PDF-1.7", "application/pdf"))
    write(shown, "注册时设置的密码", TYPED["password"])
    press(shown, "补正后重新提交")
    (registration,) = stored()
    with reading() as session:
        assert registrations.licence(session, registration).media_type == "application/pdf"


def test_a_person_registers_follows_and_corrects(reviewer):
    shown = visit("register_person")
    for code in PLACE:
        shown = sound(shown.selectbox[-1].select(code).run())
    labels = {
        "name": "姓名",
        "mobile": "手机号",
        "username": "账号名",
        "password": "密码",
        "repeated": "再输一次密码",
    }
    for field, label in labels.items():
        write(shown, label, PERSON[field])
    shown = press(shown, "注册")
    (person,) = stored()
    assert (person.role, person.division_code) == (Role.personal, XIHU)
    assert "凭账号名和手机号查看结果" in said(shown)
    with transaction() as session:
        reviews.send_back(session, person.id, by=reviewer, reason="请填写身份证上的姓名")
    shown = visit("follow")
    shown = sound(shown.button_group[0].select(Role.personal).run())
    write(shown, "账号名", "wangwei")
    write(shown, "手机号", "13900139000")
    shown = press(shown, "查询")
    assert "请填写身份证上的姓名" in said(shown)
    assert not shown.get("file_uploader")
    write(shown, "姓名", "王伟强")
    write(shown, "注册时设置的密码", PERSON["password"])
    press(shown, "补正后重新提交")
    assert stored()[0].name == "王伟强"
