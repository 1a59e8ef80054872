"""个人注册: a person applies for an account, to work for enterprises that grant it."""

import streamlit as st

from db.models import Role
from pages.parts import application, look
from pages.parts.navigation import page
from pages.parts.registration import Sheet

with st.container(horizontal_alignment="center"), st.container(width=960):
    look.header("个人注册", application.note())
    application.show_next("person", "注册另一个账号")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "个人账号经企业授权后，与企业共同管理强检器具；通过审核后在“个人中心”申请关联企业。",
            width="content",
        )
        st.page_link(page("register"), label="企业请用企业注册", icon=":material/domain_add:")
    sheet = Sheet("person", {"role": Role.personal})
    sheet.person()
    application.finish(sheet)
