"""Printed numbers without doubles."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from db import clock
from db.models import Counter


def take(session: Session, series: str, count: int = 1) -> range:
    """The next `count` numbers of `series`, from 1; taken back when the transaction is."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    fresh = insert(Counter).values(series=series, value=count)
    value = Counter.__table__.c.value  # type: ignore[attr-defined]
    step = fresh.on_conflict_do_update(index_elements=["series"], set_={"value": value + count})
    last = session.execute(step.returning(value)).scalar_one()
    return range(last - count + 1, last + 1)


def dated(session: Session, prefix: str) -> str:
    """The next number of today's series, such as YJ20261123-0001."""
    series = f"{prefix}{clock.today():%Y%m%d}"
    return f"{series}-{take(session, series)[0]:04}"
