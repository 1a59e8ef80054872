"""强检器具台账: what is done to instruments, by which rules, and the trace of every change."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, insert, select, update

from db import assignment, audit, clock, reach, search, workflow
from db.audit_changes import told
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.instrument_fields import DEFAULTS, IDENTITY, LABELS, SCRAPPED, checked, plain, stored, together
from db.models import (
    OPEN,
    Account,
    Appointment,
    AppointmentLine,
    Conclusion,
    Enterprise,
    Instrument,
    InstrumentChange,
    InstrumentStatus,
    LineStatus,
    Subject,
)

LOCKED = "“有效期至”保存后不可修改，以检定结果为准；确有错误请在器具详情中“申请更正”"
TWIN = "与“{}”的出厂编号、生产厂家、型号规格相同"
IN_APPOINTMENT = "有未办结的预约，请先办结或取消预约"


def twins(
    session: Session, values: Mapping[str, Any], enterprise_id: int, own_id: int | None = None
) -> list[Instrument]:
    """Instruments of the enterprise with the same 出厂编号, 生产厂家 and 型号规格 as `values`."""
    identity = [getattr(Instrument, field) == values[field] for field in IDENTITY]
    rows = select(Instrument).where(
        Instrument.enterprise_id == enterprise_id, *identity, Instrument.id != own_id
    )
    return list(session.exec(rows.order_by(col(Instrument.id)).limit(5)))


def add(
    session: Session,
    enterprise_id: int,
    typed: Mapping[str, Any],
    *,
    by: Account,
    is_duplicate_confirmed: bool = False,
    copied_from: int | None = None,
) -> Instrument:
    """新增 or 复制 one instrument. `typed` holds every field of LABELS but those left empty.

    Raises Refused with every wrong field at once, and, under the problem `duplicate`, when the enterprise
    has the same serial number, manufacturer and specification already and the asker has not confirmed it.
    """
    enterprise = reach.enterprise(session, enterprise_id, by, to="edit")
    form, values = _new(session, enterprise_id, typed, by, is_duplicate_confirmed)
    form.done()
    text = search.text_of(values, enterprise.name)
    instrument = Instrument(enterprise_id=enterprise_id, **values, search_text=text)
    session.add(instrument)
    session.flush()
    search.add(session, [(instrument.id, text)])
    note = f"复制自器具 {copied_from}" if copied_from else ""
    _trace(session, instrument.id, "复制" if copied_from else "新增", {}, by, note)
    return instrument


def _new(
    session: Session, enterprise_id: int, typed: Mapping[str, Any], by: Account, is_duplicate_confirmed: bool
) -> tuple[Form, dict[str, Any]]:
    """What is wrong with a new instrument, and the values to store."""
    form = Form()
    values = checked(session, dict.fromkeys(LABELS) | DEFAULTS | dict(typed), form, by)
    _say(form, together(values))
    if not form.problems and not is_duplicate_confirmed:
        _check_twins(session, form, values, enterprise_id)
    return form, values


def _say(form: Form, problems: Mapping[str, str]) -> None:
    for field, sentence in problems.items():
        form.say(field, sentence)


def _check_twins(
    session: Session, form: Form, values: Mapping[str, Any], enterprise_id: int, own_id: int | None = None
) -> None:
    if same := twins(session, values, enterprise_id, own_id):
        form.say(
            "duplicate",
            f"台账中已有出厂编号、生产厂家、型号规格相同的器具“{same[0].name}”，确认不是重复录入请勾选后再保存",
        )


def problems(
    session: Session,
    enterprise_id: int,
    typed: Mapping[str, Any],
    *,
    by: Account,
    instrument_id: int | None = None,
    is_duplicate_confirmed: bool = False,
) -> dict[str, str]:
    """What `add` would refuse in `typed`, or `edit` of `instrument_id`: one sentence by field, said there.

    An edit that makes an instrument the twin of another is a problem here only, as a warning to confirm.
    Raises NotFound or Refused for what is not the fault of a field.
    """
    reach.enterprise(session, enterprise_id, by, to="edit")
    if instrument_id is None:
        return _new(session, enterprise_id, typed, by, is_duplicate_confirmed)[0].problems
    here = select(Instrument).where(Instrument.id == instrument_id, reach.instruments(by))
    instrument = session.exec(here).first()
    if instrument is None:
        raise NotFound("器具")
    values, found = _changed(session, instrument, typed, by)
    form = Form()
    if not found and not is_duplicate_confirmed and set(IDENTITY) & set(values):
        _check_twins(session, form, instrument.model_dump() | values, instrument.enterprise_id, instrument.id)
    return found | form.problems


def edit(
    session: Session,
    instrument_id: int,
    version: int,
    typed: Mapping[str, Any],
    *,
    by: Account,
    action: str = "修改",
) -> Instrument:
    """Change fields of one instrument, if it still has `version`; the history calls it `action`.

    Raises Refused, NotFound, or Conflict when it was changed meanwhile.
    """
    return edit_many(session, [(instrument_id, version, typed)], by=by, action=action)[0]


def edit_many(
    session: Session,
    edits: Sequence[tuple[int, int, Mapping[str, Any]]],
    *,
    by: Account,
    action: str = "修改",
) -> list[Instrument]:
    """Change several instruments, each (id, version, fields), all or none.

    Raises Refused with one problem per wrong row (keyed `id` or `id.field`), and Conflict that names the
    rows another person changed meanwhile.
    """
    known = {row.id: row for row in _held(session, [id for id, _, _ in edits], by)}
    problems: dict[str, str] = {}
    stale: list[Instrument] = []
    ready: list[tuple[Instrument, dict[str, Any]]] = []
    for id, version, typed in edits:
        if id not in known:
            raise NotFound("器具")
        if known[id].version != version:
            stale.append(known[id])
            continue
        values, found = _changed(session, known[id], typed, by)
        problems |= {f"{id}.{field}": f"{known[id].serial_number}：{text}" for field, text in found.items()}
        ready.append((known[id], values))
    for enterprise_id in {row.enterprise_id for row in known.values()}:
        reach.enterprise(session, enterprise_id, by, to="edit")
    if stale:
        names = "、".join(f"{row.name} {row.serial_number}" for row in stale[:5])
        raise Conflict(f"{names} 已被他人修改，请刷新后核对再改", {str(row.id): row.name for row in stale})
    if problems:
        raise Refused("；".join(problems.values()), problems)
    return [_apply(session, instrument, values, by, action) for instrument, values in ready]


def problems_of_many(
    session: Session, edits: Sequence[tuple[int, int, Mapping[str, Any]]], *, by: Account
) -> dict[tuple[int, str], str]:
    """What `edit_many` would refuse in the fields of `edits`, by id and field; their versions aside.

    An edit that makes an instrument the twin of another is a problem here only, as a warning to confirm,
    under the field `duplicate`.
    """
    here = select(Instrument).where(col(Instrument.id).in_([id for id, _, _ in edits]))
    known = {row.id: row for row in session.exec(here.where(reach.instruments(by)))}
    changed = {id: _changed(session, known[id], typed, by) for id, _, typed in edits if id in known}
    found = {(id, field): text for id, (_, wrong) in changed.items() for field, text in wrong.items()}
    after = {id: known[id].model_dump() | values for id, (values, _) in changed.items()}
    moved = [
        id
        for id, (values, wrong) in changed.items()
        if not wrong and set(IDENTITY) & set(values) and after[id]["serial_number"]
    ]
    return found | {(id, "duplicate"): text for id, text in _duplicates(session, after, moved).items()}


def _duplicates(
    session: Session, after: Mapping[int, Mapping[str, Any]], moved: Sequence[int]
) -> dict[int, str]:
    """Which of the `moved` would have a twin once the edited are as in `after`: a sentence that names it."""
    if not moved:
        return {}
    fields = ("enterprise_id", *IDENTITY)
    keys = {id: tuple(row[field] for field in fields) for id, row in after.items()}
    columns = [getattr(Instrument, field) for field in fields]
    same = sa.tuple_(*columns).in_({keys[id] for id in moved}) & col(Instrument.id).not_in(after)
    others = session.execute(sa.select(Instrument.id, Instrument.name, *columns).where(same))
    holders: dict[tuple[Any, ...], list[tuple[int, str]]] = defaultdict(list)
    for id, name, *key in [*others, *((id, after[id]["name"], *key) for id, key in keys.items())]:
        holders[tuple(key)].append((id, name))
    twins = {id: next((name for other, name in holders[keys[id]] if other != id), None) for id in moved}
    return {id: TWIN.format(name) for id, name in twins.items() if name is not None}


def _held(session: Session, instrument_ids: Sequence[int], by: Account) -> list[Instrument]:
    """Those within the asker's reach, kept from other writers until the transaction ends."""
    here = select(Instrument).where(col(Instrument.id).in_(instrument_ids), reach.instruments(by))
    return list(session.exec(reach.held(here.order_by(col(Instrument.id)), Instrument)))


def _changed(
    session: Session, instrument: Instrument, typed: Mapping[str, Any], by: Account
) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of `typed` that really differ, checked, and what is wrong with them."""
    form = Form()
    different = {
        field: value
        for field, value in typed.items()
        if field not in LABELS or getattr(instrument, field) != value
    }
    values = checked(session, different, form, by)
    values = {field: value for field, value in values.items() if getattr(instrument, field) != value}
    if "valid_until" in values and instrument.valid_until is not None:
        form.say("valid_until", LOCKED)
    if instrument.status == InstrumentStatus.scrapped and values:
        form.say("name", SCRAPPED)
    _say(form, together(instrument.model_dump() | values))
    return values, form.problems


def _apply(
    session: Session, instrument: Instrument, values: dict[str, Any], by: Account, action: str
) -> Instrument:
    if not values:
        return instrument
    before = {field: getattr(instrument, field) for field in values}
    noted, text = instrument.search_text, _text_with(session, instrument, values)
    here = (col(Instrument.id) == instrument.id) & (col(Instrument.version) == instrument.version)
    values |= {"version": instrument.version + 1, "search_text": text}
    if session.exec(update(Instrument).where(here).values(**values)).rowcount != 1:
        raise Conflict(f"{instrument.name} {instrument.serial_number} 已被他人修改，请刷新后核对再改")
    search.replace(session, [(instrument.id, noted, text)])
    session.refresh(instrument)
    changes = {field: [plain(old), plain(values[field])] for field, old in before.items()}
    _trace(session, instrument.id, action, changes, by)
    if {"kind_id", "division_code"} & set(before):
        _update_waiting_line(session, instrument)
    return instrument


def _text_with(session: Session, instrument: Instrument, values: Mapping[str, Any]) -> str:
    owner = session.get_one(Enterprise, instrument.enterprise_id)
    return search.text_of({**instrument.model_dump(), **values}, owner.name)


def _update_waiting_line(session: Session, instrument: Instrument) -> None:
    """A line still without an institution follows the ledger, and assignment runs again."""
    waiting = select(AppointmentLine).where(
        AppointmentLine.instrument_id == instrument.id, AppointmentLine.status == LineStatus.unassigned
    )
    line = session.exec(waiting).first()
    if line:
        line.kind_id, line.division_code = instrument.kind_id, instrument.division_code
        session.flush()
        assignment.assign(session, [line])


def change_status(
    session: Session, instrument_ids: Sequence[int], action: str, *, by: Account, reason: str = ""
) -> list[Instrument]:
    """停用, 封存, 恢复在用 or 报废 (`take_out_of_use`, `store`, `resume`, `scrap`), all or none.

    Raises Refused while one of them is in an open appointment.
    """
    form = Form()
    reason = form.text("reason", "理由", reason, 500)
    form.done()
    rows = _held(session, instrument_ids, by)
    if not rows or len(rows) != len(set(instrument_ids)):
        raise NotFound("器具")
    for enterprise_id in {row.enterprise_id for row in rows}:
        reach.enterprise(session, enterprise_id, by, to="edit")
    if busy := booked(session, [row.id for row in rows]):
        names = "、".join(f"{row.serial_number}（{busy[row.id]}）" for row in rows if row.id in busy)
        raise Refused(f"{names} {IN_APPOINTMENT}")
    for status in {row.status for row in rows}:
        group = [row for row in rows if row.status == status]
        before = status.name
        workflow.move(session, Subject.instrument, group, action, by, reason, version=Instrument.version + 1)
        for row in group:
            session.refresh(row)
            label = workflow.label_of(Subject.instrument, action)
            _trace(session, row.id, label, {"status": [before, row.status.name]}, by, reason)
    return rows


def booked(session: Session, instrument_ids: Sequence[int]) -> dict[int, str]:
    """Which of these instruments are in an open appointment, and its number."""
    rows = session.execute(
        sa.select(AppointmentLine.instrument_id, Appointment.number)
        .join(Appointment, col(AppointmentLine.appointment_id) == Appointment.id)
        .where(col(AppointmentLine.instrument_id).in_(instrument_ids), col(AppointmentLine.status).in_(OPEN))
    )
    return dict(rows.all())


def _trace(
    session: Session,
    instrument_id: int,
    action: str,
    changes: Mapping[str, Any],
    by: Account | None,
    note: str = "",
) -> None:
    row = {"instrument_id": instrument_id, "at": clock.now(), "by_id": by and by.id, "action": action}
    session.exec(insert(InstrumentChange), params=[row | {"changes": dict(changes), "note": note[:500]}])
    # A new instrument is noted as the record it is, a move by the workflow.
    if changes and "status" not in changes:
        old, new = _in_words(changes, 0), _in_words(changes, 1)
        subject = Subject.instrument.name
        audit.record(
            session,
            action,
            by=by,
            subject=subject,
            subject_id=instrument_id,
            before=old,
            after=new,
            note=note,
        )


def _in_words(changes: Mapping[str, Any], at: int) -> dict[str, Any]:
    """The old values of the trace (`at` 0) or the new ones (1), as the audit log keeps them."""
    return {field: told(field, stored(field, pair[at])) for field, pair in changes.items()}


def move_validity(
    session: Session,
    instrument: Instrument,
    valid_until: date | None,
    verified_on: date,
    conclusion: Conclusion,
    by: Account,
) -> None:
    """Write a recorded result into the ledger: so 有效期至 moves once it is filled in, or by a correction.

    A rejection leaves 有效期至 as it was: the old certificate is void by the conclusion, not by its date.
    """
    values: dict[str, Any] = {"verified_on": verified_on, "conclusion": conclusion}
    if conclusion == Conclusion.passed:
        values["valid_until"] = valid_until
    changes = {field: [plain(getattr(instrument, field)), plain(value)] for field, value in values.items()}
    here = col(Instrument.id) == instrument.id
    session.exec(update(Instrument).where(here).values(**values, version=Instrument.version + 1))
    session.refresh(instrument)
    _trace(session, instrument.id, "登记检定结果", changes, by)


def correct_validity(
    session: Session, instrument: Instrument, valid_until: date | None, note: str, by: Account
) -> None:
    """Write an approved correction of 有效期至 into the ledger; `note` says who asked for it and why.

    Raises Conflict when the instrument was changed since it was read.
    """
    changes = {"valid_until": [plain(instrument.valid_until), plain(valid_until)]}
    here = (col(Instrument.id) == instrument.id) & (col(Instrument.version) == instrument.version)
    moved = update(Instrument).where(here).values(valid_until=valid_until, version=instrument.version + 1)
    if session.exec(moved).rowcount != 1:
        raise Conflict(f"{instrument.name} {instrument.serial_number} 已被他人修改，请刷新后核对再审批")
    session.refresh(instrument)
    _trace(session, instrument.id, "更正有效期", changes, by, note)
