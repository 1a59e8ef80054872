"""Who may see and touch what: the conditions every query and operation filters by.

What an asker may not see does not exist for them.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from catalog.divisions import bounds
from catalog.files import CatalogError
from db.errors import NotFound, Refused
from db.models import (
    STAFF,
    Account,
    Appointment,
    AppointmentLine,
    Batch,
    Correction,
    Enterprise,
    Institution,
    Instrument,
    Link,
    LinkStatus,
    Notification,
    Recovery,
    Registration,
    Role,
)

Condition = sa.ColumnElement[bool]
BUREAU = (Role.reviewer, Role.supervisor)


def within(column: Any, code: str | None) -> Condition:
    """Rows whose division lies in the area of `code`; no code means everywhere.

    Raises Refused for what is no code, as a forged address may hold.
    """
    try:
        return sa.true() if code is None else col(column).between(*bounds(code))
    except CatalogError as error:
        raise Refused(str(error)) from error


def watches(by: Account, division_code: str) -> bool:
    """Whether a division lies in the area a member of staff answers for."""
    if by.division_code is None:
        return True
    low, high = bounds(by.division_code)
    return low <= division_code <= high


def allow(by: Account, *roles: Role) -> None:
    """Raise Refused unless the account acts in one of `roles`."""
    if not by.is_active or by.role not in roles:
        raise Refused(f"{by.role}不能执行此操作，请使用有权限的账号登录")


def institution_id(by: Account) -> int:
    """The institution whose clerk `by` is; raises Refused to everyone else."""
    allow(by, Role.institution)
    if by.institution_id is None:
        raise Refused("账号没有关联技术机构，请联系管理员")
    return by.institution_id


def _linked(by: Account) -> Any:
    return select(Link.enterprise_id).where(Link.account_id == by.id, Link.status == LinkStatus.granted)


def enterprises(by: Account) -> Condition:
    """The enterprises an account works for, or watches over."""
    if not by.is_active:
        return sa.false()
    if by.role == Role.enterprise:
        return col(Enterprise.id) == by.enterprise_id
    if by.role == Role.personal:
        return col(Enterprise.id).in_(_linked(by))
    if by.role in BUREAU:
        return within(Enterprise.division_code, by.division_code)
    return sa.false()


def instruments(by: Account) -> Condition:
    """The ledger rows an account sees: its own, or those used in its area (or nowhere yet)."""
    if not by.is_active:
        return sa.false()
    if by.role == Role.enterprise:
        return col(Instrument.enterprise_id) == by.enterprise_id
    if by.role == Role.personal:
        return col(Instrument.enterprise_id).in_(_linked(by))
    if by.role not in BUREAU:
        return sa.false()
    if by.division_code is None:
        return sa.true()
    return within(Instrument.division_code, by.division_code) | placeless_instruments(by)


def placeless_instruments(by: Account) -> Condition:
    """The ledger rows used nowhere yet, of the enterprises in the area of a member of staff."""
    owned_here = select(Enterprise.id).where(within(Enterprise.division_code, by.division_code))
    # With the sign, the few rows without a division are looked through, not all rows of these enterprises.
    owner_id: Any = sa.literal_column("+instruments.enterprise_id", sa.Integer)
    return col(Instrument.division_code).is_(None) & owner_id.in_(owned_here)


def corrections(by: Account) -> Condition:
    """The requests for a correction an account sees: of its own ledger, or for a supervisor to decide."""
    if by.role == Role.reviewer:
        return sa.false()
    return col(Correction.instrument_id).in_(select(Instrument.id).where(instruments(by)))


def batches(by: Account) -> Condition:
    """The batches an account sees: of the ledgers it works in, or watches over."""
    return col(Batch.enterprise_id).in_(select(Enterprise.id).where(enterprises(by)))


def appointments(by: Account) -> Condition:
    """The appointments an account sees; an institution sees those with a line of its own."""
    if not by.is_active:
        return sa.false()
    if by.role == Role.enterprise:
        return col(Appointment.enterprise_id) == by.enterprise_id
    if by.role == Role.personal:
        return col(Appointment.enterprise_id).in_(_linked(by))
    own = select(AppointmentLine.appointment_id).where(lines(by))
    return col(Appointment.id).in_(own)


def lines(by: Account) -> Condition:
    """The appointment lines an account sees."""
    if not by.is_active:
        return sa.false()
    if by.role == Role.institution:
        return col(AppointmentLine.institution_id) == by.institution_id
    if by.role in (Role.enterprise, Role.personal):
        return col(AppointmentLine.appointment_id).in_(select(Appointment.id).where(appointments(by)))
    if by.role not in BUREAU:
        return sa.false()
    if by.division_code is None:
        return sa.true()
    # A line without a division belongs to the area of the enterprise that booked it.
    booked = (
        select(Appointment.id)
        .join(Enterprise, col(Appointment.enterprise_id) == Enterprise.id)
        .where(within(Enterprise.division_code, by.division_code))
    )
    return within(AppointmentLine.division_code, by.division_code) | (
        col(AppointmentLine.division_code).is_(None) & col(AppointmentLine.appointment_id).in_(booked)
    )


def held_lines(session: Session, line_ids: Sequence[int], by: Account) -> list[AppointmentLine]:
    """The lines in the order of their ids, kept from others until the transaction ends.

    Whoever comes second waits and then sees how the lines stand (SQLite has one writer anyway). Raises
    NotFound unless all are within the asker's reach.
    """
    here = select(AppointmentLine).where(col(AppointmentLine.id).in_(line_ids), lines(by))
    rows = list(session.exec(held(here.order_by(col(AppointmentLine.id)), AppointmentLine)))
    if not rows or len(rows) != len(set(line_ids)):
        raise NotFound("预约器具")
    return rows


def held(rows: Any, model: Any) -> Any:
    """A select of `model` that locks its rows against other writers and reads them afresh."""
    return rows.with_for_update(key_share=True, of=model).execution_options(populate_existing=True)


def links(by: Account) -> Condition:
    """The links an account sees: those to its own enterprise, or a person's own."""
    if not by.is_active:
        return sa.false()
    if by.role == Role.enterprise:
        return col(Link.enterprise_id) == by.enterprise_id
    return col(Link.account_id) == by.id if by.role == Role.personal else sa.false()


def registrations(by: Account) -> Condition:
    """The registrations a member of staff sees."""
    is_watching = by.is_active and by.role in BUREAU
    return within(Registration.division_code, by.division_code) if is_watching else sa.false()


def accounts(by: Account) -> Condition:
    """The accounts of others that a member of staff may give back to their owners: never those of staff.

    A person belongs to the areas of the enterprises that granted a link, and to staff of everywhere.
    """
    if not by.is_active:
        return sa.false()
    if by.role not in (Role.reviewer, Role.administrator):
        return sa.false()
    outside = col(Account.role).not_in(STAFF)
    if by.role == Role.administrator or by.division_code is None:
        return outside
    owners = select(Enterprise.id).where(within(Enterprise.division_code, by.division_code))
    places = select(Institution.id).where(within(Institution.division_code, by.division_code))
    links = select(Link.account_id).where(
        Link.status == LinkStatus.granted, col(Link.enterprise_id).in_(owners)
    )
    return outside & (
        col(Account.enterprise_id).in_(owners)
        | col(Account.institution_id).in_(places)
        | col(Account.id).in_(links)
    )


def division_of(session: Session, account: Account) -> str | None:
    """The division of the enterprise or institution an account acts for; None for everybody else."""
    if account.enterprise_id is not None:
        return session.get_one(Enterprise, account.enterprise_id).division_code
    if account.institution_id is not None:
        return session.get_one(Institution, account.institution_id).division_code
    return None


def recoveries(by: Account) -> Condition:
    """The offline recoveries a member of staff sees: those of accounts in their area."""
    if not by.is_active:
        return sa.false()
    if by.role == Role.administrator:
        return sa.true()
    if by.role != Role.reviewer:
        return sa.false()
    return col(Recovery.account_id).in_(select(Account.id).where(accounts(by)))


def notifications(by: Account) -> Condition:
    """The messages a member of staff may pass on; a reviewer none that are for staff, codes least of all."""
    if not by.is_active:
        return sa.false()
    if by.role == Role.administrator:
        return sa.true()
    if by.role != Role.reviewer:
        return sa.false()
    staff = select(Account.id).where(col(Account.role).in_(STAFF))
    is_outside = col(Notification.account_id).is_(None) | col(Notification.account_id).not_in(staff)
    return is_outside & within(Notification.division_code, by.division_code)


def licences(by: Account) -> Condition:
    """The registrations whose scan an account sees: a reviewer's to decide, an enterprise's own."""
    if by.role == Role.enterprise:
        return col(Registration.enterprise_id) == by.enterprise_id
    return registrations(by) if by.role == Role.reviewer else sa.false()


def enterprise(session: Session, enterprise_id: int, by: Account, to: str = "view") -> Enterprise:
    """The enterprise, if `by` may `view`, `edit` or `book` for it; raises NotFound otherwise."""
    found = session.exec(select(Enterprise).where(Enterprise.id == enterprise_id, enterprises(by))).first()
    if found is None:
        raise NotFound("使用单位")
    if to != "view":
        _check_act(session, enterprise_id, by, to)
    return found


def _check_act(session: Session, enterprise_id: int, by: Account, to: str) -> None:
    if by.role == Role.personal:
        link = session.exec(
            _linked(by).with_only_columns(Link).where(Link.enterprise_id == enterprise_id)
        ).first()
        if link is None or not {"edit": link.can_edit, "book": link.can_book}[to]:
            raise Refused("企业未授予您此项权限，请联系企业账号在“我的企业授权”中开通")
    elif by.role not in (Role.enterprise, Role.supervisor):
        raise Refused(f"{by.role}不能执行此操作，请使用有权限的账号登录")
