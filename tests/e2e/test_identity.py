"""用单位统一身份登录, with a provider of the bureau's own, in a real browser."""

from collections.abc import Iterator

import pyotp
import pytest
from joserfc.jwk import RSAKey
from playwright.sync_api import expect
from sqlmodel import select

from db import authenticators, clock, identities, sign_ins
from db.engine import reading, transaction
from db.models import Account, AuditEntry, Role, Setting, SignIn
from tests import browser, make, provider

BUTTON = "用单位统一身份登录"
NO_ACCOUNT = "您的统一身份没有可用的约检台账号，请联系本系统的主管部门关联或恢复账号"


@pytest.fixture
def bureau_provider() -> Iterator[provider.Provider]:
    with provider.serve() as found:
        yield found


@pytest.fixture
def address(bureau, sqlite, bureau_provider, tmp_path) -> Iterator[str]:
    """A server that knows the provider."""
    port = browser.free_port()
    file = tmp_path / "secrets.toml"
    file.write_text(bureau_provider.secrets_toml(f"http://127.0.0.1:{port}"))
    with browser.serve(sqlite, port=port, STREAMLIT_SECRETS_FILES=str(file)) as url:
        yield url


@pytest.fixture
def connected(bureau, bureau_provider) -> str:
    """The reviewer, whom the provider calls u1001."""
    with transaction() as session:
        account = account_of(session, bureau["reviewer"])
        administrator = make.make_account(session, Role.administrator)
        identities.connect(session, account.id, bureau_provider.address, "u1001", by=administrator)
    return bureau["reviewer"]


def account_of(session, username):
    return session.exec(select(Account).where(Account.username == username)).one()


def cookies(person):
    return {cookie["name"]: cookie for cookie in person.page.context.cookies()}


def goes_in(person, path="/"):
    person.goes_to(path)
    person.presses(BUTTON)


def test_who_is_connected_signs_in_with_our_cookie_alone_and_out_again(visit, connected):
    person = visit()
    goes_in(person)
    person.page.get_by_text("退出登录").wait_for()
    browser.settled(person.page)
    held = cookies(person)
    assert not [name for name in held if name.startswith("_streamlit_user")]
    assert held["yuejian"]["httpOnly"]
    assert held["yuejian"]["sameSite"] == "Strict"
    token = held["yuejian"]["value"]
    with reading() as session:
        assert sign_ins.account_of(session, token).username == connected

    person.page.get_by_text("退出登录").click()
    person.page.get_by_text(BUTTON).wait_for()
    assert "yuejian" not in cookies(person)
    with reading() as session:
        assert sign_ins.account_of(session, token) is None
    # Neither the old cookie nor going back to the callback's address lets anyone in again.
    person.page.context.add_cookies([held["yuejian"]])
    person.goes_to("/")
    person.page.get_by_text(BUTTON).wait_for()
    person.goes_to("/oauth2callback?code=again&state=again")
    person.reads("登录没有完成，请重新登录")


def test_the_page_asked_for_is_shown_after_the_provider_has_answered(visit, connected):
    person = visit()
    goes_in(person, "/board?find=%E5%8E%8B%E5%8A%9B&again=1")
    person.page.get_by_text("退出登录").wait_for()
    browser.settled(person.page)
    assert person.page.url == f"{person.address}/board?find=%E5%8E%8B%E5%8A%9B"
    assert person.page.title().startswith("状态看板")
    assert not [name for name in cookies(person) if "wanted" in name]


def test_who_cancels_is_led_to_the_same_page_by_the_password(visit, connected, bureau_provider):
    person, bureau_provider.person = visit(), None
    goes_in(person, "/board")
    person.reads("登录没有完成，请重新登录")
    person.types("账号", connected)
    person.types("密码", make.PASSWORD)
    person.presses("登录")
    person.page.get_by_text("退出登录").wait_for()
    assert person.page.url == f"{person.address}/board"


def test_who_is_not_connected_is_told_whom_to_ask_and_named_to_the_administrator(
    visit, connected, bureau_provider
):
    person, bureau_provider.person = visit(), "u2002"
    goes_in(person)
    person.reads(NO_ACCOUNT)
    assert not {"yuejian", "_streamlit_user"} & set(cookies(person))
    with reading() as session:
        refused = session.exec(select(AuditEntry).where(AuditEntry.is_refused)).all()
        assert session.exec(select(SignIn)).all() == []
    assert [entry.note for entry in refused] == [f"{NO_ACCOUNT}（统一身份标识 u2002）"]
    assert refused[0].place == "统一身份登录"


def test_a_suspended_account_stays_outside(visit, connected):
    with transaction() as session:
        account_of(session, connected).is_active = False
    person = visit()
    goes_in(person)
    person.reads(NO_ACCOUNT)
    assert "yuejian" not in cookies(person)


def test_who_cancels_at_the_provider_is_outside(visit, connected, bureau_provider):
    person, bureau_provider.person = visit(), None
    goes_in(person)
    person.reads("登录没有完成，请重新登录")


def test_while_the_provider_is_away_the_password_still_leads_in(visit, connected, bureau_provider):
    bureau_provider.is_away = True
    person = visit()
    goes_in(person)
    person.reads("单位统一身份登录暂时不可用，请稍后再试，或用密码登录")
    person.types("账号", connected)
    person.types("密码", make.PASSWORD)
    person.presses("登录")
    person.page.get_by_text("退出登录").wait_for()


def test_a_token_signed_by_somebody_else_is_refused(visit, connected, bureau_provider):
    bureau_provider.signed_by = RSAKey.generate_key(2048, {"kid": "one"})
    person = visit()
    goes_in(person)
    person.reads("登录没有完成，请重新登录")
    assert "yuejian" not in cookies(person)


def test_staff_who_must_use_a_code_are_asked_for_it(visit, connected):
    with transaction() as session:
        session.add(Setting(name="staff_code", value=True))
        account = account_of(session, connected)
        secret = authenticators.offer(session, by=account).secret
        past = int(clock.now().timestamp()) - 30
        assert authenticators.confirm(session, pyotp.TOTP(secret).at(past), by=account, address="")
    person = visit()
    goes_in(person, "/board")
    person.reads("动态口令")
    assert "yuejian" not in cookies(person)
    person.types("身份验证器上显示的 6 位数字", pyotp.TOTP(secret).at(int(clock.now().timestamp())))
    person.presses("登录")
    person.page.get_by_text("退出登录").wait_for()
    expect(person.page.get_by_text(BUTTON)).to_have_count(0)
    assert person.page.url == f"{person.address}/board"
