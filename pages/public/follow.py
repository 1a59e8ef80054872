"""注册进度查询: the applicant reads the state of a registration, and answers."""

import streamlit as st

from db import clock, registrations, settings, workdays
from db.engine import reading, transaction
from db.models import RegistrationStatus, Subject
from pages.parts import look, progress, registration
from pages.parts.navigation import page

look.header("注册进度查询", "凭注册时填写的统一社会信用代码/组织机构代码和手机号查询，不需要登录。")

with st.form("follow", clear_on_submit=False):
    left, right = st.columns(2)
    code = left.text_input("统一社会信用代码/组织机构代码 *", max_chars=30, key="follow-code")
    mobile = right.text_input("手机号 *", max_chars=20, key="follow-mobile")
    if st.form_submit_button("查询", type="primary"):
        st.session_state["followed"] = (code, mobile)

if "followed" not in st.session_state:
    st.stop()

code, mobile = st.session_state["followed"]
with reading() as session:
    found = registrations.follow(session, code, mobile)
    moves = registrations.history(session, found)
    limit = settings.value(session, "review_days")
    deadline = workdays.calendar(session).after(clock.day_of(found.submitted_at), limit)

with st.container(border=True):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(found.name, width="content")
        st.markdown(look.badge(found.status.value), width="content")
    st.caption(f"申请编号 {found.number}")
    if found.status == RegistrationStatus.submitted:
        st.text(f"正在人工审核，预计 {deadline} 前完成。")
    if found.status == RegistrationStatus.approved:
        st.text(f"审核已通过，请使用账号“{found.username}”登录。")
        st.page_link(page("sign_in"), label="去登录", icon=":material/login:")
    if found.status == RegistrationStatus.declined:
        st.text("审核未通过，理由见下方进度。情况有变化时可以重新注册。")
        st.page_link(page("register"), label="重新注册", icon=":material/domain_add:")

left, right = st.columns([2, 3], gap="large")
with left:
    st.subheader("审核进度", anchor=False)
    progress.draw(Subject.registration, moves)
if found.status != RegistrationStatus.sent_back:
    st.stop()

with right:
    st.subheader("补正申请", anchor=False)
    st.caption("请按退回理由改正，再提交审核。")
    key = f"correct-{found.id}-{found.version}"
    typed, _ = registration.draw(key, found.model_dump(), has_account=False)
    answer = st.text_area(
        "补正说明", max_chars=500, key=f"{key}-answer", placeholder="向审核人员说明改正了什么"
    )
    password = st.text_input(
        "注册时设置的密码 *",
        type="password",
        max_chars=64,
        key=f"{key}-password",
        help="信用代码和手机号他人也可能知道，密码用来确认是您本人在补正",
    )
    is_sent = st.button("补正后重新提交", type="primary", key=f"{key}-send")

if is_sent:
    with transaction() as session:
        registrations.resubmit(session, code, mobile, password, registration.values(typed), answer)
    # The number to follow it by may just have been corrected.
    st.session_state["followed"] = (typed["credit_code"], typed["mobile"])
    look.flash("已重新提交，等待审核")
    st.rerun()
