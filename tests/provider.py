"""A bureau's own OIDC provider on a free port: it vouches for whoever `person` names, and asks nothing."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "yuejian", "client-secret-of-the-tests"


class Provider:
    """`person` is the subject of the next sign-in, None for who cancels; `signed_by` signs tokens.

    While it `is_away` it answers nothing but errors.
    """

    def __init__(self) -> None:
        self.address = ""
        self.person: str | None = "u1001"
        self.is_away = False
        self.published = RSAKey.generate_key(2048, {"kid": "one"})
        self.signed_by = self.published
        self.codes: dict[str, tuple[str, str]] = {}

    def metadata(self) -> dict[str, Any]:
        """What the provider says about itself."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "end_session_endpoint": f"{self.address}/end",
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes next."""
        if self.person is None:
            return (
                asked["redirect_uri"] + "?" + urlencode({"error": "access_denied", "state": asked["state"]})
            )
        code = secrets.token_urlsafe(16)
        self.codes[code] = (self.person, asked["nonce"])
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})

    def token(self, code: str) -> dict[str, Any]:
        """The tokens for a code, which is good once."""
        person, nonce = self.codes.pop(code)
        now = int(time.time())
        claims = {"iss": self.address, "sub": person, "aud": CLIENT, "nonce": nonce}
        claims |= {"iat": now, "exp": now + 300}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signed_by)
        return {"access_token": "unused", "token_type": "Bearer", "expires_in": 300, "id_token": token}

    def secrets_toml(self, url: str) -> str:
        """The `[auth]` of a server at this base URL."""
        return f"""[auth]
redirect_uri = "{url}/oauth2callback"
cookie_secret = "{secrets.token_urlsafe(32)}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{self.address}/.well-known/openid-configuration"
"""


@contextmanager
def serve() -> Iterator[Provider]:
    """Run a provider until the block ends."""
    provider = Provider()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if provider.is_away:
                self.send_error(503)
            elif asked.path == "/authorize":
                values = {name: value[0] for name, value in parse_qs(asked.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(values))
                self.end_headers()
            elif asked.path == "/jwks":
                self.say({"keys": [{**provider.published.as_dict(private=False), "use": "sig"}]})
            else:
                self.say(provider.metadata())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.say(provider.token(parse_qs(body)["code"][0]))

        def say(self, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
