"""账户管理: who may sign in, in which role."""

import streamlit as st

from db import accounts, institutions
from db.models import Role
from pages.parts import choices, look, tables
from pages.parts.account import acting, looking, signed_in

SIZE = 50
COLUMNS = {
    "username": "账号",
    "full_name": "姓名",
    "role": "角色",
    "belongs_to": "所属",
    "mobile": "手机号",
    "state": "状态",
}
GIVEN = tuple(role for role in Role if role != Role.enterprise)

signed_in(Role.administrator)
look.header("账户管理", "使用单位的账号由企业注册和审核产生；其余账号在这里新增，首次登录须修改密码。")


@st.dialog("新增账号", width="large")
def add() -> None:
    """A new account; the dialog stays open, with what was typed, until it is saved."""
    with looking(Role.administrator) as (session, administrator):
        stations = {row.id: row.name for row in institutions.page(session, by=administrator)}
    left, right = st.columns(2)
    role = left.selectbox(
        "角色 *", GIVEN, index=None, format_func=lambda one: one.value, placeholder="请选择"
    )
    full_name = right.text_input("姓名 *", max_chars=60)
    username = left.text_input("账号 *", max_chars=40)
    password = right.text_input("初始密码 *", max_chars=64, type="password", autocomplete="new-password")
    mobile = left.text_input("手机号", max_chars=20)
    institution_id = division_code = None
    if role == Role.institution:
        institution_id = right.selectbox(
            "技术机构 *", list(stations), index=None, format_func=stations.get, placeholder="请选择"
        )
    if role in (Role.reviewer, Role.supervisor):
        division_code = choices.division("new-account", "管辖区域", help="不选表示全部区域")
    if st.button("确定", type="primary", disabled=role is None):
        with acting(Role.administrator) as (session, administrator):
            made = accounts.create(
                session,
                username=username,
                full_name=full_name,
                password=password,
                role=role,
                by=administrator,
                mobile=mobile,
                institution_id=institution_id,
                division_code=division_code,
            )
        look.flash(f"已新增账号 {made.username}")
        st.rerun()


with st.container(horizontal=True, vertical_alignment="bottom"):
    if st.button("新增账号", type="primary", icon=":material/person_add:"):
        add()
    text = st.text_input("搜索", placeholder="账号、姓名、所属", width=260)
    asked = st.query_params.get("role")
    role = st.selectbox(
        "角色",
        [None, *Role],
        index=[None, *Role].index(Role[asked] if asked in Role.__members__ else None),
        format_func=lambda one: one.value if one else "全部",
        width=160,
    )

key = f"accounts-{text}-{role}"
with looking(Role.administrator) as (session, administrator):
    number = st.session_state.get(f"{key}-pages", 1)
    rows, total = accounts.page(session, by=administrator, text=text, role=role, number=number, size=SIZE)
if not rows:
    look.empty("没有符合条件的账号")
    st.stop()
states = [{**row.__dict__, "state": "正常" if row.is_active else look.mark("停用")} for row in rows]
picked = tables.choosing(states, COLUMNS, f"{key}-{number}", "账号", is_many=False)
tables.pager(total, SIZE, f"{key}-pages")
if not picked:
    st.stop()

chosen = picked[0]
with st.container(border=True):
    st.subheader(f"{chosen['full_name']}（{chosen['username']}）", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        password = st.text_input(
            "新的初始密码",
            type="password",
            max_chars=64,
            autocomplete="new-password",
            key=f"reset-{chosen['id']}",
        )
        is_reset = st.button("重置密码", key=f"reset-do-{chosen['id']}")
        st.caption("重置后该账号在所有设备上退出，首次登录须修改密码。")
    with right:
        is_sure = not chosen["is_active"] or st.checkbox(
            "确认停用，立即退出所有设备", key=f"sure-{chosen['id']}"
        )
        is_switched = st.button(
            "停用" if chosen["is_active"] else "恢复", disabled=not is_sure, key=f"switch-{chosen['id']}"
        )
if is_reset:
    with acting(Role.administrator) as (session, administrator):
        accounts.reset_password(session, chosen["id"], password, by=administrator)
    look.flash(f"{chosen['username']} 的密码已重置")
    st.rerun()
if is_switched:
    with acting(Role.administrator) as (session, administrator):
        change = accounts.suspend if chosen["is_active"] else accounts.resume
        change(session, chosen["id"], by=administrator)
    look.flash(f"{chosen['username']} 已{'停用' if chosen['is_active'] else '恢复'}")
    st.rerun()
