"""强检器具预约: booking, the answer of an institution, plans, cancellation."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, insert, select

from db import assignment, clock, counters, instruments, ledger, reach, settings, workdays, workflow
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.models import (
    Account,
    Appointment,
    AppointmentLine,
    Enterprise,
    Instrument,
    InstrumentStatus,
    LineStatus,
    Receipt,
    Role,
    Subject,
)

CANNOT_CANCEL = "未成功分配的器具无法取消，等器具分配成功后再取消"
MOST_AT_ONCE = 2000


def submit(
    session: Session, enterprise_id: int, instrument_ids: Sequence[int], *, by: Account, note: str = ""
) -> list[Appointment]:
    """提交申请: book verification for instruments of one enterprise, and have the lines assigned.

    More than the setting's 100 are split into several appointments. Raises NotFound for instruments of
    others, Refused for those not in use, Conflict for those in an open appointment already.
    """
    enterprise = reach.enterprise(session, enterprise_id, by, to="book")
    form = Form()
    note = form.text("note", "备注", note, 500)
    form.done()
    rows = _chosen(session, enterprise_id, instrument_ids, by)
    size = settings.value(session, "lines_per_appointment")
    parts = (rows[start : start + size] for start in range(0, len(rows), size))
    return [_appointment(session, enterprise, part, by, note) for part in parts]


def _chosen(
    session: Session, enterprise_id: int, instrument_ids: Sequence[int], by: Account
) -> list[Instrument]:
    ids = list(dict.fromkeys(instrument_ids))
    if not ids:
        raise Refused("请先选择要预约的器具")
    if len(ids) > MOST_AT_ONCE:
        raise Refused(f"一次最多选择 {MOST_AT_ONCE} 台器具，请分批提交")
    here = select(Instrument).where(
        col(Instrument.id).in_(ids), Instrument.enterprise_id == enterprise_id, reach.instruments(by)
    )
    known = {row.id: row for row in session.exec(reach.held(here.order_by(col(Instrument.id)), Instrument))}
    if len(known) != len(ids):
        raise NotFound("所选器具")
    if idle := [row for row in known.values() if row.status != InstrumentStatus.in_use]:
        raise Refused(f"{_names(idle)} 不是在用状态，不能预约，请先恢复在用")
    if busy := instruments.booked(session, ids):
        listed = "、".join(f"{known[id].serial_number}（{number}）" for id, number in list(busy.items())[:5])
        raise Conflict(
            f"{listed} 已在办理中的预约单里，请重新选择", {str(id): number for id, number in busy.items()}
        )
    return [known[id] for id in ids]


def _names(rows: Sequence[Instrument]) -> str:
    shown = "、".join(f"{row.name} {row.serial_number}" for row in rows[:5])
    return shown + (f" 等 {len(rows)} 台" if len(rows) > 5 else "")


def _appointment(
    session: Session, enterprise: Enterprise, rows: Sequence[Instrument], by: Account, note: str
) -> Appointment:
    appointment = Appointment(
        number=counters.dated(session, "YJ"),
        enterprise_id=enterprise.id,
        submitted_by_id=by.id,
        is_on_behalf=by.role == Role.supervisor,
        contact_name=enterprise.contact_name,
        mobile=enterprise.mobile,
        note=note,
    )
    session.add(appointment)
    session.flush()
    kept = ledger.snapshots(session, [row.id for row in rows])
    lines = [
        {
            "appointment_id": appointment.id,
            "instrument_id": row.id,
            "status": LineStatus.unassigned,
            "kind_id": row.kind_id,
            "division_code": row.division_code,
            "delivery_mode": row.delivery_mode,
            "snapshot": kept[row.id],
        }
        for row in rows
    ]
    try:
        session.exec(insert(AppointmentLine), params=lines)
    except IntegrityError:
        # Two people booked at the same moment; the unique index let one of them in.
        raise Conflict("所选器具刚刚被他人预约，请刷新后重新选择") from None
    added = session.exec(
        select(AppointmentLine)
        .where(AppointmentLine.appointment_id == appointment.id)
        .order_by(col(AppointmentLine.id))
    ).all()
    workflow.start(session, Subject.line, [line.id for line in added], "submit", by, note)
    assignment.assign(session, added)
    return appointment


def _reason(text: str) -> str:
    form = Form()
    clean = form.text("reason", "理由", text, 500)
    form.done()
    return clean


def cancel(session: Session, line_ids: Sequence[int], *, by: Account, reason: str = "") -> int:
    """取消预约, per instrument, once assigned and not yet accepted; all or none. Returns how many."""
    rows = reach.held_lines(session, line_ids, by)
    _check_booker(session, rows, by)
    if any(row.status == LineStatus.unassigned for row in rows):
        raise Refused(CANNOT_CANCEL)
    if any(row.status in (LineStatus.accepted, LineStatus.in_verification) for row in rows):
        raise Refused("技术机构已受理的器具不能自行取消，请联系技术机构终止")
    workflow.move(session, Subject.line, rows, "cancel", by, _reason(reason))
    return len(rows)


def _check_booker(session: Session, rows: Sequence[AppointmentLine], by: Account) -> None:
    ids = {row.appointment_id for row in rows}
    owners = session.exec(select(Appointment.enterprise_id).where(col(Appointment.id).in_(ids)).distinct())
    for enterprise_id in owners.all():
        reach.enterprise(session, enterprise_id, by, to="book")


def accept(
    session: Session,
    line_ids: Sequence[int],
    *,
    by: Account,
    planned_from: date | None,
    planned_until: date | None,
    note: str = "",
) -> list[Receipt]:
    """受理: the institution says when to bring the instruments in, or when it will visit.

    One receipt for each appointment among the lines. Raises Refused, NotFound or Conflict.
    """
    institution_id = reach.institution_id(by)
    rows = reach.held_lines(session, line_ids, by)
    _check_plan(planned_from, planned_until)
    note = _reason(note)
    made = []
    for appointment_id in sorted({row.appointment_id for row in rows}):
        receipt = _receipt(session, appointment_id, institution_id, by, note)
        group = [row for row in rows if row.appointment_id == appointment_id]
        workflow.move(
            session,
            Subject.line,
            group,
            "accept",
            by,
            note,
            concerning_id=institution_id,
            receipt_id=receipt.id,
            planned_from=planned_from,
            planned_until=planned_until,
        )
        made.append(receipt)
    return made


def _check_plan(planned_from: date | None, planned_until: date | None) -> None:
    form = Form()
    first = form.day("planned_from", "约定日期", planned_from, required=True)
    last = form.day("planned_until", "约定日期", planned_until, required=True)
    if first and last and (first < clock.today() or last < first):
        form.say("planned_from", "约定日期应从今天起，且结束不早于开始")
    form.done()


def _receipt(session: Session, appointment_id: int, institution_id: int, by: Account, note: str) -> Receipt:
    made = Receipt(
        number=counters.dated(session, "HZ"),
        appointment_id=appointment_id,
        institution_id=institution_id,
        issued_by_id=by.id,
        note=note,
    )
    session.add(made)
    session.flush()
    return made


def plan(
    session: Session,
    line_ids: Sequence[int],
    *,
    by: Account,
    planned_from: date | None,
    planned_until: date | None,
) -> int:
    """Change the agreed dates of accepted lines that have not begun; returns how many."""
    reach.allow(by, Role.institution)
    rows = reach.held_lines(session, line_ids, by)
    _check_plan(planned_from, planned_until)
    if any(row.status != LineStatus.accepted for row in rows):
        raise Refused("只有已受理、尚未开始检定的器具可以改期，请刷新后查看")
    for row in rows:
        row.planned_from, row.planned_until = planned_from, planned_until
    return len(rows)


def decline(session: Session, line_ids: Sequence[int], *, by: Account, reason: str) -> int:
    """不予受理, with a reason: the instruments are free to be booked again. Returns how many."""
    return _answer(session, line_ids, "decline", by, reason)


def terminate(session: Session, line_ids: Sequence[int], *, by: Account, reason: str) -> int:
    """终止 what was accepted, with a reason. Returns how many."""
    return _answer(session, line_ids, "terminate", by, reason)


def _answer(session: Session, line_ids: Sequence[int], action: str, by: Account, reason: str) -> int:
    rows = reach.held_lines(session, line_ids, by)
    workflow.move(session, Subject.line, rows, action, by, _reason(reason), concerning_id=by.institution_id)
    return len(rows)


def hand_back(session: Session, line_ids: Sequence[int], *, by: Account, reason: str) -> int:
    """退回: assignment runs again and passes this institution over. Returns how many found another one."""
    return _give_up(session, line_ids, "hand_back", by, reason)


def reassign(session: Session, line_ids: Sequence[int], *, by: Account, reason: str) -> int:
    """转派 by the bureau: assignment runs again without the institution that had the lines."""
    return _give_up(session, line_ids, "reassign", by, reason)


def _give_up(session: Session, line_ids: Sequence[int], action: str, by: Account, reason: str) -> int:
    rows = reach.held_lines(session, line_ids, by)
    note = _reason(reason)
    for institution_id in sorted({row.institution_id or 0 for row in rows}):
        group = [row for row in rows if (row.institution_id or 0) == institution_id]
        workflow.move(
            session,
            Subject.line,
            group,
            action,
            by,
            note,
            concerning_id=institution_id or None,
            institution_id=None,
        )
    for row in rows:
        session.refresh(row)
    return assignment.assign(session, rows)


def begin(session: Session, line_ids: Sequence[int], *, by: Account, begun_on: date | None = None) -> int:
    """开始检定: received, or the visit begun. The lawful time limit starts. Returns how many.

    `begun_on` is today where not given; it cannot lie ahead.
    """
    reach.allow(by, Role.institution)
    rows = reach.held_lines(session, line_ids, by)
    day = begun_on or clock.today()
    if day > clock.today():
        raise Refused("开始日期不能晚于今天")
    for mode in {row.delivery_mode for row in rows}:
        group = [row for row in rows if row.delivery_mode == mode]
        due_on = workdays.verification_deadline(session, mode, day).day
        workflow.move(
            session,
            Subject.line,
            group,
            "begin",
            by,
            concerning_id=by.institution_id,
            begun_on=day,
            due_on=due_on,
        )
    return len(rows)
