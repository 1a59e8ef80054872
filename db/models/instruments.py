"""The ledger (台账) and the trace of every change to it."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db import clock
from db.models.enums import (
    BatchAction,
    BatchStatus,
    Conclusion,
    CorrectionStatus,
    DeliveryMode,
    InstrumentStatus,
    InstrumentType,
    Origin,
    Purpose,
    named,
)


class Instrument(SQLModel, table=True):
    """One row of an enterprise's ledger. `kind_id` and `division_code` may be missing in rows taken over.

    `verified_on` and `conclusion` repeat the newest verification, so that lists need not look for it.
    `search_text` is what `db.search` looks through. `batch_id` and `batch_row` are the import that added it
    and the row of its file: the first entry of its history. An id is never given out twice, so that nobody's
    old screen can change another instrument.
    """

    __tablename__ = "instruments"
    id: int = Field(default=None, primary_key=True)
    version: int = 1
    enterprise_id: int = Field(foreign_key="enterprises.id")
    name: str = Field(max_length=120)
    instrument_type: InstrumentType = Field(default=InstrumentType.working, sa_type=named(InstrumentType))
    kind_id: int | None = Field(default=None, foreign_key="kinds.id")
    specification: str = Field(default="", max_length=120)
    measuring_range: str = Field(default="", max_length=120)
    accuracy_class: str = Field(default="", max_length=60)
    serial_number: str = Field(max_length=60)
    manufacturer: str = Field(max_length=120)
    origin: Origin = Field(default=Origin.domestic, sa_type=named(Origin))
    division_code: str | None = Field(default=None, foreign_key="divisions.code", max_length=6)
    location: str = Field(default="", max_length=200)
    purchased_on: date | None = None
    quantity: int = 1
    purpose: Purpose = Field(sa_type=named(Purpose))
    delivery_mode: DeliveryMode = Field(sa_type=named(DeliveryMode))
    valid_until: date | None = None
    verified_on: date | None = None
    conclusion: Conclusion | None = Field(default=None, sa_type=named(Conclusion))
    remark: str = Field(default="", max_length=500)
    status: InstrumentStatus = Field(default=InstrumentStatus.in_use, sa_type=named(InstrumentStatus))
    search_text: str = Field(default="", max_length=1000)
    batch_id: int | None = Field(default=None, foreign_key="batches.id")
    batch_row: int | None = None
    created_at: datetime = Field(default_factory=clock.now)
    __table_args__ = (
        sa.CheckConstraint("quantity >= 1", name="quantity_is_positive"),
        sa.Index("ix_instruments_enterprise_id", "enterprise_id", "status", "valid_until"),
        # The ledger of one owner in the order of its pages, with all that lists are narrowed to.
        sa.Index(
            "ix_instruments_owned",
            *("enterprise_id", "id", "status", "valid_until", "kind_id", "purpose", "delivery_mode"),
            *("origin", "conclusion", "division_code"),
        ),
        sa.Index("ix_instruments_status_valid_until", "status", "valid_until", "division_code"),
        # The same for the area of a member of staff.
        sa.Index(
            "ix_instruments_division_code",
            *("division_code", "status", "valid_until", "kind_id", "purpose", "delivery_mode"),
            *("origin", "conclusion", "enterprise_id"),
        ),
        sa.Index("ix_instruments_kind_id", "kind_id", "division_code"),
        sa.Index("ix_instruments_identity", "enterprise_id", "serial_number"),
        sa.Index(
            "ix_instruments_rejected",
            "division_code",
            sqlite_where=sa.text("conclusion = 'rejected'"),
            postgresql_where=sa.text("conclusion = 'rejected'"),
        ),
        sa.Index(
            "ix_instruments_batch_id",
            "batch_id",
            sqlite_where=sa.text("batch_id IS NOT NULL"),
            postgresql_where=sa.text("batch_id IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )


class InstrumentChange(SQLModel, table=True):
    """What one act did to one instrument: `changes` maps a field to its old and new value.

    An act on many at once names its batch, and the version it left the instrument at.
    """

    __tablename__ = "instrument_changes"
    id: int = Field(default=None, primary_key=True)
    instrument_id: int = Field(foreign_key="instruments.id", index=True)
    at: datetime = Field(default_factory=clock.now)
    by_id: int | None = Field(default=None, foreign_key="accounts.id")
    action: str = Field(max_length=40)
    changes: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    note: str = Field(default="", max_length=500)
    batch_id: int | None = Field(default=None, foreign_key="batches.id")
    version: int | None = None
    __table_args__ = (
        sa.Index(
            "ix_instrument_changes_batch_id",
            "batch_id",
            sqlite_where=sa.text("batch_id IS NOT NULL"),
            postgresql_where=sa.text("batch_id IS NOT NULL"),
        ),
    )


class Correction(SQLModel, table=True):
    """更正申请: asks staff to change 有效期至, which is locked once saved, from `before` to `valid_until`."""

    __tablename__ = "corrections"
    id: int = Field(default=None, primary_key=True)
    instrument_id: int = Field(foreign_key="instruments.id", index=True)
    status: CorrectionStatus = Field(sa_type=named(CorrectionStatus))
    before: date | None = None
    valid_until: date | None = None
    reason: str = Field(max_length=500)
    attachment_id: int | None = Field(default=None, foreign_key="attachments.id")
    requested_at: datetime = Field(default_factory=clock.now)
    requested_by_id: int = Field(foreign_key="accounts.id")
    __table_args__ = (
        sa.Index("ix_corrections_status", "status", "requested_at"),
        sa.Index(
            "uq_corrections_requested",
            "instrument_id",
            unique=True,
            sqlite_where=sa.text("status = 'requested'"),
            postgresql_where=sa.text("status = 'requested'"),
        ),
    )


class Batch(SQLModel, table=True):
    """One act on many instruments of one ledger, kept so that it can be read again and undone.

    An import keeps its file (`attachment_id`), how it was read (`options`: columns chosen, whether the good
    rows go in without the bad), what it found (`totals` by outcome, the first `findings`), and the marked
    workbook (`returned_id`). `started_at` is set before the rows are written and stays when the process dies
    in the middle: then nothing was written.
    """

    __tablename__ = "batches"
    id: int = Field(default=None, primary_key=True)
    enterprise_id: int = Field(foreign_key="enterprises.id", index=True)
    action: BatchAction = Field(sa_type=named(BatchAction))
    status: BatchStatus = Field(sa_type=named(BatchStatus))
    attachment_id: int | None = Field(default=None, foreign_key="attachments.id")
    returned_id: int | None = Field(default=None, foreign_key="attachments.id")
    options: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    totals: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    findings: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    note: str = Field(default="", max_length=500)
    created_at: datetime = Field(default_factory=clock.now)
    created_by_id: int = Field(foreign_key="accounts.id")
    started_at: datetime | None = None


class SavedView(SQLModel, table=True):
    """A list as one account likes to see it: its filters, its columns in order, and a name."""

    __tablename__ = "saved_views"
    id: int = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id")
    place: str = Field(max_length=40)
    name: str = Field(max_length=40)
    filters: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    columns: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    is_default: bool = False
    __table_args__ = (sa.UniqueConstraint("account_id", "place", "name", name="uq_saved_views_name"),)


class Draft(SQLModel, table=True):
    """What an account has typed and not saved yet, so that a lost connection loses nothing."""

    __tablename__ = "drafts"
    id: int = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id")
    place: str = Field(max_length=60)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    changed_at: datetime = Field(default_factory=clock.now)
    __table_args__ = (sa.UniqueConstraint("account_id", "place", name="uq_drafts_place"),)
