"""Reference data in the database: divisions and the catalog of kinds, with their editions."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, insert, select

import catalog.divisions
import catalog.kinds
from catalog.files import Edition as ShippedEdition
from catalog.lists import Lists
from db import clock, reach
from db.models import Category, Dataset, Division, Edition, EditionContent, Kind, Level, VerificationMode


def load(session: Session) -> None:
    """Bring the shipped editions into the tables; what a bureau has loaded itself is left alone."""
    _load_divisions(session)
    _load_kinds(session)


def _is_loaded(session: Session, dataset: Dataset) -> bool:
    """Whether the bureau has loaded an edition of its own, which is left alone."""
    own = col(Edition.id).in_(select(EditionContent.edition_id)) | col(Edition.is_official)
    loaded = select(Edition.id).where(Edition.dataset == dataset, own, col(Edition.canceled_at).is_(None))
    return session.exec(loaded).first() is not None


def _load_divisions(session: Session) -> None:
    if _is_loaded(session, Dataset.divisions) or not _add_edition(
        session, Dataset.divisions, catalog.divisions.PATH.read_bytes(), catalog.divisions.EDITION
    ):
        return
    known = {row.code: row for row in session.exec(select(Division))}
    fresh = []
    for shipped in catalog.divisions.divisions():
        values = {
            "name": shipped.name,
            "level": shipped.level,
            "parent_code": shipped.parent_code,
            "full_name": catalog.divisions.full_name(shipped.code),
            "retired_on": None,
        }
        row = known.pop(shipped.code, None)
        if row is None:
            fresh.append({"code": shipped.code, **values})
        else:
            row.sqlmodel_update(values)
    if fresh:
        session.exec(insert(Division), params=fresh)
    for row in known.values():
        row.retired_on = row.retired_on or clock.today()


def _load_kinds(session: Session) -> None:
    if _is_loaded(session, Dataset.catalog):
        return
    edition = _add_edition(session, Dataset.catalog, catalog.kinds.PATH.read_bytes(), catalog.kinds.EDITION)
    if edition is None:
        return
    groups = {row.code: row for row in session.exec(select(Category))}
    known = {row.code: row for row in session.exec(select(Kind))}
    for shipped in catalog.kinds.kinds():
        group = groups.setdefault(shipped.category.code, Category(code=shipped.category.code, name=""))
        group.name = shipped.category.name
        session.add(group)
        session.flush()
        values = _kind_values(shipped) | {"category_id": group.id, "edition_id": edition.id}
        row = known.pop(shipped.code, None) or Kind(code=shipped.code, **values)
        row.sqlmodel_update(values)
        session.add(row)
    for row in known.values():
        row.retired_on = row.retired_on or clock.today()


def _kind_values(shipped: catalog.kinds.Kind) -> dict[str, Any]:
    return {
        "official_code": shipped.official_code,
        "name": shipped.name,
        "supervision": shipped.supervision,
        "verification_mode": shipped.verification_mode,
        "verification_mode_text": shipped.verification_mode_text or "",
        "scope": shipped.scope or "",
        "interval_months": shipped.interval_months,
        "limit_of_use_months": shipped.limit_of_use_months,
        "regulations": "；".join(shipped.regulations),
        "source_grade": shipped.best_source_grade,
        "source": shipped.source,
        "retired_on": None,
    }


def _add_edition(
    session: Session, dataset: Dataset, content: bytes, shipped: ShippedEdition
) -> Edition | None:
    """A new edition row, or None when exactly this file is the newest already."""
    digest = hashlib.sha256(content).hexdigest()
    newest = select(Edition).where(Edition.dataset == dataset).order_by(col(Edition.id).desc())
    row = session.exec(newest).first()
    if row and row.digest == digest:
        return None
    made = Edition(
        dataset=dataset,
        name=shipped.name,
        note=shipped.note,
        digest=digest,
        effective_on=shipped.dated_on or clock.today(),
        applied_at=clock.now(),
    )
    session.add(made)
    session.flush()
    return made


def editions(session: Session) -> list[Edition]:
    """Every edition loaded, the newest first."""
    return list(session.exec(select(Edition).order_by(col(Edition.id).desc())))


# Made once: every page asks for it.
NEWEST = (
    select(Edition)
    .where(col(Edition.dataset) == sa.bindparam("dataset"), col(Edition.applied_at).is_not(None))
    .order_by(col(Edition.applied_at).desc(), col(Edition.id).desc())
    .limit(1)
)


def edition(session: Session, dataset: Dataset) -> Edition:
    """The edition in force of one reference table."""
    return session.execute(NEWEST, {"dataset": dataset}).scalar_one()


@dataclass(frozen=True)
class KindRow:
    """A kind with its category, as screens list it; `interval_months` is None where no source gave it."""

    id: int
    code: str
    name: str
    category_id: int
    category: str
    verification_mode: VerificationMode | None
    scope: str
    interval_months: int | None
    limit_of_use_months: int | None
    regulations: str
    source_grade: str
    retired_on: date | None


def kinds(session: Session) -> list[KindRow]:
    """Every kind, the retired ones too, by category and code."""
    rows = session.execute(
        sa.select(
            Kind.id,
            Kind.code,
            Kind.name,
            Kind.category_id,
            col(Category.name).label("category"),
            Kind.verification_mode,
            Kind.scope,
            Kind.interval_months,
            Kind.limit_of_use_months,
            Kind.regulations,
            Kind.source_grade,
            Kind.retired_on,
        )
        .join(Category, Kind.category_id == Category.id)
        .order_by(Category.code, Kind.code)
    )
    return [KindRow(**row._mapping) for row in rows]


@dataclass(frozen=True)
class DivisionEntry:
    """A division as the administrator's list shows it; `successor` names what took its place."""

    code: str
    name: str
    full_name: str
    level: Level
    retired_on: date | None
    successor: str


def division_page(
    session: Session, *, text: str = "", under: str | None = None, number: int = 1, size: int = 100
) -> tuple[list[DivisionEntry], int]:
    """One page of divisions by code, the retired ones too, and the count of all that match.

    `text` is looked for in the full name, or is how the code begins; `under` is the code of an area.
    """
    matching = [sa.or_(col(Division.full_name).contains(text, autoescape=True), _begins(text))]
    if under is not None:
        matching.append(reach.within(Division.code, under))
    successor = aliased(Division)
    rows = session.execute(
        sa.select(Division, col(successor.full_name).label("successor"))
        .join(successor, col(Division.successor_code) == successor.code, isouter=True)
        .where(*matching)
        .order_by(col(Division.code))
        .limit(size)
        .offset((number - 1) * size)
    )
    total = session.scalar(sa.select(func.count()).select_from(Division).where(*matching)) or 0
    return [_division_entry(row.Division, row.successor) for row in rows], total


def _begins(text: str) -> sa.ColumnElement[bool]:
    return col(Division.code).startswith(text, autoescape=True)


def _division_entry(row: Division, successor: str | None) -> DivisionEntry:
    return DivisionEntry(row.code, row.name, row.full_name, row.level, row.retired_on, successor or "")


@dataclass(frozen=True)
class DivisionRow:
    """A division; `is_complete` when nothing lies below it, so that an address may stop there."""

    code: str
    name: str
    full_name: str
    parent_code: str | None
    is_connector: bool
    is_complete: bool


def divisions(session: Session) -> list[DivisionRow]:
    """Every division in force, by code."""
    rows = session.exec(
        select(Division).where(col(Division.retired_on).is_(None)).order_by(col(Division.code))
    ).all()
    parents = {row.parent_code for row in rows}
    return [
        DivisionRow(
            code=row.code,
            name=row.name,
            full_name=row.full_name,
            parent_code=row.parent_code,
            is_connector=row.name in catalog.divisions.CONNECTOR_NAMES
            and row.level == catalog.divisions.Level.prefecture,
            is_complete=row.code not in parents and row.name not in catalog.divisions.CONNECTOR_NAMES,
        )
        for row in rows
    ]


def lists(session: Session) -> Lists:
    """What is in force, as the import template and the downloads of the two lists show it."""
    kinds_in_force = (
        select(Kind, Category)
        .join(Category, col(Kind.category_id) == Category.id)
        .where(col(Kind.retired_on).is_(None))
        .order_by(Category.code, Kind.code)
    )
    divisions_in_force = (
        select(Division).where(col(Division.retired_on).is_(None)).order_by(col(Division.code))
    )
    return Lists(
        kinds=[_listed_kind(kind, category) for kind, category in session.exec(kinds_in_force)],
        divisions=[
            catalog.divisions.Division(row.code, row.name, row.level, row.parent_code)
            for row in session.exec(divisions_in_force)
        ],
        kind_edition=_listed_edition(edition(session, Dataset.catalog)),
        division_edition=_listed_edition(edition(session, Dataset.divisions)),
    )


def _listed_kind(kind: Kind, category: Category) -> catalog.kinds.Kind:
    return catalog.kinds.Kind(
        code=kind.code,
        official_code=kind.official_code,
        category=catalog.kinds.Category(category.code, category.name),
        name=kind.name,
        supervision=kind.supervision,
        verification_mode=kind.verification_mode,
        verification_mode_text=kind.verification_mode_text,
        scope=kind.scope,
        interval_months=kind.interval_months,
        limit_of_use_months=kind.limit_of_use_months,
        regulations=tuple(part for part in kind.regulations.split("；") if part),
        kind_wording="",
        best_source_grade=kind.source_grade,
        source=kind.source,
    )


def _listed_edition(row: Edition) -> ShippedEdition:
    return ShippedEdition(row.name, row.effective_on, row.note)
