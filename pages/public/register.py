"""企业注册: an enterprise applies for an account."""

import streamlit as st

from db import registrations, settings
from db.engine import reading
from pages.parts import look
from pages.parts.account import visiting
from pages.parts.navigation import page
from pages.parts.registration import Sheet, pair


def show_next(done: dict[str, str]) -> None:
    """After it was handed in: the number, and what happens next."""
    with st.container(border=True):
        st.success(f"注册申请已提交，申请编号 {done['number']}", icon=":material/task_alt:")
        steps = (
            f"审核人员人工审核，最迟 {done['deadline']} 完成。",
            "在“注册进度查询”中凭代码和手机号查看结果；退回补正的，按理由改正后重新提交。",
            f"审核通过后，用账号“{done['username']}”和您设置的密码登录。",
        )
        st.markdown("\n".join(f"1. {look.plain(step)}" for step in steps))
        if done["urgent"]:
            st.caption(look.plain(done["urgent"]))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(page("follow"), label="注册进度查询", icon=":material/manage_search:")
            if st.button("注册另一家企业"):
                del st.session_state["registered"]
                st.rerun()


with reading() as session:
    days, contact = settings.value(session, "review_days"), settings.value(session, "contact")
urgent = f"急需审核请联系{contact or '本系统的主管部门'}。"

with st.container(horizontal_alignment="center"), st.container(width=960):
    look.header("企业注册", f"提交后由审核人员人工审核，通常 {days} 个工作日内审核完成。带 * 的是必填项。")
    if "registered" in st.session_state:
        show_next(st.session_state["registered"])
        st.stop()

    sheet = Sheet("register", {})
    sheet.enterprise()
    with st.container(border=True):
        st.markdown("**登录账号**")
        with pair():
            sheet.text("username", "账号名 *", 40, autocomplete="username")
        with st.form("register-secrets", clear_on_submit=False, border=False):
            with pair():
                sheet.secret("password", "密码 *")
                sheet.secret("repeated", "再输一次密码 *")
            sheet.typed["is_urgent"] = st.checkbox("急需审核", key="register-urgent")
            st.caption(look.plain(urgent))
            is_sent = st.form_submit_button("注册", type="primary", icon=":material/how_to_reg:")
    with reading() as session:
        form = registrations.look_over(session, sheet.typed)
    sheet.judge(form, is_sent)

    if is_sent:
        with visiting() as session:
            made = registrations.submit(session, sheet.typed)
            deadline = registrations.deadline(session, made)
        sheet.forget()
        st.session_state["followed"] = (made.credit_code, made.mobile)
        st.session_state["registered"] = {
            "number": made.number,
            "username": made.username,
            "deadline": str(deadline),
            "urgent": urgent if made.is_urgent else "",
        }
        st.rerun()
