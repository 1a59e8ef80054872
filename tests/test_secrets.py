"""Secrets stay out of the repository, of the log and of what a visitor sees when something fails."""

import logging
import re
import subprocess
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from sqlalchemy import make_url, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select
from streamlit.auth_util import encode_provider_token

from db import engine as engines
from db import notifications, resets, sign_ins
from db.__main__ import main
from db.engine import reading, transaction
from db.models import Account, Cause, Channel, Notification, Role
from tests import browser, gateways, postgres
from tests.conftest import NOW, bound
from tests.e2e.person import Person
from tests.e2e.test_import import send
from tests.forger import Page, ask, cookies, page, token_for
from tests.make import PASSWORD, PASSWORD_HASH, make_account
from tests.test_attacks import wait_until

ROOT = Path(__file__).parent.parent
# Keys and tokens by how they begin; what a password variable is set to.
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|xox[abp]-[A-Za-z0-9-]{10,}|(?i:secret|passw(?:or)?d|api_?key)\s*=\s*['\"][A-Za-z0-9+/]{24,}['\"]"
)


def kept():
    """The files that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        "AKIA" + "ABCDEFGHIJ234567",
        "ghp" + "_" + "a" * 36,
        'PASSWORD = "' + "q9" * 14 + '"',
    ],
)
def test_a_secret_in_a_file_would_be_seen(text):
    assert SECRETS.search(text)


def test_the_repository_holds_no_secret_and_no_database():
    names = [path for path in kept() if path.suffix in (".db", ".sqlite", ".pem", ".key", ".env")]
    assert names == []
    texts = ((path, path.read_text(encoding="utf-8", errors="replace")) for path in kept() if path.is_file())
    assert [str(path) for path, text in texts if SECRETS.search(text)] == []


@pytest.mark.parametrize("wrong", [{"username": "same"}, {"full_name": None}], ids=str)
def test_a_failing_statement_tells_no_values(database, caplog, wrong):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(IntegrityError) as failure, transaction() as session:
        make_account(session, Role.reviewer, username="same", mobile="13812345678")
        values = {"username": "other", "full_name": "沈越", "mobile": "13812345678"} | wrong
        session.add(Account(password_hash=PASSWORD_HASH, role=Role.reviewer, **values))
        session.flush()
    told = "".join(traceback.format_exception(failure.value)) + caplog.text
    assert [value for value in (PASSWORD_HASH, "13812345678", "沈越") if value in told] == []


# A running server whose every secret is one of these, and what it does when things fail.

KEPT = {
    "DATABASE_URL": "Kx7Qm2Vw9T-database",
    "YUEJIAN_SECRET_KEY": "Kx7Qm2Vw9T-authenticators-and-long-enough",
    "YUEJIAN_SMS_TOKEN": "Kx7Qm2Vw9T-sms-token",
    "YUEJIAN_SMS_EXTRA": "Kx7Qm2Vw9T-sms-extra",
    "YUEJIAN_SMTP_PASSWORD": "Kx7Qm2Vw9T-smtp",
    "cookie_secret": "Kx7Qm2Vw9T-cookies-of-thirty-two-characters",
    "client_secret": "Kx7Qm2Vw9T-client",
}
TYPED = "Kx7Qm2Vw9T-typed"
TRACES = ("Traceback", 'File "', "psycopg", "sqlalchemy", "[SQL:", "Error(", "does not exist")


@dataclass
class Failing:
    """A server, its database, the gateways it is told of, and all that it has answered with."""

    url: str
    gone: Callable[[], None]
    sms: gateways.Endpoint
    answers: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)

    def ask(self, path: str, **headers: str) -> int:
        """The status of an answer, which is kept."""
        answer = ask(self.url, path, **headers)
        self.answers.append(f"{answer.given}\n{answer.body.decode(errors='replace')}")
        return answer.status

    def run(self, shown: Page, page: str = "", **triggers: str) -> str:
        """What a page shows, which is kept."""
        shown.run(page, **triggers)
        self.answers.append("\n".join(str(message) for message in shown.shown))
        return "\n".join(getattr(element, "body", "") for element in shown.elements())

    def leaks(self) -> list[str]:
        """The secrets that somebody else than their owner could read, and pieces of a traceback on a page."""
        answered = "\n".join(self.answers)
        everything = browser.log(self.url) + answered
        secrets = [*KEPT.values(), TYPED, *self.used]
        # Of six digits, not those within a longer number.
        found = [one for one in secrets if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", everything)]
        return found + [trace for trace in TRACES if trace in answered]


@pytest.fixture(scope="module")
def failing(postgres_server, tmp_path_factory):
    """Three accounts in a database with a password, and gateways that refuse."""
    _, name = postgres_server.rsplit("/", 1)
    folder = tmp_path_factory.mktemp("failing")
    (folder / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "https://yuejian.example.gov.cn/oauth2callback"
cookie_secret = "{KEPT["cookie_secret"]}"
client_id = "yuejian"
client_secret = "{KEPT["client_secret"]}"
server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"
"""
    )
    with ExitStack() as stack:
        base = ExitStack()
        stack.enter_context(base)
        plain = base.enter_context(postgres.database(postgres_server, template=name))
        stack.enter_context(bound(plain))
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("YUEJIAN_NOW", NOW)
        with transaction() as session:
            make_account(session, Role.administrator, username="administrator")
            make_account(session, Role.reviewer, username="reviewer", mobile="13812345678")
            make_account(session, Role.enterprise, username="enterprise")
        sms = stack.enter_context(gateways.endpoint())
        wrong = AuthResult(success=False, handled=False, message=f"535 not {KEPT['YUEJIAN_SMTP_PASSWORD']}")
        mail = gateways.mailbox(authenticator=lambda *_: wrong, auth_require_tls=False)
        url = make_url(plain).set(password=KEPT["DATABASE_URL"]).render_as_string(hide_password=False)
        settings = {
            "YUEJIAN_NOW": NOW,
            "YUEJIAN_SECRET_KEY": KEPT["YUEJIAN_SECRET_KEY"],
            "YUEJIAN_SMS_URL": sms.url,
            "YUEJIAN_SMS_TOKEN": KEPT["YUEJIAN_SMS_TOKEN"],
            "YUEJIAN_SMS_EXTRA": f'{{"sign": "{KEPT["YUEJIAN_SMS_EXTRA"]}"}}',
            "YUEJIAN_SMTP_HOST": "127.0.0.1",
            "YUEJIAN_SMTP_PORT": str(stack.enter_context(mail).port),
            "YUEJIAN_SMTP_SECURITY": "none",
            "YUEJIAN_SMTP_USER": "yuejian",
            "YUEJIAN_SMTP_PASSWORD": KEPT["YUEJIAN_SMTP_PASSWORD"],
            "YUEJIAN_SMTP_FROM": "yuejian@example.gov.cn",
            "STREAMLIT_SECRETS_FILES": str(folder / "secrets.toml"),
        }
        served = stack.enter_context(browser.serve(url, **settings))
        yield Failing(served, base.close, sms)


def fill_in(failing, form, password: str) -> str:
    form.run()
    form.put(form.id_of("账号"), string_value="reviewer")
    form.put(form.id_of("密码"), string_value=password)
    return failing.run(form, login=form.id_of("登录"))


@pytest.mark.slow
def test_a_wrong_password_stands_nowhere(failing):
    with page(failing.url) as form:
        assert sign_ins.WRONG in fill_in(failing, form, TYPED)
    assert failing.leaks() == []


@pytest.mark.slow
def test_a_gateway_that_refuses_is_told_of_without_the_code_and_the_token(failing):
    failing.sms.answers = [(401, f"unknown {KEPT['YUEJIAN_SMS_TOKEN']}")]
    with transaction() as session:
        resets.ask(session, resets.Way.username, "reviewer", "")
        row = session.exec(select(Notification)).one()
        failing.used.append(row.secret)
        number = row.id
    wait_until(lambda: notification(number).failure == "短信网关应答 401")
    assert failing.leaks() == []


@pytest.mark.slow
def test_a_mail_server_that_refuses_is_told_of_without_the_password(failing):
    with transaction() as session:
        notifications.queue(session, "mail", Cause.recovery, "chen@example.cn", "已办理")
        number = session.exec(select(Notification).where(Notification.channel == Channel.mail)).one().id
    wait_until(lambda: notification(number).failure == "邮件服务不接受账号或密码")
    assert failing.leaks() == []


def notification(number: int) -> Notification:
    with reading() as session:
        return session.get_one(Notification, number)


@pytest.mark.slow
def test_an_operation_that_raises_shows_a_number_and_prints_no_value(failing):
    with transaction() as session:
        ticket = sign_ins.begin(session, "administrator", PASSWORD_HASH, "", "test")
        session.exec(text("ALTER TABLE sign_in_attempts RENAME TO hidden"))
    failing.used.append(ticket)
    with page(failing.url) as form:
        said = fill_in(failing, form, f"{TYPED}-right")
    with transaction() as session:
        session.exec(text("ALTER TABLE hidden RENAME TO sign_in_attempts"))
    assert "错误编号" in said
    assert "UndefinedTable" in browser.log(failing.url)
    assert failing.leaks() == []


@pytest.mark.slow
def test_a_broken_file_is_refused_without_its_content(failing):
    with browser.launch() as chromium, browser.visitor(chromium) as visitor:
        clerk = Person(visitor, failing.url)
        clerk.sign_in("enterprise")
        send(clerk, b"PK\x03\x04" + TYPED.encode())
        clerk.reads("文件损坏或不完整")
        failing.answers.append(visitor.content())
    failing.used.append(PASSWORD)
    assert failing.leaks() == []


@pytest.mark.slow
def test_a_provider_that_does_not_answer_is_told_of_without_its_secrets(failing):
    door = f"/auth/login?provider={encode_provider_token('default')}"
    failing.ask(door)
    failing.ask("/oauth2callback?code=Kx7Qm2Vw9T-code&state=Kx7Qm2Vw9T-state")
    failing.used += ["Kx7Qm2Vw9T-code", "Kx7Qm2Vw9T-state"]
    assert failing.leaks() == []


@pytest.mark.slow
def test_a_database_that_is_gone_is_told_of_without_its_password(failing):
    token = token_for("administrator")
    with transaction() as session:
        ticket = sign_ins.begin(session, "administrator", PASSWORD_HASH, "", "test")
    failing.used += [token, ticket]
    engines.engine().dispose()
    failing.gone()
    assert failing.ask("/health") == 503
    here = {"Cookie": cookies(token), "Sec_Fetch_Site": "same-origin"}
    for path in (f"/auth/begin?ticket={ticket}", "/auth/end", "/attachments/1", "/personal-data.json"):
        assert failing.ask(path, **here) == 500
    for path in ("/exports/ledger.xlsx", "/template/kinds.xlsx"):
        assert failing.ask(path, **here) == 500
        number = re.search("错误编号 ([0-9A-F]{8}) 告知管理员", failing.answers[-1]).group(1)
        assert f"错误编号 {number}\n" in browser.log(failing.url)
    with page(failing.url) as visitor:
        assert "错误编号" in failing.run(visitor)
    assert "does not exist" in browser.log(failing.url)
    assert failing.leaks() == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://yuejian:{}@127.0.0.1:9/yuejian",
        "postgresql+psycopg://127.0.0.1:9/yuejian?user=yuejian&password={}",
        "postgresql+psycopg://yuejian:{}@127.0.0.1:port/yuejian",
        "mysql://yuejian:{}@127.0.0.1/yuejian",
        "{}",
    ],
)
@pytest.mark.parametrize("command", ["check", "import-ledger broken.xlsx --enterprise x"])
def test_a_command_that_cannot_reach_its_database_does_not_print_the_password(
    tmp_path, monkeypatch, capsys, bind, url, command
):
    bind(url.format(KEPT["DATABASE_URL"]))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04" + KEPT["DATABASE_URL"].encode())
    assert main(command.split()) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert KEPT["DATABASE_URL"] not in printed.out + printed.err
