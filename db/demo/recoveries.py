"""找回申请 in every state, and a message that waits to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, col, insert, select

from db import attachments, notifications
from db.demo import requests
from db.demo.bureau import Bureau
from db.demo.diary import Diary, moment
from db.demo.histories import Move, walk
from db.demo.people import Owner
from db.models import (
    Cause,
    Notification,
    Recovery,
    RecoveryKind,
    Registration,
    RegistrationStatus,
    StatusChange,
    Subject,
)


@dataclass(frozen=True)
class Case:
    """One application, filed `ago` days back, and how another reviewer decided."""

    ago: int
    kind: RecoveryKind
    note: str
    action: str = ""
    answer: str = ""


CASES = (
    Case(12, RecoveryKind.password, "忘记密码，预留手机号已停用", "approve", "执照属实，与申请人核对无误"),
    Case(6, RecoveryKind.mobile, "更换经办人", "decline", "执照照片不清，看不出单位名称，请重新提供"),
    Case(1, RecoveryKind.mobile, "经办人离职，原手机号已停用，法定代表人委托新经办人办理"),
)


def write(session: Session, diary: Diary, staff: Bureau, owners: Sequence[Owner]) -> None:
    """Two that were decided, one for reviewer01 to decide; and what an applicant is to be told."""
    for place, case in enumerate(CASES):
        _write(session, diary, staff, owners[-1 - place % len(owners)], case, place)
    _tell(session)


def _write(session: Session, diary: Diary, staff: Bureau, owner: Owner, case: Case, place: int) -> None:
    asker, decider = staff.staff["reviewer02"], staff.staff["reviewer01"]
    moves = [Move("request", moment(diary.worked(diary.ago(case.ago)), slot=2), asker, note=case.note)]
    if case.action:
        at = moment(diary.worked(diary.ago(case.ago)), slot=4)
        moves.append(Move(case.action, at, decider, note=case.answer))
    status, history = walk(Subject.recovery, moves)
    paper = requests.paper(f"No. {owner.enterprise.credit_code}", f"{owner.registered_on:%Y-%m-%d}")
    proof = attachments.add(session, "营业执照.png", paper, "image/png", by=asker)
    proof.created_at = moves[0].at
    recovery = Recovery(
        number=f"ZH{moves[0].at:%Y%m%d}-{place + 1:04}",
        status=status,
        kind=case.kind,
        account_id=owner.account.id,
        division_code=owner.enterprise.division_code,
        applicant_name=owner.account.full_name,
        mobile=f"1390000000{place}",
        note=case.note,
        attachment_id=proof.id,
        requested_at=moves[0].at,
        requested_by_id=asker.id,
        decided_at=moves[1].at if case.action else None,
    )
    session.add(recovery)
    session.flush()
    session.exec(insert(StatusChange), params=[row | {"subject_id": recovery.id} for row in history])


def _tell(session: Session) -> None:
    """The message of the newest registration sent back, as `registrations.send_back` writes it."""
    sent_back = select(Registration).where(Registration.status == RegistrationStatus.sent_back)
    found = session.exec(sent_back.order_by(col(Registration.decided_at).desc())).first()
    if found is None or found.decided_at is None:
        return
    key = f"registration-{found.id}-{found.version}-send_back"
    text = f"您的注册申请（{found.number}）被退回补正，请在“注册进度查询”中查看理由，改正后重新提交。"
    notifications.queue(
        session, key, Cause.registration, found.mobile, text, division_code=found.division_code
    )
    message = session.exec(select(Notification).where(Notification.key == key)).one()
    message.created_at = message.due_at = found.decided_at
    # The same each time, as all that the demo writes.
    message.reference = f"{found.id:032}"
    message.expires_at = found.decided_at + timedelta(days=7)
    session.flush()
