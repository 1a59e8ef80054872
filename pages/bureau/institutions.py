"""技术机构: the institutions, and whether they take new work."""

import streamlit as st

from db import institutions
from db.models import Role
from pages.parts import choices, look, narrowing, tables
from pages.parts.account import acting, looking, signed_in

COLUMNS = {
    "name": "机构名称",
    "state": "状态",
    "open_count": "未办结器具",
    "authorization_count": "有效授权",
    "division": "所在地",
    "telephone": "电话",
    "address": "地址",
    "code": "机构代号",
}

signed_in(Role.supervisor)
look.header(
    "技术机构", "选中一行可以修改、暂停或恢复业务；不选则新增。暂停后不再指派新任务，已有任务继续办理。"
)

with looking(Role.supervisor) as (session, supervisor):
    rows = institutions.page(session, by=supervisor)
if rows:
    shown = [{**row.__dict__, "state": "暂停业务" if row.is_suspended else "正常"} for row in rows]
    picked = tables.choosing(shown, COLUMNS, f"institutions-{len(rows)}", "技术机构列表", is_many=False)
else:
    look.empty("还没有技术机构，请在下方新增")
    picked = []

chosen = next((row for row in rows if picked and row.id == picked[0]["id"]), None)
if chosen and not narrowing.is_own(supervisor, chosen.division_code):
    st.info(f"{chosen.name} 不在您的管辖范围内，由其所在地的监管部门维护", icon=":material/lock:")
    st.stop()
key = f"institution-{chosen.id if chosen else f'new-{len(rows)}'}"
with st.container(border=True):
    st.subheader(look.plain(f"修改 {chosen.name}") if chosen else "新增技术机构", anchor=False)
    left, right = st.columns(2)
    name = left.text_input("机构名称 *", chosen.name if chosen else "", max_chars=120, key=f"{key}-name")
    code = right.text_input(
        "机构代号 *",
        chosen.code if chosen else "",
        max_chars=12,
        disabled=chosen is not None,
        placeholder="例如 XHJL",
        help="2 至 12 个字母或数字，出现在证书编号中，保存后不可修改",
        key=f"{key}-code",
    )
    division_code = choices.division(
        f"{key}-division", "所在地 *", chosen.division_code if chosen else supervisor.division_code
    )
    left, right = st.columns(2)
    address = left.text_input("地址 *", chosen.address if chosen else "", max_chars=200, key=f"{key}-address")
    telephone = right.text_input(
        "电话 *", chosen.telephone if chosen else "", max_chars=40, key=f"{key}-telephone"
    )
    with st.container(horizontal=True):
        is_saved = st.button("确定", type="primary", key=f"{key}-save")
        is_switched = chosen is not None and st.button(
            "恢复业务" if chosen.is_suspended else "暂停业务", key=f"{key}-switch"
        )

if is_saved:
    with acting(Role.supervisor) as (session, supervisor):
        saved = institutions.save(
            session,
            by=supervisor,
            name=name,
            division_code=division_code or "",
            address=address,
            telephone=telephone,
            code=code,
            institution_id=chosen.id if chosen else None,
        )
    look.flash(f"已保存 {saved.name}")
    st.rerun()

if is_switched and chosen:
    with acting(Role.supervisor) as (session, supervisor):
        if chosen.is_suspended:
            placed = institutions.resume(session, chosen.id, by=supervisor)
            look.flash(f"{chosen.name} 已恢复业务，又有 {placed} 台待预约器具分配成功")
        else:
            institutions.suspend(session, chosen.id, by=supervisor)
            look.flash(f"{chosen.name} 已暂停业务，不再指派新任务")
    st.rerun()
