"""找回申请: accounts given back offline, by two members of staff, each with the proof before them."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from db import recoveries, workflow
from db.models import Account, RecoveryStatus, Role, Subject
from pages.parts import account_forms, correction, look, queue, recovery, tables
from pages.parts.account import acting, looking, signed_in

READERS = (Role.reviewer, Role.administrator)
SIZE = 50
QUEUE = {
    "clock": "办理时限",
    "kind": "申请事项",
    "username": "账号",
    "owner": "单位（姓名）",
    "applicant_name": "申请人",
    "requested_at": "提出时间",
    "requested_by": "提出人",
    "number": "申请编号",
}
DECIDED = {"decided_at": "办理时间", "decided_by": "办理人", **QUEUE, "answer": "办理意见"}
DECIDED.pop("clock")
WIDTHS = {"clock": 140, "kind": 100, "username": 120, "owner": 220, "requested_at": 145, "decided_at": 145}


def clock(row: dict[str, Any]) -> str:
    """The working-day clock in words, with a sign."""
    left = row["working_days_left"]
    said = f"剩 {left} 个工作日" if left > 0 else f"✕ 已超 {-left} 个工作日" if left else "◔ 今天到期"
    return said + ("（估算）" if row["deadline"].is_estimated else "")


def choose_status(counts: dict[RecoveryStatus, int]) -> RecoveryStatus:
    """Which of the three lists; the address may ask for one."""
    start = RecoveryStatus.__members__.get(st.query_params.get("status", ""), RecoveryStatus.requested)
    chosen = st.segmented_control(
        "状态",
        list(RecoveryStatus),
        default=start,
        format_func=lambda one: f"{one} {counts[one]:,}",
        key="recoveries-status",
        label_visibility="collapsed",
    )
    return chosen or start


def open_row(rows: Sequence[dict[str, Any]], status: RecoveryStatus) -> dict[str, Any]:
    """The application to show."""
    shown = [{**row, "clock": clock(row), "owner": row["belongs_to"] or row["full_name"]} for row in rows]
    key = f"recoveries-{status.name}-{hash(tuple(row['id'] for row in rows))}"
    columns = QUEUE if status == RecoveryStatus.requested else DECIDED
    height: Any = 210 if len(rows) > 5 else "auto"
    picked = tables.choosing(shown, columns, key, "找回申请", is_many=False, widths=WIDTHS, height=height)
    if status != RecoveryStatus.requested:
        return picked[0] if picked else shown[0]
    ids = [row["id"] for row in rows]
    return shown[ids.index(queue.open_one(ids, picked[0]["id"] if picked else None, "recoveries"))]


def decide(row: dict[str, Any], me: Account) -> None:
    """The decision, for everybody but the one who filed it."""
    with st.container(border=True, gap="small"):
        st.markdown("**办理意见**")
        if row["requested_by_id"] == me.id:
            st.info(f"{recoveries.SAME_PERSON}。", icon=":material/group:")
            return
        st.caption("请对照证明材料核实：证明上的单位或姓名，与账号和申请人一致。")
        key = f"recovery-{row['id']}"
        reason = st.text_area(
            "意见（不予办理时必填，申请人可见）", max_chars=300, key=f"{key}-reason", height=80
        )
        pressed = None
        with st.container(horizontal=True):
            for step in workflow.open_steps(Subject.recovery, row["status"], me.role):
                kind: Any = "primary" if step.action == "approve" else "secondary"
                if st.button(step.label, type=kind, key=f"{key}-{step.action}"):
                    pressed = step.action
    if pressed == "approve":
        with acting(*READERS) as (session, account):
            username, password = recoveries.approve(session, row["id"], by=account, reason=reason)
        if password:
            account_forms.pass_on(username, password)
        leave(f"{row['username']}：{row['kind']}已办理")
    elif pressed:
        with acting(*READERS) as (session, account):
            recoveries.decline(session, row["id"], by=account, reason=reason)
        leave(f"{row['username']}：不予办理")


def leave(sentence: str) -> None:
    """Say what was done."""
    look.flash(sentence)
    st.rerun()


me = signed_in(*READERS)
account_forms.show_password()
with st.container(horizontal=True, vertical_alignment="bottom"):
    with st.container():
        look.header(
            "找回申请", "一人提出、另一人核实办理，一个工作日内办结。办理后该账号的全部登录立即失效。"
        )
    if st.button("提出找回申请", icon=":material/add:", type="primary"):
        st.session_state["recovery-new"] = True
if st.session_state.get("recovery-new"):
    recovery.ask()
with looking(*READERS) as (session, account):
    counts = recoveries.counts(session, by=account)
    status = choose_status(counts)
    if not counts[status]:
        look.empty("没有待核实的找回申请" if status == RecoveryStatus.requested else f"没有“{status}”的申请")
        st.stop()
    number = tables.pager(counts[status], SIZE, f"recoveries-pages-{status.name}")
    rows = recoveries.page(session, by=account, status=status, number=number, size=SIZE)

row = open_row(rows, status)
left, right = st.columns(2, gap="medium")
with left:
    recovery.show(row)
with right:
    if row["attachment_id"]:
        correction.picture(row["attachment_id"], row["media_type"])
    if row["status"] == RecoveryStatus.requested:
        decide(row, me)
