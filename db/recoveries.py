"""找回申请: the offline way to an account. One member of staff files it with the proof, another decides."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from catalog import identifiers
from db import (
    accounts,
    attachments,
    clock,
    codes,
    counters,
    mobiles,
    notifications,
    passwords,
    privacy,
    reach,
    settings,
    sign_ins,
    workdays,
    workflow,
)
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.models import (
    Account,
    Attachment,
    Cause,
    Division,
    Enterprise,
    Institution,
    Recovery,
    RecoveryKind,
    RecoveryStatus,
    StatusChange,
    Subject,
)

MAIL = re.compile(r"[^@\s<>\"',;:]+@[^@\s<>\"',;:]+\.[A-Za-z0-9-]+")
UNDER_WAY = "该账号已有待核实的找回申请，请先办理"
SAME_PERSON = "提出和办理不能是同一人，请由另一位工作人员办理"
SUSPENDED = "账号已停用，不能找回，请先由管理员恢复使用"


def request(
    session: Session,
    account_id: int,
    kind: RecoveryKind,
    *,
    by: Account,
    applicant_name: str,
    mobile: str,
    file_name: str,
    content: bytes,
    mail: str = "",
    note: str = "",
) -> Recovery:
    """提出找回申请 for somebody who came with a proof: a JPEG, PNG or PDF of at most 10 MB.

    `mobile` is the applicant's own number; for `RecoveryKind.mobile` it becomes the account's. Raises Refused
    with every wrong field, NotFound, or Conflict while another one of the same account waits.
    """
    reach.allow(by, *workflow.RECOVERERS)
    account = _reached(session, account_id, by)
    form = Form()
    kind_ = form.choice("kind", "申请事项", RecoveryKind, kind)
    applicant_name = form.person("applicant_name", "申请人姓名", applicant_name)
    number = form.identifier("mobile", identifiers.mobile, mobile)
    mail, note = _read_mail(form, mail), form.text("note", "说明", note, 300)
    if kind_ == RecoveryKind.mobile and number and number == account.mobile:
        form.say("mobile", "新手机号与账号现在的相同，请核对")
    media_type = attachments.check(form, "attachment", "证明材料", content)
    form.done()
    assert kind_
    recovery = Recovery(
        number=counters.dated(session, "ZH"),
        status=RecoveryStatus.requested,
        kind=kind_,
        account_id=account.id,
        division_code=reach.division_of(session, account),
        applicant_name=applicant_name,
        mobile=number,
        mail=mail,
        note=note,
        attachment_id=attachments.add(session, file_name, content, media_type, by=by).id,
        requested_by_id=by.id,
    )
    session.add(recovery)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(UNDER_WAY) from None
    workflow.start(session, Subject.recovery, [recovery.id], "request", by, note)
    return recovery


def _reached(session: Session, account_id: int, by: Account) -> Account:
    account = session.exec(select(Account).where(Account.id == account_id, reach.accounts(by))).first()
    if account is None:
        raise NotFound("账号")
    if not account.is_active:
        raise Refused(SUSPENDED)
    return account


def _read_mail(form: Form, typed: str) -> str:
    mail = form.text("mail", "邮箱", typed, 120)
    if mail and not MAIL.fullmatch(mail):
        form.say("mail", "邮箱格式不正确，请核对，如 chen@example.cn")
    return mail


def approve(session: Session, recovery_id: int, *, by: Account, reason: str = "") -> tuple[str, str]:
    """同意办理 by somebody else than who filed it; all sign-ins of the account end.

    Returns the user name and the initial password to tell; the password is empty when a gateway sends it to
    the applicant, and for a change of number. Raises Refused, NotFound or Conflict.
    """
    recovery = _asked(session, recovery_id, by)
    account = _reached(session, recovery.account_id, by)
    _decide(session, recovery, "approve", by, reason)
    sign_ins.end_all(session, account.id)
    if recovery.kind == RecoveryKind.mobile:
        _change_number(session, recovery, account)
        return account.username, ""
    password = passwords.generated()
    accounts.set_password(session, account, password, must_change=True)
    sign_ins.note_success(session, account.username, "")
    if not codes.is_sent():
        _tell(
            session,
            recovery,
            f"账号“{account.username}”的密码已重置，初始密码由工作人员电话告知。",
            is_mail=True,
        )
        return account.username, password
    text = f"账号“{account.username}”的初始密码为 {{secret}}，首次登录后须修改，请勿告诉他人。"
    _tell(session, recovery, text, password)
    return account.username, ""


def _change_number(session: Session, recovery: Recovery, account: Account) -> None:
    mobiles.set_number(session, account, recovery.mobile)
    shown = notifications.masked(recovery.mobile)
    text = f"账号“{account.username}”的手机号已更换为 {shown}。不是您本人申请的，请立即联系主管部门。"
    _tell(session, recovery, text)


def decline(session: Session, recovery_id: int, *, by: Account, reason: str) -> Recovery:
    """不予办理, with a reason the applicant is told. Raises as `approve`."""
    recovery = _asked(session, recovery_id, by)
    _decide(session, recovery, "decline", by, reason)
    _tell(session, recovery, f"您的{recovery.kind}申请（{recovery.number}）未办理：{reason.strip()}")
    return recovery


def _asked(session: Session, recovery_id: int, by: Account) -> Recovery:
    """An application, kept from others until the transaction ends, that `by` may decide."""
    reach.allow(by, *workflow.RECOVERERS)
    here = select(Recovery).where(Recovery.id == recovery_id, reach.recoveries(by))
    found = session.exec(reach.held(here, Recovery)).first()
    if found is None:
        raise NotFound("找回申请")
    if found.requested_by_id == by.id:
        raise Refused(SAME_PERSON)
    return found


def _decide(session: Session, recovery: Recovery, action: str, by: Account, reason: str) -> None:
    form = Form()
    reason = form.text("reason", "办理意见", reason, 300)
    form.done()
    workflow.move(session, Subject.recovery, [recovery], action, by, reason, decided_at=clock.now())


def _tell(session: Session, recovery: Recovery, text: str, secret: str = "", is_mail: bool = False) -> None:
    """To the applicant's number, unless a call tells it anyway, and by mail without what is secret."""
    key = f"recovery-{recovery.id}"
    if not is_mail:
        _queue(session, recovery, key, recovery.mobile, text, secret)
    if recovery.mail:
        plain = f"您的{recovery.kind}申请（{recovery.number}）已办理。" if secret else text
        _queue(session, recovery, f"{key}-mail", recovery.mail, plain)


def _queue(
    session: Session, recovery: Recovery, key: str, recipient: str, text: str, secret: str = ""
) -> None:
    notifications.queue(
        session,
        key,
        Cause.recovery,
        recipient,
        text,
        secret=secret,
        account_id=recovery.account_id,
        division_code=recovery.division_code,
    )


COLUMNS: tuple[Any, ...] = (
    Recovery.id,
    Recovery.number,
    Recovery.status,
    Recovery.kind,
    Recovery.account_id,
    Account.username,
    Account.full_name,
    Account.role,
    col(Account.mobile).label("account_mobile"),
    func.coalesce(Enterprise.name, Institution.name, "").label("belongs_to"),
    func.coalesce(Enterprise.credit_code, "").label("credit_code"),
    func.coalesce(Division.full_name, "").label("division"),
    Recovery.applicant_name,
    Recovery.mobile,
    Recovery.mail,
    Recovery.note,
    Recovery.attachment_id,
    col(Attachment.name).label("file_name"),
    Attachment.media_type,
    Attachment.size,
    Recovery.requested_at,
    Recovery.requested_by_id,
    Recovery.decided_at,
    col(StatusChange.note).label("answer"),
)


def page(
    session: Session, *, by: Account, status: RecoveryStatus, number: int = 1, size: int = 50
) -> list[dict[str, Any]]:
    """One page of the applications in `status` within the asker's reach: COLUMNS, and who asked and decided.

    Once decided, the applicant and both numbers are told in part only.

    `deadline` and `working_days_left` (negative once late) count from the day it was filed. What waits comes
    oldest first, what was decided latest first.
    """
    reach.allow(by, *workflow.RECOVERERS)
    asker, decider = sa.orm.aliased(Account), sa.orm.aliased(Account)
    decided = (
        (col(StatusChange.subject) == Subject.recovery)
        & (col(StatusChange.subject_id) == Recovery.id)
        & col(StatusChange.source).is_not(None)
    )
    is_queue = status == RecoveryStatus.requested
    rows = session.execute(
        sa.select(
            *COLUMNS, col(asker.full_name).label("requested_by"), col(decider.full_name).label("decided_by")
        )
        .select_from(Recovery)
        .join(Account, col(Recovery.account_id) == Account.id)
        .join(asker, col(Recovery.requested_by_id) == asker.id)
        .join(Attachment, col(Recovery.attachment_id) == Attachment.id, isouter=True)
        .join(Enterprise, col(Account.enterprise_id) == Enterprise.id, isouter=True)
        .join(Institution, col(Account.institution_id) == Institution.id, isouter=True)
        .join(Division, col(Recovery.division_code) == Division.code, isouter=True)
        .join(StatusChange, decided, isouter=True)
        .join(decider, col(StatusChange.by_id) == decider.id, isouter=True)
        .where(reach.recoveries(by), col(Recovery.status) == status)
        .order_by(col(Recovery.id) if is_queue else col(Recovery.id).desc())
        .limit(min(size, 200))
        .offset((max(number, 1) - 1) * size)
    )
    calendar, days = workdays.calendar(session), settings.value(session, "recovery_days")
    return [_row(row, calendar, days) for row in rows]


def _row(row: sa.Row[Any], calendar: workdays.Calendar, days: int) -> dict[str, Any]:
    deadline = calendar.after(clock.day_of(row.requested_at), days)
    left = calendar.between(clock.today(), deadline.day)
    hidden = {} if row.status == RecoveryStatus.requested else _hidden(row)
    return {**row._mapping, **hidden, "deadline": deadline, "working_days_left": left}


def _hidden(row: sa.Row[Any]) -> dict[str, str]:
    return {
        "applicant_name": privacy.name(row.applicant_name),
        **{name: notifications.masked(row._mapping[name]) for name in ("mobile", "account_mobile", "mail")},
    }


def counts(session: Session, *, by: Account) -> dict[RecoveryStatus, int]:
    """How many applications within the asker's reach stand in each status, each status present."""
    reach.allow(by, *workflow.RECOVERERS)
    rows = session.execute(
        sa.select(Recovery.status, func.count()).where(reach.recoveries(by)).group_by(Recovery.status)
    )
    return {status: 0 for status in RecoveryStatus} | dict(rows.all())
