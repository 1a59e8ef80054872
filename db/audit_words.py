"""Entries of the audit log in words: what differs, with names for the keys of other records."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from db import instrument_fields, settings
from db.audit_changes import NOUNS, subject_of
from db.models import (
    Account,
    Appointment,
    Category,
    Division,
    Enterprise,
    Institution,
    Instrument,
    Kind,
    Registration,
    Subject,
)

EMPTY = "（空）"
# What a column that is gone, or a record of a table that is gone, is called.
UNNAMED = "其他"
SUBJECTS = {subject_of(table): noun for table, noun in NOUNS.items()} | {
    subject.name: subject.value for subject in Subject
}
LABELS = instrument_fields.LABELS | {
    "account_id": "账号",
    "action": "动作",
    "added": "新增行数",
    "address": "地址",
    "appointment_id": "预约单",
    "applicant_name": "申请人",
    "applied_at": "生效时间",
    "attachment_id": "附件",
    "batch_id": "导入批次",
    "batch_row": "导入文件中的行",
    "before": "原有效期至",
    "begun_on": "开始检定日期",
    "can_book": "可预约",
    "can_edit": "可维护台账",
    "canceled_at": "取消时间",
    "category_id": "器具项别",
    "certificate_number": "证书（通知书）编号",
    "changed": "改动数",
    "checker": "核验员",
    "code": "代码",
    "conclusion": "结论",
    "confirmed_at": "确认时间",
    "contact_name": "联系人",
    "created_by_id": "登记人",
    "credit_code": "统一社会信用代码",
    "dataset": "数据集",
    "day": "日期",
    "decided_at": "审核时间",
    "delivery_mode": "送检方式",
    "digest": "摘要",
    "division_code": "行政区划",
    "due_on": "检定期限",
    "duplicates": "重复行数",
    "edition_id": "版本",
    "effective_on": "生效日期",
    "enterprise_id": "使用单位",
    "field": "字段",
    "fields": "查看内容",
    "format": "格式",
    "full_name": "姓名（全称）",
    "ids": "记录",
    "institution_id": "技术机构",
    "instrument_id": "器具",
    "interval_months": "检定周期（月）",
    "invalid": "错误行数",
    "is_active": "启用",
    "is_official": "官方版本",
    "is_on_behalf": "代办",
    "is_suspended": "暂停业务",
    "is_urgent": "加急",
    "is_working": "上班",
    "issued_at": "签发时间",
    "issued_by_id": "签发人",
    "kind": "类别",
    "kind_id": "器具种别",
    "last_step": "上次使用的时段",
    "level": "级别",
    "licence_id": "营业执照",
    "limit_of_use_months": "使用期限（月）",
    "line_id": "预约器具",
    "loaded_at": "载入时间",
    "loaded_by_id": "载入人",
    "mail": "邮箱",
    "measurement_standard": "标准装置",
    "media_type": "文件类型",
    "mobile": "手机号",
    "must_change_password": "须修改密码",
    "name": "名称",
    "note": "备注",
    "number": "编号",
    "oidc_subject": "统一身份",
    "official_code": "官方代码",
    "parent_code": "上级行政区划",
    "password_changed_at": "密码修改时间",
    "password_hash": "密码",
    "planned_from": "约定日期起",
    "planned_until": "约定日期止",
    "reason": "理由",
    "receipt_id": "回执",
    "recorded_at": "登记时间",
    "recorded_by_id": "登记人",
    "refused": "未改行数",
    "regulation": "检定依据",
    "regulations": "检定规程",
    "removed": "移除数",
    "requested_at": "申请时间",
    "requested_by_id": "申请人",
    "restored": "恢复数",
    "retired": "停用数",
    "retired_on": "停用日期",
    "returned_id": "检查结果文件",
    "revoked_at": "撤销时间",
    "role": "身份",
    "rows": "行数",
    "scope": "适用范围",
    "secret": "密钥",
    "size": "大小（字节）",
    "source": "来源",
    "source_grade": "来源等级",
    "status": "状态",
    "submitted_at": "提交时间",
    "submitted_by_id": "提交人",
    "successor_code": "现行政区划",
    "successor_id": "现种别",
    "supervision": "监管方式",
    "telephone": "电话",
    "totals": "合计",
    "unassigned_reason": "未指派原因",
    "unchanged": "未变行数",
    "updated": "修改行数",
    "username": "账号名",
    "valid_from": "有效期起",
    "value": "值",
    "verification_mode": "检定方式",
    "verification_mode_text": "检定方式说明",
    "verification_type": "检定类别",
    "verified_on": "检定日期",
    "verifier": "检定员",
}
PEOPLE = (Account.id, Account.full_name)
NAMED: dict[str, tuple[Any, Any]] = {
    "account_id": PEOPLE,
    "category_id": (Category.id, Category.name),
    "division_code": (Division.code, Division.full_name),
    "enterprise_id": (Enterprise.id, Enterprise.name),
    "institution_id": (Institution.id, Institution.name),
    "instrument_id": (Instrument.id, col(Instrument.name) + " " + Instrument.serial_number),
    "kind_id": (Kind.id, Kind.name),
    "parent_code": (Division.code, Division.full_name),
}
# How a record is called whose number an entry gives.
SUBJECT_NAMES: dict[str, tuple[Any, Any]] = {
    "account": (Account.id, col(Account.full_name) + " " + Account.username),
    "appointment": (Appointment.id, Appointment.number),
    "enterprise": NAMED["enterprise_id"],
    "institution": NAMED["institution_id"],
    "instrument": NAMED["instrument_id"],
    "kind": NAMED["kind_id"],
    "registration": (Registration.id, col(Registration.number) + " " + Registration.name),
}


def subjects(session: Session, entries: Iterable[Any]) -> dict[tuple[str, int | None], str]:
    """What each entry's record is called, by subject and id: 强检器具 压力表 HY37."""
    asked: dict[str, set[Any]] = defaultdict(set)
    found = {}
    for entry in entries:
        asked[entry.subject].add(entry.subject_id)
    for subject, ids in asked.items():
        noun = SUBJECTS.get(subject, subject and UNNAMED)
        known = _names(session, SUBJECT_NAMES[subject], ids) if subject in SUBJECT_NAMES else {}
        for id in ids:
            found[subject, id] = noun if id is None else f"{noun} {known.get(id, id)}"
    return found


def changes(session: Session, entries: Sequence[Any]) -> list[list[str]]:
    """What each entry changed, a sentence for each column: 联系人：张三 → 李四."""
    asked: dict[str, set[Any]] = defaultdict(set)
    for entry in entries:
        for said in (entry.before, entry.after):
            for column in set(said or {}) & set(NAMED):
                asked[column].add(said[column])
    names = {column: _names(session, NAMED[column], keys) for column, keys in asked.items()}
    return [_sentences(entry, names) for entry in entries]


def _names(session: Session, named: tuple[Any, Any], keys: set[Any]) -> dict[Any, str]:
    key, name = named
    rows = session.execute(sa.select(key, name).where(col(key).in_(keys - {None})))
    return {row[0]: row[1] for row in rows}


def _sentences(entry: Any, names: dict[str, dict[Any, str]]) -> list[str]:
    before, after = entry.before or {}, entry.after or {}
    sentences = []
    for column in [*before, *(column for column in after if column not in before)]:
        label = _label(entry, column)
        old, new = (_shown(column, said.get(column), names) for said in (before, after))
        if entry.before is None:
            sentences.append(f"{label}：{new}")
        elif entry.after is None:
            sentences.append(f"{label}：{old}")
        elif old != new or column not in after:
            sentences.append(f"{label}：{old} → {new}" if column in before else f"{label}：{new}")
    return sentences


def _label(entry: Any, column: str) -> str:
    if entry.subject == "setting" and column == "value":
        known = settings.DEFINITIONS.get((entry.after or {}).get("name", ""))
        return known.label if known else "值"
    if entry.subject == Subject.instrument.name and column in instrument_fields.LABELS:
        return instrument_fields.LABELS[column]
    return LABELS.get(column, UNNAMED if column.isascii() else column)


def _shown(column: str, value: Any, names: dict[str, dict[Any, str]]) -> str:
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return f"{len(value)} 条"
    if isinstance(value, dict):
        return "，".join(f"{LABELS.get(name, UNNAMED)} {held}" for name, held in value.items()) or EMPTY
    if column == "name" and value in settings.DEFINITIONS:
        return settings.DEFINITIONS[value].label
    return str(names.get(column, {}).get(value, value))
