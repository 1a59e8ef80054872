"""首页 of the bureau: what waits today."""

import streamlit as st

from db import board, clock, institutions, registrations
from db.models import RegistrationStatus, Role
from pages.parts import look, tiles
from pages.parts.account import looking, signed_in
from pages.parts.tiles import Tile

WATCHERS = (Role.supervisor, Role.reviewer)
account = signed_in(*WATCHERS)
look.header(f"{account.full_name}，您好", f"今天是 {clock.today():%Y年%m月%d日}")

if account.role == Role.reviewer:
    with looking(Role.reviewer) as (session, account):
        counts = registrations.counts(session, by=account)
        queue = registrations.queue(session, by=account)
    late = sum(row.working_days_left < 0 for row in queue)
    st.subheader("注册审核", anchor=False)
    tiles.row(
        [
            Tile("待审核", counts[RegistrationStatus.submitted], "registrations"),
            Tile("已超两个工作日" if late else "审核超期", late, "registrations", {}, True),
            Tile("加急", sum(row.is_urgent for row in queue), "registrations"),
            Tile("退回补正中", counts[RegistrationStatus.sent_back], "registrations"),
        ]
    )
    if queue:
        oldest = min(queue, key=lambda row: row.submitted_at)
        st.text(f"等待最久：{oldest.name}，应在 {oldest.deadline} 前审核")
    else:
        look.empty("没有待审核的注册申请")
    st.stop()

with looking(Role.supervisor) as (session, account):
    reasons = board.unassigned(session, by=account)
    late = board.late(session, by=account)
    validity = board.validity(session, by=account)
    expiring = institutions.authorizations(session, by=account, expiring_within=90)

st.subheader("待指派", anchor=False)
st.caption("没有技术机构可指派的器具，按原因")
if reasons:
    tiles.row(
        [
            Tile(reason.value, count, "unassigned", {"reason": reason.name}, True)
            for reason, count in reasons.items()
        ]
    )
else:
    look.empty("没有待指派的器具")
st.subheader("超时", anchor=False)
tiles.row(
    [
        Tile("受理超时", late["answer"], "lines", {"late": "answer"}, True),
        Tile("约定日期已过", late["visit"], "lines", {"late": "visit"}, True),
        Tile("检定超期", late["verification"], "lines", {"late": "verification"}, True),
        Tile("90 天内到期或已过期的授权", len(expiring), "authorizations", {"within": "90"}, True),
    ]
)
st.subheader("在用器具", anchor=False)
in_use = {"status": "in_use"}
tiles.row(
    [
        Tile("在用", validity.in_use, "instruments", in_use),
        Tile("已超期", validity.overdue, "instruments", in_use | {"due": "overdue"}, True),
        Tile("检定不合格", validity.rejected, "instruments", in_use | {"due": "rejected"}, True),
        Tile("30 天内到期", validity.within_30, "instruments", in_use | {"due": "30"}),
    ]
)
