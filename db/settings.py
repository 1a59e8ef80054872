"""Settings: what no public source fixes, each with a type, a default and a Chinese name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from db import audit, clock
from db.errors import Refused
from db.fields import Form
from db.models import Account, AuditEntry, Role, Setting

CHANGED = "修改系统设置"


@dataclass(frozen=True)
class Definition:
    """One setting, of the type of its default: yes/no, text of at most `high` characters, or a whole number
    between `low` and `high`."""

    label: str
    default: bool | int | str
    low: int = 0
    high: int = 0
    help: str = ""

    def describe(self, value: Any) -> str:
        """A value in words."""
        if isinstance(value, bool):
            return "是" if value else "否"
        return str(value) or "（空）"


DEFINITIONS = {
    "contact": Definition(
        "主管部门联系方式",
        "",
        high=120,
        help="在“企业注册”和“忘记密码”中告诉使用单位找谁，如：杭州市市场监督管理局计量处，0571-87654321",
    ),
    "review_days": Definition("注册审核时限（工作日）", 2, 1, 60, "指南：通常两个工作日内审核完成"),
    "recovery_days": Definition("账号找回办理时限（工作日）", 1, 1, 30, "指南：一个工作日内反馈"),
    "reminders": Definition(
        "发送到期提醒",
        False,
        help="有效期至前一个月和一周，各发一条短信给使用单位，写明到期的台数",
    ),
    "acceptance_days": Definition("预约受理时限（工作日）", 5, 1, 60, "法律没有统一规定，超过后在看板中提示"),
    "brought_in_days": Definition(
        "送检的检定时限（天）", 20, 1, 120, "由各省规定，例如浙江 7 个工作日、河南 20 天"
    ),
    "on_site_days": Definition(
        "现场检的检定时限（天）", 20, 1, 120, "由各省规定，例如浙江 10 个工作日、重庆 30 天"
    ),
    "limit_in_calendar_days": Definition("检定时限按自然日计算", False, help="关闭时按工作日计算"),
    "keep_attempts_days": Definition(
        "登录尝试保留天数", 30, 1, 3650, "用于限制猜测密码；登录和失败另记入审计日志，不受此影响"
    ),
    "keep_sign_ins_days": Definition("已结束的登录保留天数", 180, 1, 3650, "登录时间、网络地址和浏览器"),
    "keep_codes_days": Definition("验证码记录保留天数", 7, 1, 3650, "过期的验证码，只存摘要"),
    "keep_drafts_days": Definition("草稿保留天数", 30, 1, 3650, "填写了没有保存的内容，从最后一次暂存算起"),
    "keep_messages_days": Definition(
        "消息保留天数", 180, 7, 3650, "短信和邮件的收件人和内容，从发送、转告、发送失败或过期算起"
    ),
    "keep_declined_days": Definition(
        "不予通过的注册资料保留天数",
        180,
        30,
        3650,
        "到期清除手机号、联系人、地址和执照扫描件，个人注册的还有姓名，保留结论",
    ),
    "keep_recoveries_days": Definition(
        "找回申请资料保留天数",
        180,
        30,
        3650,
        "从办理算起，到期清除证明材料和申请人的姓名、手机号、邮箱，保留结论",
    ),
    "idle_minutes": Definition(
        "无操作自动退出（分钟）", 30, 5, 240, "GB/T 22239-2019 身份鉴别：登录连接超时自动退出"
    ),
    "signed_in_hours": Definition("一次登录最长时间（小时）", 12, 1, 24, "到时须重新登录"),
    "sign_in_failures": Definition(
        "连续失败几次后锁定登录", 5, 3, 20, "GB/T 22239-2019 身份鉴别：限制非法登录次数"
    ),
    "lock_minutes": Definition("登录锁定时间（分钟）", 15, 5, 1440, "从最早一次失败算起"),
    "staff_password_days": Definition(
        "工作人员密码有效期（天）",
        90,
        0,
        730,
        "GB/T 22239-2019 身份鉴别：定期更换；审核、监管人员和管理员到期须先改密码。0 为不限",
    ),
    "staff_code": Definition(
        "工作人员必须使用动态口令",
        False,
        help="打开后，审核、监管人员和管理员须先在“个人中心”绑定动态口令，再办理业务",
    ),
    "lines_per_appointment": Definition(
        "每张预约单最多器具数", 100, 1, 100, "指南：“选择器具”页面最多显示 100 条"
    ),
}


def value(session: Session, name: str) -> Any:
    """The setting's value, its default while nobody changed it; KeyError for a name not defined."""
    row = session.get(Setting, name)
    return row.value if row else DEFINITIONS[name].default


@dataclass(frozen=True)
class SettingRow:
    """A setting as it stands; `changed_at` and `changed_by` are empty while nobody changed it."""

    name: str
    definition: Definition
    value: Any
    changed_at: datetime | None
    changed_by: str


def rows(session: Session, *, by: Account) -> list[SettingRow]:
    """Every setting, in the order of `DEFINITIONS`; for administrators."""
    _allow(by)
    joined = select(Setting, Account.full_name).join(Account, isouter=True)
    stored = {row.name: (row, full_name) for row, full_name in session.exec(joined)}
    found = []
    for name, definition in DEFINITIONS.items():
        row, full_name = stored.get(name, (None, None))
        value = row.value if row else definition.default
        found.append(SettingRow(name, definition, value, row.changed_at if row else None, full_name or ""))
    return found


def save(session: Session, typed: Mapping[str, Any], *, by: Account) -> list[str]:
    """Set the settings named in `typed`; returns the labels of those that changed.

    Raises Refused to all but administrators, and with every value that is out of range.
    """
    _allow(by)
    form = Form()
    new = {name: _read(form, name, value) for name, value in typed.items()}
    form.done()
    changed = [name for name in new if new[name] != value(session, name)]
    for name in changed:
        row = session.get(Setting, name) or Setting(name=name, value=None)
        _note(session, name, value(session, name), new[name], by)
        row.value, row.changed_at, row.changed_by_id = new[name], clock.now(), by.id
        session.add(row)
    return [DEFINITIONS[name].label for name in changed]


def _note(session: Session, name: str, before: Any, after: Any, by: Account) -> None:
    audit.record(
        session,
        CHANGED,
        by=by,
        subject="setting",
        before={"name": name, "value": before},
        after={"name": name, "value": after},
        note=DEFINITIONS[name].label,
    )


@dataclass(frozen=True)
class SettingChange:
    """One change of a setting: when, by whom, from and to in words."""

    at: datetime
    by_name: str
    label: str
    before: str
    after: str


def history(session: Session, *, by: Account) -> list[SettingChange]:
    """The changes of all settings, the latest first, at most 200; for administrators."""
    _allow(by)
    joined = select(AuditEntry, Account.full_name).join(Account, isouter=True)
    noted = joined.where(AuditEntry.action == CHANGED, AuditEntry.subject == "setting")
    found = []
    for entry, full_name in session.exec(noted.order_by(col(AuditEntry.id).desc()).limit(200)):
        before, after = entry.before or {}, entry.after or {}
        definition = DEFINITIONS.get(after.get("name", ""))
        if definition:
            words = definition.describe(before.get("value")), definition.describe(after.get("value"))
            found.append(SettingChange(entry.at, full_name or "", definition.label, *words))
    return found


def _allow(by: Account) -> None:
    if not by.is_active or by.role != Role.administrator:
        raise Refused("只有管理员可以查看和修改系统设置")


def _read(form: Form, name: str, typed: Any) -> Any:
    definition = DEFINITIONS.get(name)
    if definition is None:
        return form.say(name, "没有这项设置，请刷新后重试")
    if isinstance(definition.default, str):
        return form.text(name, definition.label, typed, definition.high)
    if not isinstance(definition.default, bool):
        return form.number(name, definition.label, typed, definition.low, definition.high)
    if not isinstance(typed, bool):
        form.say(name, f"“{definition.label}”请选择是或否")
    return typed
