"""Who signs in, for whom, and since when."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db import clock
from db.models.enums import LinkStatus, RegistrationStatus, Role, named


class Enterprise(SQLModel, table=True):
    """使用单位: the owner of a ledger.

    `initials` are those of the pinyin of its name; `name_key` is what is alike in names (`search.name_key`).
    """

    __tablename__ = "enterprises"
    id: int = Field(default=None, primary_key=True)
    credit_code: str = Field(max_length=18, unique=True)
    name: str = Field(max_length=120, index=True)
    initials: str = Field(default="", max_length=120)
    name_key: str = Field(default="", max_length=120, index=True)
    division_code: str = Field(foreign_key="divisions.code", max_length=6, index=True)
    address: str = Field(default="", max_length=200)
    contact_name: str = Field(default="", max_length=60)
    mobile: str = Field(max_length=11)
    created_at: datetime = Field(default_factory=clock.now)


class Institution(SQLModel, table=True):
    """技术机构: verifies what it is authorized for."""

    __tablename__ = "institutions"
    id: int = Field(default=None, primary_key=True)
    code: str = Field(max_length=12, unique=True)
    name: str = Field(max_length=120, unique=True)
    division_code: str = Field(foreign_key="divisions.code", max_length=6)
    address: str = Field(default="", max_length=200)
    telephone: str = Field(default="", max_length=40)
    is_suspended: bool = False
    created_at: datetime = Field(default_factory=clock.now)


class Account(SQLModel, table=True):
    """Someone who signs in. `division_code` is the area a member of staff answers for; none means all."""

    __tablename__ = "accounts"
    id: int = Field(default=None, primary_key=True)
    username: str = Field(max_length=40, unique=True)
    password_hash: str = Field(max_length=100)
    role: Role = Field(sa_type=named(Role))
    full_name: str = Field(max_length=60)
    mobile: str = Field(default="", max_length=11, index=True)
    enterprise_id: int | None = Field(default=None, foreign_key="enterprises.id", index=True)
    institution_id: int | None = Field(default=None, foreign_key="institutions.id", index=True)
    division_code: str | None = Field(default=None, foreign_key="divisions.code", max_length=6)
    is_active: bool = True
    must_change_password: bool = False
    password_changed_at: datetime = Field(default_factory=clock.now)
    oidc_subject: str | None = Field(default=None, max_length=200, unique=True)
    created_at: datetime = Field(default_factory=clock.now)
    __table_args__ = (
        sa.CheckConstraint(
            "role != 'enterprise' OR enterprise_id IS NOT NULL", name="enterprise_account_has_enterprise"
        ),
        sa.CheckConstraint(
            "role != 'institution' OR institution_id IS NOT NULL", name="institution_account_has_institution"
        ),
    )


class SignIn(SQLModel, table=True):
    """One signed-in browser. Only hashes are stored; a ticket is exchanged once for the cookie's token.

    `previewed_id` is the account as which an administrator looks at the pages, without rights to change;
    `previewed_as` the role and place of one that is not there.
    """

    __tablename__ = "sign_ins"
    id: int = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", index=True)
    ticket_hash: str | None = Field(default=None, max_length=64, unique=True)
    token_hash: str | None = Field(default=None, max_length=64, unique=True)
    created_at: datetime = Field(default_factory=clock.now)
    seen_at: datetime = Field(default_factory=clock.now)
    expires_at: datetime
    ended_at: datetime | None = None
    address: str = Field(default="", max_length=60)
    agent: str = Field(default="", max_length=200)
    previewed_id: int | None = Field(default=None, foreign_key="accounts.id")
    previewed_as: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    # When it ends unless it is used before; a ticket that waits for a code cannot be exchanged.
    idle_at: datetime
    needs_code: bool = False


class Authenticator(SQLModel, table=True):
    """The app on somebody's telephone that makes the second factor; counts once its first code was given."""

    __tablename__ = "authenticators"
    id: int = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", unique=True)
    secret: str = Field(max_length=200)
    created_at: datetime = Field(default_factory=clock.now)
    confirmed_at: datetime | None = None
    last_step: int = 0


class SignInAttempt(SQLModel, table=True):
    """A try to sign in, kept to slow down guessing by name and by address."""

    __tablename__ = "sign_in_attempts"
    id: int = Field(default=None, primary_key=True)
    username: str = Field(max_length=40)
    address: str = Field(default="", max_length=60)
    at: datetime = Field(default_factory=clock.now)
    has_succeeded: bool = False
    __table_args__ = (
        sa.Index("ix_sign_in_attempts_username_at", "username", "at"),
        sa.Index("ix_sign_in_attempts_address_at", "address", "at"),
    )


class Attachment(SQLModel, table=True):
    """A stored file; its bytes lie under `data/attachments/` by their digest."""

    __tablename__ = "attachments"
    id: int = Field(default=None, primary_key=True)
    digest: str = Field(max_length=64, index=True)
    name: str = Field(max_length=200)
    media_type: str = Field(max_length=80)
    size: int
    created_at: datetime = Field(default_factory=clock.now)
    created_by_id: int | None = Field(default=None, foreign_key="accounts.id")


WAITS_WITH_CODE = sa.text("status IN ('submitted', 'sent_back') AND credit_code != ''")


class Registration(SQLModel, table=True):
    """企业注册 or 个人注册: an application for an account, by `role`.

    A person has no credit code, and `name` is the same as `contact_name`.
    """

    __tablename__ = "registrations"
    id: int = Field(default=None, primary_key=True)
    version: int = 1
    number: str = Field(max_length=24, unique=True)
    status: RegistrationStatus = Field(sa_type=named(RegistrationStatus))
    role: Role = Field(default=Role.enterprise, sa_type=named(Role))
    credit_code: str = Field(default="", max_length=18, index=True)
    name: str = Field(max_length=120)
    name_key: str = Field(default="", max_length=120, index=True)
    division_code: str = Field(foreign_key="divisions.code", max_length=6, index=True)
    mobile: str = Field(max_length=11, index=True)
    contact_name: str = Field(max_length=60)
    address: str = Field(default="", max_length=200)
    username: str = Field(max_length=40)
    password_hash: str = Field(max_length=100)
    is_urgent: bool = False
    licence_id: int | None = Field(default=None, foreign_key="attachments.id")
    submitted_at: datetime = Field(default_factory=clock.now)
    decided_at: datetime | None = None
    enterprise_id: int | None = Field(default=None, foreign_key="enterprises.id")
    __table_args__ = (
        sa.Index("ix_registrations_status_submitted_at", "status", "submitted_at"),
        sa.Index(
            "uq_registrations_waiting_credit_code",
            "credit_code",
            unique=True,
            sqlite_where=WAITS_WITH_CODE,
            postgresql_where=WAITS_WITH_CODE,
        ),
    )


IS_OPEN = sa.text("status IN ('requested', 'granted')")


class Link(SQLModel, table=True):
    """关联企业: a personal account may work for an enterprise.

    `credit_code` is what was asked for; there is no enterprise while nobody has registered the code.
    """

    __tablename__ = "links"
    id: int = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", index=True)
    credit_code: str = Field(max_length=18)
    enterprise_id: int | None = Field(default=None, foreign_key="enterprises.id", index=True)
    status: LinkStatus = Field(sa_type=named(LinkStatus))
    can_edit: bool = True
    can_book: bool = True
    requested_at: datetime = Field(default_factory=clock.now)
    __table_args__ = (
        sa.Index(
            "uq_links_open",
            "account_id",
            "enterprise_id",
            unique=True,
            sqlite_where=IS_OPEN,
            postgresql_where=IS_OPEN,
        ),
        # The first one lets everything pass that has no enterprise yet.
        sa.Index(
            "uq_links_open_credit_code",
            "account_id",
            "credit_code",
            unique=True,
            sqlite_where=IS_OPEN,
            postgresql_where=IS_OPEN,
        ),
    )
