"""Is the audit log whole? Whoever changes a row behind the product's back breaks the chain of digests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from db import audit
from db.errors import Refused
from db.models import AuditEntry, Counter

CHUNK = 5_000
TRIGGERS = {
    "sqlite": ("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entries'", 3),
    "postgresql": (
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'audit_entries'::regclass AND NOT tgisinternal"
        " AND tgenabled IN ('O', 'A')",
        1,
    ),
}


@dataclass(frozen=True)
class Head:
    """How many entries there are, and the digest of the newest: together they stand for the whole log.

    Noted somewhere the server cannot reach, they also betray a log that was written anew from the start.
    """

    count: int
    digest: str

    def __str__(self) -> str:
        return f"{self.count}:{self.digest}"


def head(session: Session) -> Head:
    """The end of the log as it stands."""
    newest = select(AuditEntry.digest).order_by(col(AuditEntry.id).desc()).limit(1)
    return Head(
        session.scalar(select(func.count()).select_from(AuditEntry)) or 0, session.scalar(newest) or ""
    )


def read_head(text: str) -> Head:
    """A head as `str` writes it; raises Refused for any other text."""
    count, _, digest = text.partition(":")
    if not (count.isascii() and count.isdecimal() and digest):
        raise Refused("--audit-head 请原样填写 python -m db audit-head 打印的内容")
    return Head(int(count), digest)


def faults(
    session: Session, noted: Head | None = None, report: Callable[[int], None] = lambda count: None
) -> Iterator[str]:
    """One sentence for each place where the log is not as it was written, the oldest first.

    `noted` is a head written down earlier. Reads every entry, a few thousand at a time, and reports how many
    so far.
    """
    kind = session.get_bind().dialect.name
    statement, wanted = TRIGGERS[kind]
    if session.scalar(sa.text(statement)) != wanted:
        yield "审计日志的防改保护（触发器）不完整，请从备份恢复，或联系运维人员查明原因"
    rows = session.execute(
        sa.select(AuditEntry.__table__)  # type: ignore[attr-defined]
        .order_by(col(AuditEntry.id))
        .execution_options(yield_per=CHUNK)
    )
    count, last = 0, ""
    for row in rows.mappings():
        count += 1
        if count % CHUNK == 0:
            report(count)
        if row["previous_digest"] != last:
            yield f"审计日志第 {row['id']} 条之前有记录被删除、插入或调换次序"
        if audit.digest(dict(row)) != row["digest"]:
            yield f"审计日志第 {row['id']} 条的内容被改动过"
        last = row["digest"]
        if noted and count == noted.count and last != noted.digest:
            yield f"审计日志前 {count} 条与留存的摘要不一致，日志可能被整体改写过"
    yield from _missing(session, count, noted)


def _missing(session: Session, count: int, noted: Head | None) -> Iterator[str]:
    """Entries at the end leave no gap in the chain: they are counted elsewhere."""
    counter = session.get(Counter, audit.SERIES)
    written = counter.value if counter else 0
    if count != written:
        yield f"审计日志应有 {written} 条，实有 {count} 条"
    if noted and count < noted.count:
        yield f"留存摘要时审计日志有 {noted.count} 条，现在只有 {count} 条"
