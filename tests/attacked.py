"""Files and a defect behind the real edge, for `tests/test_attacks.py` to reach for."""

import sys
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

sys.path.insert(0, str(Path(__file__).parent.parent))


def draw() -> None:
    """A file that only this session has, an uploader, and a button that fails."""
    context = get_script_run_ctx()
    assert context
    st.download_button("下载", f"所有者 {context.session_id}", file_name="a.txt")
    file = st.file_uploader("上传")
    st.header(file.getvalue().decode() if file else "没有文件")
    if st.button("出错"):
        raise RuntimeError("kept in the log")


if get_script_run_ctx(suppress_warning=True) is None:
    from pages.edge.server import build

    app = st.App(__file__, **build())
else:
    draw()
