"""更正申请: what was asked for and what was answered, and the dialog to ask in."""

from datetime import date
from typing import Any

import streamlit as st

from db import attachments, corrections, fields
from db.models import OWNERS, CorrectionStatus, Role
from pages.parts import look, tables
from pages.parts.account import acting, signed_in

PICTURES = ("image/jpeg", "image/png")
TYPES = ["jpg", "jpeg", "png", "pdf"]
COLUMNS = {
    "status": "状态",
    "instrument": "器具",
    "change": "有效期至",
    "reason": "更正理由",
    "answer": "审批意见",
    "requested_at": "申请时间",
}
WIDTHS = {"status": 110, "instrument": 180, "change": 205, "reason": 215, "answer": 195, "requested_at": 145}


def day(value: Any) -> str:
    """A last day of validity, or that there is none."""
    return f"{value:%Y-%m-%d}" if value else "（空）"


def change(row: Any) -> str:
    """From what to what."""
    return f"{day(row.before)} → {day(row.valid_until)}"


def shown(row: Any) -> dict[str, Any]:
    """A request for a table; the row itself under `row`."""
    return {
        **row._mapping,
        "instrument": f"{row.name} {row.serial_number}",
        "change": change(row),
        "row": row,
    }


def show(row: Any) -> None:
    """One request in full, with its proof to open."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(look.badge(row.status.value), width="content")
            st.markdown(f"**有效期至 {look.plain(change(row))}**", width="content")
        who = f"{row.applicant_role} {row.applicant}"
        st.caption(look.plain(f"{who} · {tables.text('at', row.requested_at)}"))
        st.text(f"更正理由：{row.reason}")
        if row.status == CorrectionStatus.withdrawn:
            st.text(f"申请人已撤回（{tables.text('at', row.decided_at)}）")
        elif row.status != CorrectionStatus.requested:
            st.text(f"审批意见：{row.answer or '同意'}（{tables.text('at', row.decided_at)}）")
        proof(row)


def proof(row: Any) -> None:
    """The way to the attachment."""
    if row.attachment_id:
        open_file(row.attachment_id, row.file_name, row.size)


def open_file(attachment_id: int, name: str, size: int) -> None:
    """A link that opens an attachment."""
    label = f"查看附件 {look.plain(name)}（{max(1, size >> 10):,} KB）"
    st.link_button(label, f"/attachments/{attachment_id}", icon=":material/attach_file:")


def picture(attachment_id: int, media_type: str) -> None:
    """An attachment on the page itself, if it is a picture."""
    if media_type in PICTURES:
        source = f"/attachments/{int(attachment_id)}"
        style = "max-width: 100%; max-height: 460px; border: 1px solid #d3dbe3"
        st.html(f'<img src="{source}" alt="附件" style="{style}">')


@st.dialog("申请更正有效期至")
def ask(row: Any) -> None:
    """Ask for another 有效期至 of the ledger row `row`."""
    key = f"correction-{row.id}-{row.version}"
    st.text(f"{row.name} {row.serial_number}，现在的有效期至：{day(row.valid_until)}")
    st.caption("由监管人员对照附件审批，同意后台账才会改动。办理结果在器具详情和“更正申请”中查看。")
    until, is_removed = _wanted(key)
    reason, file = _grounds(key)
    if not st.button("提交申请", type="primary", key=f"{key}-send"):
        return
    if until is None and not is_removed:
        st.error("请选择“更正后的有效期至”，或勾选“删去有效期至”", icon=":material/error:")
        return
    with acting(*OWNERS) as (session, account):
        corrections.request(
            session,
            row.id,
            None if is_removed else until,
            by=account,
            reason=reason,
            file_name=file.name if file else "",
            content=file.getvalue() if file else b"",
        )
    look.flash("更正申请已提交，等待监管人员审批")
    st.rerun()


def _wanted(key: str) -> tuple[date | None, bool]:
    """The day asked for, and whether there should be none."""
    is_removed = st.checkbox("删去有效期至（没有检定证书，或该种别没有有效期）", key=f"{key}-removed")
    until = st.date_input(
        "更正后的有效期至 *",
        None,
        min_value=fields.EARLIEST,
        max_value=fields.LATEST,
        format="YYYY-MM-DD",
        disabled=is_removed,
        key=f"{key}-until",
    )
    return until, is_removed


def _grounds(key: str) -> tuple[str, Any]:
    """The reason, and the file that proves it."""
    most = attachments.MOST_PROOF_BYTES >> 20
    reason = st.text_area(
        "更正理由 *",
        max_chars=300,
        height=90,
        placeholder="例如：录入时看错了年份，以附件中的检定证书为准",
        key=f"{key}-reason",
    )
    file = st.file_uploader(
        f"附件 *：检定证书等证明，JPG、PNG 或 PDF，不超过 {most} MB",
        type=TYPES,
        max_upload_size=most,
        key=f"{key}-file",
    )
    return reason, file


def withdraw(row: Any) -> None:
    """撤回申请, for who may: asked once more, since the attachment would have to be handed in again."""
    account = signed_in(*OWNERS)
    if row.status != CorrectionStatus.requested or (
        account.id != row.requested_by_id and account.role != Role.enterprise
    ):
        return
    with st.popover("撤回申请", icon=":material/undo:", key=f"withdraw-{row.id}"):
        st.text("撤回后不再审批，台账不变；需要时可重新申请")
        if st.button("确定撤回", type="primary", key=f"withdraw-{row.id}-sure"):
            with acting(*OWNERS) as (session, account):
                corrections.withdraw(session, row.id, by=account)
            look.flash("更正申请已撤回")
            st.rerun()
