"""The history of one record: what changed, by whom and when; and, for the ledger, going back to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from db import audit_words, instruments, ledger, reach, registrations, reviews, workflow
from db.errors import NotFound, Refused
from db.instrument_fields import LABELS, stored
from db.models import (
    Account,
    AppointmentLine,
    AuditEntry,
    Batch,
    BatchAction,
    BatchStatus,
    Institution,
    Instrument,
    InstrumentChange,
    InstrumentStatus,
    Link,
    Role,
    StatusChange,
    Subject,
)

# Why a change of the ledger stays, by what it did.
NO_VALUES = "这一步没有改动台账内容，没有可恢复的内容"
BY_STATUS = "状态请用“停用”“封存”“恢复在用”“报废”办理"
BY_RESULT = "检定结果由技术机构登记，不能恢复；有误请联系技术机构"
LOCKED = "“有效期至”保存后不可修改，确有错误请“申请更正”"
SCRAPPED = "器具已报废，不能再修改"
UNDONE = "所在的批次已整批撤回，内容已经恢复"
SAME = "台账现在就是这次变更前的内容"
STAYS = {
    Subject.registration: "注册申请的每一步申请人都已看到，不能恢复；需要改动时请“退回补正”。",
    Subject.link: "关联的每一步双方都已看到，不能恢复；需要改动时请修改权限，或重新申请关联。",
    Subject.line: "预约的每一步对使用单位和技术机构都已生效，不能恢复；需要改动时请取消后重新预约。",
}


@dataclass(frozen=True)
class Change:
    """One change of the ledger: `changes` maps a field to its old and new value.

    `obstacle` says why it cannot be taken back, None where it can. The import that added an instrument has no
    `id` of its own.
    """

    id: int | None
    at: datetime
    action: str
    changes: dict[str, list[Any]]
    note: str
    by_name: str | None
    by_role: str | None
    obstacle: str | None


@dataclass(frozen=True)
class Move:
    """One step of the workflow, of `count` records at once, with what else it changed in words."""

    at: datetime
    action: str
    target: str
    note: str
    by_name: str | None
    by_role: str | None
    institution: str | None
    changes: tuple[str, ...] = ()
    count: int = 1


def of_instrument(session: Session, instrument_id: int, *, by: Account) -> list[Change]:
    """Every change of one instrument, the newest first. Raises NotFound."""
    row = ledger.find(session, instrument_id, by=by)
    return [
        Change(
            id=change.id,
            at=change.at,
            action=change.action,
            changes=change.changes,
            note=change.note,
            by_name=change.by_name,
            by_role=change.by_role,
            obstacle=_obstacle(row, change),
        )
        for change in (*_changes(session, row.id), *_import(session, row.id))
    ]


def _changes(session: Session, instrument_id: int) -> Sequence[sa.Row[Any]]:
    rows = (
        sa.select(
            InstrumentChange.id,
            InstrumentChange.at,
            InstrumentChange.action,
            InstrumentChange.changes,
            InstrumentChange.note,
            col(Account.full_name).label("by_name"),
            col(Account.role).label("by_role"),
            col(Batch.status).label("batch_status"),
        )
        .join(Batch, col(InstrumentChange.batch_id) == Batch.id, isouter=True)
        .join(Account, col(InstrumentChange.by_id) == Account.id, isouter=True)
        .where(col(InstrumentChange.instrument_id) == instrument_id)
        .order_by(col(InstrumentChange.id).desc())
    )
    return session.execute(rows).all()


def _import(session: Session, instrument_id: int) -> Sequence[sa.Row[Any]]:
    """The import that added an instrument, if one did, as its first change."""
    confirmed = (
        (col(StatusChange.subject) == Subject.batch)
        & (col(StatusChange.subject_id) == Batch.id)
        & (col(StatusChange.action) == "apply")
    )
    place = sa.literal("第 ") + sa.cast(Instrument.batch_row, sa.String) + " 行"
    rows = (
        sa.select(
            sa.null().label("id"),
            col(Instrument.created_at).label("at"),
            sa.literal(BatchAction.imported.value).label("action"),
            sa.literal({}, sa.JSON).label("changes"),
            func.coalesce(place, "").label("note"),
            col(Account.full_name).label("by_name"),
            col(Account.role).label("by_role"),
            col(Batch.status).label("batch_status"),
        )
        .join(Batch, col(Instrument.batch_id) == Batch.id)
        .join(StatusChange, confirmed, isouter=True)
        .join(Account, col(StatusChange.by_id) == Account.id, isouter=True)
        .where(col(Instrument.id) == instrument_id)
    )
    return session.execute(rows).all()


def restore(session: Session, change_id: int, version: int, *, by: Account) -> Instrument:
    """恢复: give an instrument of this `version` the values it had before a change, as a change of its own.

    The rules of `instruments.edit` hold. Raises Refused with the reason where a change stays, NotFound for
    one that is not the asker's, Conflict when the instrument was changed meanwhile.
    """
    known = session.get(InstrumentChange, change_id)
    if known is None:
        raise NotFound("器具")
    changes = of_instrument(session, known.instrument_id, by=by)
    (change,) = (one for one in changes if one.id == change_id)
    if change.obstacle:
        raise Refused(change.obstacle)
    old = {field: stored(field, values[0]) for field, values in change.changes.items()}
    return instruments.edit(session, known.instrument_id, version, old, by=by, action="恢复")


def _obstacle(row: Any, change: Any) -> str | None:
    """Why the values before a change cannot come back; the rules of an edit are checked when it is tried."""
    fields = set(change.changes)
    if not fields:
        return NO_VALUES
    if fields & {"status"}:
        return BY_STATUS
    if fields & {"conclusion", "verified_on"}:
        return BY_RESULT
    if "valid_until" in fields:
        return LOCKED
    if row.status == InstrumentStatus.scrapped:
        return SCRAPPED
    if not fields <= set(LABELS):
        return NO_VALUES
    if all(getattr(row, field) == stored(field, values[0]) for field, values in change.changes.items()):
        return UNDONE if change.batch_status == BatchStatus.undone else SAME
    return None


def of_registration(session: Session, registration_id: int, *, by: Account) -> list[Move]:
    """The moves of one registration, oldest first, with what the applicant corrected. Raises NotFound."""
    found = reviews.find(session, registration_id, by=by)
    told = _told(session, Subject.registration, found.id)
    return [
        _move(move, changes=told.get((move.at, workflow.label_of(Subject.registration, move.action)), ()))
        for move in registrations.history(session, found)
    ]


def _move(row: Any, **more: Any) -> Move:
    """A row of `workflow.history`, with `more` instead of or besides what it says."""
    names = ("at", "action", "target", "note", "by_name", "by_role")
    return Move(**{**{name: getattr(row, name) for name in names}, "institution": None, **more})


def _told(session: Session, subject: Subject, id: int) -> dict[tuple[datetime, str], tuple[str, ...]]:
    """What the audit log says of a record's columns, by moment and act; its status is told elsewhere."""
    here = (AuditEntry.subject == subject.name, AuditEntry.subject_id == id, ~col(AuditEntry.is_refused))
    entries = session.exec(select(AuditEntry).where(*here).order_by(col(AuditEntry.id))).all()
    words = audit_words.changes(session, entries)
    return {
        (entry.at, entry.action): tuple(one for one in said if not one.startswith(("状态：", "审核时间：")))
        for entry, said in zip(entries, words, strict=True)
    }


def of_link(session: Session, link_id: int, *, by: Account) -> list[Move]:
    """The moves of one link, oldest first, for its two sides; a person reads no name of the other side.

    Raises NotFound.
    """
    if session.exec(select(Link.id).where(Link.id == link_id, reach.links(by))).first() is None:
        raise NotFound("关联申请")
    moves = workflow.history(session, Subject.link, link_id)
    if by.role != Role.personal:
        return [_move(move) for move in moves]
    nameless = {"by_name": None}
    return [_move(move, **nameless if move.by_role == Role.enterprise else {}) for move in moves]


def of_appointment(session: Session, appointment_id: int, *, by: Account) -> list[Move]:
    """The moves of the lines of one appointment, oldest first, those taken together as one.

    Empty for an appointment that is not the asker's.
    """
    lines = select(AppointmentLine.id).where(
        AppointmentLine.appointment_id == appointment_id, reach.lines(by)
    )
    act = (
        StatusChange.at,
        StatusChange.action,
        StatusChange.target,
        StatusChange.note,
        col(Account.full_name),
        col(Account.role),
        col(Institution.name),
    )
    moves = (
        sa.select(*act, func.count())
        .join(Account, col(StatusChange.by_id) == Account.id, isouter=True)
        .join(Institution, col(StatusChange.institution_id) == Institution.id, isouter=True)
        .where(col(StatusChange.subject) == Subject.line, col(StatusChange.subject_id).in_(lines))
        .group_by(*act)
        .order_by(func.min(col(StatusChange.id)))
    )
    return [
        Move(at, action, target, note, by_name, by_role, institution, count=count)
        for at, action, target, note, by_name, by_role, institution, count in session.execute(moves)
    ]
