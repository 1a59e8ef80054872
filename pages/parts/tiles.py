"""Numbers that open the list behind them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from pages.parts import look
from pages.parts.navigation import page

NOTHING = (0, "0", "—")


class Tile(NamedTuple):
    """A number, what it counts, and the page with the query that lists it; `note` says a little more."""

    label: str
    number: Any
    page: str
    query: Mapping[str, str] = {}
    is_warning: bool = False
    note: str = ""
    icon: str = ""


def row(tiles: Sequence[Tile], most: int = 7) -> None:
    """Tiles side by side, at most so many, each of them one link to its list; fewer fit a narrow screen."""
    st.html(look.PICTURES / "tiles.css")
    with st.grid(most, min_column_width=116, gap="small"):
        for tile in tiles:
            _draw(tile)


def _draw(tile: Tile) -> None:
    warns = tile.is_warning and tile.number not in NOTHING
    name = "tile-warning" if warns else "tile"
    shown = f"{tile.number:,}" if isinstance(tile.number, int) else tile.number
    key = f"{name}-{tile.page}-{tile.label}"
    with st.container(border=True, gap="xxsmall", height="stretch", key=key):
        icon = "warning" if warns else tile.icon
        shape = f":material/{icon}:" if icon else None
        st.page_link(page(tile.page), label=tile.label, icon=shape, query_params=dict(tile.query))
        st.metric(tile.label, shown, label_visibility="collapsed")
        if tile.note:
            st.caption(look.plain(tile.note))


def table(frame: pd.DataFrame, title: str, key: str, **columns: Any) -> tuple[int, str] | None:
    """A table whose cells open lists; the row and column of the one clicked. `columns` configures them."""
    st.subheader(title, anchor=False)
    state = st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) <= 16 else 600,
        on_select="rerun",
        selection_mode="single-cell",
        key=key,
        alt=title,
        column_config=columns,
    )
    cells = [cell for cell in state.selection.cells if 0 <= cell[0] < len(frame)]
    return cells[0] if cells else None
