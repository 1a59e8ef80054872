"""统一身份登录: what the bureau's own OIDC provider vouches for becomes a sign-in of ours.

Streamlit's login and callback do the protocol (state, nonce, signature). The callback would give the
browser Streamlit's own cookie, which holds for 30 days and which nobody can revoke. It is taken out of the
answer here, read, and exchanged for ours, so that it never leaves the server.
"""

import json
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, unquote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import get_cookie_with_chunks, get_secrets_auth_section, validate_auth_credentials
from streamlit.user_info import generate_login_redirect_url
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from db import audit, authenticators, identities, sign_ins
from db.engine import transaction
from db.errors import Refused
from pages.edge import limits, session, visitor
from pages.edge.limits import Buckets
from pages.edge.visitor import WANTED

LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
METADATA = "/.well-known/openid-configuration"
SECRET = 32
FAILED = 400


def is_configured() -> bool:
    """Whether `.streamlit/secrets.toml` names a provider."""
    return bool(get_secrets_auth_section())


def issuer() -> str:
    """Who vouches: by the standard, the address of the provider's metadata without its fixed end."""
    return str(get_secrets_auth_section().get("server_metadata_url", "")).removesuffix(METADATA)


def door(path: str) -> str:
    """The address of this server that leads to the provider and, once signed in, to the path."""
    return f"{generate_login_redirect_url('default')}&{urlencode({'next': path})}"


def refuse_half_a_provider() -> None:
    """Raise RuntimeError, or Streamlit's own StreamlitAuthError, when `[auth]` is there but is not enough."""
    if not is_configured():
        return
    validate_auth_credentials("default")
    found = get_secrets_auth_section()
    if len(str(found["cookie_secret"])) < SECRET or not str(found["redirect_uri"]).endswith(CALLBACK):
        raise RuntimeError(
            f"[auth] needs a cookie_secret of {SECRET} characters or more and a redirect_uri up to {CALLBACK}"
        )


class Provider:
    """Exchanges the callback's answer; counts, since each try makes this server ask the provider."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self.tries = Buckets(limits.PROVIDER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in (LOGIN, CALLBACK):
            return await self.app(scope, receive, send)
        if not is_configured():
            return await PlainTextResponse("Not Found", 404)(scope, receive, send)
        if not self.tries.take(visitor.of(scope).network):
            return await PlainTextResponse("登录过于频繁，请稍后再试", 429)(scope, receive, send)
        request = Request(scope)
        given: list[Message] = []

        async def keep(message: Message) -> None:
            given.append(message)

        await self.app(scope, receive, keep)
        if scope["path"] == LOGIN:
            return await _lead_on(request, given, receive, send)
        cookies = Headers(raw=given[0]["headers"]).getlist("set-cookie")
        answer = await run_in_threadpool(_exchange, request, _claims(cookies))
        for cookie in cookies:
            if not cookie.startswith(USER_COOKIE_NAME):
                answer.headers.append("set-cookie", cookie)
        answer.headers.append("set-cookie", f"{_wanted_cookie(request, '')}; Max-Age=0")
        await answer(scope, receive, send)


async def _lead_on(request: Request, given: list[Message], receive: Receive, send: Send) -> None:
    """Send the browser to the provider, or back to the sign-in page where the provider does not answer.

    The page asked for waits in a cookie meanwhile.
    """
    wanted = session.local(request.query_params.get("next", "/"))
    start, *rest = given
    if start["status"] >= FAILED:
        return await session.to(wanted, again="provider")(request.scope, receive, send)
    for message in (visitor.with_cookie(start, _wanted_cookie(request, quote(wanted))), *rest):
        await send(message)


def _wanted_cookie(request: Request, value: str) -> str:
    return visitor.lax(WANTED, value, request.url.scheme == "https")


def _claims(cookies: list[str]) -> dict[str, Any]:
    """What the identity token says, empty when there is none: refused, canceled, forged."""
    jar: dict[str, str] = {}
    for cookie in cookies:
        jar.update({name: morsel.value for name, morsel in SimpleCookie(cookie).items()})
    secret = get_cookie_secret()
    found = get_cookie_with_chunks(
        lambda name: decode_signed_value(secret, name, jar.get(name, "")), USER_COOKIE_NAME
    )
    claims: dict[str, Any] = json.loads(found) if found else {}
    return claims


def _exchange(request: Request, claims: dict[str, Any]) -> Response:
    wanted = session.local(unquote(request.cookies.get(WANTED, "/")))
    subject = claims.get("sub")
    if not subject:
        return session.to(wanted, again="1")
    address = request.client.host if request.client else ""
    agent = request.headers.get("user-agent", "")
    try:
        with transaction() as opened:
            audit.attribute(opened, by=None, address=address, place="统一身份登录")
            ticket = identities.begin(opened, str(claims.get("iss", "")), str(subject), address, agent)
            if authenticators.is_waiting(opened, ticket):
                return session.to(wanted, code=ticket)
            token = sign_ins.redeem(opened, ticket)
    except Refused:
        return session.to(wanted, again="identity")
    return session.enter(request, token, wanted)
