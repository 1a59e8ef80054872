"""注册进度查询: the applicant reads the state of a registration, and answers."""

import streamlit as st

from db import registrations
from db.engine import reading
from db.errors import Refused
from db.models import Attachment, Registration, RegistrationStatus, Role, Subject
from db.registrations import Key
from db.workdays import Deadline
from pages.parts import look, progress, review
from pages.parts.account import address, visiting
from pages.parts.navigation import page
from pages.parts.registration import Sheet, pair

NAMES = {Role.enterprise: "统一社会信用代码/组织机构代码 *", Role.personal: "账号名 *"}
AGAIN = {Role.enterprise: "register", Role.personal: "register_person"}


def ask() -> None:
    """Who asks names the applicant by what only it and the bureau know together; tries are counted."""
    asked = st.session_state.get("followed", Key(Role.enterprise, "", ""))
    role = st.segmented_control(
        "类别",
        list(NAMES),
        default=asked.role,
        format_func=lambda one: review.KINDS[one],
        key="follow-role",
        label_visibility="collapsed",
    )
    role = role or asked.role
    if role != asked.role:
        asked = Key(role, "", "")
        st.session_state.pop("followed", None)
    with st.form(f"follow-{role.name}", clear_on_submit=False):
        with pair():
            name = st.text_input(NAMES[role], asked.name, max_chars=40)
            mobile = st.text_input("手机号 *", asked.mobile, max_chars=20)
        is_asked = st.form_submit_button("查询", type="primary", icon=":material/search:")
    if is_asked:
        st.session_state.pop("followed", None)
        key = Key(role, name, mobile)
        with visiting() as session:
            is_there = registrations.is_there(session, key, address())
        if not is_there:
            raise Refused(registrations.NOT_FOUND)
        st.session_state["followed"] = key


def show(found: Registration, deadline: Deadline) -> None:
    """Where the registration stands, and what to do now."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{look.plain(found.name)}**", width="content")
            st.markdown(look.badge(found.status.value), width="content")
        st.caption(f"申请编号 {found.number}")
        if found.status == RegistrationStatus.submitted:
            st.text(f"正在人工审核，最迟 {deadline} 完成。")
        elif found.status == RegistrationStatus.sent_back:
            st.text("请按审核人员的理由改正，在下方补正后重新提交。")
        elif found.status == RegistrationStatus.approved:
            st.text(f"审核已通过，请用账号“{found.username}”和注册时设置的密码登录。")
            st.page_link(page("sign_in"), label="登录", icon=":material/login:")
        else:
            st.text("审核未通过，理由见下方审核进度。情况有变化时可以重新注册。")
            st.page_link(page(AGAIN[found.role]), label="重新注册", icon=":material/app_registration:")


def correct(found: Registration, scan: Attachment | None) -> None:
    """补正: what was handed in, to be put right, with an answer to the reviewer."""
    key = f"correct-{found.id}-{found.version}"
    st.subheader("补正", anchor=False)
    sheet = Sheet(key, found.model_dump())
    if found.role == Role.personal:
        sheet.person()
    else:
        sheet.enterprise()
        sheet.licence(scan.size if scan else 0)
    with st.container(border=True):
        with pair():
            sheet.text("username", "账号名 *", 40)
        # A password left by Tab would stay in the browser, but for a form.
        with st.form(key, clear_on_submit=False, border=False):
            answer = st.text_area("补正说明", max_chars=500, placeholder="告诉审核人员改正了什么")
            with pair():
                password = st.text_input("注册时设置的密码 *", type="password", max_chars=64)
            st.caption("上面查询用的两项他人也可能知道，密码用来确认是申请人本人在补正。")
            is_sent = st.form_submit_button("补正后重新提交", type="primary", icon=":material/send:")
    with reading() as session:
        sheet.judge(registrations.look_over(session, sheet.typed, found.id), is_sent)
    if is_sent:
        resubmit(found, sheet, password, answer)


def resubmit(found: Registration, sheet: Sheet, password: str, answer: str) -> None:
    """Hand it in again; a wrong password counts."""
    with visiting() as session:
        made = registrations.resubmit(
            session, registrations.key_of(found), password, sheet.typed, answer, address()
        )
    if made is None:
        raise Refused(registrations.WRONG_PASSWORD)
    sheet.forget()
    # What it is followed by may just have been corrected.
    st.session_state["followed"] = registrations.key_of(made)
    look.flash("已重新提交，等待审核")
    st.rerun()


with st.container(horizontal_alignment="center"), st.container(width=960):
    look.header("注册进度查询", "企业凭代码和手机号、个人凭账号名和手机号查询，不需要登录。")
    ask()
    if "followed" not in st.session_state:
        st.stop()
    with reading() as session:
        found = registrations.follow(session, st.session_state["followed"])
        moves = registrations.history(session, found)
        deadline = registrations.deadline(session, found)
        scan = registrations.licence(session, found)
    show(found, deadline)
    st.subheader("审核进度", anchor=False)
    progress.draw(Subject.registration, moves, is_public=True)
    if found.status == RegistrationStatus.sent_back:
        correct(found, scan)
