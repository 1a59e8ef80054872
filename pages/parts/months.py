"""A year at a glance: twelve months, the days off and the weekend days worked marked."""

from calendar import Calendar as Weeks
from datetime import date

import streamlit as st

from db.workdays import WEEKDAYS, Calendar
from pages.parts import look


def draw(calendar: Calendar, year: int) -> None:
    """The months of `year` by `calendar`; a mark differs by its sign too, not by its color alone."""
    months = "".join(_month(calendar, year, month) for month in range(1, 13))
    st.html(look.PICTURES / "months.css")
    st.html(f'<div class="months">{months}</div>')


def _month(calendar: Calendar, year: int, month: int) -> str:
    head = "".join(f"<th>{name}</th>" for name in WEEKDAYS)
    weeks = Weeks().monthdatescalendar(year, month)
    rows = "".join(f"<tr>{''.join(_day(calendar, day, month) for day in week)}</tr>" for week in weeks)
    count = calendar.working_days(year, month)
    caption = f"<caption><b>{month} 月</b> {count} 个工作日</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _day(calendar: Calendar, day: date, month: int) -> str:
    if day.month != month:
        return "<td></td>"
    special = calendar.special.get(day)
    if special is None:
        return f"<td{' class=rest' if day.weekday() > 4 else ''}>{day.day}</td>"
    return f"<td class={'worked' if special else 'off'}>{day.day}<i>{'班' if special else '休'}</i></td>"
