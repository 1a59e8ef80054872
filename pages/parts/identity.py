"""统一身份 of an account: connected and disconnected by an administrator."""

import streamlit as st

from db import identities
from db.accounts import AccountRow
from db.models import Role
from pages.edge import provider
from pages.parts import look
from pages.parts.account import acting


def change(row: AccountRow) -> None:
    """统一身份 opens what the account is connected with; nothing where the bureau has no provider."""
    if not provider.is_configured():
        return
    # Under a new key it is closed again.
    number = st.session_state.setdefault("identities", 0)
    with st.popover("统一身份", icon=":material/badge:", key=f"identity-popover-{row.id}-{number}"):
        st.caption("关联或解除后，该账号立即在所有设备上退出。")
        if row.oidc_subject:
            _disconnect(row)
        else:
            _connect(row)


def _connect(row: AccountRow) -> None:
    subject = st.text_input(
        "统一身份标识 *",
        max_chars=identities.LONGEST,
        help="单位统一身份系统中这个人的 sub；本人用统一身份登录一次，被拒绝的记录中也有（审计日志）",
        key=f"subject-{row.id}",
    )
    if st.button("关联", type="primary", key=f"connect-{row.id}"):
        with acting(Role.administrator) as (session, administrator):
            identities.connect(session, row.id, provider.issuer(), subject, by=administrator)
        _close(f"{row.username} 已关联统一身份")


def _disconnect(row: AccountRow) -> None:
    st.text(f"已关联：{row.oidc_subject}")
    if st.button("解除关联", type="primary", key=f"disconnect-{row.id}"):
        with acting(Role.administrator) as (session, administrator):
            identities.disconnect(session, row.id, by=administrator)
        _close(f"{row.username} 已解除统一身份")


def _close(said: str) -> None:
    st.session_state["identities"] += 1
    look.flash(said)
    st.rerun()
