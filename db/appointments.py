"""强检器具预约: booking, the institution's answer, plans, cancellation, and the lists of lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, insert, select

from db import assignment, clock, counters, instruments, ledger, reach, settings, workdays, workflow
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.models import (
    OPEN,
    Account,
    Appointment,
    AppointmentLine,
    Category,
    DeliveryMode,
    Division,
    Enterprise,
    Institution,
    Instrument,
    InstrumentStatus,
    Kind,
    LineStatus,
    Receipt,
    Role,
    StatusChange,
    Subject,
    UnassignedReason,
    Verification,
)

CANNOT_CANCEL = "未成功分配的器具无法取消，等器具分配成功后再取消"
MOST_AT_ONCE = 2000


def submit(
    session: Session, enterprise_id: int, instrument_ids: Sequence[int], *, by: Account, note: str = ""
) -> list[Appointment]:
    """提交申请: book verification for instruments of one enterprise, and have the lines assigned.

    More than the setting's 100 are split into several appointments. Raises NotFound for instruments of
    others, Refused for those not in use, Conflict for those in an open appointment already.
    """
    enterprise = reach.enterprise(session, enterprise_id, by, to="book")
    form = Form()
    note = form.text("note", "备注", note, 500)
    form.done()
    rows = _chosen(session, enterprise_id, instrument_ids)
    size = settings.value(session, "lines_per_appointment")
    parts = (rows[start : start + size] for start in range(0, len(rows), size))
    return [_appointment(session, enterprise, part, by, note) for part in parts]


def _chosen(session: Session, enterprise_id: int, instrument_ids: Sequence[int]) -> list[Instrument]:
    ids = list(dict.fromkeys(instrument_ids))
    if not ids:
        raise Refused("请先选择要预约的器具")
    if len(ids) > MOST_AT_ONCE:
        raise Refused(f"一次最多选择 {MOST_AT_ONCE} 台器具，请分批提交")
    here = select(Instrument).where(col(Instrument.id).in_(ids), Instrument.enterprise_id == enterprise_id)
    known = {row.id: row for row in session.exec(reach.held(here.order_by(col(Instrument.id)), Instrument))}
    if len(known) != len(ids):
        raise NotFound("所选器具")
    if idle := [row for row in known.values() if row.status != InstrumentStatus.in_use]:
        raise Refused(f"{_names(idle)} 不是在用状态，不能预约，请先恢复在用")
    if busy := instruments.booked(session, ids):
        listed = "、".join(f"{known[id].serial_number}（{number}）" for id, number in list(busy.items())[:5])
        raise Conflict(
            f"{listed} 已在办理中的预约单里，请重新选择", {str(id): number for id, number in busy.items()}
        )
    return [known[id] for id in ids]


def _names(rows: Sequence[Instrument]) -> str:
    shown = "、".join(f"{row.name} {row.serial_number}" for row in rows[:5])
    return shown + (f" 等 {len(rows)} 台" if len(rows) > 5 else "")


def _appointment(
    session: Session, enterprise: Enterprise, rows: Sequence[Instrument], by: Account, note: str
) -> Appointment:
    appointment = Appointment(
        number=counters.dated(session, "YJ"),
        enterprise_id=enterprise.id,
        submitted_by_id=by.id,
        is_on_behalf=by.role == Role.supervisor,
        contact_name=enterprise.contact_name,
        mobile=enterprise.mobile,
        note=note,
    )
    session.add(appointment)
    session.flush()
    kept = ledger.snapshots(session, [row.id for row in rows])
    lines = [
        {
            "appointment_id": appointment.id,
            "instrument_id": row.id,
            "status": LineStatus.unassigned,
            "kind_id": row.kind_id,
            "division_code": row.division_code,
            "delivery_mode": row.delivery_mode,
            "snapshot": kept[row.id],
        }
        for row in rows
    ]
    try:
        session.exec(insert(AppointmentLine), params=lines)
    except IntegrityError:
        # Two people booked at the same moment; the unique index let one of them in.
        raise Conflict("所选器具刚刚被他人预约，请刷新后重新选择") from None
    added = session.exec(
        select(AppointmentLine)
        .where(AppointmentLine.appointment_id == appointment.id)
        .order_by(col(AppointmentLine.id))
    ).all()
    workflow.start(session, Subject.line, [line.id for line in added], "submit", by, note)
    assignment.assign(session, added)
    return appointment


@dataclass(frozen=True)
class AppointmentRow:
    """A 预约单 as lists show it; `counts` by line status, `summary` derived from them."""

    id: int
    number: str
    enterprise_id: int
    enterprise: str
    submitted_at: Any
    submitted_by: str
    is_on_behalf: bool
    note: str
    line_count: int
    counts: dict[LineStatus, int]

    @property
    def summary(self) -> str:
        """The status of the whole, derived: what most needs attention first."""
        if set(self.counts) == {LineStatus.completed}:
            return "已完成"
        if not set(self.counts) & set(OPEN):
            return "已办结"
        return " · ".join(f"{status} {self.counts[status]}" for status in LineStatus if status in self.counts)


def page(
    session: Session,
    *,
    by: Account,
    enterprise_id: int | None = None,
    text: str = "",
    is_open: bool | None = None,
    number: int = 1,
    size: int = 20,
) -> tuple[list[AppointmentRow], int]:
    """预约单记录: one page, the newest first, and the count of all that match.

    `text` looks in the number and the enterprise's name; `is_open` asks for those with open lines the asker
    sees, or without.
    """
    conditions = [reach.appointments(by)]
    if enterprise_id is not None:
        conditions.append(col(Appointment.enterprise_id) == enterprise_id)
    if text.strip():
        shown = (col(Appointment.number), col(Enterprise.name))
        conditions.append(sa.or_(*(column.contains(text.strip(), autoescape=True) for column in shown)))
    if is_open is not None:
        under_way = sa.exists().where(
            col(AppointmentLine.appointment_id) == Appointment.id,
            col(AppointmentLine.status).in_(OPEN),
            reach.lines(by),
        )
        conditions.append(under_way if is_open else ~under_way)
    joined = (
        sa.select()
        .select_from(Appointment)
        .join(Enterprise, col(Appointment.enterprise_id) == Enterprise.id)
        .where(*conditions)
    )
    rows = session.execute(
        joined.add_columns(
            Appointment,
            col(Enterprise.name).label("enterprise"),
            col(Account.full_name).label("submitted_by"),
        )
        .join(Account, col(Appointment.submitted_by_id) == Account.id)
        .order_by(col(Appointment.id).desc())
        .limit(min(size, 100))
        .offset((max(number, 1) - 1) * size)
    ).all()
    total = session.scalar(joined.add_columns(func.count())) or 0
    counts = _status_counts(session, [row.Appointment.id for row in rows], by)
    return [_appointment_row(row, counts.get(row.Appointment.id, {})) for row in rows], total


def _status_counts(session: Session, ids: Sequence[int], by: Account) -> dict[int, dict[LineStatus, int]]:
    rows = session.execute(
        sa.select(AppointmentLine.appointment_id, AppointmentLine.status, func.count())
        .where(col(AppointmentLine.appointment_id).in_(ids), reach.lines(by))
        .group_by(AppointmentLine.appointment_id, AppointmentLine.status)
    )
    found: dict[int, dict[LineStatus, int]] = {}
    for appointment_id, status, count in rows:
        found.setdefault(appointment_id, {})[status] = count
    return found


def _appointment_row(row: Any, counts: dict[LineStatus, int]) -> AppointmentRow:
    appointment: Appointment = row.Appointment
    return AppointmentRow(
        id=appointment.id,
        number=appointment.number,
        enterprise_id=appointment.enterprise_id,
        enterprise=row.enterprise,
        submitted_at=appointment.submitted_at,
        submitted_by=row.submitted_by,
        is_on_behalf=appointment.is_on_behalf,
        note=appointment.note,
        line_count=sum(counts.values()),
        counts=counts,
    )


def find(session: Session, appointment_id: int, *, by: Account) -> AppointmentRow:
    """One 预约单; raises NotFound outside the asker's reach."""
    row = session.execute(
        sa.select(
            Appointment,
            col(Enterprise.name).label("enterprise"),
            col(Account.full_name).label("submitted_by"),
        )
        .join(Enterprise, col(Appointment.enterprise_id) == Enterprise.id)
        .join(Account, col(Appointment.submitted_by_id) == Account.id)
        .where(col(Appointment.id) == appointment_id, reach.appointments(by))
    ).first()
    if row is None:
        raise NotFound("预约单")
    return _appointment_row(row, _status_counts(session, [appointment_id], by).get(appointment_id, {}))


@dataclass(frozen=True)
class Filters:
    """What a list of lines is narrowed to; `late` is a key of LATE, `planned_on` a day that was agreed.

    `is_placeless` keeps the lines without 使用地点行政区划, `is_nowhere` those without an institution,
    `is_to_rebook` those an institution declined or terminated and whose instrument was not booked since.
    """

    appointment_id: int | None = None
    instrument_id: int | None = None
    statuses: tuple[LineStatus, ...] = ()
    institution_id: int | None = None
    is_nowhere: bool = False
    enterprise_id: int | None = None
    division_code: str | None = None
    is_placeless: bool = False
    category_id: int | None = None
    kind_id: int | None = None
    reason: UnassignedReason | None = None
    delivery_mode: DeliveryMode | None = None
    late: str | None = None
    planned_on: date | None = None
    is_to_rebook: bool = False
    text: str = ""


LATE = {"answer": "受理超时", "visit": "约定日期已过", "verification": "检定超期"}


def late_condition(session: Session, late: str) -> sa.ColumnElement[bool]:
    """Lines that wait longer than they should: for an answer, for the visit, for the verification."""
    today = clock.today()
    if late == "verification":
        return (col(AppointmentLine.status) == LineStatus.in_verification) & (
            col(AppointmentLine.due_on) < today
        )
    if late == "visit":
        return (col(AppointmentLine.status) == LineStatus.accepted) & (
            col(AppointmentLine.planned_until) < today
        )
    if late != "answer":
        raise Refused("没有这个超时类别，请重新选择")
    moved_before = _answer_limit(session, today)
    return (col(AppointmentLine.status) == LineStatus.assigned) & (
        col(AppointmentLine.moved_at) < moved_before
    )


def _answer_limit(session: Session, today: date) -> datetime:
    """The moment before which an assigned line should have been answered: whole working days back."""
    calendar, left, day = workdays.calendar(session), settings.value(session, "acceptance_days"), today
    while left > 0:
        day -= timedelta(1)
        left -= calendar.is_working(day)
    return datetime.combine(day, time.min, tzinfo=clock.CHINA)


def _conditions(session: Session, by: Account, filters: Filters) -> list[sa.ColumnElement[bool]]:
    found = [reach.lines(by)]
    for field in ("appointment_id", "instrument_id", "institution_id", "kind_id", "delivery_mode"):
        if (value := getattr(filters, field)) is not None:
            found.append(getattr(AppointmentLine, field) == value)
    if filters.reason is not None:
        found.append(col(AppointmentLine.unassigned_reason) == filters.reason)
    if filters.statuses:
        found.append(col(AppointmentLine.status).in_(filters.statuses))
    if filters.enterprise_id is not None:
        found.append(col(Appointment.enterprise_id) == filters.enterprise_id)
    if filters.division_code:
        found.append(reach.within(AppointmentLine.division_code, filters.division_code))
    if filters.is_nowhere:
        found.append(col(AppointmentLine.institution_id).is_(None))
    if filters.is_placeless:
        found.append(col(AppointmentLine.division_code).is_(None))
    if filters.category_id is not None:
        kinds = select(Kind.id).where(Kind.category_id == filters.category_id)
        found.append(col(AppointmentLine.kind_id).in_(kinds))
    if filters.is_to_rebook:
        found.append(_is_to_rebook())
    if filters.planned_on is not None:
        first, last = col(AppointmentLine.planned_from), col(AppointmentLine.planned_until)
        found.append((first <= filters.planned_on) & (last >= filters.planned_on))
    if filters.late:
        found.append(late_condition(session, filters.late))
    for word in filters.text.split()[:5]:
        shown = (col(Appointment.number), col(Enterprise.name), col(Instrument.search_text))
        found.append(
            sa.or_(
                *(
                    column.contains(word.lower() if column is shown[2] else word, autoescape=True)
                    for column in shown
                )
            )
        )
    return found


def _is_to_rebook() -> sa.ColumnElement[bool]:
    """Lines given back by an institution whose instruments are in use and have no later line."""
    later = aliased(AppointmentLine)
    was_terminated = sa.exists().where(
        col(StatusChange.subject) == Subject.line,
        col(StatusChange.subject_id) == AppointmentLine.id,
        col(StatusChange.action) == "terminate",
    )
    is_booked_since = sa.exists().where(
        col(later.instrument_id) == AppointmentLine.instrument_id, col(later.id) > AppointmentLine.id
    )
    is_canceled = col(AppointmentLine.status) == LineStatus.canceled
    return (
        ((col(AppointmentLine.status) == LineStatus.declined) | (is_canceled & was_terminated))
        & (col(Instrument.status) == InstrumentStatus.in_use)
        & ~is_booked_since
    )


COLUMNS: tuple[Any, ...] = (
    AppointmentLine.id,
    AppointmentLine.appointment_id,
    AppointmentLine.instrument_id,
    AppointmentLine.status,
    AppointmentLine.moved_at,
    AppointmentLine.snapshot,
    AppointmentLine.delivery_mode,
    AppointmentLine.kind_id,
    col(Kind.name).label("kind"),
    col(Category.name).label("category"),
    col(Division.full_name).label("division"),
    AppointmentLine.division_code,
    AppointmentLine.institution_id,
    col(Institution.name).label("institution"),
    col(Institution.address).label("institution_address"),
    col(Institution.telephone).label("institution_telephone"),
    AppointmentLine.unassigned_reason,
    col(Receipt.number).label("receipt_number"),
    col(Receipt.note).label("receipt_note"),
    AppointmentLine.planned_from,
    AppointmentLine.planned_until,
    AppointmentLine.begun_on,
    AppointmentLine.due_on,
    Appointment.number,
    Appointment.submitted_at,
    Appointment.enterprise_id,
    col(Enterprise.name).label("enterprise"),
    Appointment.contact_name,
    Appointment.mobile,
    Verification.conclusion,
    Verification.certificate_number,
    Verification.verified_on,
    Verification.valid_until,
)


def _listed() -> sa.Select[Any]:
    return (
        sa.select(*COLUMNS)
        .join(Appointment, col(AppointmentLine.appointment_id) == Appointment.id)
        .join(Enterprise, col(Appointment.enterprise_id) == Enterprise.id)
        .join(Instrument, col(AppointmentLine.instrument_id) == Instrument.id)
        .join(Kind, col(AppointmentLine.kind_id) == Kind.id, isouter=True)
        .join(Category, col(Kind.category_id) == Category.id, isouter=True)
        .join(Division, col(AppointmentLine.division_code) == Division.code, isouter=True)
        .join(Institution, col(AppointmentLine.institution_id) == Institution.id, isouter=True)
        .join(Receipt, col(AppointmentLine.receipt_id) == Receipt.id, isouter=True)
        .join(Verification, col(Verification.line_id) == AppointmentLine.id, isouter=True)
    )


def lines(
    session: Session,
    filters: Filters = Filters(),
    *,
    by: Account,
    number: int = 1,
    size: int = 100,
    is_by_deadline: bool = False,
) -> list[sa.Row[Any]]:
    """One page of the lines within the asker's reach, the oldest first; columns as in COLUMNS.

    `is_by_deadline` puts first what must be done first: by the lawful deadline, then the day agreed.
    """
    dates = (AppointmentLine.due_on, AppointmentLine.planned_until)
    urgent = [col(day).nulls_last() for day in dates] if is_by_deadline else []
    rows = (
        _listed()
        .where(*_conditions(session, by, filters))
        .order_by(*urgent, col(AppointmentLine.id))
        .limit(min(size, 200))
        .offset((max(number, 1) - 1) * size)
    )
    return list(session.execute(rows).all())


def count(session: Session, filters: Filters = Filters(), *, by: Account) -> int:
    """How many lines match."""
    rows = (
        sa.select(func.count())
        .select_from(AppointmentLine)
        .join(Appointment, col(AppointmentLine.appointment_id) == Appointment.id)
        .join(Enterprise, col(Appointment.enterprise_id) == Enterprise.id)
        .join(Instrument, col(AppointmentLine.instrument_id) == Instrument.id)
        .where(*_conditions(session, by, filters))
    )
    return session.scalar(rows) or 0


@dataclass(frozen=True)
class Batch:
    """A 预约单 with how many of its lines are on a list."""

    appointment_id: int
    number: str
    enterprise: str
    line_count: int


def batches(session: Session, filters: Filters = Filters(), *, by: Account, size: int = 200) -> list[Batch]:
    """The appointments whose lines match, the oldest first, at most `size`."""
    rows = session.execute(
        sa.select(Appointment.id, Appointment.number, Enterprise.name, func.count())
        .select_from(AppointmentLine)
        .join(Appointment, col(AppointmentLine.appointment_id) == Appointment.id)
        .join(Enterprise, col(Appointment.enterprise_id) == Enterprise.id)
        .join(Instrument, col(AppointmentLine.instrument_id) == Instrument.id)
        .where(*_conditions(session, by, filters))
        .group_by(Appointment.id, Appointment.number, Enterprise.name)
        .order_by(Appointment.id)
        .limit(size)
    )
    return [Batch(*row) for row in rows]


def line_history(session: Session, line_id: int, *, by: Account) -> list[sa.Row[Any]]:
    """流程状态 of one line, oldest first; see `workflow.history`. Raises NotFound."""
    here = select(AppointmentLine.id).where(AppointmentLine.id == line_id, reach.lines(by))
    if session.exec(here).first() is None:
        raise NotFound("预约器具")
    return workflow.history(session, Subject.line, line_id)


def _reason(text: str) -> str:
    form = Form()
    clean = form.text("reason", "理由", text, 500)
    form.done()
    return clean


def cancel(session: Session, line_ids: Sequence[int], *, by: Account, reason: str = "") -> int:
    """取消预约, per instrument, once assigned and not yet accepted; all or none. Returns how many."""
    rows = reach.held_lines(session, line_ids, by)
    _check_booker(session, rows, by)
    if any(row.status == LineStatus.unassigned for row in rows):
        raise Refused(CANNOT_CANCEL)
    if any(row.status in (LineStatus.accepted, LineStatus.in_verification) for row in rows):
        raise Refused("技术机构已受理的器具不能自行取消，请联系技术机构终止")
    workflow.move(session, Subject.line, rows, "cancel", by, _reason(reason))
    return len(rows)


def _check_booker(session: Session, rows: Sequence[AppointmentLine], by: Account) -> None:
    ids = {row.appointment_id for row in rows}
    owners = session.exec(select(Appointment.enterprise_id).where(col(Appointment.id).in_(ids)).distinct())
    for enterprise_id in owners.all():
        reach.enterprise(session, enterprise_id, by, to="book")


def accept(
    session: Session,
    line_ids: Sequence[int],
    *,
    by: Account,
    planned_from: date | None,
    planned_until: date | None,
    note: str = "",
) -> list[Receipt]:
    """受理: the institution says when to bring the instruments in, or when it will visit.

    One receipt for each appointment among the lines. Raises Refused, NotFound or Conflict.
    """
    institution_id = reach.institution_id(by)
    rows = reach.held_lines(session, line_ids, by)
    _check_plan(planned_from, planned_until)
    note = _reason(note)
    made = []
    for appointment_id in sorted({row.appointment_id for row in rows}):
        receipt = _receipt(session, appointment_id, institution_id, by, note)
        group = [row for row in rows if row.appointment_id == appointment_id]
        workflow.move(
            session,
            Subject.line,
            group,
            "accept",
            by,
            note,
            concerning_id=institution_id,
            receipt_id=receipt.id,
            planned_from=planned_from,
            planned_until=planned_until,
        )
        made.append(receipt)
    return made


def _check_plan(planned_from: date | None, planned_until: date | None) -> None:
    form = Form()
    first = form.day("planned_from", "约定日期", planned_from, required=True)
    last = form.day("planned_until", "约定日期", planned_until, required=True)
    if first and last and (first < clock.today() or last < first):
        form.say("planned_from", "约定日期应从今天起，且结束不早于开始")
    form.done()


def _receipt(session: Session, appointment_id: int, institution_id: int, by: Account, note: str) -> Receipt:
    made = Receipt(
        number=counters.dated(session, "HZ"),
        appointment_id=appointment_id,
        institution_id=institution_id,
        issued_by_id=by.id,
        note=note,
    )
    session.add(made)
    session.flush()
    return made


def plan(
    session: Session,
    line_ids: Sequence[int],
    *,
    by: Account,
    planned_from: date | None,
    planned_until: date | None,
) -> int:
    """Change the agreed dates of accepted lines that have not begun; returns how many."""
    reach.allow(by, Role.institution)
    rows = reach.held_lines(session, line_ids, by)
    _check_plan(planned_from, planned_until)
    if any(row.status != LineStatus.accepted for row in rows):
        raise Refused("只有已受理、尚未开始检定的器具可以改期，请刷新后查看")
    for row in rows:
        row.planned_from, row.planned_until = planned_from, planned_until
    return len(rows)


def decline(session: Session, line_ids: Sequence[int], *, by: Account, reason: str) -> int:
    """不予受理, with a reason: the instruments are free to be booked again. Returns how many."""
    return _answer(session, line_ids, "decline", by, reason)


def terminate(session: Session, line_ids: Sequence[int], *, by: Account, reason: str) -> int:
    """终止 what was accepted, with a reason. Returns how many."""
    return _answer(session, line_ids, "terminate", by, reason)


def _answer(session: Session, line_ids: Sequence[int], action: str, by: Account, reason: str) -> int:
    rows = reach.held_lines(session, line_ids, by)
    workflow.move(session, Subject.line, rows, action, by, _reason(reason), concerning_id=by.institution_id)
    return len(rows)


def hand_back(session: Session, line_ids: Sequence[int], *, by: Account, reason: str) -> int:
    """退回: assignment runs again and passes this institution over. Returns how many found another one."""
    return _give_up(session, line_ids, "hand_back", by, reason)


def reassign(session: Session, line_ids: Sequence[int], *, by: Account, reason: str) -> int:
    """转派 by the bureau: assignment runs again without the institution that had the lines."""
    return _give_up(session, line_ids, "reassign", by, reason)


def _give_up(session: Session, line_ids: Sequence[int], action: str, by: Account, reason: str) -> int:
    rows = reach.held_lines(session, line_ids, by)
    note = _reason(reason)
    for institution_id in sorted({row.institution_id or 0 for row in rows}):
        group = [row for row in rows if (row.institution_id or 0) == institution_id]
        workflow.move(
            session,
            Subject.line,
            group,
            action,
            by,
            note,
            concerning_id=institution_id or None,
            institution_id=None,
        )
    for row in rows:
        session.refresh(row)
    return assignment.assign(session, rows)


def begin(session: Session, line_ids: Sequence[int], *, by: Account, begun_on: date | None = None) -> int:
    """开始检定: received, or the visit begun. The lawful time limit starts. Returns how many.

    `begun_on` is today where not given; it cannot lie ahead.
    """
    reach.allow(by, Role.institution)
    rows = reach.held_lines(session, line_ids, by)
    day = begun_on or clock.today()
    if day > clock.today():
        raise Refused("开始日期不能晚于今天")
    for mode in {row.delivery_mode for row in rows}:
        group = [row for row in rows if row.delivery_mode == mode]
        due_on = workdays.verification_deadline(session, mode, day).day
        workflow.move(
            session,
            Subject.line,
            group,
            "begin",
            by,
            concerning_id=by.institution_id,
            begun_on=day,
            due_on=due_on,
        )
    return len(rows)
