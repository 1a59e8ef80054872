"""Lists: rows from the database as frames, what was picked in them, and pages of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

import pyarrow as pa
import streamlit as st
from streamlit.elements.arrow import DataframeStateInput

from db import clock
from pages.parts import look

STATUS_FIELDS = ("status", "line_status", "conclusion")
# Pixels. A column is as wide as what its first rows hold, which is too narrow where these are empty.
WIDTHS = {
    "status": 105,
    "line_status": 105,
    "conclusion": 95,
    "validity": 170,
    "plan": 200,
    "advice": 420,
    "sentence": 420,
    "summary": 260,
    "number": 150,
    "receipt_number": 150,
    "submitted_at": 145,
}


def frame(rows: Sequence[Any], columns: Mapping[str, str]) -> pa.Table:
    """Rows (or snapshots) as a table of text, a column for each field of `columns` under its label.

    An Arrow table goes to the browser as it is; a pandas frame takes ten times as long to make and convert.
    """
    return pa.table({label: _cells(field, rows) for field, label in columns.items()})


def _cells(field: str, rows: Sequence[Any]) -> list[Any]:
    cells = [text(field, value) for value in _values(field, rows)]
    # A column is of one type: numbers with gaps are text.
    return [str(cell) for cell in cells] if "" in cells else cells


def _values(field: str, rows: Sequence[Any]) -> list[Any]:
    if rows and isinstance(rows[0], Mapping):
        return [row.get(field) for row in rows]
    return [getattr(row, field) for row in rows]


def text(field: str, value: Any) -> Any:
    """A cell as people in China read it: 2026-11-23, 2026-11-23 09:30, a status with its sign."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, StrEnum):
        return look.mark(value.value) if field in STATUS_FIELDS else value.value
    if isinstance(value, datetime):
        return f"{value.astimezone(clock.CHINA):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    return value


def listing(
    rows: Sequence[Any],
    columns: Mapping[str, str],
    alt: str,
    height: int | Literal["auto"] = "auto",
    widths: Mapping[str, int] = WIDTHS,
) -> None:
    """A table to read."""
    shown, config = frame(rows, columns), _wide(columns, widths)
    st.dataframe(shown, hide_index=True, height=height, column_config=config, alt=alt, placeholder="")


def _wide(columns: Mapping[str, str], widths: Mapping[str, int]) -> dict[str, Any]:
    chosen = {columns[field]: wide for field, wide in {**WIDTHS, **widths}.items() if field in columns}
    return {label: st.column_config.Column(width=wide) for label, wide in chosen.items()}


def choosing(
    rows: Sequence[Any],
    columns: Mapping[str, str],
    key: str,
    alt: str,
    is_many: bool = True,
    is_all: bool = False,
    widths: Mapping[str, int] = WIDTHS,
    height: int | Literal["auto"] = "auto",
) -> list[Any]:
    """A table to pick rows from; the rows picked. Put the page and the filters into `key`.

    `is_all` begins with every row picked; `widths` gives columns, by field, so many pixels. What the browser
    says it picked is looked up in the rows shown, and dropped when it is not there.
    """
    everything: DataframeStateInput = {"selection": {"rows": list(range(len(rows)))}}
    state = st.dataframe(
        frame(rows, columns),
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="multi-row" if is_many else "single-row",
        selection_default=everything if is_all else None,
        column_config=_wide(columns, widths),
        alt=alt,
        placeholder="",
        height=height,
    )
    return [rows[position] for position in state.selection.rows if 0 <= position < len(rows)]


def pager(total: int, size: int, key: str, start: int = 1) -> int:
    """The number of the page to show, `start` at first, and a line that says how many there are."""
    pages = max(1, -(-total // size))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"共 {total:,} 条" + (f"，每页 {size} 条" if pages > 1 else ""), width="content")
        if pages == 1:
            return 1
        return st.pagination(pages, default=min(max(start, 1), pages), width="stretch", key=key)
