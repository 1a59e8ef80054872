"""表格编辑: one page of the ledger in a data editor, over a snapshot that stays still while it is edited.

The browser is not believed: its edits are positions in the snapshot and values for an allow-list of
columns; `instruments.edit_many` checks each value and each version again. Every edited cell is sent at once
and kept here, because what a browser holds back is lost without a word when its visitor opens another page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from db import instrument_fields, instruments, ledger
from db.instrument_fields import LABELS, REQUIRED
from db.models import OWNERS, DeliveryMode, InstrumentStatus, Origin, Purpose
from pages.parts import ledger_words, look, tables
from pages.parts.account import acting, looking

SHOWN = ("kind", "status")
TEXTS = (
    "name",
    "specification",
    "measuring_range",
    "accuracy_class",
    "serial_number",
    "manufacturer",
    "location",
    "remark",
)
CHOICES: Mapping[str, Any] = {"purpose": Purpose, "delivery_mode": DeliveryMode, "origin": Origin}
EDITABLE = (*TEXTS, *CHOICES)
CONFLICTS = {"instrument": "器具", "label": "项目", "theirs": "他人改为", "mine": "我填写的"}
# Pixels; what is refused is said below it, on the same screen.
HEIGHT = 400
Changes = dict[str, Any]


def _state(enterprise_id: int) -> dict[str, Any]:
    """What is being edited for an enterprise: rows as they were loaded, and what has been typed by their id.

    `kept` was typed before the editor on the screen appeared, `typed` is all of it.
    """
    empty = {"number": 0, "rows": [], "kept": {}, "typed": {}, "stale": {}}
    state: dict[str, Any] = st.session_state.setdefault(f"grid-{enterprise_id}", empty)
    return state


def open_with(enterprise_id: int, rows: Sequence[Any]) -> None:
    """Freeze these rows to be edited; scrapped ones stay as they are."""
    state = _state(enterprise_id)
    rows = [row for row in rows if row.status != InstrumentStatus.scrapped]
    state |= {"rows": [_cells(row) for row in rows], "kept": {}, "typed": {}, "stale": {}}
    state["number"] += 1


def is_open(enterprise_id: int) -> bool:
    """Whether rows of this enterprise are being edited."""
    return bool(_state(enterprise_id)["rows"])


def _cells(row: Any) -> dict[str, Any]:
    shown = {field: tables.text(field, getattr(row, field)) for field in (*SHOWN, *EDITABLE)}
    return {"id": row.id, "version": row.version, **shown}


def draw(enterprise_id: int) -> None:
    """The editor with 保存 and 放弃."""
    state = _state(enterprise_id)
    key = f"grid-{enterprise_id}-{state['number']}"
    if key not in st.session_state:
        state["kept"] = dict(state["typed"])
    above, toolbar = st.container(), st.container(horizontal=True)
    st.data_editor(
        _frame(state),
        key=key,
        num_rows="fixed",
        hide_index=True,
        column_order=[
            "name",
            "serial_number",
            "kind",
            "status",
            *(f for f in EDITABLE if f not in ("name", "serial_number")),
        ],
        disabled=[*SHOWN],
        column_config=_columns(),
        height=min(38 + 35 * len(state["rows"]), HEIGHT),
        alt="台账表格编辑",
    )
    state["typed"] = merged(state["rows"], state["kept"], st.session_state[key]["edited_rows"])
    with above:
        _say(state)
    with toolbar:
        _buttons(state, key)


def _frame(state: Mapping[str, Any]) -> pd.DataFrame:
    rows = [row | state["kept"].get(row["id"], {}) for row in state["rows"]]
    return pd.DataFrame(rows).set_index("id").drop(columns="version")


def _columns() -> dict[str, Any]:
    config: dict[str, Any] = {
        field: st.column_config.TextColumn(
            LABELS[field],
            max_chars=instrument_fields.TEXTS[field],
            required=field in REQUIRED,
        )
        for field in TEXTS
    }
    for field, enum in CHOICES.items():
        options = [one.value for one in enum]
        config[field] = st.column_config.SelectboxColumn(LABELS[field], options=options, required=True)
    shown = {"kind": "器具种别", "status": "状态"}
    return config | {field: st.column_config.TextColumn(label) for field, label in shown.items()}


def merged(
    rows: Sequence[Mapping[str, Any]], kept: Mapping[int, Changes], delta: Mapping[Any, Changes]
) -> dict[int, Changes]:
    """What has been typed, by id, over what was kept, without what is as it was; `delta` is by position."""
    typed = {id: dict(changes) for id, changes in kept.items()}
    for position, changes in delta.items():
        if 0 <= int(position) < len(rows):
            mine = typed.setdefault(rows[int(position)]["id"], {})
            mine |= {field: "" if new is None else new for field, new in changes.items()}
    for row in rows:
        mine = typed.get(row["id"], {})
        typed[row["id"]] = {field: new for field, new in mine.items() if row.get(field) != new}
    return {id: changes for id, changes in typed.items() if changes}


def _buttons(state: dict[str, Any], key: str) -> None:
    # Open also when nothing is typed yet: the click may end the edit of the first cell.
    is_saved = st.button("保存", type="primary", key=f"{key}-save")
    if st.button("放弃修改" if state["typed"] else "关闭", key=f"{key}-drop"):
        _leave(state, "已放弃未保存的修改" if state["typed"] else "")
    if is_saved:
        _check_stale(state)
        typed = state["typed"]
        edits = [(row["id"], row["version"], typed[row["id"]]) for row in state["rows"] if row["id"] in typed]
        if edits:
            with acting(*OWNERS) as (session, account):
                instruments.edit_many(session, edits, by=account)
        _leave(state, f"已保存 {len(edits)} 台器具的修改" if edits else "没有需要保存的修改")


def _leave(state: dict[str, Any], said: str) -> None:
    state["rows"], state["typed"] = [], {}
    if said:
        look.flash(said)
    st.rerun()


def _check_stale(state: dict[str, Any]) -> None:
    """Look for rows that were changed meanwhile, and ask what to do about them before anything is saved."""
    versions = {row["id"]: row["version"] for row in state["rows"]}
    with looking(*OWNERS) as (session, account):
        now = ledger.chosen(session, list(state["typed"]), by=account)
    state["stale"] = {row.id: _cells(row) for row in now if row.version != versions[row.id]}
    if state["stale"]:
        st.rerun()


def _say(state: dict[str, Any]) -> None:
    if state["stale"]:
        _settle(state)
    elif typed := state["typed"]:
        cells = sum(len(changes) for changes in typed.values())
        st.warning(f"已改 {len(typed)} 台器具的 {cells} 处，尚未保存", icon=":material/edit_note:")
    else:
        st.info(
            f"共 {len(state['rows'])} 台器具，可直接修改单元格，也可从 Excel 粘贴", icon=":material/edit:"
        )


def _settle(state: dict[str, Any]) -> None:
    """Show what colleagues have changed meanwhile beside what was typed, and ask which holds."""
    before = {row["id"]: row for row in state["rows"]}
    rows = []
    for id, theirs in state["stale"].items():
        mine = state["typed"].get(id, {})
        for field in EDITABLE:
            if field in mine or theirs[field] != before[id][field]:
                words = {"theirs": theirs[field], "mine": mine.get(field, ledger_words.UNTOUCHED)}
                name = f"{theirs['name']} {theirs['serial_number']}"
                rows.append({"instrument": name, "label": LABELS[field], **words})
    st.warning(f"{len(state['stale'])} 台器具已被他人修改，请核对后决定怎样保存", icon=":material/group:")
    tables.listing(rows, CONFLICTS, "他人的修改与我填写的对照")
    with st.container(horizontal=True):
        if st.button("保留他人的修改，只保存我改过的单元格"):
            _take_over(state, is_mine_kept=True)
        if st.button("放弃我对这些器具的修改"):
            _take_over(state, is_mine_kept=False)


def _take_over(state: dict[str, Any], is_mine_kept: bool) -> None:
    """Go on from the rows as they stand now."""
    stale = state["stale"]
    if not is_mine_kept:
        state["typed"] = {id: changes for id, changes in state["typed"].items() if id not in stale}
    state["rows"] = [stale.get(row["id"], row) for row in state["rows"]]
    state["stale"], state["number"] = {}, state["number"] + 1
    st.rerun()
