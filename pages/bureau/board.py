"""状态看板: how everything stands; each number opens the list behind it."""

from collections.abc import Sequence
from dataclasses import astuple

import pandas as pd
import streamlit as st

from db import board, clock, reviews
from db.appointment_lines import LATE
from db.models import OPEN, LineStatus, Role, UnassignedReason
from db.registrations import WAITING
from pages.parts import look, narrowing, review, tables, tiles
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page
from pages.parts.tiles import Tile

WATCHERS = (Role.supervisor, Role.reviewer)
IN_USE = {"status": "in_use"}
DUE = {
    "检定有效": "valid",
    "已超期": "overdue",
    "30 天内": "30",
    "60 天内": "60",
    "90 天内": "90",
    "未填有效期": "missing",
    "不合格": "rejected",
}
RATE = st.column_config.ProgressColumn(format="%.1f%%", max_value=100, width="small")


def open_lines(groups: Sequence[board.Group], what: str, field: str) -> None:
    """Open lines by group and status."""
    marks = {look.mark(status.value): status.name for status in OPEN}
    rows = [
        [short(group.name), *(group.counts.get(status, 0) for status in OPEN), group.total]
        for group in groups
    ]
    frame = pd.DataFrame(rows, columns=[what, *marks, "合计"])
    if cell := tiles.table(frame, f"办理中的预约，按{what}", f"board-{field}"):
        query = {field: str(groups[cell[0]].key or narrowing.NONE), "status": marks.get(cell[1], "open")}
        st.switch_page(page("lines"), query_params=query)


def in_use(places: Sequence[board.Place]) -> None:
    """Instruments in use by place and validity."""
    rows = [[short(place.name), *astuple(place.validity)] for place in places]
    frame = pd.DataFrame(rows, columns=["使用地点", "在用", *DUE])
    frame.insert(3, "受检率", [100 * (place.validity.rate or 0) for place in places])
    if cell := tiles.table(frame, "在用器具，按使用地点", "board-places", 受检率=RATE):
        query = IN_USE | {"division": places[cell[0]].code or narrowing.NONE}
        asked = {"due": DUE[cell[1]]} if cell[1] in DUE else {}
        st.switch_page(page("instruments"), query_params=query | asked)


def short(name: str) -> str:
    """A division named from the asker's area down."""
    return name.removeprefix(area) or name


signed_in(*WATCHERS)
with looking(*WATCHERS) as (session, account):
    area = narrowing.area(account)
    counts, share = reviews.counts(session, by=account), reviews.share(session, by=account)
    statuses = board.by_status(session, by=account)
    late = board.late(session, by=account)
    reasons = board.unassigned(session, by=account)
    divisions = board.by_division(session, by=account)
    stations = board.by_institution(session, by=account)
    places = board.validity_by_division(session, by=account)

look.header(
    "状态看板", f"{area or '全国'}，截至 {tables.text('at', clock.now())}。点击数字打开它背后的清单。"
)
st.subheader("注册审核", anchor=False)
tiles.row(
    [
        *(Tile(one.value, counts[one], "registrations", {"status": one.name}) for one in WAITING),
        review.in_time(share),
    ],
    most=3,
)
st.subheader("预约器具", anchor=False)
tiles.row(
    [
        Tile(one.value, statuses[one], "lines", {"status": one.name}, icon=look.STATUSES[one.value][1])
        for one in LineStatus
    ]
)

st.subheader("超时与待指派", anchor=False)
found = [Tile(label, late[key], "lines", {"late": key}, True) for key, label in LATE.items()]
found += [
    Tile(one.value, reasons[one], "lines", {"status": "unassigned", "reason": one.name})
    for one in UnassignedReason
    if one in reasons
]
tiles.row(found, most=min(len(found), 5))

whole = board.together(places)
st.subheader("在用器具", anchor=False)
rate = f"{whole.rate:.1%}" if whole.rate is not None else "—"
tiles.row(
    [
        Tile("在用", whole.in_use, "instruments", IN_USE),
        Tile("受检率", rate, "instruments", IN_USE | {"due": "valid"}, note=f"检定有效 {whole.valid:,} 台"),
        Tile("已超期", whole.overdue, "instruments", IN_USE | {"due": "overdue"}, True),
        Tile("检定不合格", whole.rejected, "instruments", IN_USE | {"due": "rejected"}, True),
        Tile("30 天内到期", whole.within_30, "instruments", IN_USE | {"due": "30"}),
        Tile("60 天内到期", whole.within_60, "instruments", IN_USE | {"due": "60"}),
        Tile("90 天内到期", whole.within_90, "instruments", IN_USE | {"due": "90"}),
        Tile("未填有效期", whole.missing, "instruments", IN_USE | {"due": "missing"}),
    ],
    most=4,
)
if places:
    in_use(places)
if divisions:
    open_lines(divisions, "使用地点", "division")
    open_lines(stations, "技术机构", "institution")
else:
    look.empty("没有办理中的预约")
