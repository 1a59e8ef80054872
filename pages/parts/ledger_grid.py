"""表格编辑: one page of the ledger in a data editor, over a snapshot that stays still while it is edited.

The browser is not believed: its edits are positions in the snapshot and values for an allow-list of
columns; `instruments.edit_many` checks each value and each version again.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from db import instruments
from db.models import OWNERS, DeliveryMode, Origin, Purpose
from pages.parts import look
from pages.parts.account import acting

SHOWN = ("name", "kind", "status")
TEXTS = (
    "name",
    "specification",
    "measuring_range",
    "accuracy_class",
    "serial_number",
    "manufacturer",
    "location",
)
CHOICES: dict[str, Any] = {"origin": Origin, "purpose": Purpose, "delivery_mode": DeliveryMode}
EDITABLE = (*TEXTS, *CHOICES, "remark")
STATE = "ledger_grid"


def open_with(rows: Sequence[Any]) -> None:
    """Freeze these rows as the snapshot to be edited."""
    number = st.session_state.get(STATE, {}).get("number", 0) + 1
    kept = [{"id": row.id, "version": row.version, **_cells(row)} for row in rows]
    st.session_state[STATE] = {"number": number, "rows": kept}


def is_open() -> bool:
    """Whether a snapshot is being edited."""
    return bool(st.session_state.get(STATE, {}).get("rows"))


def close() -> None:
    """Let go of the snapshot; the number stays, so that the next editor has another key."""
    st.session_state[STATE] = {"number": st.session_state[STATE]["number"], "rows": []}


def _cells(row: Any) -> dict[str, Any]:
    fields = dict.fromkeys((*SHOWN, *EDITABLE))
    return {field: _plain(getattr(row, field)) for field in fields}


def _plain(value: Any) -> Any:
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else getattr(value, "value", value) or ""


def draw() -> None:
    """The editor with 保存 and 放弃修改."""
    state = st.session_state[STATE]
    key = f"{STATE}-{state['number']}"
    frame = pd.DataFrame(state["rows"]).set_index("id").drop(columns="version")
    st.info(
        f"正在编辑 {len(frame)} 台器具。可从 Excel 粘贴；改完点“保存”，离开前请先保存或放弃。",
        icon=":material/edit:",
    )
    st.data_editor(
        frame,
        key=key,
        num_rows="fixed",
        on_change="ignore",
        hide_index=True,
        disabled=["kind", "status"],
        column_config=_columns(),
        alt="台账表格编辑",
    )
    with st.container(horizontal=True):
        is_saved = st.button("保存", type="primary", key=f"{key}-save")
        is_dropped = st.button("放弃修改", key=f"{key}-drop")
    if is_saved:
        _save(edits(state["rows"], st.session_state[key]))
    if is_dropped:
        close()
        st.rerun()


def _columns() -> dict[str, Any]:
    config: dict[str, Any] = {
        field: st.column_config.TextColumn(instruments.LABELS[field]) for field in EDITABLE
    }
    for field, enum in CHOICES.items():
        config[field] = st.column_config.SelectboxColumn(
            instruments.LABELS[field], options=[one.value for one in enum], required=True
        )
    for field, limit in instruments.TEXTS.items():
        config[field] = st.column_config.TextColumn(
            instruments.LABELS[field], max_chars=limit, required=field in instruments.REQUIRED
        )
    return config | {
        "kind": st.column_config.TextColumn("器具种别"),
        "status": st.column_config.TextColumn("状态"),
    }


def edits(rows: Sequence[dict[str, Any]], delta: Any) -> list[tuple[int, int, dict[str, Any]]]:
    """What the editor says has changed, as (id, version, fields); positions outside the snapshot are dropped."""
    found = []
    for position, changes in delta.get("edited_rows", {}).items():
        if 0 <= int(position) < len(rows):
            row = rows[int(position)]
            found.append(
                (row["id"], row["version"], {field: _typed(field, new) for field, new in changes.items()})
            )
    return found


def _typed(field: str, value: Any) -> Any:
    return "" if value is None and field in instruments.TEXTS else value


def _save(changed: list[tuple[int, int, dict[str, Any]]]) -> None:
    if not changed:
        st.warning("没有需要保存的修改", icon=":material/info:")
        return
    with acting(*OWNERS) as (session, account):
        saved = instruments.edit_many(session, changed, by=account)
    close()
    look.flash(f"已保存 {len(saved)} 台器具的修改")
    st.rerun()
