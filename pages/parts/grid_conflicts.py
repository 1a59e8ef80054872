"""他人已修改: cells of 表格编辑 that a colleague has changed meanwhile, with a choice for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts import grid_cells, look
from pages.parts.grid_cells import EDITABLE, Changes

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True)
class Difference:
    """One cell: what it held, what a colleague has made of it, what was typed here, and what to take.

    `default` is None where both have changed it: then somebody has to choose.
    """

    id: int
    field: str
    before: Any
    theirs: Any
    mine: Any
    default: str | None


def differences(
    before: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]
) -> list[Difference]:
    """The cells of one row that either side has changed, but for those both have changed alike."""
    found = []
    for field in EDITABLE:
        has_moved, own = theirs[field] != before[field], mine.get(field, before[field])
        if own != theirs[field] and (has_moved or field in mine):
            default = None if has_moved and field in mine else THEIRS if has_moved else MINE
            found.append(Difference(before["id"], field, before[field], theirs[field], own, default))
    return found


def settled(cells: Sequence[Difference], chosen: Mapping[tuple[int, str], str | None]) -> dict[int, Changes]:
    """What remains to be saved over the colleague's values, by id."""
    typed: dict[int, Changes] = {}
    for cell in cells:
        if chosen[cell.id, cell.field] == MINE:
            typed.setdefault(cell.id, {})[cell.field] = cell.mine
    return typed


def draw(state: dict[str, Any], key: str) -> dict[int, Changes] | None:
    """Ask for every cell; what remains to be saved, once 保存 is pressed."""
    before = {row["id"]: row for row in state["rows"]}
    cells: list[Difference] = []
    chosen: dict[tuple[int, str], str | None] = {}
    st.warning(
        f"{len(state['stale'])} 台器具已被他人修改，请逐格选择保留哪一个，再保存", icon=":material/group:"
    )
    for id, theirs in state["stale"].items():
        found = differences(before[id], theirs, state["typed"].get(id, {}))
        cells += found
        with st.container(border=True):
            st.markdown(f"**{look.plain(grid_cells.name_of(theirs))}**")
            for cell in found:
                chosen[id, cell.field] = _ask(cell, f"{key}-{id}-{theirs['version']}-{cell.field}")
            if not found:
                st.caption("双方的修改一致，无需选择")
    open_count = sum(choice is None for choice in chosen.values())
    if open_count:
        st.caption(f"还有 {open_count} 处双方都改过，请选择")
    with st.container(horizontal=True):
        is_saved = st.button("按以上选择保存", type="primary", disabled=bool(open_count), key=f"{key}-settle")
        if st.button("返回表格", key=f"{key}-return"):
            state["stale"] = {}
            st.rerun()
    return settled(cells, chosen) if is_saved else None


def _ask(cell: Difference, key: str) -> str | None:
    both = {"他人的": (cell.theirs, THEIRS), "我的": (cell.mine, MINE)}
    words = {
        side: f"{who}{'（未改）' if value == cell.before else ''}：{grid_cells.shown(cell.field, value)}"
        for who, (value, side) in both.items()
    }
    before = look.plain(grid_cells.shown(cell.field, cell.before))
    return st.radio(
        f"{grid_cells.label(cell.field)}（原来：{before}）",
        [THEIRS, MINE],
        index=None if cell.default is None else [THEIRS, MINE].index(cell.default),
        format_func=lambda one: look.plain(words[one]),
        horizontal=True,
        key=key,
    )
