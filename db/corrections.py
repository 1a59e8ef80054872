"""更正申请: 有效期至 is locked once saved; an owner asks for another, a supervisor decides."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from db import attachments, audit, clock, instruments, reach, verifications, workflow
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.models import (
    OWNERS,
    Account,
    Attachment,
    Correction,
    CorrectionStatus,
    Enterprise,
    Instrument,
    InstrumentStatus,
    Role,
    StatusChange,
    Subject,
)

# Ours: no interval of the catalog comes near it, a slip of the keyboard goes beyond.
MOST_YEARS = 20
UNDER_WAY = "这台器具已有待审批的更正申请，请等待审批后再申请"
SCRAPPED = "已报废的器具不能更正有效期"


def request(
    session: Session,
    instrument_id: int,
    valid_until: date | None,
    *,
    by: Account,
    reason: str,
    file_name: str,
    content: bytes,
) -> Correction:
    """申请更正 of 有效期至 to `valid_until`, None to remove it, with a scan or photograph that proves it.

    `content` is a JPEG, PNG or PDF of at most 10 MB. Raises Refused with every wrong field, NotFound, or
    Conflict while another request of the same instrument waits.
    """
    instrument = _held(session, instrument_id, by)
    reach.enterprise(session, instrument.enterprise_id, by, to="edit")
    reach.allow(by, *OWNERS)
    if instrument.valid_until is None:
        raise Refused("这台器具还没有填写有效期至，请直接用“修改”填写，不需要申请")
    form = Form()
    reason = form.text("reason", "更正理由", reason, 300, required=True)
    valid_until = form.day("valid_until", "更正后的有效期至", valid_until)
    _check_day(form, instrument, valid_until)
    media_type = attachments.check(form, "attachment", "附件", content)
    form.done()
    if session.scalar(select(_waits(instrument.id))):
        raise Conflict(UNDER_WAY)
    kept = attachments.add(session, file_name, content, media_type, by=by)
    made = Correction(
        instrument_id=instrument.id,
        status=CorrectionStatus.requested,
        before=instrument.valid_until,
        valid_until=valid_until,
        reason=reason,
        attachment_id=kept.id,
        requested_by_id=by.id,
    )
    return _started(session, made, by)


def _started(session: Session, correction: Correction, by: Account) -> Correction:
    session.add(correction)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(UNDER_WAY) from None
    workflow.start(session, Subject.correction, [correction.id], "request", by, correction.reason)
    _note(session, correction, "request", by, correction.reason)
    return correction


def _held(session: Session, instrument_id: int, by: Account) -> Instrument:
    here = select(Instrument).where(Instrument.id == instrument_id, reach.instruments(by))
    found = session.exec(reach.held(here, Instrument)).first()
    if found is None:
        raise NotFound("器具")
    return found


def _waits(instrument_id: int) -> Any:
    return sa.exists().where(
        col(Correction.instrument_id) == instrument_id, col(Correction.status) == CorrectionStatus.requested
    )


def _check_day(form: Form, instrument: Instrument, day: date | None) -> None:
    """Whether the ledger may say `day`, as things stand."""
    verified_on, bought_on = instrument.verified_on, instrument.purchased_on
    if instrument.status == InstrumentStatus.scrapped:
        form.say("valid_until", SCRAPPED)
    elif day == instrument.valid_until:
        form.say("valid_until", "更正后的有效期至与现在的相同，请核对")
    elif day and verified_on and day < verified_on:
        form.say("valid_until", f"更正后的有效期至不能早于最近一次检定（{verified_on:%Y-%m-%d}）")
    elif day and bought_on and day < bought_on:
        form.say("valid_until", f"更正后的有效期至不能早于购置时间（{bought_on:%Y-%m-%d}）")
    elif day and day > verifications.months_later(clock.today(), 12 * MOST_YEARS):
        form.say("valid_until", f"更正后的有效期至不应超过今后 {MOST_YEARS} 年，请核对年份")


def withdraw(session: Session, correction_id: int, *, by: Account) -> Correction:
    """撤回 a request nobody has answered: the applicant, or the enterprise whose ledger it concerns.

    Raises Refused, NotFound or Conflict.
    """
    reach.allow(by, *OWNERS)
    correction, _ = _found(session, correction_id, by)
    if by.id != correction.requested_by_id and by.role != Role.enterprise:
        raise Refused("只有申请人或使用单位账号可以撤回这项更正申请")
    workflow.move(session, Subject.correction, [correction], "withdraw", by)
    _note(session, correction, "withdraw", by, "")
    return correction


def approve(session: Session, correction_id: int, *, by: Account, reason: str = "") -> Instrument:
    """同意更正: the ledger says what was asked for. Raises Refused, NotFound or Conflict.

    Refused, too, once 有效期至 is no longer what the applicant saw: then a decision would be about another
    certificate.
    """
    correction, instrument = _asked(session, correction_id, by)
    form = Form()
    reason = form.text("reason", "审批意见", reason, 150)
    if instrument.valid_until != correction.before:
        raise Refused(
            f"提出申请后，台账的有效期至已由 {_said(correction.before)} 变为 {_said(instrument.valid_until)}"
            "（登记了检定结果），不能再按此申请更正，请选择“不予更正”并说明"
        )
    _check_day(form, instrument, correction.valid_until)
    form.done()
    workflow.move(session, Subject.correction, [correction], "approve", by, reason)
    applicant = session.get_one(Account, correction.requested_by_id)
    note = f"{applicant.role} {applicant.full_name} 申请：{correction.reason}"
    note += f"；审批意见：{reason}" if reason else ""
    instruments.correct_validity(session, instrument, correction.valid_until, note, by)
    _note(session, correction, "approve", by, reason)
    return instrument


def decline(session: Session, correction_id: int, *, by: Account, reason: str) -> Correction:
    """不予更正, with a reason the applicant reads. Raises Refused, NotFound or Conflict."""
    correction, _ = _asked(session, correction_id, by)
    form = Form()
    reason = form.text("reason", "理由", reason, 500)
    form.done()
    workflow.move(session, Subject.correction, [correction], "decline", by, reason)
    _note(session, correction, "decline", by, reason)
    return correction


def _asked(session: Session, correction_id: int, by: Account) -> tuple[Correction, Instrument]:
    reach.allow(by, Role.supervisor)
    return _found(session, correction_id, by)


def _found(session: Session, correction_id: int, by: Account) -> tuple[Correction, Instrument]:
    """A request and its instrument, both kept from others until the transaction ends."""
    here = select(Correction).where(Correction.id == correction_id, reach.corrections(by))
    found = session.exec(here).first()
    if found is None:
        raise NotFound("更正申请")
    # The instrument first, as whoever records a result does.
    instrument = _held(session, found.instrument_id, by)
    return session.exec(reach.held(here, Correction)).one(), instrument


def _said(day: date | None) -> str:
    return f"{day:%Y-%m-%d}" if day else "（空）"


def _note(session: Session, correction: Correction, action: str, by: Account, reason: str) -> None:
    """Into the audit log: what was asked for, or decided, by whom and why."""
    days = (correction.before, correction.valid_until)
    before, after = ({"valid_until": day and day.isoformat()} for day in days)
    audit.record(
        session,
        workflow.label_of(Subject.correction, action),
        by=by,
        subject=Subject.correction.name,
        subject_id=correction.id,
        before=before,
        after=after | {"instrument_id": correction.instrument_id},
        note=reason,
    )


COLUMNS: tuple[Any, ...] = (
    Correction.id,
    Correction.status,
    Correction.before,
    Correction.valid_until,
    Correction.reason,
    Correction.requested_at,
    Correction.requested_by_id,
    col(Account.full_name).label("applicant"),
    col(Account.role).label("applicant_role"),
    Correction.attachment_id,
    col(Attachment.name).label("file_name"),
    Attachment.media_type,
    Attachment.size,
    Correction.instrument_id,
    Instrument.name,
    Instrument.serial_number,
    Instrument.specification,
    Instrument.manufacturer,
    col(Instrument.status).label("instrument_status"),
    col(Instrument.valid_until).label("current"),
    Instrument.verified_on,
    Instrument.conclusion,
    Instrument.enterprise_id,
    col(Enterprise.name).label("enterprise"),
    col(StatusChange.note).label("answer"),
    col(StatusChange.at).label("decided_at"),
)


def page(
    session: Session,
    *,
    by: Account,
    status: CorrectionStatus | None = None,
    enterprise_id: int | None = None,
    instrument_id: int | None = None,
    number: int = 1,
    size: int = 50,
) -> list[sa.Row[Any]]:
    """One page of requests within the asker's reach; columns as in COLUMNS.

    Those that wait come oldest first; any other list has the latest first. `answer` is what was said in the
    decision, None before it.
    """
    oldest_first = status == CorrectionStatus.requested
    order = (Correction.requested_at, Correction.id)
    decided = (
        (col(StatusChange.subject) == Subject.correction)
        & (col(StatusChange.subject_id) == Correction.id)
        & col(StatusChange.source).is_not(None)
    )
    rows = (
        sa.select(*COLUMNS)
        .select_from(Correction)
        .join(Instrument, col(Correction.instrument_id) == Instrument.id)
        .join(Enterprise, col(Instrument.enterprise_id) == Enterprise.id)
        .join(Account, col(Correction.requested_by_id) == Account.id)
        .join(Attachment, col(Correction.attachment_id) == Attachment.id, isouter=True)
        .join(StatusChange, decided, isouter=True)
        .where(*_conditions(by, status, enterprise_id, instrument_id))
        .order_by(*(col(key) if oldest_first else col(key).desc() for key in order))
        .limit(min(size, 200))
        .offset((max(number, 1) - 1) * size)
    )
    return list(session.execute(rows).all())


def counts(session: Session, *, by: Account, enterprise_id: int | None = None) -> dict[CorrectionStatus, int]:
    """How many requests within the asker's reach stand in each status, each status present."""
    rows = session.execute(
        sa.select(Correction.status, func.count())
        .where(*_conditions(by, None, enterprise_id, None))
        .group_by(Correction.status)
    )
    return {status: 0 for status in CorrectionStatus} | dict(rows.all())


def _conditions(
    by: Account, status: CorrectionStatus | None, enterprise_id: int | None, instrument_id: int | None
) -> list[sa.ColumnElement[bool]]:
    found = [reach.corrections(by)]
    if status is not None:
        found.append(col(Correction.status) == status)
    if instrument_id is not None:
        found.append(col(Correction.instrument_id) == instrument_id)
    if enterprise_id is not None:
        own = select(Instrument.id).where(Instrument.enterprise_id == enterprise_id)
        found.append(col(Correction.instrument_id).in_(own))
    return found
