"""The audit log: what was done by whom, each entry chained to the one before by its digest."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db import clock
from db.models import Account, AuditEntry

CHAIN_LOCK = 0x59554A49  # any number, the same everywhere


def record(
    session: Session,
    action: str,
    *,
    by: Account | None,
    subject: str = "",
    subject_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
    address: str = "",
) -> AuditEntry:
    """Add one entry in the caller's transaction: plain values only, nothing secret."""
    _wait_for_turn(session)
    last = session.exec(select(AuditEntry.digest).order_by(col(AuditEntry.id).desc()).limit(1)).first()
    entry = AuditEntry(
        at=clock.now(),
        account_id=by.id if by else None,
        role=by.role if by else None,
        address=address[:60],
        action=action[:60],
        subject=subject[:40],
        subject_id=subject_id,
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        note=note[:500],
        previous_digest=last or "",
        digest="",
    )
    entry.digest = digest(entry)
    session.add(entry)
    session.flush()
    return entry


def digest(entry: AuditEntry) -> str:
    """SHA-256 over everything an entry says and the digest before it, in hexadecimal."""
    said = entry.model_dump(mode="json", exclude={"id", "digest"})
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _wait_for_turn(session: Session) -> None:
    # Two entries must not follow the same one; SQLite has one writer anyway.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
