"""器具详情: one instrument with its results, its appointments and every change."""

from typing import Any

import streamlit as st

from db import appointment_lines, corrections, history, ledger, verifications
from db.instrument_fields import LABELS
from db.models import OWNERS, CorrectionStatus, InstrumentStatus, Role
from pages.parts import basket, booked, correction, entry, ledger_words, look, tables, validity
from pages.parts import history as records
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

READERS = (*OWNERS, Role.supervisor, Role.reviewer)
RESULTS = {
    "certificate_number": "证书（通知书）编号",
    "conclusion": "结论",
    "verification_type": "检定类别",
    "verified_on": "检定日期",
    "valid_until": "有效期至",
    "institution": "技术机构",
    "regulation": "检定依据",
    "verifier": "检定员",
    "checker": "核验员",
    "remark": "备注",
}
LINES = {
    "number": "预约单号",
    "status": "流程状态",
    "institution": "技术机构",
    "plan": "约定日期",
    "advice": "说明",
    "submitted_at": "申请时间",
}

LOCKED = "有效期至保存后不可修改，确有错误时在此申请，由监管人员审批"
ALREADY = "已有一份更正申请等待审批，见下方“更正申请”"


def facts(row: Any) -> dict[str, str]:
    """Every field of the guide under its name, in the guide's order."""
    values = {field: getattr(row, field) for field in LABELS}
    found = {LABELS[field]: ledger_words.value(field, value) for field, value in values.items()}
    first = {label: found.pop(label) for label in ("器具名称", "器具类型")}
    return first | {"器具项别": row.category or ledger_words.EMPTY} | found | {"使用单位": row.enterprise}


def tools(row: Any, has_request: bool) -> None:
    """What the owner can do from here; `has_request` while a correction waits for its answer."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("修改", disabled=row.status == InstrumentStatus.scrapped, icon=":material/edit:"):
            st.switch_page(page("ledger"), query_params={"mode": "edit", "id": str(row.id)})
        if st.button("复制", icon=":material/content_copy:"):
            st.switch_page(page("ledger"), query_params={"mode": "copy", "id": str(row.id)})
        is_free = row.status == InstrumentStatus.in_use and row.line_status is None
        if st.button("预约检定", disabled=not is_free, icon=":material/event_available:"):
            basket.add(row.enterprise_id, [row.id])
            st.switch_page(page("new_appointment"))
        is_fixed = row.valid_until is None or row.status == InstrumentStatus.scrapped
        if st.button(
            "申请更正",
            disabled=is_fixed or has_request,
            icon=":material/edit_calendar:",
            help=ALREADY if has_request else LOCKED,
        ):
            correction.ask(row)
        query = st.session_state.get(entry.BACK, {})
        st.page_link(page("ledger"), label="返回台账", icon=":material/arrow_back:", query_params=query)


reader = signed_in(*READERS)
asked = st.query_params.get("id", "")
if not asked.isdecimal() or len(asked) > 9:
    look.empty("请先在台账中选中一台器具，再点击“详情”")
    st.stop()

with looking(*READERS) as (session, account):
    row = ledger.find(session, int(asked), by=account)
    changes = history.of_instrument(session, row.id, by=account)
    results, _ = verifications.page(session, by=account, instrument_id=row.id)
    booking = booked.found(session, appointment_lines.Filters(instrument_id=row.id), by=account)
    requests = corrections.page(session, by=account, instrument_id=row.id)

look.header(f"{row.name} {row.serial_number}")
with st.container(horizontal=True):
    st.markdown(look.badge(row.status.value), width="content")
    st.markdown(look.badge(validity.state(row)), width="content")
    if row.line_status:
        st.markdown(f"预约：{look.badge(row.line_status.value)}", width="content")
if reader.role in OWNERS:
    tools(row, any(one.status == CorrectionStatus.requested for one in requests))

with st.container(border=True), st.grid(4, min_column_width=140, gap="small"):
    for label, value in facts(row).items():
        with st.container(gap="xxsmall"):
            st.caption(label)
            st.text(value)

st.subheader("检定结果", anchor=False)
if results:
    tables.listing(results, RESULTS, "检定结果")
else:
    st.caption("还没有检定结果")

st.subheader("预约记录", anchor=False)
if booking:
    picked = booked.picked(booking[::-1], LINES, f"booking-{row.id}", "预约记录", is_many=False)
    for line in picked if reader.role != Role.reviewer else []:
        query = {"id": str(line.appointment_id)}
        st.page_link(
            page("receipt"),
            label=f"查看预约单 {line.number}",
            icon=":material/receipt_long:",
            query_params=query,
        )
else:
    st.caption("还没有预约")

if requests:
    st.subheader("更正申请", anchor=False)
    for one in requests:
        correction.show(one)
        if reader.role in OWNERS:
            correction.withdraw(one)

st.subheader("变更历史", anchor=False)
records.draw(changes, row.version if reader.role in OWNERS else None)
