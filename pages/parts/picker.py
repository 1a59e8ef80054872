"""选择器具: the picker over the ledger, and the instruments gathered with it for the next appointment."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from db import ledger
from db.models import OWNERS
from pages.parts import basket, choices, look, narrowing, tables, validity
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


def _box(label: str, options: Mapping[Any, str], key: str) -> Any:
    return st.selectbox(
        label,
        list(options),
        index=None,
        format_func=lambda one: options[one],
        placeholder="全部",
        key=key,
        width=170,
    )


def _filters() -> ledger.Filters:
    kinds = choices.kinds()
    with st.container(horizontal=True):
        text = st.text_input(
            "搜索", max_chars=100, placeholder="名称、型号、编号、厂家、地点", key="pick-text", width=230
        )
        categories = {row.category_id: row.category for row in kinds}
        category_id = _box("器具项别", categories, "pick-category")
        within = {row.id: row.name for row in kinds if category_id in (None, row.category_id)}
        kind_id = _box("器具种别", within, f"pick-kind-{category_id}")
        due = _box("到期", ledger.DUE, "pick-due")
    narrowing.tell_unused(text)
    return ledger.Filters(text=text, category_id=category_id, kind_id=kind_id, due=due)


@st.dialog("选择器具", width="large")
def pick(enterprise_id: int) -> None:
    """The picker: instruments in use that are in no open appointment, the first to expire first."""
    wanted, gathered = _filters(), basket.ids(enterprise_id)
    with looking(*OWNERS) as (session, account):
        rows = ledger.bookable(
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
