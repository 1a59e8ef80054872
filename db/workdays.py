"""Working days: weekdays but the holidays, plus the weekend days worked for them (调休).

The table of special days is the bureau's own and editable. A year without any row in it has not been
published yet: its days are counted Monday to Friday, and whoever shows such a date says `ESTIMATED`.
"""

import re
from calendar import monthrange
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import chinese_calendar
from sqlalchemy import exists
from sqlmodel import Session, col, delete, select

from catalog.identifiers import fold
from db import audit, settings
from db.errors import Conflict, Refused
from db.fields import Form
from db.models import Account, AppointmentLine, DeliveryMode, LineStatus, Role, SpecialDay

ESTIMATED = "节假日安排未公布，按周一至周五估算"
DAY = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?(?: 0?0:00(?::00)?)?")
WEEKDAYS = "一二三四五六日"
SEEDED_YEARS = range(2024, 2027)


@dataclass(frozen=True)
class Deadline:
    """The last day of a time limit, and whether it rests on a year not published yet."""

    day: date
    is_estimated: bool

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}" + (f"（{ESTIMATED}）" if self.is_estimated else "")


@dataclass(frozen=True)
class Calendar:
    """The special days, held for many questions in one go."""

    special: dict[date, bool]

    @cached_property
    def years(self) -> set[int]:
        """The years that are published."""
        return {day.year for day in self.special}

    def is_working(self, day: date) -> bool:
        """Whether `day` is a working day."""
        return self.special.get(day, day.weekday() < 5)

    def after(self, start: date, days: int, in_calendar_days: bool = False) -> Deadline:
        """The last of `days` (working, or calendar) days that begin the day after `start`."""
        day = start
        if in_calendar_days:
            return Deadline(start + timedelta(days), False)
        while days > 0:
            day += timedelta(1)
            days -= self.is_working(day)
        return Deadline(day, self.is_estimated(start, day))

    def is_estimated(self, start: date, end: date) -> bool:
        """Whether a year between the two days is not published yet."""
        return any(year not in self.years for year in range(start.year, end.year + 1))

    def working_days(self, year: int, month: int) -> int:
        """How many working days the month has."""
        days = range(1, monthrange(year, month)[1] + 1)
        return sum(self.is_working(date(year, month, day)) for day in days)

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to `end`; negative when `end` lies before `start`."""
        if end < start:
            return -self.between(end, start)
        span = (start + timedelta(n) for n in range(1, (end - start).days + 1))
        return sum(self.is_working(day) for day in span)


def calendar(session: Session) -> Calendar:
    """The calendar as it stands."""
    return Calendar({row.day: row.is_working for row in session.exec(select(SpecialDay))})


def load(session: Session) -> None:
    """Seed an empty table with the holidays the State Council published (as chinesecalendar carries them)."""
    if session.scalar(select(exists().select_from(SpecialDay))):
        return
    first, last = date(SEEDED_YEARS[0], 1, 1), date(SEEDED_YEARS[-1], 12, 31)
    for offset in range((last - first).days + 1):
        day = first + timedelta(offset)
        is_working = chinese_calendar.is_workday(day)
        if is_working != (day.weekday() < 5):
            session.add(SpecialDay(day=day, is_working=is_working, name=_name(day, is_working)))


def _name(day: date, is_working: bool) -> str:
    names = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}
    name = names.get(chinese_calendar.get_holiday_detail(day)[1] or "", "")
    return f"{name}调休上班" if is_working else name


def of_year(session: Session, year: int) -> list[SpecialDay]:
    """The special days of `year`, by day."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    rows = select(SpecialDay).where(col(SpecialDay.day).between(first, last)).order_by(col(SpecialDay.day))
    return list(session.exec(rows))


def read_day(text: Any) -> date | None:
    """The day in a text such as 2026-10-01, 2026/10/1, 2026.10.1 or 2026年10月1日; None for any other."""
    found = DAY.fullmatch(fold(text)) if isinstance(text, str) else None
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def years(session: Session) -> list[int]:
    """The years that are published, that is, with at least one special day."""
    return sorted({day.year for day in session.exec(select(SpecialDay.day))})


def save_year(
    session: Session,
    year: int,
    days: Iterable[tuple[Any, Any, Any]],
    *,
    by: Account,
    seen: Iterable[tuple[date, bool, str]] | None = None,
) -> int:
    """Replace the special days of `year` with `days` of (day, is_working, name); returns how many.

    The legal deadlines that run are counted anew. Raises Refused to all but administrators, and with every
    wrong row: no day, a day of another year or given twice, one that changes nothing (a weekday worked, a
    weekend day off). Raises Conflict when the year is no longer as it was `seen`.
    """
    if not by.is_active or by.role != Role.administrator:
        raise Refused("只有管理员可以维护工作日")
    known = [(row.day, row.is_working, row.name) for row in of_year(session, year)]
    if seen is not None and list(seen) != known:
        raise Conflict(f"{year} 年的工作日已被他人修改，请点“重新载入”后再改")
    rows = _read_year(year, list(days))
    session.exec(delete(SpecialDay).where(col(SpecialDay.day).between(date(year, 1, 1), date(year, 12, 31))))
    session.add_all(SpecialDay(day=day, is_working=is_working, name=name) for day, is_working, name in rows)
    session.flush()
    _note(session, year, _in_words(known), _in_words(rows), by)
    _recount(session)
    return len(rows)


def _in_words(days: Iterable[tuple[date, bool, str]]) -> dict[str, str]:
    return {
        f"{day:%Y年%m月%d日}": f"{'上班' if is_working else '休息'} {name}".strip()
        for day, is_working, name in days
    }


def _note(session: Session, year: int, before: dict[str, str], after: dict[str, str], by: Account) -> None:
    """One entry in the audit log for the days that are others now: legal deadlines hang on them."""
    old, new = (dict(sorted(one)) for one in (before.items() - after.items(), after.items() - before.items()))
    if old or new:
        audit.record(
            session, "修改工作日", by=by, subject="special_day", subject_id=year, before=old, after=new
        )


def _read_year(year: int, days: list[tuple[Any, Any, Any]]) -> list[tuple[date, bool, str]]:
    form = Form()
    rows: dict[date, tuple[date, bool, str]] = {}
    for number, (day, is_working, name) in enumerate(days, 1):
        if problem := _problem(year, day, is_working, rows):
            form.say(f"row {number}", f"第 {number} 行：{problem}")
        else:
            rows[day] = (day, is_working, form.text(f"name {number}", f"第 {number} 行的名称", name, 60))
    form.done()
    return sorted(rows.values())


def _problem(year: int, day: Any, is_working: Any, known: Container[date]) -> str | None:
    if type(day) is not date:
        return "请填写日期，如 2026-10-01"
    if day.year != year:
        return f"{day:%Y-%m-%d} 不在 {year} 年，请改正日期"
    if day in known:
        return f"{day:%Y-%m-%d} 填写了两次，请删除一行"
    if not isinstance(is_working, bool):
        return "请选择“上班”或“休息”"
    if is_working == (day.weekday() < 5):
        kind = "工作日" if is_working else "休息日"
        return f"{day:%Y-%m-%d}（星期{WEEKDAYS[day.weekday()]}）本来就是{kind}，无需填写，请删除该行"
    return None


def verification_deadline(session: Session, mode: DeliveryMode, begun_on: date) -> Deadline:
    """The last lawful day of a verification begun on `begun_on`.

    办法 (1987) art. 8 leaves the limit to the provinces, so days and their kind are settings.
    """
    days = settings.value(session, f"{mode.name}_days")
    return calendar(session).after(begun_on, days, settings.value(session, "limit_in_calendar_days"))


@dataclass(frozen=True)
class Limit:
    """How the lawful time limit is counted, for lists of verifications that run."""

    calendar: Calendar
    in_calendar_days: bool

    @property
    def unit(self) -> str:
        """What is counted."""
        return "天" if self.in_calendar_days else "个工作日"

    def deadline(self, begun_on: date, due_on: date) -> Deadline:
        """A stored deadline, and whether it rests on a year not published yet."""
        is_estimated = not self.in_calendar_days and self.calendar.is_estimated(begun_on, due_on)
        return Deadline(due_on, is_estimated)

    def left(self, day: date, due_on: date) -> int:
        """What is left of the limit after `day`: 0 on the last day, negative once it is over."""
        return (due_on - day).days if self.in_calendar_days else self.calendar.between(day, due_on)


def limit(session: Session) -> Limit:
    """The lawful time limit as the settings have it."""
    return Limit(calendar(session), settings.value(session, "limit_in_calendar_days"))


def _recount(session: Session) -> None:
    """Count the running deadlines anew after the calendar changed."""
    running = select(AppointmentLine).where(AppointmentLine.status == LineStatus.in_verification)
    for line in session.exec(running):
        if line.begun_on:
            line.due_on = verification_deadline(session, line.delivery_mode, line.begun_on).day
