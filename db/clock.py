"""The one clock: moments are aware UTC, days are days in China."""

import os
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """This moment, aware, in UTC; `YUEJIAN_NOW` (ISO 8601 with zone) sets it for trials and tests."""
    fixed = os.environ.get("YUEJIAN_NOW")
    return datetime.fromisoformat(fixed).astimezone(UTC) if fixed else datetime.now(UTC)


def today() -> date:
    """This day in China."""
    return day_of(now())


def start_of(day: date) -> datetime:
    """The moment a day in China begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=CHINA).astimezone(UTC)


def day_of(moment: datetime) -> date:
    """The day in China on which an aware moment falls."""
    return moment.astimezone(CHINA).date()
