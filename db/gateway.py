"""The gateway: one message to a mobile number over HTTP, or to a mailbox over SMTP. No database in here.

Environment variables say where it is (README). Each message has a reference that stays the same for every
try, so that a gateway which knows references drops a second copy.
"""

import json
import os
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import requests

from db.errors import Refused
from db.models import Channel

# Whether the message is to blame or the moment: these may go well another time.
PASSING = (408, 409, 425, 429)
SECURITIES = {"starttls": 587, "ssl": 465, "none": 25}
HERE = ("localhost", "127.0.0.1", "::1")


class Undelivered(Exception):
    """Not delivered, in words without the text or the number; `is_final` when no other try would help."""

    def __init__(self, reason: str, is_final: bool = False):
        super().__init__(reason)
        self.is_final = is_final


@dataclass(frozen=True)
class SmsGateway:
    """Where short messages go. `names` maps number, text and reference to the gateway's own field names.

    `extra` is sent along as it is; `success` names a field of a JSON answer and the value that means well.
    """

    url: str
    token: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    success: tuple[str, str] | None = None
    timeout: float = 10


@dataclass(frozen=True)
class MailServer:
    """Where mail goes; `security` is one of SECURITIES."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = ""
    timeout: float = 10


def sms_gateway() -> SmsGateway | None:
    """What `YUEJIAN_SMS_*` say, None without a URL. Raises Refused for what cannot be meant."""
    url = _said("SMS_URL")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in HERE):
        raise Refused("YUEJIAN_SMS_URL 应以 https:// 开头，短信不能明文经过网络")
    name, _, value = _said("SMS_SUCCESS").partition("=")
    return SmsGateway(
        url=url,
        token=_said("SMS_TOKEN"),
        names={
            "number": _said("SMS_NUMBER_FIELD", "mobile"),
            "text": _said("SMS_TEXT_FIELD", "text"),
            "reference": _said("SMS_REFERENCE_FIELD", "reference"),
        },
        extra=_extra(),
        success=(name.strip(), value.strip()) if name else None,
        timeout=_seconds("SMS_TIMEOUT"),
    )


def mail_server() -> MailServer | None:
    """What `YUEJIAN_SMTP_*` say, None without a host. Raises Refused for what cannot be meant."""
    host = _said("SMTP_HOST")
    if not host:
        return None
    security, sender = _said("SMTP_SECURITY", "starttls").lower(), _said("SMTP_FROM")
    if security not in SECURITIES:
        raise Refused("YUEJIAN_SMTP_SECURITY 请填 starttls、ssl 或 none")
    if security == "none" and host not in HERE:
        raise Refused("YUEJIAN_SMTP_SECURITY=none 只能用于本机的邮件服务，邮件不能明文经过网络")
    if "@" not in sender:
        raise Refused("请在 YUEJIAN_SMTP_FROM 中填写发件地址")
    port = _said("SMTP_PORT", str(SECURITIES[security]))
    if not port.isdecimal():
        raise Refused("YUEJIAN_SMTP_PORT 请填端口号")
    user, password = _said("SMTP_USER"), _said("SMTP_PASSWORD")
    return MailServer(host, int(port), security, sender, user, password, _seconds("SMTP_TIMEOUT"))


def _said(name: str, default: str = "") -> str:
    return os.environ.get(f"YUEJIAN_{name}", "").strip() or default


def _seconds(name: str) -> float:
    text = _said(name, "10")
    if not text.isdecimal() or not 1 <= int(text) <= 15:
        raise Refused(f"YUEJIAN_{name} 请填 1 至 15 的秒数")
    return float(text)


def _extra() -> dict[str, Any]:
    try:
        found = json.loads(_said("SMS_EXTRA", "{}"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused("YUEJIAN_SMS_EXTRA 应为 JSON 对象")
    return found


def channels() -> list[Channel]:
    """The channels that are configured. Raises Refused for settings that cannot be meant."""
    found = {Channel.sms: sms_gateway(), Channel.mail: mail_server()}
    return [channel for channel, there in found.items() if there]


def send(channel: Channel, recipient: str, title: str, text: str, reference: str) -> None:
    """Hand one message over, within half a minute; raises Undelivered, or Refused without a gateway."""
    if channel == Channel.sms and (gateway := sms_gateway()):
        _send_sms(gateway, recipient, text, reference)
    elif channel == Channel.mail and (server := mail_server()):
        _send_mail(server, recipient, title, text, reference)
    else:
        raise Refused(f"没有配置{channel}网关，请设置 YUEJIAN_SMS_URL 或 YUEJIAN_SMTP_HOST")


def _send_sms(gateway: SmsGateway, number: str, text: str, reference: str) -> None:
    names = gateway.names
    said = {names["number"]: number, names["text"]: text, names["reference"]: reference}
    headers = {"Idempotency-Key": reference}
    if gateway.token:
        headers["Authorization"] = f"Bearer {gateway.token}"
    try:
        answer = requests.post(
            gateway.url,
            json={**gateway.extra, **said},
            headers=headers,
            timeout=gateway.timeout,
            # Elsewhere the token has no business.
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise Undelivered(f"短信网关没有应答（{type(error).__name__}）") from None
    status = answer.status_code
    if not 200 <= status < 300:
        is_final = status < 500 and status not in PASSING
        raise Undelivered(f"短信网关应答 {status}", is_final)
    if gateway.success and _field(answer, gateway.success[0]) != gateway.success[1]:
        raise Undelivered(f"短信网关应答 {gateway.success[0]} 不是 {gateway.success[1]}")


def _field(answer: requests.Response, name: str) -> str | None:
    try:
        return str(answer.json().get(name))
    except (ValueError, AttributeError):
        return None


def _send_mail(server: MailServer, address: str, title: str, text: str, reference: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, address, title
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{reference}@{server.sender.rsplit('@', 1)[-1].strip('> ')}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    try:
        with _connected(server) as client:
            client.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=0)
        raise Undelivered(f"邮件服务拒收该地址（{code}）", is_final=code >= 500) from None
    except smtplib.SMTPAuthenticationError:
        raise Undelivered("邮件服务不接受账号或密码") from None
    except smtplib.SMTPResponseException as error:
        raise Undelivered(f"邮件服务应答 {error.smtp_code}", is_final=error.smtp_code >= 500) from None
    except (smtplib.SMTPException, OSError) as error:
        raise Undelivered(f"邮件服务没有应答（{type(error).__name__}）") from None


def _connected(server: MailServer) -> smtplib.SMTP:
    """A connection, encrypted with the server's certificate checked, unless it stays on this machine."""
    trusted = ssl.create_default_context()
    if server.security == "ssl":
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=server.timeout, context=trusted
        )
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
    try:
        if server.security == "starttls":
            client.starttls(context=trusted)
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client
