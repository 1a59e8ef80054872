"""首页 of an institution: what waits today."""

import streamlit as st

from db import board, clock, institutions, sign_ins
from db.models import LineStatus, Role
from pages.parts import look, tables, tiles
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page
from pages.parts.tiles import Tile

COLUMNS = {
    "division": "授权区域",
    "category": "项别",
    "kind": "种别",
    "valid_until": "有效期止",
    "days_left": "剩余天数",
}

signed_in(Role.institution)
with looking(Role.institution) as (session, clerk):
    name = sign_ins.workplace(session, clerk)
    counts = board.by_status(session, by=clerk)
    late = board.late(session, by=clerk)
    expiring = institutions.authorizations(session, by=clerk, expiring_within=90)

look.header(name, f"今天是 {clock.today():%Y年%m月%d日}")
tiles.row(
    [
        Tile("待受理", counts[LineStatus.assigned], "acceptance"),
        Tile("受理超时", late["answer"], "acceptance", {"late": "answer"}, True),
        Tile("已受理", counts[LineStatus.accepted], "verification"),
        Tile("约定日期已过", late["visit"], "verification", {"late": "visit"}, True),
        Tile("检定中", counts[LineStatus.in_verification], "verification", {"tab": "begun"}),
        Tile(
            "检定超期", late["verification"], "verification", {"tab": "begun", "late": "verification"}, True
        ),
        Tile("已完成", counts[LineStatus.completed], "certificates"),
    ]
)
if not sum(counts.values()):
    look.empty("还没有指派给本机构的器具。有新的预约时，会出现在“预约受理”中")
if expiring:
    st.subheader("90 天内到期或已过期的授权", anchor=False)
    st.caption("授权过期后不再指派新任务，请及时联系监管部门办理延续。")
    rows = [{**row.__dict__, "kind": row.kind or "（整个项别）"} for row in expiring]
    tables.listing(rows, COLUMNS, "即将到期的授权")
with st.container(horizontal=True):
    st.page_link(page("acceptance"), label="预约受理", icon=":material/inbox:")
    st.page_link(page("verification"), label="检定与结果", icon=":material/fact_check:")
