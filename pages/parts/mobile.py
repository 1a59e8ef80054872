"""更换手机号 in 个人中心: one's own number, by the current password and a code to the new one."""

import streamlit as st

from db import codes, mobiles, sign_ins
from db.errors import Refused
from db.models import Account
from pages.parts import confirmation, look
from pages.parts.account import acting, address

STEPS = ("填写新手机号", "输入验证码")


def draw(account: Account) -> None:
    """The part of 个人中心 for an account that has a number; one without enters it in its profile."""
    with st.container(border=True):
        st.subheader("更换手机号", anchor=False)
        if not codes.is_sent():
            st.text(f"{mobiles.OFFLINE}。")
            return
        state = st.session_state.get("mobile-change", {})
        if confirmation.steps(STEPS, 1 if state else 0, "mobile"):
            del st.session_state["mobile-change"]
            st.rerun()
        if state:
            _confirm(state)
        else:
            _ask(account)


def _ask(account: Account) -> None:
    with st.form("mobile-ask", clear_on_submit=False, border=False):
        number = st.text_input("新手机号 *", max_chars=20, autocomplete="tel")
        current = st.text_input(
            "当前密码 *",
            type="password",
            max_chars=64,
            autocomplete="current-password",
            key="mobile-password",
        )
        is_asked = st.form_submit_button("获取验证码", type="primary")
    if is_asked:
        with acting() as (session, by):
            token = mobiles.ask(session, number, current, by=by, address=address())
        if token is None:
            raise Refused(sign_ins.WRONG_CURRENT)
        st.session_state["mobile-change"] = {"token": token, "number": number.strip()}
        st.rerun()


def _confirm(state: dict[str, str]) -> None:
    st.text(f"验证码已发送到 {state['number']}，{codes.minutes()} 分钟内有效。")
    is_right = confirmation.draw("mobile", state["token"], mobiles.is_code)
    if is_right:
        del st.session_state["mobile-change"]
        with acting() as (session, by):
            mobiles.change(session, state["token"], by=by)
        look.flash("手机号已更换")
        st.rerun()
