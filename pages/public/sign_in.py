"""登录: the way in for everybody who has an account."""

import os

import streamlit as st

from pages.parts import entrance, look, navigation
from pages.parts.entrance import SECOND, enter, second_step, sign_in

look.welcome("强制检定工作计量器具网上约检")

with st.container(horizontal=True, horizontal_alignment="center", gap="large"):
    with st.container(width=440):
        entrance.say_why_again()
        entrance.take_up()
        ticket = second_step() if SECOND in st.session_state else sign_in()
        if SECOND not in st.session_state:
            entrance.by_identity()
        with st.container(horizontal=True, horizontal_alignment="center"):
            for entry in navigation.public()[1:]:
                st.page_link(navigation.page(entry.name))
    if os.environ.get("YUEJIAN_DEMO") == "1":
        from db import demo

        with st.container(width=620):
            look.showcase(demo.SHOWCASE, demo.PASSWORD)

if ticket:
    enter(ticket)
