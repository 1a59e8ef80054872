"""强检器具台账: the ledger, its rules, its lists, and the trace of every change."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, insert, select, update

from db import assignment, clock, reach, workflow
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.models import (
    OPEN,
    Account,
    Appointment,
    AppointmentLine,
    Category,
    Conclusion,
    DeliveryMode,
    Division,
    Enterprise,
    Instrument,
    InstrumentChange,
    InstrumentStatus,
    InstrumentType,
    Kind,
    LineStatus,
    Origin,
    Purpose,
    Subject,
)

LABELS = {
    "name": "器具名称",
    "instrument_type": "器具类型",
    "kind_id": "器具种别",
    "specification": "型号规格",
    "measuring_range": "测量范围",
    "accuracy_class": "准确度等级",
    "serial_number": "出厂编号",
    "manufacturer": "生产厂家",
    "origin": "器具产地",
    "division_code": "使用地点行政区划",
    "location": "安装/使用地点",
    "purchased_on": "购置时间",
    "quantity": "器具数量",
    "purpose": "器具用途",
    "delivery_mode": "送检方式",
    "valid_until": "有效期至",
    "remark": "备注",
}
REQUIRED = ("name", "kind_id", "serial_number", "manufacturer", "division_code", "purpose", "delivery_mode")
# What names one instrument within an enterprise.
IDENTITY = ("serial_number", "manufacturer", "specification")
TEXTS = {
    "name": 120,
    "specification": 120,
    "measuring_range": 120,
    "accuracy_class": 60,
    "serial_number": 60,
    "manufacturer": 120,
    "location": 200,
    "remark": 500,
}
CHOICES: dict[str, Any] = {
    "instrument_type": InstrumentType,
    "origin": Origin,
    "purpose": Purpose,
    "delivery_mode": DeliveryMode,
}
LOCKED = "“有效期至”保存后不可修改，以检定结果为准"
IN_APPOINTMENT = "有未办结的预约，请先办结或取消预约"


def checked(session: Session, typed: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """The values to store for the fields in `typed` (names as in LABELS); problems go into `form`.

    Raises Refused for a field that is not the ledger's to set.
    """
    if strange := set(typed) - set(LABELS):
        raise Refused(f"不能修改“{'、'.join(sorted(strange))}”，请刷新页面后重试")
    values: dict[str, Any] = {}
    for field, value in typed.items():
        label = LABELS[field]
        if field in TEXTS:
            values[field] = form.text(field, label, value, TEXTS[field], required=field in REQUIRED)
        elif field in CHOICES:
            values[field] = form.choice(field, label, CHOICES[field], value)
        elif field == "quantity":
            values[field] = form.number(field, label, value, 1, 100_000)
        elif field == "kind_id":
            values[field] = _kind(session, form, value)
        elif field == "division_code":
            values[field] = _division(session, form, value)
        else:
            values[field] = form.day(field, label, value)
    if (bought := values.get("purchased_on")) and bought > clock.today():
        form.say("purchased_on", "“购置时间”不能晚于今天")
    return values


def _kind(session: Session, form: Form, value: Any) -> int | None:
    kind = session.get(Kind, value) if isinstance(value, int) else None
    if kind is None:
        form.say("kind_id", "请选择“器具项别”和“器具种别”")
    elif kind.retired_on:
        form.say("kind_id", f"种别“{kind.name}”已停用，请选择现行种别")
    return kind.id if kind else None


def _division(session: Session, form: Form, value: Any) -> str | None:
    division = session.get(Division, value) if isinstance(value, str) else None
    if division is None:
        form.say("division_code", "请选择“使用地点行政区划”，选到区县一级")
        return None
    below = sa.exists().where(col(Division.parent_code) == division.code, col(Division.retired_on).is_(None))
    if division.retired_on:
        successor = f"，请改用 {division.successor_code}" if division.successor_code else "，请选择现行区划"
        form.say("division_code", f"{division.full_name}（{division.code}）已撤销{successor}")
    elif session.scalar(select(below)):
        form.say("division_code", "“使用地点行政区划”请选到区县一级")
    return division.code


def _check_together(form: Form, values: Mapping[str, Any]) -> None:
    if values["quantity"] > 1 and values["serial_number"]:
        form.say("quantity", "填写了出厂编号的器具数量应为 1，多台请用“复制”逐台录入")


def twins(
    session: Session, values: Mapping[str, Any], enterprise_id: int, own_id: int | None = None
) -> list[Instrument]:
    """Instruments of the enterprise with the same 出厂编号, 生产厂家 and 型号规格 as `values`."""
    identity = [getattr(Instrument, field) == values[field] for field in IDENTITY]
    rows = select(Instrument).where(
        Instrument.enterprise_id == enterprise_id, *identity, Instrument.id != own_id
    )
    return list(session.exec(rows.order_by(col(Instrument.id)).limit(5)))


def search_text(values: Mapping[str, Any]) -> str:
    """What the search box looks through: folded, lower case."""
    parts = (
        values[field] for field in ("name", "specification", "serial_number", "manufacturer", "location")
    )
    return unicodedata.normalize("NFKC", " ".join(parts)).lower()[:700]


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
    reach.enterprise(session, enterprise_id, by, to="edit")
    form, values = _new(session, enterprise_id, typed, is_duplicate_confirmed)
    form.done()
    instrument = Instrument(enterprise_id=enterprise_id, **values, search_text=search_text(values))
    session.add(instrument)
    session.flush()
    note = f"复制自器具 {copied_from}" if copied_from else ""
    _trace(session, instrument.id, "复制" if copied_from else "新增", {}, by, note)
    return instrument


def _new(
    session: Session, enterprise_id: int, typed: Mapping[str, Any], is_duplicate_confirmed: bool
) -> tuple[Form, dict[str, Any]]:
    """What is wrong with a new instrument, and the values to store."""
    form = Form()
    blank: dict[str, Any] = dict.fromkeys(LABELS) | {
        "quantity": 1,
        "origin": Origin.domestic,
        "instrument_type": InstrumentType.working,
    }
    values = checked(session, blank | dict(typed), form)
    _check_together(form, values)
    if not form.problems and not is_duplicate_confirmed:
        _check_twins(session, form, values, enterprise_id)
    return form, values


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
        return _new(session, enterprise_id, typed, is_duplicate_confirmed)[0].problems
    here = select(Instrument).where(Instrument.id == instrument_id, reach.instruments(by))
    instrument = session.exec(here).first()
    if instrument is None:
        raise NotFound("器具")
    values, found = _changed(session, instrument, typed)
    form = Form()
    if not found and not is_duplicate_confirmed and set(IDENTITY) & set(values):
        _check_twins(session, form, instrument.model_dump() | values, instrument.enterprise_id, instrument.id)
    return found | form.problems


def edit(
    session: Session, instrument_id: int, version: int, typed: Mapping[str, Any], *, by: Account
) -> Instrument:
    """Change fields of one instrument, if it still has `version`.

    Raises Refused, NotFound, or Conflict when it was changed meanwhile.
    """
    return edit_many(session, [(instrument_id, version, typed)], by=by)[0]


def edit_many(
    session: Session, edits: Sequence[tuple[int, int, Mapping[str, Any]]], *, by: Account
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
        values, found = _changed(session, known[id], typed)
        problems |= {f"{id}.{field}": f"{known[id].serial_number}：{text}" for field, text in found.items()}
        ready.append((known[id], values))
    for enterprise_id in {row.enterprise_id for row in known.values()}:
        reach.enterprise(session, enterprise_id, by, to="edit")
    if stale:
        names = "、".join(f"{row.name} {row.serial_number}" for row in stale[:5])
        raise Conflict(f"{names} 已被他人修改，请刷新后核对再改", {str(row.id): row.name for row in stale})
    if problems:
        raise Refused("；".join(problems.values()), problems)
    return [_apply(session, instrument, values, by) for instrument, values in ready]


def _held(session: Session, instrument_ids: Sequence[int], by: Account) -> list[Instrument]:
    """Those within the asker's reach, kept from other writers until the transaction ends."""
    here = select(Instrument).where(col(Instrument.id).in_(instrument_ids), reach.instruments(by))
    return list(session.exec(reach.held(here.order_by(col(Instrument.id)), Instrument)))


def _changed(
    session: Session, instrument: Instrument, typed: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of `typed` that really differ, checked, and what is wrong with them."""
    form = Form()
    different = {
        field: value
        for field, value in typed.items()
        if field not in LABELS or getattr(instrument, field) != value
    }
    values = checked(session, different, form)
    values = {field: value for field, value in values.items() if getattr(instrument, field) != value}
    if "valid_until" in values and instrument.valid_until is not None:
        form.say("valid_until", LOCKED)
    if instrument.status == InstrumentStatus.scrapped and values:
        form.say("name", "已报废的器具不能修改")
    _check_together(form, instrument.model_dump() | values)
    return values, form.problems


def _apply(session: Session, instrument: Instrument, values: dict[str, Any], by: Account) -> Instrument:
    if not values:
        return instrument
    before = {field: getattr(instrument, field) for field in values}
    whole = instrument.model_dump() | values
    here = (col(Instrument.id) == instrument.id) & (col(Instrument.version) == instrument.version)
    values |= {"version": instrument.version + 1, "search_text": search_text(whole)}
    if session.exec(update(Instrument).where(here).values(**values)).rowcount != 1:
        raise Conflict(f"{instrument.name} {instrument.serial_number} 已被他人修改，请刷新后核对再改")
    session.refresh(instrument)
    _trace(
        session, instrument.id, "修改", {f: [_plain(old), _plain(values[f])] for f, old in before.items()}, by
    )
    if {"kind_id", "division_code"} & set(before):
        _update_waiting_line(session, instrument)
    return instrument


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


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else getattr(value, "name", value)


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


def move_validity(
    session: Session,
    instrument: Instrument,
    valid_until: date | None,
    verified_on: date,
    conclusion: Conclusion,
    by: Account,
) -> None:
    """Write a recorded result into the ledger: the only way 有效期至 moves once it is filled in.

    A rejection leaves 有效期至 as it was: the old certificate is void by the conclusion, not by its date.
    """
    values: dict[str, Any] = {"verified_on": verified_on, "conclusion": conclusion}
    if conclusion == Conclusion.passed:
        values["valid_until"] = valid_until
    changes = {field: [_plain(getattr(instrument, field)), _plain(value)] for field, value in values.items()}
    here = col(Instrument.id) == instrument.id
    session.exec(update(Instrument).where(here).values(**values, version=Instrument.version + 1))
    session.refresh(instrument)
    _trace(session, instrument.id, "登记检定结果", changes, by)


@dataclass(frozen=True)
class Filters:
    """What a ledger list is narrowed to; None or empty narrows nothing. `due` is a key of DUE.

    `is_placeless` keeps the rows without 使用地点行政区划.
    """

    enterprise_id: int | None = None
    text: str = ""
    category_id: int | None = None
    kind_id: int | None = None
    status: InstrumentStatus | None = None
    division_code: str | None = None
    is_placeless: bool = False
    due: str | None = None
    purpose: Purpose | None = None
    delivery_mode: DeliveryMode | None = None


DUE = {
    "valid": "检定有效",
    "overdue": "已超期",
    "30": "30 天内到期",
    "60": "60 天内到期",
    "90": "90 天内到期",
    "rejected": "检定不合格",
    "missing": "未填有效期",
    "no_kind": "未填种别",
    "no_division": "未填使用地点",
}


def due_condition(due: str, today: date) -> sa.ColumnElement[bool]:
    """The rows a due window of DUE holds: days to `valid_until`, counted from `today`.

    A kind verified once until it is scrapped has no `valid_until`: having passed, it stays valid.
    """
    until, conclusion = col(Instrument.valid_until), col(Instrument.conclusion)
    has_passed = func.coalesce(conclusion == Conclusion.passed, False)
    conditions: dict[str, sa.ColumnElement[bool]] = {
        "valid": sa.or_(
            (until >= today) & func.coalesce(conclusion != Conclusion.rejected, True),
            until.is_(None) & has_passed,
        ),
        "overdue": until < today,
        "rejected": conclusion == Conclusion.rejected,
        "missing": until.is_(None) & ~has_passed,
        "no_kind": col(Instrument.kind_id).is_(None),
        "no_division": col(Instrument.division_code).is_(None),
    }
    if due in conditions:
        return conditions[due]
    if due not in DUE:
        raise Refused("没有这个到期范围，请重新选择")
    return until.between(today, today + timedelta(days=int(due)))


def _conditions(by: Account, filters: Filters) -> list[sa.ColumnElement[bool]]:
    found = [reach.instruments(by)]
    for field in ("enterprise_id", "kind_id", "status", "purpose", "delivery_mode"):
        if (value := getattr(filters, field)) is not None:
            found.append(getattr(Instrument, field) == value)
    if filters.category_id is not None:
        found.append(
            col(Instrument.kind_id).in_(select(Kind.id).where(Kind.category_id == filters.category_id))
        )
    if filters.division_code:
        found.append(reach.within(Instrument.division_code, filters.division_code))
    if filters.is_placeless:
        found.append(col(Instrument.division_code).is_(None))
    if filters.due:
        found.append(due_condition(filters.due, clock.today()))
    for word in unicodedata.normalize("NFKC", filters.text).lower().split()[:5]:
        found.append(_mentions(by, word))
    return found


def _mentions(by: Account, word: str) -> sa.ColumnElement[bool]:
    """The rows a search word finds; staff also find them by their owner's name."""
    here = col(Instrument.search_text).contains(word, autoescape=True)
    if by.role not in reach.BUREAU:
        return here
    owners = select(Enterprise.id).where(col(Enterprise.name).icontains(word, autoescape=True))
    return here | col(Instrument.enterprise_id).in_(owners)


COLUMNS: tuple[Any, ...] = (
    Instrument.id,
    Instrument.version,
    Instrument.name,
    Instrument.instrument_type,
    col(Category.name).label("category"),
    col(Kind.name).label("kind"),
    Instrument.kind_id,
    Instrument.specification,
    Instrument.measuring_range,
    Instrument.accuracy_class,
    Instrument.serial_number,
    Instrument.manufacturer,
    Instrument.origin,
    col(Division.full_name).label("division"),
    Instrument.division_code,
    Instrument.location,
    Instrument.purchased_on,
    Instrument.quantity,
    Instrument.purpose,
    Instrument.delivery_mode,
    Instrument.valid_until,
    Instrument.verified_on,
    Instrument.conclusion,
    Instrument.remark,
    Instrument.status,
    Instrument.enterprise_id,
    col(Enterprise.name).label("enterprise"),
    col(AppointmentLine.status).label("line_status"),
)


def _listed(ids: Any) -> Any:
    """The rows of a list, for the ids chosen: one join for names, one for the open appointment."""
    return (
        sa.select(*COLUMNS)
        .join(Enterprise, col(Instrument.enterprise_id) == Enterprise.id)
        .join(Kind, col(Instrument.kind_id) == Kind.id, isouter=True)
        .join(Category, col(Kind.category_id) == Category.id, isouter=True)
        .join(Division, col(Instrument.division_code) == Division.code, isouter=True)
        .join(
            AppointmentLine,
            (col(AppointmentLine.instrument_id) == Instrument.id) & col(AppointmentLine.status).in_(OPEN),
            isouter=True,
        )
        .where(col(Instrument.id).in_(ids))
        .order_by(col(Instrument.id).desc())
    )


def page(
    session: Session, filters: Filters = Filters(), *, by: Account, number: int = 1, size: int = 50
) -> list[sa.Row[Any]]:
    """One page of the ledger rows within the asker's reach, the newest first; columns as in COLUMNS."""
    wanted = select(Instrument.id).where(*_conditions(by, filters)).order_by(col(Instrument.id).desc())
    ids = session.exec(wanted.limit(min(size, 200)).offset((max(number, 1) - 1) * size)).all()
    return list(session.execute(_listed(ids)).all())


def count(session: Session, filters: Filters = Filters(), *, by: Account) -> int:
    """How many ledger rows match."""
    return session.scalar(select(func.count()).select_from(Instrument).where(*_conditions(by, filters))) or 0


def places(session: Session, enterprise_id: int, *, by: Account) -> dict[str, str]:
    """The divisions that occur in the ledger of an enterprise, by code, with their full names."""
    rows = session.execute(
        sa.select(Division.code, Division.full_name)
        .where(
            col(Division.code).in_(
                select(Instrument.division_code).where(
                    Instrument.enterprise_id == enterprise_id, reach.instruments(by)
                )
            )
        )
        .order_by(Division.code)
    )
    return dict(rows.all())


def bookable(
    session: Session,
    enterprise_id: int,
    filters: Filters = Filters(),
    *,
    by: Account,
    size: int = 100,
    without: Sequence[int] = (),
) -> list[sa.Row[Any]]:
    """What the picker offers: in use, in no open appointment; the first to expire first, at most `size`.

    `without` leaves out the ids that have been picked already.
    """
    reach.enterprise(session, enterprise_id, by)
    busy = sa.exists().where(
        col(AppointmentLine.instrument_id) == Instrument.id, col(AppointmentLine.status).in_(OPEN)
    )
    wanted = (
        select(Instrument.id)
        .where(*_conditions(by, filters), Instrument.enterprise_id == enterprise_id)
        .where(Instrument.status == InstrumentStatus.in_use, ~busy, col(Instrument.id).not_in(without))
        .order_by(col(Instrument.valid_until).is_(None), col(Instrument.valid_until), col(Instrument.id))
        .limit(size)
    )
    ids = session.exec(wanted).all()
    place = {id: index for index, id in enumerate(ids)}
    return sorted(session.execute(_listed(ids)).all(), key=lambda row: place[row.id])


def chosen(session: Session, instrument_ids: Sequence[int], *, by: Account) -> list[sa.Row[Any]]:
    """The ledger rows of these ids within the asker's reach, the newest first; the others are left out."""
    seen = select(Instrument.id).where(col(Instrument.id).in_(instrument_ids), reach.instruments(by))
    return list(session.execute(_listed(seen)).all())


def find(session: Session, instrument_id: int, *, by: Account) -> sa.Row[Any]:
    """One ledger row with its names, as in the list; raises NotFound outside the asker's reach."""
    here = select(Instrument.id).where(Instrument.id == instrument_id, reach.instruments(by))
    found = session.execute(_listed(here)).first()
    if found is None:
        raise NotFound("器具")
    return found


def history(session: Session, instrument_id: int, *, by: Account) -> list[sa.Row[Any]]:
    """Every change of one instrument, the newest first: at, action, changes, note, by_name, by_role."""
    find(session, instrument_id, by=by)
    rows = (
        sa.select(
            InstrumentChange.at,
            InstrumentChange.action,
            InstrumentChange.changes,
            InstrumentChange.note,
            col(Account.full_name).label("by_name"),
            col(Account.role).label("by_role"),
        )
        .join(Account, col(InstrumentChange.by_id) == Account.id, isouter=True)
        .where(col(InstrumentChange.instrument_id) == instrument_id)
        .order_by(col(InstrumentChange.id).desc())
    )
    return list(session.execute(rows).all())


def snapshots(session: Session, instrument_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The instruments as they stand, by id, for an appointment to keep: plain values and names."""
    rows = session.execute(_listed(list(instrument_ids)))
    kept = (
        "category",
        "kind",
        "division",
        *(field for field in LABELS if field not in ("kind_id", "instrument_type")),
    )
    return {row.id: {field: _plain_text(row._mapping[field]) for field in kept} for row in rows}


def _plain_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
