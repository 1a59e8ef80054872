"""The outbox: messages written in the transaction of their cause, delivered by a worker or told by staff.

What happened to a message is computed from its moments; nothing stores a state.
"""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, func, select, update

from db import audit, clock, gateway, privacy, reach
from db.errors import Conflict, NotFound, Refused
from db.models import Account, Cause, Channel, Notification, Role
from db.models.journal import OUTSTANDING

LASTS = timedelta(days=7)
SIGNED = "【约检台】"
HIDDEN = "••••••"
READERS = (Role.reviewer, Role.administrator)
IS_OUTSTANDING = sa.text(OUTSTANDING)


class NotificationState(StrEnum):
    """What happened to a message, as lists show it."""

    waiting = "待发送"
    failed = "发送失败"
    delivered = "已发送"
    passed_on = "已转告"
    expired = "已过期"


def queue(
    session: Session,
    key: str,
    cause: Cause,
    recipient: str,
    text: str,
    *,
    title: str = "",
    secret: str = "",
    account_id: int | None = None,
    division_code: str | None = None,
    lasts: timedelta = LASTS,
) -> bool:
    """Write a message to a mobile number or a mailbox, to go out once the caller's transaction is committed.

    `key` names the cause once and for all: a second message under it is not written. `secret` stands where
    `text` says {secret}. After `lasts` it is no longer sent. Returns whether it was written.
    """
    forget_secrets(session)
    now = clock.now()
    row = Notification(
        key=key,
        reference=secrets.token_hex(16),
        cause=cause,
        channel=Channel.mail if "@" in recipient else Channel.sms,
        recipient=recipient,
        account_id=account_id,
        division_code=division_code,
        title=title or f"约检台：{cause}",
        text=SIGNED + text,
        secret=secret,
        created_at=now,
        expires_at=now + lasts,
        due_at=now,
    )
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = row.model_dump(exclude={"id"})
    written = insert(Notification).values(values).on_conflict_do_nothing(index_elements=["key"])
    return session.execute(written.returning(Notification.id)).first() is not None


def forget_secrets(session: Session) -> None:
    """Wipe the codes and passwords of messages that are no longer of use."""
    over = (col(Notification.secret) != "") & (col(Notification.expires_at) <= clock.now())
    session.exec(update(Notification).where(over).values(secret=""))


def cancel(session: Session, key: str) -> None:
    """A message whose code another one replaces: not sent any more, if it has not been."""
    here = (col(Notification.key) == key) & IS_OUTSTANDING
    session.exec(update(Notification).where(here).values(expires_at=clock.now(), secret=""))


def masked(recipient: str) -> str:
    """A recipient for lists: 138****8000, c***@example.cn."""
    if "@" in recipient:
        name, place = recipient.rsplit("@", 1)
        return f"{name[:1]}***@{place}"
    return privacy.mobile(recipient)


def full_text(row: Notification) -> str:
    """The message as its recipient gets it; the sign of a hidden secret once that is wiped."""
    return row.text.replace("{secret}", row.secret or HIDDEN)


def _state() -> Any:
    moments = (
        (col(Notification.passed_on_at).is_not(None), NotificationState.passed_on.name),
        (col(Notification.delivered_at).is_not(None), NotificationState.delivered.name),
        (col(Notification.expires_at) <= clock.now(), NotificationState.expired.name),
        (col(Notification.given_up_at).is_not(None), NotificationState.failed.name),
    )
    return sa.case(*moments, else_=NotificationState.waiting.name)


def page(
    session: Session, *, by: Account, state: NotificationState, number: int = 1, size: int = 50
) -> list[dict[str, Any]]:
    """One page of the messages in `state` within the asker's reach, without what was secret in them.

    Fields: id, created_at, cause, channel, recipient (masked), text, expires_at, try_count, failure, done_at,
    passed_on_by. What waits or failed comes oldest first, the rest latest first.
    """
    reach.allow(by, *READERS)
    is_due = state in (NotificationState.waiting, NotificationState.failed)
    order = col(Notification.id) if is_due else col(Notification.id).desc()
    rows = session.execute(
        sa.select(Notification, Account.full_name)
        .join(Account, col(Notification.passed_on_by_id) == Account.id, isouter=True)
        .where(reach.notifications(by), _state() == state.name)
        .order_by(order)
        .limit(min(size, 200))
        .offset((max(number, 1) - 1) * size)
    )
    return [_row(row.Notification, row.full_name) for row in rows]


def _row(row: Notification, passed_on_by: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "created_at": row.created_at,
        "cause": row.cause,
        "channel": row.channel,
        "recipient": masked(row.recipient),
        "text": row.text.replace("{secret}", HIDDEN),
        "expires_at": row.expires_at,
        "try_count": row.try_count,
        "failure": row.failure,
        "done_at": row.passed_on_at or row.delivered_at or row.given_up_at,
        "passed_on_by": passed_on_by or "",
    }


def counts(session: Session, *, by: Account) -> dict[NotificationState, int]:
    """How many messages within the asker's reach there are in each state, each state present."""
    reach.allow(by, *READERS)
    state = _state()
    rows = session.execute(
        sa.select(state, func.count())
        .select_from(Notification)
        .where(reach.notifications(by))
        .group_by(state)
    )
    found = {name: count for name, count in rows}
    return {state: found.get(state.name, 0) for state in NotificationState}


def read(session: Session, notification_id: int, *, by: Account) -> tuple[str, str, datetime]:
    """The full recipient, the full text and when it expires, for whoever passes the message on.

    That it was read is noted in the audit log. Raises NotFound, and Refused for a message that is on its way
    by itself, was dealt with, or has expired.
    """
    row = _to_pass_on(session, notification_id, by)
    audit.record(session, "查看待发消息", by=by, subject="notification", subject_id=row.id, note=row.cause)
    return row.recipient, full_text(row), row.expires_at


def pass_on(session: Session, notification_id: int, *, by: Account) -> None:
    """已转告: noted with the name of whoever told it by telephone. Raises as `read`, or Conflict."""
    row = _to_pass_on(session, notification_id, by)
    here = (col(Notification.id) == row.id) & col(Notification.passed_on_at).is_(None)
    here &= col(Notification.delivered_at).is_(None)
    told = {"passed_on_at": clock.now(), "passed_on_by_id": by.id, "secret": ""}
    if session.exec(update(Notification).where(here).values(told)).rowcount != 1:
        raise Conflict("这条消息已由他人转告，请刷新后查看")
    audit.record(session, "转告待发消息", by=by, subject="notification", subject_id=row.id, note=row.cause)


def _to_pass_on(session: Session, notification_id: int, by: Account) -> Notification:
    reach.allow(by, *READERS)
    here = select(Notification).where(Notification.id == notification_id, reach.notifications(by))
    row = session.exec(here).first()
    if row is None:
        raise NotFound("消息")
    if row.passed_on_at or row.delivered_at:
        raise Refused("这条消息已经发送或转告，不需要再转告，请刷新后查看")
    if row.expires_at <= clock.now():
        raise Refused("这条消息已过期，请对方重新获取或重新申请")
    if row.given_up_at is None and row.channel in gateway.channels():
        raise Refused("这条消息正由网关发送，不需要转告；发送失败后会列在“发送失败”中")
    return row
