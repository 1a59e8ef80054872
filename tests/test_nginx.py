"""What holds behind the proxy of deploy/: our own nginx.conf in front of a running server."""

import http.client
import re
import socket
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from sqlmodel import col, select

from db import identities, sign_ins
from db.engine import reading, transaction
from db.models import Account, AuditEntry, Role
from pages.edge import limits
from tests import browser, gateways, nginx, provider
from tests.conftest import NOW, bound
from tests.e2e.person import Person
from tests.forger import Answer, ask, cookies, page, token_for, upload
from tests.make import PASSWORD, make_account

# Real servers over real connections.
pytestmark = pytest.mark.slow

# The proxy comes from 127.0.0.1; what a forger claims is an address of RFC 5737.
VISITOR, CLAIMED = "127.0.0.2", "203.0.113.9"
HERE = {"Sec_Fetch_Site": "same-origin"}


@dataclass
class Site:
    """The proxy, the server behind it by its own address, and the bureau's provider."""

    proxy: nginx.Proxy
    app: str
    bureau: provider.Provider

    @property
    def url(self) -> str:
        return self.proxy.url


@pytest.fixture(scope="module")
def site(template, tmp_path_factory):
    """The product as a bureau runs it: one name, one proxy, one administrator, a provider that knows them."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "test.db").write_bytes(template.read_bytes())
    certificate, port = gateways.certificate(folder, nginx.NAME), browser.free_port()
    settings = {"YUEJIAN_NOW": NOW, "STREAMLIT_SERVER_ALLOWED_HOSTS": f"{nginx.NAME} 127.0.0.1"}
    settings["STREAMLIT_SECRETS_FILES"] = str(folder / "secrets.toml")
    with (
        bound(f"sqlite:///{folder}/test.db") as url,
        pytest.MonkeyPatch.context() as patch,
        provider.serve() as bureau,
    ):
        (folder / "secrets.toml").write_text(bureau.secrets_toml(f"https://{nginx.NAME}:{port}"))
        patch.setenv("YUEJIAN_NOW", NOW)
        patch.setenv("SSL_CERT_FILE", str(certificate))
        patch.setattr(socket, "getaddrinfo", known_here(socket.getaddrinfo))
        with transaction() as session:
            account = make_account(session, Role.administrator, username="administrator")
            identities.connect(session, account.id, bureau.address, bureau.person, by=account)
        with browser.serve(url, **settings) as app, nginx.serve(app, certificate, port) as proxy:
            yield Site(proxy, app, bureau)


def known_here(getaddrinfo):
    """A resolver that finds the bureau's name on this machine."""
    return lambda host, *more, **kinds: getaddrinfo(
        "127.0.0.1" if host == nginx.NAME else host, *more, **kinds
    )


def open_page(site, token="", **more):
    return page(site.url, Cookie=cookies(token, prefix="__Host-"), source=VISITOR, **more)


def signed_in_by_form(site) -> tuple[str, Answer]:
    """What the form's ticket was exchanged for, as a browser does it: the ticket and the answer."""
    with open_page(site, X_Forwarded_For=CLAIMED) as form:
        form.run()
        form.put(form.id_of("账号"), string_value="administrator")
        form.put(form.id_of("密码"), string_value=PASSWORD)
        form.run(login=form.id_of("登录"))
        script = next(one.body for one in form.elements() if "go.js" in getattr(one, "body", ""))
    path = re.search('data-to="([^"]+)"', script)[1].replace("&amp;", "&")
    answer = ask(site.url, path, source=VISITOR, **HERE)
    return re.search("ticket=([^&]+)", path)[1], answer


def last_sign_in():
    with reading() as session:
        account = session.exec(select(Account).where(Account.username == "administrator")).one()
        return max(sign_ins.of_account(session, account.id), key=lambda row: row.id)


def signed_out_from(url, token, **headers) -> str:
    """The address that the audit log has of a sign-out."""
    prefix = "__Host-" if url.startswith("https") else ""
    answer = ask(url, "/auth/end", Cookie=cookies(token, prefix=prefix), **HERE, **headers)
    assert answer.status == 303
    with reading() as session:
        latest = select(AuditEntry).where(AuditEntry.action == "退出登录").order_by(col(AuditEntry.id).desc())
        return session.exec(latest).first().address


# The way in


def test_who_comes_without_tls_is_sent_to_it(site):
    answer = ask(site.proxy.plain_url, "/ledger?page=2")
    assert (answer.status, answer.headers["location"]) == (301, f"https://{nginx.NAME}/ledger?page=2")


@pytest.fixture(scope="module")
def chromium():
    """A browser that finds the bureau's name on this machine."""
    with browser.launch(f"--host-resolver-rules=MAP {nginx.NAME} 127.0.0.1", "--no-proxy-server") as launched:
        yield launched


@pytest.fixture
def person(site, chromium):
    with browser.visitor(chromium, ignore_https_errors=True) as visitor:
        yield Person(visitor, site.url)


def cookies_of(person):
    return {cookie["name"]: cookie for cookie in person.page.context.cookies(person.address)}


def test_a_sign_in_in_a_browser_has_cookies_that_only_this_server_reads_over_tls_alone(site, person):
    person.sign_in("administrator")
    person.opens("账户管理")
    expect(person.page.get_by_role("heading", name="账户管理").first).to_be_visible()
    held = cookies_of(person)
    assert {name for name in held if "yuejian" in name} == {"__Host-yuejian", "__Host-yuejian-browser"}
    assert all(cookie["secure"] and cookie["path"] == "/" for cookie in held.values())
    sign_in, own = held["__Host-yuejian"], held["__Host-yuejian-browser"]
    assert sign_in["httpOnly"] and own["httpOnly"]
    assert (sign_in["sameSite"], own["sameSite"]) == ("Strict", "Lax")
    answered = re.findall(r'HTTP/[\d.]+" (\d+) ', site.proxy.log("yuejian.log"))
    assert len(answered) > 20
    assert {status for status in answered if status >= "400"} == set()


def test_on_the_way_through_the_provider_every_cookie_is_for_tls_alone(person):
    given = []
    person.page.on("response", lambda answer: given.extend(answer.header_values("set-cookie")))
    person.goes_to("/accounts")
    person.presses("用单位统一身份登录")
    person.page.get_by_text("退出登录").wait_for()
    assert person.page.url == f"{person.address}/accounts"
    assert [cookie for cookie in given if "secure" not in cookie.lower().split("; ")] == []
    names = {cookie.split("=")[0] for cookie in given}
    ours = {"__Host-yuejian", "__Host-yuejian-browser", "__Host-yuejian-wanted"}
    assert names >= {"_streamlit_session", "_streamlit_xsrf", *ours}
    assert all(cookie["secure"] for cookie in cookies_of(person).values())


# Who is at the other end


def test_a_sign_in_notes_the_visitor_and_neither_the_proxy_nor_what_is_claimed(site):
    _, answer = signed_in_by_form(site)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert answer.headers["set-cookie"].startswith("__Host-yuejian=")
    assert last_sign_in().address == VISITOR


def test_an_address_that_comes_with_the_request_counts_from_the_proxy_alone(site):
    claim = {"X_Forwarded_For": CLAIMED}
    assert signed_out_from(site.url, token_for("administrator"), source=VISITOR, **claim) == VISITOR
    assert signed_out_from(site.app, token_for("administrator"), source=VISITOR, **claim) == VISITOR
    assert signed_out_from(site.app, token_for("administrator"), **claim) == CLAIMED


def test_nobody_but_the_proxy_says_that_a_request_came_over_tls(site):
    claim = {"X_Forwarded_Proto": "https"}
    assert "strict-transport-security" not in ask(site.app, "/", source=VISITOR, **claim).headers
    assert "strict-transport-security" in ask(site.app, "/", **claim).headers


# What goes through


@pytest.mark.parametrize("path", ["/", "/health", "/template/kinds.xlsx", "/auth/begin?ticket=x"])
def test_every_security_header_is_there_once(site, path):
    answer = ask(site.url, path, **HERE)
    wanted = {
        "strict-transport-security": 1,
        "content-security-policy": 1,
        "x-content-type-options": 1,
        "x-frame-options": 1,
        "referrer-policy": 1,
        "x-request-id": 1,
        "server": 1,
        "date": 1,
    }
    assert Counter(name for name, _ in answer.given if name in wanted) == wanted
    assert answer.headers["server"] == "nginx"


def test_a_file_is_taken_up_to_the_limit_and_refused_above_it_in_words(site):
    token = token_for("administrator")
    cookie = cookies(token, prefix="__Host-")
    with open_page(site, token) as opened:
        opened.run()
        below, above, far_above = opened.places(*["a.pdf"] * 3)
        assert upload(site.url, below, bytes(limits.LARGEST - 1000), cookie).status == 204
        by_the_product = upload(site.url, above, bytes(limits.LARGEST + 2 * limits.MB - 1000), cookie)
        by_nginx = upload(site.url, far_above, bytes(limits.LARGEST + 3 * limits.MB), cookie)
    for answer in (by_the_product, by_nginx):
        assert (answer.status, answer.body.decode()) == (413, "文件过大，未能上传")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "x-request-id" in by_the_product.headers
    assert "x-request-id" not in by_nginx.headers


# What is written down


def test_the_logs_hold_no_ticket_no_place_of_an_upload_and_nothing_searched_for(site):
    ticket, answer = signed_in_by_form(site)
    token = re.search("__Host-yuejian=([^;]+)", answer.headers["set-cookie"])[1]
    ask(site.url, f"/?code={ticket}", Referer=f"{site.url}/?code={ticket}")
    ask(site.url, "/oauth2callback?code=of-the-provider&state=of-ours")
    ask(site.url, "/ledger?find=13800138000")
    with open_page(site, token) as opened:
        opened.run()
        (place,) = opened.places("a.pdf")
        assert upload(site.url, place, b"x", cookies(token, prefix="__Host-")).status == 204
        too_much = upload(site.url, place, bytes(23 * limits.MB), cookies(token, prefix="__Host-"))
        assert too_much.status == 413
        number = opened.session_id
    logs = "".join(map(site.proxy.log, ("yuejian.log", "error.log", "access.log")))
    assert f"{VISITOR} [" in logs and '"GET /ledger HTTP/1.1" 200' in logs
    secrets = (ticket, token, place, number, "of-the-provider", "of-ours", "13800138000")
    assert [secret for secret in secrets if secret in logs] == []


# What nginx says itself


@pytest.fixture
def alone(site, tmp_path, monkeypatch):
    """A proxy whose product is away."""
    certificate = gateways.certificate(tmp_path, nginx.NAME)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with nginx.serve(f"http://127.0.0.1:{browser.free_port()}", certificate) as proxy:
        yield proxy


def test_while_the_product_is_away_visitors_read_so(alone):
    for path in ("/", "/auth/begin?ticket=x"):
        answer = ask(alone.url, path)
        assert (answer.status, answer.body.decode()) == (502, "约检台正在维护，请稍后刷新")
    assert "ticket=" not in alone.log("yuejian.log") + alone.log("error.log")


@pytest.mark.parametrize("path", ["/", "/auth/begin?ticket=x"])
def test_who_asks_too_often_is_told_so(alone, path):
    connection = http.client.HTTPSConnection(urlsplit(alone.url).netloc)
    answers = []
    for _ in range(400):
        connection.request("GET", path)
        answers.append(Answer(connection.getresponse()))
    connection.close()
    assert answers[0].status == 502
    assert (answers[-1].status, answers[-1].body.decode()) == (429, "访问过于频繁，请稍后再试")
