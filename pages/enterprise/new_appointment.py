"""新增预约单-选择器具: gather instruments, then submit them."""

import streamlit as st

from db import appointments, instruments
from db.models import OWNERS, LineStatus
from pages.parts import choices, look, tables, workplace
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

MOST_SHOWN = 100
COLUMNS = {
    "name": "器具名称",
    "kind": "器具种别",
    "specification": "型号规格",
    "serial_number": "出厂编号",
    "division": "使用地点",
    "location": "安装/使用地点",
    "delivery_mode": "送检方式",
    "valid_until": "有效期至",
}

signed_in(*OWNERS)
enterprise = workplace.chosen()
look.header(
    "新增预约单-选择器具", f"{enterprise.name}：点击“选择器具”，再选中需要预约的器具，点击“提交申请”。"
)
gathered: list[int] = st.session_state.setdefault("gathered", [])


@st.dialog("选择器具", width="large")
def pick() -> None:
    """The picker: instruments in use that are in no open appointment, the first to expire first."""
    with st.container(horizontal=True):
        text = st.text_input("搜索", placeholder="名称、型号、编号、厂家、地点", key="pick-text")
        known = {row.category_id: row.category for row in choices.kinds()}
        category_id = st.selectbox(
            "器具项别", [None, *known], format_func=lambda one: known.get(one, "全部"), key="pick-category"
        )
        due = st.selectbox(
            "到期",
            [None, *instruments.DUE],
            format_func=lambda one: instruments.DUE.get(one, "全部"),
            key="pick-due",
        )
    wanted = instruments.Filters(text=text, category_id=category_id, due=due)
    with looking(*OWNERS) as (session, account):
        rows = instruments.bookable(session, enterprise.id, wanted, by=account, size=MOST_SHOWN)
    rows = [row for row in rows if row.id not in gathered]
    if not rows:
        look.empty("没有可预约的器具：请放宽条件，或先在台账中新增；办理中的器具不会出现在这里")
        return
    st.caption(
        f"显示 {len(rows)} 台（最多 {MOST_SHOWN} 台）。器具更多时可分几次选择，系统自动分成多张预约单。"
    )
    is_all = st.checkbox(f"全选这 {len(rows)} 台", key="pick-all")
    picked = tables.choosing(rows, COLUMNS, f"pick-{hash(wanted)}-{len(gathered)}", "可预约的器具")
    chosen = rows if is_all else picked
    if st.button(
        f"选择（{len(chosen)} 台）" if chosen else "选择", type="primary", disabled=not chosen, key="pick"
    ):
        gathered.extend(row.id for row in chosen)
        st.rerun()


with st.container(horizontal=True):
    if st.button("选择器具", icon=":material/playlist_add:", type="secondary" if gathered else "primary"):
        pick()
    if gathered and st.button("清空"):
        gathered.clear()
        st.rerun()
    st.page_link(page("appointments"), label="返回预约单记录查询", icon=":material/arrow_back:")

with looking(*OWNERS) as (session, account):
    rows = instruments.chosen(session, gathered, by=account)
if not rows:
    look.empty("还没有选择器具，点击“选择器具”从台账中挑选")
    st.stop()

left_out = tables.choosing(rows, COLUMNS, f"gathered-{len(gathered)}-{gathered[0]}", "已选择的器具")
st.caption(f"已选择 {len(rows)} 台" + ("，超过 100 台将自动分成多张预约单" if len(rows) > MOST_SHOWN else ""))
if left_out and st.button(f"移除选中的 {len(left_out)} 台", icon=":material/remove:"):
    gone = {row.id for row in left_out}
    st.session_state["gathered"] = [id for id in gathered if id not in gone]
    st.rerun()

note = st.text_input("备注", max_chars=500, placeholder="例如希望的送检时间", key="appointment-note")
if st.button("提交申请", type="primary", icon=":material/send:"):
    with acting(*OWNERS) as (session, account):
        made = appointments.submit(session, enterprise.id, [row.id for row in rows], by=account, note=note)
        counts = [appointments.find(session, one.id, by=account).counts for one in made]
    assigned = sum(count.get(LineStatus.assigned, 0) for count in counts)
    waiting = sum(count.get(LineStatus.unassigned, 0) for count in counts)
    look.flash(
        f"已提交 {len(made)} 张预约单：{assigned} 台待受理" + (f"，{waiting} 台待预约" if waiting else "")
    )
    st.session_state["gathered"] = []
    if len(made) > 1:
        st.switch_page(page("appointments"))
    st.switch_page(page("receipt"), query_params={"id": str(made[0].id)})
