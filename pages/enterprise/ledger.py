"""强检器具台账维护: the enterprise's ledger as a list, and what can be done with what is picked in it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from db import instruments, ledger, workflow
from db.models import OWNERS, DeliveryMode, Enterprise, InstrumentStatus, Purpose, Role, Subject
from pages.parts import (
    basket,
    batches,
    entry,
    export,
    findings,
    ledger_grid,
    look,
    narrowing,
    set_together,
    tables,
    validity,
    workplace,
)
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

SIZE = 50
COLUMNS = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "validity": "有效期至",
    "status": "状态",
    "line_status": "预约",
    "kind": "器具种别",
    "specification": "型号规格",
    "location": "安装/使用地点",
    "division": "使用地点行政区划",
    "manufacturer": "生产厂家",
    "purpose": "器具用途",
    "delivery_mode": "送检方式",
}
STEPS = ("take_out_of_use", "store", "resume", "scrap")


def filters(enterprise: Enterprise, places: dict[str, str]) -> ledger.Filters:
    """The row of filters over the list; what they say is kept for the way back from other screens."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = narrowing.text("名称、型号、编号、厂家、地点", 260)
        due = narrowing.choice("due", "到期", ledger.DUE, 160)
        status = narrowing.choice("status", "状态", narrowing.named(InstrumentStatus), 130)
        with st.popover("更多筛选", icon=":material/filter_list:"):
            kind = narrowing.kind()
            purpose = narrowing.choice("purpose", "器具用途", narrowing.named(Purpose), 260)
            mode = narrowing.choice("delivery", "送检方式", narrowing.named(DeliveryMode), 260)
            place = narrowing.choice("division", "使用地点", places | {narrowing.NONE: "未填使用地点"}, 260)
            quality = narrowing.choice("quality", "数据质量", findings.LABELS, 260)
    wanted = {"text": text, "due": due, "status": status, "purpose": purpose, "delivery": mode}
    wanted |= {"quality": quality}
    if quality:
        findings.explain(quality)
    wanted |= {"division": place, "kind": next((str(id) for id in kind.values() if id), None)}
    st.session_state[entry.BACK] = {name: value for name, value in wanted.items() if value}
    return ledger.Filters(
        enterprise_id=enterprise.id,
        text=text,
        due=due,
        status=narrowing.member(InstrumentStatus, status),
        purpose=narrowing.member(Purpose, purpose),
        delivery_mode=narrowing.member(DeliveryMode, mode),
        quality=quality,
        is_placeless=place == narrowing.NONE,
        division_code=None if place == narrowing.NONE else place,
        **kind,
    )


def _page_asked() -> int:
    asked = st.query_params.get("page", "")
    return int(asked) if asked.isdecimal() and len(asked) < 10 else 1


def listing(enterprise: Enterprise) -> None:
    """The list with its filters over it and its pages under it."""
    look.header("强检器具台账维护", f"{enterprise.name}：如实登记在用的强检器具，登记即为依法备案。")
    ledger_grid.offer(enterprise.id)
    with looking(*OWNERS) as (session, account):
        places = ledger.places(session, enterprise.id, by=account)
    wanted = filters(enterprise, places)
    toolbar, table = st.container(horizontal=True, gap="xsmall"), st.container()
    with looking(*OWNERS) as (session, account):
        total = ledger.count(session, wanted, by=account)
        number = tables.pager(total, SIZE, f"ledger-pages-{hash(wanted)}", _page_asked()) if total else 1
        st.session_state[entry.BACK] |= {"page": str(number)} if number > 1 else {}
        rows = ledger.page(session, wanted, by=account, number=number, size=SIZE)
    picked = []
    with table:
        if rows:
            key = f"ledger-{hash(wanted)}-{number}-{hash(tuple(row.version for row in rows))}"
            shown = [{**row._mapping, "validity": validity.cell(row), "row": row} for row in rows]
            picked = [row["row"] for row in tables.choosing(shown, COLUMNS, key, "强检器具台账")]
        elif wanted == ledger.Filters(enterprise_id=enterprise.id):
            look.empty("台账还是空的，点击“新增”登记第一台器具")
        else:
            look.empty("没有符合条件的器具，请放宽筛选")
    with toolbar:
        buttons(account.role, enterprise.id, wanted, rows, picked)
        set_together.button(enterprise.id, wanted, picked, is_open=bool(rows))
        batches.button()


def buttons(
    role: Role, enterprise_id: int, wanted: ledger.Filters, rows: Sequence[Any], picked: Sequence[Any]
) -> None:
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
    if st.button("表格编辑", disabled=not rows, help="直接在表格中修改本页（或选中的）器具"):
        ledger_grid.open_with(enterprise_id, picked or rows)
        st.rerun()
    if st.button("预约所选", disabled=not free, icon=":material/event_available:"):
        basket.add(enterprise_id, [row.id for row in free])
        st.switch_page(page("new_appointment"))
    allowed = [
        {step.action for step in workflow.open_steps(Subject.instrument, s, role)}
        for s in {r.status for r in picked}
    ]
    for action in STEPS:
        label = workflow.label_of(Subject.instrument, action)
        is_open = bool(allowed) and all(action in actions for actions in allowed)
        if st.button(label, disabled=not is_open, key=f"step-{action}"):
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
