"""找回申请: what it says, and the form to file one."""

from typing import Any

import streamlit as st

from db import attachments, candidates, recoveries
from db.candidates import Candidate
from db.models import RecoveryKind, RecoveryStatus, Role
from pages.parts import correction, look, tables
from pages.parts.account import acting, looking

READERS = (Role.reviewer, Role.administrator)
NEW = "recovery-new"


def show(row: dict[str, Any]) -> None:
    """One application in full, with its proof to open."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(look.badge(row["status"].value), width="content")
            st.markdown(f"**{row['kind']}**", width="content")
        if row["status"] == RecoveryStatus.requested:
            st.caption(f"应在 {row['deadline']} 前办理")
        facts = {
            "账号": f"{row['username']}（{row['role']} {row['full_name']}）",
            "单位": " ".join(filter(None, (row["belongs_to"], row["credit_code"]))),
            "所在地": row["division"],
            "账号预留手机号": row["account_mobile"] or "（未填）",
            "申请人": row["applicant_name"],
            "新手机号" if row["kind"] == RecoveryKind.mobile else "申请人手机号": row["mobile"],
            "邮箱": row["mail"],
            "说明": row["note"],
            "提出": f"{row['requested_by']} · {tables.text('at', row['requested_at'])}",
            "申请编号": row["number"],
        }
        if row["status"] != RecoveryStatus.requested:
            facts["办理"] = f"{row['decided_by']} · {tables.text('at', row['decided_at'])}"
            facts["办理意见"] = row["answer"] or "同意"
        with st.grid(2, min_column_width=200, gap="small"):
            for label, value in facts.items():
                if value:
                    with st.container(gap=None):
                        st.caption(label)
                        st.text(value)
        if row["attachment_id"]:
            correction.open_file(row["attachment_id"], row["file_name"], row["size"])
        else:
            st.caption("证明材料和申请人资料已超过保留天数，按设置清除。")


def ask() -> None:
    """File one: find the account, say who asks for what, upload the proof."""
    number = st.session_state.setdefault("recovery-forms", 0)
    with st.container(border=True):
        st.subheader("提出找回申请", anchor=False)
        typed = st.text_input(
            "统一社会信用代码或账号名 *", max_chars=40, key=f"recovery-text-{number}", width=420
        )
        found = _find(typed)
        if found:
            _fill_in(found, number)
        if st.button("取消", key="recovery-cancel", type="tertiary"):
            leave()


def _find(typed: str) -> list[Candidate]:
    if not typed.strip():
        st.caption("输入后按回车，查找要找回的账号。工作人员的账号由管理员在“账户管理”中重置。")
        return []
    with looking(*READERS) as (session, account):
        found = candidates.search(session, typed, by=account)
    if not found:
        st.warning("没有找到账号，或不在您的权限范围内，请核对代码或账号名", icon=":material/search_off:")
    return found


def _fill_in(found: list[Candidate], number: int) -> None:
    most = attachments.MOST_PROOF_BYTES >> 20
    with st.form(f"recovery-form-{number}", clear_on_submit=False, border=False):
        account = st.radio("账号 *", found, format_func=_named) or found[0]
        kind = st.radio("申请事项 *", list(RecoveryKind), horizontal=True) or RecoveryKind.password
        with st.grid(2, min_column_width=260, gap="medium"):
            name = st.text_input("申请人姓名 *", max_chars=60)
            mobile = st.text_input("申请人手机号（更换手机号的，填新号码） *", max_chars=20)
            mail = st.text_input("邮箱", max_chars=120, placeholder="填写后，办理结果也发到邮箱")
            note = st.text_input("说明", max_chars=300)
        file = st.file_uploader(
            f"证明材料 *：信用代码证明文件或身份证复印件，JPG、PNG 或 PDF，不超过 {most} MB",
            type=correction.TYPES,
            max_upload_size=most,
        )
        is_sent = st.form_submit_button("提交申请", type="primary")
    if is_sent:
        with acting(*READERS) as (session, by):
            made = recoveries.request(
                session,
                account.id,
                kind,
                by=by,
                applicant_name=name,
                mobile=mobile,
                mail=mail,
                note=note,
                file_name=file.name if file else "",
                content=file.getvalue() if file else b"",
            )
        look.flash(f"已提出 {made.number}，等待另一位工作人员核实")
        leave()


def _named(one: Candidate) -> str:
    owner = f"{one.belongs_to} {one.full_name}" if one.belongs_to else one.full_name
    mobile = f"，预留手机 {one.mobile}" if one.mobile else "，没有预留手机"
    return look.plain(f"{one.username}（{one.role} {owner}{mobile}{'' if one.is_active else '，已停用'}）")


def leave() -> None:
    """Close the form and forget what was typed."""
    del st.session_state[NEW]
    st.session_state["recovery-forms"] += 1
    st.rerun()
