"""The cells of 表格编辑: what an editor shows of a ledger row, and what is meant by what is typed in it.

Cells are plain values, so that a draft can keep them: days as ISO text, kinds and divisions by their names.
The browser is not believed: only columns of EDITABLE are taken, only for rows that were shown.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from math import isfinite
from typing import Any

import pandas as pd
import streamlit as st

from catalog.lookup import DivisionIndex, KindIndex, KnownDivision, KnownKind
from db import clock, fields, instrument_fields
from db.instrument_fields import DAYS, LABELS, REQUIRED, TEXTS
from db.models import DeliveryMode, Origin, Purpose
from pages.parts import choices, tables

CHOICES: Mapping[str, Any] = {"purpose": Purpose, "delivery_mode": DeliveryMode, "origin": Origin}
NAMED = {"kind_id": "kind", "division_code": "division"}
ORDER = (
    "name",
    "serial_number",
    "status",
    "kind_id",
    "specification",
    "measuring_range",
    "accuracy_class",
    "manufacturer",
    "location",
    "division_code",
    "purpose",
    "delivery_mode",
    "origin",
    "quantity",
    "purchased_on",
    "valid_until",
    "remark",
)
EDITABLE = tuple(field for field in ORDER if field != "status")
Changes = dict[str, Any]


def cells(row: Any) -> Changes:
    """The cells of one ledger row, with its id and version."""
    shown = {field: _cell(field, getattr(row, NAMED.get(field, field))) for field in ORDER}
    return {"id": row.id, "version": row.version, **shown}


def _cell(field: str, value: Any) -> Any:
    if field in DAYS:
        return value and value.isoformat()
    return tables.text(field, value)


def frame(rows: Sequence[Mapping[str, Any]], typed: Mapping[int, Changes]) -> pd.DataFrame:
    """The rows for an editor, by id, with what has been typed in them before."""
    shown = pd.DataFrame([dict(row) | typed.get(row["id"], {}) for row in rows]).set_index("id")
    for field in DAYS:
        # An editor takes days for days only when they are.
        shown[field] = pd.Series([day(value) for value in shown[field]], shown.index, dtype="object")
    return shown[list(ORDER)]


def day(value: Any) -> Any:
    """The day in a cell; what is none comes back as it is."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return value


def columns() -> dict[str, Any]:
    """How an editor shows each column."""
    # Without a limit: an editor would cut what is pasted, and say nothing.
    config: dict[str, Any] = {
        field: st.column_config.TextColumn(LABELS[field], required=field in REQUIRED) for field in TEXTS
    }
    for field, enum in CHOICES.items():
        options = [one.value for one in enum]
        config[field] = st.column_config.SelectboxColumn(LABELS[field], options=options, required=True)
    for field in NAMED:
        hint = "填写代码或名称" + ("，如 330106 或 浙江省杭州市西湖区" if field == "division_code" else "")
        config[field] = st.column_config.TextColumn(LABELS[field], help=hint, required=True, width=190)
    config["status"] = st.column_config.TextColumn("状态", width=80)
    config["quantity"] = st.column_config.NumberColumn(
        LABELS["quantity"],
        min_value=1,
        max_value=instrument_fields.MOST_QUANTITY,
        step=1,
        required=True,
        width=90,
    )
    latest = {"purchased_on": clock.today(), "valid_until": fields.LATEST}
    for field in DAYS:
        config[field] = st.column_config.DateColumn(
            LABELS[field],
            min_value=fields.EARLIEST,
            max_value=latest[field],
            format="YYYY-MM-DD",
            help="只能填写一次，保存后不可修改" if field == "valid_until" else None,
            width=115,
        )
    return config


def merged(
    rows: Sequence[Mapping[str, Any]], kept: Mapping[int, Changes], delta: Mapping[Any, Any]
) -> dict[int, Changes]:
    """What has been typed, by id, over what was kept, without what is as it was; `delta` is by position."""
    typed = {id: dict(changes) for id, changes in kept.items()}
    places = {str(position): row["id"] for position, row in enumerate(rows)}
    for position, changes in delta.items():
        if str(position) in places and isinstance(changes, Mapping):
            mine = typed.setdefault(places[str(position)], {})
            fit = {field: new for field, new in changes.items() if field in EDITABLE and _fits(field, new)}
            mine |= {field: _typed(field, new) for field, new in fit.items()}
    for row in rows:
        mine = typed.get(row["id"], {})
        typed[row["id"]] = {field: new for field, new in mine.items() if row.get(field) != new}
    return {id: changes for id, changes in typed.items() if changes}


def _typed(field: str, new: Any) -> Any:
    if field in DAYS:
        # Days come as 2027-01-31 or 2027-01-31T00:00:00.000Z.
        return new[:10] if new else None
    return new if field == "quantity" else new or ""


def _fits(field: str, new: Any) -> bool:
    """Whether a column can hold a value at all; an editor that speaks the truth sends no other."""
    if new is None:
        return True
    if field == "quantity":
        return isinstance(new, int | float) and not isinstance(new, bool) and isfinite(new)
    return isinstance(new, str) and (field not in DAYS or not new or isinstance(day(new[:10]), date))


def values(changes: Changes) -> tuple[dict[str, Any], dict[str, str]]:
    """The values meant by the cells of one row, and a sentence for each field that means nothing."""
    meant, problems = dict(changes), {}
    for field in changes.keys() & set(NAMED):
        text = changes[field] if isinstance(changes[field], str) else ""
        meant[field], problem = kind(text) if field == "kind_id" else division(text)
        if problem:
            problems[field] = problem
    for field in changes.keys() & set(DAYS):
        meant[field] = day(changes[field])
    return {field: value for field, value in meant.items() if field not in problems}, problems


def kind(text: str) -> tuple[int | None, str]:
    """The id of the kind that a code or a name means, or what is wrong with it."""
    rows = choices.kinds()
    known = [KnownKind(row.code, row.name, row.category, row.retired_on is not None) for row in rows]
    match = KindIndex(known).find(text)
    return next((row.id for row in rows if row.code == match.code), None), match.sentence


def division(text: str) -> tuple[str | None, str]:
    """The code of the division that a code or a name means, or what is wrong with it."""
    known = [KnownDivision(row.code, row.name) for row in choices.tree().rows.values()]
    match = DivisionIndex(known).find(text)
    return match.code, match.sentence


def restored(content: Any) -> tuple[list[Changes], dict[int, Changes]]:
    """The rows and what was typed in them, from a draft; nothing where it is no draft of a grid."""
    found = content.get("rows") if isinstance(content, Mapping) else None
    rows = [row for row in found if _is_row(row)] if isinstance(found, list) else []
    noted = content.get("typed") if rows else None
    by_place = (noted.get(str(row["id"])) for row in rows) if isinstance(noted, Mapping) else ()
    return rows, merged(rows, {}, dict(enumerate(by_place)))


def redrafted(
    content: Any, rows: Sequence[Changes], before: Mapping[int, Changes], now: Mapping[int, Changes]
) -> dict[str, Any]:
    """A draft in which `now`, typed in one window over `rows`, stands instead of what it had typed `before`.

    What other windows have typed stays, over the older of two versions of a row, so that none is missed.
    """
    kept, typed = restored(content)
    others = {
        id: {field: new for field, new in changes.items() if (field, new) not in before.get(id, {}).items()}
        for id, changes in typed.items()
    }
    found = {row["id"]: row for row in rows}
    for row in kept:
        if others.get(row["id"]):
            found[row["id"]] = min(found.get(row["id"], row), row, key=lambda one: one["version"])
    both = {id: others.get(id, {}) | now.get(id, {}) for id in [*others, *now]}
    return {"rows": [*found.values()], "typed": {str(id): row for id, row in both.items() if row}}


def _is_row(row: Any) -> bool:
    if not isinstance(row, Mapping) or not {"id", "version", *ORDER} <= row.keys():
        return False
    return type(row["id"]) is int and type(row["version"]) is int


def name_of(row: Mapping[str, Any]) -> str:
    """A row as sentences call it."""
    return f"{row['name']} {row['serial_number']}".strip()


def shown(field: str, value: Any) -> str:
    """A cell in words."""
    return "（空）" if value in (None, "") else str(value)


def label(field: str) -> str:
    """The name of a column."""
    return instrument_fields.LABELS[field]
