"""器具详情: one instrument with its results and every change."""

from typing import Any

import streamlit as st

from db import clock, instruments, verifications
from db.models import OWNERS, Conclusion, InstrumentStatus, Role
from pages.parts import choices, look, tables
from pages.parts.account import looking, signed_in

SEEN_BY = (*OWNERS, Role.supervisor, Role.reviewer)
RESULTS = {
    "certificate_number": "证书（通知书）编号",
    "conclusion": "结论",
    "verification_type": "检定类别",
    "verified_on": "检定日期",
    "valid_until": "有效期至",
    "institution": "技术机构",
    "regulation": "检定依据",
}
LABELS = instruments.LABELS | {"status": "状态", "verified_on": "检定日期", "conclusion": "结论"}


def validity(row: Any) -> str:
    """The word for where the instrument stands with its certificate."""
    if row.conclusion == Conclusion.rejected:
        return "不合格"
    if row.valid_until is None:
        return "未填有效期"
    days = (row.valid_until - clock.today()).days
    return "已超期" if days < 0 else "即将到期" if days <= 30 else "有效"


def value(field: str, stored: Any) -> str:
    """A stored value in words: names for keys of other tables, Chinese for members of lists."""
    if stored in (None, ""):
        return "（空）"
    if field == "kind_id":
        return next((kind.name for kind in choices.kinds() if kind.id == stored), str(stored))
    if field == "division_code":
        division = choices.tree().rows.get(stored)
        return division.full_name if division else str(stored)
    lists = instruments.CHOICES | {"status": InstrumentStatus, "conclusion": Conclusion}
    return lists[field][stored].value if field in lists else str(stored)


signed_in(*SEEN_BY)
asked = st.query_params.get("id", "")
if not asked.isdecimal():
    look.empty("请先在台账中选中一台器具，再点击“详情”")
    st.stop()

with looking(*SEEN_BY) as (session, account):
    row = instruments.find(session, int(asked), by=account)
    changes = instruments.history(session, row.id, by=account)
    results, _ = verifications.page(session, by=account, instrument_id=row.id)

look.header(row.name)
with st.container(horizontal=True):
    st.markdown(look.badge(row.status.value), width="content")
    st.markdown(look.badge(validity(row)), width="content")
    if row.line_status:
        st.markdown("预约：" + look.badge(row.line_status.value), width="content")

with st.container(border=True):
    facts = {
        "器具项别": row.category,
        "器具种别": row.kind,
        "使用单位": row.enterprise,
        "使用地点行政区划": row.division,
    }
    facts |= {
        label: tables.text(field, getattr(row, field))
        for field, label in instruments.LABELS.items()
        if field not in ("name", "kind_id", "division_code", "instrument_type")
    }
    columns = st.columns(3)
    for index, (label, text) in enumerate(facts.items()):
        with columns[index % 3]:
            st.caption(label)
            st.text(str(text or "—"))

st.subheader("检定结果", anchor=False)
if results:
    tables.listing(results, RESULTS, "检定结果")
else:
    st.caption("还没有检定结果")

st.subheader("变更历史", anchor=False)
for change in changes:
    with st.container(border=True, gap="xxsmall"):
        who = " ".join(filter(None, (change.by_role or "系统", change.by_name)))
        st.markdown(f"**{look.plain(change.action)}** · {tables.text('at', change.at)} · {look.plain(who)}")
        for field, (old, new) in change.changes.items():
            st.text(f"{LABELS.get(field, field)}：{value(field, old)} → {value(field, new)}")
        if change.note:
            st.caption(look.plain(change.note))
if not changes:
    st.caption("还没有变更记录")
