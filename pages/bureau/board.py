"""状态看板: how everything stands; each number opens the list behind it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from db import board, clock
from db.appointments import LATE
from db.models import OPEN, LineStatus, Role
from pages.parts import look, tiles
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page
from pages.parts.tiles import Tile

WATCHERS = (Role.supervisor, Role.reviewer)


def grouped(groups: Sequence[board.Group], title: str, field: str) -> None:
    """Open lines by group and status; picking a cell opens its list."""
    st.subheader(title, anchor=False)
    if not groups:
        st.caption("没有办理中的器具")
        return
    rows = [[group.name, *(group.counts.get(status, 0) for status in OPEN), group.total] for group in groups]
    names = [status.value for status in OPEN]
    state = st.dataframe(
        pd.DataFrame(rows, columns=["名称", *names, "合计"]),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"board-{field}",
        alt=title,
    )
    for position, column in state.selection.cells:
        if 0 <= position < len(groups):
            open_lines(groups[position], field, column)


def open_lines(group: board.Group, field: str, column: str) -> None:
    """To the list behind one cell: the group, and the status of the column if it is one."""
    query = {field: str(group.key) if group.key is not None else "none"}
    status = next((status.name for status in OPEN if status.value == column), "open")
    st.switch_page(page("lines"), query_params=query | {"status": status})


def places(rows: Sequence[Any]) -> None:
    """Overdue instruments by place, as bars that open their lists."""
    st.subheader("超期器具，按使用地点", anchor=False)
    frame = pd.DataFrame(
        [(name, in_use, overdue, overdue / in_use) for _, name, in_use, overdue in rows],
        columns=["使用地点", "在用", "已超期", "超期率"],
    )
    state = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="board-places",
        alt="超期器具，按使用地点",
        column_config={"超期率": st.column_config.ProgressColumn(format="percent", max_value=1.0)},
    )
    for position in state.selection.rows:
        if 0 <= position < len(rows):
            code = rows[position][0] or "none"
            query = {"division": code, "due": "overdue", "status": "in_use"}
            st.switch_page(page("instruments"), query_params=query)


signed_in(*WATCHERS)
look.header("状态看板", f"截至 {clock.today():%Y年%m月%d日}。点击数字或表格中的单元格，打开它背后的清单。")
with looking(*WATCHERS) as (session, account):
    validity = board.validity(session, by=account)
    statuses = board.by_status(session, by=account)
    late = board.late(session, by=account)
    divisions = board.by_division(session, by=account)
    stations = board.by_institution(session, by=account)
    overdue = board.overdue_by_division(session, by=account)

rate = f"{validity.rate:.1%}" if validity.rate is not None else "—"
in_use = {"status": "in_use"}
st.subheader("在用器具", anchor=False)
tiles.row(
    [
        Tile("在用器具", validity.in_use, "instruments", in_use),
        Tile("受检率", rate, "instruments", in_use | {"due": "valid"}),
        Tile("已超期", validity.overdue, "instruments", in_use | {"due": "overdue"}, True),
        Tile("30 天内到期", validity.within_30, "instruments", in_use | {"due": "30"}),
        Tile("60 天内到期", validity.within_60, "instruments", in_use | {"due": "60"}),
        Tile("90 天内到期", validity.within_90, "instruments", in_use | {"due": "90"}),
        Tile("检定不合格", validity.rejected, "instruments", in_use | {"due": "rejected"}, True),
    ]
)
st.subheader("预约器具，按流程状态", anchor=False)
tiles.row(
    [
        Tile(look.mark(status.value), statuses[status], "lines", {"status": status.name})
        for status in LineStatus
    ]
)
st.subheader("超时", anchor=False)
tiles.row([Tile(label, late[key], "lines", {"late": key}, True) for key, label in LATE.items()])
left, right = st.columns(2, gap="large")
with left:
    grouped(divisions, "办理中的器具，按使用地点", "division")
with right:
    grouped(stations, "办理中的器具，按技术机构", "institution")
if overdue:
    places(overdue)
