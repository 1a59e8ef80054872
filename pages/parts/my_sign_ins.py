"""我的登录 and 动态口令: one's own sign-ins, to be ended, and the telephone that makes the second factor."""

import re

import segno
import streamlit as st

from db import authenticators, sign_ins
from db.models import STAFF, Account
from pages.parts import look, tables
from pages.parts.account import acting, address, looking

BROWSERS = (("Edg", "Edge"), ("Firefox", "火狐"), ("Chrome", "谷歌浏览器内核"), ("Safari", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "安卓"),
    ("iPhone", "iPhone"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser(agent: str) -> str:
    """What a browser is called, with its version and its system."""
    name = next(
        (f"{word} {found[1]}" for key, word in BROWSERS if (found := re.search(rf"{key}\w*/(\d+)", agent))),
        "",
    )
    system = next((word for key, word in SYSTEMS if key in agent), "")
    return " · ".join(filter(None, (name, system))) or agent


def listing(token: str) -> None:
    """The browsers signed in with one's account, each with a way to end it; `token` is that of this one."""
    with looking() as (session, account):
        rows = sign_ins.of_account(session, account.id)
    st.subheader("我的登录", anchor=False)
    st.caption("有不认识的登录时，请结束它并修改密码。")
    here = sign_ins.digest(token)
    for row in rows:
        is_here = row.token_hash == here
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container(gap="xxsmall"):
                st.text(browser(row.agent) + ("（当前登录）" if is_here else ""))
                at = f"登录 {tables.text('at', row.created_at)} · 最近使用 {tables.text('at', row.seen_at)}"
                st.caption(look.plain(f"{at} · {row.address or '服务器本机'}"))
            if not is_here and st.button("结束", key=f"end-{row.id}"):
                with acting() as (session, by):
                    sign_ins.end_one(session, row.id, by=by)
                look.flash("已结束这个登录")
                st.rerun()
    if st.button("全部退出", icon=":material/logout:", help="所有设备上的登录立即结束，包括本机"):
        with acting() as (session, by):
            sign_ins.end_mine(session, by=by)
        st.rerun()


def authenticator(account: Account, token: str) -> None:
    """The steps to bind a telephone, or to unbind it."""
    if account.role not in STAFF:
        return
    st.subheader("动态口令", anchor=False)
    with looking() as (session, account):
        is_bound = sign_ins.has_authenticator(session, account.id)
    if is_bound:
        _unbind()
    elif st.session_state.get("binding"):
        _bind(token)
    else:
        st.caption("绑定手机上的身份验证器后，登录时除密码外还须输入 6 位动态口令。")
        if st.button("绑定动态口令", icon=":material/phonelink_lock:"):
            st.session_state["binding"] = True
            st.rerun()


def _bind(token: str) -> None:
    with acting() as (session, by):
        offer = authenticators.offer(session, by=by)
    with st.container(border=True):
        st.text("1. 用手机上的身份验证器扫描二维码（支持 TOTP 的应用均可，不需要联网）")
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.image(segno.make(offer.address, error="m").svg_inline(scale=4, border=2), width=200)
            with st.container(gap="xxsmall"):
                st.caption("不能扫描时，手工输入密钥（时间型）：")
                st.text(" ".join(offer.secret[at : at + 4] for at in range(0, len(offer.secret), 4)))
        if (code := _asked("2. 输入手机上显示的动态口令", "确认绑定")) is None:
            return
        with acting() as (session, by):
            is_right = authenticators.confirm(session, code, by=by, address=address(), token=token)
        _answer(is_right, "已绑定动态口令，下次登录起生效")


def _unbind() -> None:
    st.markdown(":green-badge[:material/check: 已绑定]")
    st.caption("手机丢失或更换后无法取得动态口令时，请联系管理员重置。")
    with st.popover("解除绑定"):
        if (code := _asked("输入手机上显示的动态口令", "确认解除")) is None:
            return
        with acting() as (session, by):
            is_right = authenticators.remove(session, code, by=by, address=address())
        _answer(is_right, "已解除动态口令")


def _asked(label: str, button: str) -> str | None:
    """The code typed into a form of its own, once it is sent."""
    with st.form(button, border=False):
        code = st.text_input(label, max_chars=7, autocomplete="one-time-code", placeholder="6 位数字")
        return code if st.form_submit_button(button, type="primary") else None


def _answer(is_right: bool, said: str) -> None:
    if not is_right:
        st.error(authenticators.WRONG, icon=":material/error:")
        return
    st.session_state.pop("binding", None)
    look.flash(said)
    st.rerun()
