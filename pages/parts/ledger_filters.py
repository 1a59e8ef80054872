"""What a list of instruments is narrowed to: a row of boxes, and more of them behind a button.

The address names all that is chosen. The boxes behind the button are drawn only while it is open.
"""

from collections.abc import Callable, Mapping

import streamlit as st

from db import ledger, saved_views
from db.models import Conclusion, DeliveryMode, InstrumentStatus, Origin, Purpose
from pages.parts import findings, narrowing

Box = Callable[[], str | None]
WIDTH = 260
BOOKED = {"yes": "已预约", "no": "未预约"}


def draw(
    place: str, hint: str, shown: Mapping[str, Box], hidden: Mapping[str, Box], width: int = WIDTH
) -> dict[str, str]:
    """The boxes of a list; what is chosen, by the names of `saved_views.NAMES`.

    `hint` says what the search box, so many pixels wide, looks through; `shown` and `hidden` are the boxes
    that only this list has, in the row and behind the button.
    """
    found: dict[str, str | None] = {"text": narrowing.text(hint, width)}
    found["due"] = narrowing.choice("due", "到期", ledger.DUE, 140)
    found["status"] = narrowing.choice("status", "状态", narrowing.named(InstrumentStatus), 110)
    found |= {name: box() for name, box in shown.items()}
    rest = {**hidden, **MORE}
    asked = {name: _asked(name) for name in rest}
    # Another label would be another button, and a closed one.
    more = st.popover("更多筛选", icon=":material/filter_list:", on_change="rerun", key=f"{place}-more")
    if more.open:
        with more, st.container(horizontal=True, width=2 * WIDTH + 16):
            asked = {name: box() for name, box in rest.items()}
    if count := sum(1 for value in asked.values() if value):
        st.markdown(f":blue-badge[已选 {count} 项]", width="content")
    chosen = {name: value for name, value in (found | asked).items() if value}
    _clear(place, len(chosen))
    return chosen


def _clear(place: str, count: int) -> None:
    """The way back to the whole list, in the same view."""
    key = f"{place}-clear?{narrowing.signature()}"
    if count and st.button(f"清除筛选 {count}", icon=":material/filter_alt_off:", type="tertiary", key=key):
        narrowing.go({"view": st.query_params.get("view", narrowing.NONE)})
        st.rerun()


def _asked(name: str) -> str | None:
    value = st.query_params.get(name)
    return value if value and saved_views.read_filter(name, value) else None


MORE: dict[str, Box] = {
    "kind": lambda: narrowing.category_or_kind(WIDTH),
    "purpose": lambda: narrowing.choice("purpose", "器具用途", narrowing.named(Purpose), WIDTH),
    "delivery": lambda: narrowing.choice("delivery", "送检方式", narrowing.named(DeliveryMode), WIDTH),
    "origin": lambda: narrowing.choice("origin", "器具产地", narrowing.named(Origin), WIDTH),
    "conclusion": lambda: narrowing.choice("conclusion", "检定结论", narrowing.named(Conclusion), WIDTH),
    "booked": lambda: narrowing.choice("booked", "预约", BOOKED, WIDTH),
    "quality": lambda: narrowing.choice("quality", "数据质量", findings.LABELS, WIDTH),
}
