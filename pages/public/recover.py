"""忘记密码: how a password is recovered offline."""

import streamlit as st

from pages.parts import look
from pages.parts.navigation import page

look.header("忘记密码", "向本系统的主管部门提出账号查询及密码重置申请，核实身份后一个工作日内办理。")

left, right = st.columns(2, gap="large")
with left, st.container(border=True):
    st.subheader("企业或机构账号", anchor=False)
    st.markdown(
        "1. 准备统一社会信用代码证明文件（营业执照等）。\n"
        "2. 提交给主管部门，并注明 18 位信用代码和查询人手机号。\n"
        "3. 核实后告知账号名和新的初始密码。"
    )
with right, st.container(border=True):
    st.subheader("个人账号", anchor=False)
    st.markdown(
        "1. 准备注册人身份证复印件。\n"
        "2. 提交给主管部门，并注明姓名、身份证号和申请人手机号。\n"
        "3. 核实后告知账号名和新的初始密码。"
    )
st.info("使用初始密码首次登录时，必须先修改密码。", icon=":material/lock_reset:")
st.page_link(page("sign_in"), label="返回登录", icon=":material/arrow_back:")
