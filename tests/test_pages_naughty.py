"""Every page shows what anybody has typed as it was typed: never as Markdown, markup, a link or a picture."""

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message
from sqlmodel import SQLModel

from db import demo, passwords
from db.engine import reading, transaction
from db.models import Registration, Role
from pages.parts.navigation import PAGES
from tests import browser
from tests.matrix import make_world
from tests.screens import press, said, visit, write
from tests.screenshots import sign_in
from tests.test_naughty_fields import columns
from tests.test_pages_public import visit as open_public

pytestmark = pytest.mark.slow

SHORT = "<img src=x onerror=PWN=1>**粗**$x^2$"
LONG = (
    "<img src=x onerror='window.PWN=1'>![图](https://evil.example/p)[点](javascript:window.PWN=1)"
    "**粗**$x^2$:material/delete:"
)
# What only an unescaped text leaves in a string that is read as Markdown.
ALIVE = ("**粗**", "![图](", "[点](", "$x^2$", ":material/delete:")
# Texts and the choices of a selectbox are shown as they are.
PLAIN = {"Text": {"body"}, "Selectbox": {"options"}, "MultiSelect": {"options"}}
MARKDOWN = {"body", "label", "help", "title", "options", "content", "caption"}
# By these the records are found, or names of a list that must stay whole.
KEPT = {"accounts.username", "registrations.username", "sign_in_attempts.username", "settings.name"}
DETAILS = {"instrument": "instrument", "receipt": "appointment"}


@pytest.fixture
def world(sqlite):
    """The records of the matrix, with the hard text in every column that somebody types into."""
    with transaction() as session:
        made = make_world(session)
        for account in made.insiders.values():
            account.password_hash = passwords.hashed(demo.PASSWORD)
        session.flush()
        spoil(session)
    return made


def spoil(session):
    for column in sorted(columns() - KEPT):
        table, name = column.split(".")
        spoilt = SQLModel.metadata.tables[table].c[name]
        if table in ("sign_ins", "audit_entries") or isinstance(spoilt.type, sa.JSON):
            continue
        limit = spoilt.type.length or len(LONG) + 9
        text = LONG if limit > len(LONG) + 9 else SHORT
        for (id,) in session.execute(sa.select(spoilt.table.primary_key.columns[0])).all():
            key = spoilt.table.primary_key.columns[0]
            session.execute(
                sa.update(spoilt.table).where(key == id).values({name: f"{text[: limit - 4]}{id}"})
            )


def read_as_markdown(message):
    """Every string of an element that its browser reads as Markdown."""
    for field, value in message.ListFields():
        for one in value if field.is_repeated else [value]:
            if isinstance(one, Message):
                yield from read_as_markdown(one)
            elif isinstance(one, str) and field.name in MARKDOWN - PLAIN.get(message.DESCRIPTOR.name, set()):
                yield one


def alive(shown):
    """The strings on a page in which the hard text would be read."""
    protos = [node.proto for node in shown._tree if isinstance(getattr(node, "proto", None), Message)]
    strings = [said for proto in protos for said in read_as_markdown(proto)]
    return [said for said in strings if any(sign in said for sign in ALIVE)]


@pytest.mark.parametrize("role", Role)
def test_no_page_reads_what_was_typed_as_markdown(world, role, monkeypatch):
    found = {}
    for entry in PAGES:
        if role in entry.roles:
            query = {"id": str(world.id(DETAILS[entry.name]))} if entry.name in DETAILS else {}
            found[entry.name] = alive(visit(monkeypatch, world.insiders[role.name], entry.name, **query))
    assert {name: strings for name, strings in found.items() if strings} == {}


@pytest.mark.parametrize("name", ["register", "register_person", "recover"])
def test_no_form_before_the_sign_in_reads_markdown(world, name):
    assert alive(open_public(name)) == []


def test_a_registration_that_is_followed_is_shown_as_it_was_typed(world):
    with reading() as session:
        row = session.get_one(Registration, world.id("registration"))
    shown = open_public("follow")
    write(shown, "统一社会信用代码/组织机构代码", row.credit_code)
    write(shown, "手机号", row.mobile)
    shown = press(shown, "查询")
    assert row.number in said(shown)
    assert alive(shown) == []


WALK = {
    Role.enterprise: ("profile?tab=links", "receipt?id={appointment}", "instrument?id={instrument}"),
    Role.reviewer: ("registrations", "recoveries"),
    Role.administrator: ("accounts?text=<img src=x onerror='window.PWN=1'>", "audit"),
}


def test_nothing_of_it_runs_or_asks_another_server_in_a_browser(world, sqlite):
    asked, ids = [], {noun: world.id(noun) for noun in ("appointment", "instrument")}
    with browser.serve(sqlite) as address, browser.launch() as chromium:
        for role, paths in WALK.items():
            with browser.visitor(chromium) as page:
                page.on("request", lambda request: asked.append(request.url))
                sign_in(page, address, world.insiders[role.name].username)
                for path in paths:
                    page.goto(f"{address}/{path.format(**ids)}")
                    browser.settled(page)
                    assert page.evaluate("window.PWN") is None, path
                    assert page.locator("a[href^='javascript'], .katex, strong:text-is('粗')").count() == 0, (
                        path
                    )
    strange = [url for url in asked if not url.startswith((address, "data:", "blob:", "ws:"))]
    assert strange == []
