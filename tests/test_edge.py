"""Between the network and the pages, asked over a real connection."""

import asyncio
import gzip
import io
import json
import socket
import tomllib
from pathlib import Path
from urllib.parse import unquote, urlencode

import pytest
from openpyxl import load_workbook
from sqlmodel import col, func, select
from streamlit.runtime.pages_manager import PagesManager

from db import engine as engines
from db import reference, sign_ins
from db.engine import reading, transaction
from db.models import Account, AuditEntry, Dataset, Edition, Role
from pages.edge import document, headers, health, server, session, start
from pages.parts import navigation
from tests import browser
from tests.conftest import NOW
from tests.forger import Answer, ask, page, token_for
from tests.make import PASSWORD, PASSWORD_HASH, make_account
from tests.test_authenticators import bind, code

# Real servers over real connections.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
FOLDERS = sorted({entry.file.split("/")[0] for entry in navigation.BY_NAME.values() if entry.roles})
HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def database_url(template, tmp_path_factory):
    """A database of this file's own, with one account in each role."""
    path = tmp_path_factory.mktemp("edge") / "edge.db"
    path.write_bytes(template.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", f"sqlite:///{path}")
        engines.engine.cache_clear()
        with transaction() as open_session:
            for role in Role:
                make_account(open_session, role, username=role.name)
        yield f"sqlite:///{path}"
        engines.engine().dispose()
        engines.engine.cache_clear()


@pytest.fixture(scope="module")
def url(database_url):
    with browser.serve(database_url, YUEJIAN_NOW=NOW) as base:
        yield base


@pytest.fixture(scope="module")
def chromium():
    with browser.launch() as opened:
        yield opened


def ticket(username: str = "administrator") -> str:
    with transaction() as open_session:
        return sign_ins.begin(open_session, username, PASSWORD_HASH, "", "test")


def token_of(answer: Answer) -> str:
    return answer.headers["set-cookie"].split(";")[0].removeprefix("yuejian=")


def holder(token: str) -> Account | None:
    with reading() as open_session:
        return sign_ins.account_of(open_session, token)


# Documents and headers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/ledger",
        "/health",
        "/assets/chinese.js",
        "/template/kinds.xlsx",
        "/auth/begin",
        "/attachments/1",
        "/_stcore/metrics",
        "/_stcore/health",
    ],
)
def test_every_answer_carries_the_security_headers(url, path):
    found = ask(url, path).headers
    assert "frame-ancestors 'none'" in found["content-security-policy"]
    assert found["x-content-type-options"] == "nosniff"
    assert found["x-frame-options"] == "DENY"
    assert found["referrer-policy"] == "same-origin"


def test_no_script_may_come_from_elsewhere_or_from_the_page_itself():
    allowed = headers.POLICY["script-src"]
    assert allowed[:2] == ["'self'", "'wasm-unsafe-eval'"]
    assert [source[:8] for source in allowed[2:]] == ["'sha256-"]


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/interact",
        "/x/_stcore/agent/mcp",
        "/_stcore/script-health-check",
        "/_stcore/bidi-components/x/y.js",
        "/component/extra_streamlit_components.CookieManager/index.html",
        "/app/static/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_doors_of_streamlit_that_no_page_needs_are_shut(url, path, method):
    assert ask(url, path, method).status == 404


@pytest.mark.parametrize("path", ["/", "/ledger?id=7", "/index.html"])
def test_the_document_is_chinese(url, path):
    answer = ask(url, path)
    html = answer.body.decode()
    assert answer.status == 200
    assert len(answer.body) == int(answer.headers["content-length"])
    assert '<html lang="zh-CN">' in html
    assert "<title>约检台</title>" in html
    assert '<script defer src="/assets/chinese.js">' in html
    assert "请在浏览器设置中启用 JavaScript" in html
    assert "_stcore/agent" not in html.replace("(", "").split("<head>")[1].split("<title>")[0]


def test_the_document_is_the_same_for_who_asks_for_compressed_answers(url):
    answer = ask(url, "/", Accept_Encoding="gzip")
    body = gzip.decompress(answer.body) if answer.headers.get("content-encoding") == "gzip" else answer.body
    assert body.decode() == document.DOCUMENT


def test_the_document_has_no_body_when_only_its_headers_are_asked_for(url):
    answer = ask(url, "/", "HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_a_document_we_do_not_know_is_not_rewritten_in_silence():
    with pytest.raises(RuntimeError, match="adapt"):
        document.rewritten("<html><head></head></html>")


def test_other_files_of_streamlit_pass_unchanged(url):
    script = document.DOCUMENT.split('type="module" crossorigin src=".')[1].split('"')[0]
    answer = ask(url, script)
    assert answer.status == 200
    assert answer.body == (document.INSTALLED.parent / script.lstrip("/")).read_bytes()


@pytest.mark.parametrize(
    ("name", "kind"), [("chinese.js", "javascript"), ("go.js", "javascript"), ("icon.svg", "image/svg+xml")]
)
def test_our_files_are_served_and_checked_for_news(url, name, kind):
    answer = ask(url, f"/assets/{name}")
    assert kind in answer.headers["content-type"]
    assert answer.headers["cache-control"] == "no-cache"
    assert ask(url, f"/assets/{name}", If_None_Match=answer.headers["etag"]).status == 304


@pytest.mark.parametrize(
    "path", ["/assets/../session.py", "/assets/%2e%2e/session.py", "/assets/..%2fsession.py"]
)
def test_nothing_outside_the_folder_of_our_files_is_served(url, path):
    answer = ask(url, path)
    assert b"COOKIE" not in answer.body


def test_health_asks_the_database(url):
    answer = ask(url, "/health")
    told = json.loads(answer.body)
    assert (answer.status, told["status"], told["database"]) == (200, "ok", "ok")
    assert told["database_ms"] < 5000


def test_health_tells_when_the_database_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(
        health, "reading", lambda: engines.make_engine(f"sqlite:///{tmp_path}/empty.db").connect()
    )
    answer = health.health(None)
    assert answer.status_code == 503
    assert json.loads(answer.body)["database"] == "error"


# The template


@pytest.mark.parametrize(
    ("name", "shown", "sheet"),
    [
        ("template.xlsx", "强制检定器具信息导入模板.xlsx", "器具信息"),
        ("kinds.xlsx", "强检器具目录.xlsx", "强检器具目录"),
        ("divisions.xlsx", "行政区划信息.xlsx", "行政区划信息"),
    ],
)
def test_the_template_and_its_lists_are_downloaded_without_signing_in(url, name, shown, sheet):
    answer = ask(url, f"/template/{name}")
    assert answer.status == 200
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    plain, chinese = answer.headers["content-disposition"].split("; ")[1:]
    assert plain == f'filename="{name}"'
    assert unquote(chinese.removeprefix("filename*=UTF-8''")) == shown
    assert load_workbook(io.BytesIO(answer.body), read_only=True).sheetnames[0] == sheet


def test_the_template_is_not_sent_again_until_there_is_a_new_edition(url, database_url):
    etag = ask(url, "/template/kinds.xlsx").headers["etag"]
    assert ask(url, "/template/kinds.xlsx", If_None_Match=etag).status == 304
    with transaction() as open_session:
        old = reference.edition(open_session, Dataset.catalog)
        values = {**old.model_dump(exclude={"id"}), "name": "官方目录", "note": "官方的说明"}
        open_session.add(Edition(**values))
    answer = ask(url, "/template/kinds.xlsx", If_None_Match=etag)
    assert answer.status == 200
    assert load_workbook(io.BytesIO(answer.body))["强检器具目录"]["A1"].value == "官方的说明"


@pytest.mark.parametrize("path", ["/template/secret.xlsx", "/template/..%2fdata", "/template/"])
def test_nothing_else_is_downloaded_there(url, path):
    assert ask(url, path).body[:2] != b"PK"


# The cookie


def test_a_ticket_is_exchanged_for_a_cookie_that_scripts_cannot_read(url):
    answer = ask(url, f"/auth/begin?ticket={ticket()}", **HERE)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    flags = answer.headers["set-cookie"].split("; ")[1:]
    assert sorted(flags) == ["HttpOnly", "Path=/", "SameSite=strict"]
    assert answer.headers["cache-control"] == "no-store"
    assert holder(token_of(answer)).username == "administrator"


def test_behind_a_proxy_with_tls_the_cookie_is_secure(url):
    answer = ask(url, f"/auth/begin?ticket={ticket()}", X_Forwarded_Proto="https", **HERE)
    assert "Secure" in answer.headers["set-cookie"].split("; ")


def test_a_used_or_made_up_ticket_leads_back_to_the_sign_in_page(url):
    used = ticket()
    ask(url, f"/auth/begin?ticket={used}", **HERE)
    for wrong in (used, "made-up", ""):
        answer = ask(url, f"/auth/begin?ticket={wrong}", **HERE)
        assert (answer.status, answer.headers["location"]) == (303, "/?again=1")
        assert "set-cookie" not in answer.headers


STRANGERS = ("/auth/begin?ticket=made-up", "/auth/end", "/attachments/1", "/personal-data.json")


@pytest.mark.parametrize("path", STRANGERS)
def test_a_stranger_waits_for_no_writer_and_writes_nothing(url, path):
    with transaction() as writing:
        before = writing.exec(select(func.count(col(AuditEntry.id)))).one()
        assert ask(url, path, Cookie="yuejian=made-up", **HERE).status in (303, 403, 404)
    with reading() as open_session:
        assert open_session.exec(select(func.count(col(AuditEntry.id)))).one() == before


def test_an_address_begins_and_ends_no_more_sign_ins_than_an_office(url):
    away = {**HERE, "X-Forwarded-For": "192.0.2.30"}
    elsewhere = {"Sec-Fetch-Site": "cross-site", "X-Forwarded-For": "192.0.2.30"}
    for _ in range(20):
        assert ask(url, "/auth/end", **elsewhere).status == 403
    answers = [ask(url, "/auth/end", **away) for _ in range(400)]
    assert {one.status for one in answers[:240]} == {303}
    assert (answers[-1].status, answers[-1].body.decode()) == (429, session.TOO_OFTEN)
    assert (
        ask(url, f"/auth/begin?ticket={ticket()}", **HERE, **{"X-Forwarded-For": "192.0.2.31"}).status == 303
    )


@pytest.mark.parametrize(
    "asker",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {"Referer": "http://evil.example/"}, {}],
)
@pytest.mark.parametrize("path", ["/auth/begin", "/auth/end"])
def test_no_other_site_signs_visitors_in_or_out(url, asker, path):
    fresh = ticket()
    answer = ask(url, f"{path}?ticket={fresh}", **asker)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert ask(url, f"/auth/begin?ticket={fresh}", **HERE).status == 303


def test_where_browsers_send_no_fetch_site_the_referer_counts(url):
    answer = ask(url, f"/auth/begin?ticket={ticket()}", Referer=f"{url}/ledger")
    assert "set-cookie" in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/ledger", "/ledger?id=3&q=%E5%8E%8B+a", "/new_appointment", "/?again=1"]
)
def test_the_visitor_is_led_to_the_page_asked_for(url, path):
    query = urlencode({"ticket": ticket(), "next": path})
    assert ask(url, f"/auth/begin?{query}", **HERE).headers["location"] == path


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/\t/evil.example",
        "/%0d%0aSet-Cookie:x=1\r\nX: y",
        "/台账",
        "",
    ],
)
def test_the_visitor_is_not_led_away_from_this_site(url, path):
    query = urlencode({"ticket": ticket(), "next": path})
    answer = ask(url, f"/auth/begin?{query}", **HERE)
    assert answer.headers["location"] == "/"
    assert "x" not in answer.headers


def test_a_path_within_a_path_stays():
    assert session.local("/a//b") == "/a//b"
    assert session.local("/a\\b") == "/"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_signing_out_ends_the_row_and_deletes_the_cookie(url, method):
    token = token_of(ask(url, f"/auth/begin?ticket={ticket()}", **HERE))
    answer = ask(url, "/auth/end", method, Cookie=f"yuejian={token}", Origin=url, **HERE)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert token_of(answer) in ("", '""')
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert holder(token) is None


# The start


def test_the_arguments_of_the_app_close_the_listing_of_pages_by_file(monkeypatch):
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    made = server.build()
    assert PagesManager.uses_pages_directory is False
    assert set(made) == {"routes", "middleware", "lifespan", "on_script_error"}


@pytest.mark.parametrize(
    "unsafe",
    [
        {"STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "full"},
        {"STREAMLIT_SERVER_ENABLE_STATIC_SERVING": "true"},
        {"STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false"},
    ],
    ids=lambda unsafe: next(iter(unsafe)),
)
def test_the_server_refuses_to_start_with_unsafe_settings(database_url, unsafe, capsys):
    with pytest.raises(RuntimeError, match="ended before"), browser.serve(database_url, **unsafe):
        pass
    assert "Unsafe settings" in capsys.readouterr().out


def test_the_server_refuses_to_start_on_a_database_without_its_tables(tmp_path, capsys):
    with pytest.raises(RuntimeError, match="ended before"), browser.serve(f"sqlite:///{tmp_path}/empty.db"):
        pass
    assert "python -m db upgrade" in capsys.readouterr().out


def test_the_settings_that_come_with_the_product_are_the_safe_ones():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    for name, value in start.REQUIRED.items():
        section, option = name.split(".")
        assert settings[section][option] == value
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["server"]["maxUploadSize"] <= 20
    assert settings["runner"]["postScriptGC"] is False


# Messages that no browser sends


def test_a_forged_page_number_opens_nothing_outside_the_role(url):
    with page(url, token_for("reviewer")) as forger:
        forger.run()
        home = forger.headings()
        for name in ("accounts", "settings", "authorizations", "ledger", "acceptance"):
            forger.run(name)
            assert forger.headings() == home
    with page(url, token_for("administrator")) as administrator:
        administrator.run("accounts")
        assert administrator.headings() != home


def test_without_a_cookie_a_forged_page_number_opens_the_sign_in_page(url):
    with page(url) as forger:
        for name in ("accounts", "ledger", "nothing", "app", ""):
            forger.run(name)
            assert forger.headings() == ["约检台", "登录"]


def test_small_answers_do_not_wait_for_an_acknowledgment(monkeypatch):
    monkeypatch.setattr(asyncio.base_events, "_set_nodelay", asyncio.base_events._set_nodelay)
    start.answer_at_once()
    assert asyncio.run(accepted_socket_option()) == 1


async def accepted_socket_option() -> int:
    """TCP_NODELAY of a connection accepted by a server whose socket has protocol 0, as Streamlit's has."""
    found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def met(_reader, writer):
        accepted = writer.get_extra_info("socket")
        found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listening = socket.socket(socket.AF_INET)
    listening.bind(("127.0.0.1", 0))
    async with await asyncio.start_server(met, sock=listening):
        _, writer = await asyncio.open_connection(*listening.getsockname())
        option = await asyncio.wait_for(found, 10)
        writer.close()
        await writer.wait_closed()
    return option


# In Chromium


def enter(page, url: str, username: str = "administrator", path: str = "/") -> None:
    """Sign in by the form, at the address of some page."""
    page.goto(url + path)
    page.get_by_label("账号", exact=True).fill(username)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_text("退出登录").wait_for(state="attached")
    browser.settled(page)


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_whatever_a_visitor_asks_a_fresh_server_first_only_the_sign_in_page_shows(
    database_url, chromium, folder
):
    guarded = [entry for entry in navigation.BY_NAME.values() if entry.roles]
    inside = [entry for entry in guarded if entry.file.startswith(f"{folder}/")]
    with browser.serve(database_url, YUEJIAN_NOW=NOW) as fresh:
        for entry in inside[:2]:
            with browser.visitor(chromium) as page:
                page.goto(f"{fresh}/{entry.name}")
                page.get_by_label("账号", exact=True).wait_for()
                browser.settled(page)
                assert page.get_by_role("heading").all_inner_texts() == ["约检台", "登录"]
                assert page.title().startswith("登录")


@pytest.mark.slow
def test_a_sign_in_survives_a_reload_and_is_out_of_reach_of_scripts(url, chromium):
    with browser.visitor(chromium) as page:
        enter(page, url)
        assert "yuejian" not in page.evaluate("document.cookie")
        page.reload()
        page.get_by_text("退出登录").wait_for(state="attached")
        assert "ticket" not in page.url


@pytest.mark.slow
def test_a_deep_link_is_opened_after_signing_in(url, chromium):
    with browser.visitor(chromium) as page:
        enter(page, url, path="/settings?id=7&q=%E5%8E%8B%E5%8A%9B")
        assert page.url == f"{url}/settings?id=7&q=%E5%8E%8B%E5%8A%9B"
        assert page.title().startswith("系统设置")


@pytest.mark.slow
def test_who_has_bound_a_telephone_gives_its_code_after_the_password(url, chromium):
    with transaction() as open_session:
        account = make_account(open_session, Role.supervisor, username="bound")
        secret = bind(open_session, account)
    with browser.visitor(chromium) as page:
        page.goto(url)
        page.get_by_label("账号", exact=True).fill("bound")
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        asked = page.get_by_label("身份验证器上显示的 6 位数字")
        asked.fill("000000")
        page.get_by_role("button", name="登录").click()
        page.get_by_text("动态口令不正确").wait_for()
        # The code of this half minute was used to bind.
        asked.fill(code(secret, 30))
        page.get_by_role("button", name="登录").click()
        page.get_by_text("退出登录").wait_for(state="attached")


@pytest.mark.slow
def test_signing_out_reaches_the_other_tab_and_a_stolen_cookie(url, chromium):
    with browser.visitor(chromium) as page, browser.visitor(chromium) as thief:
        enter(page, url)
        thief.context.add_cookies(page.context.cookies())
        thief.goto(url)
        thief.get_by_text("退出登录").wait_for(state="attached")
        page.get_by_text("退出登录").click()
        page.get_by_label("账号", exact=True).wait_for()
        thief.reload()
        thief.get_by_label("账号", exact=True).wait_for()


@pytest.mark.slow
def test_a_page_outside_the_role_answers_with_the_home_page(url, chromium):
    with browser.visitor(chromium) as page:
        enter(page, url, "reviewer", "/settings")
        page.get_by_text("没有这个页面").wait_for()
        assert "系统设置" not in page.content()


@pytest.mark.slow
def test_the_browser_asks_no_other_site_and_breaks_no_policy(url, chromium):
    with browser.visitor(chromium) as page:
        asked, told = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        enter(page, url)
        page.wait_for_timeout(500)
        assert [address for address in asked if not address.startswith((url, "data:", "blob:"))] == []
        assert [text for text in told if "Content Security Policy" in text] == []


@pytest.mark.slow
def test_an_old_browser_is_told_which_one_to_use(url, chromium):
    with browser.visitor(chromium) as page:
        page.add_init_script("delete Array.prototype.toSorted")
        page.goto(url)
        page.get_by_text("浏览器版本过低").wait_for()
        assert "谷歌浏览器" in page.inner_text("body")
        assert "360 浏览器的极速模式" in page.inner_text("body")


LEFT = """() => {
  const found = new Set();
  const isOurs = 'script, style, noscript, pre, code, [data-testid="stText"], .st-key-ours';
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const isIcon = /Material/.test(getComputedStyle(element).fontFamily);
    if (!isIcon && !element.closest(isOurs)) found.add(texts.currentNode.nodeValue.trim());
  }
  for (const element of document.querySelectorAll('body *'))
    for (const name of ['placeholder', 'aria-label', 'aria-roledescription', 'title', 'alt'])
      if (element.hasAttribute(name)) found.add(element.getAttribute(name).trim());
  return [...found].filter(text => /[A-Za-z]{2}/.test(text));
}"""
# Names of keys, units and files stand in Chinese sentences as they are.
KNOWN = ("CSV", "XLSX", "MB", "1.0B", "Ctrl", "Esc", "a.txt", "b.xlsx", "svg")


@pytest.mark.slow
def test_no_widget_speaks_english(database_url, chromium):
    with (
        browser.serve(database_url, "tests/widgets.py", YUEJIAN_NOW=NOW) as widgets,
        browser.visitor(chromium) as page,
    ):
        page.goto(widgets)
        page.get_by_role("button", name="开", exact=True).wait_for()
        browser.settled(page)
        left = [f"{step}: {text}" for step, text in walk(page) if not is_known(text)]
        assert left == []
        # What a page wrote is not touched, even in words of Streamlit.
        assert page.get_by_test_id("stText").inner_text() == "Stop"
        assert page.get_by_text("Search", exact=True).count() == 1


def is_known(text: str) -> bool:
    for word in KNOWN:
        text = text.replace(word, "")
    return not any(letter.isascii() and letter.isalpha() for letter in text)


def walk(page):
    """Use the widgets one after the other, and read the page each time."""
    for label in ("名称", "意见", "数量", "型号", "备注"):
        page.get_by_label(label, exact=True).first.fill("9")
        yield from read(page, label)
    page.keyboard.press("Tab")
    yield from read(page, "number out of range")
    for label in ("项别", "单位", "种别"):
        page.get_by_label(label, exact=True).first.click()
        page.keyboard.type("甲乙")
        yield from read(page, label)
        page.keyboard.press("Escape")
    for number in range(2):
        page.get_by_test_id("stDateInputCalendarButton").nth(number).click()
        yield from read(page, f"calendar {number}")
        page.keyboard.press("Escape")
    page.locator('input[type="file"]').first.set_input_files(upload("a.txt"))
    page.locator('input[type="file"]').last.set_input_files(upload("b.xlsx"))
    yield from read(page, "files")
    page.get_by_role("button", name="开", exact=True).click()
    page.get_by_test_id("stDialog").wait_for()
    yield from read(page, "dialog")
    page.keyboard.press("Escape")
    page.goto(page.url + "nowhere")
    page.get_by_test_id("stDialog").wait_for()
    yield from read(page, "no such page")


def upload(name: str):
    return {"name": name, "mimeType": "application/octet-stream", "buffer": b"x"}


def read(page, step: str):
    page.wait_for_timeout(500)
    return [(step, text) for text in page.evaluate(LEFT)]
