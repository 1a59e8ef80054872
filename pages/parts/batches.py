"""台账批次: what was done to many instruments at once, by whom, and taking it back as a whole."""

from typing import Any

import streamlit as st

from db import batches, instrument_fields, workflow
from db.models import OWNERS, BatchAction, BatchStatus, Role, Subject
from pages.parts import entry, import_start, ledger_words, look, tables
from pages.parts.account import acting, looking
from pages.parts.navigation import page

SIZE = 10
COLUMNS = {
    "created_at": "时间",
    "action": "操作",
    "status": "状态",
    "what": "内容",
    "result": "结果",
    "by_name": "操作人",
}
TOTALS = {"updated": "修改 {}", "unchanged": "未变 {}", "refused": "不能修改 {}"}
MODE = "batches"


def button() -> None:
    """From the ledger to its batches, which have an address of their own."""
    if st.button("批次", icon=":material/history:", width="stretch"):
        st.query_params.from_dict({"mode": MODE})
        st.rerun()


def is_asked() -> bool:
    """Whether the address asks for the batches."""
    return st.query_params.get("mode") == MODE


def draw(enterprise_id: int) -> None:
    """The list, by pages; the batch picked in it can be taken back."""
    toolbar, table = st.container(horizontal=True, vertical_alignment="center"), st.container()
    if toolbar.button("返回台账", icon=":material/arrow_back:"):
        entry.back()
    with looking(*OWNERS) as (session, account):
        total = batches.count(session, enterprise_id, by=account)
    if not total:
        look.empty("还没有批量修改或导入")
        return
    number = tables.pager(total, SIZE, f"batches-{enterprise_id}")
    with looking(*OWNERS) as (session, account):
        rows = batches.page(session, enterprise_id, by=account, number=number, size=SIZE)
    with table:
        key = f"batches-{enterprise_id}-{number}-{hash(tuple((row.id, row.status) for row in rows))}"
        shown = [{**row._mapping, **words(row), "row": row} for row in rows]
        picked = [row["row"] for row in tables.choosing(shown, COLUMNS, key, "台账批次", is_many=False)]
    with toolbar:
        _undo(picked[0] if picked else None, account.role)


def words(row: Any) -> dict[str, str]:
    """What a batch did, and how many instruments it met."""
    if row.action != BatchAction.set_together:
        return {"what": f"《{row.file_name}》", "result": import_start.summary(row.totals) or row.note}
    said = [text.format(f"{row.totals[name]:,}") for name, text in TOTALS.items() if row.totals.get(name)]
    field, value = row.options["field"], row.options["value"]
    what = f"{instrument_fields.LABELS[field]} → {ledger_words.value(field, value)}"
    return {"what": what, "result": "，".join(said)}


def _undo(row: Any, role: Role) -> None:
    steps = workflow.open_steps(Subject.batch, row.status, role) if row else []
    is_open = any(step.action == "undo" for step in steps)
    label = workflow.label_of(Subject.batch, "undo")
    if st.button(label, disabled=not is_open, icon=":material/undo:", help="先在下表中选择一批"):
        ask_to_undo(row, label)
    if row and row.status == BatchStatus.undone:
        st.caption("这一批已经撤回")
    if row and row.action != BatchAction.set_together:
        query = {"batch": str(row.id)}
        st.page_link(page("imports"), label="打开这次导入", icon=":material/open_in_new:", query_params=query)


def ask_to_undo(row: Any, label: str) -> None:
    """Say what taking a batch back means, and do it."""

    @st.dialog(label)
    def dialog() -> None:
        told = words(row)
        st.text(f"{row.action} {tables.text('', row.created_at)}\n{told['what']}\n{told['result']}")
        st.caption(
            "这一批修改过的器具恢复原来的内容，新增的器具从台账中删除。"
            "其中任何一台此后又有变动的，整批不撤回，并列出是哪些。"
        )
        if st.button(f"确定{label}", type="primary", key=f"undo-{row.id}"):
            with st.spinner("正在撤回，器具很多时需要等待 …"), acting(*OWNERS) as (session, account):
                undone = batches.undo(session, row.id, by=account)
            parts = [f"{undone.restored:,} 台器具已恢复原来的内容"] if undone.restored else []
            parts += [f"{undone.removed:,} 台新增的器具已删除"] if undone.removed else []
            look.flash("已撤回：" + "，".join(parts or ["没有需要恢复的器具"]))
            st.rerun()

    dialog()
