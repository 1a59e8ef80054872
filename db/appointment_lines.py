"""预约器具: the lines of appointments as lists show them, narrowed, counted and paged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from db import clock, reach, settings, workdays, workflow
from db.errors import NotFound, Refused
from db.models import (
    OWNERS,
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


# While an institution has to do with an instrument, it must reach its owner.
CALLING = (LineStatus.accepted, LineStatus.in_verification)
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
    Verification.conclusion,
    Verification.certificate_number,
    Verification.verified_on,
    Verification.valid_until,
)


def _listed(by: Account) -> sa.Select[Any]:
    return (
        sa.select(*COLUMNS, *_contact(by))
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


def _contact(by: Account) -> tuple[Any, Any]:
    """Whom to call: in full for the owner, and for the institution from 受理 on, else as in `db.privacy`."""
    whole = (col(Appointment.contact_name), col(Appointment.mobile))
    part = (
        func.substr(whole[0], 1, 1) + "**",
        func.substr(whole[1], 1, 3) + "****" + func.substr(whole[1], 8, 4),
    )
    needs: Any = sa.true() if by.role in OWNERS else sa.false()
    if by.role == Role.institution:
        needs = col(AppointmentLine.status).in_(CALLING)
    name, mobile = (
        sa.case((needs | (full == ""), full), else_=hidden) for full, hidden in zip(whole, part, strict=True)
    )
    return name.label("contact_name"), mobile.label("mobile")


def page(
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
        _listed(by)
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
class OnList:
    """A 预约单 with how many of its lines are on a list."""

    appointment_id: int
    number: str
    enterprise: str
    line_count: int


def by_appointment(
    session: Session, filters: Filters = Filters(), *, by: Account, size: int = 200
) -> list[OnList]:
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
    return [OnList(*row) for row in rows]


def newest_moves(session: Session, line_ids: Sequence[int], *, by: Account) -> dict[int, sa.Row[Any]]:
    """The newest move of each of these lines that the asker sees, by its id, as `workflow.latest` has it."""
    seen = select(AppointmentLine.id).where(col(AppointmentLine.id).in_(line_ids), reach.lines(by))
    return workflow.latest(session, Subject.line, session.exec(seen).all())


def history(session: Session, line_id: int, *, by: Account) -> list[sa.Row[Any]]:
    """流程状态 of one line, oldest first; see `workflow.history`. Raises NotFound."""
    here = select(AppointmentLine.id).where(AppointmentLine.id == line_id, reach.lines(by))
    if session.exec(here).first() is None:
        raise NotFound("预约器具")
    return workflow.history(session, Subject.line, line_id)
