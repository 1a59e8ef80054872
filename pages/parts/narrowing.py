"""Filters over a list: each begins with what the address asks for, and starts anew when it asks for more.

A filter's key holds the address's query, so that a link always shows exactly the list it names.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from catalog.divisions import bounds
from db.models import Account
from pages.parts import choices

NONE = "none"
MOST = 100


def signature() -> str:
    """The query of the address, for the keys of widgets."""
    return urlencode(sorted(st.query_params.to_dict().items()))


def choice(name: str, label: str, options: Mapping[str, str], width: int = 200) -> str | None:
    """A box over `options` (what the address says, and what people read); None for all."""
    asked, names = st.query_params.get(name), list(options)
    return st.selectbox(
        label,
        names,
        index=names.index(asked) if asked and asked in options else None,
        format_func=lambda one: options[one],
        placeholder="全部",
        width=width,
        key=f"{name}?{signature()}",
    )


def text(placeholder: str, width: int = 300) -> str:
    """The search box."""
    asked = st.query_params.get("text", "")[:MOST]
    return st.text_input(
        "搜索", asked, max_chars=MOST, placeholder=placeholder, width=width, key=f"text?{signature()}"
    )


def named(members: Any) -> dict[str, str]:
    """The members of an enum as options."""
    return {one.name: one.value for one in members}


def member(enum: Any, name: str | None) -> Any:
    """The member an option stands for; None for all."""
    return enum[name] if name else None


def area(account: Account) -> str:
    """The full name of the area an account answers for; empty for everywhere."""
    row = choices.tree().rows.get(account.division_code or "")
    return row.full_name if row else ""


def is_own(account: Account, code: str) -> bool:
    """Whether a division lies in the area an account answers for, to offer what may be changed there."""
    low, high = _reach(account)
    return low <= code <= high


def _reach(account: Account) -> tuple[str, str]:
    return bounds(account.division_code) if account.division_code else ("", "9")


def places(account: Account) -> dict[str, str]:
    """The divisions of an account's area as options, each named from there down, and the lack of one."""
    rows = choices.tree().rows
    home = account.division_code
    low, high = _reach(account)
    above = rows[home].full_name if home in rows else ""
    found = {
        code: row.full_name.removeprefix(above) or row.full_name
        for code, row in rows.items()
        if low <= code <= high and not row.is_connector
    }
    asked = st.query_params.get("division", "")
    if re.fullmatch("[1-9][0-9]{5}", asked):
        # A retired code in use stays readable.
        found.setdefault(asked, f"已撤销的区划 {asked}")
    return found | {NONE: "未填使用地点"}


def place(account: Account) -> dict[str, Any]:
    """The box over divisions, as what `Filters` call it."""
    chosen = choice("division", "使用地点", places(account), width=200)
    return {"is_placeless": True} if chosen == NONE else {"division_code": chosen}


def kind() -> dict[str, Any]:
    """The box over 项别 and 种别, as what `Filters` call it."""
    options: dict[str, str] = {}
    for row in choices.kinds():
        options.setdefault(f"c{row.category_id}", row.category)
        options[str(row.id)] = f"{row.category} › {row.name}"
    chosen = choice("kind", "项别、种别", options, width=260)
    if chosen and chosen.startswith("c"):
        return {"category_id": int(chosen[1:])}
    return {"kind_id": int(chosen) if chosen else None}
