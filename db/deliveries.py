"""The worker: takes due messages out of the outbox, hands them to the gateway, notes what came of it.

A try is written down before it is made and after. A worker that dies in between leaves a message that
becomes due again and goes out under the same reference, which the gateway knows.
"""

import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta
from threading import Event

import sqlalchemy as sa
from sqlmodel import Session, col, select, update

from db import clock, gateway, leases, notifications, reminders
from db.engine import reading, transaction
from db.models import Channel, Notification

WORK = "deliver"
# Longer than a whole round may take: a message's time limit in the gateway, times BATCH.
LEASE = timedelta(minutes=3)
BATCH = 5
MOST_TRIES = 6
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=20), timedelta(hours=1)
EVERY = 2.0

log = logging.getLogger("yuejian")


def holder() -> str:
    """A name for a worker that no other one has."""
    return secrets.token_hex(8)


def claim(
    session: Session, lease: str, channels: Sequence[Channel], limit: int = BATCH
) -> list[Notification]:
    """The messages longest due, at most `limit`, which nobody else gets within LEASE; each counts as tried.

    One conditional UPDATE; on PostgreSQL workers step over rows that another is just taking.
    """
    now = clock.now()
    due = (
        select(Notification.id)
        .where(notifications.IS_OUTSTANDING, col(Notification.channel).in_(channels))
        .where(col(Notification.due_at) <= now, col(Notification.expires_at) > now)
        .order_by(col(Notification.due_at), col(Notification.id))
        .limit(limit)
    )
    if session.get_bind().dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    taken = update(Notification).where(col(Notification.id).in_(due))
    tries = Notification.try_count + 1
    marks = {"due_at": now + LEASE, "lease": lease, "tried_at": now, "try_count": tries}
    found = session.scalars(taken.values(marks).returning(Notification))
    return sorted(found, key=lambda row: row.id)


def note_delivered(session: Session, notification_id: int) -> None:
    """The gateway has it: whoever was slow to say so, it is delivered, and its secret is wiped."""
    done = {"delivered_at": clock.now(), "secret": "", "failure": ""}
    here = (col(Notification.id) == notification_id) & col(Notification.delivered_at).is_(None)
    session.exec(update(Notification).where(here).values(done))


def note_failure(session: Session, row: Notification, failure: gateway.Undelivered) -> None:
    """Another try later, each pause twice as long, or none: then staff see it under 发送失败.

    Nothing is noted once another worker has the message.
    """
    now = clock.now()
    if failure.is_final or row.try_count >= MOST_TRIES:
        marks = {"given_up_at": now}
    else:
        marks = {"due_at": now + min(FIRST_PAUSE * 2 ** (row.try_count - 1), LONGEST_PAUSE)}
    here = (col(Notification.id) == row.id) & (col(Notification.lease) == row.lease)
    changed = update(Notification).where(here, notifications.IS_OUTSTANDING)
    session.exec(changed.values({**marks, "failure": str(failure)[:500]}))


def deliver(worker: str) -> int | None:
    """One round: at most BATCH messages; how many were tried, None while another worker has the work."""
    channels = gateway.channels()
    with transaction() as session:
        notifications.forget_secrets(session)
        if not leases.take(session, WORK, worker, clock.now() + LEASE):
            return None
        rows = claim(session, secrets.token_hex(8), channels)
        for row in rows:
            session.expunge(row)
    for row in rows:
        _hand_over(row)
    return len(rows)


def _hand_over(row: Notification) -> None:
    try:
        text = notifications.full_text(row)
        gateway.send(row.channel, row.recipient, row.title, text, row.reference)
    except gateway.Undelivered as failure:
        with transaction() as session:
            note_failure(session, row, failure)
        return
    with transaction() as session:
        note_delivered(session, row.id)


def run_once() -> int | None:
    """Deliver what is due now; how many messages were tried, None while another worker has the work."""
    worker, tried = holder(), 0
    try:
        while (count := deliver(worker)) != 0:
            if count is None:
                return None
            tried += count
    finally:
        with transaction() as session:
            leases.release(session, WORK, worker)
    return tried


def is_due() -> bool:
    """Whether a round would find anything, without writing."""
    now, channels = clock.now(), gateway.channels()
    with reading() as session:
        waits = sa.exists().where(
            notifications.IS_OUTSTANDING,
            col(Notification.channel).in_(channels),
            col(Notification.due_at) <= now,
            col(Notification.expires_at) > now,
        )
        return bool(session.scalar(sa.select(waits)))


def run(stop: Event) -> None:
    """Deliver and remind until `stop`: what fails is logged and tried again in the next round."""
    worker = holder()
    while not stop.wait(EVERY):
        try:
            reminders.run_daily(worker)
            while is_due() and not stop.is_set() and deliver(worker):
                pass
        except Exception:
            log.exception("A round of deliveries failed; the next one follows.")
    with transaction() as session:
        leases.release(session, WORK, worker)
