"""Hard strings through every text that any operation takes: kept as typed, or refused in a sentence.

The operations are those of docs/permissions.md, so that a new one, or a new text of an old one, is tried
without a line here; a new column of text that nothing reaches fails.
"""

import inspect
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from enum import StrEnum
from typing import get_args, get_type_hints

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from catalog.list_files import ListFile
from db import audit, audit_changes, corrections, passwords, registrations, resets
from db.errors import HIDDEN, Refused
from db.models import Account, Batch, Registration, Role
from tests import make
from tests.matrix import CALLS, REGISTRATION, make_world
from tests.test_matrix import FUNCTIONS, OPEN, OPERATIONS, signature
from tests.test_naughty import NAUGHTY

MARK = "㊙"
HARD = {
    "markup": "㊙<img src=x onerror='window.PWN=1'>\"%s{0}{secret}\\",
    "markdown": "㊙[点](javascript:alert(1)) **$x^2$** :material/delete:",
    "planes": "㊙𠮷野家👨\u200d👩\u200d👧 الطول e\u0301",
    "NUL": "㊙\x00",
    "direction": "㊙\u202e表\x07",
    "surrogate": "㊙\ud800",
    "long": "㊙" * 100_000,
}
# The whole list goes through a few that are cheap: three searches, three texts that are kept.
CHEAP = {
    "accounts.page": ("text",),
    "candidates.search": ("text",),
    "ledger.page": ("filters", "text"),
    "institutions.save": ("address",),
    "reviews.send_back": ("reason",),
    "saved_views.rename": ("name",),
}
# Arguments that hold a text the matrix has no need of.
MORE = {
    "imports.choose_columns": {"columns": {0: "器具名称"}},
    "saved_views.add": {"filters": {"text": "压力"}},
    "settings.save": {"typed": {"contact": "计量处"}},
    "workdays.save_year": {"days": [(date(2027, 1, 1), False, "元旦")]},
}
# What must have happened before an operation keeps anything.
PREPARED = {
    "corrections.request": lambda session, world: corrections.withdraw(
        session, world.id("correction"), by=world.owner
    ),
    "verifications.record": lambda session, world: make.begin(
        session, world.insiders["institution"], world.records["line"]
    ),
}
# What those without an account hand over that no type tells.
KEY = registrations.Key(Role.enterprise, REGISTRATION["credit_code"], REGISTRATION["mobile"])
TYPED = {"typed": make.APPLICATION, "key": KEY, "way": next(iter(resets.Way))}
# What no page lets anybody type: it comes from the browser, the network or the program.
UNTYPED = {
    "session",
    "by",
    "token",
    "ticket",
    "address",
    "agent",
    "action",
    "place",
    "issuer",
    "password_hash",
}
# Kept in other words: to find a record by, as the name of a file, as a provider spells it; a draft keeps all.
FOLDED = {
    "accounts.oidc_subject",
    "attachments.name",
    "audit_entries.after",
    "audit_entries.note",
    "drafts.content",
    "enterprises.initials",
    "enterprises.name_key",
    "instruments.search_text",
    "registrations.name_key",
}
# Columns nobody types into: made, looked up, copied, or read from a file (which has tests of its own).
MADE = re.compile(
    r"\.(number|code|credit_code|mobile|\w+_code|\w*_hash|\w*digest|reference|lease|secret|key|operation"
    r"|media_type|action|source|target|place|subject|agent|before|snapshot|totals|findings|columns"
    r"|initials|name_key|search_text)$"
    r"|^(categories|divisions|kinds|counters|leases|edition_contents|notifications)\."
    r"|^(sign_ins|sign_in_attempts|confirmation_codes|audit_entries)\.address$"
    r"|^(settings\.name|editions\.note|sign_ins\.previewed_as|batches\.note|appointments\.contact_name)$"
)
# Typed, but in letters, digits and few signs only: everything hard is refused.
NARROW = {
    *("accounts.full_name", "institutions.telephone", "recoveries.applicant_name", "recoveries.mail"),
    "registrations.contact_name",
    *(f"{table}.username" for table in ("accounts", "registrations", "sign_in_attempts")),
}
# What a registration held, once it is approved.
COPIED = {f"enterprises.{name}" for name in ("address", "contact_name", "name")}


@pytest.fixture
def world(session, monkeypatch):
    """The records of the matrix, and an audit log that notes what becomes of them."""
    monkeypatch.setattr(passwords, "COST", 4)
    made = make_world(session)
    audit_changes.watch(session)
    return made


def takes_text(hint):
    return str in (hint, *get_args(hint))


def spots(value, hint=None, way=()):
    """The way to every text in an argument: keys, fields and positions."""
    if isinstance(value, StrEnum | ListFile):
        return
    if isinstance(value, str) or (value is None and takes_text(hint)):
        yield way
    elif is_dataclass(value):
        hints = get_type_hints(type(value))
        for one in fields(value):
            yield from spots(getattr(value, one.name), hints[one.name], (*way, one.name))
    elif isinstance(value, Mapping):
        for key, held in value.items():
            yield from spots(held, None, (*way, key))
    elif isinstance(value, list | tuple):
        for position, held in enumerate(value[:1]) if isinstance(value, list) else enumerate(value):
            yield from spots(held, None, (*way, position))


def put(value, way, text):
    """The argument with `text` at that spot."""
    if not way:
        return text
    first, rest = way[0], way[1:]
    if is_dataclass(value):
        return replace(value, **{first: put(getattr(value, first), rest, text)})
    if isinstance(value, Mapping):
        return {**value, first: put(value[first], rest, text)}
    held = list(value)
    held[first] = put(held[first], rest, text)
    return type(value)(*held) if hasattr(value, "_fields") else type(value)(held)


def arguments(session, name, world):
    """Everything an operation is called with, by name, its defaults too."""
    function = FUNCTIONS[name]
    if name in OPERATIONS:
        role = next(role for role, word in OPERATIONS[name].items() if word != "–")
        args, kwargs = CALLS[name](session, world)
        bound = inspect.signature(function).bind(session, *args, by=world.insiders[role], **kwargs)
        bound.apply_defaults()
        return bound.arguments | MORE.get(name, {})
    known = {Account: world.owner, Registration: world.records["registration"], str: "x", int: 1}
    known[Batch] = world.records["batch"]
    found = {}
    for each, hint in get_type_hints(function).items():
        if each != "return":
            default = signature(function)[each].default
            sample = next((known[one] for one in (hint, *get_args(hint)) if one in known), None)
            found[each] = TYPED.get(each, sample) if default is inspect.Parameter.empty else default
    return found | {"session": session} | ({"password": make.PASSWORD} if "password" in found else {})


def ways(session, name, world):
    """Every spot for a text in the arguments of an operation."""
    hints = get_type_hints(FUNCTIONS[name])
    for each, value in arguments(session, name, world).items():
        if each not in UNTYPED or (name, each) == ("institutions.save", "address"):
            yield from spots(value, hints.get(each), (each,))


def texts(value):
    """The marked texts in a value of a row."""
    if isinstance(value, str):
        yield from [value] if MARK in value else []
    elif isinstance(value, Mapping):
        for key, held in value.items():
            yield from (*texts(key), *texts(held))
    elif isinstance(value, list | tuple):
        for held in value:
            yield from texts(held)


class Writing:
    """What is written into which column, as long as it listens."""

    def __init__(self, session):
        self.bind, self.kept = session.get_bind(), defaultdict(list)

    def __enter__(self):
        event.listen(self.bind, "before_cursor_execute", self.note)
        return self.kept

    def __exit__(self, *_):
        event.remove(self.bind, "before_cursor_execute", self.note)

    def note(self, connection, cursor, statement, parameters, context, executemany):
        compiled = context.compiled
        if compiled is None or not (context.isinsert or context.isupdate):
            return
        table = compiled.statement.table
        for row in context.compiled_parameters:
            for column in table.columns:
                for text in texts(row.get(column.key)):
                    self.kept[f"{table.name}.{column.key}"].append(text)


def tried(session, name, world, way, text):
    """What an operation writes when it is given the text at this spot; a refusal is noted as a page does."""
    point = session.begin_nested()
    PREPARED.get(name, lambda *_: None)(session, world)
    given = arguments(session, name, world)
    given |= {way[0]: put(given[way[0]], way[1:], text)}
    with Writing(session) as kept:
        try:
            FUNCTIONS[name](**given)
            session.flush()
        except Refused as refusal:
            assert is_a_sentence(str(refusal)), f"{refusal!s:.200}"
            point.rollback()
            point = session.begin_nested()
            audit.record(session, "操作", note=str(refusal), is_refused=True)
        audit.write(session)
    point.rollback()
    session.expire_all()
    return kept


def is_a_sentence(said):
    return re.search("[\u4e00-\u9fff]", said) and len(said) < 1_100 and not HIDDEN.search(said)


def spoilt(kept, text):
    """The columns in which the text is not what was typed."""
    for column, values in kept.items():
        for value in values:
            if column not in FOLDED and (text.strip() not in value or HIDDEN.search(value)):
                yield f"{column} holds {value[:80]!r}"


BY_PROGRAM = {"audit.attribute", "audit.record", "settings.value"}
NAMES = [*OPERATIONS, *(name for name in OPEN if name not in BY_PROGRAM)]


@pytest.mark.slow
def test_every_operation_keeps_every_text_as_typed_or_refuses_it(session, world):
    reached, faults = set(), []
    for name in NAMES:
        for way in list(ways(session, name, world)):
            for hard, text in HARD.items():
                try:
                    kept = tried(session, name, world, way, text)
                except Exception as error:
                    error.add_note(f"{name} {way} {hard}")
                    raise
                faults += [f"{name} {way} {hard}: {wrong}" for wrong in spoilt(kept, text)]
                reached |= set(kept)
    assert faults == []
    assert columns() - reached == NARROW | COPIED


def columns():
    """Every column of text, or of texts, that somebody could type into."""
    return {
        f"{table.name}.{column.key}"
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.JSON | AutoString) and not MADE.search(f"{table.name}.{column.key}")
    }


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_whole_list_goes_through_what_is_cheap(session, world):
    for name, way in CHEAP.items():
        faults = [one for text in NAUGHTY for one in spoilt(tried(session, name, world, way, text), text)]
        assert faults == [], name
