"""预约单记录: the appointments of a list, each with its lines counted by status."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func

from db import reach
from db.errors import NotFound
from db.models import OPEN, Account, Appointment, AppointmentLine, Enterprise, LineStatus


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
    joined = (
        sa.select()
        .select_from(Appointment)
        .join(Enterprise, col(Appointment.enterprise_id) == Enterprise.id)
        .where(*_conditions(by, enterprise_id, text, is_open))
    )
    rows = session.execute(
        _listed(joined)
        .order_by(col(Appointment.id).desc())
        .limit(min(size, 100))
        .offset((max(number, 1) - 1) * size)
    ).all()
    total = session.scalar(joined.add_columns(func.count())) or 0
    counts = _status_counts(session, [row.Appointment.id for row in rows], by)
    return [_row(row, counts.get(row.Appointment.id, {})) for row in rows], total


def _conditions(
    by: Account, enterprise_id: int | None, text: str, is_open: bool | None
) -> list[sa.ColumnElement[bool]]:
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
    return conditions


def _listed(joined: sa.Select[Any]) -> sa.Select[Any]:
    """Appointments, already joined to their enterprise, with what a list names."""
    return joined.add_columns(
        Appointment,
        col(Enterprise.name).label("enterprise"),
        col(Account.full_name).label("submitted_by"),
    ).join(Account, col(Appointment.submitted_by_id) == Account.id)


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


def _row(row: Any, counts: dict[LineStatus, int]) -> AppointmentRow:
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
    joined = (
        sa.select()
        .select_from(Appointment)
        .join(Enterprise, col(Appointment.enterprise_id) == Enterprise.id)
        .where(col(Appointment.id) == appointment_id, reach.appointments(by))
    )
    row = session.execute(_listed(joined)).first()
    if row is None:
        raise NotFound("预约单")
    return _row(row, _status_counts(session, [appointment_id], by).get(appointment_id, {}))
