"""器具台账: the instruments used in the area, to read."""

import streamlit as st

from db import saved_views
from db.models import Role
from pages.parts import export, ledger_filters, ledger_words, look, narrowing, paging, tables, validity, views
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

SIZE = 50
PLACE = "instruments"
WATCHERS = (Role.supervisor, Role.reviewer)

signed_in(*WATCHERS)
look.header("器具台账", "辖区内登记的强检器具，只供查看。选中一行可打开详情。")
with looking(*WATCHERS) as (session, account):
    shown = views.Views(session, PLACE, account)
    before = st.query_params.to_dict()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = {"division": lambda: narrowing.division(account, 150, session)}
        owner = {"enterprise": lambda: narrowing.owner(session, account, ledger_filters.WIDTH)}
        asked = ledger_filters.draw(PLACE, "单位、名称、编号、厂家", place, owner, 200)
        shown.draw(asked)
    narrowing.tell_unused(asked.get("text", ""))
    wanted = saved_views.read_filters(PLACE, asked)
    leaf, total = paging.read(session, PLACE, wanted, before, asked, by=account, size=SIZE)
narrowing.keep(asked | shown.named() | paging.named(leaf.spot))
if not leaf.rows:
    look.empty("没有符合条件的器具，请放宽筛选" if asked else "辖区内还没有登记的器具")
    st.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    paging.tell(leaf, total, SIZE)
    export.popover(wanted)
drawn = [{**row._mapping, "validity": validity.cell(row), "row": row} for row in leaf.rows]
labels = {field: ledger_words.COLUMNS[field] for field in shown.columns}
key = f"{PLACE}-{hash(tuple(row.id for row in leaf.rows))}-{'-'.join(labels)}"
with st.container(key="ledger-table"):
    picked = [one["row"] for one in tables.choosing(drawn, labels, key, "器具台账", is_many=False)]
paging.draw(PLACE, leaf, total, SIZE)
for row in picked:
    label = look.plain(f"{row.name} {row.serial_number} 的详情")
    query = {"id": str(row.id)}
    st.page_link(page("instrument"), label=label, query_params=query, icon=":material/straighten:")
