"""One engine a process; only `transaction()` commits."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from db import audit, audit_changes
from db.errors import Refused

# FULL: a confirmed record survives a power cut; NORMAL under WAL may lose the last commits.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=30000",
    "foreign_keys=ON",
    "trusted_schema=OFF",
)
# SQLite writers that queue here, rather than poll for the file's lock, wait about a tenth as long.
WRITING = threading.RLock()
# What psycopg and SQLite say of such a text.
UNWRITABLE = ("NUL (0x00)", "pattern too complex")
READING: dict[str, dict[str, Any]] = {
    "sqlite": {"is_read": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


def database_url() -> str:
    """The database of this process: `DATABASE_URL`, else one SQLite file under `data/`."""
    return os.environ.get("DATABASE_URL") or "sqlite:///data/yuejian.db"


@cache
def engine() -> Engine:
    """The engine of this process, made on first use."""
    return make_engine(database_url())


def make_engine(url: str) -> Engine:
    """An engine for SQLite or PostgreSQL, with the settings the rules of this product rely on.

    Its errors name no values, so that personal data stays out of the log. Raises Refused for any other
    database.
    """
    if _driver(url) not in ("sqlite", "postgresql+psycopg"):
        raise Refused("DATABASE_URL 请写成 sqlite:///文件 或 postgresql+psycopg://用户@主机/数据库")
    if not url.startswith("sqlite"):
        made = create_engine(
            url,
            # Compiling a query of the pages takes far longer than running it.
            connect_args={"options": "-c jit=off"},
            pool_size=20,
            max_overflow=20,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        event.listen(made, "handle_error", _refuse_unwritable)
        event.listen(made, "handle_error", _leave_out_values)
        return made
    path = url.removeprefix("sqlite:///")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    made = create_engine(
        url,
        connect_args={"check_same_thread": False},
        pool_size=20,
        max_overflow=20,
        hide_parameters=True,
    )
    made.dialect.statement_compiler = Compiler
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    event.listen(made, "handle_error", _refuse_unwritable)
    return made


def _driver(url: str) -> str | None:
    """What kind of database a URL names, None where it names none."""
    try:
        named = make_url(url)
    except (ArgumentError, ValueError):
        return None
    return named.drivername if named.database else None


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _refuse_unwritable(context: ExceptionContext) -> None:
    """Say so in a sentence when a text, of a search or a forged address, is none that a database can take."""
    error = context.original_exception
    if isinstance(error, UnicodeEncodeError) or any(words in str(error) for words in UNWRITABLE):
        raise Refused("文字过长，或含有不可见的控制字符，请重新输入")


def _leave_out_values(context: ExceptionContext) -> None:
    """PostgreSQL's details quote the row that it refuses, password hash and all, which the log must not."""
    error, told = context.original_exception, context.sqlalchemy_exception
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        error.args = (error.diag.message_primary,)
        if told is not None:
            told.args = (f"({type(error).__name__}) {error.diag.message_primary}",)


def _begin(connection: Any) -> None:
    # A deferred BEGIN that writes later fails at once when another writer came between.
    is_read = connection.get_execution_options().get("is_read")
    connection.exec_driver_sql("BEGIN" if is_read else "BEGIN IMMEDIATE")


class Compiler(SQLiteCompiler):
    """SQLAlchemy passes hints on to other engines only: `NOT INDEXED` is one for SQLite."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        """The hint as it was given."""
        return text


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that writes: committed at the end, rolled back when anything is raised.

    What it changes is noted in the audit log; so is a refusal, once `audit.attribute` has said whose.
    """
    with _turn(), Session(engine(), expire_on_commit=False) as session:
        audit_changes.watch(session)
        try:
            with session.begin():
                yield session
                session.flush()
                audit.write(session)
        except Refused as refusal:
            note_refusal(session, refusal)
            raise


def note_refusal(session: Session, refusal: Refused) -> None:
    """Note a refusal of a session that is over, in a transaction of its own, if it is known who acted."""
    actor = session.info.get(audit.ACTOR)
    if actor and not refusal.is_noted:
        with _turn(), Session(engine()) as noting, noting.begin():
            audit.record_refusal(noting, actor, refusal)
            audit.write(noting)
        refusal.is_noted = True


def _turn() -> AbstractContextManager[Any]:
    return WRITING if engine().dialect.name == "sqlite" else nullcontext()


@contextmanager
def reading() -> Iterator[Session]:
    """A session that only reads, from one snapshot, and never waits for writers."""
    bind = engine()
    with bind.connect().execution_options(**READING[bind.dialect.name]) as connection:
        with Session(connection, expire_on_commit=False) as session:
            yield session
        connection.rollback()


@contextmanager
def trial(session: Session) -> Iterator[SessionTransaction]:
    """What is done inside is taken back at the end, unless it was given to `commit`.

    A preview is the real run in a trial, so that the two cannot disagree.
    """
    point = session.begin_nested()
    try:
        yield point
    finally:
        if point.is_active:
            point.rollback()
