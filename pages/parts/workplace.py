"""For which enterprise an owner's page works: its own, or one of those that granted a link."""

from collections.abc import Sequence

import streamlit as st

from db import enterprises, links
from db.models import OWNERS, Enterprise, Role
from pages.parts import look
from pages.parts.account import looking
from pages.parts.navigation import page

NO_ENTERPRISE = "您的账号还没有关联企业。请在“个人中心”的“关联企业信息”中申请关联，企业通过后即可办理业务"
GONE = "“{name}”已不再授权您办理业务。请确认下面要办理的企业后再继续，刚才的操作没有执行"
KEPT = "enterprise_kept"


def chosen() -> Enterprise:
    """The enterprise this page is for; a person with several chooses, one with none is told what to do.

    Whoever worked for an enterprise that is out of reach by now goes on with another one only after having
    chosen it: nothing typed for the one may reach the other.
    """
    with looking(*OWNERS) as (session, account):
        mine = enterprises.page(session, by=account, size=200)
    if not mine:
        st.session_state.pop(KEPT, None)
        look.empty(NO_ENTERPRISE, page("profile"))
        st.stop()
    if account.role == Role.enterprise:
        return mine[0]
    with st.container(border=True, key="workplace"):
        picked = _picked(mine)
        with looking(Role.personal) as (session, person):
            link = links.standing(session, picked.id, by=person)
        if link:
            st.caption(f"您以个人身份为该企业办理，权限：{links.rights(link.can_edit, link.can_book)}")
    return picked


def _picked(mine: Sequence[Enterprise]) -> Enterprise:
    """The enterprise a person works for, kept until the person signs out."""
    by_id = {one.id: one for one in mine}
    kept: tuple[int, str] | None = st.session_state.get(KEPT)
    is_gone = kept is not None and kept[0] not in by_id
    if len(mine) == 1 and not is_gone:
        st.markdown(f":material/apartment: 正在办理：**{look.plain(mine[0].name)}**")
        return _keep(mine[0])
    if is_gone and kept:
        st.warning(look.plain(GONE.format(name=kept[1])), icon=":material/link_off:")
    start = None if is_gone else list(by_id).index(kept[0]) if kept else 0
    id = st.selectbox(
        "正在办理的企业",
        list(by_id),
        index=start,
        format_func=lambda id: by_id[id].name,
        placeholder="请选择企业",
        width=420,
        # Another widget once an enterprise is gone, so that none is chosen in it.
        key=f"enterprise-{kept[0] if is_gone and kept else ''}",
    )
    if id is None:
        st.stop()
    picked = _keep(by_id[id])
    if is_gone:
        st.rerun()
    return picked


def _keep(one: Enterprise) -> Enterprise:
    st.session_state[KEPT] = (one.id, one.name)
    return one
