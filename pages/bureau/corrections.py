"""更正审批: requests to correct 有效期至, each beside its proof and the last result, and the decision."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from db import corrections, verifications, workflow
from db.models import CorrectionStatus, InstrumentStatus, Role, Subject
from pages.parts import correction, look, narrowing, queue, tables
from pages.parts.account import acting, looking, signed_in
from pages.parts.navigation import page

SIZE = 50
QUEUE = {
    "requested_at": "申请时间",
    "instrument": "器具",
    "enterprise": "使用单位",
    "change": "有效期至",
    "reason": "更正理由",
}
DECIDED = {"decided_at": "审批时间", **QUEUE, "answer": "审批意见"}
WIDTHS = {**correction.WIDTHS, "enterprise": 220, "decided_at": 145}
RESULT = {
    "certificate_number": "证书（通知书）编号",
    "conclusion": "结论",
    "verified_on": "检定日期",
    "valid_until": "有效期至",
    "institution": "技术机构",
}
OPERATIONS: dict[str, Callable[..., Any]] = {
    "approve": corrections.approve,
    "decline": corrections.decline,
}


def choose_status(counts: dict[CorrectionStatus, int]) -> CorrectionStatus:
    """Which of the lists; the address may ask for one."""
    start = CorrectionStatus.__members__.get(st.query_params.get("status", ""), CorrectionStatus.requested)
    chosen = st.segmented_control(
        "状态",
        list(CorrectionStatus),
        default=start,
        format_func=lambda one: f"{one} {counts[one]:,}",
        key=f"corrections-status?{narrowing.signature()}",
        label_visibility="collapsed",
    )
    return chosen or start


def open_row(rows: Sequence[Any], status: CorrectionStatus) -> Any:
    """The request to show."""
    # The rows in the key: a decision moves those below it up, and the pick would move to another one.
    key = f"corrections-{status.name}-{hash(tuple(row.id for row in rows))}"
    columns = QUEUE if status == CorrectionStatus.requested else DECIDED
    picked = tables.choosing(
        [correction.shown(row) for row in rows],
        columns,
        key,
        "更正申请",
        is_many=False,
        widths=WIDTHS,
        height=210 if len(rows) > 5 else "auto",
    )
    if status != CorrectionStatus.requested:
        return picked[0]["row"] if picked else rows[0]
    ids = [row.id for row in rows]
    return rows[ids.index(queue.open_one(ids, picked[0]["row"].id if picked else None, "corrections"))]


def compare(row: Any, results: Sequence[Any]) -> None:
    """What the ledger says today and the certificate last issued here, beside what was asked for."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{look.plain(f'{row.name} {row.serial_number}')}**")
        st.caption(look.plain(f"{row.enterprise} · {row.manufacturer} · {row.specification}"))
        facts = {
            "台账现在的有效期至": correction.day(row.current),
            "申请时的有效期至": correction.day(row.before),
            "申请改为": correction.day(row.valid_until),
            "最近检定": f"{row.verified_on:%Y-%m-%d} {row.conclusion}" if row.verified_on else "—",
        }
        with st.grid(2, min_column_width=150, gap="small"):
            for label, value in facts.items():
                with st.container(gap="xxsmall"):
                    st.caption(label)
                    st.text(value)
        if results:
            st.caption("最近一次检定结果")
            tables.listing(results, RESULT, "最近一次检定结果")
        else:
            st.caption("本系统中还没有这台器具的检定结果，请以附件为准")
        query = {"id": str(row.instrument_id)}
        st.page_link(
            page("instrument"), label="打开器具详情", icon=":material/straighten:", query_params=query
        )


def warn(row: Any) -> None:
    """Say beforehand what approving would be refused for."""
    if row.current != row.before:
        st.warning(
            "申请后台账的有效期至已经变动（登记了检定结果），不能再同意，请“不予更正”并说明",
            icon=":material/sync_problem:",
        )
    if row.instrument_status == InstrumentStatus.scrapped:
        st.warning("器具已报废，请“不予更正”并说明", icon=":material/delete:")


def decide(row: Any) -> tuple[str, str, str] | None:
    """The action pressed, its label, and the reason."""
    steps = workflow.open_steps(Subject.correction, row.status, Role.supervisor)
    key = f"correction-{row.id}"
    with st.container(border=True):
        reason = st.text_area(
            "审批意见（不予更正时必填，申请人可见）", max_chars=150, key=f"{key}-reason", height=80
        )
        with st.container(horizontal=True):
            pressed = [
                step
                for step in steps
                if st.button(
                    step.label,
                    type="primary" if step.action == "approve" else "secondary",
                    key=f"{key}-{step.action}",
                )
            ]
    return (pressed[0].action, pressed[0].label, reason) if pressed else None


signed_in(Role.supervisor)
look.header(
    "更正审批", "先交的先审。请对照附件和最近一次检定结果；同意后台账的有效期至随即改动，并记入变更历史。"
)
with looking(Role.supervisor) as (session, supervisor):
    counts = corrections.counts(session, by=supervisor)
    status = choose_status(counts)
    if not counts[status]:
        look.empty(
            "没有待审批的更正申请" if status == CorrectionStatus.requested else f"没有“{status}”的申请"
        )
        st.stop()
    number = tables.pager(counts[status], SIZE, f"corrections-pages-{status.name}")
    rows = corrections.page(session, by=supervisor, status=status, number=number, size=SIZE)

row = open_row(rows, status)
with looking(Role.supervisor) as (session, supervisor):
    results, _ = verifications.page(session, by=supervisor, instrument_id=row.instrument_id, size=1)

left, right = st.columns(2, gap="medium")
with left:
    correction.show(row)
    correction.picture(row.attachment_id, row.media_type)
with right:
    compare(row, results)
    decision = None
    if row.status == CorrectionStatus.requested:
        warn(row)
        decision = decide(row)
if decision:
    action, label, reason = decision
    with acting(Role.supervisor) as (session, supervisor):
        OPERATIONS[action](session, row.id, by=supervisor, reason=reason)
    look.flash(f"{row.name} {row.serial_number}：{label}")
    st.rerun()
