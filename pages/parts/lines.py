"""Appointment lines as lists show them to institutions and to the bureau."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from db import appointment_lines, clock, workdays
from db.engine import Session
from db.models import Account, LineStatus, Subject
from pages.parts import look, progress, tables, unmasking

SIZE = 100
COLUMNS = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "enterprise": "使用单位",
    "number": "预约单号",
    "kind": "器具种别",
    "delivery_mode": "送检方式",
    "division": "使用地点",
}
FACTS = {
    "specification": "型号规格",
    "measuring_range": "测量范围",
    "accuracy_class": "准确度等级",
    "manufacturer": "生产厂家",
    "location": "安装/使用地点",
    "purpose": "器具用途",
    "valid_until": "预约时有效期至",
    "contact_name": "联系人",
    "mobile": "手机号",
}


def pick(
    session: Session,
    filters: appointment_lines.Filters,
    account: Account,
    columns: Mapping[str, str],
    key: str,
    limit: workdays.Limit,
    is_by_deadline: bool = False,
) -> tuple[list[Any], int]:
    """One page of the lines that match, to pick from; the lines picked, and the count of all that match."""
    total = appointment_lines.count(session, filters, by=account)
    if not total:
        return [], 0
    narrowed = f"{key}-{hash(filters)}"
    number = tables.pager(total, SIZE, f"{narrowed}-pages")
    rows = appointment_lines.page(
        session, filters, by=account, number=number, size=SIZE, is_by_deadline=is_by_deadline
    )
    drawn = [shown(line, limit) for line in rows]
    seen = f"{narrowed}-{number}-{hash(tuple(line.id for line in rows))}"
    is_all = st.checkbox(f"全选本页 {len(rows)} 台", key=f"{seen}-all")
    picked = tables.choosing(drawn, columns, f"{seen}-{is_all}", "预约器具", is_all=is_all)
    if "due" in columns:
        estimate(drawn)
    return [row["line"] for row in picked], total


def shown(line: Any, limit: workdays.Limit) -> dict[str, Any]:
    """A line with its instrument as it was when booked; the row itself under `line`."""
    deadline = limit.deadline(line.begun_on, line.due_on) if line.due_on else None
    is_running = line.status == LineStatus.in_verification
    estimated = "（估算）" if deadline and deadline.is_estimated else ""
    return {
        **line.snapshot,
        **line._mapping,
        "line": line,
        "plan": plan(line),
        "due": f"{line.due_on:%Y-%m-%d}{estimated}" if line.due_on else "",
        "left": _left(limit, line.due_on) if is_running and line.due_on else "",
        "waited": _waited((clock.today() - clock.day_of(line.moved_at)).days),
        "is_estimated": bool(estimated),
    }


def estimate(rows: list[dict[str, Any]]) -> None:
    """Say what a deadline rests on where its year is not published yet."""
    if any(row["is_estimated"] for row in rows):
        st.caption(f"标“估算”的时限：{workdays.ESTIMATED}")


def plan(line: Any) -> str:
    """The days agreed: one, or from when until when."""
    days = (line.planned_from, line.planned_until)
    return " 至 ".join(dict.fromkeys(f"{day:%Y-%m-%d}" for day in days if day))


def _waited(days: int) -> str:
    return f"{days} 天" if days else "今天"


def _left(limit: workdays.Limit, due_on: Any) -> str:
    left = limit.left(clock.today(), due_on)
    if left < 0:
        return f"{look.mark('已超期')} {-left} {limit.unit}"
    return f"{left} {limit.unit}" if left else f"{look.STATUSES['即将到期'][2]} 今天到期"


def detail(line: Any, history: list[Any], is_open: bool = True) -> None:
    """One line in full: its instrument as booked, whom to call, and how it came to stand where it stands."""
    title = look.plain(f"{line.snapshot['name']} {line.snapshot['serial_number']} 的详情")
    with st.expander(title, expanded=is_open):
        facts, moves = st.columns([3, 2], gap="large")
        with facts, st.grid(3, min_column_width=150, gap="small"):
            for field, label in FACTS.items():
                value = line.snapshot.get(field, line._mapping.get(field))
                with st.container(gap="xxsmall"):
                    st.caption(label)
                    st.text(str(value or "—"))
        if "*" in line.mobile:
            unmasking.popover("appointment", line.appointment_id)
        with moves:
            progress.draw(Subject.line, history)
