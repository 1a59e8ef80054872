"""A gateway for short messages and a mail server, real and on this machine, for tests to deliver to."""

import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Endpoint:
    """What came in over HTTP: every request, and each message once by its reference, as gateways keep it.

    `answers` are given in turn, each (status, body), then 200; `before` runs before an answer is given.
    """

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: list[tuple[int, str]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def take(self, headers: Any, body: dict[str, Any]) -> tuple[int, str]:
        """Note a request; the answer to it."""
        self.requests.append({"headers": dict(headers), "body": body})
        status, text = self.answers.pop(0) if self.answers else (200, '{"code": 0}')
        if status == 200:
            self.messages.setdefault(headers["Idempotency-Key"], body)
        return status, text

    @property
    def texts(self) -> list[str]:
        """The texts that were delivered, each once."""
        return [message["text"] for message in self.messages.values()]


@contextmanager
def endpoint(tls: Path | None = None) -> Iterator[Endpoint]:
    """A gateway that takes JSON over HTTP on a free port, over TLS with the certificate in `tls`."""
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, text = found.take(self.headers, body)
            found.before()
            try:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())
            except OSError:
                pass  # whoever asked has gone

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    found.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/sms"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Mailbox:
    """What came in over SMTP; `answers` are replies to the end of the data, in turn, then 250."""

    port: int = 0
    mails: list[Any] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take one mail."""
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.mails.append(envelope)
        return answer


class OnFreePort(Controller):
    """The library's controller, which asks for its own first connection at the port it was told."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mailbox(tls: Path | None = None, **options: Any) -> Iterator[Mailbox]:
    """A mail server on a free port, with STARTTLS required by the certificate in `tls`."""
    found = Mailbox()
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        options |= {"tls_context": context, "require_starttls": True}
    controller = OnFreePort(found, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        found.port = controller.port
        yield found
    finally:
        controller.stop(no_assert=True)


def certificate(folder: Path, host: str = "localhost") -> Path:
    """A file with a key and a certificate for 127.0.0.1 and `host`, which nobody trusts unless told to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName(host)]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "gateway.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + made.public_bytes(pem))
    return path
