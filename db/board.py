"""状态看板: the counts behind the bureau's screens. Every number is a list that `instruments` or
`appointments` gives with the same filter."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func

from db import appointment_lines, clock, ledger, reach
from db.models import (
    OPEN,
    Account,
    Appointment,
    AppointmentLine,
    Division,
    Institution,
    Instrument,
    InstrumentStatus,
    LineStatus,
    Role,
    UnassignedReason,
)

PLACELESS = "未填使用地点"
VIEWERS = (*reach.BUREAU, Role.enterprise, Role.personal)


@dataclass(frozen=True)
class Validity:
    """Instruments in use by validity; the windows nest, `valid` is the numerator of 受检率."""

    in_use: int = 0
    valid: int = 0
    overdue: int = 0
    within_30: int = 0
    within_60: int = 0
    within_90: int = 0
    missing: int = 0
    rejected: int = 0

    @property
    def rate(self) -> float | None:
        """受检率: in use with a valid certificate ÷ all in use; None when there are none.

        Cut to a tenth of a percent, never rounded up: 100 % is said only when none is missing.
        """
        return self.valid * 1000 // self.in_use / 1000 if self.in_use else None


WINDOWS = ("valid", "overdue", "30", "60", "90", "missing", "rejected")


def _counted() -> list[Any]:
    """All, and how many of them each of WINDOWS holds."""
    today = clock.today()
    conditions = (ledger.due_condition(window, today) for window in WINDOWS)
    return [func.count(), *(func.count(sa.case((condition, 1))) for condition in conditions)]


def validity(
    session: Session, *, by: Account, division_code: str | None = None, enterprise_id: int | None = None
) -> Validity:
    """Instruments in use within the asker's reach, in one pass."""
    reach.allow(by, *VIEWERS)
    row = session.execute(
        sa.select(*_counted()).where(
            reach.instruments(by),
            col(Instrument.status) == InstrumentStatus.in_use,
            reach.within(Instrument.division_code, division_code),
            sa.true() if enterprise_id is None else col(Instrument.enterprise_id) == enterprise_id,
        )
    ).one()
    return Validity(*row)


@dataclass(frozen=True)
class Place:
    """The instruments in use at one place; `code` None stands for rows without a place."""

    code: str | None
    name: str
    validity: Validity


def validity_by_division(session: Session, *, by: Account) -> list[Place]:
    """Instruments in use by the place of use, by code; the counts add up to those of `validity`."""
    reach.allow(by, *reach.BUREAU)
    counted = (
        sa.select(Instrument.division_code, *_counted())
        .where(reach.instruments(by), col(Instrument.status) == InstrumentStatus.in_use)
        .group_by(Instrument.division_code)
        .subquery()
    )
    rows = session.execute(
        sa.select(Division.full_name, counted)
        .join_from(counted, Division, counted.c.division_code == Division.code, isouter=True)
        .order_by(counted.c.division_code.is_(None), counted.c.division_code)
    )
    return [Place(code, name or PLACELESS, Validity(*counts)) for name, code, *counts in rows]


def together(places: Sequence[Place]) -> Validity:
    """The counts of several places as one."""
    columns = zip(*(astuple(place.validity) for place in places), strict=True)
    return Validity(*map(sum, columns))


def by_status(
    session: Session, *, by: Account, division_code: str | None = None, enterprise_id: int | None = None
) -> dict[LineStatus, int]:
    """Appointment lines by status, each status present."""
    own = sa.select(Appointment.id).where(col(Appointment.enterprise_id) == enterprise_id)
    booked_by = sa.true() if enterprise_id is None else col(AppointmentLine.appointment_id).in_(own)
    rows = session.execute(
        sa.select(AppointmentLine.status, func.count())
        .where(reach.lines(by), reach.within(AppointmentLine.division_code, division_code), booked_by)
        .group_by(AppointmentLine.status)
    )
    return {status: 0 for status in LineStatus} | dict(rows.all())


@dataclass(frozen=True)
class Group:
    """Open lines of one division or institution, by status."""

    key: Any
    name: str
    counts: dict[LineStatus, int]

    @property
    def total(self) -> int:
        """All its open lines."""
        return sum(self.counts.values())


def by_division(session: Session, *, by: Account) -> list[Group]:
    """Open lines by the place of use, the most loaded first; None stands for lines without a place."""
    reach.allow(by, *reach.BUREAU)
    rows = session.execute(
        sa.select(AppointmentLine.division_code, Division.full_name, AppointmentLine.status, func.count())
        .join(Division, col(AppointmentLine.division_code) == Division.code, isouter=True)
        .where(reach.lines(by), col(AppointmentLine.status).in_(OPEN))
        .group_by(AppointmentLine.division_code, Division.full_name, AppointmentLine.status)
    )
    return _grouped(rows, PLACELESS)


def by_institution(session: Session, *, by: Account) -> list[Group]:
    """Open lines by institution, the most loaded first; None stands for lines not assigned."""
    reach.allow(by, *reach.BUREAU)
    rows = session.execute(
        sa.select(AppointmentLine.institution_id, Institution.name, AppointmentLine.status, func.count())
        .join(Institution, col(AppointmentLine.institution_id) == Institution.id, isouter=True)
        .where(reach.lines(by), col(AppointmentLine.status).in_(OPEN))
        .group_by(AppointmentLine.institution_id, Institution.name, AppointmentLine.status)
    )
    return _grouped(rows, "未分配技术机构")


def _grouped(rows: Any, nameless: str) -> list[Group]:
    groups: dict[Any, Group] = {}
    for key, name, status, count in rows:
        group = groups.setdefault(key, Group(key, name or nameless, {}))
        group.counts[status] = count
    return sorted(groups.values(), key=lambda group: (-group.total, str(group.key)))


def unassigned(session: Session, *, by: Account) -> dict[UnassignedReason, int]:
    """Lines without an institution, by reason."""
    rows = session.execute(
        sa.select(AppointmentLine.unassigned_reason, func.count())
        .where(reach.lines(by), col(AppointmentLine.status) == LineStatus.unassigned)
        .group_by(AppointmentLine.unassigned_reason)
    )
    return {reason: count for reason, count in rows if reason}


def late(session: Session, *, by: Account) -> dict[str, int]:
    """Lines later than they should be, by key of `appointment_lines.LATE`."""
    return {
        key: appointment_lines.count(session, appointment_lines.Filters(late=key), by=by)
        for key in appointment_lines.LATE
    }
