"""授权: what institutions may verify, where and until when; every change runs assignment again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from catalog.divisions import parent_codes
from db import assignment, clock, reach
from db.errors import Conflict, NotFound
from db.fields import Form
from db.models import (
    OPEN,
    Account,
    AppointmentLine,
    Authorization,
    Category,
    Division,
    Institution,
    Instrument,
    InstrumentStatus,
    Kind,
    Role,
)


def is_valid(today: date) -> sa.ColumnElement[bool]:
    """Authorizations in force on a day."""
    return (
        col(Authorization.revoked_at).is_(None)
        & (col(Authorization.valid_from) <= today)
        & (col(Authorization.valid_until) >= today)
    )


@dataclass(frozen=True)
class AuthorizationRow:
    """An authorization as lists show it; `days_left` is negative once it has run out."""

    id: int
    version: int
    institution_id: int
    institution: str
    division_code: str
    division: str
    category: str
    kind: str | None
    valid_from: date
    valid_until: date
    note: str
    days_left: int


def _narrowed(
    by: Account, institution_id: int | None, expiring_within: int | None
) -> list[sa.ColumnElement[bool]]:
    reach.allow(by, *reach.BUREAU, Role.institution, Role.administrator)
    found: list[sa.ColumnElement[bool]] = [col(Authorization.revoked_at).is_(None)]
    wanted = by.institution_id if by.role == Role.institution else institution_id
    if wanted is not None:
        found.append(col(Authorization.institution_id) == wanted)
    if expiring_within is not None:
        found.append(col(Authorization.valid_until) <= clock.today() + timedelta(expiring_within))
    return found


def count(
    session: Session, *, by: Account, institution_id: int | None = None, expiring_within: int | None = None
) -> int:
    """How many authorizations match, as in `page`."""
    conditions = _narrowed(by, institution_id, expiring_within)
    return session.scalar(select(func.count()).select_from(Authorization).where(*conditions)) or 0


def page(
    session: Session,
    *,
    by: Account,
    institution_id: int | None = None,
    expiring_within: int | None = None,
    number: int = 1,
    size: int = 100,
) -> list[AuthorizationRow]:
    """One page of the authorizations not revoked, by institution and area; an institution sees its own.

    `expiring_within` days keeps those that run out by then, today included, and those that have run out.
    """
    today = clock.today()
    own_category, kinds_category = aliased(Category), aliased(Category)
    rows = session.execute(
        sa.select(
            Authorization.id,
            Authorization.version,
            Authorization.institution_id,
            col(Institution.name).label("institution"),
            Authorization.division_code,
            col(Division.full_name).label("division"),
            func.coalesce(own_category.name, kinds_category.name).label("category"),
            col(Kind.name).label("kind"),
            Authorization.valid_from,
            Authorization.valid_until,
            Authorization.note,
        )
        .join(Institution, col(Authorization.institution_id) == Institution.id)
        .join(Division, col(Authorization.division_code) == Division.code)
        .join(own_category, col(Authorization.category_id) == own_category.id, isouter=True)
        .join(Kind, col(Authorization.kind_id) == Kind.id, isouter=True)
        .join(kinds_category, col(Kind.category_id) == kinds_category.id, isouter=True)
        .where(*_narrowed(by, institution_id, expiring_within))
        .order_by(Institution.code, Authorization.division_code, Authorization.id)
        .limit(min(size, 200))
        .offset((max(number, 1) - 1) * size)
    )
    return [AuthorizationRow(**row._mapping, days_left=(row.valid_until - today).days) for row in rows]


def authorize(
    session: Session,
    institution_id: int,
    *,
    by: Account,
    division_code: str,
    valid_from: date,
    valid_until: date,
    category_id: int | None = None,
    kind_id: int | None = None,
    note: str = "",
) -> tuple[Authorization, int]:
    """授权 a category or a kind for an area and a time.

    Returns the authorization and how many waiting lines found an institution by it. Raises Refused.
    """
    reach.allow(by, Role.supervisor)
    form = Form()
    note = form.text("note", "备注", note, 500)
    if session.get(Institution, institution_id) is None:
        form.say("institution_id", "请选择技术机构")
    _check_validity(form, valid_from, valid_until)
    _check_area(session, form, division_code, by)
    _check_scope(session, form, category_id, kind_id)
    form.done()
    assignment.hold_rules(session, are_changing=True)
    made = Authorization(
        institution_id=institution_id,
        division_code=division_code,
        category_id=category_id,
        kind_id=kind_id,
        valid_from=valid_from,
        valid_until=valid_until,
        note=note,
        created_by_id=by.id,
    )
    session.add(made)
    session.flush()
    return made, assignment.run_again(session)


def _check_scope(session: Session, form: Form, category_id: int | None, kind_id: int | None) -> None:
    if (category_id is None) == (kind_id is None):
        form.say("kind_id", "请选择一个项别，或其中一个种别")
        return
    known = session.get(Category, category_id) if kind_id is None else session.get(Kind, kind_id)
    if known is None:
        form.say("kind_id", "请选择有效的项别或种别")


def _check_validity(form: Form, valid_from: date, valid_until: date) -> None:
    first = form.day("valid_from", "有效期起", valid_from, required=True)
    last = form.day("valid_until", "有效期止", valid_until, required=True)
    if first and last and last < first:
        form.say("valid_until", "授权的有效期止不能早于有效期起")


def _check_area(session: Session, form: Form, division_code: str, by: Account) -> None:
    division = session.get(Division, division_code or "")
    if division is None or division.retired_on:
        form.say("division_code", "请选择授权区域")
    elif not reach.watches(by, division_code):
        form.say("division_code", "授权区域超出您的管辖范围")


def change_validity(
    session: Session, authorization_id: int, version: int, *, by: Account, valid_from: date, valid_until: date
) -> int:
    """Renew or shorten an authorization; returns how many waiting lines found an institution by it."""
    row = _authorization(session, authorization_id, version, by)
    form = Form()
    _check_validity(form, valid_from, valid_until)
    form.done()
    row.valid_from, row.valid_until, row.version = valid_from, valid_until, version + 1
    session.flush()
    return assignment.run_again(session)


def revoke(session: Session, authorization_id: int, version: int, *, by: Account) -> int:
    """撤销授权; lines already handed over stay. Returns how many open lines the institution still has."""
    row = _authorization(session, authorization_id, version, by)
    row.revoked_at, row.version = clock.now(), version + 1
    session.flush()
    assignment.run_again(session)
    left = select(func.count()).where(
        AppointmentLine.institution_id == row.institution_id, col(AppointmentLine.status).in_(OPEN)
    )
    return session.scalar(left) or 0


def _authorization(session: Session, authorization_id: int, version: int, by: Account) -> Authorization:
    reach.allow(by, Role.supervisor)
    assignment.hold_rules(session, are_changing=True)
    row = session.exec(
        select(Authorization).where(Authorization.id == authorization_id).with_for_update()
    ).first()
    if row is None or row.revoked_at or not reach.watches(by, row.division_code):
        raise NotFound("授权")
    if row.version != version:
        raise Conflict("该授权已被他人修改，请刷新后核对再改")
    return row


@dataclass(frozen=True)
class Gap:
    """A kind that is in use somewhere without any institution authorized for it."""

    division: str
    division_code: str
    category: str
    kind: str
    kind_id: int
    instrument_count: int


def gaps(session: Session, *, by: Account) -> Sequence[Gap]:
    """Coverage gaps: kinds × divisions with instruments in use and no valid authorization at any level."""
    reach.allow(by, *reach.BUREAU)
    rows = session.execute(
        sa.select(
            col(Division.full_name).label("division"),
            Instrument.division_code,
            col(Category.name).label("category"),
            col(Kind.name).label("kind"),
            Instrument.kind_id,
            Kind.category_id,
            func.count().label("instrument_count"),
        )
        .join(Kind, col(Instrument.kind_id) == Kind.id)
        .join(Category, col(Kind.category_id) == Category.id)
        .join(Division, col(Instrument.division_code) == Division.code)
        .where(reach.instruments(by), col(Instrument.status) == InstrumentStatus.in_use)
        .group_by(
            Instrument.kind_id,
            Instrument.division_code,
            Division.full_name,
            Category.name,
            Kind.name,
            Kind.category_id,
        )
        .order_by(sa.desc("instrument_count"), Instrument.division_code, Instrument.kind_id)
    ).all()
    covered = _covered(session)
    return [
        Gap(row.division, row.division_code, row.category, row.kind, row.kind_id, row.instrument_count)
        for row in rows
        if not _is_covered(covered, row.division_code, row.kind_id, row.category_id)
    ]


def _covered(session: Session) -> set[tuple[str, str, int]]:
    rows = session.execute(
        sa.select(Authorization.division_code, Authorization.kind_id, Authorization.category_id)
        .join(Institution, col(Authorization.institution_id) == Institution.id)
        .where(is_valid(clock.today()), ~col(Institution.is_suspended))
    )
    return {
        (code, "kind", kind_id) if kind_id is not None else (code, "category", category_id)
        for code, kind_id, category_id in rows
    }


def _is_covered(covered: set[tuple[str, str, int]], code: str, kind_id: int, category_id: int) -> bool:
    keys = (("kind", kind_id), ("category", category_id))
    return any((level, *key) in covered for level in parent_codes(code) for key in keys)
