"""What happened: moves through the workflow, audited acts, messages to people."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db import clock
from db.models.enums import Cause, Channel, Role, Subject, named

OUTSTANDING = "delivered_at IS NULL AND given_up_at IS NULL AND passed_on_at IS NULL"


class StatusChange(SQLModel, table=True):
    """One move through the workflow table. Statuses are member names; `by_id` is empty for the system."""

    __tablename__ = "status_changes"
    id: int = Field(default=None, primary_key=True)
    subject: Subject = Field(sa_type=named(Subject))
    subject_id: int
    action: str = Field(max_length=40)
    source: str | None = Field(default=None, max_length=40)
    target: str = Field(max_length=40)
    at: datetime = Field(default_factory=clock.now)
    by_id: int | None = Field(default=None, foreign_key="accounts.id")
    institution_id: int | None = Field(default=None, foreign_key="institutions.id")
    note: str = Field(default="", max_length=500)
    __table_args__ = (sa.Index("ix_status_changes_subject", "subject", "subject_id", "id"),)


class AuditEntry(SQLModel, table=True):
    """One audited act. Append-only; `digest` chains it to the entry before.

    Entries of one transaction share their `operation`; `place` is the page it was done on.
    """

    __tablename__ = "audit_entries"
    id: int = Field(default=None, primary_key=True)
    at: datetime = Field(default_factory=clock.now, index=True)
    account_id: int | None = Field(default=None, foreign_key="accounts.id", index=True)
    role: Role | None = Field(default=None, sa_type=named(Role))
    address: str = Field(default="", max_length=60)
    action: str = Field(max_length=60, index=True)
    subject: str = Field(default="", max_length=40)
    subject_id: int | None = None
    before: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON)
    after: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON)
    is_refused: bool = False
    note: str = Field(default="", max_length=500)
    previous_digest: str = Field(default="", max_length=64)
    digest: str = Field(max_length=64, unique=True)
    operation: str = Field(default="", max_length=16)
    place: str = Field(default="", max_length=60)
    __table_args__ = (sa.Index("ix_audit_entries_subject", "subject", "subject_id"),)


class Notification(SQLModel, table=True):
    """A message in the outbox, written with its cause and delivered, or passed on by telephone, once.

    A worker that takes it moves `due_at` beyond the time it may need and leaves its mark in `lease`. The
    gateway knows the message by `reference`, so that a second try is no second message. `text` says {secret}
    where the code or password goes, which is kept apart and wiped as soon as it is delivered or worthless.
    `division_code` is the area whose staff may pass it on; none means staff of everywhere.
    """

    __tablename__ = "notifications"
    id: int = Field(default=None, primary_key=True)
    key: str = Field(max_length=120, unique=True)
    reference: str = Field(max_length=32, unique=True)
    cause: Cause = Field(sa_type=named(Cause))
    channel: Channel = Field(sa_type=named(Channel))
    recipient: str = Field(max_length=120)
    account_id: int | None = Field(default=None, foreign_key="accounts.id", index=True)
    division_code: str | None = Field(default=None, foreign_key="divisions.code", max_length=6)
    title: str = Field(default="", max_length=120)
    text: str = Field(max_length=1000)
    secret: str = Field(default="", max_length=100)
    created_at: datetime = Field(default_factory=clock.now, index=True)
    expires_at: datetime
    due_at: datetime = Field(default_factory=clock.now)
    lease: str = Field(default="", max_length=32)
    tried_at: datetime | None = None
    try_count: int = 0
    failure: str = Field(default="", max_length=500)
    delivered_at: datetime | None = None
    given_up_at: datetime | None = None
    passed_on_at: datetime | None = None
    passed_on_by_id: int | None = Field(default=None, foreign_key="accounts.id")
    __table_args__ = (
        sa.Index(
            "ix_notifications_due_at",
            "due_at",
            sqlite_where=sa.text(OUTSTANDING),
            postgresql_where=sa.text(OUTSTANDING),
        ),
        sa.Index(
            "ix_notifications_secret",
            "expires_at",
            sqlite_where=sa.text("secret != ''"),
            postgresql_where=sa.text("secret != ''"),
        ),
    )


class Lease(SQLModel, table=True):
    """Which process has a piece of work to itself, and until when."""

    __tablename__ = "leases"
    name: str = Field(primary_key=True, max_length=40)
    holder: str = Field(max_length=32)
    held_until: datetime
