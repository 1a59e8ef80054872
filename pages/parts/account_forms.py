"""What an administrator fills in for an account: a new one, and a passing password."""

from typing import Any

import streamlit as st

from db import accounts, institutions, passwords
from db.accounts import AccountRow
from db.models import Role
from pages.parts import choices, look
from pages.parts.account import acting, looking

GIVEN = tuple(role for role in Role if role != Role.enterprise)
GENERATED, TYPED = "自动生成", "自己填写"
DUTIES = {
    Role.personal: "经企业授权后，与企业共同管理器具",
    Role.institution: "受理预约、检定、登记结果",
    Role.reviewer: "审核企业注册",
    Role.supervisor: "授权技术机构、人工指派、查看状态看板，可以为使用单位代办",
    Role.administrator: "账户、工作日、基础数据和系统设置",
}


def show_password() -> None:
    """The passing password just made, until the administrator has passed it on."""
    if "passing-password" in st.session_state:
        _dialog(*st.session_state["passing-password"])


@st.dialog("初始密码", dismissible=False)
def _dialog(username: str, password: str) -> None:
    st.markdown(f"账号 **{look.plain(username)}** 的初始密码只显示这一次，请当面或电话告知本人：")
    st.code(password, language=None)
    st.caption("首次登录时必须先改成自己的密码。")
    if st.button("我已记下", type="primary"):
        del st.session_state["passing-password"]
        st.rerun()


def add() -> None:
    """新增账号: the fields depend on the role, so they stand outside a form."""
    with st.container(border=True):
        st.subheader("新增账号", anchor=False)
        role = st.selectbox("身份 *", GIVEN, index=None, placeholder="请选择", key="new-role", width=320)
        if role:
            st.caption(DUTIES[role])
        place = belonging(role, "new")
        is_generated = _way("new-password")
        with st.form("new-account", clear_on_submit=False, border=False):
            with st.grid(2, min_column_width=280, gap="medium"):
                username = st.text_input("账号 *", max_chars=40, placeholder="3 至 40 个字母、数字或汉字")
                full_name = st.text_input("姓名 *", max_chars=60)
                mobile = st.text_input("手机号", max_chars=20)
                password = passwords.generated() if is_generated else _field()
            with st.container(horizontal=True):
                is_added = st.form_submit_button("确定", type="primary", disabled=role is None)
                is_canceled = st.form_submit_button("取消")
    if is_canceled:
        _leave()
    if is_added and role:
        with acting(Role.administrator) as (session, administrator):
            made = accounts.create(
                session,
                username=username,
                full_name=full_name,
                password=password,
                role=role,
                by=administrator,
                mobile=mobile,
                **place,
            )
        _pass_on(made.username, password, is_generated)
        look.flash(f"已新增账号 {made.username}")
        _leave()


def belonging(role: Role | None, key: str) -> dict[str, Any]:
    """The institution or the area that goes with a role."""
    if role == Role.institution:
        return {"institution_id": institution(f"{key}-institution")}
    if role in (Role.reviewer, Role.supervisor):
        return {"division_code": choices.division(f"{key}-area", "管辖区域", help="不选表示全部区域")}
    return {}


def institution(key: str, chosen: int | None = None) -> int | None:
    """The institution of an account, `chosen` at first."""
    with looking(Role.administrator) as (session, administrator):
        names = {row.id: row.name for row in institutions.page(session, by=administrator)}
    ids = list(names)
    return st.selectbox(
        "技术机构 *",
        ids,
        index=ids.index(chosen) if chosen in ids else None,
        format_func=lambda one: names[one],
        placeholder="请选择" if names else "还没有技术机构，请监管人员先新增",
        key=key,
    )


def _leave() -> None:
    for key in [key for key in st.session_state if str(key).startswith("new-")]:
        del st.session_state[key]
    del st.session_state["is-adding-account"]
    st.rerun()


def reset(row: AccountRow) -> None:
    """重置密码: a passing password, and every sign-in ends."""
    # Under a new key it is closed again.
    number = st.session_state.setdefault("resets", 0)
    with st.popover("重置密码", icon=":material/lock_reset:", key=f"reset-popover-{row.id}-{number}"):
        st.text(f"{row.full_name} 将在所有设备上退出，用新密码登录后须先修改密码。")
        is_generated = _way(f"reset-{row.id}")
        with st.form(f"reset-{row.id}", clear_on_submit=False, border=False):
            password = passwords.generated() if is_generated else _field()
            is_reset = st.form_submit_button("确认重置", type="primary")
    if is_reset:
        with acting(Role.administrator) as (session, administrator):
            accounts.reset_password(session, row.id, password, by=administrator)
        _pass_on(row.username, password, is_generated)
        st.session_state["resets"] += 1
        look.flash(f"{row.username} 的密码已重置")
        st.rerun()


def _way(key: str) -> bool:
    return st.radio("初始密码", (GENERATED, TYPED), horizontal=True, key=f"{key}-way") == GENERATED


def _field() -> str:
    # In a form, for a password left by Tab would stay in the browser.
    return st.text_input(
        "初始密码 *",
        type="password",
        max_chars=64,
        autocomplete="new-password",
        help="8 至 64 个字符，含大写字母、小写字母、数字、其他字符中的三种，或不少于 12 个字符",
    )


def _pass_on(username: str, password: str, is_generated: bool) -> None:
    if is_generated:
        pass_on(username, password)


def pass_on(username: str, password: str) -> None:
    """Let `show_password` show it in the next run."""
    st.session_state["passing-password"] = (username, password)
