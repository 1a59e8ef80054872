"""Leases: a piece of work is one process's own, until it says so again or the time is over."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from db import clock
from db.models import Lease


def take(session: Session, name: str, holder: str, until: datetime) -> bool:
    """Whether the work `name` is now `holder`'s (at most 32 characters) until that moment.

    One statement, so that of two processes only one has it, on SQLite and on PostgreSQL. Whoever has it may
    take it again to prolong it.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {"name": name, "holder": holder, "held_until": until}
    is_free = (col(Lease.held_until) <= clock.now()) | (col(Lease.holder) == holder)
    taken = insert(Lease).values(row).on_conflict_do_update(index_elements=["name"], set_=row, where=is_free)
    return session.execute(taken.returning(Lease.name)).first() is not None


def release(session: Session, name: str, holder: str) -> None:
    """Let others have the work at once; nothing happens unless it is `holder`'s."""
    here = (col(Lease.name) == name) & (col(Lease.holder) == holder)
    session.execute(sa.delete(Lease).where(here))


def is_free(session: Session, name: str) -> bool:
    """Whether nobody has the work at this moment."""
    held = sa.exists().where(col(Lease.name) == name, col(Lease.held_until) > clock.now())
    return not session.scalar(sa.select(held))
