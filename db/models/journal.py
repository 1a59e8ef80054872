"""What happened: moves through the workflow, audited acts, messages to people."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db import clock
from db.models.enums import Channel, Role, Subject, named


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
    """One audited act. Append-only; `digest` chains it to the entry before."""

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


class Notification(SQLModel, table=True):
    """A message in the outbox, written with its cause and delivered afterwards, once."""

    __tablename__ = "notifications"
    id: int = Field(default=None, primary_key=True)
    key: str = Field(max_length=120, unique=True)
    channel: Channel = Field(sa_type=named(Channel))
    recipient: str = Field(max_length=120)
    account_id: int | None = Field(default=None, foreign_key="accounts.id", index=True)
    title: str = Field(default="", max_length=120)
    text: str = Field(max_length=1000)
    created_at: datetime = Field(default_factory=clock.now)
    tried_at: datetime | None = None
    try_count: int = 0
    delivered_at: datetime | None = Field(default=None, index=True)
    failure: str = Field(default="", max_length=500)
