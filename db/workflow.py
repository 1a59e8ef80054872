"""The workflow: one table of steps, and the one function that takes them.

No other code assigns a status. Pages draw their buttons from the same table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, insert, update

from db import audit_changes, clock
from db.errors import Conflict, Refused
from db.models import (
    OWNERS,
    Account,
    AppointmentLine,
    Batch,
    BatchStatus,
    Correction,
    CorrectionStatus,
    Institution,
    Instrument,
    InstrumentStatus,
    LineStatus,
    Link,
    LinkStatus,
    Recovery,
    RecoveryStatus,
    Registration,
    RegistrationStatus,
    Role,
    StatusChange,
    Subject,
)

# Who may give others their accounts back, two at a time.
RECOVERERS = (Role.reviewer, Role.administrator)
BOOKERS = (*OWNERS, Role.supervisor)

MODELS: dict[Subject, Any] = {
    Subject.registration: Registration,
    Subject.instrument: Instrument,
    Subject.line: AppointmentLine,
    Subject.link: Link,
    Subject.correction: Correction,
    Subject.batch: Batch,
    Subject.recovery: Recovery,
}
STATUSES: dict[Subject, Any] = {
    Subject.registration: RegistrationStatus,
    Subject.instrument: InstrumentStatus,
    Subject.line: LineStatus,
    Subject.link: LinkStatus,
    Subject.correction: CorrectionStatus,
    Subject.batch: BatchStatus,
    Subject.recovery: RecoveryStatus,
}


def nothing(note: str) -> str | None:
    """No obstacle."""
    return None


def reason_missing(note: str) -> str | None:
    """An obstacle where the other side must learn why."""
    return None if note.strip() else "请填写理由，对方将看到这段文字"


@dataclass(frozen=True)
class Step:
    """One arrow of the workflow. `source` None creates the record; no roles: the system or the public."""

    subject: Subject
    action: str
    label: str
    source: Any
    target: Any
    roles: tuple[Role, ...] = ()
    obstacle: Callable[[str], str | None] = nothing


S, R, U = Subject, RegistrationStatus, InstrumentStatus
L, K, C, B, V = LineStatus, LinkStatus, CorrectionStatus, BatchStatus, RecoveryStatus
STEPS = (
    Step(S.registration, "submit", "提交注册", None, R.submitted),
    Step(S.registration, "approve", "通过", R.submitted, R.approved, (Role.reviewer,)),
    Step(S.registration, "send_back", "退回补正", R.submitted, R.sent_back, (Role.reviewer,), reason_missing),
    Step(S.registration, "decline", "不予通过", R.submitted, R.declined, (Role.reviewer,), reason_missing),
    Step(S.registration, "resubmit", "补正后重新提交", R.sent_back, R.submitted),
    # What nobody corrects would keep its code from everybody else.
    Step(S.registration, "decline", "不予通过", R.sent_back, R.declined, (Role.reviewer,), reason_missing),
    Step(S.instrument, "take_out_of_use", "停用", U.in_use, U.out_of_use, BOOKERS),
    Step(S.instrument, "store", "封存", U.in_use, U.stored, BOOKERS),
    Step(S.instrument, "resume", "恢复在用", U.out_of_use, U.in_use, BOOKERS),
    Step(S.instrument, "resume", "恢复在用", U.stored, U.in_use, BOOKERS),
    Step(S.instrument, "scrap", "报废", U.in_use, U.scrapped, BOOKERS, reason_missing),
    Step(S.instrument, "scrap", "报废", U.out_of_use, U.scrapped, BOOKERS, reason_missing),
    Step(S.instrument, "scrap", "报废", U.stored, U.scrapped, BOOKERS, reason_missing),
    Step(S.line, "submit", "提交申请", None, L.unassigned, BOOKERS),
    Step(S.line, "assign", "任务指派", L.unassigned, L.assigned),
    Step(S.line, "assign_by_hand", "人工指派", L.unassigned, L.assigned, (Role.supervisor,), reason_missing),
    Step(S.line, "accept", "受理", L.assigned, L.accepted, (Role.institution,)),
    Step(S.line, "decline", "不予受理", L.assigned, L.declined, (Role.institution,), reason_missing),
    Step(S.line, "hand_back", "退回", L.assigned, L.unassigned, (Role.institution,), reason_missing),
    Step(S.line, "reassign", "转派", L.assigned, L.unassigned, (Role.supervisor,), reason_missing),
    Step(S.line, "cancel", "取消预约", L.assigned, L.canceled, BOOKERS),
    Step(S.line, "terminate", "终止", L.accepted, L.canceled, (Role.institution,), reason_missing),
    Step(S.line, "begin", "开始检定", L.accepted, L.in_verification, (Role.institution,)),
    Step(S.line, "complete", "登记结果", L.in_verification, L.completed, (Role.institution,)),
    Step(S.link, "request", "申请关联", None, K.requested, (Role.personal,)),
    Step(S.link, "grant", "通过", K.requested, K.granted, (Role.enterprise,)),
    Step(S.link, "refuse", "拒绝", K.requested, K.refused, (Role.enterprise,), reason_missing),
    Step(S.link, "withdraw", "撤回", K.requested, K.withdrawn, (Role.personal,)),
    Step(S.link, "change_rights", "修改权限", K.granted, K.granted, (Role.enterprise,)),
    Step(S.link, "revoke", "撤销", K.granted, K.revoked, (Role.enterprise,), reason_missing),
    Step(S.link, "leave", "解除关联", K.granted, K.left, (Role.personal,)),
    Step(S.correction, "request", "申请更正", None, C.requested, OWNERS),
    Step(S.correction, "approve", "同意更正", C.requested, C.approved, (Role.supervisor,)),
    Step(S.correction, "decline", "不予更正", C.requested, C.declined, (Role.supervisor,), reason_missing),
    Step(S.correction, "withdraw", "撤回", C.requested, C.withdrawn, OWNERS),
    Step(S.batch, "upload", "上传", None, B.submitted, BOOKERS),
    Step(S.batch, "set_together", "批量修改", None, B.applied, BOOKERS),
    Step(S.batch, "preview", "检查", B.submitted, B.previewed, BOOKERS),
    Step(S.batch, "fail", "无法读取", B.submitted, B.failed, BOOKERS, reason_missing),
    Step(S.batch, "match_again", "重新对应列", B.previewed, B.submitted, BOOKERS),
    Step(S.batch, "apply", "确认导入", B.previewed, B.applied, BOOKERS),
    Step(S.batch, "discard", "放弃", B.submitted, B.discarded, BOOKERS),
    Step(S.batch, "discard", "放弃", B.previewed, B.discarded, BOOKERS),
    Step(S.batch, "undo", "整批撤回", B.applied, B.undone, BOOKERS),
    Step(S.recovery, "request", "提出找回申请", None, V.requested, RECOVERERS),
    Step(S.recovery, "approve", "同意办理", V.requested, V.approved, RECOVERERS),
    Step(S.recovery, "decline", "不予办理", V.requested, V.declined, RECOVERERS, reason_missing),
)


def steps_of(subject: Subject, action: str) -> list[Step]:
    """The arrows of that name; one name may lead away from several statuses."""
    return [step for step in STEPS if (step.subject, step.action) == (subject, action)]


def open_steps(subject: Subject, status: Any, role: Role) -> list[Step]:
    """The arrows that lead away from `status` and that `role` may take, in the table's order."""
    return [
        step for step in STEPS if step.subject == subject and step.source == status and role in step.roles
    ]


def label_of(subject: Subject, action: str) -> str:
    """The Chinese name of an action."""
    return steps_of(subject, action)[0].label


def start(
    session: Session, subject: Subject, ids: Sequence[int], action: str, by: Account | None, note: str = ""
) -> None:
    """Write the first row of the history of records just added in the status the table starts them in.

    Raises Refused when `by` may not start them.
    """
    (step,) = steps_of(subject, action)
    _check(step, by, note)
    _record(session, step, ids, by, note, None)
    audit_changes.note_move(session, step, ids, by, note)


def move(
    session: Session,
    subject: Subject,
    records: Sequence[Any],
    action: str,
    by: Account | None,
    note: str = "",
    concerning_id: int | None = None,
    **values: Any,
) -> None:
    """Take one step with all of `records` (of one subject and status), set `values`, write the history.

    `by` None is the system or an applicant without an account. `concerning_id` is the institution the
    move concerns and stays in the history. Raises Refused when the table does not allow the step, and
    Conflict when any record has moved meanwhile: then nothing has changed.
    """
    step = allowed(subject, records, action, by, note)
    ids = [record.id for record in records]
    if subject == Subject.line:
        values["moved_at"] = clock.now()
    model = MODELS[subject]
    here = col(model.id).in_(ids) & (col(model.status) == step.source)
    # The update changes the records of the session too.
    before = audit_changes.standing(records, values)
    moved = session.exec(update(model).where(here).values(status=step.target, **values))
    if moved.rowcount != len(ids):
        raise Conflict()
    _record(session, step, ids, by, note, concerning_id)
    audit_changes.note_move(session, step, ids, by, note, before, values)


def allowed(
    subject: Subject, records: Sequence[Any], action: str, by: Account | None, note: str = ""
) -> Step:
    """The step that `move` would take, for those who must know before they write anything else.

    Raises Refused when the table does not allow it.
    """
    step = _step_from({record.status for record in records}, subject, action)
    _check(step, by, note)
    return step


def _step_from(statuses: set[Any], subject: Subject, action: str) -> Step:
    steps = steps_of(subject, action)
    for step in steps:
        if statuses == {step.source}:
            return step
    standing = "、".join(sorted(statuses)) or "未选择"
    raise Refused(f"当前状态为“{standing}”，不能执行“{steps[0].label}”，请刷新后查看")


def _check(step: Step, by: Account | None, note: str) -> None:
    if step.roles if by is None else by.role not in step.roles:
        raise Refused(f"{by.role if by else '未登录者'}不能执行“{step.label}”")
    if obstacle := step.obstacle(note):
        raise Refused(obstacle)


def _record(
    session: Session,
    step: Step,
    ids: Sequence[int],
    by: Account | None,
    note: str,
    institution_id: int | None,
) -> None:
    row = {
        "subject": step.subject,
        "action": step.action,
        "source": step.source and step.source.name,
        "target": step.target.name,
        "at": clock.now(),
        "by_id": by and by.id,
        "institution_id": institution_id,
        "note": note.strip(),
    }
    if ids:
        session.exec(insert(StatusChange), params=[row | {"subject_id": id} for id in ids])


def latest(session: Session, subject: Subject, ids: Sequence[int]) -> dict[int, sa.Row[Any]]:
    """The newest move of each record, by its id: subject_id, at, action, target, note.

    The caller has checked that the asker may see the records.
    """
    newest = (
        sa.select(sa.func.max(StatusChange.id))
        .where(col(StatusChange.subject) == subject, col(StatusChange.subject_id).in_(ids))
        .group_by(col(StatusChange.subject_id))
    )
    rows = session.execute(
        sa.select(
            StatusChange.subject_id,
            StatusChange.at,
            StatusChange.action,
            StatusChange.target,
            StatusChange.note,
        ).where(col(StatusChange.id).in_(newest))
    )
    return {row.subject_id: row for row in rows}


def history(session: Session, subject: Subject, subject_id: int) -> list[sa.Row[Any]]:
    """The moves of one record, oldest first: at, action, source, target, by_name, by_role, institution, note.

    The caller has checked that the asker may see the record.
    """
    query = (
        sa.select(
            StatusChange.at,
            StatusChange.action,
            StatusChange.source,
            StatusChange.target,
            col(Account.full_name).label("by_name"),
            col(Account.role).label("by_role"),
            col(Institution.name).label("institution"),
            StatusChange.note,
        )
        .join(Account, StatusChange.by_id == Account.id, isouter=True)
        .join(Institution, StatusChange.institution_id == Institution.id, isouter=True)
        .where(StatusChange.subject == subject, StatusChange.subject_id == subject_id)
        .order_by(StatusChange.id)
    )
    return list(session.execute(query).all())
