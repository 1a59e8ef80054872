"""基础数据: the catalog and the divisions as loaded, and how far they may be trusted."""

import streamlit as st

from db import reference
from db.models import Role
from pages.parts import choices, look, tables
from pages.parts.account import looking, signed_in

KINDS = {
    "code": "种别代码",
    "category": "项别",
    "name": "种别",
    "verification_mode": "检定方式",
    "interval": "检定周期",
    "limit": "使用期限",
    "regulations": "检定规程",
    "scope": "强检范围及说明",
    "source_grade": "来源等级",
    "state": "状态",
}
DIVISIONS = {"code": "代码", "full_name": "名称"}
MOST = 200


def months(count: int | None) -> str:
    """A number of months; empty where no source gives one."""
    return f"{count} 个月" if count else ""


signed_in(Role.administrator)
look.header("基础数据", "强检器具目录和行政区划的版本与内容。空白项是没有找到依据的内容，不作推测。")
with looking(Role.administrator) as (session, _):
    editions = reference.editions(session)
for edition in editions:
    with st.container(border=True, gap="xxsmall"):
        mark = ":green-badge[官方]" if edition.is_official else ":orange-badge[:material/info: 非官方]"
        st.markdown(f"**{edition.dataset}** · {look.plain(edition.name)} {mark}")
        st.text(edition.note)

catalog, divisions = st.tabs(["强检器具目录", "行政区划"])
with catalog:
    rows = [
        {
            **row.__dict__,
            "interval": months(row.interval_months),
            "limit": months(row.limit_of_use_months),
            "state": look.mark("停用") if row.retired_on else "现行",
        }
        for row in choices.kinds()
    ]
    st.caption(f"共 {len(rows)} 个种别。来源等级：A 法规或政府网站，B 报刊，C 较弱。")
    tables.listing(rows, KINDS, "强检器具目录", height=480)
with divisions:
    text = st.text_input("查找", placeholder="名称或代码，例如 西湖区 或 3301", width=320).strip()
    found = [
        row for row in choices.tree().rows.values() if text in row.full_name or row.code.startswith(text)
    ]
    st.caption(f"共 {len(found):,} 条" + (f"，显示前 {MOST} 条" if len(found) > MOST else ""))
    tables.listing(found[:MOST], DIVISIONS, "行政区划", height=480)
