"""新增预约单-选择器具: gather instruments, then submit those that are ticked."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import streamlit as st

from db import appointment_lines, appointments, ledger, settings
from db.models import OWNERS, InstrumentStatus
from pages.parts import basket, look, picker, tables, workplace
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page


def result(session: Any, made: Sequence[Any], account: Any) -> str:
    """What became of the instruments submitted: how many went where, and why the others wait."""
    places: Counter[str] = Counter()
    for appointment in made:
        filters = appointment_lines.Filters(appointment_id=appointment.id)
        for line in appointment_lines.page(session, filters, by=account, size=200):
            places[line.institution or f"待预约：{line.unassigned_reason}"] += 1
    listed = "；".join(f"{count} 台 {place}" for place, count in places.most_common())
    return f"已提交 {len(made)} 张预约单。{listed}"


signed_in(*OWNERS)
enterprise = workplace.chosen()
look.header(
    "新增预约单-选择器具",
    f"{enterprise.name}：点击“选择器具”从台账中挑选，勾选需要预约的器具，再点击“提交申请”。",
)
gathered = basket.ids(enterprise.id)
with st.container(horizontal=True, vertical_alignment="center"):
    if st.button("选择器具", icon=":material/playlist_add:", type="secondary" if gathered else "primary"):
        picker.pick(enterprise.id)
    is_cleared = st.button("清空", disabled=not gathered)
    st.page_link(page("appointments"), label="返回预约单记录查询", icon=":material/arrow_back:")
if is_cleared:
    basket.keep(enterprise.id)
    st.rerun()

with looking(*OWNERS) as (session, account):
    rows = ledger.chosen(session, gathered, by=account)
    size = settings.value(session, "lines_per_appointment")
ready = [row for row in rows if row.status == InstrumentStatus.in_use and row.line_status is None]
if gone := [row for row in rows if row.status != InstrumentStatus.in_use or row.line_status]:
    names = "、".join(f"{row.name} {row.serial_number}" for row in gone[:5])
    st.warning(look.plain(f"{names} 不在用，或已在办理中的预约单里，不能重复预约"), icon=":material/info:")
if not ready:
    look.empty("还没有选择器具，点击“选择器具”从台账中挑选")
    st.stop()

key = f"chosen-{hash(tuple(row.id for row in ready))}"
ticked = [
    row["id"]
    for row in tables.choosing(picker.shown(ready), picker.COLUMNS, key, "已选择的器具", is_all=True)
]
parts = -(-len(ticked) // size)
st.caption(
    f"已选择 {len(ready)} 台，将提交勾选的 {len(ticked)} 台"
    + (f"；超过 {size} 台，自动分成 {parts} 张预约单" if parts > 1 else "")
)
note = st.text_input("备注", max_chars=500, placeholder="例如希望的检定时间", key=f"note-{enterprise.id}")
if st.button("提交申请", type="primary", icon=":material/send:", disabled=not ticked):
    with acting(*OWNERS) as (session, account):
        made = appointments.submit(session, enterprise.id, ticked, by=account, note=note)
        said = result(session, made, account)
    look.flash(said)
    basket.keep(enterprise.id)
    if len(made) > 1:
        st.switch_page(page("appointments"))
    st.switch_page(page("receipt"), query_params={"id": str(made[0].id)})
