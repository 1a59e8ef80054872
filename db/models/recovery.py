"""How people get their accounts back, and prove a mobile number."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db import clock
from db.models.enums import CodePurpose, RecoveryKind, RecoveryStatus, named


class ConfirmationCode(SQLModel, table=True):
    """验证码: proves that whoever asks can read what is sent to `mobile`.

    Asked for with a name nobody has, it is kept all the same, with an empty number, so that tries and limits
    look alike. `asked_hash` is of what was typed; `code_hash` is of the code and the token that only the
    asker's session holds.
    """

    __tablename__ = "confirmation_codes"
    id: int = Field(default=None, primary_key=True)
    purpose: CodePurpose = Field(sa_type=named(CodePurpose))
    asked_hash: str = Field(max_length=64)
    mobile: str = Field(default="", max_length=11)
    account_id: int | None = Field(default=None, foreign_key="accounts.id", index=True)
    token_hash: str = Field(max_length=64, unique=True)
    code_hash: str = Field(max_length=64)
    address: str = Field(default="", max_length=60)
    created_at: datetime = Field(default_factory=clock.now)
    expires_at: datetime
    try_count: int = 0
    proven_at: datetime | None = None
    ended_at: datetime | None = None
    __table_args__ = (
        sa.Index("ix_confirmation_codes_asked_hash", "asked_hash", "created_at"),
        sa.Index("ix_confirmation_codes_mobile", "mobile", "created_at"),
        sa.Index("ix_confirmation_codes_address", "address", "created_at"),
    )


class Recovery(SQLModel, table=True):
    """找回申请: one member of staff asks for an account's new password or number, another one decides.

    `mobile` is the applicant's own number, and for a change the new one. `division_code` is the area the
    account belongs to; none means staff of everywhere. The applicant and the proof are kept for a time only.
    """

    __tablename__ = "recoveries"
    id: int = Field(default=None, primary_key=True)
    number: str = Field(max_length=24, unique=True)
    status: RecoveryStatus = Field(sa_type=named(RecoveryStatus))
    kind: RecoveryKind = Field(sa_type=named(RecoveryKind))
    account_id: int = Field(foreign_key="accounts.id", index=True)
    division_code: str | None = Field(default=None, foreign_key="divisions.code", max_length=6)
    applicant_name: str = Field(max_length=60)
    mobile: str = Field(max_length=11)
    mail: str = Field(default="", max_length=120)
    note: str = Field(default="", max_length=300)
    attachment_id: int | None = Field(default=None, foreign_key="attachments.id")
    requested_at: datetime = Field(default_factory=clock.now)
    requested_by_id: int = Field(foreign_key="accounts.id")
    decided_at: datetime | None = None
    __table_args__ = (
        sa.Index("ix_recoveries_status", "status", "requested_at"),
        sa.Index(
            "uq_recoveries_requested",
            "account_id",
            unique=True,
            sqlite_where=sa.text("status = 'requested'"),
            postgresql_where=sa.text("status = 'requested'"),
        ),
    )
