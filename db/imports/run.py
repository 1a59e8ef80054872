"""The run of an import: the file is compared with the ledger, and what is new or different is written.

A preview is this run, rolled back, so that the two cannot disagree.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db import batches, bulk, clock, reach, search
from db.errors import Conflict
from db.imports import comparison
from db.imports.comparison import NAMES, Update
from db.imports.rows import EMPTY, Row, Sheet, problems_together
from db.instrument_fields import TOGETHER, plain
from db.jobs import Report
from db.models import (
    Account,
    Batch,
    Enterprise,
    Instrument,
    InstrumentStatus,
)

# Instruments, search index.
PARTS = 2
MOST_SHOWN = 1000


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


def run(session: Session, sheet: Sheet, batch: Batch, *, by: Account, report: Report = silent) -> Outcome:
    """Write every good row of `sheet` into the ledger of the batch's enterprise; the bad ones get a problem.

    A row is an instrument in the ledger by the id it claims, or by 出厂编号, 生产厂家 and 型号规格 as far as
    the file has them; else it is new. What is locked or scrapped is not changed. Raises Conflict when the
    ledger moves meanwhile. The caller has checked that `by` may edit this ledger.
    """
    here = select(Enterprise).where(Enterprise.id == batch.enterprise_id)
    owner = session.exec(reach.held(here, Enterprise)).one()
    report("比对", 0, 0)
    wanted, duplicates = comparison.wanted(sheet)
    updates, unchanged, fresh = comparison.compared(session, sheet, wanted, batch.enterprise_id, by)
    task = Task(session, batch, owner, by, report, len(fresh) + len(updates))
    with bulk.room(session):
        added = _add(task, sheet, fresh)
        sheet.alike = [number for number in sheet.alike if number not in sheet.invalid]
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
    compared = itemgetter(*map(NAMES.index, TOGETHER))
    for row in rows:
        values = row.values
        full = tuple(
            [values[at] if at >= 0 and values[at] is not None else default for at, default in places]
        )
        found = problems_together(dict(zip(TOGETHER, compared(full), strict=True)))
        for heading, sentence in found.items():
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
