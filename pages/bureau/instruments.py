"""器具台账: the instruments used in the area, to read."""

import streamlit as st

from db import instruments
from db.models import InstrumentStatus, Role
from pages.parts import choices, look, tables
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

SIZE = 50
WATCHERS = (Role.supervisor, Role.reviewer)
COLUMNS = {
    "enterprise": "使用单位",
    "name": "器具名称",
    "kind": "器具种别",
    "specification": "型号规格",
    "serial_number": "出厂编号",
    "division": "使用地点",
    "location": "安装/使用地点",
    "purpose": "器具用途",
    "valid_until": "有效期至",
    "conclusion": "结论",
    "status": "状态",
    "line_status": "预约",
}

signed_in(*WATCHERS)
look.header("器具台账", "辖区内登记的强检器具。")
asked = st.query_params
known = {row.category_id: row.category for row in choices.kinds()}
with st.container(horizontal=True, vertical_alignment="bottom"):
    text = st.text_input("搜索", placeholder="名称、型号、编号、厂家、地点", width=280)
    due = st.selectbox(
        "到期",
        [None, *instruments.DUE],
        index=[None, *instruments.DUE].index(
            asked.get("due") if asked.get("due") in instruments.DUE else None
        ),
        format_func=lambda one: instruments.DUE.get(one, "全部"),
        width=160,
    )
    names = {"": "全部"} | {status.name: status.value for status in InstrumentStatus}
    status = st.selectbox(
        "状态",
        list(names),
        index=list(names).index(asked.get("status") if asked.get("status") in names else ""),
        format_func=names.get,
        width=120,
    )
    category_id = st.selectbox(
        "器具项别", [None, *known], format_func=lambda one: known.get(one, "全部"), width=240
    )
with st.expander("使用地点", expanded=bool(asked.get("division"))):
    division_code = choices.division("instruments-division", "使用地点", asked.get("division"))
if asked.get("division") == "none" and division_code is None:
    division_code, due = None, "no_division"

wanted = instruments.Filters(
    text=text,
    due=due,
    status=InstrumentStatus[status] if status else None,
    category_id=category_id,
    division_code=division_code,
)
key = f"instruments-{hash(wanted)}"
with looking(*WATCHERS) as (session, account):
    total = instruments.count(session, wanted, by=account)
    number = tables.pager(total, SIZE, f"{key}-pages")
    rows = instruments.page(session, wanted, by=account, number=number, size=SIZE)
if not rows:
    look.empty("没有符合条件的器具，请放宽筛选")
    st.stop()
picked = tables.choosing(rows, COLUMNS, f"{key}-{number}", "器具台账", is_many=False)
if picked:
    st.page_link(
        page("instrument"),
        label=f"{picked[0].name} 的详情",
        query_params={"id": str(picked[0].id)},
        icon=":material/straighten:",
    )
