"""Editions whose day has come: what they change in the tables, in one transaction each."""

import logging
from collections.abc import Mapping
from threading import Event
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, insert, select, update

from db import assignment, audit, clock, edition_differences
from db import engine as engines
from db.edition_differences import Rows
from db.models import Category, Dataset, Division, Edition, EditionContent, Kind, Level, VerificationMode

# Seconds between two looks whether an edition's day has come.
EVERY = 60

log = logging.getLogger(__name__)


def is_waiting() -> sa.ColumnElement[bool]:
    """The editions that are neither applied nor canceled."""
    return col(Edition.applied_at).is_(None) & col(Edition.canceled_at).is_(None)


def waiting(dataset: Dataset | None = None) -> Any:
    """The editions that wait, of one table or of both, the earliest day first."""
    rows = select(Edition).where(is_waiting()).order_by(col(Edition.effective_on), col(Edition.id))
    return rows if dataset is None else rows.where(Edition.dataset == dataset)


def apply_due() -> int:
    """Apply the editions whose day has come; how many. Several processes may do so at once."""
    with engines.reading() as session:
        due = waiting().where(col(Edition.effective_on) <= clock.today())
        ids = [edition.id for edition in session.exec(due)]
    count = 0
    for edition_id in ids:
        with engines.transaction() as session:
            count += apply(session, edition_id)
    return count


def keep_applied(stop: Event) -> None:
    """`apply_due` each minute until `stop`; what fails is logged and tried again."""
    while not stop.wait(EVERY):
        try:
            apply_due()
        except Exception:
            log.exception("An edition could not be applied; the next try follows.")


def apply(session: Session, edition_id: int) -> bool:
    """Let an edition that waits take effect; False when it was applied or canceled already.

    What it no longer has is retired, never deleted. Lines without an institution are tried again.
    """
    here = is_waiting() & (col(Edition.id) == edition_id)
    if session.exec(update(Edition).where(here).values(applied_at=clock.now())).rowcount != 1:
        return False
    edition = session.get_one(Edition, edition_id)
    session.refresh(edition)
    content = session.get_one(EditionContent, edition_id)
    rows = {row["code"]: row for row in content.rows}
    now = edition_differences.in_force(session, edition.dataset)
    if edition.dataset == Dataset.divisions:
        _apply_divisions(session, edition, rows, content.successors)
    else:
        _apply_kinds(session, edition, rows, content.successors)
    session.flush()
    session.expire_all()
    assignment.run_again(session)
    _note(session, edition, now, rows)
    return True


def _note(session: Session, edition: Edition, now: Rows, rows: Rows) -> None:
    counts = {
        "added": len(rows.keys() - now.keys()),
        "changed": sum(
            bool(edition_differences.changes(edition.dataset, now[code], rows[code]))
            for code in rows.keys() & now.keys()
        ),
        "retired": len(now.keys() - rows.keys()),
    }
    audit.record(
        session,
        "基础数据版本生效",
        by=None,
        subject="edition",
        subject_id=edition.id,
        after=counts,
        note=f"{edition.dataset} {edition.name}",
    )


def _apply_divisions(session: Session, edition: Edition, rows: Rows, successors: Mapping[str, str]) -> None:
    values = [
        {**row, "level": Level[row["level"]], "retired_on": None, "successor_code": None}
        for row in rows.values()
    ]
    known = set(session.exec(select(Division.code)))
    # Codes sort a parent before what hangs below it.
    if fresh := [row for row in values if row["code"] not in known]:
        session.execute(insert(Division), fresh)
    if stay := [row for row in values if row["code"] in known]:
        session.execute(sa.update(Division), stay)
    gone = col(Division.code).in_(known - rows.keys()) & col(Division.retired_on).is_(None)
    session.execute(update(Division).where(gone).values(retired_on=edition.effective_on))
    for old, new in successors.items():
        led = (col(Division.code) == old) | (col(Division.successor_code) == old)
        session.execute(update(Division).where(led).values(successor_code=new))


def _apply_kinds(session: Session, edition: Edition, rows: Rows, successors: Mapping[str, str]) -> None:
    groups = _categories(session, rows)
    known = {kind.code: kind for kind in session.exec(select(Kind))}
    for code, row in rows.items():
        values = _kind_values(row) | {"category_id": groups[row["category_code"]], "edition_id": edition.id}
        if edition.is_official:
            values |= {"source_grade": "A", "source": edition.name}
        kind = known.pop(code, None)
        if kind is None:
            kind = Kind(code=code, **values)
        elif kind.verification_mode == values["verification_mode"] is not None:
            # The words of a source beside a mode that stays are kept.
            values.pop("verification_mode_text")
        session.add(kind.sqlmodel_update(values))
    session.flush()
    for kind in known.values():
        kind.retired_on = kind.retired_on or edition.effective_on
    session.flush()
    ids: dict[str, int] = dict(session.execute(sa.select(Kind.code, Kind.id)).all())
    for old, new in successors.items():
        led = (col(Kind.id) == ids[old]) | (col(Kind.successor_id) == ids[old])
        session.execute(update(Kind).where(led).values(successor_id=ids[new]))


def _categories(session: Session, rows: Rows) -> dict[str, int]:
    """The ids of the categories by code, made or renamed as the rows have them."""
    known = {row.code: row for row in session.exec(select(Category))}
    for row in rows.values():
        group = known.setdefault(row["category_code"], Category(code=row["category_code"], name=""))
        group.name = row["category"]
        session.add(group)
    session.flush()
    return {code: group.id for code, group in known.items()}


def _kind_values(row: Mapping[str, Any]) -> dict[str, Any]:
    own = ("name", "supervision", "verification_mode_text", "scope", "regulations")
    values = {name: row[name] for name in (*own, "interval_months", "limit_of_use_months")}
    mode = row["verification_mode"]
    return values | {
        "verification_mode": VerificationMode[mode] if mode else None,
        "retired_on": None,
        "successor_id": None,
    }
