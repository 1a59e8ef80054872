"""技术机构 and their authorizations: every change runs assignment again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from catalog import identifiers
from catalog.divisions import bounds, parent_codes
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


@dataclass(frozen=True)
class InstitutionRow:
    """An institution as lists show it, with its open lines and valid authorizations."""

    id: int
    code: str
    name: str
    division: str
    division_code: str
    address: str
    telephone: str
    is_suspended: bool
    open_count: int
    authorization_count: int


def page(session: Session, *, by: Account) -> list[InstitutionRow]:
    """Every institution, by code; for staff."""
    reach.allow(by, *reach.BUREAU, Role.administrator)
    today = clock.today()
    busy = (
        sa.select(func.count())
        .where(col(AppointmentLine.institution_id) == Institution.id, col(AppointmentLine.status).in_(OPEN))
        .scalar_subquery()
    )
    granted = (
        sa.select(func.count())
        .where(col(Authorization.institution_id) == Institution.id, _is_valid(today))
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(
            Institution.id,
            Institution.code,
            Institution.name,
            col(Division.full_name).label("division"),
            Institution.division_code,
            Institution.address,
            Institution.telephone,
            Institution.is_suspended,
            busy.label("open_count"),
            granted.label("authorization_count"),
        )
        .join(Division, col(Institution.division_code) == Division.code)
        .order_by(Institution.code)
    )
    return [InstitutionRow(**row._mapping) for row in rows]


def _is_valid(today: date) -> sa.ColumnElement[bool]:
    return (
        col(Authorization.revoked_at).is_(None)
        & (col(Authorization.valid_from) <= today)
        & (col(Authorization.valid_until) >= today)
    )


def save(
    session: Session,
    *,
    by: Account,
    name: str,
    division_code: str,
    address: str = "",
    telephone: str = "",
    code: str = "",
    institution_id: int | None = None,
) -> Institution:
    """Add an institution, or change the one named by `institution_id`. Raises Refused or NotFound.

    `code` is the short mark in its certificate numbers; it stays once given.
    """
    reach.allow(by, Role.supervisor)
    form = Form()
    values: dict[str, Any] = {
        "name": form.text("name", "机构名称", name, 120, required=True),
        "address": form.text("address", "地址", address, 200, required=True),
        "telephone": form.identifier("telephone", identifiers.telephone, telephone),
        "division_code": division_code,
    }
    if session.get(Division, division_code or "") is None:
        form.say("division_code", "请选择机构所在的行政区划")
    elif not _watches(by, division_code):
        form.say("division_code", "机构所在地超出您的管辖范围")
    namesake = select(Institution.id).where(
        Institution.name == values["name"], Institution.id != institution_id
    )
    if session.exec(namesake).first():
        form.say("name", "已有同名技术机构，请核对")
    row = _institution(session, institution_id, by) if institution_id else None
    if row is None:
        values["code"] = _code(session, form, code)
    form.done()
    row = row or Institution(**values)
    row.sqlmodel_update(values)
    session.add(row)
    session.flush()
    return row


def _code(session: Session, form: Form, code: str) -> str:
    clean = identifiers.fold(code).upper()
    if not (clean.isascii() and clean.isalnum() and 2 <= len(clean) <= 12):
        form.say("code", "机构代号请用 2 至 12 个字母或数字，它将出现在证书编号中")
    elif session.exec(select(Institution.id).where(Institution.code == clean)).first():
        form.say("code", "该机构代号已被使用，请换一个")
    return clean


def _institution(session: Session, institution_id: int, by: Account) -> Institution:
    row = session.get(Institution, institution_id)
    if row is None or not _watches(by, row.division_code):
        raise NotFound("技术机构")
    return row


def _watches(by: Account, division_code: str) -> bool:
    """Whether a division lies in the area the member of staff answers for."""
    if by.division_code is None:
        return True
    low, high = bounds(by.division_code)
    return low <= division_code <= high


def own(session: Session, *, by: Account) -> Institution:
    """The institution an account acts for; raises Refused to everybody else."""
    return session.get_one(Institution, reach.institution_id(by))


def suspend(session: Session, institution_id: int, *, by: Account) -> Institution:
    """暂停业务: the institution gets no new lines; those it has stay with it."""
    reach.allow(by, Role.supervisor)
    row = _institution(session, institution_id, by)
    row.is_suspended = True
    return row


def resume(session: Session, institution_id: int, *, by: Account) -> int:
    """恢复业务; returns how many waiting lines found an institution by it."""
    reach.allow(by, Role.supervisor)
    assignment.hold_rules(session, are_changing=True)
    _institution(session, institution_id, by).is_suspended = False
    session.flush()
    return assignment.run_again(session)


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


def authorization_count(
    session: Session, *, by: Account, institution_id: int | None = None, expiring_within: int | None = None
) -> int:
    """How many authorizations match, as in `authorizations`."""
    conditions = _narrowed(by, institution_id, expiring_within)
    return session.scalar(select(func.count()).select_from(Authorization).where(*conditions)) or 0


def authorizations(
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
    if (category_id is None) == (kind_id is None):
        form.say("kind_id", "请选择一个项别，或其中一个种别")
    elif (
        session.get(Category, category_id) is None if kind_id is None else session.get(Kind, kind_id) is None
    ):
        form.say("kind_id", "请选择有效的项别或种别")
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


def _check_validity(form: Form, valid_from: date, valid_until: date) -> None:
    first = form.day("valid_from", "有效期起", valid_from, required=True)
    last = form.day("valid_until", "有效期止", valid_until, required=True)
    if first and last and last < first:
        form.say("valid_until", "授权的有效期止不能早于有效期起")


def _check_area(session: Session, form: Form, division_code: str, by: Account) -> None:
    division = session.get(Division, division_code or "")
    if division is None or division.retired_on:
        form.say("division_code", "请选择授权区域")
    elif not _watches(by, division_code):
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
    if row is None or row.revoked_at or not _watches(by, row.division_code):
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
        .where(_is_valid(clock.today()), ~col(Institution.is_suspended))
    )
    return {
        (code, "kind", kind_id) if kind_id is not None else (code, "category", category_id)
        for code, kind_id, category_id in rows
    }


def _is_covered(covered: set[tuple[str, str, int]], code: str, kind_id: int, category_id: int) -> bool:
    keys = (("kind", kind_id), ("category", category_id))
    return any((level, *key) in covered for level in parent_codes(code) for key in keys)
