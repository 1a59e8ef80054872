"""基础数据: the catalog and the divisions as loaded, and how far they may be trusted."""

import streamlit as st

from db import reference
from db.models import Dataset, Role
from db.reference import KindRow
from pages.parts import choices, editions, look, tables
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page

KINDS = {
    "category": "项别",
    "name": "种别",
    "code": "种别代码",
    "state": "状态",
    "mode": "检定方式",
    "interval": "检定周期",
    "limit": "使用期限",
    "regulations": "检定规程",
    "scope": "强检范围及说明",
    "source_grade": "来源等级",
}
DIVISIONS = {"code": "代码", "full_name": "全称", "level": "级别", "state": "状态", "successor": "现名称"}
SIZE = 100


def months(count: int | None) -> str:
    """A number of months; empty where no source gives one."""
    return f"{count} 个月" if count else ""


def state(record: KindRow | reference.DivisionEntry) -> str:
    """Whether it is in force, by sign and word."""
    if record.retired_on is None:
        return "● 现行"
    return f"✕ 已撤销（{tables.text('retired_on', record.retired_on)}）"


def shown(row: KindRow) -> dict[str, str]:
    """A kind as its row in the table."""
    return {
        "category": row.category,
        "name": row.name,
        "code": row.code,
        "state": state(row),
        "mode": row.verification_mode.value if row.verification_mode else "",
        "interval": months(row.interval_months),
        "limit": months(row.limit_of_use_months),
        "regulations": row.regulations,
        "scope": row.scope,
        "source_grade": row.source_grade,
    }


def catalog() -> None:
    """强检器具目录: every kind, the retired ones marked."""
    known = choices.kinds()
    categories = list(dict.fromkeys(row.category for row in known))
    category = st.selectbox("项别", categories, index=None, placeholder="全部", width=320)
    rows = [shown(row) for row in known if category in (None, row.category)]
    st.caption(f"共 {len(rows)} 个种别。来源等级：A 法规或政府网站，B 报刊，C 较弱。")
    tables.listing(rows, KINDS, "强检器具目录", height=520 if len(rows) > 10 else "auto")


def divisions() -> None:
    """行政区划: searched by name or code, within an area if one is chosen."""
    text = st.text_input("查找", max_chars=60, placeholder="名称或代码，例如 西湖区 或 3301", width=320)
    under = choices.division("reference", "所属")
    key = f"divisions-{text}-{under}-pages"
    number = st.session_state.get(key, 1)
    with looking(Role.administrator) as (session, _):
        rows, total = reference.division_page(
            session, text=text.strip(), under=under, number=number, size=SIZE
        )
    if not rows:
        look.empty("没有符合条件的行政区划，请换一个名称或代码")
        return
    entries = [{**row.__dict__, "state": state(row)} for row in rows]
    tables.listing(entries, DIVISIONS, "行政区划", height=520 if len(rows) > 10 else "auto")
    tables.pager(total, SIZE, key)


signed_in(Role.administrator)
look.header("基础数据", "强检器具目录和行政区划的版本与内容。空白项是没有找到依据的内容，不作推测。")
with looking(Role.administrator) as (session, _):
    in_force = [reference.edition(session, dataset) for dataset in Dataset]
for column, edition in zip(st.columns(len(in_force)), in_force, strict=True):
    with column, st.container(border=True, height="stretch"):
        editions.draw(edition)
st.page_link(page("editions"), label="载入新版本、查看版本记录", icon=":material/upload_file:")
table = st.segmented_control(
    "数据", list(Dataset), default=Dataset.catalog, key="reference-table", label_visibility="collapsed"
)
if table == Dataset.divisions:
    divisions()
else:
    catalog()
