"""导出我的个人信息: everything the product keeps about the person of an account, for that person.

Personal Information Protection Law, article 45: who asks may read and copy it.
"""

from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlmodel import Session, col, select

from db import audit, clock, reach
from db.models import (
    Account,
    AuditEntry,
    Enterprise,
    Link,
    Registration,
    RegistrationStatus,
    Role,
    SignIn,
)

# Newest entries of one's own acts and sign-ins.
MOST = 1_000
ACCOUNT = ("username", "full_name", "mobile", "role", "is_active", "created_at", "password_changed_at")
ENTERPRISE = ("credit_code", "name", "division_code", "address", "contact_name", "mobile")
REGISTRATION = (*("number", "status", "name", "credit_code", "contact_name", "mobile"), "submitted_at")
SIGN_IN = ("created_at", "seen_at", "ended_at", "address", "agent")
LINK = ("credit_code", "status", "can_edit", "can_book", "requested_at")
ACT = ("at", "action", "place", "address", "is_refused", "note")


def of(session: Session, *, by: Account) -> dict[str, Any]:
    """One's own data by what it is, as JSON takes it; noted in the audit log. Secrets are never among it.

    Raises Refused for a suspended account.
    """
    reach.allow(by, *Role)
    own = (Registration.username == by.username) & (Registration.status == RegistrationStatus.approved)
    found = {
        "账号": _told(by, ACCOUNT),
        "所属企业": _rows(session, Enterprise, ENTERPRISE, Enterprise.id == by.enterprise_id),
        "企业注册": _rows(session, Registration, REGISTRATION, own),
        "关联企业": _rows(session, Link, LINK, Link.account_id == by.id),
        "登录": _rows(session, SignIn, SIGN_IN, SignIn.account_id == by.id),
        "操作记录": _rows(session, AuditEntry, ACT, AuditEntry.account_id == by.id),
    }
    audit.record(session, "导出我的个人信息", by=by, subject="account", subject_id=by.id)
    return {"导出时间": _plain(clock.now()), **found}


def _rows(session: Session, model: Any, names: tuple[str, ...], here: Any) -> list[dict[str, Any]]:
    rows = select(model).where(here).order_by(col(model.id).desc()).limit(MOST)
    return [_told(row, names) for row in session.exec(rows)]


def _told(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(clock.CHINA).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value
