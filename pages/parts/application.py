"""The end of 企业注册 and 个人注册: the account's name and password, handing in, and what comes next."""

import streamlit as st

from db import passwords, registrations, settings
from db.engine import reading
from db.models import Role
from pages.parts import look
from pages.parts.account import address, visiting
from pages.parts.navigation import page
from pages.parts.registration import Sheet, pair

BY = {Role.enterprise: "代码和手机号", Role.personal: "账号名和手机号"}


def urgency() -> str:
    """Whom to ask when it is urgent."""
    with reading() as session:
        contact = settings.value(session, "contact")
    return f"急需审核请联系{contact or '本系统的主管部门'}。"


def note() -> str:
    """What an applicant should know first."""
    with reading() as session:
        days = settings.value(session, "review_days")
    return f"提交后由审核人员人工审核，通常 {days} 个工作日内审核完成。带 * 的是必填项。"


def finish(sheet: Sheet) -> None:
    """The last part of the sheet and its button; hands it in."""
    key, urgent = sheet.key, urgency()
    with st.container(border=True):
        st.markdown("**登录账号**")
        with pair():
            sheet.text("username", "账号名 *", 40, autocomplete="username")
        # A password left by Tab would stay in the browser, but for a form.
        with st.form(f"{key}-secrets", clear_on_submit=False, border=False):
            with pair():
                sheet.secret("password", "密码 *")
                sheet.secret("repeated", "再输一次密码 *")
            sheet.typed["is_urgent"] = st.checkbox("急需审核", key=f"{key}-urgent")
            st.caption(look.plain(urgent))
            is_sent = st.form_submit_button("注册", type="primary", icon=":material/how_to_reg:")
    with reading() as session:
        form = registrations.look_over(session, sheet.typed)
    sheet.judge(form, is_sent)
    if is_sent:
        form.done()
        _hand_in(sheet, urgent)
        st.rerun()


def _hand_in(sheet: Sheet, urgent: str) -> None:
    with reading() as session:
        registrations.check_pace(session, address())
    password_hash = passwords.hashed(sheet.typed["password"])
    with visiting() as session:
        made = registrations.submit(session, sheet.typed, password_hash, address())
        deadline = registrations.deadline(session, made)
    sheet.forget()
    st.session_state["followed"] = registrations.key_of(made)
    st.session_state[f"{sheet.key}-done"] = {
        "number": made.number,
        "username": made.username,
        "deadline": str(deadline),
        "by": BY[made.role],
        "urgent": urgent if made.is_urgent else "",
    }


def show_next(key: str, again: str) -> None:
    """Once it was handed in: the number, and what happens next; `again` names the button to start anew."""
    done = st.session_state.get(f"{key}-done")
    if done is None:
        return
    with st.container(border=True):
        st.success(f"注册申请已提交，申请编号 {done['number']}", icon=":material/task_alt:")
        steps = (
            f"审核人员人工审核，最迟 {done['deadline']} 完成。",
            f"在“注册进度查询”中凭{done['by']}查看结果；退回补正的，按理由改正后重新提交。",
            f"审核通过后，用账号“{done['username']}”和您设置的密码登录。",
        )
        st.markdown("\n".join(f"1. {look.plain(step)}" for step in steps))
        if done["urgent"]:
            st.caption(look.plain(done["urgent"]))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(page("follow"), label="注册进度查询", icon=":material/manage_search:")
            if st.button(again):
                del st.session_state[f"{key}-done"]
                st.rerun()
    st.stop()
