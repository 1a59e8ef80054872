"""导出: the list on the screen as a file, whatever it is narrowed to."""

from urllib.parse import urlencode

import streamlit as st

from db import ledger_filters
from db.ledger import Filters

FORMATS = {"xlsx": "Excel 工作簿 (.xlsx)", "csv": "纯文本表格 (.csv)"}
SAID = "导出当前筛选出的全部器具。器具很多时 .csv 快得多。"
EDITABLE = "改好后可以重新导入，只有改动的内容会更新。请修改 .xlsx：表格软件打开 .csv 时会去掉编号前面的 0。"


def popover(filters: Filters, is_editable: bool = False) -> None:
    """The button with a link for each format; both carry the filters. Who may import reads so."""
    with st.popover("导出", icon=":material/download:"):
        st.caption(SAID + EDITABLE * is_editable)
        for ending, label in FORMATS.items():
            st.link_button(label, address(ending, filters), icon=":material/download:", width="stretch")


def address(ending: str, filters: Filters) -> str:
    """Where the file is given out."""
    query = urlencode(ledger_filters.query(filters))
    return f"/exports/ledger.{ending}" + (f"?{query}" if query else "")
