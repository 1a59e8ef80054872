"""以该身份预览: the banner over every page while an administrator looks as somebody else."""

from typing import Any

import streamlit as st

from db import previews
from db.accounts import AccountRow
from db.models import Account, Role
from pages.parts import account as visitor
from pages.parts import account_forms, look
from pages.parts.account import acting, visiting

ROLES = [role for role in Role if role != Role.administrator]


def banner(account: Account | None, is_previewed: bool) -> None:
    """Say whose pages these are, and offer the way back."""
    if not is_previewed or account is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="preview"):
        st.markdown(
            f":orange-badge[:material/visibility: 预览] 正在以 **{look.plain(account.full_name)}**"
            f"（{account.role}，{look.plain(account.username)}）的身份查看，不能办理任何业务。",
            width="stretch",
        )
        is_ended = st.button("结束预览", type="primary", icon=":material/close:", key="end-preview")
    if is_ended:
        with visiting() as session:
            previews.end(session, visitor.token())
        st.session_state.clear()
        st.rerun()


def offer(row: AccountRow) -> None:
    """The button that begins a preview."""
    if row.role == Role.administrator or not row.is_active:
        return
    if st.button("以该身份预览", icon=":material/visibility:", key=f"preview-{row.id}"):
        with acting(Role.administrator) as (session, administrator):
            previews.begin(session, visitor.token(), row.id, by=administrator)
        look.flash(f"正在以 {row.username} 的身份预览，只能查看")
        st.rerun()


def offer_role() -> None:
    """预览一种身份: a role and its place, whether or not such an account is there."""
    with st.expander("预览一种身份", icon=":material/visibility:"):
        st.caption("没有这样的账号也可以预览：看到该身份的页面，只能查看。")
        role = st.selectbox(
            "预览的身份 *", ROLES, index=None, placeholder="请选择", key="previewed-role", width=320
        )
        place: dict[str, Any] = {}
        if role == Role.enterprise:
            place["enterprise"] = st.text_input("企业全称或统一社会信用代码 *", max_chars=120)
        elif role:
            place = account_forms.belonging(role, "previewed")
        is_begun = st.button("开始预览", type="primary", disabled=role is None)
    if is_begun and role:
        with acting(Role.administrator) as (session, administrator):
            previews.begin_as(session, visitor.token(), role, by=administrator, **place)
        look.flash(f"正在预览{role}的页面，只能查看")
        st.rerun()
