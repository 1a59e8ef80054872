"""数据质量: each finding with its number, which opens its rows, what is wrong and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from db import quality
from db.engine import Session
from db.models import Account
from pages.parts import look, successors
from pages.parts.navigation import page

LABELS = {key: finding.label for key, finding in quality.FINDINGS.items()}
NOTHING = "没有发现问题"


class Report(NamedTuple):
    """How many rows each finding has, and the retired kinds and divisions among them."""

    counts: Mapping[str, int]
    kinds: Sequence[Any]
    divisions: Sequence[Any]


class Retired(NamedTuple):
    """A retired kind or division in use: what is said of it, the ledger's filter and field, its value there,
    and its successor's, if one is in force."""

    label: str
    filter: str
    field: str
    value: int | str
    successor: int | str | None


def report(session: Session, *, by: Account, enterprise_id: int | None = None) -> Report:
    """What is found within the asker's reach, or in one ledger."""
    counts = quality.counts(session, by=by, enterprise_id=enterprise_id)
    kinds = divisions = []
    if counts["retired_kind"]:
        kinds = quality.retired_kinds(session, by=by, enterprise_id=enterprise_id)
    if counts["retired_division"]:
        divisions = quality.retired_divisions(session, by=by, enterprise_id=enterprise_id)
    return Report(counts, kinds, divisions)


def draw(found: Report, ledger: str, enterprise_id: int | None = None) -> None:
    """The findings that have rows; each opens them in the page `ledger`. The owner of one ledger reads what
    to do as well, and may put successors in the place of what is retired."""
    retired = {"retired_kind": _kinds(found.kinds), "retired_division": _divisions(found.divisions)}
    with st.grid(2, min_column_width=320, gap="small"):
        for key, number in found.counts.items():
            if number:
                with st.container(border=True, gap="xsmall", height="stretch", key=f"finding-{key}"):
                    _draw(key, number, ledger, enterprise_id is not None)
                    for one in retired.get(key, []):
                        _draw_retired(one, {"quality": key}, ledger, enterprise_id)
    if sound := [LABELS[key] for key, number in found.counts.items() if not number]:
        st.caption(f":material/task_alt: 其余 {len(sound)} 项检查没有发现问题", help="、".join(sound))


def explain(key: str) -> None:
    """Over a list narrowed to a finding: what is wrong with its rows, and what to do."""
    finding = quality.FINDINGS[key]
    st.caption(look.plain(f"{finding.label}：{finding.trouble}{finding.remedy}"))


def _draw(key: str, number: int, ledger: str, has_remedy: bool) -> None:
    finding = quality.FINDINGS[key]
    st.page_link(
        page(ledger),
        label=f"**{finding.label}　{number:,} 台**",
        icon=":material/rule:",
        query_params={"quality": key},
    )
    st.text(finding.trouble)
    if has_remedy:
        st.caption(f"怎样改：{look.plain(finding.remedy)}")


def _draw_retired(one: Retired, query: dict[str, str], ledger: str, enterprise_id: int | None) -> None:
    st.page_link(page(ledger), label=look.plain(one.label), query_params=query | {one.filter: str(one.value)})
    if enterprise_id is not None and one.successor:
        successors.button(enterprise_id, one.field, one.value, one.successor, one.label)


def _kinds(rows: Sequence[Any]) -> list[Retired]:
    return [Retired(_said(row, "种别"), "kind", "kind_id", row.kind_id, row.successor_id) for row in rows]


def _divisions(rows: Sequence[Any]) -> list[Retired]:
    return [
        Retired(_said(row, "区划"), "division", "division_code", row.code, row.successor_code) for row in rows
    ]


def _said(row: Any, what: str) -> str:
    later = f"改为 {row.successor}" if row.successor else f"请选现行{what}"
    return f"{row.number:,} 台 · {row.name} → {later}"
