"""The accounts somebody may mean, before it is known which one is theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from catalog import identifiers
from db import notifications, reach, sign_ins, workflow
from db.models import Account, Enterprise, Institution, Role


@dataclass(frozen=True)
class Candidate:
    """An account that somebody may mean; `mobile` is masked."""

    id: int
    username: str
    full_name: str
    role: Role
    belongs_to: str
    mobile: str
    is_active: bool


def found(session: Session, conditions: Sequence[Any]) -> list[Candidate]:
    """The accounts that meet the conditions, by user name, at most 50; the caller answers for who may see."""
    rows = session.execute(
        sa.select(Account, func.coalesce(Enterprise.name, Institution.name, "").label("belongs_to"))
        .join(Enterprise, col(Account.enterprise_id) == Enterprise.id, isouter=True)
        .join(Institution, col(Account.institution_id) == Institution.id, isouter=True)
        .where(*conditions)
        .order_by(Account.username)
        .limit(50)
    )
    return [
        Candidate(
            row.Account.id,
            row.Account.username,
            row.Account.full_name,
            row.Account.role,
            row.belongs_to,
            notifications.masked(row.Account.mobile) if row.Account.mobile else "",
            row.Account.is_active,
        )
        for row in rows
    ]


def search(session: Session, text: str, *, by: Account) -> list[Candidate]:
    """The accounts within reach with this user name, or of the enterprise with this credit code."""
    reach.allow(by, *workflow.RECOVERERS)
    typed = identifiers.fold(text).strip()[:40]
    owners = select(Enterprise.id).where(Enterprise.credit_code == typed.upper().replace(" ", ""))
    is_meant = (col(Account.username) == sign_ins.username_of(text)) | col(Account.enterprise_id).in_(owners)
    return found(session, [reach.accounts(by), is_meant])
