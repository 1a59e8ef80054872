"""The shell around the pages: who is let in, what they find, what they are told."""

import logging
import re
import tomllib

import bcrypt
import pytest
from streamlit.testing.v1 import AppTest

from db import accounts, models, sign_ins
from db.engine import reading, transaction
from db.errors import Refused
from db.models import Account, Role
from pages.edge import failures
from pages.parts import account as parts
from pages.parts import look, navigation
from tests.make import PASSWORD, make_account, make_enterprise

APP = navigation.FOLDER.parent / "app.py"
GUARDED = [entry for entry in navigation.BY_NAME.values() if entry.roles]
PAGE = """
import streamlit as st
from db.errors import Refused
from db.models import Role
from pages.parts import look
from pages.parts.account import acting, signed_in

account = signed_in()
st.header("台账")
if st.button("拒绝"):
    raise Refused("请补全器具信息", {"serial_number": "请填写出厂编号", "kind": "请选择器具种别"})
if st.button("办理"):
    with acting(Role.enterprise) as (session, by):
        look.flash(f"{by.full_name}已*办理*")
    st.rerun()
name = st.text_input("器具名称")
st.write(f"写着{name}")
"""


@pytest.fixture
def wang(sqlite):
    """王芳 of an enterprise, in a database that is otherwise empty."""
    with transaction() as session:
        enterprise = make_enterprise(session, name="杭州明达锅炉厂")
        return make_account(session, username="wang", full_name="王芳", enterprise_id=enterprise.id)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page of enterprises, whatever the real ones look like."""
    file = tmp_path / "page.py"
    file.write_text(PAGE, encoding="utf-8")
    entry = navigation.Entry("try", str(file), "台账", "home", (Role.enterprise,))
    monkeypatch.setattr(navigation, "BY_NAME", {"sign_in": navigation.BY_NAME["sign_in"], "try": entry})


@pytest.fixture
def sign_in(monkeypatch):
    """Signs the browser of the test in."""

    def as_(account: Account) -> str:
        with transaction() as session:
            token = sign_ins.redeem(
                session, sign_ins.begin(session, account.username, account.password_hash, "", "test")
            )
        monkeypatch.setattr(parts, "token", lambda: token)
        return token

    return as_


def run() -> AppTest:
    shown = AppTest.from_file(APP, default_timeout=30).run()
    assert not shown.exception
    return shown


def labels(shown: AppTest) -> list[str]:
    return [field.label for field in shown.text_input]


def test_a_visitor_finds_the_sign_in_page(wang):
    assert labels(run()) == ["账号", "密码"]


@pytest.mark.parametrize("entry", GUARDED, ids=lambda entry: entry.name)
def test_a_visitor_cannot_go_to_a_page_that_needs_a_sign_in(wang, entry):
    with pytest.raises(ValueError, match="not"):
        run().switch_page(str(navigation.FOLDER / entry.file))


@pytest.mark.parametrize("role", Role)
def test_nobody_can_go_to_a_page_of_another_role(sqlite, sign_in, role):
    with transaction() as session:
        account = make_account(session, role)
    sign_in(account)
    foreign = [entry for entry in GUARDED if role not in entry.roles]
    shown = run()
    for entry in foreign:
        with pytest.raises(ValueError, match="not"):
            shown.switch_page(str(navigation.FOLDER / entry.file))


def test_the_right_password_sends_the_browser_for_its_cookie(wang):
    shown = run()
    shown.text_input[0].input(" WANG ")
    shown.text_input[1].input(PASSWORD)
    shown.button[0].click().run()
    script = next(element.proto.body for element in shown.get("html") if "go.js" in element.proto.body)
    ticket = script.split("ticket=")[1].split("&")[0]
    with transaction() as session:
        token = sign_ins.redeem(session, ticket)
        assert sign_ins.account_of(session, token).id == wang.id


def test_nothing_of_the_library_stays_in_the_session(wang):
    shown = run()
    shown.text_input[0].input("wang")
    shown.text_input[1].input(PASSWORD)
    shown.button[0].click().run()
    keys = ("authentication_status", "username", "name", "roles", "email", "logout")
    assert [key for key in keys if key in shown.session_state] == []


@pytest.mark.parametrize(
    ("name", "password"), [("wang", "falsch"), ("nobody", PASSWORD), ("wang", "长" * 50)]
)
def test_a_wrong_name_and_a_wrong_password_are_told_alike(wang, name, password):
    shown = attempt(run(), name, password)
    assert [error.value for error in shown.error] == [sign_ins.WRONG]


@pytest.mark.parametrize("name", ["wang", "nobody", "leaver"])
def test_every_name_costs_one_check_of_a_password(wang, monkeypatch, name):
    with transaction() as session:
        make_account(session, username="leaver", is_active=False)
    checked = []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *pair: checked.append(pair) or real(*pair))
    attempt(run(), name, "falsch")
    assert len(checked) == 1


def attempt(shown: AppTest, name: str, password: str) -> AppTest:
    shown.text_input[0].input(name)
    shown.text_input[1].input(password)
    return shown.button[0].click().run()


def test_an_empty_form_is_answered(wang):
    shown = run()
    shown.button[0].click().run()
    assert [error.value for error in shown.error] == ["请输入账号和密码"]


def test_after_five_failures_even_the_right_password_waits(wang):
    for _ in range(5):
        attempt(run(), "wang", "falsch")
    shown = attempt(run(), "wang", PASSWORD)
    assert "15 分钟后再试" in shown.error[0].value
    assert not [element for element in shown.get("html") if "go.js" in element.proto.body]


def test_a_suspended_account_stays_outside(wang):
    with transaction() as session:
        session.get(Account, wang.id).is_active = False
    assert attempt(run(), "wang", PASSWORD).error[0].value == sign_ins.WRONG


def test_the_first_start_asks_for_the_administrator(sqlite):
    shown = run()
    assert labels(shown) == ["账号", "姓名", "密码", "再次输入密码"]
    for field, text in zip(shown.text_input, ["gly", "管理员甲", "Guanli-2026", "Guanli-2026"], strict=True):
        field.input(text)
    shown.button[0].click().run()
    with reading() as session:
        assert [row.username for row in accounts.page(session, by=administrator(session))[0]] == ["gly"]
    assert labels(run()) == ["账号", "密码"]


def administrator(session) -> Account:
    made = session.get(Account, 1)
    assert made.role == Role.administrator
    return made


def test_the_first_account_needs_the_same_password_twice(sqlite):
    shown = run()
    for field, text in zip(shown.text_input, ["gly", "管理员甲", "Guanli-2026", "Guanli-2027"], strict=True):
        field.input(text)
    shown.button[0].click().run()
    assert "不一致" in shown.error[0].value
    assert shown.text_input[0].value == "gly"


def test_who_is_signed_in_stands_beside_the_page(wang, page, sign_in):
    sign_in(wang)
    shown = run()
    beside = [*shown.sidebar.markdown, *shown.sidebar.caption]
    written = " ".join(element.value for element in beside)
    assert "王芳" in written
    assert "使用单位" in written
    assert "杭州明达锅炉厂" in written
    assert [element.value for element in shown.header] == ["台账"]


def test_a_refusal_is_shown_with_its_problems_and_loses_nothing(wang, page, sign_in):
    sign_in(wang)
    shown = run()
    shown.text_input[0].input("压力表").run()
    shown.button[0].click().run()
    assert shown.error[0].value == "请补全器具信息\n- 请填写出厂编号\n- 请选择器具种别"
    shown.run()
    assert shown.text_input[0].value == "压力表"


def test_a_flash_appears_in_the_next_run_once_and_is_no_markdown(wang, page, sign_in):
    sign_in(wang)
    shown = run()
    shown.button[1].click().run()
    assert [toast.value for toast in shown.toast] == ["王芳已\\*办理\\*"]
    shown.run()
    assert not shown.toast


def test_an_ended_sign_in_finds_the_sign_in_page_at_the_next_click(wang, page, sign_in):
    token = sign_in(wang)
    shown = run()
    with transaction() as session:
        sign_ins.end(session, token)
    shown.button[1].click().run()
    assert labels(shown) == ["账号", "密码"]
    assert not shown.toast


def test_a_temporary_password_opens_the_personal_page_only(wang, page, sign_in, tmp_path, monkeypatch):
    file = tmp_path / "profile.py"
    file.write_text("import streamlit as st\nst.header('个人中心')\n", encoding="utf-8")
    entry = navigation.Entry("profile", str(file), "个人中心", "person", tuple(Role))
    monkeypatch.setitem(navigation.BY_NAME, "profile", entry)
    with transaction() as session:
        session.get(Account, wang.id).must_change_password = True
    sign_in(wang)
    shown = run()
    assert [element.value for element in shown.header] == ["个人中心"]
    with pytest.raises(ValueError, match="not"):
        shown.switch_page(navigation.BY_NAME["try"].file)


def test_acting_is_refused_to_the_signed_out_and_to_other_roles(wang, sign_in):
    with pytest.raises(Refused, match="重新登录"), parts.acting():
        pass
    token = sign_in(wang)
    with pytest.raises(Refused, match="权限"), parts.acting(Role.administrator, Role.reviewer):
        pass
    with parts.acting(Role.enterprise) as (_, by):
        assert by.id == wang.id
    with transaction() as session:
        sign_ins.end(session, token)
    with pytest.raises(Refused, match="重新登录"), parts.acting(Role.enterprise):
        pass


def test_acting_sees_a_change_of_role_at_once(wang, sign_in):
    sign_in(wang)
    with transaction() as session:
        session.get(Account, wang.id).role = Role.personal
    with pytest.raises(Refused, match="权限"), parts.acting(Role.enterprise):
        pass


def test_acting_writes_all_or_nothing(wang, sign_in):
    sign_in(wang)
    with pytest.raises(ZeroDivisionError), parts.acting() as (_, by):
        by.full_name = "张三"
        raise ZeroDivisionError
    with parts.looking() as (_, by):
        assert by.full_name == "王芳"


def test_looking_is_refused_as_acting_is(wang, sign_in):
    with pytest.raises(Refused, match="重新登录"), parts.looking():
        pass
    sign_in(wang)
    with pytest.raises(Refused, match="权限"), parts.looking(Role.supervisor):
        pass


def test_a_mocked_browser_is_not_signed_in(wang):
    shown = AppTest.from_function(show_token).run()
    assert [text.value for text in shown.text] == ["", "", ""]


def show_token():
    import streamlit as st

    from pages.parts import account

    for value in (account.token(), account.address(), account.agent()):
        st.text(value)


def fail_with_a_number():
    from pages.edge import failures

    assert failures.show(ZeroDivisionError("410106199001011234"))


def test_a_defect_is_shown_by_its_number_and_logged_with_its_trace(caplog):
    with caplog.at_level(logging.ERROR):
        shown = AppTest.from_function(fail_with_a_number).run()
    record = next(record for record in caplog.records if record.name == "yuejian")
    number = record.args[0]
    assert number in shown.error[0].value
    assert "410106199001011234" not in shown.error[0].value
    assert record.exc_info[0] is ZeroDivisionError


def fail_with_a_refusal():
    from db.errors import Refused
    from pages.edge import failures

    assert failures.show(Refused("没有可选的器具，请先新增"))


def test_a_refusal_outside_of_the_main_run_is_shown_in_its_words(sqlite, caplog):
    shown = AppTest.from_function(fail_with_a_refusal).run()
    assert shown.error[0].value == "没有可选的器具，请先新增"
    assert "yuejian" not in [record.name for record in caplog.records]


def test_the_log_names_a_failure_once():
    noted = logging.LogRecord("streamlit", logging.ERROR, "", 1, "Uncaught app execution", None, None)
    assert not failures.is_news(noted)
    other = logging.LogRecord("streamlit", logging.ERROR, "", 1, "on_script_error raised", None, None)
    assert failures.is_news(other)


def test_every_status_has_a_look_of_its_own():
    statuses = [
        status
        for name in dir(models)
        if name.endswith("Status") or name == "Conclusion"
        for status in getattr(models, name)
    ]
    assert len(statuses) > 20
    assert [status for status in statuses if status not in look.STATUSES] == []
    assert look.badge(models.LineStatus.completed) == ":green-badge[:material/task_alt: 已完成]"
    assert look.mark(models.LineStatus.completed) == "● 已完成"


def test_what_visitors_typed_is_no_markdown():
    assert look.plain("[a](b) *c* :red[d] $e$ &sol;") == (
        "\\[a\\]\\(b\\) \\*c\\* \\:red\\[d\\] \\$e\\$ \\&sol;"
    )
    assert look.plain("(0-1) MPa，杭州") == "\\(0\\-1\\) MPa，杭州"


@pytest.mark.parametrize("typed", ["见 https://a.example/b", "WWW.a.example", "a@b.example"])
def test_an_address_that_visitors_typed_becomes_no_link(typed):
    # Browsers' Markdown links even what is escaped (tests/e2e/test_import.py); the sign has no width.
    assert re.sub(r"\\", "", look.plain(typed)).replace("\u2060", "") == typed
    assert not re.search(r"://|www\.|\w@", re.sub(r"\\", "", look.plain(typed)), re.IGNORECASE)


def test_every_page_has_an_address_of_its_own_in_plain_letters():
    names = [entry.name for entry in navigation.PAGES]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.replace("_", "").isalpha() for name in names)


def test_every_role_begins_at_its_home_page():
    for role in Role:
        listed = [entry for entry in navigation.PAGES if role in entry.roles and not entry.is_hidden]
        assert listed[0].title == "首页"


def test_every_page_of_the_table_has_its_file():
    assert [entry.file for entry in navigation.PAGES if not (navigation.FOLDER / entry.file).is_file()] == []


def test_no_file_in_pages_itself_could_be_taken_for_a_page():
    assert list(navigation.FOLDER.glob("*.py")) == []


def test_every_color_of_text_can_be_read_on_its_ground():
    theme = tomllib.loads((APP.parent / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    grounds = [
        theme["backgroundColor"],
        theme["secondaryBackgroundColor"],
        theme["sidebar"]["backgroundColor"],
    ]
    pairs = [
        (theme[name], ground) for name in ("textColor", "linkColor", "primaryColor") for ground in grounds
    ]
    for color in ("red", "orange", "yellow", "green", "blue", "violet", "gray"):
        text = theme[f"{color}TextColor"]
        pairs += [(text, theme["backgroundColor"]), (text, theme[f"{color}BackgroundColor"])]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2 between two colors."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    shares = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
