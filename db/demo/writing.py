"""Rows in bulk: numbered as they come, written table by table in the order of their references."""

from collections import Counter as Tally
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, exists, select

from db import search
from db.models import (
    Account,
    Appointment,
    AppointmentLine,
    Authorization,
    Counter,
    Enterprise,
    Institution,
    Instrument,
    InstrumentChange,
    Link,
    Receipt,
    Registration,
    StatusChange,
    Verification,
)

ORDER: tuple[Any, ...] = (
    Institution,
    Enterprise,
    Account,
    Authorization,
    Registration,
    Link,
    Instrument,
    InstrumentChange,
    Appointment,
    Receipt,
    AppointmentLine,
    Verification,
    StatusChange,
)
CHUNK = 10_000
# In KiB. With SQLite's usual 2 MB the pages of the indexes would be written again and again.
BULK_CACHE, USUAL_CACHE = 131_072, 2_000

Row = dict[str, Any]


def is_untouched(session: Session) -> bool:
    """Whether none of the tables written here holds a row."""
    return not any(session.scalar(select(exists().select_from(model))) for model in ORDER)


class Writer:
    """Collects rows and writes them in chunks; ids count from 1, so the tables must be empty."""

    def __init__(self, session: Session) -> None:
        """Write through `session`, which is left to its owner to commit."""
        self.session = session
        self.counts: Tally[Any] = Tally()
        self.numbers: Tally[str] = Tally()
        self._waiting: dict[Any, list[Row]] = {model: [] for model in ORDER}
        self._changes: list[Row] = []
        self._set_cache(BULK_CACHE)

    def add(self, model: Any, row: Row) -> int:
        """Take one row, under its own `id` or the next one; returns the id."""
        self.counts[model] += 1
        id = int(row.setdefault("id", self.counts[model]))
        self._waiting[model].append(row)
        if len(self._waiting[model]) >= CHUNK:
            self._write()
        return id

    def change(self, instrument_id: int, values: Row) -> None:
        """Set values of an instrument added before; every call names the same fields."""
        self._changes.append(
            {"at": instrument_id} | {f"new_{field}": value for field, value in values.items()}
        )
        if len(self._changes) >= CHUNK:
            self._write()

    def number(self, series: str) -> int:
        """The next number of a printed series, from 1."""
        self.numbers[series] += 1
        return self.numbers[series]

    def close(self) -> None:
        """Write what is left, and let later numbers and ids go on from here."""
        self._write()
        rows = [{"series": series, "value": value} for series, value in self.numbers.items()]
        if rows:
            self.session.execute(sa.insert(Counter.__table__), rows)  # type: ignore[attr-defined]
        if self.session.get_bind().dialect.name == "postgresql":
            for model in ORDER:
                _set_sequence(self.session, model.__tablename__)
        self._set_cache(USUAL_CACHE)

    def _write(self) -> None:
        for model, rows in self._waiting.items():
            if rows:
                self.session.execute(sa.insert(model.__table__), rows)
                if model is Instrument:
                    search.add(self.session, [(row["id"], row["search_text"]) for row in rows])
                rows.clear()
        if self._changes:
            self.session.execute(_update(self._changes[0]), self._changes)
            self._changes.clear()

    def _set_cache(self, size: int) -> None:
        if self.session.get_bind().dialect.name == "sqlite":
            self.session.execute(sa.text(f"PRAGMA cache_size = -{size}"))


def _update(names: Row) -> Any:
    table = Instrument.__table__  # type: ignore[attr-defined]
    values: Row = {name.removeprefix("new_"): sa.bindparam(name) for name in names if name != "at"}
    return sa.update(table).where(table.c.id == sa.bindparam("at")).values(values)


def _set_sequence(session: Session, table: str) -> None:
    last = session.scalar(sa.text(f"SELECT max(id) FROM {table}"))
    if last:
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        session.execute(sa.text(f"SELECT setval({sequence}, :last)"), {"last": last})
