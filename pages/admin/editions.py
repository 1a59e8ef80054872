"""基础数据版本: load a new edition of the catalog or the divisions, and what was loaded so far."""

import streamlit as st

from db import editions
from db.editions import EditionRow, EditionState
from db.models import Dataset, Role
from pages.parts import edition_preview, look, tables
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

LISTS = {Dataset.catalog: "/template/kinds.xlsx", Dataset.divisions: "/template/divisions.xlsx"}
COLUMNS = {
    "dataset": "数据",
    "name": "版本名称",
    "state": "状态",
    "official": "来源",
    "effective_on": "生效日期",
    "loaded_at": "载入时间",
    "loaded_by": "载入人",
}
SIGNS = {
    EditionState.waiting: "◔",
    EditionState.in_force: "●",
    EditionState.replaced: "－",
    EditionState.canceled: "✕",
}


def upload() -> None:
    """Take a file and have it read; what it holds is kept for this visitor until it is confirmed."""
    with st.container(border=True), st.form("edition-file", border=False, clear_on_submit=True):
        dataset = st.radio("数据", list(Dataset), horizontal=True)
        file = st.file_uploader(
            "选择文件",
            type=["xlsx", "xls", "ods", "csv"],
            max_upload_size=editions.MOST_BYTES >> 20,
            help="列名与下载的表格相同；撤销的代码可以保留一行，在“后继代码”一列写明新代码。",
        )
        is_sent = st.form_submit_button("检查文件", type="primary", icon=":material/upload:")
    with st.container(horizontal=True):
        for one, address in LISTS.items():
            st.link_button(f"下载现行《{one}》", address, icon=":material/download:")
    if not is_sent:
        return
    if dataset is None or file is None:
        st.error("请先选择要载入的文件，再点击“检查文件”", icon=":material/error:")
    else:
        with st.spinner("正在读取和检查 …"):
            listed = editions.read(dataset, file.name, file.getvalue())
        st.session_state["edition"] = (dataset, file.name, listed)
        st.rerun()


def listing(rows: list[EditionRow]) -> None:
    """The editions so far; one that waits can be canceled."""
    st.subheader("版本记录", anchor=False)
    shown = [
        row.__dict__
        | {
            "state": f"{SIGNS[row.state]} {row.state}",
            "official": "官方" if row.is_official else "非官方",
            "loaded_by": row.loaded_by or "系统自带",
        }
        for row in rows
    ]
    tables.listing(shown, COLUMNS, "版本记录", widths={"name": 300, "state": 100})
    for row in rows:
        if row.state == EditionState.waiting:
            waiting(row)


def waiting(row: EditionRow) -> None:
    """An edition that waits for its day."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":material/schedule: **{look.plain(row.name)}**（{row.dataset}）"
            f"将于 {row.effective_on:%Y-%m-%d} 自动生效",
            width="stretch",
        )
        with st.popover("取消这个版本", icon=":material/cancel:"):
            st.text("取消后它不会生效，现行版本不变。需要时可以重新载入文件。")
            is_canceled = st.button("确认取消", type="primary", key=f"cancel-{row.id}")
    if is_canceled:
        with acting(Role.administrator) as (session, administrator):
            editions.cancel(session, row.id, by=administrator)
        look.flash(f"已取消 {row.name}")
        st.rerun()


signed_in(Role.administrator)
look.header(
    "基础数据版本",
    "载入官方《强检器具目录》或新的行政区划：逐行检查，先看差别，确认后按日期生效。",
)
st.page_link(page("reference"), label="返回基础数据", icon=":material/arrow_back:")
if "edition" in st.session_state:
    edition_preview.draw(*st.session_state["edition"])
    if st.button("换一个文件", key="edition-again"):
        del st.session_state["edition"]
        st.rerun()
else:
    upload()
with looking(Role.administrator) as (session, administrator):
    known = editions.page(session, by=administrator)
listing(known)
