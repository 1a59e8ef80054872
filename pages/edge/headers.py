"""Security headers on every answer."""

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
# A year of TLS only; sent where TLS is, because elsewhere it means nothing.
HSTS = (b"strict-transport-security", b"max-age=31536000")
# Files of a page are for who has it open.
NO_STORE = (b"cache-control", b"no-store")


class SecurityHeaders:
    """Adds the headers to every HTTP answer, and `Secure` to every cookie that is given over TLS."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        is_secure = scope["scheme"] == "https"
        added = [*HEADERS, *([HSTS] if is_secure else [])]
        if scope["path"].startswith("/media/"):
            added.append(NO_STORE)

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = map(over_tls_alone, message["headers"]) if is_secure else message["headers"]
                message = {**message, "headers": [*given, *added]}
            await send(message)

        await self.app(scope, receive, add)


def over_tls_alone(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A cookie with `Secure`, which Streamlit gives its own only where it does the TLS itself."""
    name, value = header
    if name != b"set-cookie" or b"; secure" in value.lower():
        return header
    return name, value + b"; Secure"
