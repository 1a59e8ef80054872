"""Export: the ledger, or what a list of it is narrowed to, as a file that may be edited and imported again.

The columns of the import template come first, under exactly its headings and with codes for kind and
division, after the id that finds each instrument again. What follows is to be read only.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from catalog import export
from catalog.columns import COLUMNS, DIVISION, KIND, SYSTEM_ID
from catalog.spreadsheets import DAY, TEXT, WHOLE
from db import audit, ledger, ledger_filters, reach, reference
from db import engine as engines
from db.errors import Refused
from db.instrument_fields import LABELS
from db.ledger import Filters
from db.models import OWNERS, Account, Category, Division, Enterprise, Instrument, Kind, Role

TITLE = "强检器具台账"
CHUNK = 2_000
# Whoever runs a command on the server sees what a supervisor of the whole country sees; never stored.
OPERATOR = Account(username="", password_hash="", full_name="", role=Role.supervisor)
FIELDS = {label: getattr(Instrument, name) for name, label in LABELS.items()} | {
    KIND: Kind.code,
    DIVISION: Instrument.division_code,
}
# Headings that no column of the template has, so that an import leaves them alone.
READING: dict[str, Any] = {
    "器具项别": Category.name,
    "器具种别名称": Kind.name,
    "行政区划名称": Division.full_name,
    "状态": Instrument.status,
    "检定日期": Instrument.verified_on,
    "结论": Instrument.conclusion,
}
OWNER: dict[str, Any] = {"使用单位": Enterprise.name, "统一社会信用代码": Enterprise.credit_code}
FORMATS = {column.heading: column.format for column in COLUMNS} | {
    SYSTEM_ID: WHOLE,
    "检定日期": DAY,
}
NAMED: dict[str, Any] = {
    "enterprise_id": Enterprise,
    "category_id": Category,
    "kind_id": Kind,
    "division_code": Division,
}
SHOWN: dict[str, dict[Any, str]] = {
    "due": ledger.DUE,
    "quality": ledger_filters.FINDINGS,
    "is_placeless": {True: ""},
    "is_booked": {True: "是", False: "否"},
}
WIDTHS = {column.heading: column.width for column in COLUMNS} | {
    SYSTEM_ID: 12,
    KIND: 20,
    "器具种别名称": 28,
    "行政区划名称": 30,
    "使用单位": 30,
    "统一社会信用代码": 24,
}

Progress = Callable[[int], None]


def save(path: Path, filters: Filters, *, account_id: int | None, progress: Progress | None = None) -> int:
    """Write an export to `path` and note it in the audit log; the number of rows.

    Takes two transactions: one reads a single snapshot and keeps nobody waiting, one writes the log. No
    account means the operator of the server. Raises as `write` does; then `path` is as it was.
    """
    part = path.with_stem(f"{path.stem}.part")
    try:
        with engines.reading() as session:
            by = session.get_one(Account, account_id) if account_id else None
            count = write(session, part, filters, by=by, progress=progress)
            said = _in_words(session, filters)
        with engines.transaction() as session:
            audit.attribute(session, by=by, place="导出")
            kept = {"rows": count, "format": path.suffix.lower().lstrip(".")}
            audit.record(session, "导出台账", subject="instrument", after=kept, note=said)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def write(
    session: Session,
    path: Path,
    filters: Filters,
    *,
    by: Account | None,
    progress: Progress | None = None,
) -> int:
    """Write the rows that match and that `by` may see to `path`, the newest first; how many there are.

    The ending of `path` says .xlsx or .csv; `progress` hears the number of rows as it grows. Without `by`
    it is all rows, for the operator of the server. Raises Refused for another ending or a role without a
    ledger, NotFound for an enterprise that is not the asker's, OSError where the file cannot be written.
    """
    asker = by or OPERATOR
    check(session, filters, by=asker)
    columns = _columns(asker)
    rows = _counted(_rows(session, filters, columns, asker), progress)
    if path.suffix.lower() == ".csv":
        return export.write_csv(path, list(columns), rows)
    if path.suffix.lower() != ".xlsx":
        raise Refused("台账可以导出为 .xlsx 或 .csv，请改正文件名")
    return export.write_xlsx(
        path,
        TITLE,
        list(columns),
        rows,
        formats=[FORMATS.get(heading, TEXT) for heading in columns],
        widths=[WIDTHS.get(heading, 16) for heading in columns],
        title=TITLE,
        edition=reference.lists(session).stamp,
    )


def check(session: Session, filters: Filters, *, by: Account) -> None:
    """Raise Refused for a role without a ledger, NotFound for an enterprise that is not the owner's."""
    reach.allow(by, *OWNERS, *reach.BUREAU)
    if filters.enterprise_id and by.role in OWNERS:
        reach.enterprise(session, filters.enterprise_id, by)


def _columns(asker: Account) -> dict[str, Any]:
    """The headings, each with what stands below it; an owner knows who it is."""
    template = {column.heading: FIELDS[column.heading] for column in COLUMNS}
    is_one = asker.role == Role.enterprise
    return {SYSTEM_ID: Instrument.id} | template | READING | ({} if is_one else OWNER)


def _rows(
    session: Session, filters: Filters, columns: dict[str, Any], asker: Account
) -> Iterator[Sequence[export.Value]]:
    """The rows one after the other."""
    wanted = (
        sa.select(*columns.values())
        .select_from(Instrument)
        .join(Enterprise, col(Instrument.enterprise_id) == Enterprise.id)
        .join(Kind, col(Instrument.kind_id) == Kind.id, isouter=True)
        .join(Category, col(Kind.category_id) == Category.id, isouter=True)
        .join(Division, col(Instrument.division_code) == Division.code, isouter=True)
        .where(col(Instrument.id).in_(ledger.matching(session, filters, by=asker)))
        .order_by(col(Instrument.id).desc())
    )
    # A member of a list is written as the text it is.
    yield from session.execute(wanted.execution_options(yield_per=CHUNK))


def _counted(
    rows: Iterator[Sequence[export.Value]], progress: Progress | None
) -> Iterator[Sequence[export.Value]]:
    for count, row in enumerate(rows, start=1):
        yield row
        if progress and count % CHUNK == 0:
            progress(count)


def _in_words(session: Session, filters: Filters) -> str:
    """What a list was narrowed to, for the audit log."""
    said = [
        f"{ledger_filters.LABELS[field]} {_shown(session, field, value)}".strip()
        for field, value in asdict(filters).items()
        if value not in (None, "") and not (field == "is_placeless" and not value)
    ]
    return "；".join(said) or "全部"


def _shown(session: Session, field: str, value: Any) -> str:
    if field in NAMED:
        found = session.get(NAMED[field], value)
        return found.name if found else str(value)
    known = SHOWN.get(field, {})
    return known.get(value, str(value))
