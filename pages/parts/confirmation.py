"""验证码: the steps there are, and the field a code is typed into."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from db import codes
from db.engine import Session, reading
from pages.parts.account import visiting


def steps(names: Sequence[str], current: int, key: str) -> bool:
    """Which steps there are, and which one this is; whether the visitor wants to begin anew."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for number, name in enumerate(names):
            color, icon = ("green", "check") if number < current else ("gray", "circle")
            if number == current:
                color, icon = "blue", "arrow_forward"
            st.markdown(f":{color}-badge[:material/{icon}: {number + 1} {name}]", width="content")
        again: dict[str, Any] = {"icon": ":material/restart_alt:", "type": "tertiary", "key": f"{key}-again"}
        return current > 0 and st.button("重新开始", **again)


def draw(key: str, token: str, is_code: Callable[[Session, str, str], bool]) -> bool:
    """The form of the code; whether the right one was typed just now. Each try counts."""
    # An input of digits only would lose the zeros in front.
    with st.form(f"{key}-code", clear_on_submit=True, border=False):
        typed = st.text_input("验证码（6 位数字） *", max_chars=10, autocomplete="one-time-code", width=240)
        is_typed = st.form_submit_button("下一步", type="primary")
    if not is_typed:
        return False
    if not typed.strip():
        st.error("请输入验证码", icon=":material/error:")
        return False
    with visiting() as session:
        is_right = is_code(session, token, typed)
    if not is_right:
        with reading() as session:
            st.error(codes.wrong(session, token), icon=":material/error:")
    return is_right
