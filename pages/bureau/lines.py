"""预约明细: every appointment line of the area, narrowed by what the board or the filters ask."""

import streamlit as st

from db import appointments, institutions
from db.models import OPEN, LineStatus, Role, Subject
from pages.parts import lines, look, progress
from pages.parts.account import acting, looking, signed_in

WATCHERS = (Role.supervisor, Role.reviewer)
COLUMNS = lines.COLUMNS | {
    "status": "流程状态",
    "institution": "技术机构",
    "plan": "约定日期",
    "due": "法定时限",
}
NOWHERE = "none"

account = signed_in(*WATCHERS)
look.header("预约明细", "辖区内的预约器具。选中一台查看进度；待受理的可以转派。")
asked = st.query_params
with looking(*WATCHERS) as (session, account):
    stations = {row.id: row.name for row in institutions.page(session, by=account)}

with st.container(horizontal=True, vertical_alignment="bottom"):
    choices = {"": "全部", "open": "办理中"} | {status.name: status.value for status in LineStatus}
    status = st.selectbox(
        "流程状态",
        list(choices),
        index=list(choices).index(asked.get("status") if asked.get("status") in choices else ""),
        format_func=choices.get,
        width=140,
    )
    late = st.selectbox(
        "超时",
        [None, *appointments.LATE],
        index=[None, *appointments.LATE].index(
            asked.get("late") if asked.get("late") in appointments.LATE else None
        ),
        format_func=lambda one: appointments.LATE.get(one, "全部"),
        width=140,
    )
    wanted_id = int(asked["institution"]) if asked.get("institution", "").isdecimal() else None
    institution_id = st.selectbox(
        "技术机构",
        [None, *stations],
        index=[None, *stations].index(wanted_id if wanted_id in stations else None),
        format_func=lambda one: stations.get(one, "全部"),
        width=260,
    )
    text = st.text_input("搜索", placeholder="单位、预约单号、器具、出厂编号", width=260)

statuses = OPEN if status == "open" else (LineStatus[status],) if status else ()
wanted = appointments.Filters(
    statuses=statuses,
    late=late,
    institution_id=institution_id,
    division_code=asked.get("division"),
    is_without_institution=asked.get("institution") == NOWHERE,
    text=text,
)
if wanted.division_code or wanted.is_without_institution:
    place = "未填使用地点" if wanted.division_code == NOWHERE else wanted.division_code
    st.caption(
        f"来自状态看板：{'未分配技术机构' if wanted.is_without_institution else f'使用地点 {place}'}。从菜单重新打开本页可看到全部。"
    )
with looking(*WATCHERS) as (session, account):
    picked = lines.pick(session, wanted, account, COLUMNS, "lines")
    if not picked and not appointments.count(session, wanted, by=account):
        look.empty("没有符合条件的预约器具")

if len(picked) == 1:
    with looking(*WATCHERS) as (session, account):
        moves = appointments.line_history(session, picked[0].id, by=account)
    st.subheader("流程状态", anchor=False)
    progress.draw(Subject.line, moves)
if picked and account.role == Role.supervisor and {line.status for line in picked} == {LineStatus.assigned}:
    with st.container(border=True):
        reason = st.text_input("转派理由 *", max_chars=500, key=f"reassign-{picked[0].id}")
        if st.button(f"转派 {len(picked)} 台"):
            with acting(Role.supervisor) as (session, account):
                placed = appointments.reassign(
                    session, [line.id for line in picked], by=account, reason=reason
                )
            look.flash(f"已转派 {len(picked)} 台，其中 {placed} 台已指派给其他机构")
            st.rerun()
