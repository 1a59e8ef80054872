"""The run of an import: what is in the file against what is in the ledger, and the writing of it.

A preview is this run, rolled back, so that the two cannot disagree.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from catalog.columns import SYSTEM_ID
from catalog.reading import Fault, cells, tables
from db import batches, bulk, clock, reach, search
from db.errors import Conflict
from db.imports.rows import EMPTY, HEADINGS, KEPT_WHEN_EMPTY, Row, Sheet, Wrong, problems_together
from db.instrument_fields import IDENTITY, LABELS, TEXTS, plain
from db.jobs import Report
from db.models import (
    Account,
    Batch,
    Enterprise,
    Instrument,
    InstrumentStatus,
)

NAMES = tuple(LABELS)
FOLDS = {name: cells.code if tables.kind(HEADINGS[name]) == "code" else cells.text for name in TEXTS}
# Instruments, search index.
PARTS = 2
MOST_SHOWN = 200


def silent(phase: str, count: int, total: int) -> None:
    """Reports nothing."""


@dataclass
class Outcome:
    """What a run did: rows by outcome, and the first of the rows it changed, field by field.

    `seal` stands for exactly these changes, old values included, and these rows added and refused.
    `has_validity` says whether it wrote a 有效期至, which is locked from then on.
    `notes` are sentences on what of the file was left out, and on what was taken for what.
    """

    totals: dict[str, int]
    seal: str
    changed: list[dict[str, Any]] = field(default_factory=list)
    has_validity: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many rows were not taken."""
        return self.totals["invalid"] + self.totals["duplicates"]


@dataclass(frozen=True)
class Task:
    """What is written on behalf of whom: the batch, whose ledger it changes, who acts, and how many rows."""

    session: Session
    batch: Batch
    owner: Enterprise
    by: Account
    report: Report
    size: int


@dataclass(slots=True)
class Update:
    """A row of the file for an instrument that differs from it."""

    row: Row
    known: Any
    changes: dict[str, tuple[Any, Any]]


def run(session: Session, sheet: Sheet, batch: Batch, *, by: Account, report: Report = silent) -> Outcome:
    """Write every good row of `sheet` into the ledger of the batch's enterprise; the bad ones get a problem.

    A row is an instrument in the ledger by the id it claims, or by 出厂编号, 生产厂家 and 型号规格 as far as
    the file has them; else it is new. What is locked or scrapped is not changed. Raises Conflict when the
    ledger moves meanwhile. The caller has checked that `by` may edit this ledger.
    """
    here = select(Enterprise).where(Enterprise.id == batch.enterprise_id)
    owner = session.exec(reach.held(here, Enterprise)).one()
    report("比对", 0, 0)
    wanted, duplicates = _wanted(sheet)
    updates, unchanged, fresh = _compared(session, sheet, wanted, batch.enterprise_id, by)
    task = Task(session, batch, owner, by, report, len(fresh) + len(updates))
    with bulk.room(session):
        added = _add(task, sheet, fresh)
        _update(task, updates, len(fresh))
    invalid = len(sheet.invalid) - duplicates
    totals = {
        "rows": sheet.size,
        "added": added,
        "updated": len(updates),
        "unchanged": unchanged,
        "invalid": invalid,
        "duplicates": duplicates,
    }
    shown = [_shown(one) for one in updates[:MOST_SHOWN]]
    return Outcome(totals, _seal(sheet, updates, fresh), shown, _has_validity(sheet, fresh, updates))


def _seal(sheet: Sheet, updates: Iterable[Update], fresh: Iterable[Row]) -> str:
    told = [f"{one.row.number} {one.known.id} {_plain(one.changes)}" for one in updates]
    told += [f"{sorted(sheet.invalid)} {[row.number for row in fresh]}"]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _has_validity(sheet: Sheet, fresh: Sequence[Row], updates: Sequence[Update]) -> bool:
    """Whether a good row brings a 有效期至 that the ledger does not have yet."""
    if "valid_until" not in sheet.fields:
        return False
    place = sheet.fields.index("valid_until")
    return any("valid_until" in one.changes for one in updates) or any(
        row.values[place] and row.number not in sheet.invalid for row in fresh
    )


def _key_places(sheet: Sheet) -> list[int]:
    """Where the values stand that name an instrument, as far as the file has them."""
    return [sheet.fields.index(name) for name in IDENTITY if name in sheet.fields]


def _wanted(sheet: Sheet) -> tuple[list[Row], int]:
    """The rows to be looked for in the ledger, and how many repeat another one.

    Of two rows that name the same instrument, one of them by its id, the other repeats it wherever it stands.
    """
    places = _key_places(sheet)
    seen: dict[Any, Row] = {
        tuple([row.values[place] for place in places]): row for row in sheet.rows if row.id
    }
    rows, count = [], 0
    for row in sheet.rows:
        key = row.id or tuple([row.values[place] for place in places])
        first = seen.setdefault(key, row)
        if first is row:
            rows.append(row)
        else:
            count += 1
            _refuse_double(sheet, row, first)
    return rows, count


def _refuse_double(sheet: Sheet, row: Row, first: Row) -> None:
    if row.id:
        heading, quoted = SYSTEM_ID, str(row.id)
    else:
        heading, quoted = HEADINGS["serial_number"], _value(sheet, row, "serial_number")
    sheet.refuse(row.number, heading, quoted, f"与第 {first.number} 行是同一台器具，请删去其中一行")


def _value(sheet: Sheet, row: Row, name: str) -> str:
    return str(row.values[sheet.fields.index(name)]) if name in sheet.fields else ""


def _compared(
    session: Session, sheet: Sheet, rows: Sequence[Row], enterprise_id: int, by: Account
) -> tuple[list[Update], int, list[Row]]:
    """What to change, how many are as they were, and what is not in the ledger yet."""
    places = _key_places(sheet)
    by_id = {row.id: row for row in rows if row.id}
    by_key = {tuple([row.values[place] for place in places]): row for row in rows if not row.id}
    columns = [(sheet.fields[place], NAMES.index(sheet.fields[place])) for place in places]
    updates: list[Update] = []
    met: dict[int, Any] = {}
    same: set[int] = set()
    for known in _ledger(session, enterprise_id, by):
        row = by_id.get(known.id) or by_key.get(tuple([_folded(name, known[at]) for name, at in columns]))
        if row is None or not _is_only(sheet, row, known, met):
            continue
        met[row.number] = known
        changes = _changes(sheet, row, known)
        if not changes:
            same.add(row.number)
        elif _may_change(sheet, row, known, changes):
            updates.append(Update(row, known, changes))
    updates = [one for one in updates if one.row.number not in sheet.invalid]
    fresh = [row for row in rows if row.number not in met and not _is_lost(sheet, row)]
    return updates, len(same - sheet.invalid), fresh


def _ledger(session: Session, enterprise_id: int, by: Account) -> Iterable[Any]:
    """The rows of one ledger, one after the other, the fields in the order of NAMES, then more."""
    fields = [getattr(Instrument, name) for name in NAMES]
    others = (Instrument.id, Instrument.version, Instrument.status, Instrument.search_text)
    rows = sa.select(*fields, *others, reach.instruments(by).label("is_reached"))
    here = rows.where(col(Instrument.enterprise_id) == enterprise_id).order_by(col(Instrument.id))
    return session.execute(here.execution_options(yield_per=bulk.CHUNK))


def _is_only(sheet: Sheet, row: Row, known: Any, met: dict[int, Any]) -> bool:
    """Whether this is the one instrument the row can mean; of several it would be a guess."""
    if (other := met.get(row.number)) is None:
        return True
    sheet.refuse(
        row.number,
        HEADINGS["serial_number"],
        known.serial_number,
        f"台账中有多台出厂编号为 {known.serial_number} 的器具（{other.name}、{known.name}），"
        f"请补上生产厂家和型号规格，或使用导出文件中的“{SYSTEM_ID}”",
    )
    return False


def _changes(sheet: Sheet, row: Row, known: Any) -> dict[str, tuple[Any, Any]]:
    changes = {}
    for name, new in zip(sheet.fields, row.values, strict=True):
        old = getattr(known, name)
        if old == new or (new is None and name in KEPT_WHEN_EMPTY):
            continue
        if isinstance(new, Wrong):
            if new.shown != _written(sheet, name, old):
                sheet.refuse(row.number, new.heading, new.shown, new.sentence, new.suggestion)
        elif _folded(name, old) != new:
            changes[name] = (old, new)
    return changes


def _written(sheet: Sheet, name: str, value: Any) -> str:
    """A value of the ledger as an export writes it and a file shows it again."""
    if value is None:
        return ""
    if name == "kind_id":
        return sheet.codes.get(value, "")
    return str(plain(value)) if isinstance(value, date) else str(_folded(name, value))


def _folded(name: str, value: Any) -> Any:
    """A value of the ledger as it would be read from a file, where what cannot be seen is folded away.

    The form keeps some of that as it was typed; no file could bring it back.
    """
    if name not in FOLDS:
        return value
    read = FOLDS[name](value)
    return value if isinstance(read, Fault) else read or ""


def _may_change(sheet: Sheet, row: Row, known: Any, changes: dict[str, tuple[Any, Any]]) -> bool:
    new = {name: value for name, (_, value) in changes.items()}
    problems = dict(problems_together({**known._asdict(), **new}))
    if known.status == InstrumentStatus.scrapped:
        problems[HEADINGS["name"]] = "这台器具已报废，不能修改，请从文件中删去这一行"
    if not known.is_reached:
        problems[HEADINGS["name"]] = "这台器具不在您的辖区内，请由使用单位修改"
    if old := changes.get("valid_until", (None,))[0]:
        problems[HEADINGS["valid_until"]] = (
            f"台账中为 {old:%Y-%m-%d}，保存后不可修改；请改回原日期或留空，确需更正请提交更正申请"
        )
    for heading, sentence in problems.items():
        sheet.refuse(row.number, heading, "", sentence)
    return not problems


def _is_lost(sheet: Sheet, row: Row) -> bool:
    if row.id:
        advice = f"本单位台账中没有系统编号为 {row.id} 的器具，请核对；新增的器具请把“{SYSTEM_ID}”留空"
        sheet.refuse(row.number, SYSTEM_ID, str(row.id), advice)
    return bool(row.id)


def _add(task: Task, sheet: Sheet, rows: Sequence[Row]) -> int:
    """Write new instruments, as far as they hold together; how many."""
    places = [(sheet.fields.index(name) if name in sheet.fields else -1, EMPTY[name]) for name in NAMES]
    good = list(_whole(sheet, rows, places))
    ids = bulk.ids(task.session, Instrument, len(good))
    fixed = (task.owner.id, 1, InstrumentStatus.in_use, task.batch.id, clock.now())
    names = ("enterprise_id", "version", "status", "batch_id", "created_at", "batch_row", "search_text", "id")
    searched = itemgetter(*[NAMES.index(name) for name in search.FIELDS])
    texts = search.texts((searched(full) for _, full in good), task.owner.name)
    whole = (
        (*full, *fixed, number, text, id) for (number, full), text, id in zip(good, texts, ids, strict=True)
    )
    bulk.insert(task.session, Instrument, (*NAMES, *names), _reported(task, whole, 0, len(good)))
    pieces = search.pieces_of((searched(full) for _, full in good), task.owner.name)
    search.add_pieces(task.session, _reported(task, zip(ids, pieces, strict=True), 1, len(good)))
    return len(good)


def _reported(task: Task, rows: Iterable[Any], part: int, count: int) -> Iterator[Any]:
    """The rows of one of the PARTS in which `count` instruments are written, reported as they go by."""
    for number, row in enumerate(rows, 1):
        yield row
        if number % bulk.CHUNK == 0 or number == count:
            task.report("写入", (part * count + number) // PARTS, task.size)


def _whole(
    sheet: Sheet, rows: Iterable[Row], places: Sequence[tuple[int, Any]]
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The number and all fields of each new instrument that is right as a whole."""
    for row in rows:
        values = row.values
        full = tuple(
            [values[at] if at >= 0 and values[at] is not None else default for at, default in places]
        )
        found = list(problems_together(dict(zip(NAMES, full, strict=True))))
        for heading, sentence in found:
            sheet.refuse(row.number, heading, "", sentence)
        if not found:
            yield row.number, full


def _update(task: Task, updates: Sequence[Update], done: int) -> None:
    for start in range(0, len(updates), bulk.CHUNK):
        chunk = updates[start : start + bulk.CHUNK]
        _hold(task.session, [one.known for one in chunk])
        moves = [(one.known, {name: new for name, (_, new) in one.changes.items()}) for one in chunk]
        batches.change(task.session, task.batch, task.owner, moves, task.batch.action, task.by)
        task.report("写入", done + start + len(chunk), task.size)


def _hold(session: Session, rows: Sequence[Any]) -> None:
    """Keep these rows from other writers; raises Conflict when one has moved since it was read."""
    here = sa.select(Instrument.id, Instrument.version).where(
        bulk.among(session, Instrument.id, [row.id for row in rows])
    )
    standing = dict(session.execute(reach.held(here.order_by(col(Instrument.id)), Instrument)).all())
    if any(standing.get(row.id) != row.version for row in rows):
        raise Conflict("台账正被他人修改，本次没有导入任何数据，请稍后重新检查")


def _shown(update: Update) -> dict[str, Any]:
    """A changed row as a preview shows it: plain values, old and new."""
    return {
        "row": update.row.number,
        "name": update.known.name,
        "serial_number": update.known.serial_number,
        "changes": _plain(update.changes),
    }


def _plain(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, list[Any]]:
    return {name: [plain(old), plain(new)] for name, (old, new) in changes.items()}
