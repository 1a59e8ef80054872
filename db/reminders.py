"""到期提醒: an enterprise hears a month and a week ahead how many certificates run out."""

from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, func

from db import clock, leases, notifications, settings
from db.engine import reading, transaction
from db.models import Cause, Enterprise, Instrument, InstrumentStatus

WORK = "remind"
AHEAD = (30, 7)
HOUR = time(9)


def queue(session: Session, today: date | None = None) -> int:
    """Write one message for each enterprise with instruments in use that run out 30 or 7 days after `today`.

    A second run on the same day writes nothing. Returns how many messages were written, 0 while the setting
    `reminders` is off.
    """
    if not settings.value(session, "reminders"):
        return 0
    today = today or clock.today()
    days = [today + timedelta(ahead) for ahead in AHEAD]
    rows = session.execute(
        sa.select(Enterprise, Instrument.valid_until, func.count().label("count"))
        .join(Instrument, col(Instrument.enterprise_id) == Enterprise.id)
        .where(
            col(Instrument.status) == InstrumentStatus.in_use,
            col(Instrument.valid_until).in_(days),
            col(Enterprise.mobile) != "",
        )
        .group_by(col(Enterprise.id), col(Instrument.valid_until))
        .order_by(col(Enterprise.id), col(Instrument.valid_until))
    )
    found: dict[int, tuple[Enterprise, list[str]]] = {}
    for row in rows:
        said = f"{row.count} 台将于 {row.valid_until:%Y-%m-%d} 到期"
        found.setdefault(row.Enterprise.id, (row.Enterprise, []))[1].append(said)
    return sum(_queue(session, owner, said, today) for owner, said in found.values())


def _queue(session: Session, owner: Enterprise, said: list[str], today: date) -> bool:
    return notifications.queue(
        session,
        f"reminder-{owner.id}-{today:%Y%m%d}",
        Cause.reminder,
        owner.mobile,
        f"{owner.name}：强检器具{'，'.join(said)}，请登录约检台预约检定。",
        division_code=owner.division_code,
    )


def run_daily(worker: str) -> int:
    """`queue` once a day from nine o'clock in China on, by whichever worker comes first."""
    moment = clock.now().astimezone(clock.CHINA)
    if moment.time() < HOUR:
        return 0
    with reading() as session:
        if not settings.value(session, "reminders") or not leases.is_free(session, WORK):
            return 0
    tomorrow = datetime.combine(moment.date() + timedelta(1), HOUR, tzinfo=clock.CHINA)
    with transaction() as session:
        # Taken for good: whoever has had it today, this worker included, is not given it again.
        if not leases.take(session, WORK, f"{moment:%Y%m%d}-{worker}", tomorrow):
            return 0
        return queue(session, moment.date())
