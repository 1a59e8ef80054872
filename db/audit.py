"""The audit log: what was done by whom, each entry chained to the one before by its digest.

`db.audit_changes` adds an entry for every record a session changes; `record` adds those that no session sees.
Both wait in the session until `transaction()` is about to commit, so that the chain, which has one end for
everybody, is held for a moment only.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db import clock, counters, privacy
from db.errors import Refused
from db.models import Account, AuditEntry

CHAIN_LOCK = 0x59554A49  # any number, the same everywhere
SERIES = "audit_entries"
# Where the person sits whose work a job or command does, for want of a page that knows.
FROM: ContextVar[str] = ContextVar("from", default="")
# What waits in `session.info`: entries to be written, and who acts from where.
WAITING, ACTOR = "audit waiting", "audit actor"
# Added to the table later: left out of the digest while empty, so that older entries keep theirs.
LATER = ("operation", "place")


def attribute(session: Session, *, by: Account | None, address: str = "", place: str = "") -> None:
    """Say who acts in this session, from which network address and on which page, for all its entries.

    From now on a refusal that ends the transaction is noted too.
    """
    session.info[ACTOR] = {
        "account_id": by.id if by else None,
        "role": by.role if by else None,
        "address": (address or FROM.get())[:60],
        "place": place[:60],
    }


def record(
    session: Session,
    action: str,
    *,
    by: Account | None = None,
    subject: str = "",
    subject_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
    address: str = "",
    is_refused: bool = False,
) -> None:
    """Add one entry, to be written when the transaction ends: plain values only, nothing secret.

    Without `by` and `address` it is whoever `attribute` has named. Mobile and identity numbers in `note` are
    hidden.
    """
    named = {"account_id": by.id, "role": by.role} if by else {}
    entry = {
        **named,
        "action": action[:60],
        "subject": subject[:40],
        "subject_id": subject_id,
        "before": dict(before) if before is not None else None,
        "after": dict(after) if after is not None else None,
        "is_refused": is_refused,
        "note": privacy.text(note)[:500],
    }
    waiting(session).append(entry | ({"address": address[:60]} if address else {}))


def waiting(session: Session) -> list[dict[str, Any]]:
    """The entries of this session that are still to be written, in order."""
    return session.info.setdefault(WAITING, [])


def record_refusal(session: Session, actor: Mapping[str, Any], refusal: Refused) -> None:
    """Note that `actor`, as `attribute` left it in another session, was refused.

    A form filled in wrongly by somebody who is not signed in is no event: nobody can be asked about it, and a
    program could fill the log with it.
    """
    if refusal.problems and actor["account_id"] is None:
        return
    session.info[ACTOR] = dict(actor)
    record(session, actor["place"] or "操作", note=str(refusal), is_refused=True)


def write(session: Session) -> None:
    """Write what waits, chained to the newest entry. `transaction()` does it last, just before it commits."""
    entries = session.info.pop(WAITING, [])
    if not entries:
        return
    common = {
        "at": clock.now(),
        "operation": secrets.token_hex(6),
        **(session.info.get(ACTOR) or {"account_id": None, "role": None, "address": "", "place": ""}),
    }
    _wait_for_turn(session)
    # How many there are in all: the chain alone would not miss its last entries.
    counters.take(session, SERIES, len(entries))
    last = session.exec(select(AuditEntry.digest).order_by(col(AuditEntry.id).desc()).limit(1)).first()
    session.execute(sa.insert(_table()), chained([common | entry for entry in entries], last or ""))


def chained(entries: list[dict[str, Any]], last: str) -> list[dict[str, Any]]:
    """Entries with their digests, the first of them following the entry whose digest is `last`."""
    rows = []
    for entry in entries:
        row = {**entry, "previous_digest": last}
        last = row["digest"] = digest(row)
        rows.append(row)
    return rows


def digest(entry: Mapping[str, Any]) -> str:
    """SHA-256 over everything an entry says and the digest before it, in hexadecimal."""
    role = entry["role"]
    said = {name: value for name, value in entry.items() if name not in ("id", "digest")}
    said["at"] = entry["at"].astimezone(UTC).isoformat().replace("+00:00", "Z")
    said["role"] = role.value if role else None
    for name in LATER:
        if not said[name]:
            del said[name]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _table() -> sa.Table:
    return AuditEntry.__table__  # type: ignore[attr-defined]


def _wait_for_turn(session: Session) -> None:
    # Two entries must not follow the same one; SQLite has one writer anyway.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
