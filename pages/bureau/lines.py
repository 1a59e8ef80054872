"""预约明细: every appointment line of the area, narrowed by what the board or the filters ask."""

from typing import Any

import streamlit as st

from db import appointment_lines, appointments, institutions, workdays, workflow
from db.models import OPEN, LineStatus, Role, Subject, UnassignedReason
from pages.parts import lines, look, narrowing
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

WATCHERS = (Role.supervisor, Role.reviewer)
COLUMNS = (
    {"status": "流程状态"}
    | lines.COLUMNS
    | {
        "institution": "技术机构",
        "unassigned_reason": "待指派原因",
        "plan": "约定日期",
        "due": "检定时限",
        "left": "剩余",
        "conclusion": "结论",
        "submitted_at": "申请时间",
    }
)
STATUSES = {"open": "办理中"} | narrowing.named(LineStatus)

signed_in(*WATCHERS)
look.header("预约明细", "辖区内的预约器具。勾选一台查看进度；待受理的可以转派或代为取消。")
with looking(*WATCHERS) as (session, account):
    limit = workdays.limit(session)
    stations = {str(row.id): row.name for row in institutions.page(session, by=account)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = narrowing.text("单位、预约单号、器具、出厂编号", width=260)
        status = narrowing.choice("status", "流程状态", STATUSES, width=140)
        place = narrowing.place(account)
        station = narrowing.choice(
            "institution", "技术机构", stations | {narrowing.NONE: "未分配技术机构"}, 240
        )
        kind = narrowing.kind()
        reason = narrowing.choice("reason", "待指派原因", narrowing.named(UnassignedReason), width=240)
        late = narrowing.choice("late", "超时", appointment_lines.LATE, width=150)
    wanted = appointment_lines.Filters(
        statuses=OPEN if status == "open" else (LineStatus[status],) if status else (),
        institution_id=int(station) if station and station != narrowing.NONE else None,
        is_nowhere=station == narrowing.NONE,
        reason=narrowing.member(UnassignedReason, reason),
        late=late,
        text=text,
        **place,
        **kind,
    )
    picked, total = lines.pick(session, wanted, account, COLUMNS, "lines", limit)
    moves = appointment_lines.history(session, picked[0].id, by=account) if len(picked) == 1 else []

if not total:
    look.empty("没有符合条件的预约器具，请放宽筛选")
    st.stop()
if moves:
    lines.detail(picked[0], moves)
    query = {"id": str(picked[0].instrument_id)}
    st.page_link(page("instrument"), label="器具详情", icon=":material/straighten:", query_params=query)

standing = {line.status for line in picked}
steps = workflow.open_steps(Subject.line, standing.pop(), account.role) if len(standing) == 1 else []
if "assign_by_hand" in [step.action for step in steps]:
    st.page_link(page("unassigned"), label="去人工指派", icon=":material/arrow_forward:")
operations: dict[str, Any] = {"reassign": appointments.reassign, "cancel": appointments.cancel}
offered = [step for step in steps if step.action in operations]
if not offered:
    st.stop()

ids = [line.id for line in picked]
with st.form(f"act-{hash(tuple(ids))}", enter_to_submit=False):
    st.subheader(f"办理 {len(ids)} 台器具", anchor=False)
    st.caption("转派：系统改派给其他有授权的机构，不再派给现机构。取消预约：器具可以重新预约。")
    written = st.text_input("理由", max_chars=500, placeholder="转派必填；使用单位和技术机构可见")
    with st.container(horizontal=True):
        pressed = [step for step in offered if st.form_submit_button(step.label)]

for step in pressed:
    with acting(Role.supervisor) as (session, account):
        done = operations[step.action](session, ids, by=account, reason=written)
    said = {
        "reassign": f"已转派 {len(ids)} 台，其中 {done} 台已指派给其他机构，其余待指派",
        "cancel": f"已取消 {done} 台器具的预约",
    }
    look.flash(said[step.action])
    st.rerun()
