"""账户管理: who may sign in, in which role."""

import streamlit as st

from db import accounts, authenticators, sign_ins
from db.models import Role
from pages.parts import account_edits, account_forms, identity, look, narrowing, preview, tables, unmasking
from pages.parts.account import acting, looking, signed_in

SIZE = 50
STANDINGS = {"active": "可以登录", "suspended": "已停用"}
COLUMNS = {
    "username": "账号",
    "full_name": "姓名",
    "role": "身份",
    "belongs_to": "所属",
    "mobile": "手机号",
    "state": "状态",
    "last_seen_at": "最近登录",
}


def state(row: accounts.AccountRow) -> str:
    """Whether the account may sign in, by sign and word."""
    if not row.is_active:
        return look.mark("停用")
    return "◔ 待改初始密码" if row.must_change_password else "● 正常"


def card(row: accounts.AccountRow, is_mine: bool) -> None:
    """The account that was picked, and what can be done with it."""
    with st.container(border=True):
        st.markdown(f"**{look.plain(row.full_name)}** {state(row)}")
        st.text(" · ".join(filter(None, (row.username, row.role.value, row.belongs_to, row.mobile))))
        if row.mobile:
            unmasking.popover("account", row.id)
        if is_mine:
            st.caption("这是您自己的账号：密码请在“个人中心”修改；停用请由另一位管理员操作。")
            identity.change(row)
            return
        with st.container(horizontal=True):
            account_forms.reset(row)
            account_edits.change(row)
            second_factor(row)
            identity.change(row)
            switch(row)
            preview.offer(row)


def second_factor(row: accounts.AccountRow) -> None:
    """重置动态口令 for a member of staff whose telephone is lost."""
    with looking(Role.administrator) as (session, _):
        is_bound = sign_ins.has_authenticator(session, row.id)
    if not is_bound:
        return
    with st.popover("重置动态口令", icon=":material/phonelink_erase:", key=f"factor-{row.id}"):
        st.text(f"请先核实是 {row.full_name} 本人。重置后其所有登录立即失效，凭密码登录后可重新绑定。")
        is_reset = st.button("确认重置", type="primary", key=f"factor-reset-{row.id}")
    if is_reset:
        with acting(Role.administrator) as (session, administrator):
            authenticators.reset(session, row.id, by=administrator)
        look.flash(f"{row.username} 的动态口令已重置")
        st.rerun()


def switch(row: accounts.AccountRow) -> None:
    """停用 asks once more; 恢复 does not."""
    if not row.is_active:
        is_resumed, is_suspended = (
            st.button("恢复", icon=":material/play_circle:", key=f"resume-{row.id}"),
            False,
        )
    else:
        with st.popover("停用", icon=":material/pause_circle:", key=f"stop-{row.id}"):
            st.text(f"停用后，{row.full_name} 立即在所有设备上退出，不能再登录。可以随时恢复。")
            account_edits.dependents(row)
            is_suspended, is_resumed = st.button("确认停用", type="primary", key=f"suspend-{row.id}"), False
    if is_suspended or is_resumed:
        change = accounts.suspend if is_suspended else accounts.resume
        with acting(Role.administrator) as (session, administrator):
            change(session, row.id, by=administrator)
        look.flash(f"{row.username} 已{'停用' if is_suspended else '恢复'}")
        st.rerun()


me = signed_in(Role.administrator)
look.header("账户管理", "使用单位的账号由企业注册和审核产生；其余账号在这里新增，首次登录须修改密码。")
account_forms.show_password()
if st.session_state.get("is-adding-account"):
    account_forms.add()
elif st.button("新增账号", type="primary", icon=":material/person_add:"):
    st.session_state["is-adding-account"] = True
    st.rerun()
else:
    preview.offer_role()

with st.container(horizontal=True, vertical_alignment="bottom"):
    text = narrowing.text("账号、姓名、所属")
    role = narrowing.choice("role", "身份", narrowing.named(Role))
    standing = narrowing.choice("state", "状态", STANDINGS)

key = f"accounts-{text}-{role}-{standing}"
number = st.session_state.get(f"{key}-pages", 1)
with looking(Role.administrator) as (session, administrator):
    rows, total = accounts.page(
        session,
        by=administrator,
        text=text,
        role=narrowing.member(Role, role),
        is_active={"active": True, "suspended": False}.get(standing or ""),
        number=number,
        size=SIZE,
    )
if not rows:
    look.empty("没有符合条件的账号，请换一个条件")
    st.stop()
listed = [{**row.__dict__, "state": state(row), "row": row} for row in rows]
# The rows in the key: an account added meanwhile would move the pick to another one.
shown = hash(tuple(row.id for row in rows))
picked = tables.choosing(listed, COLUMNS, f"{key}-{number}-{shown}", "账号", is_many=False)
tables.pager(total, SIZE, f"{key}-pages")
if picked:
    card(picked[0]["row"], is_mine=picked[0]["row"].id == me.id)
else:
    st.caption("选中一个账号，可以重置密码、修改、停用或恢复。")
