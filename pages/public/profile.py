"""个人中心: one's own data, one's unit, password and sign-ins."""

import re
from typing import Any

import streamlit as st

from db import accounts, enterprises, institutions, sign_ins
from db.engine import Session
from db.models import OWNERS, Account, Role
from pages.parts import choices, links, look, mobile, tables
from pages.parts.account import acting, looking, signed_in, token

SIGN_INS = {"created_at": "登录时间", "seen_at": "最近使用", "address": "网络地址", "browser": "浏览器"}
BROWSERS = (("Edg", "Edge"), ("Firefox", "火狐"), ("Chrome", "谷歌浏览器内核"), ("Safari", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "安卓"),
    ("iPhone", "iPhone"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
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


def browser(agent: str) -> str:
    """What a browser is called, with its version and its system."""
    name = next(
        (f"{word} {found[1]}" for key, word in BROWSERS if (found := re.search(rf"{key}\w*/(\d+)", agent))),
        "",
    )
    system = next((word for key, word in SYSTEMS if key in agent), "")
    return " · ".join(filter(None, (name, system))) or agent


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
            accounts.change_password(session, by=by, current=current, new=new, token=token())
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
    mine = [
        {**row.model_dump(), "browser": browser(row.agent)}
        for row in sign_ins.of_account(session, account.id)
    ]
    worked_for = units(session, account)

look.header("个人中心")
if account.must_change_password:
    st.warning("您使用的是初始密码，请先修改密码，再办理业务", icon=":material/lock_reset:")
grants = [GRANTS] if account.role == Role.enterprise else []
opened = GRANTS if grants and st.query_params.get("tab") == "links" else INFORMATION
labels = [INFORMATION, *grants, SECURITY]
drawn = st.tabs(labels, default=SECURITY if account.must_change_password else opened)
tabs = dict(zip(labels, drawn, strict=True))
with tabs[INFORMATION]:
    personal(account)
    if account.mobile and not account.must_change_password:
        mobile.draw(account)
    if account.role == Role.personal and not account.must_change_password:
        links.of_person()
    if worked_for:
        st.subheader("我的单位", anchor=False)
    for values in worked_for:
        unit(values)
if grants and not account.must_change_password:
    with tabs[GRANTS]:
        links.of_enterprise()
with tabs[SECURITY]:
    password()
    st.subheader("我的登录", anchor=False)
    tables.listing(mine, SIGN_INS, "我的登录")
