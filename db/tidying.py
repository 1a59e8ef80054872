"""`python -m db tidy`: what is kept no longer than it is needed, by the settings of an administrator.

The audit log is never among it: the database lets nobody delete an entry.
"""

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db import attachments, audit, bulk, clock, leases, settings
from db.engine import reading, transaction
from db.models import (
    Attachment,
    ConfirmationCode,
    Draft,
    Notification,
    Recovery,
    Registration,
    RegistrationStatus,
    Role,
    SignIn,
    SignInAttempt,
)

WORK, EVERY = "tidy", timedelta(days=1)
PLACE = "定期清理"
# Seconds between two looks whether a day has gone by; the first is a while after the start.
GLANCE = 600

log = logging.getLogger("yuejian")


def tidy(session: Session) -> dict[str, int]:
    """Delete what is older than the settings say, a statement for each kind; how many rows of each.

    Of registrations that were declined and of recoveries that were decided only what is personal and the scan
    go: number, decision and the name of an enterprise stay. Files without a record are deleted by `run` once
    this is committed.
    """
    attempts, sign_ins, codes, drafts, messages, declined, recoveries = (
        clock.now() - timedelta(days=settings.value(session, f"keep_{name}_days"))
        for name in ("attempts", "sign_ins", "codes", "drafts", "messages", "declined", "recoveries")
    )
    over = sa.func.coalesce(col(SignIn.ended_at), col(SignIn.expires_at))
    done = (Notification.delivered_at, Notification.passed_on_at, Notification.given_up_at)
    counts = {
        "登录尝试": _delete(session, SignInAttempt, col(SignInAttempt.at) < attempts),
        "已结束的登录": _delete(session, SignIn, over < sign_ins),
        "验证码": _delete(session, ConfirmationCode, col(ConfirmationCode.expires_at) < codes),
        "草稿": _delete(session, Draft, col(Draft.changed_at) < drafts),
        "消息": _delete(session, Notification, sa.func.coalesce(*done, Notification.expires_at) < messages),
        "不予通过的注册": _empty_declined(session, declined),
        "找回申请": _empty_recoveries(session, recoveries),
    }
    said = {name: count for name, count in counts.items() if count}
    if said:
        audit.record(session, "清理过期数据", after=said)
    return counts


def _delete(session: Session, model: Any, condition: Any) -> int:
    # Nothing of these is in the session, and the statement must not look for it there.
    deleted: Any = session.execute(
        sa.delete(model).where(condition), execution_options={"synchronize_session": False}
    )
    return int(deleted.rowcount)


def _empty_declined(session: Session, moment: datetime) -> int:
    here = (
        col(Registration.status) == RegistrationStatus.declined,
        col(Registration.decided_at) < moment,
        col(Registration.mobile) != "",
    )
    empty: dict[str, Any] = dict.fromkeys(
        ("mobile", "contact_name", "address", "username", "password_hash"), ""
    )
    for name in ("name", "name_key"):
        column = getattr(Registration, name)
        empty[name] = sa.case((col(Registration.role) == Role.personal, ""), else_=column)
    return _empty(session, Registration, Registration.licence_id, here, empty)


def _empty_recoveries(session: Session, moment: datetime) -> int:
    here = col(Recovery.decided_at) < moment, col(Recovery.mobile) != ""
    empty = dict.fromkeys(("applicant_name", "mobile", "mail"), "")
    return _empty(session, Recovery, Recovery.attachment_id, here, empty)


def _empty(session: Session, model: Any, scan: Any, here: Sequence[Any], empty: dict[str, Any]) -> int:
    """Take what is personal, and the scan, from the rows that `here` names; how many there were."""
    ids = list(session.scalars(select(scan).where(*here, col(scan).is_not(None))))
    changed: Any = session.execute(
        sa.update(model).where(*here).values({**empty, scan.key: None}),
        execution_options={"synchronize_session": False},
    )
    is_used = sa.exists().where(col(scan) == Attachment.id)
    _delete(session, Attachment, bulk.among(session, Attachment.id, ids) & ~is_used)
    return int(changed.rowcount)


def run() -> dict[str, int]:
    """Tidy in a transaction of its own, then delete the files no record names any more."""
    with transaction() as session:
        audit.attribute(session, by=None, place=PLACE)
        counts = tidy(session)
    with reading() as session:
        counts["无主文件"] = attachments.forget_orphans(session)
    return counts


def run_daily() -> dict[str, int]:
    """Tidy, unless this or another server has done so within a day: then nothing."""
    with reading() as session:
        if not leases.is_free(session, WORK):
            return {}
    with transaction() as session:
        # A name nobody had before: whoever has tidied today is not given the work again.
        is_mine = leases.take(session, WORK, secrets.token_hex(8), clock.now() + EVERY)
    return run() if is_mine else {}


def keep_tidy(stop: Event) -> None:
    """Tidy once a day until `stop`: what fails is logged and tried again the next day."""
    while not stop.wait(GLANCE):
        try:
            run_daily()
        except Exception:
            log.exception("Tidying failed; it is tried again tomorrow.")
