"""企业注册: an enterprise applies for an account."""

import streamlit as st

from db.models import Role
from pages.parts import application, look
from pages.parts.registration import Sheet

with st.container(horizontal_alignment="center"), st.container(width=960):
    look.header("企业注册", application.note())
    application.show_next("register", "注册另一家企业")
    sheet = Sheet("register", {"role": Role.enterprise})
    sheet.enterprise()
    sheet.licence()
    application.finish(sheet)
