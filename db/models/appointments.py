"""Authorizations, appointments (预约单), receipts and verifications."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db import clock
from db.models.enums import (
    OPEN,
    Conclusion,
    DeliveryMode,
    LineStatus,
    UnassignedReason,
    VerificationType,
    named,
)

IS_OPEN = sa.text("status IN ({})".format(", ".join(f"'{status.name}'" for status in OPEN)))


class Authorization(SQLModel, table=True):
    """授权项目: an institution may verify a kind, or a whole category, for an area and a time."""

    __tablename__ = "authorizations"
    id: int = Field(default=None, primary_key=True)
    version: int = 1
    institution_id: int = Field(foreign_key="institutions.id", index=True)
    division_code: str = Field(foreign_key="divisions.code", max_length=6, index=True)
    category_id: int | None = Field(default=None, foreign_key="categories.id", index=True)
    kind_id: int | None = Field(default=None, foreign_key="kinds.id", index=True)
    valid_from: date
    valid_until: date
    note: str = Field(default="", max_length=500)
    revoked_at: datetime | None = None
    created_at: datetime = Field(default_factory=clock.now)
    created_by_id: int | None = Field(default=None, foreign_key="accounts.id")
    __table_args__ = (
        sa.CheckConstraint("(category_id IS NULL) <> (kind_id IS NULL)", name="category_or_kind"),
        sa.CheckConstraint("valid_from <= valid_until", name="validity_in_order"),
    )


class Appointment(SQLModel, table=True):
    """预约单. Its status is derived from its lines and never stored."""

    __tablename__ = "appointments"
    id: int = Field(default=None, primary_key=True)
    number: str = Field(max_length=24, unique=True)
    enterprise_id: int = Field(foreign_key="enterprises.id", index=True)
    submitted_at: datetime = Field(default_factory=clock.now)
    submitted_by_id: int = Field(foreign_key="accounts.id")
    is_on_behalf: bool = False
    contact_name: str = Field(default="", max_length=60)
    mobile: str = Field(default="", max_length=11)
    note: str = Field(default="", max_length=500)


class Receipt(SQLModel, table=True):
    """回执 of an institution that accepted instruments of one appointment."""

    __tablename__ = "receipts"
    id: int = Field(default=None, primary_key=True)
    number: str = Field(max_length=24, unique=True)
    appointment_id: int = Field(foreign_key="appointments.id", index=True)
    institution_id: int = Field(foreign_key="institutions.id")
    issued_at: datetime = Field(default_factory=clock.now)
    issued_by_id: int = Field(foreign_key="accounts.id")
    note: str = Field(default="", max_length=500)


class AppointmentLine(SQLModel, table=True):
    """One instrument of an appointment, as it was when booked (`snapshot`, by ledger field).

    `planned_from`–`planned_until` is when to bring it in, or the visit; `due_on` the last lawful day
    of the verification, set when it begins.
    """

    __tablename__ = "appointment_lines"
    id: int = Field(default=None, primary_key=True)
    appointment_id: int = Field(foreign_key="appointments.id", index=True)
    instrument_id: int = Field(foreign_key="instruments.id", index=True)
    status: LineStatus = Field(sa_type=named(LineStatus))
    moved_at: datetime = Field(default_factory=clock.now)
    kind_id: int | None = Field(default=None, foreign_key="kinds.id")
    division_code: str | None = Field(default=None, foreign_key="divisions.code", max_length=6)
    delivery_mode: DeliveryMode = Field(sa_type=named(DeliveryMode))
    snapshot: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    institution_id: int | None = Field(default=None, foreign_key="institutions.id")
    unassigned_reason: UnassignedReason | None = Field(default=None, sa_type=named(UnassignedReason))
    receipt_id: int | None = Field(default=None, foreign_key="receipts.id")
    planned_from: date | None = None
    planned_until: date | None = None
    begun_on: date | None = None
    due_on: date | None = None
    __table_args__ = (
        sa.Index(
            "uq_appointment_lines_open_instrument",
            "instrument_id",
            unique=True,
            sqlite_where=IS_OPEN,
            postgresql_where=IS_OPEN,
        ),
        sa.Index("ix_appointment_lines_status", "status", "division_code", "institution_id"),
        sa.Index("ix_appointment_lines_institution_id", "institution_id", "status"),
    )


class Verification(SQLModel, table=True):
    """The recorded result of one line: a pass has a certificate number, a rejection a notice number."""

    __tablename__ = "verifications"
    id: int = Field(default=None, primary_key=True)
    line_id: int = Field(foreign_key="appointment_lines.id", unique=True)
    instrument_id: int = Field(foreign_key="instruments.id", index=True)
    institution_id: int = Field(foreign_key="institutions.id", index=True)
    verification_type: VerificationType = Field(sa_type=named(VerificationType))
    verified_on: date
    conclusion: Conclusion = Field(sa_type=named(Conclusion))
    certificate_number: str = Field(max_length=60, unique=True)
    regulation: str = Field(max_length=120)
    verifier: str = Field(max_length=60)
    checker: str = Field(max_length=60)
    measurement_standard: str = Field(default="", max_length=200)
    valid_until: date | None = None
    remark: str = Field(default="", max_length=500)
    attachment_id: int | None = Field(default=None, foreign_key="attachments.id")
    recorded_at: datetime = Field(default_factory=clock.now)
    recorded_by_id: int = Field(foreign_key="accounts.id")
