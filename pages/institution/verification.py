"""检定与结果: plan, begin, terminate, and record the result."""

import streamlit as st

from db import appointment_lines, appointments, clock, workdays, workflow
from db.models import DeliveryMode, LineStatus, Role, Subject
from pages.parts import lines, look, narrowing, result_form
from pages.parts.account import acting, looking, signed_in

TABS = {"accepted": LineStatus.accepted, "begun": LineStatus.in_verification}
TITLES = {"accepted": "已受理，待开始检定", "begun": "检定中，待登记结果"}
COLUMNS = {
    "accepted": lines.COLUMNS | {"plan": "约定日期", "receipt_number": "回执编号"},
    "begun": {"left": "剩余", "due": "检定时限"} | lines.COLUMNS | {"begun_on": "开始检定"},
}
LATE = {"accepted": "visit", "begun": "verification"}
EMPTY = {
    "accepted": "没有已受理、待开始检定的器具",
    "begun": "没有检定中的器具。收到器具或上门后，在“已受理”中点击“开始检定”",
}

signed_in(Role.institution)
look.header("检定与结果", "收到器具或上门后点击“开始检定”，检定时限从次日起算；检定完毕后登记结果。")

asked = st.query_params.get("tab")
tab = st.segmented_control(
    "环节",
    list(TABS),
    default=asked if asked in TABS else "accepted",
    required=True,
    format_func=lambda one: TITLES[one],
    key=f"tab?{narrowing.signature()}",
    label_visibility="collapsed",
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    text = narrowing.text("单位、预约单号、器具、出厂编号")
    mode = narrowing.choice("mode", "送检方式", narrowing.named(DeliveryMode), width=130)
    options = {LATE[tab]: appointment_lines.LATE[LATE[tab]]} | (
        {"today": "约定今天"} if tab == "accepted" else {}
    )
    when = narrowing.choice("late", "时限", options, width=160)
wanted = appointment_lines.Filters(
    statuses=(TABS[tab],),
    text=text,
    delivery_mode=narrowing.member(DeliveryMode, mode),
    late=when if when != "today" else None,
    planned_on=clock.today() if when == "today" else None,
)
with looking(Role.institution) as (session, clerk):
    limit = workdays.limit(session)
    picked, total = lines.pick(session, wanted, clerk, COLUMNS[tab], tab, limit, is_by_deadline=True)
    moves = appointment_lines.history(session, picked[0].id, by=clerk) if len(picked) == 1 else []

if not total:
    look.empty("没有符合条件的器具，请放宽筛选" if text or mode or when else EMPTY[tab])
    st.stop()
if not picked:
    st.info("请先在表中勾选要办理的器具", icon=":material/touch_app:")
    st.stop()
if moves:
    lines.detail(picked[0], moves, is_open=tab == "accepted")
if tab == "begun":
    result_form.draw(picked)
    st.stop()

ids = [line.id for line in picked]
key = f"verify-{hash(tuple(ids))}"
labels = {
    step.action: step.label
    for step in workflow.open_steps(Subject.line, LineStatus.accepted, Role.institution)
}
first, last = (limit.calendar.after(clock.today(), days).day for days in (1, 5))
st.subheader(f"办理 {len(ids)} 台器具", anchor=False)
begin, plan, terminate = st.columns(3, gap="medium")
with begin, st.form(f"{key}-begin", height="stretch"):
    begun_on = st.date_input("收到器具或上门的日期 *", max_value=clock.today(), format="YYYY-MM-DD")
    is_begun = st.form_submit_button(labels["begin"], type="primary")
with plan, st.form(f"{key}-plan", height="stretch"):
    planned = st.date_input("改约日期范围 *", (first, last), min_value=clock.today(), format="YYYY-MM-DD")
    is_planned = st.form_submit_button("改期")
with terminate, st.form(f"{key}-terminate", height="stretch"):
    reason = st.text_input("终止理由 *", max_chars=500, placeholder="使用单位可见")
    is_ended = st.form_submit_button(labels["terminate"])

if is_begun:
    with acting(Role.institution) as (session, clerk):
        count = appointments.begin(session, ids, by=clerk, begun_on=begun_on)
    look.flash(f"{count} 台已开始检定，检定时限见“检定中”")
    st.rerun()
if is_planned:
    with acting(Role.institution) as (session, clerk):
        count = appointments.plan(
            session,
            ids,
            by=clerk,
            planned_from=planned[0] if planned else None,
            planned_until=planned[1] if len(planned) == 2 else None,
        )
    look.flash(f"{count} 台已改期")
    st.rerun()
if is_ended:
    with acting(Role.institution) as (session, clerk):
        count = appointments.terminate(session, ids, by=clerk, reason=reason)
    look.flash(f"{count} 台已终止，理由已告知使用单位")
    st.rerun()
