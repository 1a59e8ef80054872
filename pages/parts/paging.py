"""Pages of a list by key: the page on the screen stands in the address, so that a reload shows it again."""

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from db import ledger_pages, saved_views
from db.engine import Session
from db.ledger import Filters
from db.ledger_pages import LAST, Leaf, Spot
from db.models import Account

FIRST = Spot()
# Digits of a page's number, and of an id.
LONGEST = 9
MOST = 10**LONGEST - 1
BUTTONS = {
    "first": ("首页", ":material/first_page:"),
    "newer": ("上一页", ":material/chevron_left:"),
    "older": ("下一页", ":material/chevron_right:"),
    "last": ("末页", ":material/last_page:"),
}


class Total(NamedTuple):
    """How many rows a list has, or had when counting was given up."""

    number: int
    is_all: bool


def read(
    session: Session,
    place: str,
    wanted: Filters,
    before: Mapping[str, str],
    wishes: Mapping[str, str],
    *,
    by: Account,
    size: int,
) -> tuple[Leaf, Total]:
    """The page to show, and how many rows there are about.

    `before` is the address as it was, `wishes` the filters as they are: others begin with the first page.
    """
    is_same = all(before.get(name, "") == wishes.get(name, "") for name in saved_views.NAMES[place])
    spot = asked(place) if is_same else FIRST
    leaf, number, is_all = ledger_pages.read_counted(session, wanted, spot, by=by, size=size)
    return leaf, Total(number, is_all)


def asked(place: str) -> Spot:
    """What has just been pressed or typed under the list, else what the address says."""
    left: dict[str, Spot] = st.session_state.get(f"{place}-spots", {})
    for name, spot in left.items():
        if st.session_state.get(f"{place}-{name}"):
            return spot
    typed = st.session_state.get(f"{place}-number")
    if left and typed and typed != max(left["here"].number, 1):
        return Spot(int(typed))
    return Spot(_number("page", 1) or 1, before=_number("before", 0) or None)


def _number(name: str, usual: int) -> int:
    said = st.query_params.get(name, "")
    digits = said.removeprefix("-")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST
    return int(said) if is_number else usual


def named(spot: Spot) -> dict[str, str]:
    """The page as the address names it."""
    found = {"page": str(spot.number)} if spot.number != 1 else {}
    return found | ({"before": str(spot.before)} if spot.before else {})


def tell(leaf: Leaf, total: Total, size: int) -> None:
    """How many rows there are, and which page is shown; over the table, whose own buttons need room."""
    said = f"{'共' if total.is_all else '超过'} {total.number:,} 条"
    if leaf.has_newer or leaf.has_older:
        said += f"，每页 {size} 条 · {_where(leaf.spot.number, _pages(total, size))}"
    st.caption(said, width="content")


def draw(place: str, leaf: Leaf, total: Total, size: int) -> None:
    """The way to other pages."""
    st.session_state[f"{place}-spots"] = {
        "first": FIRST,
        "last": LAST,
        "here": leaf.spot,
        "newer": leaf.newer,
        "older": leaf.older,
    }
    if leaf.has_newer or leaf.has_older:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            _button(place, "first", leaf.has_newer)
            _button(place, "newer", leaf.has_newer)
            _box(place, leaf.spot.number)
            _button(place, "older", leaf.has_older)
            _button(place, "last", leaf.has_older)


def _pages(total: Total, size: int) -> int | None:
    return -(-total.number // size) if total.is_all else None


def _where(number: int, pages: int | None) -> str:
    if number < 0:
        return "末页" if number == -1 else f"倒数第 {-number:,} 页"
    return f"第 {number:,} 页" + (f"，共 {pages:,} 页" if pages else "")


def _button(place: str, name: str, is_open: bool) -> None:
    label, icon = BUTTONS[name]
    st.button(label, icon=icon, disabled=not is_open, type="tertiary", key=f"{place}-{name}")


def _box(place: str, number: int) -> None:
    key = f"{place}-number"
    st.session_state[key] = min(number, MOST) if number > 0 else None
    st.number_input(
        "页码",
        1,
        # Whatever lies beyond the last page leads to it; the box itself would refuse in English.
        MOST,
        key=key,
        placeholder="页码",
        label_visibility="collapsed",
        # Too narrow for buttons of its own, so that the line fits the screen of a telephone.
        width=76,
    )
