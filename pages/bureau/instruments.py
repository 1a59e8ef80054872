"""器具台账: the instruments used in the area, to read."""

import streamlit as st

from db import ledger
from db.models import DeliveryMode, InstrumentStatus, Purpose, Role
from pages.parts import export, findings, look, narrowing, tables
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

SIZE = 50
WATCHERS = (Role.supervisor, Role.reviewer)
COLUMNS = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "enterprise": "使用单位",
    "kind": "器具种别",
    "specification": "型号规格",
    "valid_until": "有效期至",
    "conclusion": "结论",
    "status": "状态",
    "line_status": "预约",
    "division": "使用地点",
    "location": "安装/使用地点",
    "purpose": "器具用途",
    "delivery_mode": "送检方式",
}

signed_in(*WATCHERS)
look.header("器具台账", "辖区内登记的强检器具，只供查看。选中一行可打开详情。")
with looking(*WATCHERS) as (session, account):
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = narrowing.text("单位、名称、型号、编号、厂家", width=260)
        due = narrowing.choice("due", "有效期", ledger.DUE, width=150)
        status = narrowing.choice("status", "状态", narrowing.named(InstrumentStatus), width=110)
        place = narrowing.place(account)
        kind = narrowing.kind()
        purpose = narrowing.choice("purpose", "用途", narrowing.named(Purpose), width=130)
        mode = narrowing.choice("mode", "送检方式", narrowing.named(DeliveryMode), width=120)
        quality = narrowing.choice("quality", "数据质量", findings.LABELS, width=170)
    wanted = ledger.Filters(
        text=text,
        due=due,
        status=narrowing.member(InstrumentStatus, status),
        purpose=narrowing.member(Purpose, purpose),
        delivery_mode=narrowing.member(DeliveryMode, mode),
        quality=quality,
        **place,
        **kind,
    )
    total = ledger.count(session, wanted, by=account)
    if not total:
        look.empty("没有符合条件的器具，请放宽筛选")
        st.stop()
    key = f"instruments-{hash(wanted)}"
    number = tables.pager(total, SIZE, f"{key}-pages")
    rows = ledger.page(session, wanted, by=account, number=number, size=SIZE)

export.popover(wanted)
picked = tables.choosing(rows, COLUMNS, f"{key}-{number}-{rows[0].id}", "器具台账", is_many=False)
for row in picked:
    label = look.plain(f"{row.name} {row.serial_number} 的详情")
    query = {"id": str(row.id)}
    st.page_link(page("instrument"), label=label, query_params=query, icon=":material/straighten:")
