"""检定记录: the results the institution has recorded."""

import streamlit as st

from db import verifications
from db.models import Conclusion, Role
from pages.parts import look, tables
from pages.parts.account import looking, signed_in

SIZE = 50
COLUMNS = {
    "certificate_number": "证书（通知书）编号",
    "conclusion": "结论",
    "enterprise": "使用单位",
    "name": "器具名称",
    "serial_number": "出厂编号",
    "verified_on": "检定日期",
    "valid_until": "有效期至",
    "verification_type": "检定类别",
    "regulation": "检定依据",
    "verifier": "检定员",
    "checker": "核验员",
}

signed_in(Role.institution)
look.header("检定记录", "合格发检定证书，不合格发检定结果通知书。")
with st.container(horizontal=True, vertical_alignment="bottom"):
    text = st.text_input(
        "搜索", placeholder="编号、使用单位、器具、出厂编号", key="certificates-text", width=300
    )
    conclusion = st.segmented_control(
        "结论", list(Conclusion), format_func=lambda one: one.value, key="certificates-conclusion"
    )
key = f"certificates-{text}-{conclusion}"
with looking(Role.institution) as (session, clerk):
    number = st.session_state.get(f"{key}-pages", 1)
    rows, total = verifications.page(
        session, by=clerk, text=text, conclusion=conclusion, number=number, size=SIZE
    )
if not rows:
    look.empty("没有符合条件的检定记录" if text or conclusion else "还没有检定记录，登记结果后出现在这里")
    st.stop()
tables.listing(
    [{**row._mapping, **{f: row.snapshot[f] for f in ("name", "serial_number")}} for row in rows],
    COLUMNS,
    "检定记录",
)
tables.pager(total, SIZE, f"{key}-pages")
