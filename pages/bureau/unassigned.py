"""待指派: the lines no institution could be found for, why, and 人工指派."""

import streamlit as st

from db import appointments, assignment, board, clock, institutions
from db.models import LineStatus, Role, UnassignedReason
from pages.parts import choices, lines, look, tables
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

COLUMNS = {"unassigned_reason": "原因"} | lines.COLUMNS
CANDIDATES = {"name": "技术机构", "note": "授权情况", "open_count": "未办结器具"}
GAPS = {"division": "使用地点", "category": "项别", "kind": "种别", "instrument_count": "在用器具"}

signed_in(Role.supervisor)
look.header("待指派", "授权、种别或使用地点补全后，系统自动重新指派；急需办理的可以人工指派。")

with looking(Role.supervisor) as (session, supervisor):
    reasons = board.unassigned(session, by=supervisor)
asked = st.query_params.get("reason")
reason = st.segmented_control(
    "原因",
    list(reasons),
    default=UnassignedReason[asked]
    if asked in UnassignedReason.__members__ and UnassignedReason[asked] in reasons
    else None,
    format_func=lambda one: f"{one.value} {reasons[one]}",
    key="unassigned-reason",
)
wanted = appointments.Filters(statuses=(LineStatus.unassigned,), reason=reason)
with looking(Role.supervisor) as (session, supervisor):
    picked = lines.pick(session, wanted, supervisor, COLUMNS, "unassigned")
if not reasons:
    look.empty("没有待指派的器具")

if picked:
    with looking(Role.supervisor) as (session, supervisor):
        offered = assignment.candidates(session, picked[0].id, by=supervisor)
    key = f"hand-{picked[0].id}-{len(picked)}"
    with st.container(border=True):
        st.subheader(f"人工指派 {len(picked)} 台", anchor=False)
        waited = (clock.now() - min(line.moved_at for line in picked)).days
        st.caption(f"已等待 {waited} 天。以下按第一台器具列出，授权范围内的在前。")
        chosen = tables.choosing(offered, CANDIDATES, f"{key}-candidates", "技术机构", is_many=False)
        why = st.text_input("指派理由 *", max_chars=500, key=f"{key}-reason")
        if st.button("人工指派", type="primary", disabled=not chosen, key=key):
            with acting(Role.supervisor) as (session, supervisor):
                ids = [line.id for line in picked]
                station = assignment.assign_by_hand(
                    session, ids, chosen[0].institution_id, by=supervisor, reason=why
                )
            look.flash(f"已将 {len(picked)} 台指派给 {station.name}")
            st.rerun()

st.subheader("授权缺口", anchor=False)
st.caption("有在用器具、却没有任何有效授权的“使用地点 × 种别”。选中一行去新增授权。")
with looking(Role.supervisor) as (session, supervisor):
    gaps = institutions.gaps(session, by=supervisor)[:200]
if not gaps:
    st.caption("没有授权缺口")
    st.stop()
gap = tables.choosing(gaps, GAPS, "gaps", "授权缺口", is_many=False)
if gap:
    kind = next(row for row in choices.kinds() if row.name == gap[0].kind and row.category == gap[0].category)
    query = {"division": gap[0].division_code, "kind": str(kind.id)}
    st.page_link(page("authorizations"), label="去新增授权", icon=":material/add:", query_params=query)
