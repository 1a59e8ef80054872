"""预约单记录查询: the appointments of the enterprise, by 预约单 or by instrument."""

import streamlit as st

from db import appointment_lines, appointment_pages
from db.models import OWNERS, Enterprise, LineStatus
from pages.parts import booked, look, narrowing, tables, workplace
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

SIZE = 20
APPOINTMENTS = {
    "number": "预约单号",
    "submitted_at": "申请时间",
    "line_count": "器具数",
    "summary": "流程状态",
    "submitted_by": "申请人",
    "note": "备注",
}
LINES = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "status": "流程状态",
    "institution": "技术机构",
    "plan": "约定日期",
    "advice": "说明",
    "number": "预约单号",
    "submitted_at": "申请时间",
}
OPENNESS = {"open": "办理中", "done": "已办结"}
NOTHING = "没有符合条件的预约，请放宽条件"
REBOOK = "rebook"
STATUSES = narrowing.named(LineStatus) | {REBOOK: "需重新预约"}
VIEWS = {"appointments": "按预约单", "lines": "按器具"}


def by_appointment(enterprise: Enterprise, text: str, state: str | None) -> list[int]:
    """预约单 to pick from; the id of the one picked."""
    key = f"appointments-{enterprise.id}-{text}-{state}"
    number = st.session_state.get(f"{key}-pages", 1)
    with looking(*OWNERS) as (session, account):
        rows, total = appointment_pages.page(
            session,
            by=account,
            enterprise_id=enterprise.id,
            text=text,
            is_open=None if state is None else state == "open",
            number=number,
            size=SIZE,
        )
    if not total:
        look.empty(NOTHING if text or state else "还没有预约单，点击“新增”选择要预约的器具")
        return []
    newest = rows[0].id if rows else 0
    picked = tables.choosing(rows, APPOINTMENTS, f"{key}-{number}-{newest}", "预约单", is_many=False)
    tables.pager(total, SIZE, f"{key}-pages")
    return [row.id for row in picked]


def by_instrument(enterprise: Enterprise, text: str, chosen: str | None) -> list[int]:
    """Instruments with their progress to pick from; the id of the 预约单 of the one picked."""
    wanted = appointment_lines.Filters(
        enterprise_id=enterprise.id,
        text=text,
        statuses=(LineStatus[chosen],) if chosen and chosen != REBOOK else (),
        is_to_rebook=chosen == REBOOK,
    )
    key, table = f"lines-{hash(wanted)}", st.container()
    with looking(*OWNERS) as (session, account):
        total = appointment_lines.count(session, wanted, by=account)
        number = tables.pager(total, SIZE, f"{key}-pages") if total else 1
        rows = booked.found(session, wanted, by=account, number=number, size=SIZE)
    if not total:
        look.empty(NOTHING)
        return []
    with table:
        picked = booked.picked(rows, LINES, f"{key}-{number}", "预约的器具", is_many=False)
    return [line.appointment_id for line in picked]


signed_in(*OWNERS)
enterprise = workplace.chosen()
look.header("预约单记录查询", f"{enterprise.name}：新增预约单，或选中一张查看预约单详情和回执信息。")

with st.container(horizontal=True, vertical_alignment="bottom"):
    if st.button("新增", type="primary", icon=":material/add:"):
        st.switch_page(page("new_appointment"))
    detail = st.container(width="content")
    view = st.segmented_control(
        "查看方式",
        list(VIEWS),
        default="lines" if "status" in st.query_params else "appointments",
        required=True,
        format_func=lambda one: VIEWS[one],
        key=f"view?{narrowing.signature()}",
    )
    text = narrowing.text("预约单号" if view == "appointments" else "预约单号、器具、出厂编号", 240)
    if view == "appointments":
        chosen = narrowing.choice("state", "办理情况", OPENNESS, 140)
    else:
        chosen = narrowing.choice("status", "流程状态", STATUSES, 140)

picked = (by_appointment if view == "appointments" else by_instrument)(enterprise, text, chosen)
if detail.button("预约单详情", disabled=not picked, icon=":material/receipt_long:"):
    st.switch_page(page("receipt"), query_params={"id": str(picked[0])})
