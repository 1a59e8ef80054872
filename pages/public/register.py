"""企业注册: an enterprise applies for an account."""

import streamlit as st

from db import clock, registrations, settings, workdays
from db.engine import reading, transaction
from pages.parts import look, registration
from pages.parts.navigation import page

look.header("企业注册", "提交后由审核人员人工审核，通常两个工作日内审核完成。带 * 的是必填项。")

if done := st.session_state.get("registered"):
    st.success(f"注册申请已提交，申请编号 {done['number']}", icon=":material/task_alt:")
    st.text(f"预计 {done['deadline']} 前审核完成。审核通过后，使用账号“{done['username']}”登录。")
    st.text("凭统一社会信用代码和手机号，可随时在“注册进度查询”中查看进度和审核意见。")
    with st.container(horizontal=True):
        st.page_link(page("follow"), label="注册进度查询", icon=":material/manage_search:")
        if st.button("继续注册另一家企业"):
            del st.session_state["registered"]
            st.rerun()
    st.stop()

typed, problems = registration.draw("register", {}, has_account=True)
if meant := registration.suggestion(typed["credit_code"] or ""):
    st.info(f"您要填写的代码是不是 {meant}？请核对营业执照后改正。", icon=":material/lightbulb:")

if st.button("注册", type="primary", icon=":material/how_to_reg:"):
    if typed["again"] != typed["password"]:
        st.error("两次输入的密码不一致，请重新输入", icon=":material/error:")
        st.stop()
    with transaction() as session:
        made = registrations.submit(session, registration.values(typed))
    with reading() as session:
        limit = settings.value(session, "review_days")
        deadline = workdays.calendar(session).after(clock.today(), limit)
    st.session_state["registered"] = {
        "number": made.number,
        "username": made.username,
        "deadline": str(deadline),
    }
    st.rerun()
