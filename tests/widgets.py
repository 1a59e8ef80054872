"""Every widget that speaks English by itself, behind the real edge, for `tests/test_edge.py` to read."""

import datetime
import sys
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

sys.path.insert(0, str(Path(__file__).parent.parent))


@st.dialog("对话")
def talk():
    """A dialog, for its buttons."""
    st.write("内容")


def draw():
    """The widgets, labeled in Chinese."""
    gauges = pd.DataFrame({"名称": ["压力表", "天平"] * 40, "台数": range(80)})
    st.header("器具")
    with st.container(key="ours"):
        st.markdown("Search")
        st.text("Stop")
    st.dataframe(gauges, key="list")
    st.data_editor(gauges.head(5), num_rows="dynamic", key="editor", on_change="ignore")
    st.table(gauges.head(2))
    st.bar_chart(gauges.head(5), x="名称", y="台数")
    st.file_uploader("一个文件", type=["xlsx"])
    st.file_uploader("多个文件", accept_multiple_files=True)
    st.text_input("名称", help="说明", max_chars=10)
    st.text_area("意见")
    st.text_input("密码", type="password")
    st.number_input("数量", 1, 5, value=None)
    st.date_input("检定日期", value=None)
    st.date_input("期间", value=[])
    st.time_input("时间", value=datetime.time(9))
    st.selectbox("项别", ["压力仪表", "天平"], index=None)
    st.selectbox("单位", ["甲"], accept_new_options=True, index=None)
    st.multiselect("种别", ["甲", "乙", "丙"], max_selections=2)
    st.multiselect("空", [])
    st.pagination(20)
    with st.form("form"):
        st.text_input("型号")
        st.text_area("备注")
        st.form_submit_button("确定")
    if st.button("开"):
        talk()


if get_script_run_ctx(suppress_warning=True) is None:
    from pages.edge.server import build

    app = st.App(__file__, **build())
else:
    st.navigation([st.Page(draw, title="器具", url_path="widgets")]).run()
