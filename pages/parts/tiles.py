"""Numbers that open the list behind them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from pages.parts.navigation import page


class Tile(NamedTuple):
    """A number, what it counts, and the page with the query that lists it."""

    label: str
    number: Any
    page: str
    query: dict[str, str] = {}
    is_warning: bool = False


def row(tiles: Sequence[Tile]) -> None:
    """Tiles side by side, each with a link to its list; they wrap on a narrow screen."""
    with st.container(horizontal=True):
        for tile in tiles:
            with st.container(border=True, width=190, gap="xxsmall"):
                warns = tile.is_warning and tile.number not in (0, "0", "—")
                st.caption((":red[:material/warning:] " if warns else "") + tile.label)
                shown = f"{tile.number:,}" if isinstance(tile.number, int) else tile.number
                st.page_link(page(tile.page), label=f"**{shown}**", query_params=tile.query)
