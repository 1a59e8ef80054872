"""预约受理: the institution answers the lines waiting for it."""

from datetime import timedelta

import streamlit as st

from db import appointments, clock, workflow
from db.models import DeliveryMode, LineStatus, Role, Subject
from pages.parts import lines, look
from pages.parts.account import acting, looking, signed_in

signed_in(Role.institution)
look.header("预约受理", "选中一台或多台器具，受理并约定日期；不属于本机构业务的请退回，由系统另行指派。")

late = st.query_params.get("late")
text, mode = lines.search("waiting")
wanted = appointments.Filters(
    statuses=(LineStatus.assigned,),
    text=text,
    delivery_mode=mode,
    late="answer" if late == "answer" else None,
)
if wanted.late:
    st.caption("只显示受理超时的器具。从菜单重新打开本页可看到全部。")
with looking(Role.institution) as (session, clerk):
    picked = lines.pick(session, wanted, clerk, lines.COLUMNS, "waiting")
    if not appointments.count(session, wanted, by=clerk):
        look.empty("没有待受理的器具")
        st.stop()

if not picked:
    st.info("请先在表中选中要办理的器具", icon=":material/touch_app:")
    st.stop()

ids = [line.id for line in picked]
key = f"answer-{ids[0]}-{len(ids)}"
modes = {line.delivery_mode for line in picked}
steps = {
    step.action: step.label
    for step in workflow.open_steps(Subject.line, LineStatus.assigned, Role.institution)
}
with st.container(border=True):
    st.subheader(f"办理 {len(ids)} 台器具", anchor=False)
    action = st.segmented_control(
        "办理", list(steps), default="accept", format_func=steps.get, key=f"{key}-action"
    )
    tomorrow = clock.today() + timedelta(1)
    planned = (tomorrow, tomorrow + timedelta(4))
    if action == "accept":
        label = "上门日期" if modes == {DeliveryMode.on_site} else "送检日期"
        planned = st.date_input(
            f"{label} *", planned, min_value=clock.today(), format="YYYY-MM-DD", key=f"{key}-plan"
        )
    note = st.text_area(
        "意见（选填，使用单位可见）" if action == "accept" else "理由 *",
        max_chars=500,
        key=f"{key}-note",
        height=80,
    )
    is_sent = st.button(steps.get(action, "办理"), type="primary", disabled=action is None, key=f"{key}-send")

if is_sent and action == "accept":
    first, last = planned[0] if planned else None, planned[-1] if planned else None
    with acting(Role.institution) as (session, clerk):
        receipts = appointments.accept(
            session, ids, by=clerk, planned_from=first, planned_until=last, note=note
        )
    look.flash(f"已受理 {len(ids)} 台，回执 {'、'.join(receipt.number for receipt in receipts)}")
    st.rerun()
if is_sent and action == "decline":
    with acting(Role.institution) as (session, clerk):
        count = appointments.decline(session, ids, by=clerk, reason=note)
    look.flash(f"已不予受理 {count} 台，理由已告知使用单位")
    st.rerun()
if is_sent and action == "hand_back":
    with acting(Role.institution) as (session, clerk):
        placed = appointments.hand_back(session, ids, by=clerk, reason=note)
    look.flash(f"已退回 {len(ids)} 台，其中 {placed} 台已指派给其他机构")
    st.rerun()
