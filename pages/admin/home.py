"""首页 of the administrator: what the system stands on."""

import streamlit as st

from db import accounts, clock, reference, schema, workdays
from db.models import Dataset, Edition, Role
from pages.parts import editions, look, tiles
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page
from pages.parts.tiles import Tile


def people(counts: dict[Role, tuple[int, int]]) -> None:
    """How many may sign in, by role."""
    st.subheader("账户", anchor=False)
    tiles.row(
        [
            Tile(
                role.value,
                active,
                "accounts",
                {"role": role.name},
                note=f"另有 {suspended} 个已停用" if suspended else "",
            )
            for role, (active, suspended) in counts.items()
        ],
        most=6,
    )
    if counts[Role.administrator][0] == 1:
        st.info("只有一位管理员。请再新增一位，以便互相重置密码。", icon=":material/group_add:")


def years(published: list[int]) -> None:
    """Whether this year's and the next one's holidays are known."""
    st.subheader("工作日", anchor=False)
    with st.container(border=True, gap="xsmall"):
        for year in (clock.today().year, clock.today().year + 1):
            if year in published:
                st.markdown(f":green-badge[:material/task_alt: 已录入] {year} 年的节假日安排")
            else:
                st.markdown(f":orange-badge[:material/schedule: 未录入] {year} 年{workdays.ESTIMATED}")
        st.caption("国务院办公厅通常在 11 月公布下一年的节假日安排，公布后请及时录入。")
        st.page_link(page("calendar"), label="维护工作日", icon=":material/arrow_forward:")


def data(in_force: list[Edition]) -> None:
    """The editions in force, and how far they may be trusted."""
    st.subheader("基础数据", anchor=False)
    with st.container(border=True, gap="xsmall"):
        for edition in in_force:
            editions.draw(edition)
        st.page_link(page("reference"), label="查看基础数据", icon=":material/arrow_forward:")


signed_in(Role.administrator)
with looking(Role.administrator) as (session, administrator):
    counts = accounts.counts(session, by=administrator)
    in_force = [reference.edition(session, dataset) for dataset in Dataset]
    published = workdays.years(session)
    revision = schema.revision(session.connection())

look.header(f"{administrator.full_name}，您好", f"今天是 {clock.today():%Y年%m月%d日}")
people(counts)
left, right = st.columns(2, gap="large")
with left:
    years(published)
with right:
    data(in_force)
is_current = revision == schema.head()
st.caption(
    f"数据库版本 {revision}（最新）"
    if is_current
    else f"数据库版本 {revision}，程序需要 {schema.head()}：请运行 python -m db upgrade"
)
