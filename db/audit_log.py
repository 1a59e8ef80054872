"""审计日志 as administrators read it: filters, pages by key, and its verification."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from db import audit, audit_chain, audit_words, clock, reach
from db.errors import Refused
from db.ledger_pages import Leaf, Spot
from db.models import Account, AuditEntry, Role

SIZE = 50
# Entries counted at most; more are said to be more.
MOST = 10_000
KEY: Any = col(AuditEntry.id)
FIRST = Spot()


@dataclass(frozen=True)
class Filters:
    """What the log is narrowed to: days in China, both inclusive; part of a user name or name; and so on."""

    since: date | None = None
    until: date | None = None
    account: str = ""
    action: str = ""
    subject: str = ""
    address: str = ""
    operation: str = ""
    is_refused: bool = False


LABELS = {
    "since": "从",
    "until": "到",
    "account": "操作者",
    "action": "动作",
    "subject": "对象",
    "address": "网络地址",
    "operation": "操作编号",
    "is_refused": "结果",
}
NAMES = tuple(field.name for field in fields(Filters))


@dataclass(frozen=True)
class Row:
    """One entry in words."""

    id: int
    at: datetime
    username: str
    full_name: str
    role: str
    address: str
    place: str
    action: str
    subject: str
    is_refused: bool
    changes: list[str]
    note: str
    operation: str
    digest: str

    @property
    def outcome(self) -> str:
        """拒绝 or 成功."""
        return "拒绝" if self.is_refused else "成功"


def read_filters(said: Mapping[str, str]) -> Filters:
    """The filters of an address, each by its name in Filters; raises Refused for a value that cannot be."""
    given = {name: value for name, value in said.items() if name in NAMES and value}
    values: dict[str, Any] = {name: value[:60] for name, value in given.items()}
    try:
        for name in {"since", "until"} & set(given):
            values[name] = date.fromisoformat(given[name])
    except ValueError:
        raise Refused("日期请写成 2026-11-27 的样子") from None
    if "is_refused" in given:
        values["is_refused"] = given["is_refused"] == "1"
    return Filters(**values)


def query(filters: Filters) -> dict[str, str]:
    """The filters as an address names them."""
    held = {name: getattr(filters, name) for name in NAMES}
    return {name: "1" if value is True else str(value) for name, value in held.items() if value}


def read(
    session: Session, filters: Filters, spot: Spot = FIRST, *, by: Account, size: int = SIZE
) -> tuple[Leaf, int, bool]:
    """The page at `spot`, the newest entry first, how many there are, and whether that is all: MOST at most.

    Raises Refused to all but administrators.
    """
    reach.allow(by, Role.administrator)
    here = matching(filters)
    found = session.scalar(
        select(func.count()).select_from(sa.select(KEY).where(*here).limit(MOST + 1).subquery())
    )
    total = found or 0
    leaf = _page(session, here, spot, size, min(total, MOST), total <= MOST)
    return leaf, min(total, MOST), total <= MOST


def _page(session: Session, here: Sequence[Any], spot: Spot, size: int, total: int, is_all: bool) -> Leaf:
    if spot.after is not None:
        ids = list(session.scalars(_ids(here, col(AuditEntry.id) > spot.after).order_by(KEY).limit(size + 1)))
        if len(ids) <= size:
            return _page(session, here, Spot(), size, total, is_all)
        return _leaf(session, ids[-2::-1], replace(spot, after=None), True, True)
    if spot.number < 0 and spot.before is None:
        return _last(session, here, size, total, is_all)
    skipped = 0 if spot.before is not None else (max(spot.number, 1) - 1) * size
    side = [col(AuditEntry.id) < spot.before] if spot.before is not None else []
    ids = list(session.scalars(_ids(here, *side).order_by(KEY.desc()).limit(size + 1).offset(skipped)))
    is_first = spot.before is None and not skipped
    if not ids and not is_first:
        return _last(session, here, size, total, is_all)
    return _leaf(session, ids[:size], Spot() if is_first else spot, not is_first, len(ids) > size)


def _last(session: Session, here: Sequence[Any], size: int, total: int, is_all: bool) -> Leaf:
    if is_all and total <= size:
        return _page(session, here, Spot(), size, total, is_all)
    rest = (total % size or size) if is_all else size
    ids = list(session.scalars(_ids(here).order_by(KEY).limit(rest)))[::-1]
    return _leaf(session, ids, Spot(-(-total // size) if is_all else -1), True, False)


def _ids(here: Sequence[Any], *side: Any) -> Any:
    return sa.select(KEY).where(*here, *side)


def _leaf(session: Session, ids: list[int], spot: Spot, has_newer: bool, has_older: bool) -> Leaf:
    wanted = entries().where(KEY.in_(ids)).order_by(KEY.desc())
    rows: Any = in_words(session, session.execute(wanted).all())
    if has_newer and ids:
        spot = Spot(spot.number, before=ids[0] + 1)
    return Leaf(rows, spot, has_newer, has_older)


def entries() -> Any:
    """Every column of an entry, and who acted; the caller narrows and orders."""
    who = (col(Account.username), col(Account.full_name))
    return sa.select(*AuditEntry.__table__.c, *who).join(  # type: ignore[attr-defined]
        Account, col(AuditEntry.account_id) == Account.id, isouter=True
    )


def matching(filters: Filters) -> list[Any]:
    """The conditions that filters stand for."""
    here: list[Any] = []
    if filters.since:
        here.append(col(AuditEntry.at) >= clock.start_of(filters.since))
    if filters.until:
        here.append(col(AuditEntry.at) < clock.start_of(filters.until + timedelta(days=1)))
    if text := filters.account.strip():
        shown = (col(Account.username), col(Account.full_name))
        named = select(Account.id).where(sa.or_(*(one.contains(text, autoescape=True) for one in shown)))
        here.append(col(AuditEntry.account_id).in_(named))
    if filters.action.strip():
        here.append(col(AuditEntry.action).contains(filters.action.strip(), autoescape=True))
    for name in ("subject", "address", "operation"):
        if value := getattr(filters, name).strip():
            here.append(col(getattr(AuditEntry, name)) == value)
    if filters.is_refused:
        here.append(col(AuditEntry.is_refused).is_(True))
    return here


def in_words(session: Session, entries: Sequence[Any]) -> list[Row]:
    """Entries with what they name looked up, some thousands at a time."""
    named = audit_words.subjects(session, entries)
    told = audit_words.changes(session, entries)
    return [
        Row(
            id=entry.id,
            at=entry.at,
            username=entry.username or "",
            full_name=entry.full_name or "",
            role=entry.role.value if entry.role else "",
            address=entry.address,
            place=entry.place,
            action=entry.action,
            subject=named[entry.subject, entry.subject_id],
            is_refused=entry.is_refused,
            changes=changes,
            note=entry.note,
            operation=entry.operation,
            digest=entry.digest,
        )
        for entry, changes in zip(entries, told, strict=True)
    ]


def verify(
    session: Session, *, by: Account, report: Callable[[int, int], None] = lambda count, total: None
) -> tuple[int, list[str]]:
    """校验日志: how many entries were checked, and a sentence for each of the first faults.

    Takes a minute or two for a million entries, and reports how many so far, of how many: use a session that
    only reads. Raises Refused to all but administrators.
    """
    reach.allow(by, Role.administrator)
    total = audit_chain.head(session).count
    faults = audit_chain.faults(session, report=lambda count: report(count, total))
    return total, [fault for fault, _ in zip(faults, range(20), strict=False)]


def note_verification(session: Session, count: int, found: Sequence[str], *, by: Account) -> None:
    """Note what `verify` said; for administrators."""
    reach.allow(by, Role.administrator)
    said = f"{count} 条，完好" if not found else f"{count} 条，发现 {len(found)} 处问题"
    audit.record(session, "校验日志", by=by, note=said)
