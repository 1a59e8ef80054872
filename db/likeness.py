"""自动核对 of a registration: what looks like another record, and what its code says by itself."""

from collections.abc import Callable, Iterator

import sqlalchemy as sa
from sqlmodel import Session, col, select

from catalog.identifiers import organization_part
from db import enterprises, privacy, reviews, search
from db.models import Account, Division, Enterprise, Registration, RegistrationStatus, Role
from db.registrations import WAITING

MOST_ALIKE = 10


def alike(session: Session, registration_id: int, *, by: Account) -> list[str]:
    """Sentences for the reviewer: which other records carry the same code, name or mobile number.

    Units and registrations by all three, names compared by `search.name_key`; accounts by the number.
    They are named wherever they are, with how they stand, at most 10 of a kind; persons in full only to the
    reviewer who decides.
    """
    asked = reviews.find(session, registration_id, by=by)
    person = str if reviews.decides(asked, by=by) else privacy.name
    return [
        *_units_alike(session, asked),
        *_registrations_alike(session, asked, person),
        *_accounts_alike(session, asked, person),
    ]


def _units_alike(session: Session, asked: Registration) -> Iterator[str]:
    if asked.role == Role.personal:
        return
    same = sa.or_(
        enterprises.has_code(Enterprise.credit_code, asked.credit_code),
        col(Enterprise.name_key) == search.name_key(asked.name),
        col(Enterprise.mobile) == asked.mobile,
    )
    rows = select(Enterprise).where(same, col(Enterprise.id).is_distinct_from(asked.enterprise_id))
    for row in session.exec(rows.order_by(col(Enterprise.id)).limit(MOST_ALIKE)):
        yield f"{_what_is_same(asked, row)}：已注册单位 {row.name}（{row.credit_code}）"


def _registrations_alike(
    session: Session, asked: Registration, person: Callable[[str], str]
) -> Iterator[str]:
    is_same = col(Registration.mobile) == asked.mobile
    if asked.role == Role.enterprise:
        is_same |= col(Registration.name_key) == search.name_key(asked.name)
    same = is_same & col(Registration.status).in_(WAITING)
    if asked.credit_code:
        # What became of an earlier one with this code concerns the reviewer too.
        same |= enterprises.has_code(Registration.credit_code, asked.credit_code) & (
            col(Registration.status) == RegistrationStatus.declined
        )
    rows = select(Registration).where(same, Registration.id != asked.id)
    for row in session.exec(rows.order_by(col(Registration.id).desc()).limit(MOST_ALIKE)):
        name = person(row.name) if row.role == Role.personal else row.name
        yield f"{_what_is_same(asked, row)}：注册申请 {row.number} {name}（{row.status}）"


def _accounts_alike(session: Session, asked: Registration, person: Callable[[str], str]) -> Iterator[str]:
    rows = select(Account).join(Enterprise, col(Account.enterprise_id) == Enterprise.id, isouter=True)
    # Its unit, if it has the number too, is named already.
    rows = rows.where(Account.mobile == asked.mobile, col(Enterprise.mobile).is_distinct_from(asked.mobile))
    rows = rows.where(Account.username != asked.username)
    own = col(Account.enterprise_id).is_distinct_from(asked.enterprise_id) | col(Account.enterprise_id).is_(
        None
    )
    for row in session.exec(rows.where(own).order_by(col(Account.id)).limit(MOST_ALIKE)):
        state = "可登录" if row.is_active else "已停用"
        yield f"手机号相同：{row.role}账号 {person(row.full_name)}（{row.username}，{state}）"


def _what_is_same(asked: Registration, other: Enterprise | Registration) -> str:
    found = []
    if asked.credit_code and organization_part(asked.credit_code) == organization_part(other.credit_code):
        found.append("代码相同")
    if asked.name == other.name:
        found.append("名称相同")
    elif search.name_key(asked.name) == search.name_key(other.name):
        found.append("名称相近")
    if asked.mobile == other.mobile:
        found.append("手机号相同")
    return "、".join(found)


def place_in_code(session: Session, credit_code: str) -> str:
    """The full name of the division inside a credit code (places 3 to 8, GB 32100-2015), empty if unknown.

    It is that of the registering authority and may lawfully differ from where the enterprise is.
    """
    division = session.get(Division, credit_code[2:8]) if len(credit_code) == 18 else None
    return division.full_name if division else ""
