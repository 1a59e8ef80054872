"""Values of the ledger in words: names for keys of other tables, Chinese for members of lists."""

from enum import StrEnum
from typing import Any

from db import instrument_fields
from db.models import Conclusion, InstrumentStatus
from pages.parts import choices, tables

LABELS = instrument_fields.LABELS | {"status": "状态", "verified_on": "检定日期", "conclusion": "结论"}
LISTS = instrument_fields.CHOICES | {"status": InstrumentStatus, "conclusion": Conclusion}
# The columns of a list, by field.
COLUMNS = LABELS | {
    "enterprise": "使用单位",
    "validity": "有效期至",
    "valid_until": "有效期至（日期）",
    "line_status": "预约",
    "category": "器具项别",
    "kind": "器具种别",
    "division": "使用地点行政区划",
}
EMPTY = "（空）"
# In a comparison, where only the other one has changed a field.
UNTOUCHED = "（未改）"


def value(field: str, stored: Any) -> str:
    """A value of `field` as people read it, whether it comes from the ledger, a form or the history."""
    if stored in (None, ""):
        return EMPTY
    if field == "kind_id":
        return next((kind.name for kind in choices.kinds() if kind.id == stored), str(stored))
    if field == "division_code":
        division = choices.tree().rows.get(stored)
        return division.full_name if division else str(stored)
    if field in LISTS and not isinstance(stored, StrEnum):
        return str(LISTS[field][stored].value)
    return str(tables.text("", stored))


def changes(changed: dict[str, Any]) -> list[str]:
    """What one act did, a sentence for each field."""
    return [
        f"{LABELS.get(field, field)}：{value(field, old)} → {value(field, new)}"
        for field, (old, new) in changed.items()
    ]
