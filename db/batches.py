"""台账批次: acts on many instruments of one ledger at once, kept, listed, and undone as a whole.

An act reads its rows once, locked and in the order of their ids, decides about each, and writes them with
statements for all of them together.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, delete, func, select, update

from db import assignment, audit, bulk, clock, reach, search, workflow
from db.errors import NotFound, Refused
from db.instrument_fields import LABELS, plain, stored
from db.models import (
    OPEN,
    Account,
    Appointment,
    AppointmentLine,
    Attachment,
    Batch,
    BatchAction,
    BatchStatus,
    Correction,
    CorrectionStatus,
    Enterprise,
    Instrument,
    InstrumentChange,
    LineStatus,
    Subject,
    Verification,
)

SHOWN = 20
UNDONE = "撤回"


@dataclass(frozen=True)
class Undone:
    """How many instruments got their old values back, and how many the batch had added are gone."""

    restored: int
    removed: int


# A row as it stands, and the values it gets.
Move = tuple[sa.Row[Any], dict[str, Any]]
STANDING = (
    Instrument.id,
    Instrument.version,
    Instrument.status,
    Instrument.search_text,
    *(getattr(Instrument, field) for field in LABELS),
)
# What may refer to an instrument: its id, whether that still goes on, and since when.
REFERENCES: dict[str, Any] = {
    "已预约": sa.select(
        AppointmentLine.instrument_id, col(AppointmentLine.status).in_(OPEN), Appointment.submitted_at
    ).join(Appointment, col(AppointmentLine.appointment_id) == Appointment.id),
    "已有检定结果": sa.select(Verification.instrument_id, sa.false(), sa.null()),
    "已申请更正": sa.select(
        Correction.instrument_id,
        col(Correction.status) == CorrectionStatus.requested,
        Correction.requested_at,
    ),
}


def note(session: Session, batch: Batch, action: str, by: Account, after: Mapping[str, Any]) -> None:
    """One entry of the audit log for the whole batch, whose totals stand in `after`."""
    audit.record(session, action, by=by, subject=Subject.batch.name, subject_id=batch.id, after=after)


def change(
    session: Session, batch: Batch, owner: Enterprise, moves: Sequence[Move], action: str, by: Account
) -> None:
    """Give instruments new values, with everything that follows from it: version, search, history, lines.

    Each of `moves` is a row of the ledger as it stands, held by the caller, with the columns of STANDING,
    and its new values by field. The caller has checked them and the asker's reach.
    """
    texts = [_text(row, values, owner) for row, values in moves]
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for (row, values), text in zip(moves, texts, strict=True):
        groups[tuple(values)].append((row.id, *values.values(), text, row.version + 1))
    for fields, rows in groups.items():
        bulk.update(session, Instrument, (*fields, "search_text", "version"), rows)
    _trace(session, batch, moves, action, by)
    search.replace(
        session, [(row.id, row.search_text, text) for (row, _), text in zip(moves, texts, strict=True)]
    )
    _follow(session, [row.id for row, values in moves if {"kind_id", "division_code"} & set(values)])


def _text(row: sa.Row[Any], values: Mapping[str, Any], owner: Enterprise) -> str:
    if not set(search.FIELDS) & set(values):
        return row.search_text
    return search.text_of({**row._mapping, **values}, owner.name)


def _trace(session: Session, batch: Batch, moves: Sequence[Move], action: str, by: Account) -> None:
    columns = ("instrument_id", "at", "by_id", "action", "changes", "note", "batch_id", "version")
    rows = [
        (
            row.id,
            clock.now(),
            by.id,
            action,
            {field: [plain(row._mapping[field]), plain(new)] for field, new in values.items()},
            "",
            batch.id,
            row.version + 1,
        )
        for row, values in moves
    ]
    bulk.insert(session, InstrumentChange, columns, rows)


def _follow(session: Session, instrument_ids: Sequence[int]) -> None:
    """Lines still without an institution follow the ledger, and assignment runs again."""
    if not instrument_ids:
        return
    waiting = bulk.among(session, AppointmentLine.instrument_id, instrument_ids) & (
        col(AppointmentLine.status) == LineStatus.unassigned
    )
    own = col(Instrument.id) == AppointmentLine.instrument_id
    values = {
        name: sa.select(getattr(Instrument, name)).where(own).scalar_subquery()
        for name in ("kind_id", "division_code")
    }
    session.exec(
        update(AppointmentLine).where(waiting).values(**values).execution_options(synchronize_session=False)
    )
    rows = select(AppointmentLine).where(waiting).order_by(col(AppointmentLine.id))
    lines = session.exec(rows.execution_options(populate_existing=True)).all()
    for start in range(0, len(lines), 1000):
        assignment.assign(session, lines[start : start + 1000])


def undo(session: Session, batch_id: int, *, by: Account) -> Undone:
    """整批撤回: give back the old values of every instrument the batch changed, and remove those it added.

    A later batch that was undone itself stands in nobody's way. Raises NotFound, or Refused that names the
    first 20 instruments that have moved since: then nothing has changed.
    """
    here = select(Batch).where(Batch.id == batch_id, reach.batches(by))
    batch = session.exec(reach.held(here, Batch)).first()
    if batch is None:
        raise NotFound("批次")
    owner = reach.enterprise(session, batch.enterprise_id, by, to="edit")
    rows = _touched(session, batch, by)
    if batch.status == BatchStatus.applied:
        _check_unmoved(session, batch, rows)
    workflow.move(session, Subject.batch, [batch], "undo", by)
    added = [row for row in rows if row.changes is None]
    moves = [(row, _former(row)) for row in rows if row.changes is not None]
    change(session, batch, owner, moves, UNDONE, by)
    _remove(session, added)
    undone = Undone(len(moves), len(added))
    note(session, batch, workflow.label_of(Subject.batch, "undo"), by, vars(undone))
    return undone


def _touched(session: Session, batch: Batch, by: Account) -> Sequence[sa.Row[Any]]:
    """The instruments of the batch, held by this act, each as STANDING, and how the batch left it.

    That is its `changes`, None where it was added, its version `left_at`, and the moment `left_on`.
    """
    own = col(InstrumentChange.batch_id) == batch.id
    is_added = col(Instrument.batch_id) == batch.id
    changed = sa.select(InstrumentChange.instrument_id).where(own)
    touched = changed.union(sa.select(Instrument.id).where(is_added))
    here = sa.select(Instrument.id).where(col(Instrument.id).in_(touched), reach.instruments(by))
    # Not even a row that refers to one of them may come in between: it may be removed.
    held = session.scalars(here.order_by(col(Instrument.id)).with_for_update()).all()
    all_count = session.scalar(sa.select(func.count()).select_from(touched.subquery())) or 0
    if len(held) != all_count:
        raise Refused(f"这一批中有 {all_count - len(held)} 台器具不在您的辖区内，请由使用单位撤回")
    left: tuple[Any, ...] = (
        InstrumentChange.changes,
        col(InstrumentChange.version).label("left_at"),
        col(InstrumentChange.at).label("left_on"),
    )
    rows = sa.select(*STANDING, *left).join(
        InstrumentChange, col(InstrumentChange.instrument_id) == Instrument.id
    )
    first = (sa.null().label("changes"), sa.literal(1).label("left_at"), sa.null().label("left_on"))
    return [
        *session.execute(rows.where(own).order_by(col(Instrument.id))),
        *session.execute(sa.select(*STANDING, *first).where(is_added).order_by(col(Instrument.id))),
    ]


def _former(row: sa.Row[Any]) -> dict[str, Any]:
    return {field: stored(field, old) for field, (old, _) in row.changes.items() if field in LABELS}


def _check_unmoved(session: Session, batch: Batch, rows: Sequence[sa.Row[Any]]) -> None:
    moved = _moved(session, batch, rows)
    used = _used(session, rows)
    found = [(row, moved.get(row.id) or used.get(row.id)) for row in rows]
    standing = [(row, why) for row, why in found if why]
    if standing:
        problems = {str(row.id): f"{row.name} {row.serial_number}：{why}" for row, why in standing[:SHOWN]}
        first = f"（以下为前 {SHOWN} 台）" if len(standing) > SHOWN else ""
        raise Refused(
            f"这一批中有 {len(standing)} 台器具此后又有变动{first}，整批不能撤回，请逐台核对修改", problems
        )


def _moved(session: Session, batch: Batch, rows: Sequence[sa.Row[Any]]) -> dict[int, str]:
    """What has been done since to instruments that no longer have the version the batch left them at."""
    moved = [row for row in rows if row.version != row.left_at]
    if not moved:
        return {}
    taken_back = _taken_back(session, {row.id: row.left_at for row in moved})
    ids = [row.id for row in moved if row.version != row.left_at + taken_back[row.id]]
    last = sa.select(func.max(InstrumentChange.id)).where(
        bulk.among(session, InstrumentChange.instrument_id, ids)
    )
    newest = sa.select(InstrumentChange.instrument_id, InstrumentChange.action).where(
        col(InstrumentChange.id).in_(last.group_by(col(InstrumentChange.instrument_id)))
    )
    return {id: f"此后已“{action}”" for id, action in session.execute(newest)}


def _taken_back(session: Session, left_at: Mapping[int, int]) -> Counter[int]:
    """How many changes of each instrument after this version, each a version, are of batches since undone."""
    undone = (
        sa.select(InstrumentChange.instrument_id, InstrumentChange.version)
        .join(Batch, col(InstrumentChange.batch_id) == Batch.id)
        .where(
            bulk.among(session, InstrumentChange.instrument_id, list(left_at)),
            col(Batch.status) == BatchStatus.undone,
        )
    )
    return Counter(id for id, version in session.execute(undone) if version > left_at[id])


def _used(session: Session, rows: Sequence[sa.Row[Any]]) -> dict[int, str]:
    """What refers to these instruments: anything to those the batch added, what began since to the others."""
    left = {row.id: None if row.changes is None else row.left_on for row in rows}
    found: dict[int, str] = {}
    for why, references in REFERENCES.items():
        here = references.where(bulk.among(session, references.selected_columns.instrument_id, list(left)))
        for id, is_open, at in session.execute(here):
            since = left[id]
            if since is None or (is_open and at > since):
                found[id] = why
    return found


def _remove(session: Session, rows: Sequence[sa.Row[Any]]) -> None:
    ids = [row.id for row in rows]
    search.remove(session, [(row.id, row.search_text) for row in rows])
    owned: tuple[tuple[Any, Any], ...] = (
        (InstrumentChange, InstrumentChange.instrument_id),
        (Instrument, Instrument.id),
    )
    for model, column in owned:
        gone = delete(model).where(bulk.among(session, column, ids))
        session.exec(gone.execution_options(synchronize_session=False))


COLUMNS: tuple[Any, ...] = (
    Batch.id,
    Batch.enterprise_id,
    Batch.action,
    Batch.status,
    Batch.options,
    Batch.totals,
    Batch.note,
    Batch.attachment_id,
    Batch.returned_id,
    Batch.created_at,
    Batch.started_at,
    # Only an upload whose columns a person must match has findings before it is previewed.
    sa.case((col(Batch.status) == BatchStatus.submitted, Batch.findings)).label("findings"),
    col(Account.full_name).label("by_name"),
    col(Attachment.name).label("file_name"),
    col(Enterprise.name).label("enterprise"),
)


def page(
    session: Session,
    enterprise_id: int,
    *,
    by: Account,
    action: BatchAction | None = None,
    number: int = 1,
    size: int = 20,
) -> list[sa.Row[Any]]:
    """One page of the batches of a ledger, or of those of one `action`, the newest first; as in COLUMNS."""
    reach.enterprise(session, enterprise_id, by)
    here = _listed().where(col(Batch.enterprise_id) == enterprise_id).order_by(col(Batch.id).desc())
    if action is not None:
        here = here.where(col(Batch.action) == action)
    return list(session.execute(here.limit(min(size, 200)).offset((max(number, 1) - 1) * size)).all())


def count(session: Session, enterprise_id: int, *, by: Account, action: BatchAction | None = None) -> int:
    """How many batches a ledger has, or how many of one `action`."""
    reach.enterprise(session, enterprise_id, by)
    here = select(func.count(col(Batch.id))).where(Batch.enterprise_id == enterprise_id)
    if action is not None:
        here = here.where(col(Batch.action) == action)
    return session.scalar(here) or 0


def find(session: Session, batch_id: int, *, by: Account) -> sa.Row[Any]:
    """One batch, as in the list; raises NotFound outside the asker's reach."""
    found = session.execute(_listed().where(col(Batch.id) == batch_id, reach.batches(by))).first()
    if found is None:
        raise NotFound("批次")
    return found


def _listed() -> Any:
    return (
        sa.select(*COLUMNS)
        .join(Account, col(Batch.created_by_id) == Account.id)
        .join(Enterprise, col(Batch.enterprise_id) == Enterprise.id)
        .join(Attachment, col(Batch.attachment_id) == Attachment.id, isouter=True)
    )
