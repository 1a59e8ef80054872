"""技术机构: who they are, and whether they take new lines."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from catalog import identifiers
from db import assignment, authorizations, clock, reach
from db.errors import NotFound
from db.fields import Form
from db.models import (
    OPEN,
    Account,
    AppointmentLine,
    Authorization,
    Division,
    Institution,
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
        .where(col(Authorization.institution_id) == Institution.id, authorizations.is_valid(today))
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
    elif not reach.watches(by, division_code):
        form.say("division_code", "机构所在地超出您的管辖范围")
    _check_name(session, form, values["name"], institution_id)
    row = _institution(session, institution_id, by) if institution_id else None
    if row is None:
        values["code"] = _code(session, form, code)
    form.done()
    row = row or Institution(**values)
    row.sqlmodel_update(values)
    session.add(row)
    session.flush()
    return row


def _check_name(session: Session, form: Form, name: str, institution_id: int | None) -> None:
    namesake = select(Institution.id).where(Institution.name == name, Institution.id != institution_id)
    if session.exec(namesake).first():
        form.say("name", "已有同名技术机构，请核对")


def _code(session: Session, form: Form, code: str) -> str:
    clean = identifiers.fold(code).upper()
    if not (clean.isascii() and clean.isalnum() and 2 <= len(clean) <= 12):
        form.say("code", "机构代号请用 2 至 12 个字母或数字，它将出现在证书编号中")
    elif session.exec(select(Institution.id).where(Institution.code == clean)).first():
        form.say("code", "该机构代号已被使用，请换一个")
    return clean


def _institution(session: Session, institution_id: int, by: Account) -> Institution:
    row = session.get(Institution, institution_id)
    if row is None or not reach.watches(by, row.division_code):
        raise NotFound("技术机构")
    return row


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
