"""更正申请: what an owner has asked to correct, and the answers."""

import streamlit as st

from db import corrections
from db.models import OWNERS, CorrectionStatus
from pages.parts import correction, look, narrowing, tables, workplace
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

SIZE = 50

signed_in(*OWNERS)
enterprise = workplace.chosen()
look.header("更正申请", f"{enterprise.name}：有效期至保存后不可修改，确有错误时在器具详情中“申请更正”。")
with looking(*OWNERS) as (session, account):
    counts = corrections.counts(session, by=account, enterprise_id=enterprise.id)
    total = sum(counts.values())
    if not total:
        look.empty(
            "还没有更正申请。在台账中选中一台器具，打开“详情”，可以“申请更正”", page("ledger"), "去台账"
        )
        st.stop()
    chosen = st.pills(
        "状态",
        [status for status in CorrectionStatus if counts[status]],
        default=CorrectionStatus.__members__.get(st.query_params.get("status", "")),
        format_func=lambda one: f"{one} {counts[one]:,}",
        key=f"corrections?{narrowing.signature()}",
        label_visibility="collapsed",
    )
    key = f"corrections-{enterprise.id}-{chosen}"
    number = tables.pager(counts[chosen] if chosen else total, SIZE, f"{key}-pages")
    rows = corrections.page(
        session, by=account, status=chosen, enterprise_id=enterprise.id, number=number, size=SIZE
    )

listed = [correction.shown(row) for row in rows]
key += f"-{number}-{hash(tuple((row.id, row.status) for row in rows))}"
picked = tables.choosing(listed, correction.COLUMNS, key, "更正申请", is_many=False, widths=correction.WIDTHS)
for one in picked:
    row = one["row"]
    correction.show(row)
    is_over = row.status in (CorrectionStatus.declined, CorrectionStatus.withdrawn)
    label = "打开器具详情，可再次申请" if is_over else "打开器具详情"
    query = {"id": str(row.instrument_id)}
    with st.container(horizontal=True, vertical_alignment="center"):
        correction.withdraw(row)
        st.page_link(page("instrument"), label=label, icon=":material/straighten:", query_params=query)
if not picked:
    st.caption("选中一行，查看附件和审批意见")
