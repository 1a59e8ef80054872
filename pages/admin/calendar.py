"""工作日: holidays and the weekend days worked for them, year by year."""

import pandas as pd
import streamlit as st

from db import clock, workdays
from db.models import Role
from pages.parts import look
from pages.parts.account import acting, looking, signed_in

OFF, WORKED = "放假", "上班"

signed_in(Role.administrator)
look.header("工作日", "只登记例外：工作日放假，和周末调休上班。其余按周一至周五。所有时限据此计算。")

this_year = clock.today().year
year = st.segmented_control(
    "年份", list(range(this_year - 2, this_year + 3)), default=this_year, key="calendar-year"
)
year = year or this_year
number = st.session_state.setdefault("calendar_number", 0)
key = f"calendar-{year}-{number}"
if st.session_state.get("calendar_key") != key:
    with looking(Role.administrator) as (session, administrator):
        days = workdays.of_year(session, year)
    st.session_state["calendar_key"] = key
    # The editor drops what is typed when its input changes: it keeps this frame until it is saved.
    st.session_state["calendar_frame"] = pd.DataFrame(
        [(row.day, WORKED if row.is_working else OFF, row.name) for row in days],
        columns=["日期", "安排", "名称"],
    ).astype({"日期": "datetime64[ns]"})

frame = st.session_state["calendar_frame"]
if frame.empty:
    st.warning(
        f"{year} 年{workdays.ESTIMATED}。国务院公布后，请在下表逐日录入。", icon=":material/event_busy:"
    )
edited = st.data_editor(
    frame,
    key=key,
    num_rows="dynamic",
    hide_index=True,
    column_config={
        "日期": st.column_config.DateColumn(format="YYYY-MM-DD", required=True),
        "安排": st.column_config.SelectboxColumn(options=[OFF, WORKED], required=True),
        "名称": st.column_config.TextColumn(max_chars=60),
    },
    alt="节假日安排",
    width=640,
)
with st.container(horizontal=True):
    is_saved = st.button("保存", type="primary")
    is_dropped = st.button("放弃修改")
if is_dropped:
    st.session_state["calendar_number"] += 1
    st.rerun()
if is_saved:
    rows = edited.dropna(subset=["日期"])
    if (rows["安排"].isna() | ~rows["安排"].isin([OFF, WORKED])).any():
        st.error("每一行都要选择“放假”或“上班”", icon=":material/error:")
        st.stop()
    days = [
        (day.date(), arrangement == WORKED, str(name or "").strip())
        for day, arrangement, name in rows.fillna({"名称": ""}).itertuples(index=False)
    ]
    with acting(Role.administrator) as (session, administrator):
        count = workdays.save_year(session, year, days, by=administrator)
    look.flash(f"{year} 年已保存 {count} 天，进行中的检定时限已重新计算")
    st.session_state["calendar_number"] += 1
    st.rerun()
