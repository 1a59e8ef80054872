"""预约单记录查询: the appointments of the enterprise."""

import streamlit as st

from db import appointments
from db.models import OWNERS
from pages.parts import look, tables, workplace
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

SIZE = 20
COLUMNS = {
    "number": "预约单号",
    "submitted_at": "申请时间",
    "line_count": "器具数",
    "summary": "流程状态",
    "submitted_by": "申请人",
    "note": "备注",
}
OPENNESS = {"全部": None, "办理中": True, "已办结": False}

signed_in(*OWNERS)
enterprise = workplace.chosen()
look.header("预约单记录查询", "新增预约单，或选中一张查看预约单详情和回执信息。")

with st.container(horizontal=True, vertical_alignment="bottom"):
    if st.button("新增", type="primary", icon=":material/add:"):
        st.session_state.pop("gathered", None)
        st.switch_page(page("new_appointment"))
    detail = st.container(width="content")
    text = st.text_input("预约单号", placeholder="输入单号查找", width=220, key="appointments-text")
    chosen = st.segmented_control("办理情况", list(OPENNESS), default="全部", key="appointments-open")

with looking(*OWNERS) as (session, account):
    asked = {"enterprise_id": enterprise.id, "text": text, "is_open": OPENNESS[chosen or "全部"]}
    key = f"appointments-{enterprise.id}-{text}-{chosen}"
    rows, total = appointments.page(
        session, by=account, **asked, number=st.session_state.get(f"{key}-pages", 1), size=SIZE
    )

if not rows:
    look.empty(
        "没有符合条件的预约单" if text or chosen != "全部" else "还没有预约单，点击“新增”选择要预约的器具"
    )
    picked = []
else:
    number = st.session_state.get(f"{key}-pages", 1)
    picked = tables.choosing(rows, COLUMNS, f"{key}-{number}", "预约单", is_many=False)
    tables.pager(total, SIZE, f"{key}-pages")

if detail.button("预约单详情", disabled=not picked, icon=":material/receipt_long:"):
    st.switch_page(page("receipt"), query_params={"id": str(picked[0].id)})
