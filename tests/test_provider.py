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


def answers(path, times=1, cookie="", said_inside=200):
    """The starts of the answers to so many requests for a path from one address."""
    said = []

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": said_inside, "headers": []})

    async def send(message):
        said.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"next=/board%3Fpage=2"}
    scope |= {"scheme": "https", "server": ("localhost", 443), "client": None}
    scope |= {"headers": [(b"cookie", cookie.encode())]}
    scope[visitor.KEY] = visitor.Visitor("number", "", "10.1.2.3")

    async def ask():
        part = provider.Provider(inner)
        for _ in range(times):
            await part(scope, None, send)

    asyncio.run(ask())
    return [message for message in said if message["type"] == "http.response.start"]


def status(path, times=1):
    """What the last of so many requests is answered with."""
    return answers(path, times)[-1]["status"]


def given(path, name, cookie=""):
    """The headers of that name in the answer."""
    (start,) = answers(path, cookie=cookie)
    return [value.decode() for key, value in start["headers"] if key == name.encode()]


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


def test_the_page_asked_for_waits_in_a_cookie_until_the_provider_has_answered(configure):
    configure(**WHOLE)
    (kept,) = given(provider.LOGIN, "set-cookie")
    assert kept == "__Host-yuejian-wanted=/board%3Fpage%3D2; Path=/; HttpOnly; SameSite=Lax; Secure"
    (ended,) = given(provider.CALLBACK, "set-cookie", "yuejian-wanted=/board")
    assert ended == "__Host-yuejian-wanted=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"


def test_a_provider_that_does_not_answer_leads_back_to_the_sign_in_page(configure):
    configure(**WHOLE)
    (start,) = answers(provider.LOGIN, said_inside=400)
    headers = dict(start["headers"])
    assert (start["status"], headers[b"location"]) == (303, b"/board?page=2&again=provider")
    assert b"set-cookie" not in headers


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("/board", "/board?again=1"),
        ("/board%3Ffind%3D%25E5%258E%258B", "/board?find=%E5%8E%8B&again=1"),
        ("//evil.example", "/?again=1"),
        ("https%3A//evil.example/", "/?again=1"),
        ("/%5Cevil.example", "/?again=1"),
        ("", "/?again=1"),
    ],
)
def test_the_page_asked_for_is_one_of_this_server(configure, wanted, place):
    configure(**WHOLE)
    assert given(provider.CALLBACK, "location", f"yuejian-wanted={wanted}") == [place]


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
