"""`python -m db check`: is the database whole, and does every status agree with its history?"""

from collections.abc import Iterator
from functools import partial

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from db import audit_chain, workflow
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
# As text, so that a value no list knows is reported and not a failure to read.
SUBJECT = sa.cast(col(StatusChange.subject), sa.String)


def findings(session: Session, noted: audit_chain.Head | None = None) -> list[str]:
    """One sentence for each thing that is wrong, at most 20 of a kind; an empty list when all is well.

    `noted` is the head of the audit log as somebody has written it down.
    """
    found: list[str] = []
    for check in (
        engine_faults,
        strange_moves,
        broken_chains,
        disagreeing_statuses,
        lost_records,
        lines_adrift,
        double_bookings,
        results_missing,
        partial(audit_chain.faults, noted=noted),
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
    known = {(s.subject.name, s.action, s.source and s.source.name, s.target.name) for s in workflow.STEPS}
    move = (SUBJECT, StatusChange.action, StatusChange.source, StatusChange.target)
    for *made, count in session.execute(sa.select(*move, func.count()).group_by(*move)):
        if tuple(made) not in known:
            subject, action, source, target = made
            yield f"流程表中没有的变动：{_shown(subject)} {action} {source}→{target}，共 {count} 次"


def broken_chains(session: Session) -> Iterator[str]:
    """Moves that do not begin where the one before ended."""
    before = func.lag(col(StatusChange.target)).over(
        partition_by=(col(StatusChange.subject), col(StatusChange.subject_id)), order_by=col(StatusChange.id)
    )
    moves = sa.select(
        SUBJECT.label("subject"), StatusChange.subject_id, StatusChange.source, before.label("before")
    ).subquery()
    # An instrument has no first row: it enters the ledger in use.
    expected = sa.case(
        (
            (moves.c.subject == Subject.instrument.name) & moves.c.before.is_(None),
            InstrumentStatus.in_use.name,
        ),
        else_=moves.c.before,
    )
    broken = sa.select(moves.c.subject, moves.c.subject_id).where(moves.c.source.is_distinct_from(expected))
    for subject, subject_id in session.execute(broken.limit(1000)):
        yield f"{_shown(subject)} {subject_id} 的流程记录前后不连续"


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
        led_there = func.coalesce(StatusChange.target, first)
        rows = (
            sa.select(model.id, status, led_there)
            .join(last, (last.c.subject_id == model.id) & (last.c.subject == subject), isouter=True)
            .join(StatusChange, col(StatusChange.id) == last.c.id, isouter=True)
            .where(status.is_distinct_from(led_there))
        )
        for id, shown, led_to in session.execute(rows.limit(1000)):
            yield f"{subject} {id} 的状态为 {shown}，流程记录却是 {led_to or '空'}"


def lost_records(session: Session) -> Iterator[str]:
    """Moves of records that are not there."""
    for subject, model in workflow.MODELS.items():
        is_there = sa.exists().where(model.id == StatusChange.subject_id)
        rows = sa.select(StatusChange.subject_id).where(col(StatusChange.subject) == subject, ~is_there)
        for (subject_id,) in session.execute(rows.distinct().limit(1000)):
            yield f"流程记录所属的{subject} {subject_id} 不存在"


def lines_adrift(session: Session) -> Iterator[str]:
    """Lines without the institution their status speaks of, or with one while they wait for it."""
    is_waiting = col(AppointmentLine.status) == LineStatus.unassigned
    rows = sa.select(AppointmentLine.id).where(
        sa.case((is_waiting, 1), else_=0)
        != sa.case((col(AppointmentLine.institution_id).is_(None), 1), else_=0)
    )
    for (line_id,) in session.execute(rows.limit(1000)):
        yield f"预约器具 {line_id} 的状态与技术机构不一致"


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


def _shown(subject: str) -> str:
    return Subject[subject].value if subject in Subject.__members__ else subject
