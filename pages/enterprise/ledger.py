"""强检器具台账维护: the enterprise's ledger, its list and its form."""

import streamlit as st

from db import instruments, workflow
from db.models import OWNERS, InstrumentStatus, Purpose, Subject
from pages.parts import choices, instrument_form, ledger_grid, look, tables, workplace
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

SIZE = 50
COLUMNS = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "kind": "器具种别",
    "valid_until": "有效期至",
    "status": "状态",
    "line_status": "预约",
    "specification": "型号规格",
    "location": "安装/使用地点",
    "division": "使用地点",
    "manufacturer": "生产厂家",
    "purpose": "器具用途",
    "delivery_mode": "送检方式",
}
TITLES = {"new": "器具新增", "copy": "器具复制", "edit": "器具修改"}

signed_in(*OWNERS)
enterprise = workplace.chosen()


def form(mode: str, instrument_id: int | None) -> None:
    """The guide's form, until 确定 or 关闭."""
    look.header(TITLES[mode], enterprise.name)
    start = {"division_code": enterprise.division_code}
    version = 0
    if instrument_id is not None:
        with looking(*OWNERS) as (session, account):
            row = instruments.find(session, instrument_id, by=account)
        start, version = instrument_form.start_of(row, is_copy=mode == "copy"), row.version
    key = f"{mode}-{instrument_id}"
    typed = instrument_form.draw(key, start)
    instrument_form.notes()
    is_sure = instrument_form.confirmations(typed, start, key)
    is_twin = mode != "edit" and st.session_state.get(f"{key}-twin", False)
    is_confirmed = is_twin and st.checkbox("确认不是重复录入", key=f"{key}-confirmed")
    with st.container(horizontal=True):
        is_saved = st.button("确定", type="primary", key=f"{key}-save", disabled=not is_sure)
        is_closed = st.button("关闭", key=f"{key}-close")
    if is_closed:
        back()
    if is_saved:
        if mode != "edit":
            with looking(*OWNERS) as (session, account):
                st.session_state[f"{key}-twin"] = is_alike(session, typed)
        with acting(*OWNERS) as (session, account):
            if mode == "edit":
                instruments.edit(session, instrument_id, version, typed, by=account)
            else:
                instruments.add(
                    session,
                    enterprise.id,
                    typed,
                    by=account,
                    is_duplicate_confirmed=is_confirmed,
                    copied_from=instrument_id,
                )
        st.session_state.pop(f"{key}-twin", None)
        look.flash(f"已保存 {typed['name']} {typed['serial_number']}")
        back()


def is_alike(session, typed) -> bool:
    """Whether the ledger has such an instrument already, so that the form asks for a confirmation."""
    values = {
        field: (typed[field] or "").strip() for field in ("serial_number", "manufacturer", "specification")
    }
    return bool(instruments.twins(session, values, enterprise.id))


def back() -> None:
    """To the list; the widgets of the form are forgotten with it."""
    st.query_params.clear()
    st.rerun()


def go(mode: str, instrument_id: int | None = None) -> None:
    """To the form."""
    st.query_params.from_dict({"mode": mode} | ({"id": str(instrument_id)} if instrument_id else {}))
    st.rerun()


def filters() -> instruments.Filters:
    """The row of filters over the list."""
    asked = st.query_params
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("搜索", placeholder="名称、型号、编号、厂家、地点", key="ledger-text", width=280)
        due = st.selectbox(
            "到期",
            [None, *instruments.DUE],
            index=[None, *instruments.DUE].index(
                asked.get("due") if asked.get("due") in instruments.DUE else None
            ),
            format_func=lambda one: instruments.DUE.get(one, "全部"),
            key="ledger-due",
            width=150,
        )
        status = st.selectbox(
            "状态",
            [None, *InstrumentStatus],
            index=1 if asked.get("due") else 0,
            format_func=lambda one: one.value if one else "全部",
            key="ledger-status",
            width=120,
        )
        with st.popover("更多筛选", icon=":material/filter_list:"):
            known = {row.category_id: row.category for row in choices.kinds()}
            category_id = st.selectbox(
                "器具项别",
                [None, *known],
                format_func=lambda one: known.get(one, "全部"),
                key="ledger-category",
            )
            purpose = st.selectbox(
                "器具用途",
                [None, *Purpose],
                format_func=lambda one: one.value if one else "全部",
                key="ledger-purpose",
            )
    return instruments.Filters(
        enterprise_id=enterprise.id,
        text=text,
        due=due,
        status=status,
        category_id=category_id,
        purpose=purpose,
    )


def change(picked, actions) -> None:
    """停用, 封存, 恢复在用, 报废: those the table allows for everything picked."""
    for step in actions:
        with st.popover(step.label):
            st.text(f"{step.label} {len(picked)} 台器具")
            reason = st.text_input("理由", max_chars=500, key=f"reason-{step.action}")
            if st.button(f"确定{step.label}", type="primary", key=f"do-{step.action}"):
                with acting(*OWNERS) as (session, account):
                    ids = [row.id for row in picked]
                    instruments.change_status(session, ids, step.action, by=account, reason=reason)
                look.flash(f"已{step.label} {len(picked)} 台器具")
                st.rerun()


def listing() -> None:
    """The list, and what can be done with what is picked in it."""
    look.header("强检器具台账维护", f"{enterprise.name}：如实、完整登记在用的强检器具，这也是依法备案。")
    wanted = filters()
    toolbar = st.container(horizontal=True)
    signature = f"{enterprise.id}-{hash(wanted)}"
    below = st.container()
    with looking(*OWNERS) as (session, account):
        total = instruments.count(session, wanted, by=account)
        with st.container():
            number = tables.pager(total, SIZE, f"pages-{signature}")
        rows = instruments.page(session, wanted, by=account, number=number, size=SIZE)
    with below:
        if rows:
            picked = tables.choosing(rows, COLUMNS, f"ledger-{signature}-{number}", "强检器具台账")
        else:
            picked = []
            is_narrowed = wanted != instruments.Filters(enterprise_id=enterprise.id)
            look.empty(
                "没有符合条件的器具，请放宽筛选" if is_narrowed else "台账还是空的，点击“新增”登记第一台器具"
            )
    with toolbar:
        buttons(rows, picked)


def buttons(rows, picked) -> None:
    """The toolbar."""
    one = picked[0].id if len(picked) == 1 else None
    if st.button("新增", type="primary", icon=":material/add:"):
        go("new")
    if st.button("复制", disabled=one is None):
        go("copy", one)
    if st.button("修改", disabled=one is None):
        go("edit", one)
    if st.button("详情", disabled=one is None):
        st.switch_page(page("instrument"), query_params={"id": str(one)})
    if st.button("表格编辑", disabled=not rows, icon=":material/table_edit:"):
        ledger_grid.open_with(picked or rows)
        st.rerun()
    free = [row for row in picked if row.status == InstrumentStatus.in_use and row.line_status is None]
    if st.button("预约所选", disabled=not free, icon=":material/event_available:"):
        st.session_state["gathered"] = [row.id for row in free]
        st.switch_page(page("new_appointment"))
    if picked and len({row.status for row in picked}) == 1:
        change(picked, workflow.open_steps(Subject.instrument, picked[0].status, OWNERS[0]))


mode, wanted_id = st.query_params.get("mode"), st.query_params.get("id", "")
if mode in TITLES and (mode == "new" or wanted_id.isdecimal()):
    form(mode, int(wanted_id) if wanted_id else None)
elif ledger_grid.is_open():
    look.header("强检器具台账维护", f"{enterprise.name} · 表格编辑")
    ledger_grid.draw()
else:
    listing()
