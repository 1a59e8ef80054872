"""查看完整信息: asks why, then shows what lists hide, in this view only."""

import streamlit as st

from db import unmasking
from pages.parts.account import acting


def popover(subject: str, id: int) -> None:
    """The button; what it reveals is not kept anywhere and is gone with the next click."""
    with st.popover("查看完整信息", icon=":material/visibility:", key=f"unmask-{subject}-{id}"):
        st.caption("请写明理由。谁在何时为何查看，记入审计日志。")
        reason = st.text_input(
            "查看理由",
            max_chars=unmasking.LONGEST,
            placeholder="例如：电话核实注册信息",
            key=f"why-{subject}-{id}",
        )
        if st.button("查看", type="primary", key=f"unmasked-{subject}-{id}"):
            with acting() as (session, account):
                shown = unmasking.unmask(session, subject, id, reason, by=account)
            for label, value in shown.items():
                st.text(f"{label}：{value or '（未填）'}")
