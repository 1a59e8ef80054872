"""Which requests pass: no stray doors of Streamlit, no other site's orders, no file that was not offered."""

import re

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.edge import limits, offers, visitor
from pages.edge.limits import Buckets
from pages.edge.sockets import is_from_here, is_signed_in

# All that our pages use of Streamlit's interface; no figures about the server, nothing for programs.
OPEN = re.compile(r"/_stcore/(health|host-config|stream|upload_file/[^/]+/[^/]+)")
# We have no component of Streamlit's older kind, and no cookie of its sign-in to be dropped (provider.py).
SHUT = re.compile(r".*/_stcore/.*|/component/.*|/app/static/.*|/auth/logout/?", re.DOTALL)
READING = ("GET", "HEAD", "OPTIONS")
UPLOAD, MEDIA = "/_stcore/upload_file/", "/media/"

ELSEWHERE = "请从约检台的页面操作"
NOT_OFFERED = "文件不存在，或所在页面已关闭，请回到约检台页面刷新后重试"
TOO_LARGE = "文件过大，未能上传"
TOO_MANY = "上传过于频繁，请稍后再试"


def is_shut(path: str) -> bool:
    """Whether the path leads to a door of Streamlit that our pages do not use."""
    return bool(SHUT.fullmatch(path)) and not OPEN.fullmatch(path)


class Gate:
    """Answers itself what may not pass."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self.sent, self.files = Buckets(limits.SENT), Buckets(limits.SENT_FILES)
        self.sent_anonymously = Buckets(limits.SENT_ANONYMOUSLY)
        self.files_anonymously = Buckets(limits.FILES_ANONYMOUSLY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        path, method = scope["path"], scope["method"]
        if is_shut(path):
            return PlainTextResponse("Not Found", 404)
        if method not in READING and not is_from_here(scope):
            return _said(ELSEWHERE, 403)
        if not path.startswith((UPLOAD, MEDIA)) or method == "OPTIONS":
            return None
        found = visitor.of(scope)
        is_known = await is_signed_in(found.token)
        if not offers.holds(found.holder(is_known), path):
            return _said(NOT_OFFERED, 404 if method in READING else 403)
        return self._upload(scope, found, is_known) if method == "PUT" else None

    def _upload(self, scope: Scope, found: visitor.Visitor, is_known: bool) -> Response | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        # Sent in chunks, a file has any size whatever length is claimed (RFC 9112, 6.3).
        if not length.isdecimal() or "transfer-encoding" in headers:
            return _said(TOO_LARGE, 411)
        size, most = int(length), limits.LARGEST if is_known else limits.LARGEST_ANONYMOUS
        # The form around the file adds its own lines. Above LARGEST Streamlit refuses, in English.
        if size > min(most + limits.MB, limits.LARGEST):
            return _said(TOO_LARGE, 413)
        payer = found.token if is_known else found.network
        sent, files = (self.sent, self.files) if is_known else (self.sent_anonymously, self.files_anonymously)
        return None if files.take(payer) and sent.take(payer, size) else _said(TOO_MANY, 429)


def _said(sentence: str, status: int) -> Response:
    return PlainTextResponse(sentence, status, {"Cache-Control": "no-store"})
