"""Security headers on every answer, and doors of Streamlit that stay shut."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.edge.document import DOCUMENT, inline_hashes

# Tried with every kind of widget of Streamlit 1.67; its charts and grids need the rest of these sources.
POLICY = {
    "default-src": ["'self'"],
    "script-src": ["'self'", "'wasm-unsafe-eval'", *inline_hashes(DOCUMENT)],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "worker-src": ["'self'", "blob:"],
    "object-src": ["'none'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
HEADERS = [
    (b"content-security-policy", "; ".join(f"{name} {' '.join(POLICY[name])}" for name in POLICY).encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]


def is_shut(path: str) -> bool:
    """Whether the path leads to figures about the server, or to the interface for programs."""
    return path.endswith("/_stcore/metrics") or "/_stcore/agent" in path


class SecurityHeaders:
    """Adds the headers to every HTTP answer; answers 404 for what is shut."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *HEADERS]}
            await send(message)

        app = PlainTextResponse("Not Found", 404) if is_shut(scope["path"]) else self.app
        await app(scope, receive, add)
