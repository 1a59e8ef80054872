"""工作日: holidays and the weekend days worked for them, year by year."""

from typing import Any

import pandas as pd
import streamlit as st

from db import clock, workdays
from db.models import Role
from pages.parts import look, months
from pages.parts.account import acting, looking, signed_in

OFF, WORKED = "休息", "上班"
ARRANGEMENTS = {OFF: False, WORKED: True}
# None is required here: the editor would keep incomplete rows to itself without a word.
COLUMNS = {
    "日期": st.column_config.TextColumn(max_chars=20, width=110),
    "安排": st.column_config.SelectboxColumn(options=list(ARRANGEMENTS), width=80),
    "名称": st.column_config.TextColumn(max_chars=60, width=170),
}


def load(year: int) -> None:
    """Keep the year as it stands: the editor drops what is typed when its frame changes."""
    with looking(Role.administrator) as (session, _):
        seen = [(row.day, row.is_working, row.name) for row in workdays.of_year(session, year)]
    st.session_state["calendar-year-loaded"] = year
    st.session_state["calendar-seen"] = seen
    st.session_state["calendar-number"] = st.session_state.get("calendar-number", 0) + 1


def frame(seen: list[tuple[Any, bool, str]]) -> pd.DataFrame:
    """The rows as the editor takes them."""
    rows = [(f"{day:%Y-%m-%d}", WORKED if is_working else OFF, name) for day, is_working, name in seen]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


def days(edited: pd.DataFrame) -> list[tuple[Any, Any, Any]]:
    """What stands in the editor, line by line, wholly empty lines left out; the operation checks it."""
    rows = edited.dropna(how="all").itertuples(index=False, name=None)
    return [
        (
            workdays.read_day(day),
            ARRANGEMENTS.get(arrangement) if isinstance(arrangement, str) else None,
            name if isinstance(name, str) else "",
        )
        for day, arrangement, name in rows
    ]


def stay_with_edits() -> None:
    """Before the year is drawn: whoever leaves it with unsaved edits is kept there and told so."""
    loaded = st.session_state.get("calendar-year-loaded")
    edits = st.session_state.get(f"calendar-{st.session_state.get('calendar-number')}")
    if edits and any(edits.values()) and st.session_state.get("calendar-year") != loaded:
        st.session_state["calendar-year"] = loaded
        st.warning(f"{loaded} 年有未保存的修改，请先保存，或点“重新载入”放弃", icon=":material/edit:")


signed_in(Role.administrator)
look.header("工作日", "只登记例外：周一至周五的休息日，和周末的调休上班日。所有时限据此计算。")
with looking(Role.administrator) as (session, _):
    calendar = workdays.calendar(session)
this_year = clock.today().year
st.session_state.setdefault("calendar-year", this_year)
stay_with_edits()
chosen = st.segmented_control(
    "年份",
    sorted({*calendar.years, this_year, this_year + 1, this_year + 2}),
    format_func=lambda one: f"{one} 年" if one in calendar.years else f"{one} 年（未公布）",
    key="calendar-year",
    label_visibility="collapsed",
)
year = chosen or this_year
if st.session_state.get("calendar-year-loaded") != year:
    load(year)

left, right = st.columns([5, 6], gap="large")
with left:
    if year not in calendar.years:
        st.warning(
            f"{year} 年{workdays.ESTIMATED}。公布后请在下表逐日录入，保存后全部时限随即重新计算。",
            icon=":material/event_busy:",
        )
    edited = st.data_editor(
        frame(st.session_state["calendar-seen"]),
        key=f"calendar-{st.session_state['calendar-number']}",
        num_rows="dynamic",
        hide_index=True,
        column_config=COLUMNS,
        height=460,
        on_change="ignore",
        alt=f"{year} 年的特殊日期",
        placeholder="",
    )
    st.caption("点最下面的空行新增，日期如 2026-10-01；勾选左侧的行，按删除键删除。")
    st.caption("也可以从 Excel 复制“日期、安排、名称”三列，粘贴到最下面的空行；安排填“休息”或“上班”。")
    with st.container(horizontal=True):
        is_saved = st.button("保存", type="primary", key="calendar-save")
        is_reloaded = st.button("重新载入", key="calendar-reload", help="放弃未保存的修改")
if is_reloaded:
    load(year)
    st.rerun()
if is_saved:
    seen = st.session_state["calendar-seen"]
    with acting(Role.administrator) as (session, administrator):
        count = workdays.save_year(session, year, days(edited), by=administrator, seen=seen)
    load(year)
    look.flash(f"{year} 年的 {count} 个特殊日期已保存，正在进行的检定期限已重新计算")
    st.rerun()

# Last, so that a refusal stands right below the buttons.
with right:
    months.draw(calendar, year)
