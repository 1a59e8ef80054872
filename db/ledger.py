"""Lists of the ledger: what is in it, narrowed, by pages, and the history of one instrument."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from db import clock, quality, reach, search
from db.errors import NotFound, Refused
from db.instrument_fields import LABELS
from db.models import (
    OPEN,
    Account,
    AppointmentLine,
    Category,
    Conclusion,
    DeliveryMode,
    Division,
    Enterprise,
    Instrument,
    InstrumentStatus,
    Kind,
    Origin,
    Purpose,
)


@dataclass(frozen=True)
class Filters:
    """What a ledger list is narrowed to; None or empty narrows nothing. `due` is a key of DUE,
    `quality` one of `quality.FINDINGS`.

    `is_placeless` keeps the rows without 使用地点行政区划, `is_booked` those in an open appointment, or not.
    """

    enterprise_id: int | None = None
    text: str = ""
    category_id: int | None = None
    kind_id: int | None = None
    status: InstrumentStatus | None = None
    division_code: str | None = None
    is_placeless: bool = False
    due: str | None = None
    purpose: Purpose | None = None
    delivery_mode: DeliveryMode | None = None
    quality: str | None = None
    origin: Origin | None = None
    conclusion: Conclusion | None = None
    is_booked: bool | None = None


DUE = {
    "valid": "检定有效",
    "overdue": "已超期",
    "30": "30 天内到期",
    "60": "60 天内到期",
    "90": "90 天内到期",
    "rejected": "检定不合格",
    "missing": "未填有效期",
    "no_kind": "未填种别",
    "no_division": "未填使用地点",
}


def due_condition(due: str, today: date) -> sa.ColumnElement[bool]:
    """The rows a due window of DUE holds: days to `valid_until`, counted from `today`.

    A kind verified once until it is scrapped has no `valid_until`: having passed, it stays valid.
    """
    until, conclusion = col(Instrument.valid_until), col(Instrument.conclusion)
    has_passed = func.coalesce(conclusion == Conclusion.passed, False)
    conditions: dict[str, sa.ColumnElement[bool]] = {
        "valid": sa.or_(
            (until >= today) & func.coalesce(conclusion != Conclusion.rejected, True),
            until.is_(None) & has_passed,
        ),
        "overdue": until < today,
        "rejected": REJECTED,
        "missing": until.is_(None) & ~has_passed,
        "no_kind": col(Instrument.kind_id).is_(None),
        "no_division": col(Instrument.division_code).is_(None),
    }
    if due in conditions:
        return conditions[due]
    if due not in DUE:
        raise Refused("没有这个到期范围，请重新选择")
    return until.between(today, today + timedelta(days=int(due)))


def matching(session: Session, filters: Filters, *, by: Account) -> Any:
    """The ids of all ledger rows that match and that the asker sees, as a query to be part of another."""
    return select(Instrument.id).where(*_conditions(session, by, filters))


def narrowed(session: Session, filters: Filters, by: Account) -> list[sa.ColumnElement[bool]]:
    """Every filter but the words of the search box."""
    found: list[Any] = []
    for field in EQUAL:
        if (value := getattr(filters, field)) is not None:
            found.append(REJECTED if value == Conclusion.rejected else getattr(Instrument, field) == value)
    if filters.category_id is not None:
        found.append(
            col(Instrument.kind_id).in_(select(Kind.id).where(Kind.category_id == filters.category_id))
        )
    if filters.division_code:
        found.append(reach.within(Instrument.division_code, filters.division_code))
    if filters.is_placeless:
        found.append(col(Instrument.division_code).is_(None))
    if filters.due:
        found.append(due_condition(filters.due, clock.today()))
    if filters.quality:
        found.append(quality.condition(session, filters.quality, by))
    if filters.is_booked is not None:
        found.append(BUSY if filters.is_booked else ~BUSY)
    return found


def _conditions(session: Session, by: Account, filters: Filters) -> list[sa.ColumnElement[bool]]:
    found = [reach.instruments(by), *narrowed(session, filters, by)]
    if filters.text:
        found.append(search.condition(session, filters.text, has_owner=by.role in reach.BUREAU))
    return found


EQUAL = ("enterprise_id", "kind_id", "status", "purpose", "delivery_mode", "origin", "conclusion")
# Written out, so that a plan made for any conclusion may use the index of these alone.
REJECTED = col(Instrument.conclusion) == sa.literal_column(f"'{Conclusion.rejected.name}'")
BUSY = sa.exists().where(
    col(AppointmentLine.instrument_id) == Instrument.id, col(AppointmentLine.status).in_(OPEN)
)
COLUMNS: tuple[Any, ...] = (
    Instrument.id,
    Instrument.version,
    Instrument.name,
    Instrument.instrument_type,
    col(Category.name).label("category"),
    col(Kind.name).label("kind"),
    Instrument.kind_id,
    Instrument.specification,
    Instrument.measuring_range,
    Instrument.accuracy_class,
    Instrument.serial_number,
    Instrument.manufacturer,
    Instrument.origin,
    col(Division.full_name).label("division"),
    Instrument.division_code,
    Instrument.location,
    Instrument.purchased_on,
    Instrument.quantity,
    Instrument.purpose,
    Instrument.delivery_mode,
    Instrument.valid_until,
    Instrument.verified_on,
    Instrument.conclusion,
    Instrument.remark,
    Instrument.status,
    Instrument.enterprise_id,
    col(Enterprise.name).label("enterprise"),
    col(AppointmentLine.status).label("line_status"),
)


def _listed(is_chosen: Any) -> Any:
    """The rows of a list: one join for names, one for the open appointment."""
    return (
        sa.select(*COLUMNS)
        .join(Enterprise, col(Instrument.enterprise_id) == Enterprise.id)
        .join(Kind, col(Instrument.kind_id) == Kind.id, isouter=True)
        .join(Category, col(Kind.category_id) == Category.id, isouter=True)
        .join(Division, col(Instrument.division_code) == Division.code, isouter=True)
        .join(
            AppointmentLine,
            (col(AppointmentLine.instrument_id) == Instrument.id) & col(AppointmentLine.status).in_(OPEN),
            isouter=True,
        )
        .where(is_chosen)
        .order_by(col(Instrument.id).desc())
    )


# Made once: to make this query takes a quarter of the time it runs. PostgreSQL takes an array of ids sooner
# than fifty values.
LISTED = {
    "sqlite": _listed(col(Instrument.id).in_(sa.bindparam("ids", expanding=True))),
    "postgresql": _listed(col(Instrument.id) == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Integer)))),
}


def rows(session: Session, ids: Sequence[int]) -> list[sa.Row[Any]]:
    """The rows of a list, the newest first, with columns as in COLUMNS. Whoever asks has found the ids."""
    listed = LISTED[session.get_bind().dialect.name]
    return list(session.execute(listed, {"ids": list(ids)}).all())


def page(
    session: Session, filters: Filters = Filters(), *, by: Account, number: int = 1, size: int = 50
) -> list[sa.Row[Any]]:
    """One page of the ledger rows within the asker's reach, the newest first; columns as in COLUMNS."""
    wanted = (
        select(Instrument.id).where(*_conditions(session, by, filters)).order_by(col(Instrument.id).desc())
    )
    ids = session.exec(wanted.limit(min(size, 200)).offset((max(number, 1) - 1) * size)).all()
    return rows(session, ids)


def count(session: Session, filters: Filters = Filters(), *, by: Account) -> int:
    """How many ledger rows match."""
    matching = select(func.count()).select_from(Instrument).where(*_conditions(session, by, filters))
    return session.scalar(matching) or 0


def places(session: Session, enterprise_id: int, *, by: Account) -> dict[str, str]:
    """The divisions that occur in the ledger of an enterprise, by code, with their full names."""
    rows = session.execute(
        sa.select(Division.code, Division.full_name)
        .where(
            col(Division.code).in_(
                select(Instrument.division_code).where(
                    Instrument.enterprise_id == enterprise_id, reach.instruments(by)
                )
            )
        )
        .order_by(Division.code)
    )
    return dict(rows.all())


def bookable(
    session: Session,
    enterprise_id: int,
    filters: Filters = Filters(),
    *,
    by: Account,
    size: int = 100,
    without: Sequence[int] = (),
) -> list[sa.Row[Any]]:
    """What the picker offers: in use, in no open appointment; the first to expire first, at most `size`.

    `without` leaves out the ids that have been picked already.
    """
    reach.enterprise(session, enterprise_id, by)
    wanted = (
        select(Instrument.id)
        .where(*_conditions(session, by, filters), Instrument.enterprise_id == enterprise_id)
        .where(Instrument.status == InstrumentStatus.in_use, ~BUSY, col(Instrument.id).not_in(without))
        .order_by(col(Instrument.valid_until).is_(None), col(Instrument.valid_until), col(Instrument.id))
        .limit(size)
    )
    ids = session.exec(wanted).all()
    place = {id: index for index, id in enumerate(ids)}
    return sorted(session.execute(_listed(col(Instrument.id).in_(ids))).all(), key=lambda row: place[row.id])


def chosen(session: Session, instrument_ids: Sequence[int], *, by: Account) -> list[sa.Row[Any]]:
    """The ledger rows of these ids within the asker's reach, the newest first; the others are left out."""
    seen = select(Instrument.id).where(col(Instrument.id).in_(instrument_ids), reach.instruments(by))
    return list(session.execute(_listed(col(Instrument.id).in_(seen))).all())


def find(session: Session, instrument_id: int, *, by: Account) -> sa.Row[Any]:
    """One ledger row with its names, as in the list; raises NotFound outside the asker's reach."""
    here = select(Instrument.id).where(Instrument.id == instrument_id, reach.instruments(by))
    found = session.execute(_listed(col(Instrument.id).in_(here))).first()
    if found is None:
        raise NotFound("器具")
    return found


def snapshots(session: Session, instrument_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The instruments as they stand, by id, for an appointment to keep: plain values and names."""
    rows = session.execute(_listed(col(Instrument.id).in_(list(instrument_ids))))
    kept = (
        "category",
        "kind",
        "division",
        *(field for field in LABELS if field not in ("kind_id", "instrument_type")),
    )
    return {row.id: {field: _plain_text(row._mapping[field]) for field in kept} for row in rows}


def _plain_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
