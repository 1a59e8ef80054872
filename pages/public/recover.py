"""忘记密码: how an account and its password are recovered offline (the guide, appendix 三.2)."""

import streamlit as st

from db import settings
from db.engine import reading
from pages.parts import look
from pages.parts.navigation import page

ENTERPRISE = """
1. 准备统一社会信用代码证明文件，如营业执照。
2. 连同 18 位信用代码和查询人手机号，一并提交给主管部门。
3. 主管部门核实身份后，一个工作日内告知账号和初始密码。
"""
PERSONAL = """
1. 准备注册人的身份证复印件。
2. 连同身份证号、姓名和申请人手机号，一并提交给主管部门。
3. 主管部门核实身份后，一个工作日内告知账号和初始密码。
"""

with reading() as session:
    contact = settings.value(session, "contact")

with st.container(horizontal_alignment="center"), st.container(width=960):
    look.header("忘记密码", "账号查询和密码重置由主管部门线下办理，核实身份后一个工作日内完成。")
    st.info(
        look.plain(f"请联系{contact}" if contact else "请联系本系统的主管部门"),
        icon=":material/contact_phone:",
    )
    with st.grid(2, min_column_width=280, gap="medium"):
        for title, steps in (("企业或机构账号", ENTERPRISE), ("个人账号", PERSONAL)):
            with st.container(border=True, height="stretch"):
                st.subheader(title, anchor=False)
                st.markdown(steps)
    st.caption("未注册过、没有提供手机号或材料不全的，主管部门会告知原因。")
    st.caption("初始密码由管理员设置，首次登录时必须先改成自己的密码。")
    st.page_link(page("sign_in"), label="返回登录", icon=":material/arrow_back:")
