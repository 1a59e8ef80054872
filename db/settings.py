"""Settings: the figures no public source fixes, each with a type, a default and a Chinese name."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from db import clock
from db.errors import Refused
from db.models import Account, Role, Setting


@dataclass(frozen=True)
class Definition:
    """One setting: whole number between `low` and `high`, or yes/no when `low` is None."""

    label: str
    default: Any
    low: int | None = None
    high: int | None = None
    help: str = ""


DEFINITIONS = {
    "review_days": Definition("注册审核时限（工作日）", 2, 1, 60, "指南：通常两个工作日内审核完成"),
    "acceptance_days": Definition("预约受理时限（工作日）", 5, 1, 60, "法律没有统一规定，超过后在看板中提示"),
    "brought_in_days": Definition(
        "送检的检定时限（天）", 20, 1, 120, "由各省规定，例如浙江 7 个工作日、河南 20 天"
    ),
    "on_site_days": Definition(
        "现场检的检定时限（天）", 20, 1, 120, "由各省规定，例如浙江 10 个工作日、重庆 30 天"
    ),
    "limit_in_calendar_days": Definition("检定时限按自然日计算", False, help="关闭时按工作日计算"),
    "lines_per_appointment": Definition(
        "每张预约单最多器具数", 100, 1, 100, "指南：“选择器具”页面最多显示 100 条"
    ),
}


def value(session: Session, name: str) -> Any:
    """The setting's value, its default while nobody changed it; KeyError for a name not defined."""
    row = session.get(Setting, name)
    return row.value if row else DEFINITIONS[name].default


def save(session: Session, name: str, new: Any, *, by: Account) -> None:
    """Set one setting. Raises Refused to all but administrators and for a value out of range."""
    if by.role != Role.administrator:
        raise Refused("只有管理员可以修改系统设置")
    definition = DEFINITIONS.get(name)
    if definition is None:
        raise Refused("没有这项设置，请刷新后重试")
    if definition.low is None or definition.high is None:
        if not isinstance(new, bool):
            raise Refused(f"“{definition.label}”请选择是或否")
    elif isinstance(new, bool) or not isinstance(new, int) or not definition.low <= new <= definition.high:
        raise Refused(f"“{definition.label}”请填 {definition.low} 至 {definition.high} 的整数")
    row = session.get(Setting, name) or Setting(name=name, value=new)
    row.value, row.changed_at, row.changed_by_id = new, clock.now(), by.id
    session.add(row)
