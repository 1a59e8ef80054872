"""The ledger (台账) and the trace of every change to it."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db import clock
from db.models.enums import (
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
    search_text: str = Field(default="", max_length=700)
    created_at: datetime = Field(default_factory=clock.now)
    __table_args__ = (
        sa.CheckConstraint("quantity >= 1", name="quantity_is_positive"),
        sa.Index("ix_instruments_enterprise_id", "enterprise_id", "status", "valid_until"),
        sa.Index("ix_instruments_status_valid_until", "status", "valid_until", "division_code"),
        sa.Index("ix_instruments_division_code", "division_code", "status", "valid_until"),
        sa.Index("ix_instruments_kind_id", "kind_id", "division_code"),
        sa.Index("ix_instruments_identity", "enterprise_id", "serial_number"),
    )


class InstrumentChange(SQLModel, table=True):
    """What one act did to one instrument: `changes` maps a field to its old and new value."""

    __tablename__ = "instrument_changes"
    id: int = Field(default=None, primary_key=True)
    instrument_id: int = Field(foreign_key="instruments.id", index=True)
    at: datetime = Field(default_factory=clock.now)
    by_id: int | None = Field(default=None, foreign_key="accounts.id")
    action: str = Field(max_length=40)
    changes: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    note: str = Field(default="", max_length=500)


class Correction(SQLModel, table=True):
    """更正申请: asks staff to change a value that is locked once saved."""

    __tablename__ = "corrections"
    id: int = Field(default=None, primary_key=True)
    instrument_id: int = Field(foreign_key="instruments.id", index=True)
    status: CorrectionStatus = Field(sa_type=named(CorrectionStatus))
    valid_until: date | None = None
    reason: str = Field(max_length=500)
    attachment_id: int | None = Field(default=None, foreign_key="attachments.id")
    requested_at: datetime = Field(default_factory=clock.now)
    requested_by_id: int = Field(foreign_key="accounts.id")


class ImportBatch(SQLModel, table=True):
    """One upload of a workbook into one ledger, kept so that it can be read again and undone."""

    __tablename__ = "import_batches"
    id: int = Field(default=None, primary_key=True)
    enterprise_id: int = Field(foreign_key="enterprises.id", index=True)
    attachment_id: int = Field(foreign_key="attachments.id")
    status: BatchStatus = Field(sa_type=named(BatchStatus))
    totals: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    created_at: datetime = Field(default_factory=clock.now)
    created_by_id: int = Field(foreign_key="accounts.id")


class ImportChange(SQLModel, table=True):
    """What a batch did to one instrument; `before` is empty for a row it added."""

    __tablename__ = "import_changes"
    id: int = Field(default=None, primary_key=True)
    batch_id: int = Field(foreign_key="import_batches.id", index=True)
    instrument_id: int = Field(foreign_key="instruments.id", index=True)
    before: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    version: int
