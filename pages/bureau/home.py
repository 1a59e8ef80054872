"""首页 of the bureau: what waits today."""

import streamlit as st

from db import authorizations, board, clock, corrections, notifications, recoveries, reviews
from db.appointment_lines import LATE
from db.models import CorrectionStatus, RecoveryStatus, RegistrationStatus, Role, UnassignedReason
from db.notifications import NotificationState
from pages.parts import look, review, tiles
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page
from pages.parts.tiles import Tile

WATCHERS = (Role.supervisor, Role.reviewer)
IN_USE = {"status": "in_use"}


def clock_of(row: reviews.QueueRow) -> str:
    """How much of the time for a review is left."""
    left = row.working_days_left
    if left < 0:
        return f"已超期 {-left} 个工作日"
    return f"还剩 {left} 个工作日" if left else "今天到期"


def to_review() -> None:
    """The registrations that wait for a reviewer."""
    with looking(Role.reviewer) as (session, reviewer):
        counts = reviews.counts(session, by=reviewer)
        waiting = reviews.waiting(session, by=reviewer)
        asked = recoveries.counts(session, by=reviewer)[RecoveryStatus.requested]
        told = notifications.counts(session, by=reviewer)
        messages = told[NotificationState.waiting] + told[NotificationState.failed]
        share = reviews.share(session, by=reviewer)
    st.subheader("注册审核", anchor=False)
    tiles.row(
        [
            Tile("待审核", counts[RegistrationStatus.submitted], "registrations"),
            Tile("加急", waiting.urgent, "registrations", {}, True),
            Tile("审核超期", waiting.late, "registrations", {}, True),
            Tile("退回补正中", counts[RegistrationStatus.sent_back], "registrations"),
            review.in_time(share),
        ],
        most=5,
    )
    if waiting.oldest:
        oldest_review(waiting.oldest)
    else:
        look.empty("没有待审核的注册申请")
    st.subheader("找回与转告", anchor=False)
    tiles.row(
        [
            Tile("待核实的找回申请", asked, "recoveries", icon="key"),
            Tile("待发消息", messages, "outbox", icon="outbox"),
        ],
        most=4,
    )


def oldest_review(oldest: reviews.QueueRow) -> None:
    """The registration that has waited longest."""
    with st.container(border=True):
        st.caption("等待最久的申请")
        st.text(f"{oldest.name}（{oldest.number}）")
        st.text(f"应在 {oldest.deadline} 前审核，{clock_of(oldest)}")
        st.page_link(page("registrations"), label="去审核", icon=":material/arrow_forward:")


def duties() -> None:
    """What waits for a supervisor."""
    with looking(Role.supervisor) as (session, supervisor):
        reasons = board.unassigned(session, by=supervisor)
        late = board.late(session, by=supervisor)
        asked = corrections.counts(session, by=supervisor)[CorrectionStatus.requested]
        expiring = authorizations.count(session, by=supervisor, expiring_within=90)
    st.subheader("待指派", anchor=False)
    if reasons:
        tiles.row(
            [
                Tile(one.value, reasons[one], "unassigned", {"reason": one.name})
                for one in UnassignedReason
                if one in reasons
            ],
            most=4,
        )
    else:
        look.empty("每台预约的器具都有技术机构，没有需要指派的")
    st.subheader("超时与到期", anchor=False)
    found = [Tile(label, late[key], "lines", {"late": key}, True) for key, label in LATE.items()]
    found.append(Tile("90 天内到期的授权", expiring, "authorizations", {"within": "90"}, True))
    found.append(Tile("待审批的更正", asked, "correction_review", icon="edit_calendar"))
    tiles.row(found, most=5)


def ledger() -> None:
    """The instruments that need verification."""
    with looking(*WATCHERS) as (session, account):
        validity = board.validity(session, by=account)
    st.subheader("在用器具", anchor=False)
    rate = f"受检率 {validity.rate:.1%}" if validity.rate is not None else ""
    tiles.row(
        [
            Tile("在用", validity.in_use, "instruments", IN_USE, note=rate),
            Tile("已超期", validity.overdue, "instruments", IN_USE | {"due": "overdue"}, True),
            Tile("检定不合格", validity.rejected, "instruments", IN_USE | {"due": "rejected"}, True),
            Tile("30 天内到期", validity.within_30, "instruments", IN_USE | {"due": "30"}),
        ],
        most=4,
    )


account = signed_in(*WATCHERS)
look.header(f"{account.full_name}，您好", f"今天是 {clock.today():%Y年%m月%d日}")
if account.role == Role.reviewer:
    to_review()
else:
    duties()
ledger()
