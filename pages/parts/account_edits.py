"""Changes of an account by an administrator: name, number, role, institution, area."""

import streamlit as st

from db import account_changes
from db.accounts import AccountRow
from db.models import Role
from pages.parts import choices, look
from pages.parts.account import acting, looking
from pages.parts.account_forms import GIVEN, institution


def change(row: AccountRow) -> None:
    """修改 opens what may be changed."""
    # Under a new key it is closed again.
    number = st.session_state.setdefault("changes", 0)
    with st.popover("修改", icon=":material/edit:", key=f"change-popover-{row.id}-{number}"):
        _fields(row)


def _fields(row: AccountRow) -> None:
    st.caption("修改身份、技术机构或管辖区域后，该账号立即在所有设备上退出，须重新登录。")
    full_name = st.text_input("姓名 *", row.full_name, max_chars=60, key=f"name-{row.id}")
    mobile = st.text_input("新手机号", max_chars=20, placeholder="不改请留空", key=f"mobile-{row.id}")
    role = row.role
    if row.role != Role.enterprise:
        place = GIVEN.index(row.role)
        role = st.selectbox("身份 *", GIVEN, index=place, key=f"role-{row.id}") or row.role
    institution_id, division_code = None, None
    if role == Role.institution:
        institution_id = institution(f"institution-{row.id}", row.institution_id)
    if role in (Role.reviewer, Role.supervisor):
        division_code = choices.division(
            f"area-{row.id}", "管辖区域", value=row.division_code, help="不选表示全部区域"
        )
    if st.button("确定", type="primary", key=f"changed-{row.id}"):
        with acting(Role.administrator) as (session, administrator):
            account_changes.change(
                session,
                row.id,
                by=administrator,
                full_name=full_name,
                mobile=mobile or None,
                role=role,
                institution_id=institution_id,
                division_code=division_code,
            )
        st.session_state["changes"] += 1
        look.flash(f"{row.username} 已修改")
        st.rerun()


def dependents(row: AccountRow) -> None:
    """What hangs on the account, before it is suspended."""
    with looking(Role.administrator) as (session, administrator):
        said = account_changes.dependents(session, row.id, by=administrator)
    for sentence in said:
        st.warning(sentence, icon=":material/link:")
