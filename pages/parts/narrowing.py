"""Filters over a list: each begins with what the address asks for, and starts anew when it asks for more.

A filter's key changes with the address, so that a link always shows exactly the list it names. What a page
writes into the address itself with `keep` changes no key: the filters already show it.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from catalog.divisions import bounds
from db import enterprises, search
from db.engine import Session
from db.models import Account
from pages.parts import choices, look

NONE = "none"
ADDRESS = "narrowing"
MOST = 100


def signature() -> str:
    """For the keys of widgets: another one whenever the visitor comes from another address."""
    known = st.session_state.setdefault(ADDRESS, {"query": _query(), "number": 0})
    if known["query"] != _query():
        known |= {"query": _query(), "number": known["number"] + 1}
    return str(known["number"])


def _query() -> str:
    return urlencode(sorted(st.query_params.to_dict().items()))


def keep(asked: Mapping[str, str | None]) -> dict[str, str]:
    """Let the address name what the screen shows, for a reload and the way back; what it names now."""
    signature()
    named = {name: value for name, value in asked.items() if value}
    if named != st.query_params.to_dict():
        st.query_params.from_dict(named)
        st.session_state[ADDRESS]["query"] = _query()
    return named


def go(asked: Mapping[str, str | None]) -> None:
    """To another address of this page: the filters start anew with what it names."""
    st.query_params.from_dict({name: value for name, value in asked.items() if value})


def choice(name: str, label: str, options: Mapping[str, str], width: int = 200) -> str | None:
    """A box over `options` (what the address says, and what people read); None for all."""
    return _box(name, label, options, st.query_params.get(name), width)


def _box(
    name: str, label: str, options: Mapping[str, str], start: str | None, width: int = 200
) -> str | None:
    names = list(options)
    return st.selectbox(
        label,
        names,
        index=names.index(start) if start and start in options else None,
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


def tell_unused(typed: str) -> None:
    """Say which words of a search of instruments are not looked for."""
    _, unused = search.words(typed)
    if unused:
        st.caption(f"搜索最多用 {search.WORDS} 个词，没有用到：{look.plain('、'.join(unused))}")


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


def places(tree: choices.Tree, account: Account) -> dict[str, str]:
    """The divisions of a small area as options, each named from there down."""
    rows, home = tree.rows, account.division_code
    above = rows[home].full_name if home in rows else ""
    return {
        row.code: row.full_name.removeprefix(above) or row.full_name
        for row in tree.between(*_reach(account))
        if not row.is_connector
    }


def division(account: Account, width: int = 200, session: Session | None = None) -> str | None:
    """The box over divisions, in a large area one more for each level below; NONE for rows without one."""
    tree, home = choices.tree(session), account.division_code
    if home and not home.endswith("0000"):
        return _place(tree, places(tree, account), None, width)
    asked = tree.path(st.query_params.get("division"))[1 if home else 0 :]
    chosen = _place(tree, _children(tree, home), asked[0] if asked else None, width)
    for level in (1, 2):
        below = _children(tree, chosen) if chosen != NONE else {}
        if not (chosen and below):
            break
        deeper = _box(
            f"division-{chosen}", "其中", below, asked[level] if level < len(asked) else None, width
        )
        if deeper is None:
            break
        chosen = deeper
    return chosen


def division_in_use(session: Session, used: Mapping[str, str], width: int = 200) -> str | None:
    """The box over the divisions in use, each under the one above where that holds several of them."""
    tree = choices.tree(session)
    above = Counter(path[-2] for code in used if len(path := tree.path(code)) > 1)
    areas = {code: tree.rows[code].full_name for code, count in above.items() if count > 1}
    return _place(tree, dict(sorted((areas | dict(used)).items())), None, width)


def _children(tree: choices.Tree, code: str | None) -> dict[str, str]:
    return {child: tree.rows[child].name for child in tree.children(code)}


def _place(tree: choices.Tree, found: dict[str, str], start: str | None, width: int) -> str | None:
    asked = st.query_params.get("division", "")
    if start not in found and re.fullmatch("[1-9][0-9]{5}", asked):
        # A retired code in use stays readable, and what the list is narrowed to stays chosen.
        row = tree.rows.get(asked)
        found.setdefault(asked, row.full_name if row else f"已撤销的区划 {asked}")
        start = asked
    return _box("division", "使用地点", found | {NONE: "未填使用地点"}, start or asked, width)


def place(account: Account) -> dict[str, Any]:
    """The boxes over divisions, as what `Filters` call them."""
    chosen = division(account)
    return {"is_placeless": True} if chosen == NONE else {"division_code": chosen}


def category_or_kind(width: int = 260) -> str | None:
    """The box over 项别 and 种别: the id of a kind, or `c` and that of a category."""
    options: dict[str, str] = {}
    for row in choices.kinds():
        options.setdefault(f"c{row.category_id}", row.category)
        options[str(row.id)] = f"{row.category} › {row.name}"
    return choice("kind", "项别、种别", options, width)


def kind() -> dict[str, Any]:
    """The box over 项别 and 种别, as what `Filters` call it."""
    chosen = category_or_kind()
    if chosen and chosen.startswith("c"):
        return {"category_id": int(chosen[1:])}
    return {"kind_id": int(chosen) if chosen else None}


def owner(session: Session, account: Account, width: int = 260) -> str | None:
    """The box over enterprises, after a word of their name, its initials or the credit code; the id."""
    found = {}
    if typed := st.text_input(
        "查找使用单位",
        max_chars=MOST,
        placeholder="名称、拼音首字母或信用代码",
        width=width,
        key=f"owner?{signature()}",
    ):
        found = {str(one.id): one.name for one in enterprises.page(session, by=account, text=typed, size=20)}
    asked = st.query_params.get("enterprise", "")
    if asked and asked not in found:
        found |= {str(one.id): one.name for one in enterprises.named(session, asked, by=account)}
    return choice("enterprise", "使用单位", found, width)
