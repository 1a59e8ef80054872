"""Reference data as loaded: divisions, the catalog of kinds, editions, holidays, settings."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from catalog.divisions import Level
from catalog.kinds import VerificationMode
from db import clock
from db.models.enums import Dataset, named


class Edition(SQLModel, table=True):
    """One loaded edition of a reference table, and how far it may be trusted.

    It waits for its day until it is applied; the one applied last is in force.
    """

    __tablename__ = "editions"
    id: int = Field(default=None, primary_key=True)
    dataset: Dataset = Field(sa_type=named(Dataset), index=True)
    name: str = Field(max_length=120)
    is_official: bool = False
    note: str = Field(default="", max_length=500)
    digest: str = Field(max_length=64)
    effective_on: date
    loaded_at: datetime = Field(default_factory=clock.now)
    loaded_by_id: int | None = Field(default=None, foreign_key="accounts.id")
    applied_at: datetime | None = None
    canceled_at: datetime | None = None


class EditionContent(SQLModel, table=True):
    """What a bureau has loaded: the rows as checked, and the successors chosen for codes that are retired."""

    __tablename__ = "edition_contents"
    edition_id: int = Field(primary_key=True, foreign_key="editions.id")
    rows: list[dict[str, Any]] = Field(sa_type=sa.JSON)
    successors: dict[str, str] = Field(sa_type=sa.JSON)


class Division(SQLModel, table=True):
    """行政区划 (GB/T 2260). A retired code stays readable and names its successor where known."""

    __tablename__ = "divisions"
    code: str = Field(primary_key=True, max_length=6)
    name: str = Field(max_length=60)
    full_name: str = Field(max_length=120)
    level: Level = Field(sa_type=named(Level))
    parent_code: str | None = Field(default=None, foreign_key="divisions.code", max_length=6, index=True)
    retired_on: date | None = None
    successor_code: str | None = Field(default=None, foreign_key="divisions.code", max_length=6)


class Category(SQLModel, table=True):
    """项别."""

    __tablename__ = "categories"
    id: int = Field(default=None, primary_key=True)
    code: str = Field(max_length=12, unique=True)
    name: str = Field(max_length=120)


class Kind(SQLModel, table=True):
    """种别. Empty cells are cells no source gave; `interval_months` is the verification interval."""

    __tablename__ = "kinds"
    id: int = Field(default=None, primary_key=True)
    category_id: int = Field(foreign_key="categories.id", index=True)
    code: str = Field(max_length=12, unique=True)
    official_code: str | None = Field(default=None, max_length=12)
    name: str = Field(max_length=200)
    supervision: str = Field(default="", max_length=12)
    verification_mode: VerificationMode | None = Field(default=None, sa_type=named(VerificationMode))
    verification_mode_text: str = Field(default="", max_length=200)
    scope: str = Field(default="", max_length=500)
    interval_months: int | None = None
    limit_of_use_months: int | None = None
    regulations: str = Field(default="", max_length=200)
    source_grade: str = Field(default="", max_length=4)
    source: str = ""
    edition_id: int = Field(foreign_key="editions.id")
    retired_on: date | None = None
    successor_id: int | None = Field(default=None, foreign_key="kinds.id")


class SpecialDay(SQLModel, table=True):
    """A weekday off, or a weekend day worked (调休). A year without any is not published yet."""

    __tablename__ = "special_days"
    day: date = Field(primary_key=True)
    is_working: bool
    name: str = Field(default="", max_length=60)


class Setting(SQLModel, table=True):
    """A setting that differs from its default; `settings.py` knows names, types and defaults."""

    __tablename__ = "settings"
    name: str = Field(primary_key=True, max_length=60)
    value: Any = Field(sa_type=sa.JSON)
    changed_at: datetime = Field(default_factory=clock.now)
    changed_by_id: int | None = Field(default=None, foreign_key="accounts.id")


class Counter(SQLModel, table=True):
    """The last number given out in a series, so that printed numbers have no doubles."""

    __tablename__ = "counters"
    series: str = Field(primary_key=True, max_length=60)
    value: int = 0
