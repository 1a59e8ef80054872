"""`python -m db check`: is the database whole, and does every status agree with its history?"""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from db import workflow
from db.models import (
    OPEN,
    AppointmentLine,
    Conclusion,
    InstrumentStatus,
    LineStatus,
    StatusChange,
    Subject,
    Verification,
)

MOST_SHOWN = 20


def findings(session: Session) -> list[str]:
    """One sentence for each thing that is wrong, at most 20 of a kind; an empty list when all is well."""
    found: list[str] = []
    for check in (
        engine_faults,
        strange_moves,
        broken_chains,
        disagreeing_statuses,
        double_bookings,
        results_missing,
    ):
        faults = list(check(session))
        found += faults[:MOST_SHOWN]
        if len(faults) > MOST_SHOWN:
            found.append(f"……另有 {len(faults) - MOST_SHOWN} 处同类问题")
    return found


def engine_faults(session: Session) -> Iterator[str]:
    """What SQLite itself finds; PostgreSQL holds its constraints at every write."""
    if session.get_bind().dialect.name != "sqlite":
        return
    for (line,) in session.execute(sa.text("PRAGMA integrity_check")):
        if line != "ok":
            yield f"数据库文件损坏：{line}"
    for table, rowid, parent, _ in session.execute(sa.text("PRAGMA foreign_key_check")):
        yield f"{table} 第 {rowid} 行引用的 {parent} 记录不存在"


def strange_moves(session: Session) -> Iterator[str]:
    """Moves that are not in the workflow table."""
    known = {(s.subject, s.action, s.source and s.source.name, s.target.name) for s in workflow.STEPS}
    kinds = sa.select(
        StatusChange.subject, StatusChange.action, StatusChange.source, StatusChange.target, func.count()
    ).group_by(StatusChange.subject, StatusChange.action, StatusChange.source, StatusChange.target)
    for subject, action, source, target, count in session.execute(kinds):
        if (subject, action, source, target) not in known:
            yield f"流程表中没有的变动：{subject} {action} {source}→{target}，共 {count} 次"


def broken_chains(session: Session) -> Iterator[str]:
    """Moves that do not begin where the one before ended."""
    before = func.lag(col(StatusChange.target)).over(
        partition_by=(col(StatusChange.subject), col(StatusChange.subject_id)), order_by=col(StatusChange.id)
    )
    moves = sa.select(
        StatusChange.subject, StatusChange.subject_id, StatusChange.source, before.label("before")
    ).subquery()
    # An instrument has no first row: it enters the ledger in use.
    expected = sa.case(
        ((moves.c.subject == Subject.instrument) & moves.c.before.is_(None), InstrumentStatus.in_use.name),
        else_=moves.c.before,
    )
    broken = sa.select(moves.c.subject, moves.c.subject_id).where(moves.c.source.is_distinct_from(expected))
    for subject, subject_id in session.execute(broken.limit(1000)):
        yield f"{subject} {subject_id} 的流程记录前后不连续"


def disagreeing_statuses(session: Session) -> Iterator[str]:
    """Records whose status is not where their last move led."""
    last = (
        sa.select(StatusChange.subject, StatusChange.subject_id, func.max(StatusChange.id).label("id"))
        .group_by(StatusChange.subject, StatusChange.subject_id)
        .subquery()
    )
    for subject, model in workflow.MODELS.items():
        status = sa.cast(col(model.status), sa.String)
        first = InstrumentStatus.in_use.name if subject == Subject.instrument else None
        rows = (
            sa.select(model.id, status, StatusChange.target)
            .join(last, (last.c.subject_id == model.id) & (last.c.subject == subject), isouter=True)
            .join(StatusChange, col(StatusChange.id) == last.c.id, isouter=True)
            .where(status.is_distinct_from(func.coalesce(StatusChange.target, first)))
        )
        for id, shown, led_to in session.execute(rows.limit(1000)):
            yield f"{subject} {id} 的状态为 {shown}，流程记录却是 {led_to or '空'}"


def double_bookings(session: Session) -> Iterator[str]:
    """Instruments in more than one open line."""
    rows = (
        sa.select(AppointmentLine.instrument_id, func.count())
        .where(col(AppointmentLine.status).in_(OPEN))
        .group_by(AppointmentLine.instrument_id)
        .having(func.count() > 1)
    )
    for instrument_id, count in session.execute(rows):
        yield f"器具 {instrument_id} 同时在 {count} 张未办结的预约单中"


def results_missing(session: Session) -> Iterator[str]:
    """Completed lines without a result, and results of lines that are not completed."""
    rows = (
        select(AppointmentLine.id)
        .join(Verification, col(Verification.line_id) == AppointmentLine.id, isouter=True)
        .where(
            (col(AppointmentLine.status) == LineStatus.completed)
            .self_group()
            .is_distinct_from(col(Verification.id).is_not(None))
        )
    )
    for line_id in session.exec(rows.limit(1000)):
        yield f"预约器具 {line_id} 的完成状态与检定结果不一致"
    without_date = select(Verification.id).where(
        Verification.conclusion == Conclusion.rejected, col(Verification.valid_until).is_not(None)
    )
    for verification_id in session.exec(without_date.limit(1000)):
        yield f"不合格的检定结果 {verification_id} 不应有有效期"
