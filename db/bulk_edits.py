"""批量修改: one field of many instruments is given the same value, exactly as previewed."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from db import batches, bulk, clock, ledger, reach, workflow
from db.audit_changes import told
from db.batches import SHOWN, STANDING
from db.engine import trial
from db.errors import Conflict, NotFound, Refused
from db.instrument_fields import IDENTITY, LABELS, SCRAPPED, FieldReader, plain, together
from db.models import (
    Account,
    Batch,
    BatchAction,
    BatchStatus,
    Instrument,
    InstrumentStatus,
    Kind,
    Subject,
)

# What several instruments may well have in common. Never what names one, nor what only a result moves.
SETTABLE = (
    "delivery_mode",
    "purpose",
    "location",
    "division_code",
    "kind_id",
    "manufacturer",
    "origin",
    "name",
    "specification",
    "measuring_range",
    "accuracy_class",
    "purchased_on",
    "remark",
)
MOST_AT_ONCE = 100_000
TWINS = "修改后与其他器具的出厂编号、生产厂家、型号规格相同"
OTHER_CATEGORY = "现有种别属于其他项别，请逐台核对后修改"

Scope = ledger.Filters | Sequence[int]


@dataclass(frozen=True)
class Obstacle:
    """Why some rows stay as they are, how many, and the first of them by name and number."""

    why: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """One row that changes, with its old value."""

    id: int
    name: str
    serial_number: str
    before: Any


@dataclass(frozen=True)
class Outcome:
    """What setting a field together did. `seal` stands for exactly these rows with these old values.

    `twins` are those of the changed that would have the identity of others, to be confirmed.
    """

    value: Any
    changed: int
    unchanged: int
    refused: list[Obstacle]
    sample: list[Sample]
    seal: str
    twins: Obstacle | None = None
    batch_id: int | None = None


def set_together(
    session: Session,
    enterprise_id: int,
    field: str,
    value: Any,
    scope: Scope,
    *,
    by: Account,
    expected: str | None = None,
) -> Outcome:
    """批量修改: give one field of SETTABLE the same value in the rows of `scope`, filters or ids.

    Rows that cannot change stay as they are and are counted by reason. `expected` is the `seal` of a preview:
    Conflict when the run would not do exactly what was shown. Without anything to change there is no batch.
    Raises Refused for a wrong value, NotFound for rows outside the asker's reach.
    """
    enterprise = reach.enterprise(session, enterprise_id, by, to="edit")
    value = _value(session, field, value, by)
    rows = _held(session, enterprise_id, scope, by)
    obstacle = _obstacle_to(session, field, value)
    different = [row for row in rows if row._mapping[field] != value]
    found = {row.id: obstacle(row) for row in different}
    changing = [row for row in different if not found[row.id]]
    twins = _twins(session, enterprise_id, field, value, changing)
    outcome = Outcome(
        value=value,
        changed=len(changing),
        unchanged=len(rows) - len(different),
        refused=_counted([(row, found[row.id]) for row in different if found[row.id]]),
        sample=[Sample(row.id, row.name, row.serial_number, row._mapping[field]) for row in changing[:SHOWN]],
        seal=_seal(field, value, changing, twins),
        twins=next(iter(_counted([(row, TWINS) for row in twins])), None),
    )
    if expected is not None and expected != outcome.seal:
        raise Conflict("预览之后，这些器具又有变动，请重新预览，核对后再确定")
    if not changing:
        return outcome
    batch = _batch(session, enterprise_id, field, value, outcome, by)
    batches.change(session, batch, enterprise, [(row, {field: value}) for row in changing], batch.action, by)
    # Last: from here to the end of the transaction nobody else can add to the audit log.
    batches.note(session, batch, batch.action, by, {field: told(field, value), **batch.totals})
    return replace(outcome, batch_id=batch.id)


def preview(
    session: Session, enterprise_id: int, field: str, value: Any, scope: Scope, *, by: Account
) -> Outcome:
    """What `set_together` would do: the real run, rolled back. Needs a session that writes."""
    with trial(session):
        outcome = set_together(session, enterprise_id, field, value, scope, by=by)
    return replace(outcome, batch_id=None)


def _value(session: Session, field: str, typed: Any, by: Account) -> Any:
    if field not in SETTABLE:
        raise Refused(f"“{LABELS.get(field, field)}”不能批量修改，请逐台修改")
    value, problem = FieldReader(session, by).read(field, typed)
    if problem:
        raise Refused(problem, {field: problem})
    return value


def _held(session: Session, enterprise_id: int, scope: Scope, by: Account) -> Sequence[sa.Row[Any]]:
    """The rows of the scope, kept from other writers until the transaction ends."""
    here = sa.select(*STANDING).where(col(Instrument.enterprise_id) == enterprise_id)
    if isinstance(scope, ledger.Filters):
        wanted = replace(scope, enterprise_id=enterprise_id)
        here = here.where(col(Instrument.id).in_(ledger.matching(session, wanted, by=by)))
    else:
        here = here.where(bulk.among(session, Instrument.id, scope), reach.instruments(by))
    rows = session.execute(
        here.order_by(col(Instrument.id)).limit(MOST_AT_ONCE + 1).with_for_update(key_share=True)
    ).all()
    if len(rows) > MOST_AT_ONCE:
        raise Refused(f"一次最多修改 {MOST_AT_ONCE:,} 台器具，请缩小筛选范围")
    if not isinstance(scope, ledger.Filters) and len(rows) != len(set(scope)):
        raise NotFound("所选器具")
    return rows


def _obstacle_to(session: Session, field: str, value: Any) -> Callable[[sa.Row[Any]], str]:
    """Says what keeps a row from getting the value; empty when nothing does."""
    categories: dict[int, int] = dict(session.execute(sa.select(Kind.id, Kind.category_id)).all())

    def obstacle(row: sa.Row[Any]) -> str:
        if row.status == InstrumentStatus.scrapped:
            return SCRAPPED
        if field == "kind_id" and row.kind_id and categories[row.kind_id] != categories[value]:
            return OTHER_CATEGORY
        return next(iter(together({**row._mapping, field: value}).values()), "")

    return obstacle


def _counted(found: Sequence[tuple[sa.Row[Any], str]]) -> list[Obstacle]:
    examples: dict[str, list[str]] = defaultdict(list)
    for row, why in found:
        if len(examples[why]) < SHOWN:
            examples[why].append(f"{row.name} {row.serial_number}")
    counts = Counter(why for _, why in found)
    return [Obstacle(why, count, tuple(examples[why])) for why, count in counts.most_common()]


def _twins(
    session: Session, enterprise_id: int, field: str, value: Any, changing: Sequence[sa.Row[Any]]
) -> list[sa.Row[Any]]:
    """The changing rows that would have the identity of another one, numbered alike."""
    if field not in IDENTITY:
        return []
    rest = [one for one in IDENTITY if one != field]
    keys = {row.id: tuple(row._mapping[one] for one in rest) for row in changing}
    here = sa.select(*(getattr(Instrument, one) for one in rest)).where(
        col(Instrument.enterprise_id) == enterprise_id, getattr(Instrument, field) == value
    )
    found = Counter([*keys.values(), *(tuple(row) for row in session.execute(here))])
    return [row for row in changing if row.serial_number and found[keys[row.id]] > 1]


def _seal(field: str, value: Any, rows: Sequence[sa.Row[Any]], twins: Sequence[sa.Row[Any]]) -> str:
    told = [field, repr(plain(value)), *(f"{row.id} {plain(row._mapping[field])!r}" for row in rows)]
    told += [f"={row.id}" for row in twins]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _batch(
    session: Session, enterprise_id: int, field: str, value: Any, outcome: Outcome, by: Account
) -> Batch:
    totals = {
        "updated": outcome.changed,
        "unchanged": outcome.unchanged,
        "refused": sum(one.count for one in outcome.refused),
    }
    batch = Batch(
        enterprise_id=enterprise_id,
        action=BatchAction.set_together,
        status=BatchStatus.applied,
        options={"field": field, "value": plain(value)},
        totals=totals,
        created_by_id=by.id,
        started_at=clock.now(),
    )
    session.add(batch)
    session.flush()
    workflow.start(session, Subject.batch, [batch.id], "set_together", by)
    return batch
