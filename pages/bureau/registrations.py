"""注册审核: the queue with its clock, and the reviewer's decision."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from db import history, registrations, reviews, settings, workflow
from db.models import RegistrationStatus, Role, Subject
from db.reviews import QueueRow
from pages.parts import look, narrowing, review, tables
from pages.parts.account import acting, looking, signed_in

READERS = (Role.reviewer, Role.supervisor)
SIZE = 50
QUEUE = {
    "clock": "审核时限",
    "kind": "类别",
    "name": "名称（姓名）",
    "division": "所在地",
    "submitted_at": "提交时间",
    "credit_code": "统一社会信用代码",
    "number": "申请编号",
}
DECIDED = {
    "decided_at": "审核时间",
    "kind": "类别",
    "name": "名称（姓名）",
    "division": "所在地",
    "submitted_at": "提交时间",
    "credit_code": "统一社会信用代码",
    "number": "申请编号",
}
WIDTHS = {"clock": 200, "name": 240, "decided_at": 145, "submitted_at": 145, "number": 150}
OPERATIONS: dict[str, Callable[..., Any]] = {
    "approve": reviews.approve,
    "send_back": reviews.send_back,
    "decline": reviews.decline,
}


def choose_status(counts: dict[RegistrationStatus, int]) -> RegistrationStatus:
    """Which of the four lists; the address may ask for one."""
    asked = st.query_params.get("status", "")
    start = RegistrationStatus.__members__.get(asked, RegistrationStatus.submitted)
    chosen = st.segmented_control(
        "状态",
        list(RegistrationStatus),
        default=start,
        format_func=lambda one: f"{one.value} {counts[one]}",
        key=f"registrations-status-{asked}",
        label_visibility="collapsed",
    )
    return chosen or start


def in_time(share: reviews.Share, days: int) -> str:
    """The share answered in time, in a sentence."""
    if share.rate is None:
        return ""
    told = f"近 {reviews.PERIOD} 天有 {share.rate:.1%} 在 {days} 个工作日内审核"
    return f"{told}（{share.in_time}/{share.due}）。"


def open_row(rows: list[QueueRow], status: RegistrationStatus, place: str) -> int:
    """The id of the registration to show: the one picked, the one still open at `place`, or the first."""
    shown = [{**row.__dict__, "clock": review.clock(row), "kind": review.KINDS[row.role]} for row in rows]
    # The rows in the key: a decision moves those below it up, and the pick would move to another one.
    key = f"registrations-{status.name}-{hash(tuple(row.id for row in rows))}"
    columns = QUEUE if status == RegistrationStatus.submitted else DECIDED
    picked = tables.choosing(
        shown, columns, key, "注册申请", is_many=False, widths=WIDTHS, height=210 if len(rows) > 5 else "auto"
    )
    kept = st.session_state.get("registration-open", {})
    if picked:
        kept = {"id": picked[0]["id"], "place": place}
    elif kept.get("place") != place:
        kept = {"id": rows[0].id, "place": place}
    st.session_state["registration-open"] = kept
    return int(kept["id"])


me = signed_in(*READERS)
with looking(*READERS) as (session, account):
    share, days = reviews.share(session, by=account), settings.value(session, "review_days")
look.header("注册审核", f"加急的在前，先交的先审。每个决定的理由，申请人都能看到。{in_time(share, days)}")
with looking(*READERS) as (session, account):
    counts = reviews.counts(session, by=account)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        status = choose_status(counts)
        text = narrowing.text("名称、代码或申请编号", 260)
    key = f"registrations-pages-{status.name}-{text}"
    number = st.session_state.get(key, 1)
    rows, total = reviews.page(session, by=account, status=status, text=text, number=number, size=SIZE)
if not rows:
    is_queue = status == RegistrationStatus.submitted
    nothing = "没有待审核的注册申请" if is_queue else f"没有“{status}”的注册申请"
    look.empty("没有符合条件的注册申请，请换一个条件" if text else nothing)
    st.stop()

registration_id = open_row(rows, status, f"{key}-{number}")
tables.pager(total, SIZE, key, number)
with looking(*READERS) as (session, account):
    found = reviews.find(session, registration_id, by=account)
    deadline = registrations.deadline(session, found)
    checks = review.checks(session, found, account)
    contact = reviews.contact(found, by=account)
    moves = history.of_registration(session, found.id, by=account)
    scan = registrations.licence(session, found) if me.role == Role.reviewer else None

steps = workflow.open_steps(Subject.registration, found.status, me.role)
left, right = st.columns(2, gap="medium")
with left:
    if found.status != status:
        st.info("这份申请刚刚已由他人办理，请在上表中选择下一份。", icon=":material/sync_problem:")
    review.show(found, deadline, moves, contact)
    decision = review.decide(found, steps) if steps else None
with right:
    if found.role == Role.enterprise and me.role == Role.reviewer:
        review.show_licence(scan)
    review.show_checks(checks)
if decision:
    step, reason = decision
    with acting(Role.reviewer) as (session, reviewer):
        OPERATIONS[step.action](session, found.id, by=reviewer, reason=reason)
    del st.session_state["registration-open"]
    look.flash(f"{found.name}：{step.label}")
    st.rerun()
