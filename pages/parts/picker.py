"""选择器具: the picker over the ledger, and the instruments gathered with it for the next appointment."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from db import instruments
from db.models import OWNERS
from pages.parts import basket, choices, look, tables, validity
from pages.parts.account import looking

MOST_SHOWN = 100
COLUMNS = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "validity": "有效期至",
    "kind": "器具种别",
    "specification": "型号规格",
    "location": "安装/使用地点",
    "division": "使用地点行政区划",
    "delivery_mode": "送检方式",
}


def shown(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Ledger rows for a table."""
    return [{**row._mapping, "validity": validity.cell(row)} for row in rows]


@st.dialog("选择器具", width="large")
def pick(enterprise_id: int) -> None:
    """The picker: instruments in use that are in no open appointment, the first to expire first."""
    known = {row.category_id: row.category for row in choices.kinds()}
    kinds = {row.id: row for row in choices.kinds()}
    with st.container(horizontal=True):
        text = st.text_input("搜索", placeholder="名称、型号、编号、厂家、地点", key="pick-text", width=230)
        category_id = st.selectbox(
            "器具项别",
            list(known),
            index=None,
            format_func=lambda id: known[id],
            placeholder="全部",
            key="pick-category",
            width=160,
        )
        within = [id for id, row in kinds.items() if category_id in (None, row.category_id)]
        kind_id = st.selectbox(
            "器具种别",
            within,
            index=None,
            format_func=lambda id: kinds[id].name,
            placeholder="全部",
            key=f"pick-kind-{category_id}",
            width=180,
        )
        due = st.selectbox(
            "到期",
            list(instruments.DUE),
            index=None,
            format_func=lambda one: instruments.DUE[one],
            placeholder="全部",
            key="pick-due",
            width=140,
        )
    wanted = instruments.Filters(text=text, category_id=category_id, kind_id=kind_id, due=due)
    gathered = basket.ids(enterprise_id)
    with looking(*OWNERS) as (session, account):
        rows = instruments.bookable(
            session, enterprise_id, wanted, by=account, size=MOST_SHOWN + 1, without=gathered
        )
    if not rows:
        look.empty("没有可选择的器具：请放宽条件，或先在台账中新增。停用的和已在办理中的器具不会出现在这里")
        return
    has_more, rows = len(rows) > MOST_SHOWN, rows[:MOST_SHOWN]
    is_all = st.checkbox(f"全选这 {len(rows)} 台", key="pick-all")
    key = f"pick-{hash(wanted)}-{len(gathered)}-{is_all}"
    picked = tables.choosing(shown(rows), COLUMNS, key, "可预约的器具", is_all=is_all, height=340)
    if has_more:
        st.caption(f"最多显示 {MOST_SHOWN} 台，还有更多：请缩小范围，或选择这些之后再次“选择器具”")
    label = f"选择（{len(picked)} 台）" if picked else "选择"
    if st.button(label, type="primary", disabled=not picked, key="pick"):
        basket.add(enterprise_id, [row["id"] for row in picked])
        st.rerun()
