"""个人中心: one's own data, one's unit, password and sign-ins."""

from typing import Any

import streamlit as st

from db import accounts, duties, enterprises, institutions, sign_ins
from db.engine import Session
from db.errors import Refused
from db.models import OWNERS, Account, Role
from pages.parts import choices, links, look, mobile, my_sign_ins
from pages.parts.account import acting, address, looking, signed_in, token

INFORMATION, GRANTS, SECURITY = "我的个人信息", "我的企业授权", "密码和登录"
RULES = (
    "8 至 64 个字符，含大写字母、小写字母、数字、其他字符中的三种，或不少于 12 个字符。"
    "修改后，其他设备上的登录立即失效。"
)


def units(session: Session, account: Account) -> list[dict[str, str]]:
    """The enterprises or the institution an account acts for, label by label."""
    if account.role in OWNERS:
        return [
            {
                "企业名称": row.name,
                "统一社会信用代码": row.credit_code,
                "所在地": division(row.division_code),
                "地址": row.address,
                "联系人": row.contact_name,
                "联系手机": row.mobile,
            }
            for row in enterprises.page(session, by=account)
        ]
    if account.role != Role.institution:
        return []
    row = institutions.own(session, by=account)
    place = division(row.division_code)
    return [
        {
            "机构名称": row.name,
            "机构代号": row.code,
            "所在地": place,
            "地址": row.address,
            "电话": row.telephone,
        }
    ]


def division(code: str) -> str:
    """The full name of a division; its code once it is retired."""
    row = choices.tree().rows.get(code)
    return row.full_name if row else code


def personal(account: Account) -> None:
    """The form of one's own name and number."""
    with st.form("profile", clear_on_submit=False):
        st.text(f"账号：{account.username}　身份：{account.role}")
        full_name = st.text_input("姓名 *", account.full_name, max_chars=60)
        if account.mobile:
            st.text(f"手机号：{account.mobile}")
        number = account.mobile or st.text_input("手机号", max_chars=20)
        is_saved = st.form_submit_button("保存", type="primary")
    if is_saved:
        with acting() as (session, by):
            accounts.edit_profile(session, by=by, full_name=full_name, mobile=number)
        look.flash("个人信息已保存")
        st.rerun()
    st.link_button(
        "导出我的个人信息",
        "/personal-data.json",
        icon=":material/download:",
        help="账号、关联、登录和操作记录，一个 JSON 文件",
    )


def password() -> None:
    """The form of the password; it empties itself only once the password is changed."""
    number = st.session_state.setdefault("passwords", 0)
    with st.form(f"password-{number}", clear_on_submit=False):
        st.subheader("修改密码", anchor=False)
        fields: dict[str, Any] = {"type": "password", "max_chars": 64}
        current = st.text_input("当前密码 *", autocomplete="current-password", key=f"now-{number}", **fields)
        new = st.text_input(
            "新密码 *", autocomplete="new-password", help=RULES, key=f"new-{number}", **fields
        )
        again = st.text_input(
            "再次输入新密码 *", autocomplete="new-password", key=f"again-{number}", **fields
        )
        is_changed = st.form_submit_button("修改密码", type="primary")
    if is_changed and new != again:
        st.error("两次输入的新密码不一致，请重新输入", icon=":material/error:")
    elif is_changed:
        with acting() as (session, by):
            is_right = accounts.change_password(
                session, by=by, current=current, new=new, token=token(), address=address()
            )
        if not is_right:
            raise Refused(sign_ins.WRONG_CURRENT)
        st.session_state["passwords"] += 1
        look.flash("密码已修改")
        st.rerun()


def unit(values: dict[str, str]) -> None:
    """One enterprise or institution, label by label."""
    with st.container(border=True), st.grid(3, min_column_width=200, gap="small"):
        for label, value in values.items():
            with st.container(gap="xxsmall"):
                st.caption(label)
                st.text(value or "—")


signed_in()
with looking() as (session, account):
    sentence = duties.obstacle(session, account)
    worked_for = units(session, account)

look.header("个人中心")
if sentence:
    st.warning(sentence, icon=":material/lock_reset:")
grants = [GRANTS] if account.role == Role.enterprise else []
opened = GRANTS if grants and st.query_params.get("tab") == "links" else INFORMATION
labels = [INFORMATION, *grants, SECURITY]
drawn = st.tabs(labels, default=SECURITY if sentence else opened)
tabs = dict(zip(labels, drawn, strict=True))
is_person = account.role == Role.personal
with tabs[INFORMATION]:
    left, right = st.columns(2, gap="medium")
    with left:
        personal(account)
    if account.mobile and not account.must_change_password:
        with left if is_person else right:
            mobile.draw(account)
    if is_person and not account.must_change_password:
        with right:
            links.of_person()
        links.past_of_person()
    if worked_for:
        st.subheader("我的单位", anchor=False)
    for values in worked_for:
        unit(values)
if grants and not account.must_change_password:
    with tabs[GRANTS]:
        links.of_enterprise()
with tabs[SECURITY]:
    password()
    my_sign_ins.authenticator(account, token())
    my_sign_ins.listing(token())
