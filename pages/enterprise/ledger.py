"""强检器具台账维护: the enterprise's ledger as a list, and what can be done with what is picked in it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from db import instruments, ledger, saved_views, workflow
from db.engine import Session
from db.models import OWNERS, Account, Enterprise, InstrumentStatus, Role, Subject
from pages.parts import (
    basket,
    batches,
    entry,
    export,
    findings,
    ledger_filters,
    ledger_grid,
    ledger_words,
    look,
    narrowing,
    paging,
    set_together,
    tables,
    validity,
    views,
    workplace,
)
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

SIZE = 50
PLACE = "ledger"
MANY = (
    "表格编辑：逐格修改选中的器具，没有选中时为本页。  \n"
    "批量修改：选中的或筛选出的全部器具，一项内容改成同一个值。  \n"
    "批次：以上修改和导入的记录，可整批撤回。"
)
STEPS = ("take_out_of_use", "store", "resume", "scrap")


def divisions(session: Session, account: Account, enterprise_id: int) -> str | None:
    """The box over the divisions that occur in the ledger."""
    used = ledger.places(session, enterprise_id, by=account)
    return narrowing.division_in_use(session, used, ledger_filters.WIDTH)


def listing(enterprise: Enterprise) -> None:
    """The list with its filters over it and its pages under it."""
    look.header("强检器具台账维护", f"{enterprise.name}：如实登记在用的强检器具，登记即为依法备案。")
    with looking(*OWNERS) as (session, account):
        ledger_grid.offer(session, account, enterprise.id)
        shown = views.Views(session, PLACE, account)
        before = st.query_params.to_dict()
        with st.container(horizontal=True, vertical_alignment="bottom"):
            place = {"division": lambda: divisions(session, account, enterprise.id)}
            asked = ledger_filters.draw(PLACE, "名称、型号、编号、厂家、地点", {}, place)
            shown.draw(asked)
        narrowing.tell_unused(asked.get("text", ""))
        if finding := asked.get("quality"):
            findings.explain(finding)
        wanted = replace(saved_views.read_filters(PLACE, asked), enterprise_id=enterprise.id)
        leaf, total = paging.read(session, PLACE, wanted, before, asked, by=account, size=SIZE)
    st.session_state[entry.BACK] = narrowing.keep(asked | shown.named() | paging.named(leaf.spot))
    toolbar = st.container(horizontal=True, gap="xsmall", key="ledger-toolbar")
    table = st.container(key="ledger-table")
    picked = []
    with table:
        if leaf.rows:
            paging.tell(leaf, total, SIZE)
            picked = pick(leaf.rows, shown.columns)
            paging.draw(PLACE, leaf, total, SIZE)
        elif asked:
            look.empty("没有符合条件的器具，请放宽筛选")
        else:
            look.empty("台账还是空的，点击“新增”登记第一台器具")
    with toolbar:
        buttons(account.role, enterprise.id, wanted, picked)
        with st.popover("批量操作", key="ledger-many"):
            at_once(enterprise.id, wanted, leaf.rows, picked)


def pick(rows: Sequence[Any], columns: Sequence[str]) -> list[Any]:
    """The table; the rows ticked in it."""
    key = f"ledger-{hash(tuple((row.id, row.version) for row in rows))}-{'-'.join(columns)}"
    drawn = [{**row._mapping, "validity": validity.cell(row), "row": row} for row in rows]
    labels = {field: ledger_words.COLUMNS[field] for field in columns}
    return [row["row"] for row in tables.choosing(drawn, labels, key, "强检器具台账")]


def buttons(role: Role, enterprise_id: int, wanted: ledger.Filters, picked: Sequence[Any]) -> None:
    """The toolbar; what needs rows picked stays closed until they are."""
    one = picked[0].id if len(picked) == 1 else 0
    is_fixed = bool(one) and picked[0].status == InstrumentStatus.scrapped
    free = [row for row in picked if row.status == InstrumentStatus.in_use and row.line_status is None]
    if st.button("新增", type="primary", icon=":material/add:"):
        entry.go("new")
    if st.button("导入", icon=":material/upload:"):
        st.switch_page(page("imports"))
    export.popover(wanted, is_editable=True)
    if st.button("复制", disabled=not one):
        entry.go("copy", one)
    if st.button("修改", disabled=not one or is_fixed):
        entry.go("edit", one)
    if st.button("详情", disabled=not one):
        st.switch_page(page("instrument"), query_params={"id": str(one)})
    if st.button("预约所选", disabled=not free, icon=":material/event_available:"):
        basket.add(enterprise_id, [row.id for row in free])
        st.switch_page(page("new_appointment"))
    with st.popover("变更状态", disabled=not picked):
        steps(role, picked)


def at_once(enterprise_id: int, wanted: ledger.Filters, rows: Sequence[Any], picked: Sequence[Any]) -> None:
    """What is done to many instruments together, and what was."""
    st.caption(MANY)
    if st.button("表格编辑", disabled=not rows, icon=":material/table_edit:", width="stretch"):
        ledger_grid.open_with(enterprise_id, picked or rows)
    set_together.button(enterprise_id, wanted, picked, is_open=bool(rows))
    batches.button()


def steps(role: Role, picked: Sequence[Any]) -> None:
    """停用, 封存 and so on: each open where all that is picked may take it."""
    allowed = [
        {step.action for step in workflow.open_steps(Subject.instrument, s, role)}
        for s in {r.status for r in picked}
    ]
    for action in STEPS:
        label = workflow.label_of(Subject.instrument, action)
        is_open = bool(allowed) and all(action in actions for actions in allowed)
        if st.button(label, disabled=not is_open, key=f"step-{action}", width="stretch"):
            ask(action, label, picked)


def ask(action: str, label: str, picked: Sequence[Any]) -> None:
    """Ask for the reason, then take the step."""

    @st.dialog(f"{label} {len(picked)} 台器具")
    def dialog() -> None:
        names = "、".join(f"{row.name} {row.serial_number}" for row in picked[:5])
        st.text(names + (f" 等 {len(picked)} 台" if len(picked) > 5 else ""))
        reason = st.text_input("理由", max_chars=500, key=f"reason-{action}-{picked[0].id}")
        if st.button(f"确定{label}", type="primary", key=f"do-{action}"):
            with acting(*OWNERS) as (session, account):
                ids = [row.id for row in picked]
                instruments.change_status(session, ids, action, by=account, reason=reason)
            look.flash(f"已{label} {len(picked)} 台器具")
            st.rerun()

    dialog()


signed_in(*OWNERS)
chosen = workplace.chosen()
if asked := entry.asked():
    entry.draw(*asked, chosen)
elif ledger_grid.is_open(chosen.id):
    look.header("强检器具台账维护", f"{chosen.name} · 表格编辑")
    ledger_grid.draw(chosen.id)
elif batches.is_asked():
    look.header("台账批次", f"{chosen.name}：批量修改和导入的记录，可以整批撤回。")
    batches.draw(chosen.id)
else:
    listing(chosen)
