"""When things happened: days before `today`, in office hours, never in the future."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from db import clock
from db.workdays import Calendar

OPENING = time(8, 30)
# A day has six acts one after another, each in a slot of its own.
SLOT = timedelta(minutes=85)


@dataclass(frozen=True)
class Diary:
    """The day the demo is made for, and the working days around it."""

    today: date
    calendar: Calendar

    def ago(self, days: int) -> date:
        """The day so many days back."""
        return self.today - timedelta(days)

    def worked(self, day: date) -> date:
        """`day`, or the last working day before it."""
        while not self.calendar.is_working(day):
            day -= timedelta(1)
        return day

    def opened(self, day: date) -> date:
        """`day`, or the first working day after it."""
        while not self.calendar.is_working(day):
            day += timedelta(1)
        return day

    def worked_ago(self, count: int) -> date:
        """The working day so many working days before today."""
        day = self.today
        for _ in range(count):
            day = self.worked(day - timedelta(1))
        return day


def moment(day: date, slot: int = 0, minute: int = 0) -> datetime:
    """A moment of `day` in China, in UTC: `slot` 0 to 5 of the office hours, and `minute` 0 to 79 in it."""
    opened = datetime.combine(day, OPENING, tzinfo=clock.CHINA)
    return (opened + slot * SLOT + timedelta(minutes=minute)).astimezone(UTC)
