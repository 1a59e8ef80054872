"""Who may call what: every operation, called by strangers of each role and by those it is meant for."""

import ast
import inspect
import pkgutil
import re
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Row, event

import db
from db import engine as engines
from db import imports
from db.errors import Conflict, NotFound, Refused
from db.ledger_pages import Spot
from db.models import Enterprise, Role
from db.reviews import Share
from tests.matrix import CALLS, OWNER, make_world

ROOT = Path(__file__).parent.parent
ROLES = [role.name for role in Role]
# Not for pages: commands, models, tables, and what fills a demo.
ELSEWHERE = ("db.demo", "db.migrations", "db.models", "db.__main__", "db.commands")
STRANGERS = [*ROLES, "looker", *(f"suspended {role}" for role in ROLES)]
# How a role that an operation is not meant for is told so.
WRONG_ROLE = re.compile(rf"^({'|'.join(Role)}|未登录者)不能执行|^只有管理员|权限")


def rows(heading):
    """The table under a heading of docs/permissions.md: the cells by the name in their first one."""
    page = (ROOT / "docs" / "permissions.md").read_text()
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("| ").split("|")] for line in section.splitlines()]
    return {cells[0].strip("`"): cells[1:] for cells in found if cells[0].startswith("`")}


OPERATIONS = {name: dict(zip(ROLES, cells, strict=True)) for name, cells in rows("Operations").items()}
OPEN, INNER = rows("Open to all"), rows("Inner")


def public():
    """Every public function of `db` that works in a session or for an account, by module and name."""
    names = (one.name for one in pkgutil.walk_packages(db.__path__, "db."))
    for module in (import_module(name) for name in names if not name.startswith(ELSEWHERE)):
        for name, function in vars(module).items():
            is_own = inspect.isfunction(function) and function.__module__ == module.__name__
            if is_own and not name.startswith("_") and {"session", "by"} & {*signature(function)}:
                yield f"{place(module.__name__, name)}.{name}", function


def place(module, name):
    """What callers call the module: parts of `imports` are called through the package."""
    is_exported = module.startswith("db.imports.") and name in imports.__all__
    return "imports" if is_exported else module.removeprefix("db.")


def signature(function):
    return inspect.signature(function).parameters


FUNCTIONS = dict(public())


def test_every_public_function_has_its_row():
    assert set(FUNCTIONS) == {*OPERATIONS, *OPEN, *INNER}


def test_no_function_stands_in_two_tables():
    assert len(OPERATIONS) + len(OPEN) + len(INNER) == len({*OPERATIONS, *OPEN, *INNER})


def test_every_operation_takes_the_asking_account_and_has_a_call():
    assert {name for name in OPERATIONS if "by" not in signature(FUNCTIONS[name])} == set()
    assert set(OPERATIONS) == set(CALLS)


def used_by_pages():
    """What the pages and routes call of `db`, by module and name."""
    for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield f"{node.value.id}.{node.attr}"
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("db."):
                yield from (f"{node.module.removeprefix('db.')}.{alias.name}" for alias in node.names)


def test_pages_call_operations_and_what_is_open_to_all():
    assert set(used_by_pages()) & set(INNER) == set()


@pytest.mark.parametrize("name", [name for name in OPEN if "by" not in signature(FUNCTIONS[name])])
def test_what_writes_without_an_account_says_why(name):
    writes, reason = OPEN[name]
    assert writes in ("reads", "writes") and len(reason) > 10


def is_empty(value):
    """Whether an answer holds nothing of the world: no rows, no number but 0, no other's enterprise."""
    if isinstance(value, Enterprise):
        return value.name != OWNER
    if isinstance(value, Share):
        return not value.due
    # How exact a count is, and where a list stands, tell nothing.
    if isinstance(value, bool | Spot):
        return True
    if isinstance(value, tuple | list | set | Row):
        return all(map(is_empty, value))
    if isinstance(value, dict):
        return all(map(is_empty, value.values()))
    if is_dataclass(value):
        return all(is_empty(getattr(value, each.name)) for each in fields(value))
    return not value


def outcome(session, name, world, account):
    """What a call gives, or how it is refused; whatever it does is taken back."""
    args, kwargs = CALLS[name](session, world)
    point = session.begin_nested()
    with writes(session) as written:
        try:
            found = FUNCTIONS[name](session, *args, by=account, **kwargs)
            session.flush()
        except Refused as refusal:
            found = refusal
    after = standing(session, world) if written else None
    point.rollback()
    if written:
        session.expire_all()
    return found, written, after


@contextmanager
def writes(session):
    """Collects the statements that change rows."""
    found = []

    def note(connection, cursor, statement, *_):
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            found.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", note)
    yield found
    event.remove(session.get_bind(), "before_cursor_execute", note)


def standing(session, world):
    """Every record of the world but the account's own, as the database has it now."""
    held = {noun: record for noun, record in world.records.items() if record in session}
    for record in held.values():
        session.expire(record)
    return {noun: record.model_dump() for noun, record in held.items()}


def expected(name, stranger):
    """What a stranger of that kind may do, by the table: a word, or – for nothing."""
    if stranger == "looker":
        word = OPERATIONS[name]["personal"]
        return "all" if word == "view" else word
    return "–" if stranger.startswith("suspended") else OPERATIONS[name][stranger]


def fault(session, name, world, stranger, before):
    """What is wrong with the answer a stranger gets, or nothing."""
    found, written, after = outcome(session, name, world, world.strangers[stranger])
    word = expected(name, stranger)
    if word == "all":
        is_wrong = isinstance(found, NotFound) or bool(WRONG_ROLE.search(str(found)))
        return f"{name}: {found}" if isinstance(found, Refused) and is_wrong else None
    if isinstance(found, Refused):
        return None
    if after not in (None, before) or (word == "–" and written):
        return f"{name} changed something"
    return None if word == "self" or is_empty(found) else f"{name} answered {found!r:.80}"


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_gets_nothing_but_a_refusal(session, stranger):
    world = make_world(session)
    before = standing(session, world)
    faults = [fault(session, name, world, stranger, before) for name in OPERATIONS]
    assert [one for one in faults if one] == []


@pytest.mark.parametrize("role", ROLES)
def test_those_it_is_meant_for_are_not_turned_away(session, role):
    world = make_world(session)
    # The one saved view of the world is the enterprise account's.
    alone = () if role == "enterprise" else ("self",)
    meant = [name for name, words in OPERATIONS.items() if words[role] not in ("–", *alone)]
    found = {name: outcome(session, name, world, world.insiders[role])[0] for name in meant}
    refused = {name: str(one) for name, one in found.items() if isinstance(one, Refused)}
    assert {name: one for name, one in refused.items() if WRONG_ROLE.search(one)} == {}


@pytest.mark.parametrize("work", [imports.examine, imports.apply])
def test_work_in_the_background_is_for_those_who_may_edit(database, work):
    with engines.transaction() as session:
        world = make_world(session)
    for stranger in STRANGERS:
        with pytest.raises(Refused) as refusal:
            work(world.id("batch"), world.strangers[stranger].id)
        assert not isinstance(refusal.value, Conflict), stranger
