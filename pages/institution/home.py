"""首页 of an institution: what waits today."""

import streamlit as st

from db import appointment_lines, authorizations, board, clock, sign_ins, workdays
from db.models import LineStatus, Role
from pages.parts import authorization_form, lines, look, tables, tiles
from pages.parts.account import looking, signed_in
from pages.parts.tiles import Tile

TO_FINISH = {
    "left": "剩余",
    "due": "检定时限",
    "name": "器具名称",
    "serial_number": "出厂编号",
    "enterprise": "使用单位",
    "delivery_mode": "送检方式",
}
GRANTED = {
    "division": "授权区域",
    "category": "项别",
    "kind": "种别",
    "valid_until": "有效期止",
    "left": "剩余",
}
BEGUN = appointment_lines.Filters(statuses=(LineStatus.in_verification,))
TODAY = appointment_lines.Filters(statuses=(LineStatus.accepted,), planned_on=clock.today())

signed_in(Role.institution)
with looking(Role.institution) as (session, clerk):
    name = sign_ins.workplace(session, clerk)
    counts = board.by_status(session, by=clerk)
    late = board.late(session, by=clerk)
    agreed_today = appointment_lines.count(session, TODAY, by=clerk)
    begun = appointment_lines.page(session, BEGUN, by=clerk, size=8, is_by_deadline=True)
    limit = workdays.limit(session)
    expiring = authorizations.page(session, by=clerk, expiring_within=90)

look.header(name, f"今天是 {clock.today():%Y年%m月%d日}")
if not sum(counts.values()):
    look.empty("还没有指派给本机构的器具。有新的预约时，会出现在“预约受理”中")
begun_tab = {"tab": "begun"}
tiles.row(
    [
        Tile("待受理", counts[LineStatus.assigned], "acceptance"),
        Tile("受理超时", late["answer"], "acceptance", {"late": "answer"}, True),
        Tile("约定今天", agreed_today, "verification", {"late": "today"}),
        Tile("约定日期已过", late["visit"], "verification", {"late": "visit"}, True),
        Tile("已受理", counts[LineStatus.accepted], "verification"),
        Tile("检定中", counts[LineStatus.in_verification], "verification", begun_tab),
        Tile("检定超期", late["verification"], "verification", begun_tab | {"late": "verification"}, True),
        Tile("已完成", counts[LineStatus.completed], "certificates"),
    ],
    most=4,
)
if begun:
    st.subheader("最先到期的检定", anchor=False)
    shown = [lines.shown(line, limit) for line in begun]
    tables.listing(shown, TO_FINISH, "最先到期的检定")
    lines.estimate(shown)
if expiring:
    st.subheader("90 天内到期或已过期的授权", anchor=False)
    st.caption("授权过期后不再指派新任务，请及时联系监管部门办理延续。")
    granted = [
        {**row.__dict__, "kind": row.kind or "（整个项别）", "left": authorization_form.left(row.days_left)}
        for row in expiring
    ]
    tables.listing(granted, GRANTED, "即将到期的授权")
