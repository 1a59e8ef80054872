"""首页 of an enterprise: what waits today."""

import streamlit as st

from db import appointments, board, clock
from db.models import OWNERS, LineStatus
from pages.parts import look, tables, tiles, workplace
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page
from pages.parts.tiles import Tile

PLANNED = {
    "planned_from": "约定日期",
    "name": "器具",
    "serial_number": "出厂编号",
    "delivery_mode": "送检方式",
    "institution": "技术机构",
    "institution_telephone": "电话",
}

signed_in(*OWNERS)
enterprise = workplace.chosen()
look.header(f"{enterprise.name}", f"今天是 {clock.today():%Y年%m月%d日}")

with looking(*OWNERS) as (session, account):
    validity = board.validity(session, by=account, enterprise_id=enterprise.id)
    counts = board.by_status(session, by=account, enterprise_id=enterprise.id)
    accepted = appointments.lines(
        session,
        appointments.Filters(enterprise_id=enterprise.id, statuses=(LineStatus.accepted,)),
        by=account,
        size=20,
    )

if not validity.in_use:
    look.empty("台账还是空的。先登记在用的强检器具，再预约检定", page("ledger"), "去登记器具")
    st.stop()

st.subheader("需要检定的器具", anchor=False)
tiles.row(
    [
        Tile("已超期，不得使用", validity.overdue, "ledger", {"due": "overdue"}, True),
        Tile("检定不合格", validity.rejected, "ledger", {"due": "rejected"}, True),
        Tile("30 天内到期", validity.within_30, "ledger", {"due": "30"}),
        Tile("60 天内到期", validity.within_60, "ledger", {"due": "60"}),
        Tile("90 天内到期", validity.within_90, "ledger", {"due": "90"}),
        Tile("未填有效期", validity.missing, "ledger", {"due": "missing"}),
    ]
)
rate = f"{validity.rate:.1%}" if validity.rate is not None else "—"
st.caption(f"在用 {validity.in_use:,} 台，受检率 {rate}")

st.subheader("办理中的预约", anchor=False)
tiles.row(
    [
        Tile("待预约（尚未分配机构）", counts[LineStatus.unassigned], "appointments", {}, True),
        Tile("待受理，可以送检", counts[LineStatus.assigned], "appointments"),
        Tile("已受理，按约送检", counts[LineStatus.accepted], "appointments"),
        Tile("检定中", counts[LineStatus.in_verification], "appointments"),
        Tile("不予受理", counts[LineStatus.declined], "appointments"),
    ]
)
if accepted:
    st.subheader("约定的日期", anchor=False)
    rows = sorted(accepted, key=lambda line: (line.planned_from is None, line.planned_from, line.id))
    tables.listing([{**line._mapping, **line.snapshot} for line in rows], PLANNED, "约定的日期")
with st.container(horizontal=True):
    st.page_link(page("new_appointment"), label="新增预约单", icon=":material/add_task:")
    st.page_link(page("ledger"), label="强检器具台账维护", icon=":material/inventory_2:")
