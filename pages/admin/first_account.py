"""首次使用: the administrator's account of a database nobody has an account in."""

import streamlit as st

from db import accounts, sign_ins
from db.errors import Refused
from pages.parts import look
from pages.parts.account import address, agent, visiting
from pages.parts.entrance import enter

look.welcome("首次使用，请先建立管理员账号")

with st.container(horizontal_alignment="center"), st.form("first-account", width=440):
    username = st.text_input("账号", max_chars=40, help="3 至 40 个字母、数字、汉字或 _ - .")
    full_name = st.text_input("姓名", max_chars=60)
    password = st.text_input(
        "密码",
        type="password",
        max_chars=64,
        help="8 至 64 个字符，含大写字母、小写字母、数字、其他字符中的三种，或不少于 12 个字符",
    )
    repeated = st.text_input("再次输入密码", type="password", max_chars=64)
    is_confirmed = st.form_submit_button("建立管理员账号", type="primary", width="stretch")

if is_confirmed:
    if password != repeated:
        raise Refused("两次输入的密码不一致，请重新输入")
    with visiting() as session:
        administrator = accounts.create_first_administrator(
            session, username=username, full_name=full_name, password=password
        )
        ticket = sign_ins.begin(
            session, administrator.username, administrator.password_hash, address(), agent()
        )
    enter(ticket)
