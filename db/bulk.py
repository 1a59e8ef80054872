"""Many rows at once, as fast as the engine takes them: executemany on SQLite, COPY on PostgreSQL.

Values are those of the models; each column's type turns them into what is stored, once for each value.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session, col

# In KiB; the second is enough for the search entries of an import of the largest size.
ROOM, PENDING, USUAL = 65_536, 262_144, 2_000
CHUNK = 5_000


def insert(session: Session, model: Any, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert `rows`, each with a value for every one of `columns`, into the table of `model`.

    PostgreSQL writes the first while the next are still being made: making them may not use the session.
    """
    table = model.__table__
    connection = session.connection()
    stored = (_all_stored(session, table, columns, chunk) for chunk in chunks(rows))
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        names = ", ".join(columns)
        for chunk in stored:
            connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", chunk)
        return
    _copy(session, table.name, columns, chain.from_iterable(stored))


def update(session: Session, model: Any, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Give rows of the table of `model` new values: each of `rows` begins with its id, then one for every one
    of `columns`. Objects of the session that stand for them keep their old values.
    """
    if not rows:
        return
    table = model.__table__
    stored = _all_stored(session, table, ("id", *columns), rows)
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        values = ", ".join(f"{name} = ?" for name in columns)
        own = [(*row[1:], row[0]) for row in stored]
        connection.exec_driver_sql(f"UPDATE {table.name} SET {values} WHERE id = ?", own)
        return
    names = ", ".join(("id", *columns))
    connection.exec_driver_sql(f"CREATE TEMP TABLE new_values AS SELECT {names} FROM {table.name} LIMIT 0")
    _copy(session, "new_values", ("id", *columns), stored)
    connection.exec_driver_sql("ANALYZE new_values")
    values = ", ".join(f"{name} = new_values.{name}" for name in columns)
    connection.exec_driver_sql(
        f"UPDATE {table.name} SET {values} FROM new_values WHERE {table.name}.id = new_values.id"
    )
    connection.exec_driver_sql("DROP TABLE new_values")


def chunks(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows, so many at a time as are worth one statement."""
    left = iter(rows)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def _copy(session: Session, name: str, columns: Sequence[str], stored: Iterable[tuple[Any, ...]]) -> None:
    cursor = session.connection().connection.cursor()
    with cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in stored:
            copy.write_row(row)


def among(session: Session, column: Any, ids: Sequence[int]) -> sa.ColumnElement[bool]:
    """Whether a column holds one of `ids`, however many there are: they travel as one parameter."""
    if session.get_bind().dialect.name == "sqlite":
        each = sa.func.json_each(json.dumps(list(ids)))
        return col(column).in_(sa.select(sa.column("value")).select_from(each))
    given: Any = sa.bindparam(None, list(ids), type_=ARRAY(sa.Integer), unique=True)
    return col(column) == sa.any_(given)


def _all_stored(
    session: Session, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Rows as the engine takes them, converted column by column."""
    return list(zip(*map(_stored(session, table), columns, zip(*rows, strict=True)), strict=True))


def _stored(session: Session, table: sa.Table) -> Callable[[str, Sequence[Any]], Sequence[Any]]:
    """Turns the values of one column into stored ones."""
    dialect = session.get_bind().dialect

    def column(name: str, values: Sequence[Any]) -> Sequence[Any]:
        kind = table.c[name].type
        convert = kind.dialect_impl(dialect).bind_processor(dialect)
        if convert is None:
            return values
        if isinstance(kind, sa.JSON):
            empty = convert({})
            return [convert(value) if value else empty for value in values]
        known = {value: convert(value) for value in set(values)}
        return [known[value] for value in values]

    return column


@contextmanager
def room(session: Session) -> Iterator[None]:
    """While many rows are written, give the engine the memory to sort their index entries.

    With SQLite's usual 2 MB the pages of the indexes would be written and read again and again. PostgreSQL
    keeps new entries of the search index in a list that autovacuum works off within a minute or so (the table
    asks it to); it would otherwise stop every 4 MB to do so itself.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        # Until the end of the transaction.
        connection.exec_driver_sql(f"SET LOCAL gin_pending_list_limit = {PENDING}")
        yield
        return
    connection.exec_driver_sql(f"PRAGMA cache_size = -{ROOM}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = -{USUAL}")


def ids(session: Session, model: Any, count: int) -> list[int]:
    """Ids for `count` new rows, in order, which nobody else will get."""
    table = model.__tablename__
    if session.get_bind().dialect.name == "sqlite":
        # The one writer is this transaction. AUTOINCREMENT notes the highest id ever used.
        noted = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table")
        last = session.scalar(noted, {"table": table}) or 0
        return list(range(last + 1, last + count + 1))
    sequence = f"pg_get_serial_sequence('{table}', 'id')"
    # One row of all: as many rows would take longer to fetch than to draw.
    drawn = sa.text(f"SELECT array_agg(nextval({sequence})) FROM generate_series(1, :count)")
    return sorted(session.scalar(drawn, {"count": count}) or [])
