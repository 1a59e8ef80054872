"""Appointment lines as lists show them to institutions and to the bureau."""

from typing import Any

import streamlit as st

from db import appointments, clock
from db.models import DeliveryMode
from pages.parts import look, tables

SIZE = 50
COLUMNS = {
    "number": "预约单号",
    "enterprise": "使用单位",
    "name": "器具名称",
    "kind": "器具种别",
    "serial_number": "出厂编号",
    "division": "使用地点",
    "delivery_mode": "送检方式",
    "submitted_at": "申请时间",
}


def shown(line: Any) -> dict[str, Any]:
    """A line with its instrument as it was when booked; the row itself under `line`."""
    booked = {
        field: line.snapshot.get(field) for field in ("name", "serial_number", "specification", "location")
    }
    plan = " 至 ".join(
        dict.fromkeys(f"{day:%Y-%m-%d}" for day in (line.planned_from, line.planned_until) if day)
    )
    due = f"{line.due_on:%Y-%m-%d}" if line.due_on else ""
    if line.due_on and line.due_on < clock.today():
        due = f"{look.mark('已超期')} {due}"
    return {**line._mapping, **booked, "plan": plan, "due": due, "line": line}


def search(key: str) -> tuple[str, DeliveryMode | None]:
    """The search box and the delivery mode over a list of lines."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "搜索", placeholder="单位、预约单号、器具、出厂编号", key=f"{key}-text", width=300
        )
        mode = st.segmented_control(
            "送检方式", list(DeliveryMode), format_func=lambda one: one.value, key=f"{key}-mode"
        )
    return text, mode


def pick(
    session: Any, filters: appointments.Filters, account: Any, columns: dict[str, str], key: str
) -> list[Any]:
    """One page of the lines that match, to pick from; the lines picked."""
    total = appointments.count(session, filters, by=account)
    signature = f"{key}-{hash(filters)}"
    number = tables.pager(total, SIZE, f"{signature}-pages")
    rows = appointments.lines(session, filters, by=account, number=number, size=SIZE)
    if not rows:
        return []
    seen = f"{signature}-{number}-{rows[0].id}-{rows[-1].id}-{len(rows)}"
    is_all = st.checkbox(f"全选本页 {len(rows)} 台", key=f"{seen}-all")
    picked = tables.choosing([shown(row) for row in rows], columns, seen, "预约器具")
    return rows if is_all else [row["line"] for row in picked]
