"""数据质量: what looks wrong in the ledger, how often, and the condition that lists exactly these rows.

Scrapped instruments are left out: nothing in them can be put right any more.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from db import clock, reach
from db.errors import Refused
from db.instrument_fields import IDENTITY
from db.models import (
    Account,
    Division,
    Instrument,
    InstrumentStatus,
    Kind,
    VerificationMode,
)
from db.verifications import months_later, validity_months

Condition = sa.ColumnElement[bool]
DIGITS = "0123456789"
# Excel keeps so many digits of a number; what follows is zeros.
EXCEL_DIGITS = 15


@dataclass(frozen=True)
class Finding:
    """One check: its name, what is wrong with the rows it lists, and what to do about it."""

    label: str
    trouble: str
    remedy: str


FINDINGS = {
    "no_kind": Finding(
        "未填种别", "没有种别就无法指派技术机构，也不知道检定周期。", "逐台补填，或用“批量修改”一起补填。"
    ),
    "retired_kind": Finding(
        "种别已停用", "所填种别已不在现行强检目录中。", "改为现行种别，有后继项的可一次改完。"
    ),
    "no_division": Finding(
        "未填使用地点", "没有使用地点行政区划就无法指派技术机构。", "补填到区县一级，可用“批量修改”。"
    ),
    "retired_division": Finding(
        "区划已撤销", "所填行政区划代码已撤销。", "改为现行区划，有后继项的可一次改完。"
    ),
    "shallow_division": Finding(
        "区划未到区县", "使用地点只填到省或市，可能指派不到就近的技术机构。", "改填到区县一级。"
    ),
    "duplicate": Finding(
        "疑似重复登记",
        "同一单位内出厂编号、生产厂家、型号规格都相同。",
        "对照实物：重复录入的请报废其中一条，编号录错的请更正编号。",
    ),
    "quantity": Finding(
        "一个编号多台", "填写了出厂编号，数量却大于 1。", "数量改为 1，其余用“复制”逐台录入各自的编号。"
    ),
    "beyond_interval": Finding(
        "有效期超出检定周期", "有效期至晚于按检定周期能达到的日期。", "对照检定证书；录错的请“申请更正”。"
    ),
    "once_only": Finding(
        "只做首次检定却有有效期",
        "该种别只做首次强制检定、失准报废，没有有效期。",
        "核对种别；有效期录错的请“申请更正”，删去日期。",
    ),
    "bought_later": Finding(
        "购置晚于登记", "购置时间晚于登记进台账的日期。", "对照发票或铭牌，改正购置时间。"
    ),
    "damaged_number": Finding(
        "出厂编号疑似被表格软件改坏",
        "编号像 6.37702E+15，或超过 15 位而后面都是 0。",
        "对照铭牌重新录入；确实如此的不必处理。",
    ),
}


# No index leads to these: they are counted in one pass.
SCANNED = ("quantity", "beyond_interval", "bought_later", "damaged_number")


def condition(session: Session, finding: str, by: Account) -> Condition:
    """The rows of `Instrument` that a finding (a key of FINDINGS) lists, within what `by` may see or not.

    Raises Refused for another key.
    """
    if finding not in FINDINGS:
        raise Refused("没有这项数据质量检查，请重新选择")
    is_listed = _duplicate(by) if finding == "duplicate" else CONDITIONS[finding](session)
    return (col(Instrument.status) != InstrumentStatus.scrapped) & is_listed


def counts(session: Session, *, by: Account, enterprise_id: int | None = None) -> dict[str, int]:
    """How many rows within the asker's reach each finding lists, in the order of FINDINGS.

    Each number is the length of the ledger's list with `Filters(quality=...)`.
    """
    here = _reached(by, enterprise_id)
    scanned = [func.count(sa.case((condition(session, key, by), 1))).label(key) for key in SCANNED]
    found = dict(session.execute(sa.select(*scanned).where(*here)).one()._mapping)
    for key in FINDINGS:
        if key not in SCANNED:
            # Alone, its index leads to the rows; and in a `case` it would be judged a second time.
            listed = sa.select(func.count()).select_from(Instrument)
            found[key] = session.execute(listed.where(*here, condition(session, key, by))).scalar_one()
    return {key: found[key] for key in FINDINGS}


def retired_kinds(session: Session, *, by: Account, enterprise_id: int | None = None) -> list[sa.Row[Any]]:
    """The retired kinds in use, most used first: kind_id, name, successor (its name) and successor_id, both
    None without one in force, number."""
    later = aliased(Kind)
    return _used(
        session,
        sa.select(
            col(Kind.id).label("kind_id"),
            col(Kind.name),
            col(later.name).label("successor"),
            col(later.id).label("successor_id"),
            func.count().label("number"),
        )
        .join(Kind, col(Instrument.kind_id) == Kind.id)
        .join(later, (col(Kind.successor_id) == later.id) & col(later.retired_on).is_(None), isouter=True)
        .where(condition(session, "retired_kind", by), *_reached(by, enterprise_id))
        .group_by(col(Kind.id), col(Kind.name), col(later.name), col(later.id)),
        Kind.id,
    )


def retired_divisions(
    session: Session, *, by: Account, enterprise_id: int | None = None
) -> list[sa.Row[Any]]:
    """The retired divisions in use, most used first: code, name, successor (its full name) and
    successor_code, both None without one in force, number."""
    later = aliased(Division)
    is_later = (col(Division.successor_code) == later.code) & col(later.retired_on).is_(None)
    return _used(
        session,
        sa.select(
            col(Division.code),
            col(Division.full_name).label("name"),
            col(later.full_name).label("successor"),
            col(later.code).label("successor_code"),
            func.count().label("number"),
        )
        .join(Division, col(Instrument.division_code) == Division.code)
        .join(later, is_later, isouter=True)
        .where(condition(session, "retired_division", by), *_reached(by, enterprise_id))
        .group_by(col(Division.code), col(Division.full_name), col(later.full_name), col(later.code)),
        Division.code,
    )


def holding(
    session: Session, field: str, value: int | str, *, by: Account, enterprise_id: int | None = None
) -> list[int]:
    """The ids of the rows of exactly this kind (kind_id) or division (division_code), without scrapped ones.

    A division's code stands for itself only: what lies below it may have other successors.
    Raises Refused for another field.
    """
    if field not in ("kind_id", "division_code"):
        raise Refused("没有这项数据质量检查，请重新选择")
    here = (getattr(Instrument, field) == value) & (col(Instrument.status) != InstrumentStatus.scrapped)
    wanted = select(Instrument.id).where(here, *_reached(by, enterprise_id))
    return list(session.exec(wanted.order_by(col(Instrument.id))))


def _used(session: Session, query: Any, key: Any) -> list[sa.Row[Any]]:
    rows = query.select_from(Instrument).order_by(func.count().desc(), key).limit(20)
    return list(session.execute(rows).all())


def _reached(by: Account, enterprise_id: int | None) -> list[Condition]:
    own = [] if enterprise_id is None else [col(Instrument.enterprise_id) == enterprise_id]
    return [reach.instruments(by), *own]


def _no_kind(session: Session) -> Condition:
    return col(Instrument.kind_id).is_(None)


def _retired_kind(session: Session) -> Condition:
    return _among(_kinds(session, lambda kind: kind.retired_on))


def _no_division(session: Session) -> Condition:
    return col(Instrument.division_code).is_(None)


def _retired_division(session: Session) -> Condition:
    retired = select(Division.code).where(col(Division.retired_on).is_not(None))
    return col(Instrument.division_code).in_(retired)


def _shallow_division(session: Session) -> Condition:
    in_force = col(Division.retired_on).is_(None)
    parents = select(Division.parent_code).where(in_force, col(Division.parent_code).is_not(None))
    return col(Instrument.division_code).in_(
        select(Division.code).where(in_force, col(Division.code).in_(parents))
    )


def _duplicate(by: Account) -> Condition:
    twin = aliased(Instrument)
    same = [getattr(twin, field) == getattr(Instrument, field) for field in ("enterprise_id", *IDENTITY)]
    has_twin = sa.exists().where(
        *same, col(twin.id) != Instrument.id, col(twin.status) != InstrumentStatus.scrapped
    )
    has_number = col(Instrument.serial_number) != ""
    if by.role not in reach.BUREAU:
        return has_number & has_twin
    # Over many ledgers it is quicker to read the index once for what occurs twice in it.
    numbers = (Instrument.enterprise_id, Instrument.serial_number)
    twice = sa.select(*numbers).where(has_number).group_by(*numbers).having(func.count() > 1)
    return sa.tuple_(*numbers).in_(twice) & has_twin


def _quantity(session: Session) -> Condition:
    return (col(Instrument.quantity) > 1) & (col(Instrument.serial_number) != "")


def _beyond_interval(session: Session) -> Condition:
    """Ends later than a certificate of the last verification, or one of today, could.

    The arithmetic of `months_later` in numbers, since to SQLite a month after 31 January is 3 March: months
    of 31 days each, and in a month too short for the day, its last day is late already.
    """
    months = _kinds(session, validity_months)
    if not months:
        return sa.false()
    kind_id = col(Instrument.kind_id)
    until, verified_on = col(Instrument.valid_until), col(Instrument.verified_on)
    limits = {id: months_later(clock.today(), number) for id, number in months.items()}
    # Before anything else a comparison that most rows end at.
    is_far = until > min(limits.values())
    is_without = verified_on.is_(None) & is_far & (until > sa.case(limits, value=kind_id))
    ahead = _number(until) - _number(verified_on) - 31 * sa.case(months, value=kind_id)
    is_cut = (_part("day", verified_on) > 28) & (ahead < 0) & (ahead >= -3) & _ends_month(until)
    by_result = verified_on.is_not(None) & ((ahead >= 0) | is_cut)
    return until.is_not(None) & kind_id.in_(months) & (is_without | by_result)


def _number(day: Any) -> Any:
    return _part("year", day) * 372 + _part("month", day) * 31 + _part("day", day)


def _ends_month(day: Any) -> Any:
    # From 1950 to 2099 every fourth year is a leap year.
    february = sa.case((_part("year", day) % 4 == 0, 29), else_=28)
    month = _part("month", day)
    return _part("day", day) == sa.case((month == 2, february), (month.in_((4, 6, 9, 11)), 30), else_=31)


def _part(name: str, day: Any) -> Any:
    return sa.cast(sa.extract(name, day), sa.Integer)


def _once_only(session: Session) -> Condition:
    once = _kinds(session, lambda kind: kind.verification_mode == VerificationMode.first_only_scrap)
    return _among(once) & col(Instrument.valid_until).is_not(None)


def _bought_later(session: Session) -> Condition:
    bought_on: Any = col(Instrument.purchased_on)
    entered_at: Any = col(Instrument.created_at)
    # Days are days in China, moments are stored in UTC.
    if session.get_bind().dialect.name == "postgresql":
        return bought_on > sa.cast(func.timezone(str(clock.CHINA), entered_at), sa.Date)
    # As texts the two can be compared at once, and mostly settle it.
    is_later = sa.type_coerce(bought_on, sa.String) > sa.type_coerce(entered_at, sa.String)
    return is_later & (bought_on > func.date(entered_at, "+8 hours", type_=sa.Date))


def _damaged_number(session: Session) -> Condition:
    number = col(Instrument.serial_number)
    upper = func.upper(number)
    mantissa = func.ltrim(func.replace(upper, "E+", ""), f"{DIGITS}.")
    is_power = number.contains("+") & upper.like("_%E+_%") & (mantissa == "")
    is_cut = (
        number.like("%000")
        & ~number.like("0%")
        & (func.length(number) > EXCEL_DIGITS)
        & (func.ltrim(number, DIGITS) == "")
        & (func.rtrim(func.substr(number, EXCEL_DIGITS + 1), "0") == "")
    )
    return is_power | is_cut


def _among(kinds: Collection[int]) -> Condition:
    """Of one of these kinds; with none of them no row need be read."""
    return col(Instrument.kind_id).in_(kinds) if kinds else sa.false()


def _kinds(session: Session, value: Callable[[Kind], Any]) -> dict[int, Any]:
    """A value of each kind that has one, by id."""
    found = {kind.id: value(kind) for kind in session.exec(select(Kind).order_by(col(Kind.id)))}
    return {id: one for id, one in found.items() if one}


CONDITIONS: dict[str, Callable[[Session], Condition]] = {
    "no_kind": _no_kind,
    "retired_kind": _retired_kind,
    "no_division": _no_division,
    "retired_division": _retired_division,
    "shallow_division": _shallow_division,
    "quantity": _quantity,
    "beyond_interval": _beyond_interval,
    "once_only": _once_only,
    "bought_later": _bought_later,
    "damaged_number": _damaged_number,
}
