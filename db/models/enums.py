"""The closed lists: the member's name is stored, its Chinese value is shown."""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa


def named(enum: type[StrEnum]) -> Any:
    """A column type that stores the member's name as text, alike on SQLite and PostgreSQL."""
    return sa.Enum(enum, native_enum=False, length=40)


class Role(StrEnum):
    """Who an account acts as."""

    enterprise = "使用单位"
    personal = "个人用户"
    institution = "技术机构"
    reviewer = "审核人员"
    supervisor = "监管人员"
    administrator = "管理员"


STAFF = (Role.reviewer, Role.supervisor, Role.administrator)
OWNERS = (Role.enterprise, Role.personal)


class Dataset(StrEnum):
    """Which reference table an edition belongs to."""

    catalog = "强检器具目录"
    divisions = "行政区划"


class RegistrationStatus(StrEnum):
    """Where a registration stands."""

    submitted = "待审核"
    sent_back = "退回补正"
    approved = "已通过"
    declined = "不予通过"


class LinkStatus(StrEnum):
    """Where the link of a personal account to an enterprise stands."""

    requested = "待授权"
    granted = "已授权"
    refused = "已拒绝"
    revoked = "已撤销"
    withdrawn = "已撤回"
    left = "已解除"


class InstrumentType(StrEnum):
    """器具类型."""

    working = "工作计量器具"
    standard = "计量标准器具"


class Origin(StrEnum):
    """器具产地."""

    domestic = "国产"
    imported = "进口"


class Purpose(StrEnum):
    """器具用途: the four uses of article 9 of the Metrology Law (2018)."""

    trade_settlement = "贸易结算"
    safety_protection = "安全防护"
    medical_care = "医疗卫生"
    environmental_monitoring = "环境监测"


class DeliveryMode(StrEnum):
    """送检方式."""

    brought_in = "送检"
    on_site = "现场检"


class InstrumentStatus(StrEnum):
    """Whether the instrument is used at all."""

    in_use = "在用"
    out_of_use = "停用"
    stored = "封存"
    scrapped = "报废"


class LineStatus(StrEnum):
    """Where one instrument of an appointment stands; the first two are the guide's names."""

    unassigned = "待预约"
    assigned = "待受理"
    accepted = "已受理"
    declined = "不予受理"
    canceled = "已取消"
    in_verification = "检定中"
    completed = "已完成"


OPEN = (LineStatus.unassigned, LineStatus.assigned, LineStatus.accepted, LineStatus.in_verification)


class UnassignedReason(StrEnum):
    """Why assignment found no institution for a line."""

    no_kind = "器具未填写种别"
    no_division = "未填写使用地点行政区划"
    no_institution = "使用地点及上级均无已授权的技术机构"
    authorization_expired = "技术机构的授权已过期或尚未生效"
    institution_suspended = "已授权的技术机构暂停业务"
    handed_back = "已授权的技术机构均已退回"


class VerificationType(StrEnum):
    """检定类别."""

    initial = "首次检定"
    subsequent = "后续检定"
    after_repair = "修理后检定"


class Conclusion(StrEnum):
    """结论 of a verification."""

    passed = "合格"
    rejected = "不合格"


class CorrectionStatus(StrEnum):
    """Where a request to correct a locked value stands."""

    requested = "待审批"
    approved = "已更正"
    declined = "不予更正"
    withdrawn = "已撤回"


class BatchAction(StrEnum):
    """What was done to many instruments at once."""

    imported = "导入"
    set_together = "批量修改"


class BatchStatus(StrEnum):
    """Where a batch stands."""

    submitted = "待检查"
    previewed = "待确认"
    applied = "已完成"
    undone = "已撤回"
    failed = "无法读取"
    discarded = "已放弃"


class RecoveryKind(StrEnum):
    """What an offline recovery asks for."""

    password = "重置密码"
    mobile = "更换手机号"


class RecoveryStatus(StrEnum):
    """Where an offline recovery stands."""

    requested = "待核实"
    approved = "已办理"
    declined = "不予办理"


class CodePurpose(StrEnum):
    """What a confirmation code is for."""

    recovery = "忘记密码"
    mobile = "更换手机号"


class Cause(StrEnum):
    """Why a notification was written."""

    code = "验证码"
    recovery = "账号找回"
    mobile = "更换手机号"
    registration = "注册审核"
    link = "关联企业"
    reminder = "到期提醒"


class Channel(StrEnum):
    """How a notification travels."""

    sms = "短信"
    mail = "邮件"


class Subject(StrEnum):
    """Which workflow a status change belongs to."""

    registration = "注册申请"
    instrument = "强检器具"
    line = "预约器具"
    link = "关联企业"
    correction = "更正申请"
    batch = "台账批次"
    recovery = "账号找回"
