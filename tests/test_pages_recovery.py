"""忘记密码, 找回申请 and 更换手机号 on the screen, without a browser."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from db import passwords, recoveries, settings, tidying
from db.engine import reading, transaction
from db.models import Account, Notification, Recovery, RecoveryKind, RecoveryStatus, Role
from pages.parts import navigation
from tests.conftest import NOW
from tests.make import PASSWORD, make_account
from tests.screens import APP, press, refusals, said, sound, tick, visit, write
from tests.test_codes import other
from tests.test_corrections import PNG
from tests.test_recoveries import ask

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow

MOBILE, NEW = "13900001234", "Guolu-2027"
CONTACT = "杭州市市场监督管理局计量处"


@pytest.fixture(autouse=True)
def pilot(sqlite, monkeypatch):
    """Hashing as fast as bcrypt goes; no gateway unless a test configures one."""
    monkeypatch.setattr(passwords, "COST", 4)
    monkeypatch.delenv("YUEJIAN_SMS_URL", raising=False)
    monkeypatch.delenv("YUEJIAN_SMTP_HOST", raising=False)


@pytest.fixture
def gateway(monkeypatch):
    """A gateway is configured; nothing is sent in these tests."""
    monkeypatch.setenv("YUEJIAN_SMS_URL", "https://gateway.example.cn")


@pytest.fixture
def wang():
    """王芳 of the boiler works, whose number is known."""
    with transaction() as session:
        return make_account(session, username="wang", full_name="王芳", mobile=MOBILE)


@pytest.fixture
def staff():
    """周晓雯 and 吴静, who review 杭州."""
    with transaction() as session:
        return [make_account(session, Role.reviewer, full_name=name) for name in ("周晓雯", "吴静")]


def stored(model, id):
    with reading() as session:
        return session.get_one(model, id)


def code():
    """The code sent last."""
    with reading() as session:
        return session.exec(select(Notification.secret).order_by(Notification.id.desc())).first()


def forgot(typed="wang", way="用户名") -> AppTest:
    """The page of a visitor who has asked for a code."""
    shown = AppTest.from_file(APP, default_timeout=60).run()
    shown.switch_page(str(navigation.FOLDER / navigation.BY_NAME["recover"].file))
    shown = sound(shown.run())
    if shown.radio[0].value != way:
        shown = sound(shown.radio[0].set_value(way).run())
    write(shown, way, typed)
    return press(shown, "获取验证码")


def enter(shown, typed) -> AppTest:
    write(shown, "验证码（6 位数字）", typed)
    return press(shown, "下一步")


def choose_password(shown, again=NEW) -> AppTest:
    write(shown, "新密码", NEW)
    write(shown, "再次输入新密码", again)
    return press(shown, "确定")


def test_a_code_leads_to_a_new_password(gateway, wang):
    shown = forgot()
    assert "验证码已发送到该号码" in said(shown)
    shown = enter(shown, code())
    assert "账号：wang" in said(shown)
    shown = choose_password(shown)
    assert "密码已修改" in shown.success[0].value
    assert passwords.matches(NEW, stored(Account, wang.id).password_hash)
    assert shown.session_state["recovery"] == {"done": "wang"}


def test_known_and_unknown_names_read_the_same(gateway, wang):
    pages = []
    for typed in ("wang", "nobody"):
        shown = forgot(typed)
        pages.append(said(shown).replace(typed, "…"))
        shown = enter(shown, other(code() or "0"))
        pages.append(said(shown).replace(typed, "…"))
    assert pages[:2] == pages[2:]
    assert "还可以试 4 次" in pages[1]


def test_after_five_wrong_codes_a_new_one_is_needed(gateway, wang, monkeypatch):
    shown = forgot()
    wrong = other(code())
    for _ in range(5):
        shown = enter(shown, wrong)
    assert refusals(shown) == ["验证码已失效，请重新获取"]
    shown = enter(shown, code())
    assert refusals(shown) == ["验证码已失效，请重新获取"]
    moment = datetime.fromisoformat(NOW) + timedelta(seconds=60)
    monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())
    shown = press(shown, "重新开始")
    write(shown, "用户名", "wang")
    shown = enter(press(shown, "获取验证码"), code())
    assert "账号：wang" in said(shown)


def test_who_shares_a_number_chooses_the_account(gateway, wang):
    with transaction() as session:
        chen = make_account(session, Role.personal, username="chen", full_name="陈晨", mobile=MOBILE)
    shown = enter(forgot("139 0000 1234", "注册手机号码"), code())
    assert [option.split("（")[0] for option in shown.selectbox[0].options] == ["chen", "wang"]
    choose_password(shown)
    assert passwords.matches(NEW, stored(Account, chen.id).password_hash)
    assert passwords.matches(PASSWORD, stored(Account, wang.id).password_hash)


def test_two_different_passwords_are_told_apart(gateway, wang):
    shown = choose_password(enter(forgot(), code()), "Guolu-2028")
    assert refusals(shown) == ["两次输入的新密码不一致，请重新输入"]


def test_without_a_gateway_nothing_pretends_that_a_message_is_on_its_way(wang, staff, monkeypatch):
    with transaction() as session:
        boss = make_account(session, Role.administrator)
        settings.save(session, {"contact": CONTACT}, by=boss)
    shown = forgot()
    assert "已发送" not in said(shown)
    assert f"请致电{CONTACT}" in said(shown)
    assert code() not in said(shown)
    outbox = press(tick(visit(monkeypatch, boss, "outbox"), 0), "查看内容")
    assert f"验证码 {code()}" in said(outbox)


def test_the_offline_way_is_told_too(wang):
    shown = AppTest.from_file(APP, default_timeout=60).run()
    shown.switch_page(str(navigation.FOLDER / navigation.BY_NAME["recover"].file))
    told = said(sound(shown.run()))
    assert "本系统没有开通短信" in told
    assert "统一社会信用代码证明文件" in told and "身份证复印件" in told and "一个工作日" in told


def test_one_files_an_application_and_another_decides(wang, staff, monkeypatch):
    shown = press(visit(monkeypatch, staff[0], "recoveries"), "提出找回申请")
    write(shown, "统一社会信用代码或账号名", "wang")
    shown = sound(shown.run())
    assert "139\\*\\*\\*\\*1234" in shown.radio[0].options[0]
    write(shown, "申请人姓名", "王芳")
    write(shown, "申请人手机号（更换手机号的，填新号码）", "13700001111")
    shown.file_uploader[0].set_value(("执照.png", PNG, "image/png"))
    shown = press(shown, "提交申请")
    assert "不能是同一人" in said(shown)
    assert "同意办理" not in [one.label for one in shown.button]

    shown = visit(monkeypatch, staff[1], "recoveries")
    assert list(shown.dataframe[0].value["办理时限"]) == ["剩 1 个工作日"]
    pictures = [one.proto.body for one in shown.get("html") if "<img" in one.proto.body]
    assert len(pictures) == 1
    shown = press(shown, "同意办理")
    password = shown.code[0].value
    assert passwords.matches(password, stored(Account, wang.id).password_hash)
    shown = press(shown, "我已记下")
    assert password not in said(shown)
    assert stored(Recovery, 1).status == RecoveryStatus.approved
    shown = visit(monkeypatch, stored(Account, wang.id), "profile")
    assert "初始密码" in said(shown)


def test_declining_asks_for_a_reason(wang, staff, monkeypatch):
    with transaction() as session:
        ask(session, wang, staff[0], RecoveryKind.mobile, mobile="13700001111")
    shown = press(visit(monkeypatch, staff[1], "recoveries"), "不予办理")
    assert refusals(shown) == ["请填写理由，对方将看到这段文字"]
    write(shown, "意见（不予办理时必填，申请人可见）", "照片看不清")
    press(shown, "不予办理")
    shown = visit(monkeypatch, staff[0], "recoveries", status="declined")
    assert list(shown.dataframe[0].value["办理意见"]) == ["照片看不清"]


def test_a_proof_that_is_kept_no_longer_is_said_to_be_gone(wang, staff, monkeypatch):
    with transaction() as session:
        asked = ask(session, wang, staff[0])
        recoveries.decline(session, asked.id, by=staff[1], reason="照片看不清")
        session.get_one(Recovery, asked.id).decided_at -= timedelta(days=181)
    tidying.run()
    shown = visit(monkeypatch, staff[0], "recoveries", status="declined")
    assert "已超过保留天数" in said(shown)
    assert not [one for one in shown.get("html") if "<img" in one.proto.body]


@pytest.mark.parametrize("role", [Role.enterprise, Role.institution, Role.supervisor])
def test_only_reviewers_and_administrators_find_the_applications(monkeypatch, role):
    with transaction() as session:
        account = make_account(session, role)
    with pytest.raises(ValueError, match="not"):
        visit(monkeypatch, account, "recoveries")


def test_a_number_once_set_is_changed_with_a_code(gateway, wang, monkeypatch):
    shown = visit(monkeypatch, wang, "profile")
    assert "手机号" not in [one.label for one in shown.text_input]
    write(shown, "新手机号", "13700001111")
    next(one for one in shown.text_input if one.key == "mobile-password").input(PASSWORD)
    shown = press(shown, "获取验证码")
    shown = enter(shown, code())
    assert stored(Account, wang.id).mobile == "13700001111"
    assert "手机号已更换" in said(shown)


def test_without_a_gateway_the_number_is_changed_offline(wang, monkeypatch):
    shown = visit(monkeypatch, wang, "profile")
    assert "请向主管部门提出更换手机号的申请" in said(shown)
    assert "获取验证码" not in [one.label for one in shown.button]


def test_an_account_without_a_number_enters_it(monkeypatch):
    with transaction() as session:
        account = make_account(session, username="chen")
    shown = visit(monkeypatch, account, "profile")
    write(shown, "手机号", "13700001111")
    press(shown, "保存")
    assert stored(Account, account.id).mobile == "13700001111"


def test_the_reviewers_home_counts_what_waits(wang, staff, monkeypatch):
    with transaction() as session:
        ask(session, wang, staff[0])
    for account in staff:
        shown = visit(monkeypatch, account, "bureau_home")
        assert next(one.value for one in shown.metric if one.label == "待核实的找回申请") == "1"
