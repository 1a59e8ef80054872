"""统一身份登录 at the edge, without a browser: what passes with no provider, or with half of one."""

import asyncio

import pytest

from pages.edge import gate, limits, provider, visitor
from pages.edge.limits import Limit

WHOLE = {
    "client_id": "yuejian",
    "client_secret": "secret",
    "cookie_secret": "0123456789" * 4,
    "redirect_uri": "https://yuejian.example.gov.cn/oauth2callback",
    "server_metadata_url": "https://id.example.gov.cn/.well-known/openid-configuration",
}


@pytest.fixture
def configure(monkeypatch):
    """Lets the file of secrets say this."""

    def say(**values: str):
        monkeypatch.setattr(provider, "get_secrets_auth_section", lambda: values)
        monkeypatch.setattr(provider, "validate_auth_credentials", lambda _: None)

    return say


def status(path, app=None, times=1):
    """What the last of so many requests for a path from one address is answered with."""
    said = []

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        said.append(message.get("status"))

    async def ask():
        part = provider.Provider(app or inner)
        found = visitor.Visitor("number", "", "10.1.2.3")
        for _ in range(times):
            said.clear()
            await part({"type": "http", "path": path, visitor.KEY: found}, None, send)

    asyncio.run(ask())
    return said[0]


@pytest.mark.parametrize("path", [provider.LOGIN, provider.CALLBACK])
def test_without_a_provider_its_doors_are_not_there(configure, path):
    configure()
    assert not provider.is_configured()
    assert status(path) == 404


def test_each_address_has_so_many_tries(configure, monkeypatch):
    monkeypatch.setattr(limits, "PROVIDER", Limit(0, 2))
    configure(**WHOLE)
    assert status(provider.LOGIN, times=2) == 200
    assert status(provider.LOGIN, times=3) == 429
    assert status("/", times=3) == 200


def test_signing_out_at_streamlit_is_shut():
    assert gate.is_shut("/auth/logout")
    assert not any(map(gate.is_shut, ("/auth/end", "/auth/begin", provider.LOGIN, provider.CALLBACK)))


def test_the_issuer_is_the_address_of_the_metadata(configure):
    configure(**WHOLE)
    assert provider.issuer() == "https://id.example.gov.cn"


@pytest.mark.parametrize("wrong", [{"cookie_secret": "short"}, {"redirect_uri": "https://elsewhere/"}])
def test_the_server_does_not_start_with_half_a_provider(configure, wrong):
    configure(**{**WHOLE, **wrong})
    with pytest.raises(RuntimeError, match="cookie_secret"):
        provider.refuse_half_a_provider()
    configure(**WHOLE)
    provider.refuse_half_a_provider()


def test_a_cookie_that_we_have_not_signed_proves_nothing():
    assert provider._claims(["_streamlit_user=eyJzdWIiOiJ1MTAwMSJ9.x.y; Path=/"]) == {}
    assert provider._claims([]) == {}
