"""待指派: the lines no institution could be found for, why, and 人工指派."""

import streamlit as st

from db import appointment_lines, assignment, board, workdays, workflow
from db.models import LineStatus, Role, Subject, UnassignedReason
from pages.parts import lines, look, narrowing, tables
from pages.parts.account import acting, looking, signed_in
from pages.parts.gaps import coverage

COLUMNS = {
    "waited": "已等待",
    "name": "器具名称",
    "unassigned_reason": "原因",
    **lines.COLUMNS,
    "submitted_at": "申请时间",
}
CANDIDATES = {"name": "技术机构", "note": "授权情况", "open_count": "未办结器具"}
VIEWS = {"lines": "待指派器具", "gaps": "授权缺口"}

signed_in(Role.supervisor)
look.header(
    "待指派",
    "授权、种别或使用地点补全后，系统自动重新指派，无需在此操作；急需办理的可以人工指派。",
)
asked = st.query_params.get("view")
view = st.segmented_control(
    "查看",
    list(VIEWS),
    default=asked if asked in VIEWS else "lines",
    required=True,
    format_func=lambda one: VIEWS[one],
    key=f"view?{narrowing.signature()}",
    label_visibility="collapsed",
)
if view == "gaps":
    coverage()
    st.stop()

with looking(Role.supervisor) as (session, supervisor):
    reasons = board.unassigned(session, by=supervisor)
    if not reasons:
        look.empty("没有待指派的器具，每台预约的器具都有技术机构")
        st.stop()
    wanted_reason = st.query_params.get("reason")
    reason = st.pills(
        "原因",
        [one for one in UnassignedReason if one in reasons],
        default=next((one for one in reasons if one.name == wanted_reason), None),
        format_func=lambda one: f"{one} {reasons[one]:,}",
        key=f"reason?{narrowing.signature()}",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = narrowing.text("单位、预约单号、器具、出厂编号")
        place = narrowing.place(supervisor)
        kind = narrowing.kind()
    wanted = appointment_lines.Filters(
        statuses=(LineStatus.unassigned,), reason=reason, text=text, **place, **kind
    )
    limit = workdays.limit(session)
    picked, total = lines.pick(session, wanted, supervisor, COLUMNS, "unassigned", limit)
    ids = [line.id for line in picked]
    offered = assignment.shared_candidates(session, ids, by=supervisor) if ids else []
    moves = appointment_lines.history(session, ids[0], by=supervisor) if len(ids) == 1 else []

if not total:
    look.empty("没有符合条件的器具，请放宽筛选")
    st.stop()
if not picked:
    st.info("最早申请的在前。勾选一台或多台，可以人工指派技术机构", icon=":material/touch_app:")
    st.stop()
if moves:
    lines.detail(picked[0], moves)

(step,) = (
    one
    for one in workflow.open_steps(Subject.line, LineStatus.unassigned, Role.supervisor)
    if one.action == "assign_by_hand"
)
with st.container(border=True):
    st.subheader(f"{step.label} {len(ids)} 台", anchor=False)
    st.caption("有授权的在前，未办结少的在前。已暂停业务的机构不在其中。")
    key = f"hand-{hash(tuple(ids))}"
    chosen = tables.choosing(offered, CANDIDATES, f"{key}-candidates", "技术机构", is_many=False)
    why = st.text_input("指派理由 *", max_chars=500, key=f"{key}-why", placeholder="记入流程，使用单位可见")
    is_assigned = st.button(step.label, type="primary", disabled=not chosen, key=key)

if is_assigned:
    with acting(Role.supervisor) as (session, supervisor):
        station = assignment.assign_by_hand(session, ids, chosen[0].institution_id, by=supervisor, reason=why)
    look.flash(f"已将 {len(ids)} 台指派给 {station.name}")
    st.rerun()
