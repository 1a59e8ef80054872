"""系统设置: the figures no public source fixes."""

import streamlit as st

from db import settings
from db.models import Role
from pages.parts import look
from pages.parts.account import acting, looking, signed_in

signed_in(Role.administrator)
look.header("系统设置", "法律没有统一规定、或由各省规定的时限和数量。修改后立即用于此后的计算。")

with looking(Role.administrator) as (session, _):
    current = {name: settings.value(session, name) for name in settings.DEFINITIONS}

typed = {}
with st.form("settings", clear_on_submit=False):
    for name, definition in settings.DEFINITIONS.items():
        default = (
            "是"
            if definition.default is True
            else "否"
            if definition.default is False
            else definition.default
        )
        note = f"默认：{default}" + ("" if current[name] == definition.default else " · 已修改")
        if definition.low is None:
            typed[name] = st.toggle(
                definition.label, current[name], help=definition.help or None, key=f"set-{name}"
            )
        else:
            typed[name] = st.number_input(
                definition.label,
                definition.low,
                definition.high,
                current[name],
                help=definition.help or None,
                key=f"set-{name}",
                width=320,
            )
        st.caption(note)
    is_saved = st.form_submit_button("确定", type="primary")

if is_saved:
    changed = {name: value for name, value in typed.items() if value != current[name]}
    with acting(Role.administrator) as (session, administrator):
        for name, value in changed.items():
            settings.save(session, name, value, by=administrator)
    look.flash(f"已保存 {len(changed)} 项设置" if changed else "没有需要保存的修改")
    st.rerun()
