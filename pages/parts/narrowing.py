"""Filters over a list: each begins with what the address asks for, and starts anew when it asks for more.

A filter's key holds the address's query, so that a link always shows exactly the list it names.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from db.models import Account
from pages.parts import choices

PLACELESS = "none"


def signature() -> str:
    """The query of the address, for the keys of widgets."""
    return urlencode(sorted(st.query_params.to_dict().items()))


def choice(name: str, label: str, options: Mapping[str, str], width: int = 200) -> str | None:
    """A box over `options` (what the address says, and what people read); None for all."""
    asked, names = st.query_params.get(name), list(options)
    return st.selectbox(
        label,
        names,
        index=names.index(asked) if asked in options else None,
        format_func=lambda one: options[one],
        placeholder="全部",
        width=width,
        key=f"{name}?{signature()}",
    )


def text(placeholder: str, width: int = 300) -> str:
    """The search box."""
    asked = st.query_params.get("text", "")
    return st.text_input(
        "搜索", asked, max_chars=100, placeholder=placeholder, width=width, key=f"text?{signature()}"
    )


def named(members: Any) -> dict[str, str]:
    """The members of an enum as options."""
    return {one.name: one.value for one in members}


def member(enum: Any, name: str | None) -> Any:
    """The member an option stands for; None for all."""
    return enum[name] if name else None


def places(account: Account) -> dict[str, str]:
    """The divisions within an account's area as options, each named from there down, and the lack of one."""
    tree = choices.tree()
    area = tree.rows.get(account.division_code or "")
    inside = [code for code in tree.rows if area is None or _is_below(code, area.code)]
    found = {code: tree.rows[code].full_name.removeprefix(area.full_name if area else "") for code in inside}
    asked = st.query_params.get("division", "")
    if asked.isdecimal() and len(asked) == 6:
        # A retired code in use stays readable.
        found.setdefault(asked, f"已撤销的区划 {asked}")
    return {code: name for code, name in found.items() if name} | {PLACELESS: "未填使用地点"}


def _is_below(code: str, above: str) -> bool:
    return code.startswith(
        above[:4] if above.endswith("00") and above[2:4] != "00" else above.rstrip("0")[:6]
    )


def place(account: Account) -> dict[str, Any]:
    """The box over divisions, as what `Filters` call it."""
    chosen = choice("division", "使用地点", places(account), width=220)
    return {"is_placeless": True} if chosen == PLACELESS else {"division_code": chosen}


def kind() -> dict[str, Any]:
    """The box over 项别 and 种别, as what `Filters` call it."""
    known = choices.kinds()
    options = {f"c{row.category_id}": row.category for row in known}
    options |= {str(row.id): f"{row.category} › {row.name}" for row in known}
    ordered = dict(sorted(options.items(), key=lambda option: option[1]))
    chosen = choice("kind", "项别、种别", ordered, width=260)
    if chosen and chosen.startswith("c"):
        return {"category_id": int(chosen[1:])}
    return {"kind_id": int(chosen) if chosen else None}
