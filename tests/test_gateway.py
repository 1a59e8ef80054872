"""The gateway: what goes over the wire, what is tried again, and whom it trusts. Real servers."""

import email
import time

import pytest

from db import gateway
from db.errors import Refused
from db.models import Channel
from tests import gateways

NUMBER, REFERENCE = "13800138000", "5f0c" * 8
SMS = (Channel.sms, NUMBER, "", "【约检台】验证码 123456", REFERENCE)
MAIL = (Channel.mail, "chen@example.cn", "约检台：账号找回", "【约检台】已办理", REFERENCE)


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    """No gateway but those a test names."""
    for name in ("SMS_URL", "SMS_TOKEN", "SMS_SUCCESS", "SMS_EXTRA", "SMTP_HOST", "SMTP_USER"):
        monkeypatch.delenv(f"YUEJIAN_{name}", raising=False)


@pytest.fixture
def sms(monkeypatch):
    """A gateway for short messages, configured."""
    with gateways.endpoint() as endpoint:
        monkeypatch.setenv("YUEJIAN_SMS_URL", endpoint.url)
        yield endpoint


@pytest.fixture
def mail(monkeypatch):
    """A mail server on this machine, configured."""
    with gateways.mailbox() as mailbox:
        configure(monkeypatch, mailbox, "none")
        yield mailbox


def configure(patch, mailbox, security):
    patch.setenv("YUEJIAN_SMTP_HOST", "127.0.0.1")
    patch.setenv("YUEJIAN_SMTP_PORT", str(mailbox.port))
    patch.setenv("YUEJIAN_SMTP_SECURITY", security)
    patch.setenv("YUEJIAN_SMTP_FROM", "约检台 <yuejian@example.cn>")


def undelivered(message):
    with pytest.raises(gateway.Undelivered) as failure:
        gateway.send(*message)
    assert NUMBER not in str(failure.value) and "123456" not in str(failure.value)
    return failure.value


def test_a_short_message_carries_number_text_and_its_reference(sms, monkeypatch):
    monkeypatch.setenv("YUEJIAN_SMS_TOKEN", "secret")
    gateway.send(*SMS)
    (request,) = sms.requests
    assert request["body"] == {"mobile": NUMBER, "text": SMS[3], "reference": REFERENCE}
    assert request["headers"]["Idempotency-Key"] == REFERENCE
    assert request["headers"]["Authorization"] == "Bearer secret"


def test_a_gateway_may_call_its_fields_otherwise_and_want_more(sms, monkeypatch):
    names = {"NUMBER": "phones", "TEXT": "content", "REFERENCE": "extno"}
    for name, called in names.items():
        monkeypatch.setenv(f"YUEJIAN_SMS_{name}_FIELD", called)
    monkeypatch.setenv("YUEJIAN_SMS_EXTRA", '{"sign": "约检台"}')
    gateway.send(*SMS)
    body = {"sign": "约检台", "phones": NUMBER, "content": SMS[3], "extno": REFERENCE}
    assert sms.requests[0]["body"] == body


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408, 409])
def test_what_may_pass_is_worth_another_try(sms, status):
    sms.answers = [(status, "")]
    assert not undelivered(SMS).is_final


@pytest.mark.parametrize("status", [400, 401, 404, 302])
def test_what_the_gateway_will_never_take_is_final(sms, status):
    sms.answers = [(status, "")]
    assert undelivered(SMS).is_final


def test_an_answer_of_200_may_still_say_no(sms, monkeypatch):
    monkeypatch.setenv("YUEJIAN_SMS_SUCCESS", "code=0")
    sms.answers = [(200, '{"code": 17}'), (200, "busy"), (200, "[]"), (200, '{"code": 0}')]
    for _ in range(3):
        assert not undelivered(SMS).is_final
    gateway.send(*SMS)


def test_a_silent_gateway_is_left_after_the_time_limit(sms, monkeypatch):
    monkeypatch.setenv("YUEJIAN_SMS_TIMEOUT", "1")
    sms.before = lambda: time.sleep(1.5)
    assert "Timeout" in str(undelivered(SMS))


def test_an_absent_gateway_is_tried_again(monkeypatch):
    monkeypatch.setenv("YUEJIAN_SMS_URL", "http://127.0.0.1:9/sms")
    assert not undelivered(SMS).is_final


def test_a_certificate_nobody_vouches_for_gets_no_message(tmp_path, monkeypatch):
    path = gateways.certificate(tmp_path)
    with gateways.endpoint(tls=path) as endpoint:
        monkeypatch.setenv("YUEJIAN_SMS_URL", endpoint.url)
        assert "SSL" in str(undelivered(SMS))
        assert endpoint.requests == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
        gateway.send(*SMS)
        assert len(endpoint.requests) == 1


def test_a_mail_says_from_whom_to_whom_and_keeps_its_message_id(mail):
    gateway.send(*MAIL)
    gateway.send(*MAIL)
    first, second = (email.message_from_bytes(one.content) for one in mail.mails)
    assert first["Message-ID"] == second["Message-ID"] == f"<{REFERENCE}@example.cn>"
    title = str(email.header.make_header(email.header.decode_header(first["Subject"])))
    assert (first["To"], title) == ("chen@example.cn", "约检台：账号找回")
    assert first.get_payload(decode=True).decode().strip() == "【约检台】已办理"
    assert mail.mails[0].rcpt_tos == ["chen@example.cn"]


def test_a_mail_is_tried_again_or_given_up_as_the_server_says(mail):
    mail.answers = ["451 later", "550 no"]
    assert [undelivered(MAIL).is_final for _ in range(2)] == [False, True]


def test_an_absent_mail_server_is_tried_again(mail, monkeypatch):
    monkeypatch.setenv("YUEJIAN_SMTP_PORT", "9")
    assert not undelivered(MAIL).is_final


def test_mail_is_encrypted_and_the_server_checked_before_the_password_is_said(tmp_path, monkeypatch):
    path, seen = gateways.certificate(tmp_path), []

    def check(server, session, envelope, mechanism, data):
        from aiosmtpd.smtp import AuthResult

        seen.append((data.login, data.password, session.ssl is not None))
        return AuthResult(success=True)

    options = {"authenticator": check, "auth_required": True}
    with gateways.mailbox(tls=path, **options) as mailbox:
        configure(monkeypatch, mailbox, "starttls")
        monkeypatch.setenv("YUEJIAN_SMTP_USER", "yuejian")
        monkeypatch.setenv("YUEJIAN_SMTP_PASSWORD", "secret")
        assert "SSL" in str(undelivered(MAIL))
        assert (mailbox.mails, seen) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        gateway.send(*MAIL)
        assert len(mailbox.mails) == 1
        assert seen == [(b"yuejian", b"secret", True)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMS_URL", "http://gateway.example.cn/sms"),
        ("SMS_URL", "gateway.example.cn"),
        ("SMS_EXTRA", "[1]"),
        ("SMS_EXTRA", "{"),
        ("SMS_TIMEOUT", "0"),
        ("SMS_TIMEOUT", "soon"),
        ("SMTP_SECURITY", "tls"),
        ("SMTP_PORT", "smtp"),
        ("SMTP_FROM", "yuejian"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(sms, mail, monkeypatch, name, value):
    assert gateway.channels() == [Channel.sms, Channel.mail]
    monkeypatch.setenv(f"YUEJIAN_{name}", value)
    with pytest.raises(Refused, match=f"YUEJIAN_{name}"):
        gateway.channels()


def test_mail_without_encryption_stays_on_this_machine(mail, monkeypatch):
    monkeypatch.setenv("YUEJIAN_SMTP_HOST", "mail.example.cn")
    with pytest.raises(Refused, match="本机"):
        gateway.channels()


def test_without_a_gateway_nothing_is_sent():
    assert gateway.channels() == []
    for message in (SMS, MAIL):
        with pytest.raises(Refused, match="没有配置"):
            gateway.send(*message)
