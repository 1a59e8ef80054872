"""预约单详情, 回执信息: where each instrument of an appointment stands, and 取消预约."""

import streamlit as st

from db import appointments
from db.models import OWNERS, LineStatus, Role, Subject
from pages.parts import look, progress, tables
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

COLUMNS = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "kind": "器具种别",
    "status": "流程状态",
    "institution": "技术机构",
    "plan": "约定日期",
    "receipt_number": "回执编号",
    "why": "说明",
}
HINTS = {
    LineStatus.assigned: "可以送检，或等待技术机构受理",
    LineStatus.accepted: "请按约定日期送检；现场检请等待上门",
    LineStatus.in_verification: "检定中",
}

signed_in(*OWNERS, Role.supervisor)
asked = st.query_params.get("id", "")
if not asked.isdecimal():
    look.empty("请先在“预约单记录查询”中选中一张预约单", page("appointments"))
    st.stop()

with looking(*OWNERS, Role.supervisor) as (session, account):
    appointment = appointments.find(session, int(asked), by=account)
    lines = appointments.lines(session, appointments.Filters(appointment_id=appointment.id), by=account)


def why(line) -> str:
    """What the person should know about a line in its status."""
    if line.unassigned_reason:
        return f"{line.unassigned_reason}；补全或授权后自动重新指派"
    if line.certificate_number:
        kind = "检定证书" if line.valid_until else "编号"
        return f"{line.conclusion} · {kind} {line.certificate_number}"
    return HINTS.get(line.status, "")


def shown(line) -> dict:
    """A line as the table shows it, its instrument as it was when booked."""
    plan = " 至 ".join(
        dict.fromkeys(f"{day:%Y-%m-%d}" for day in (line.planned_from, line.planned_until) if day)
    )
    return {
        "line": line,
        "name": line.snapshot["name"],
        "serial_number": line.snapshot["serial_number"],
        "kind": line.kind or "未填写",
        "status": line.status,
        "institution": line.institution or "尚未分配",
        "plan": plan,
        "receipt_number": line.receipt_number or "",
        "why": why(line),
    }


look.header("预约单详情")
with st.container(border=True):
    first, second, third = st.columns(3)
    first.metric("预约单号", appointment.number)
    second.metric("申请时间", tables.text("at", appointment.submitted_at))
    third.metric("器具", f"{appointment.line_count} 台")
    st.text(
        f"{appointment.enterprise} · 申请人 {appointment.submitted_by}"
        + ("（代办）" if appointment.is_on_behalf else "")
    )
    st.markdown(
        " ".join(look.badge(status.value) + f" {count}" for status, count in appointment.counts.items())
    )
    if appointment.note:
        st.text(f"备注：{appointment.note}")

st.subheader("回执信息", anchor=False)
st.caption("请重点关注器具的分配情况。选中一台可查看进度，选中一台或多台可取消预约。")
version = "-".join(line.status.name for line in lines)
picked = [
    row["line"]
    for row in tables.choosing(
        [shown(line) for line in lines], COLUMNS, f"lines-{asked}-{hash(version)}", "回执信息"
    )
]

if len(picked) == 1:
    line = picked[0]
    with looking(*OWNERS, Role.supervisor) as (session, account):
        moves = appointments.line_history(session, line.id, by=account)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("流程状态", anchor=False)
        progress.draw(Subject.line, moves)
    with right:
        st.subheader("技术机构", anchor=False)
        if line.institution:
            st.text(
                f"{line.institution}\n地址：{line.institution_address}\n电话：{line.institution_telephone}"
            )
            if line.receipt_note:
                st.text(f"受理意见：{line.receipt_note}")
        else:
            st.warning(why(line), icon=":material/hourglass_empty:")

if picked:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reason = st.text_input("取消理由（选填）", max_chars=500, key=f"cancel-reason-{asked}", width=320)
        is_sure = st.checkbox(f"确认取消 {len(picked)} 台", key=f"cancel-sure-{asked}-{hash(version)}")
        is_canceled = st.button("取消预约", disabled=not is_sure, icon=":material/cancel:")
    if is_canceled:
        with acting(*OWNERS, Role.supervisor) as (session, account):
            count = appointments.cancel(session, [line.id for line in picked], by=account, reason=reason)
        look.flash(f"已取消 {count} 台器具的预约")
        st.rerun()
