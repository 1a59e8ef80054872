"""找回申请 and 待发消息 as they wait for staff: one of each."""

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

NOTE = "经办人离职，原手机号已停用，法定代表人委托新经办人办理"


def write(session: Session, diary: Diary, staff: Bureau, owner: Owner) -> None:
    """Filed by one reviewer yesterday, for the other one to decide; and what an applicant is to be told."""
    asker = staff.staff["reviewer02"]
    asked = Move("request", moment(diary.worked(diary.ago(1)), slot=2), asker, note=NOTE)
    status, history = walk(Subject.recovery, [asked])
    paper = requests.paper(f"No. {owner.enterprise.credit_code}", f"{owner.registered_on:%Y-%m-%d}")
    proof = attachments.add(session, "营业执照.png", paper, "image/png", by=asker)
    proof.created_at = asked.at
    recovery = Recovery(
        number=f"ZH{asked.at:%Y%m%d}-0001",
        status=status,
        kind=RecoveryKind.mobile,
        account_id=owner.account.id,
        division_code=owner.enterprise.division_code,
        applicant_name=owner.account.full_name,
        mobile="13900000001",
        note=NOTE,
        attachment_id=proof.id,
        requested_at=asked.at,
        requested_by_id=asker.id,
    )
    session.add(recovery)
    session.flush()
    session.exec(insert(StatusChange), params=[row | {"subject_id": recovery.id} for row in history])
    _tell(session)


def _tell(session: Session) -> None:
    """The message of the newest registration sent back, as `registrations.send_back` writes it."""
    sent_back = select(Registration).where(Registration.status == RegistrationStatus.sent_back)
    found = session.exec(sent_back.order_by(col(Registration.decided_at).desc())).first()
    if found is None or found.decided_at is None:
        return
    key = f"registration-{found.id}-{found.version}-send_back"
    text = (
        f"{found.name}的注册申请（{found.number}）被退回补正，请在“注册进度查询”中查看理由，改正后重新提交。"
    )
    notifications.queue(
        session, key, Cause.registration, found.mobile, text, division_code=found.division_code
    )
    message = session.exec(select(Notification).where(Notification.key == key)).one()
    message.created_at = message.due_at = found.decided_at
    message.expires_at = found.decided_at + timedelta(days=7)
    session.flush()
