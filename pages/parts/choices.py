"""Choices that hang on each other: 省 → 市 → 区县, and 项别 → 种别.

They need a rerun after each choice, so they stand outside `st.form`.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import lru_cache

import streamlit as st

from db import reference
from db.engine import Session, reading
from db.models import Dataset
from db.reference import DivisionRow, KindRow

LEVELS = ("省（自治区、直辖市）", "市（州、盟）", "区县")


class Tree:
    """The divisions as a cascade offers them: connector rows (市辖区 …) are stepped over."""

    def __init__(self, rows: list[DivisionRow]):
        self.rows = {row.code: row for row in rows}
        self.codes = sorted(self.rows)
        self.below: dict[str | None, list[str]] = defaultdict(list)
        for row in rows:
            self.below[row.parent_code].append(row.code)

    def between(self, low: str, high: str) -> list[DivisionRow]:
        """The divisions with codes from `low` to `high`, by code."""
        found = self.codes[bisect_left(self.codes, low) : bisect_right(self.codes, high)]
        return [self.rows[code] for code in found]

    def children(self, code: str | None) -> list[str]:
        """The codes to choose from below `code`."""
        found: list[str] = []
        for child in self.below.get(code, ()):
            found += self.children(child) if self.rows[child].is_connector else [child]
        return found

    def path(self, code: str | None) -> list[str]:
        """The choices that lead to `code`, from the province down."""
        found: list[str] = []
        while code in self.rows:
            row = self.rows[code]
            found[:0] = [] if row.is_connector else [row.code]
            code = row.parent_code
        return found


# Kept by edition: reading 3,000 rows again in each run would cost more than the page.
@lru_cache(maxsize=2)
def _tree(edition_id: int) -> Tree:
    with reading() as session:
        return Tree(reference.divisions(session))


@lru_cache(maxsize=2)
def _kinds(edition_id: int) -> list[KindRow]:
    with reading() as session:
        return reference.kinds(session)


def _edition(session: Session, dataset: Dataset) -> int:
    return reference.edition(session, dataset).id


def tree(session: Session | None = None) -> Tree:
    """The divisions in force; a page that reads anyway gives its session."""
    if session:
        return _tree(_edition(session, Dataset.divisions))
    with reading() as own:
        return tree(own)


def kinds() -> list[KindRow]:
    """The catalog in force, retired kinds included."""
    with reading() as session:
        edition_id = _edition(session, Dataset.catalog)
    return _kinds(edition_id)


def division(key: str, label: str, value: str | None = None, help: str | None = None) -> str | None:
    """A cascade of up to three boxes; the deepest code chosen, or None. `value` is chosen at first."""
    divisions, code = tree(), None
    path = divisions.path(value)
    for level, column in enumerate(st.columns(3)):
        options = divisions.children(code)
        if not options or (level and code is None):
            break
        start = options.index(path[level]) if level < len(path) and path[level] in options else None
        is_last = divisions.rows[options[0]].is_complete
        chosen = column.selectbox(
            f"{label} · {LEVELS[2 if is_last else level]}",
            options,
            index=start,
            format_func=lambda one: divisions.rows[one].name,
            placeholder="请选择",
            key=f"{key}-{level}-{code}",
            help=help if level == 0 else None,
        )
        if chosen is None:
            break
        code = chosen
    return code


def kind(key: str, value: int | None = None) -> int | None:
    """器具项别 and 器具种别; the id of the kind chosen, or None. `value` is chosen at first."""
    known = {row.id: row for row in kinds() if row.retired_on is None or row.id == value}
    categories = dict.fromkeys(row.category for row in known.values())
    left, right = st.columns(2)
    first = list(categories).index(known[value].category) if value in known else None
    category = left.selectbox(
        "器具项别 *", list(categories), index=first, placeholder="请选择", key=f"{key}-category"
    )
    options = [row.id for row in known.values() if row.category == category]
    start = options.index(value) if value in options else (0 if len(options) == 1 else None)
    return right.selectbox(
        "器具种别 *",
        options,
        index=start,
        format_func=lambda one: known[one].name,
        placeholder="请选择" if category else "请先选择项别",
        key=f"{key}-kind-{category}",
    )
