"""For which enterprise an owner's page works: its own, or one of those that granted a link."""

import streamlit as st

from db import enterprises
from db.models import OWNERS, Enterprise
from pages.parts import look
from pages.parts.account import looking
from pages.parts.navigation import page

NO_ENTERPRISE = "您的账号还没有关联企业。请联系企业确认授权，授权后这里会显示该企业的器具和预约"


def chosen() -> Enterprise:
    """The enterprise this page is for; a person with several chooses, one with none is told what to do."""
    with looking(*OWNERS) as (session, account):
        mine = enterprises.page(session, by=account)
    if not mine:
        look.empty(NO_ENTERPRISE, page("profile"))
        st.stop()
    if len(mine) == 1:
        return mine[0]
    ids = [one.id for one in mine]
    names = {one.id: one.name for one in mine}
    kept = st.session_state.get("enterprise_kept")
    picked = st.selectbox(
        "使用单位",
        ids,
        index=ids.index(kept) if kept in ids else 0,
        format_func=lambda id: names[id],
        width=420,
        key="enterprise",
    )
    st.session_state["enterprise_kept"] = picked
    return next(one for one in mine if one.id == picked)
