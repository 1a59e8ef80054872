"""个人中心: one's own data, password and sign-ins."""

import streamlit as st

from db import accounts, sign_ins
from db.models import Role
from pages.parts import look, tables
from pages.parts.account import acting, looking, signed_in, token

SIGN_INS = {"created_at": "登录时间", "seen_at": "最近使用", "address": "地址", "agent": "浏览器"}

signed_in()
with looking() as (session, account):
    workplace = sign_ins.workplace(session, account)
    mine = [row for row in sign_ins.of_account(session, account.id)]

look.header("个人中心")
if account.must_change_password:
    st.warning("您使用的是初始密码，请先修改密码，再办理业务。", icon=":material/lock_reset:")

left, right = st.columns(2, gap="large")
with left, st.form("profile", clear_on_submit=False):
    st.subheader("我的个人信息", anchor=False)
    st.text_input("账号", account.username, disabled=True)
    full_name = st.text_input("姓名 *", account.full_name, max_chars=60)
    mobile = st.text_input("手机号", account.mobile, max_chars=20)
    st.caption(f"{account.role}" + (f" · {look.plain(workplace)}" if workplace else ""))
    is_saved = st.form_submit_button("保存", type="primary")
with right, st.form("password", clear_on_submit=False):
    st.subheader("修改密码", anchor=False)
    current = st.text_input("当前密码 *", type="password", max_chars=64, autocomplete="current-password")
    new = st.text_input("新密码 *", type="password", max_chars=64, autocomplete="new-password")
    again = st.text_input("再输一次新密码 *", type="password", max_chars=64, autocomplete="new-password")
    st.caption(
        "8 至 64 个字符，含大写、小写、数字、符号中的三类，或不少于 12 个字符。修改后其他设备上的登录立即失效。"
    )
    is_changed = st.form_submit_button("修改密码", type="primary")

if is_saved:
    with acting() as (session, account):
        accounts.edit_profile(session, by=account, full_name=full_name, mobile=mobile)
    look.flash("个人信息已保存")
    st.rerun()
if is_changed and new != again:
    st.error("两次输入的新密码不一致，请重新输入", icon=":material/error:")
elif is_changed:
    with acting() as (session, account):
        accounts.change_password(session, by=account, current=current, new=new, token=token())
    look.flash("密码已修改")
    st.rerun()

st.subheader("我的登录", anchor=False)
tables.listing(mine, SIGN_INS, "我的登录")
if account.role == Role.personal:
    st.caption("需要为企业办理业务时，请联系企业授权。")
