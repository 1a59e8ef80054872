"""The rows of a file against the ledger: which are new, which change something, and which may not."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from catalog.columns import SYSTEM_ID
from catalog.reading import Fault, cells, tables
from db import bulk, reach
from db.imports.rows import HEADINGS, KEPT_WHEN_EMPTY, Row, Sheet, Wrong, problems_together
from db.instrument_fields import IDENTITY, LABELS, TEXTS, plain
from db.models import Account, Instrument, InstrumentStatus

NAMES = tuple(LABELS)
FOLDS = {name: cells.code if tables.kind(HEADINGS[name]) == "code" else cells.text for name in TEXTS}
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
ZEROS = (
    "台账中为 {old}，文件中少了 0，可能是表格软件去掉的；请把该列设为文本格式后填写 {old}，"
    "确需修改请在台账页面上办理"
)


@dataclass(slots=True)
class Update:
    """A row of the file for an instrument that differs from it."""

    row: Row
    known: Any
    changes: dict[str, tuple[Any, Any]]


def wanted(sheet: Sheet) -> tuple[list[Row], int]:
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


def _key_places(sheet: Sheet) -> list[int]:
    """Where the values stand that name an instrument, as far as the file has them."""
    return [sheet.fields.index(name) for name in IDENTITY if name in sheet.fields]


def _refuse_double(sheet: Sheet, row: Row, first: Row) -> None:
    if row.id:
        heading, quoted = SYSTEM_ID, str(row.id)
    else:
        heading, quoted = HEADINGS["serial_number"], _value(sheet, row, "serial_number")
    sheet.refuse(row.number, heading, quoted, f"与原文件第 {first.number} 行是同一台器具，请删去其中一行")


def _value(sheet: Sheet, row: Row, name: str) -> str:
    return str(row.values[sheet.fields.index(name)]) if name in sheet.fields else ""


def compared(
    session: Session, sheet: Sheet, rows: Sequence[Row], enterprise_id: int, by: Account
) -> tuple[list[Update], int, list[Row]]:
    """What to change, how many are as they were, and what is not in the ledger yet.

    Of the last, `sheet.alike` gets those whose 出厂编号 is there with another maker or specification. The
    caller has checked that `by` may edit this ledger.
    """
    places = _key_places(sheet)
    by_id = {row.id: row for row in rows if row.id}
    by_key = {tuple([row.values[place] for place in places]): row for row in rows if not row.id}
    columns = [(sheet.fields[place], NAMES.index(sheet.fields[place])) for place in places]
    updates: list[Update] = []
    met: dict[int, Any] = {}
    same: set[int] = set()
    padded: dict[tuple[Any, ...], str] = {}
    numbers: set[str] = set()
    for known in _ledger(session, enterprise_id, by):
        key = tuple([_folded(name, known[at]) for name, at in columns])
        numbers.add(known.serial_number.casefold())
        row = by_id.get(known.id) or by_key.get(key)
        if row is None and known.serial_number[:1] == "0":
            padded[_bare(key)] = known.serial_number
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
    if padded:
        fresh = [row for row in fresh if not _is_bare(sheet, row, padded, places)]
    sheet.alike = [row.number for row in fresh if _value(sheet, row, "serial_number").casefold() in numbers]
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
            if isinstance(old, str) and isinstance(new, str) and _is_shortened(old, new):
                sheet.refuse(row.number, HEADINGS[name], new, ZEROS.format(old=old))
    return changes


def _is_shortened(old: str, new: str) -> bool:
    """Whether a text lost zeros as a spreadsheet takes them from what looks like a number: 0446, 1.0."""
    numbers = NUMBER.fullmatch(old), NUMBER.fullmatch(new)
    return all(numbers) and len(new) < len(old) and Decimal(old) == Decimal(new)


def _bare(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """What names an instrument, without zeros in front."""
    return tuple([part.lstrip("0") if isinstance(part, str) else part for part in key])


def _is_bare(sheet: Sheet, row: Row, padded: Mapping[tuple[Any, ...], str], places: Sequence[int]) -> bool:
    """Whether a row that is new would be one of the ledger if its number had not lost its zeros."""
    number = _value(sheet, row, "serial_number")
    known = padded.get(_bare(tuple([row.values[place] for place in places])))
    if row.id or known is None or not _is_shortened(known, number):
        return False
    sheet.refuse(row.number, HEADINGS["serial_number"], number, ZEROS.format(old=known))
    return True


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
    problems = problems_together({**known._asdict(), **new})
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
