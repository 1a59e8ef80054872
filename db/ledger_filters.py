"""Filters of a ledger list as an address, a view and the command line write them.

A page shows what it has narrowed a list to, and may pass over nonsense in its address. A file does not: there
a forged or misspelt filter must not widen the list, so `read` refuses it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.divisions import bounds
from db import ledger, quality
from db.errors import HIDDEN, Refused
from db.ledger import Filters
from db.models import Conclusion, DeliveryMode, InstrumentStatus, Origin, Purpose

PLACELESS = "none"
MOST = 100
BOOKED = {"yes": True, "no": False}
WRONG = "筛选条件有误，请回到台账页面重新选择"
LABELS = {
    "enterprise_id": "使用单位",
    "text": "搜索",
    "category_id": "项别",
    "kind_id": "种别",
    "status": "状态",
    "division_code": "使用地点",
    "is_placeless": "未填使用地点",
    "due": "到期",
    "purpose": "器具用途",
    "delivery_mode": "送检方式",
    "quality": "数据质量",
    "origin": "器具产地",
    "conclusion": "结论",
    "is_booked": "预约中",
}

FINDINGS = {key: finding.label for key, finding in quality.FINDINGS.items()}

Reader = Callable[[str], dict[str, Any]]


def _text(asked: str) -> dict[str, Any]:
    if len(asked) > MOST or HIDDEN.search(asked):
        raise ValueError
    return {"text": asked}


def _number(asked: str) -> int:
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 10):
        raise ValueError
    return int(asked)


def _kind(asked: str) -> dict[str, Any]:
    field = "category_id" if asked.startswith("c") else "kind_id"
    return {field: _number(asked.removeprefix("c"))}


def _division(asked: str) -> dict[str, Any]:
    if asked == PLACELESS:
        return {"is_placeless": True}
    if _number(asked) < 100_000 or len(asked) != 6:
        raise ValueError
    bounds(asked)
    return {"division_code": asked}


def _member(field: str, enum: Any) -> Reader:
    return lambda asked: {field: enum[asked]}


def _key(field: str, known: Mapping[str, Any]) -> Reader:
    return lambda asked: {field: asked} if known[asked] else {}


# What the address of a list and a view call each filter, and how its value is read.
READERS: dict[str, Reader] = {
    "enterprise": lambda asked: {"enterprise_id": _number(asked)},
    "text": _text,
    "kind": _kind,
    "status": _member("status", InstrumentStatus),
    "division": _division,
    "due": _key("due", ledger.DUE),
    "purpose": _member("purpose", Purpose),
    "delivery": _member("delivery_mode", DeliveryMode),
    "origin": _member("origin", Origin),
    "conclusion": _member("conclusion", Conclusion),
    "booked": lambda asked: {"is_booked": BOOKED[asked]},
    "quality": _key("quality", FINDINGS),
}


def read(asked: Mapping[str, Any]) -> Filters:
    """The filters that names and values of an address stand for; an empty value narrows nothing.

    Raises Refused for a name or a value that no list has.
    """
    found: dict[str, Any] = {}
    for name, value in asked.items():
        try:
            found |= READERS[name](value) if value else {}
        except (KeyError, ValueError, TypeError, AttributeError):
            raise Refused(WRONG) from None
    return Filters(**found)


def query(filters: Filters) -> dict[str, str]:
    """Names and values that `read` turns into these filters again."""
    found = {
        "enterprise": filters.enterprise_id,
        "text": filters.text,
        "kind": filters.kind_id or (filters.category_id and f"c{filters.category_id}"),
        "status": filters.status and filters.status.name,
        "division": PLACELESS if filters.is_placeless else filters.division_code,
        "due": filters.due,
        "purpose": filters.purpose and filters.purpose.name,
        "delivery": filters.delivery_mode and filters.delivery_mode.name,
        "origin": filters.origin and filters.origin.name,
        "conclusion": filters.conclusion and filters.conclusion.name,
        "booked": next((name for name, value in BOOKED.items() if value is filters.is_booked), None),
        "quality": filters.quality,
    }
    return {name: str(value) for name, value in found.items() if value}
