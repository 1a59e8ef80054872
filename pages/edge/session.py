"""The cookie of a sign-in: a script cannot set one that JavaScript cannot read, a route can."""

import re
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from db import audit, sign_ins
from db.engine import Session, reading, transaction
from db.errors import Refused
from pages.edge import limits, visitor
from pages.edge.limits import Buckets
from pages.edge.visitor import COOKIE

# A path of this server: no second slash that would name a host, no backslash or control character.
LOCAL = re.compile(r"/(?:[\w\-.~%!$&'()*+,;=:@?][\w\-.~%!$&'()*+,;=:@/?]*)?", re.ASCII)
TOO_OFTEN = "登录或退出过于频繁，请稍后再试"

_turns = Buckets(limits.SIGN_INS)


def begin(request: Request) -> Response:
    """Exchange the ticket in the address for the cookie, then show the page asked for."""
    if refusal := _refusal(request):
        return refusal
    ticket = request.query_params.get("ticket", "")
    # Looked for first without a turn to write, which a stranger could otherwise take from everybody.
    with reading() as session:
        if not sign_ins.is_ticket(session, ticket):
            return to("/?again=1")
    try:
        with transaction() as session:
            _introduce(session, request)
            token = sign_ins.redeem(session, ticket)
    except Refused:
        return to("/?again=1")
    return enter(request, token, request.query_params.get("next", "/"))


def enter(request: Request, token: str, path: str) -> Response:
    """Give the browser the cookie of a sign-in, and show the page."""
    answer = to(path)
    # Streamlit's server takes X-Forwarded-Proto from a proxy on this machine only.
    is_secure = request.url.scheme == "https"
    key = visitor.name(COOKIE, is_secure)
    answer.set_cookie(key, token, path="/", httponly=True, samesite="strict", secure=is_secure)
    return answer


def end(request: Request) -> Response:
    """Sign this browser out and show the sign-in page."""
    if refusal := _refusal(request):
        return refusal
    token = request.cookies.get(COOKIE, "")
    with reading() as session:
        is_known = sign_ins.account_of(session, token) is not None
    if is_known:
        with transaction() as session:
            _introduce(session, request)
            sign_ins.end(session, token)
    answer = to("/")
    is_secure = request.url.scheme == "https"
    key = visitor.name(COOKIE, is_secure)
    answer.delete_cookie(key, path="/", httponly=True, samesite="strict", secure=is_secure)
    return answer


def _introduce(session: Session, request: Request) -> None:
    account = sign_ins.account_of(session, request.cookies.get(COOKIE, ""))
    audit.attribute(session, by=account, address=request.client.host if request.client else "", place="登录")


def local(path: str) -> str:
    """The path if it stays on this server, else `/`."""
    return path if LOCAL.fullmatch(path) else "/"


def _is_from_here(request: Request) -> bool:
    """Whether one of our own pages asks, so that no other site can sign its visitors in or out here."""
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    # Browsers send Sec-Fetch-Site over https and to localhost only.
    return urlsplit(request.headers.get("referer", "")).netloc == request.headers.get("host")


def _refusal(request: Request) -> Response | None:
    """What to answer who asks from elsewhere, or too often; another site uses up nobody's turns."""
    if not _is_from_here(request):
        return _said("请从约检台的页面登录或退出", 403)
    return None if _turns.take(visitor.of(request.scope).network) else _said(TOO_OFTEN, 429)


def _said(sentence: str, status: int) -> Response:
    return PlainTextResponse(sentence, status, {"Cache-Control": "no-store"})


def to(path: str, **more: str) -> Response:
    """Send the browser to a path of this server, with `more` in its query."""
    if more:
        path += ("&" if "?" in path else "?") + urlencode(more)
    return RedirectResponse(local(path), 303, {"Cache-Control": "no-store"})


ROUTES = [
    Route("/auth/begin", begin, methods=["GET"]),
    Route("/auth/end", end, methods=["GET", "POST"]),
]
