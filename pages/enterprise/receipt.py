"""预约单详情, 回执信息: where each instrument of an appointment stands, its progress, and 取消预约."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from db import appointment_lines, appointment_pages, appointments, history
from db.models import OPEN, OWNERS, LineStatus, Role, Subject
from pages.parts import booked, look, progress, tables
from pages.parts import history as records
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

READERS = (*OWNERS, Role.supervisor)
COLUMNS = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "status": "流程状态",
    "institution": "技术机构",
    "plan": "约定日期",
    "advice": "说明",
    "receipt_number": "回执编号",
    "kind": "器具种别",
    "delivery_mode": "送检方式",
}

HINT = "选中一台查看流程状态，选中一台或多台可取消预约。由“待预约”变成“待受理”后即可送检。"
# Seven rows, so that the progress of the one picked stands on the same screen.
HEIGHT = 285


def head(appointment: appointment_pages.AppointmentRow) -> None:
    """What the whole 预约单 is, and how its instruments stand."""
    look.header(f"预约单 {appointment.number}")
    on_behalf = "（监管人员代办）" if appointment.is_on_behalf else ""
    at = tables.text("at", appointment.submitted_at)
    note = f"\n备注：{appointment.note}" if appointment.note else ""
    st.text(f"{appointment.enterprise}　申请人：{appointment.submitted_by}{on_behalf}　申请时间：{at}{note}")
    counts = [f"{look.badge(status.value)} {count} 台" for status, count in appointment.counts.items()]
    st.markdown("　".join(counts))


def places(rows: Sequence[dict[str, Any]]) -> None:
    """The institutions that have open instruments of the 预约单: where to take them, whom to call."""
    found: dict[int, list[Any]] = {}
    for row in rows:
        if row["line"].institution_id and row["status"] in OPEN:
            found.setdefault(row["line"].institution_id, []).append(row["line"])
    if found:
        st.subheader("技术机构", anchor=False)
    with st.grid(2, min_column_width=300, gap="small"):
        for group in found.values():
            with st.container(border=True, gap="xxsmall"):
                st.markdown(f"**{look.plain(group[0].institution)}** · {len(group)} 台")
                st.text(f"地址：{group[0].institution_address or '—'}")
                st.text(f"电话：{group[0].institution_telephone or '—'}")
                for note in dict.fromkeys(line.receipt_note for line in group if line.receipt_note):
                    st.text(f"受理意见：{note}")


def waiting(rows: Sequence[dict[str, Any]]) -> None:
    """Why instruments have no institution yet, and what to do."""
    reasons = [row["advice"] for row in rows if row["status"] == LineStatus.unassigned]
    counted = [f"{reasons.count(reason)} 台待预约：{reason}" for reason in dict.fromkeys(reasons)]
    if counted:
        text = "\n".join(f"- {look.plain(one)}" for one in counted)
        st.warning(text if len(counted) > 1 else look.plain(counted[0]), icon=":material/hourglass_empty:")


def detail(line: Any) -> None:
    """The progress of one line beside what is known about it."""
    with looking(*READERS) as (session, account):
        moves = appointment_lines.history(session, line.id, by=account)
    with st.container(border=True):
        st.subheader(look.plain(f"{line.snapshot['name']} {line.snapshot['serial_number']}"), anchor=False)
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown("**流程状态**")
            progress.draw(Subject.line, moves)
        with right:
            st.markdown("**器具与机构**")
            for label, value in facts(line).items():
                st.text(f"{label}：{value or '—'}")
            query = {"id": str(line.instrument_id)}
            st.page_link(page("instrument"), icon=":material/straighten:", query_params=query)


def facts(line: Any) -> dict[str, Any]:
    """What stands about a line beside its history."""
    return {
        "型号规格": line.snapshot.get("specification"),
        "使用地点": f"{line.division or ''} {line.snapshot.get('location') or ''}".strip(),
        "送检方式": line.delivery_mode.value,
        "技术机构": line.institution,
        "地址": line.institution_address,
        "电话": line.institution_telephone,
        "回执编号": line.receipt_number,
        "说明": booked.advice(line),
    }


def ask(lines: Sequence[Any]) -> None:
    """Ask before 取消预约; what cannot be canceled is refused there in words."""

    @st.dialog(f"取消 {len(lines)} 台器具的预约")
    def dialog() -> None:
        names = "、".join(f"{line.snapshot['name']} {line.snapshot['serial_number']}" for line in lines[:5])
        st.text(names + (f" 等 {len(lines)} 台" if len(lines) > 5 else ""))
        reason = st.text_input("取消理由（选填）", max_chars=500, key=f"cancel-reason-{lines[0].id}")
        if st.button("确定取消", type="primary", key="cancel"):
            with acting(*READERS) as (session, account):
                ids = [line.id for line in lines]
                count = appointments.cancel(session, ids, by=account, reason=reason)
            look.flash(f"已取消 {count} 台器具的预约")
            st.rerun()

    dialog()


is_owner = signed_in(*READERS).role in OWNERS
asked = st.query_params.get("id", "")
if not asked.isdecimal() or len(asked) > 9:
    look.empty("请先在“预约单记录查询”中选中一张预约单", page("appointments") if is_owner else None)
    st.stop()

with looking(*READERS) as (session, account):
    appointment = appointment_pages.find(session, int(asked), by=account)
    filters = appointment_lines.Filters(appointment_id=appointment.id)
    rows = booked.found(session, filters, by=account, size=200)
    moves = history.of_appointment(session, appointment.id, by=account)

head(appointment)
st.subheader("回执信息", anchor=False)
waiting(rows)
toolbar = st.container(horizontal=True, vertical_alignment="center")
picked = booked.picked(rows, COLUMNS, f"receipt-{appointment.id}", "回执信息", height=HEIGHT)
with toolbar:
    if st.button("取消预约", disabled=not picked, icon=":material/cancel:"):
        ask(picked)
    if is_owner:
        st.page_link(page("appointments"), label="返回预约单记录查询", icon=":material/arrow_back:")
    st.caption("流程状态见表格下方" if len(picked) == 1 else HINT)
if len(picked) == 1:
    detail(picked[0])
places(rows)
with st.expander(f"办理经过（{len(moves)}）"):
    records.moves(Subject.line, moves)
