"""Many rows at once, as fast as the engine takes them: executemany on SQLite, COPY on PostgreSQL.

Values are those of the models; each column's type turns them into what is stored, once for each value.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session


def insert(session: Session, model: Any, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert `rows`, each with a value for every one of `columns`, into the table of `model`."""
    if not rows:
        return
    table = model.__table__
    stored = list(zip(*map(_stored(session, table), columns, zip(*rows, strict=True)), strict=True))
    names = ", ".join(columns)
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", stored)
        return
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in stored:
            copy.write_row(row)


def _stored(session: Session, table: sa.Table) -> Callable[[str, Sequence[Any]], Sequence[Any]]:
    """Turns the values of one column into stored ones."""
    dialect = session.get_bind().dialect

    def column(name: str, values: Sequence[Any]) -> Sequence[Any]:
        kind = table.c[name].type
        convert = kind.dialect_impl(dialect).bind_processor(dialect)
        if convert is None:
            return values
        if isinstance(kind, sa.JSON):
            return [convert(value) for value in values]
        known = {value: convert(value) for value in set(values)}
        return [known[value] for value in values]

    return column


def ids(session: Session, model: Any, count: int) -> list[int]:
    """Ids for `count` new rows, in order, which nobody else will get."""
    table = model.__tablename__
    if session.get_bind().dialect.name == "sqlite":
        # The one writer is this transaction. AUTOINCREMENT notes the highest id ever used.
        noted = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table")
        last = session.scalar(noted, {"table": table}) or 0
        return list(range(last + 1, last + count + 1))
    sequence = f"pg_get_serial_sequence('{table}', 'id')"
    drawn = sa.text(f"SELECT nextval({sequence}) FROM generate_series(1, :count)")
    return sorted(session.scalars(drawn, {"count": count}))
