"""Fields of a ledger row: their names, limits and rules, for the form, the grid and the import alike."""

from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db import clock, reach
from db.errors import Refused
from db.fields import Form
from db.models import Account, DeliveryMode, Division, InstrumentType, Kind, Origin, Purpose

LABELS = {
    "name": "器具名称",
    "instrument_type": "器具类型",
    "kind_id": "器具种别",
    "specification": "型号规格",
    "measuring_range": "测量范围",
    "accuracy_class": "准确度等级",
    "serial_number": "出厂编号",
    "manufacturer": "生产厂家",
    "origin": "器具产地",
    "division_code": "使用地点行政区划",
    "location": "安装/使用地点",
    "purchased_on": "购置时间",
    "quantity": "器具数量",
    "purpose": "器具用途",
    "delivery_mode": "送检方式",
    "valid_until": "有效期至",
    "remark": "备注",
}
REQUIRED = ("name", "kind_id", "serial_number", "manufacturer", "division_code", "purpose", "delivery_mode")
# What names one instrument within an enterprise.
IDENTITY = ("serial_number", "manufacturer", "specification")
# What a whole row is judged by.
TOGETHER = ("quantity", "serial_number")
TEXTS = {
    "name": 120,
    "specification": 120,
    "measuring_range": 120,
    "accuracy_class": 60,
    "serial_number": 60,
    "manufacturer": 120,
    "location": 200,
    "remark": 500,
}
CHOICES: dict[str, Any] = {
    "instrument_type": InstrumentType,
    "origin": Origin,
    "purpose": Purpose,
    "delivery_mode": DeliveryMode,
}
DAYS = ("purchased_on", "valid_until")
# What a new instrument is unless somebody says otherwise.
DEFAULTS: dict[str, Any] = {
    "instrument_type": InstrumentType.working,
    "origin": Origin.domestic,
    "quantity": 1,
}
MOST_QUANTITY = 100_000
SCRAPPED = "已报废的器具不能修改"
ELSEWHERE = "使用地点超出您的管辖范围，请由使用单位填写"


def plain(value: Any) -> Any:
    """A value as the trace of changes keeps it: a day as ISO text, a member of a list by its name."""
    return value.isoformat() if isinstance(value, date) else getattr(value, "name", value)


def stored(field: str, kept: Any) -> Any:
    """The value of a field that `plain` has turned into `kept`."""
    if kept is None:
        return None
    if field in CHOICES:
        return CHOICES[field][kept]
    return date.fromisoformat(kept) if field in DAYS else kept


class FieldReader:
    """Reads what `by` enters for fields of the ledger; a value seen before is answered from memory.

    Keep one for the length of one operation: kinds and divisions may change after it.
    """

    def __init__(self, session: Session, by: Account):
        self._session, self._by = session, by
        self._seen: dict[Hashable, tuple[Any, str | None]] = {}

    def read(self, field: str, value: Any) -> tuple[Any, str | None]:
        """The value to store for a field of LABELS, and a sentence on what is wrong with it, if anything."""
        if not isinstance(value, Hashable):
            return self.read_once(field, value)
        key = field, type(value), value
        if key not in self._seen:
            self._seen[key] = self.read_once(field, value)
        return self._seen[key]

    def read_once(self, field: str, value: Any) -> tuple[Any, str | None]:
        """As `read`, for a caller with a memory of its own."""
        form, label = Form(), LABELS[field]
        stored: Any
        if field in TEXTS:
            stored = form.text(field, label, value, TEXTS[field], required=field in REQUIRED)
        elif field in CHOICES:
            stored = form.choice(field, label, CHOICES[field], value)
        elif field == "quantity":
            stored = form.number(field, label, value, 1, MOST_QUANTITY)
        elif field == "kind_id":
            stored = _kind(self._session, form, value)
        elif field == "division_code":
            stored = _division(self._session, form, value, self._by)
        else:
            stored = form.day(field, label, value)
        if field == "purchased_on" and stored and stored > clock.today():
            form.say("purchased_on", "“购置时间”不能晚于今天")
        return stored, form.problems.get(field)


def checked(session: Session, typed: Mapping[str, Any], form: Form, by: Account) -> dict[str, Any]:
    """The values to store for the fields `by` has typed (names as in LABELS); problems go into `form`.

    Raises Refused for a field that is not the ledger's to set.
    """
    if strange := set(typed) - set(LABELS):
        raise Refused(f"不能修改“{'、'.join(sorted(strange))}”，请刷新页面后重试")
    reader = FieldReader(session, by)
    values: dict[str, Any] = {}
    for field, value in typed.items():
        values[field], problem = reader.read(field, value)
        if problem:
            form.say(field, problem)
    return values


def _kind(session: Session, form: Form, value: Any) -> int | None:
    kind = session.get(Kind, value) if isinstance(value, int) else None
    if kind is None:
        form.say("kind_id", "请选择“器具项别”和“器具种别”")
    elif kind.retired_on:
        form.say("kind_id", f"种别“{kind.name}”已停用，请选择现行种别")
    return kind.id if kind else None


def _division(session: Session, form: Form, value: Any, by: Account) -> str | None:
    division = session.get(Division, value) if isinstance(value, str) else None
    if division is None:
        form.say("division_code", "请选择“使用地点行政区划”，选到区县一级")
        return None
    below = sa.exists().where(col(Division.parent_code) == division.code, col(Division.retired_on).is_(None))
    if division.retired_on:
        successor = f"，请改用 {division.successor_code}" if division.successor_code else "，请选择现行区划"
        form.say("division_code", f"{division.full_name}（{division.code}）已撤销{successor}")
    elif session.scalar(select(below)):
        form.say("division_code", "“使用地点行政区划”请选到区县一级")
    elif by.role in reach.BUREAU and not reach.watches(by, division.code):
        form.say("division_code", ELSEWHERE)
    return division.code


def together(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a whole row though each field may be right: one sentence by field.

    Of `values` the fields TOGETHER are looked at.
    """
    if values["quantity"] > 1 and values["serial_number"]:
        return {"quantity": "填写了出厂编号的器具数量应为 1，多台请用“复制”逐台录入"}
    return {}
