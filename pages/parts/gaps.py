"""授权缺口: kinds in use somewhere without an institution that may verify them."""

import streamlit as st

from db import authorizations
from db.models import Role
from pages.parts import look, tables
from pages.parts.account import looking
from pages.parts.navigation import page

SIZE = 50
COLUMNS = {"division": "使用地点", "category": "项别", "kind": "种别", "instrument_count": "在用器具"}


def coverage() -> None:
    """The gaps, the most instruments first, each with the way to close it."""
    with looking(Role.supervisor) as (session, supervisor):
        gaps = authorizations.gaps(session, by=supervisor)
    st.caption("有在用器具、但区县、地级、省级都没有有效授权的“使用地点 × 种别”。选中一行，去新增授权。")
    if not gaps:
        look.empty("没有授权缺口，每个使用地点的在用种别都有已授权的技术机构")
        return
    number = tables.pager(len(gaps), SIZE, "gaps-pages")
    shown = gaps[(number - 1) * SIZE : number * SIZE]
    for gap in tables.choosing(shown, COLUMNS, f"gaps-{number}", "授权缺口", is_many=False):
        query = {"division": gap.division_code, "kind": str(gap.kind_id)}
        label = f"为“{gap.division} · {gap.kind}”新增授权"
        st.page_link(
            page("authorizations"), label=look.plain(label), icon=":material/add:", query_params=query
        )
