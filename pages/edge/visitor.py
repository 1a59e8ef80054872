"""Who asks: the browser by a cookie of its own, the account by the cookie of its sign-in.

Streamlit lets whoever knows the number of a session go on with it. Here a session belongs to the two cookies
it was opened with: their digest is a header that only this server sets, and Streamlit compares it (setting
`server.trustedUserHeaders`). Behind TLS the cookies carry the prefix `__Host-`, so that no neighbouring site
and no unencrypted answer can plant them; the rest of the code knows them without it.
"""

import secrets
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.sign_ins import digest

COOKIE = "yuejian"
BROWSER = "yuejian-browser"
# The page asked for, while its visitor is at the bureau's provider.
WANTED = "yuejian-wanted"
HEADER = "X-Yuejian-Visitor"
PREFIX = "__Host-"
KEY = "yuejian.visitor"


@dataclass(frozen=True)
class Visitor:
    """One request's sender: `number` is the same as long as browser and sign-in are."""

    number: str
    token: str
    network: str

    def holder(self, is_signed_in: bool) -> str:
        """To whom offers are made: what a page was offered while signed in ends with the sign-in."""
        return f"{self.number} {is_signed_in}"


def of(scope: Scope) -> Visitor:
    """Whom `Visitors` has found behind this request."""
    visitor: Visitor = scope[KEY]
    return visitor


def name(cookie: str, is_secure: bool) -> str:
    """What the browser calls one of our cookies."""
    return PREFIX + cookie if is_secure else cookie


def network(address: str) -> str:
    """The address to count by: of IPv6 the first half, since a household has all of the second."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else address


def plain(header: str, is_secure: bool) -> str:
    """The Cookie header with our cookies under their plain names, without any that others may have set."""
    if not is_secure:
        return header
    ours = (COOKIE, BROWSER, WANTED)
    back = {PREFIX + cookie: cookie for cookie in ours}
    pairs = [part.strip().partition("=") for part in header.split(";")]
    return "; ".join(f"{back.get(key, key)}={value}" for key, _, value in pairs if key not in ours)


class Visitors:
    """Tells the inner parts who asks, and gives a browser its cookie with the first page."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        is_secure = scope["scheme"] in ("https", "wss")
        headers, cookies = _read(scope, is_secure)
        browser = cookies.get(BROWSER, "")
        # A browser that keeps no cookies gets another number each time: nothing of it can be taken up again.
        number = digest(f"{browser or secrets.token_urlsafe(32)} {cookies.get(COOKIE, '')}")
        found = Visitor(number, cookies.get(COOKIE, ""), network(_host(scope)))
        headers.append((HEADER.lower().encode(), number.encode()))

        async def give_cookie(message: Message) -> None:
            is_first = message["type"] == "http.response.start" and not browser and _is_page(message)
            await send(_numbered(message, is_secure) if is_first else message)

        await self.app({**scope, "headers": headers, KEY: found}, receive, give_cookie)


def _read(scope: Scope, is_secure: bool) -> tuple[list[tuple[bytes, bytes]], dict[str, str]]:
    """The headers without a forged number and with plain cookies, and the cookies."""
    given = [(key, value) for key, value in scope["headers"] if key != HEADER.lower().encode()]
    texts = [value.decode("latin-1") for key, value in given if key == b"cookie"]
    header = plain("; ".join(texts), is_secure)
    headers = [(key, value) for key, value in given if key != b"cookie"]
    if header:
        headers.append((b"cookie", header.encode("latin-1")))
    return headers, cookie_parser(header)


def _host(scope: Scope) -> str:
    # Behind a proxy on this machine, uvicorn has put the visitor's own address here.
    client: Any = scope.get("client")
    return client[0] if client else ""


def _is_page(message: Message) -> bool:
    return any(key == b"content-type" and value.startswith(b"text/html") for key, value in message["headers"])


def _numbered(message: Message, is_secure: bool) -> Message:
    # Lax, not Strict: who follows a link from a mail keeps the browser's number, and with it the other tabs.
    return with_cookie(message, lax(BROWSER, secrets.token_urlsafe(32), is_secure))


def lax(cookie: str, value: str, is_secure: bool) -> str:
    """One of our cookies that comes along when another site leads here, as its header."""
    secure = "; Secure" if is_secure else ""
    return f"{name(cookie, is_secure)}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"


def with_cookie(message: Message, cookie: str) -> Message:
    """The start of an answer with one cookie more."""
    return {**message, "headers": [*message["headers"], (b"set-cookie", cookie.encode())]}
