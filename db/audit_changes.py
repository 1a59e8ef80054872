"""What a session changes in its records, noted for the audit log without anybody having to think of it.

Set-based statements pass it by: the workflow's moves and the ledger's changes note themselves, in
`db.workflow` and `db.instruments`; batches and imports write one entry each, and their rows stand in the
ledger and its history.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import Session, SQLModel

from db import audit, privacy
from db.models import Account, Role

# Journals themselves, counts, and what people only set up for their own screen. Settings, sign-ins, batches,
# corrections and working days write entries of their own that say more.
UNNOTED = frozenset(
    {
        "audit_entries",
        "batches",
        "confirmation_codes",
        "corrections",
        "counters",
        "drafts",
        "edition_contents",
        "instrument_changes",
        "leases",
        "notifications",
        "saved_views",
        "settings",
        "sign_in_attempts",
        "sign_ins",
        "special_days",
        "status_changes",
    }
)
# Follows from other columns, or is kept by the entry itself, or by the batch.
FOLLOWING = frozenset(
    {
        "id",
        "version",
        "search_text",
        "initials",
        "name_key",
        "moved_at",
        "created_at",
        "changed_at",
        "changed_by_id",
        "snapshot",
        "findings",
        "options",
        "started_at",
    }
)
# Steps whose operation writes an entry of its own that says more.
SPOKEN_FOR = frozenset(
    {
        ("batch", "set_together"),
        ("batch", "apply"),
        ("batch", "undo"),
        ("correction", "request"),
        ("correction", "approve"),
        ("correction", "decline"),
        ("correction", "withdraw"),
    }
)
SECRET = ("_hash", "secret", "token")
HIDDEN = "（不记录）"
MASKED = {
    "mobile": privacy.mobile,
    "mail": privacy.mail,
    "contact_name": privacy.name,
    "applicant_name": privacy.name,
    "address": privacy.address,
}
IRREGULAR = {
    "appointment_lines": "line",
    "batches": "batch",
    "categories": "category",
    "recoveries": "recovery",
}
NOUNS = {
    "accounts": "账号",
    "appointment_lines": "预约器具",
    "appointments": "预约单",
    "attachments": "附件",
    "authenticators": "动态口令",
    "authorizations": "授权项目",
    "batches": "台账批次",
    "categories": "器具项别",
    "confirmation_codes": "验证码",
    "corrections": "更正申请",
    "divisions": "行政区划",
    "editions": "基础数据版本",
    "enterprises": "使用单位",
    "institutions": "技术机构",
    "instruments": "强检器具",
    "kinds": "器具种别",
    "links": "关联企业",
    "notifications": "待发消息",
    "receipts": "回执",
    "recoveries": "找回申请",
    "registrations": "企业注册",
    "settings": "系统设置",
    "special_days": "节假日",
    "verifications": "检定结果",
}


def watch(session: Session) -> None:
    """Note from now on what this session inserts, changes and deletes."""
    event.listen(session, "after_flush", _collect)
    event.listen(session, "after_transaction_create", _mark)
    event.listen(session, "after_soft_rollback", _take_back)


def told(name: str, value: Any) -> Any:
    """A column's value as the log keeps it: JSON, a member of a list in words, secrets and persons hidden."""
    if value is None or value == "":
        return value
    if name.endswith(SECRET) or "secret" in name:
        return HIDDEN
    if name in MASKED:
        return MASKED[name](value)
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date | datetime) else value


def _all_told(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a record as the log keeps them; a person's registration has her name in two of them."""
    is_person = values.get("role") == Role.personal and "contact_name" in values
    return {
        name: told("contact_name" if is_person and name == "name" else name, value)
        for name, value in values.items()
        if name not in FOLLOWING
    }


def note_move(
    session: Session,
    step: Any,
    ids: Sequence[int],
    by: Account | None,
    note: str,
    before: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Note one step of the workflow, in one entry however many records take it together.

    `before` is what `standing` said, `values` what they were given along with the new status.
    """
    if not ids or (step.subject.name, step.action) in SPOKEN_FOR:
        return
    new = _all_told(values or {})
    several = {"ids": list(ids)} if len(ids) > 1 else {}
    audit.record(
        session,
        step.label,
        by=by,
        subject=step.subject.name,
        subject_id=ids[0] if len(ids) == 1 else None,
        before=None if step.source is None else {"status": step.source.value, **(before or {})},
        after={"status": step.target.value, **new, **several},
        note=note.strip(),
    )


def standing(records: Sequence[Any], values: Iterable[str]) -> dict[str, Any]:
    """What one record holds in the columns named, as the log keeps it; nothing where there are several."""
    if len(records) != 1:
        return {}
    return _all_told({name: getattr(records[0], name) for name in values})


def _collect(session: Session, _flush: Any) -> None:
    # Before and after are still known here, and new records have their ids.
    for row in session.new:
        _note(session, row, "新增", None, _values(row))
    for row in session.dirty:
        before, after = _differences(row)
        if after:
            _note(session, row, "修改", before, after)
    for row in session.deleted:
        _note(session, row, "删除", _values(row), None)


def _note(
    session: Session, row: Any, verb: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    table = row.__tablename__
    if table in UNNOTED:
        return
    action = f"{verb}{NOUNS.get(table, table)}"
    key = getattr(row, "id", None)
    audit.record(session, action, subject=subject_of(table), subject_id=key, before=before, after=after)


def subject_of(table: str) -> str:
    """What the log calls a record of a table; as the workflow does where it has one."""
    return IRREGULAR.get(table, table.removesuffix("s"))


def _values(row: SQLModel) -> dict[str, Any]:
    """What a record holds, its empty columns left out."""
    held = ((name, getattr(row, name)) for name in _columns(row))
    return _all_told({name: value for name, value in held if value not in (None, "")})


def _differences(row: SQLModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns of a record that a flush has changed, before and after."""
    before, after = {}, {}
    for name in _columns(row):
        history = sa.inspect(row).attrs[name].history
        old = history.deleted[0] if history.deleted else None
        if history.added and history.added[0] != old:
            before[name], after[name] = told(name, old), told(name, history.added[0])
    return before, after


def _columns(row: SQLModel) -> list[str]:
    return [column.key for column in sa.inspect(type(row)).column_attrs if column.key not in FOLLOWING]


def _mark(session: Session, transaction: Any) -> None:
    if transaction.nested:
        session.info.setdefault("audit marks", {})[transaction] = len(audit.waiting(session))


def _take_back(session: Session, transaction: Any) -> None:
    """What a savepoint had noted is as if it had never happened."""
    if transaction.nested:
        del audit.waiting(session)[session.info["audit marks"].pop(transaction) :]
