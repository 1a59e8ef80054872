"""首页 of an owner: what waits today, and where to go for it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import streamlit as st

from db import appointment_lines, board, clock, ledger, quality
from db.models import OWNERS, Enterprise, LineStatus
from pages.parts import basket, booked, links, look, picker, tables, tiles, workplace
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page
from pages.parts.tiles import Tile

# Days ahead in which it is time to book, as the widest window of the board.
AHEAD = 90
MOST = 10
WAITING = {
    "name": "器具名称",
    "serial_number": "出厂编号",
    "status": "流程状态",
    "advice": "原因和办法",
    "number": "预约单号",
}
PLANNED = {
    "plan": "约定日期",
    "name": "器具名称",
    "serial_number": "出厂编号",
    "institution": "技术机构",
    "institution_telephone": "电话",
    "advice": "说明",
    "institution_address": "地址",
}


def ledger_tile(label: str, number: int, due: str, note: str = "", is_warning: bool = False) -> Tile:
    """Instruments in use of one window of `ledger.DUE`."""
    return Tile(label, number, "ledger", {"due": due, "status": "in_use"}, is_warning, note)


def line_tile(counts: dict[LineStatus, int], status: LineStatus, note: str, is_warning: bool = False) -> Tile:
    """Lines in one status."""
    return Tile(status.value, counts[status], "appointments", {"status": status.name}, is_warning, note)


def to_book(enterprise: Enterprise, rows: Sequence[Any]) -> None:
    """The instruments whose turn it is next, to be booked from here."""
    st.subheader("该预约检定的器具", anchor=False)
    key = f"due-{enterprise.id}-{hash(tuple(row.id for row in rows))}"
    picked = tables.choosing(picker.shown(rows), picker.COLUMNS, key, "该预约检定的器具")
    if st.button("预约所选", disabled=not picked, type="primary", icon=":material/event_available:"):
        basket.add(enterprise.id, [row["id"] for row in picked])
        st.switch_page(page("new_appointment"))


def to_read(rows: Sequence[dict[str, Any]]) -> None:
    """Lines that need the owner, each with its reason; the one picked opens its 预约单."""
    st.subheader("需要您处理的预约", anchor=False)
    for line in booked.picked(rows, WAITING, "home-waiting", "需要您处理的预约", is_many=False):
        st.switch_page(page("receipt"), query_params={"id": str(line.appointment_id)})


def to_keep(rows: Sequence[dict[str, Any]]) -> None:
    """The dates agreed with institutions, the nearest first."""
    st.subheader("约定的日期", anchor=False)
    nearest = sorted(rows, key=lambda row: (row["planned_from"] or date.max, row["id"]))
    tables.listing(nearest, PLANNED, "约定的日期")


signed_in(*OWNERS)
links.announce()
enterprise = workplace.chosen()
look.header(enterprise.name, f"今天是 {clock.today():%Y 年 %m 月 %d 日}")

everything = appointment_lines.Filters(enterprise_id=enterprise.id)
with looking(*OWNERS) as (session, account):
    total = ledger.count(session, ledger.Filters(enterprise_id=enterprise.id), by=account)
    validity = board.validity(session, by=account, enterprise_id=enterprise.id)
    counts = board.by_status(session, by=account, enterprise_id=enterprise.id)
    to_rebook = replace(everything, is_to_rebook=True)
    rebook_count = appointment_lines.count(session, to_rebook, by=account)
    waiting = booked.found(session, to_rebook, by=account, size=MOST)
    waiting += booked.found(
        session, replace(everything, statuses=(LineStatus.unassigned,)), by=account, size=MOST
    )
    planned = booked.found(session, replace(everything, statuses=(LineStatus.accepted,)), by=account)
    bookable = ledger.bookable(session, enterprise.id, by=account, size=MOST)
    findings = quality.counts(session, by=account, enterprise_id=enterprise.id)

if not total:
    look.empty("台账还是空的。先登记在用的强检器具，再预约检定", page("ledger"), "去登记器具")
    st.stop()

st.subheader("在用的器具", anchor=False)
rate = f"{validity.rate:.1%}" if validity.rate is not None else "—"
st.caption(f"在用 {validity.in_use:,} 台，其中检定有效 {validity.valid:,} 台，受检率 {rate}")
tiles.row(
    [
        ledger_tile("已超期", validity.overdue, "overdue", "不得使用", True),
        ledger_tile("检定不合格", validity.rejected, "rejected", "不得使用", True),
        ledger_tile("30 天内到期", validity.within_30, "30"),
        ledger_tile("60 天内到期", validity.within_60, "60"),
        ledger_tile("90 天内到期", validity.within_90, "90"),
        ledger_tile("未填有效期", validity.missing, "missing"),
    ]
)
if found := sum(findings.values()):
    st.page_link(
        page("ledger_quality"), label=f"台账中有 {found:,} 处信息可能有误，请核对", icon=":material/rule:"
    )
st.subheader("预约的器具", anchor=False)
tiles.row(
    [
        line_tile(counts, LineStatus.unassigned, "尚无技术机构", True),
        Tile("需重新预约", rebook_count, "appointments", {"status": "rebook"}, True, "不予受理或终止"),
        line_tile(counts, LineStatus.assigned, "可以送检"),
        line_tile(counts, LineStatus.accepted, "按约定日期送检"),
        line_tile(counts, LineStatus.in_verification, "等待结果"),
        line_tile(counts, LineStatus.completed, "已出结果"),
    ]
)
if waiting:
    to_read(waiting)
if planned:
    to_keep(planned)
soon = clock.today() + timedelta(days=AHEAD)
if due := [row for row in bookable if row.valid_until and row.valid_until <= soon]:
    to_book(enterprise, due)
