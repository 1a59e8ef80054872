"""检定与结果: plan, begin, terminate, and record the result."""

from datetime import timedelta

import streamlit as st

from db import appointments, clock, workdays
from db.models import LineStatus, Role
from pages.parts import lines, look, result_form
from pages.parts.account import acting, looking, signed_in

ACCEPTED = lines.COLUMNS | {"plan": "约定日期", "receipt_number": "回执编号"}
BEGUN = lines.COLUMNS | {"begun_on": "开始日期", "due": "法定时限"}
TABS = {"accepted": "已受理，待检定", "begun": "检定中，待登记结果"}

signed_in(Role.institution)
look.header("检定与结果", "收到器具或上门后点“开始检定”，法定检定时限从此开始；检定完毕登记结果。")

asked = st.query_params.get("tab", "accepted")
tab = st.segmented_control(
    "环节",
    list(TABS),
    default=asked if asked in TABS else "accepted",
    format_func=TABS.get,
    key="verification-tab",
    label_visibility="collapsed",
)
status = LineStatus.in_verification if tab == "begun" else LineStatus.accepted
text, mode = lines.search("verification")
late = st.query_params.get("late")
matches_tab = late == ("verification" if tab == "begun" else "visit")
wanted = appointments.Filters(
    statuses=(status,), text=text, delivery_mode=mode, late=late if matches_tab else None
)
with looking(Role.institution) as (session, clerk):
    columns = BEGUN if tab == "begun" else ACCEPTED
    picked = lines.pick(session, wanted, clerk, columns, f"verification-{tab}")
    total = appointments.count(session, wanted, by=clerk)
    years = workdays.calendar(session).years
if not total:
    look.empty("没有已受理待检定的器具" if tab != "begun" else "没有检定中的器具")
    st.stop()
if tab == "begun" and clock.today().year + 1 not in years:
    st.caption(f"跨年的时限：{clock.today().year + 1} 年{workdays.ESTIMATED}")
if not picked:
    st.info("请先在表中选中要办理的器具", icon=":material/touch_app:")
    st.stop()

ids = [line.id for line in picked]
key = f"verify-{ids[0]}-{len(ids)}"
if tab == "begun":
    result_form.draw(picked, key)
    st.stop()

with st.container(border=True):
    st.subheader(f"办理 {len(ids)} 台器具", anchor=False)
    begin, plan, terminate = st.columns(3, gap="large")
    with begin:
        begun_on = st.date_input(
            "开始日期", clock.today(), max_value=clock.today(), format="YYYY-MM-DD", key=f"{key}-on"
        )
        is_begun = st.button("开始检定", type="primary", key=f"{key}-begin")
    with plan:
        dates = (clock.today() + timedelta(1), clock.today() + timedelta(5))
        planned = st.date_input(
            "改期至", dates, min_value=clock.today(), format="YYYY-MM-DD", key=f"{key}-plan"
        )
        is_planned = st.button("改期", key=f"{key}-change")
    with terminate:
        reason = st.text_input("终止理由", max_chars=500, key=f"{key}-reason")
        is_ended = st.button("终止", key=f"{key}-end")

if is_begun:
    with acting(Role.institution) as (session, clerk):
        count = appointments.begin(session, ids, by=clerk, begun_on=begun_on)
        due_on = workdays.verification_deadline(session, picked[0].delivery_mode, begun_on)
    look.flash(f"{count} 台开始检定，法定时限至 {due_on}")
    st.rerun()
if is_planned:
    first, last = planned[0] if planned else None, planned[-1] if planned else None
    with acting(Role.institution) as (session, clerk):
        count = appointments.plan(session, ids, by=clerk, planned_from=first, planned_until=last)
    look.flash(f"{count} 台已改期")
    st.rerun()
if is_ended:
    with acting(Role.institution) as (session, clerk):
        count = appointments.terminate(session, ids, by=clerk, reason=reason)
    look.flash(f"已终止 {count} 台")
    st.rerun()
