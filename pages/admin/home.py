"""首页 of the administrator: what the system stands on."""

import streamlit as st

from db import accounts, clock, reference, workdays
from db.models import Role
from pages.parts import look, tables, tiles
from pages.parts.account import looking, signed_in
from pages.parts.tiles import Tile

EDITIONS = {"dataset": "数据", "name": "版本", "official": "性质", "effective_on": "生效日期", "note": "说明"}

signed_in(Role.administrator)
with looking(Role.administrator) as (session, administrator):
    counts = accounts.counts(session, by=administrator)
    editions = reference.editions(session)
    years = workdays.calendar(session).years

look.header("系统管理", f"今天是 {clock.today():%Y年%m月%d日}")
st.subheader("账号", anchor=False)
tiles.row([Tile(role.value, counts[role], "accounts", {"role": role.name}) for role in Role])
st.subheader("工作日", anchor=False)
for year in (clock.today().year, clock.today().year + 1):
    if year in years:
        st.markdown(f":green[:material/check_circle:] {year} 年的节假日安排已录入")
    else:
        st.markdown(f":orange[:material/warning:] {year} 年{workdays.ESTIMATED}；公布后请在“工作日”中录入")
st.subheader("基础数据", anchor=False)
rows = [
    {**row.model_dump(), "official": "官方" if row.is_official else "非官方，仅供起步"} for row in editions
]
tables.listing(rows, EDITIONS, "基础数据版本")
