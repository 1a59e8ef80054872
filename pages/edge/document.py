"""Streamlit's one HTML document, made Chinese on its way out."""

import base64
import hashlib
import re
from pathlib import Path

import streamlit
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

INSTALLED = Path(streamlit.__file__).parent / "static" / "index.html"
# Preloads a font our theme does not use, and points at an interface that is shut.
LEFT_OUT = re.compile(r'<link\s+rel="(?:preload|service-desc)"[^>]*>')
NO_SCRIPT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)

HEAD = """
    <script src="/assets/browser.js"></script>
    <script defer src="/assets/chinese.js"></script>
  </head>"""
NOTICE = "<noscript><p>请在浏览器设置中启用 JavaScript，然后刷新本页。</p></noscript>"


def rewritten(html: str) -> str:
    """The document with our language, title, icon and scripts."""
    html = LEFT_OUT.sub("", NO_SCRIPT.sub(NOTICE, html))
    for old, new in (
        ('<html lang="en">', '<html lang="zh-CN">'),
        ("<title>Streamlit</title>", "<title>约检台</title>"),
        # Streamlit looks for a "shortcut icon", to replace it by one from the Internet for each page.
        ('<link rel="shortcut icon" href="./favicon.png" />', '<link rel="icon" href="/assets/icon.svg" />'),
        ("\n  </head>", HEAD),
    ):
        if old not in html:
            raise RuntimeError(f"Streamlit's index.html has no {old!r}: adapt pages/edge/document.py to it")
        html = html.replace(old, new, 1)
    return html


def inline_hashes(html: str) -> list[str]:
    """The inline scripts as sources of a content security policy."""
    digests = (hashlib.sha256(script.encode()).digest() for script in INLINE.findall(html))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


ORIGINAL = INSTALLED.read_text(encoding="utf-8")
DOCUMENT = rewritten(ORIGINAL)


class ChineseDocument:
    """Sends our document wherever Streamlit sends its own: for `/` and for the address of each page."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self.body = DOCUMENT.encode()
        self.etag = FileResponse(INSTALLED, stat_result=INSTALLED.stat()).headers["etag"].encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        is_ours = False

        async def replace(message: Message) -> None:
            nonlocal is_ours
            if message["type"] == "http.response.start":
                is_ours = message["status"] == 200 and (b"etag", self.etag) in message["headers"]
                await send(self._start(message) if is_ours else message)
            elif not is_ours:
                await send(message)
            elif not message.get("more_body"):
                await send({"type": "http.response.body", "body": self.body})

        await self.app(scope, receive, replace)

    def _start(self, message: Message) -> Message:
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(self.body)).encode()),
            (b"cache-control", b"no-cache"),
            *((name, value) for name, value in message["headers"] if name == b"set-cookie"),
        ]
        return {**message, "headers": headers}
