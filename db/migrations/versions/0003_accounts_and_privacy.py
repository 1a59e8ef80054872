"""recovery, the outbox, sign-ins, links, the audit log's lock, editions that wait for their day

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from db import search

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# REPLACE removes a row without asking the trigger for removals. SQLite gives a new row without an id -1 here.
APPEND_ONLY_SQLITE = (
    "CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries"
    " BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END",
    "CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries"
    " BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END",
    "CREATE TRIGGER audit_entries_no_replace BEFORE INSERT ON audit_entries"
    " WHEN EXISTS (SELECT 1 FROM audit_entries WHERE id = NEW.id OR digest = NEW.digest)"
    " BEGIN SELECT RAISE(ABORT, 'audit_entries is append-only'); END",
)
APPEND_ONLY_POSTGRESQL = (
    "CREATE FUNCTION audit_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'audit_entries is append-only'; END $$",
    "CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_append_only()",
)


def upgrade() -> None:
    _registrations_and_links()
    _recovery_and_outbox()
    _sign_ins()
    _audit()
    _reference()


def _registrations_and_links() -> None:
    _add_registrations()
    _add_name_keys()
    op.drop_index("uq_registrations_waiting_credit_code", "registrations")
    where = sa.text("status IN ('submitted', 'sent_back') AND credit_code != ''")
    op.create_index(
        "uq_registrations_waiting_credit_code",
        "registrations",
        ["credit_code"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_index("ix_registrations_mobile", "registrations", ["mobile"])
    with op.batch_alter_table("links") as table:
        table.add_column(sa.Column("credit_code", AutoString(length=18), nullable=False, server_default=""))
        table.alter_column("enterprise_id", existing_type=sa.Integer(), nullable=True)
    op.execute(
        "UPDATE links SET credit_code ="
        " (SELECT credit_code FROM enterprises WHERE enterprises.id = links.enterprise_id)"
    )
    with op.batch_alter_table("links") as table:
        table.alter_column("credit_code", existing_type=AutoString(length=18), server_default=None)
    where = sa.text("status IN ('requested', 'granted')")
    op.create_index(
        "uq_links_open_credit_code",
        "links",
        ["account_id", "credit_code"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def _add_registrations() -> None:
    """Until now all registrations were those of enterprises."""
    roles = ("enterprise", "personal", "institution", "reviewer", "supervisor", "administrator")
    role = sa.Enum(*roles, name="role", native_enum=False, length=40)
    with op.batch_alter_table("registrations") as table:
        table.add_column(sa.Column("role", role, nullable=False, server_default="enterprise"))
    with op.batch_alter_table("registrations") as table:
        table.alter_column("role", existing_type=role, server_default=None)


def _add_name_keys() -> None:
    """What is alike in names, for those there are; `db.search.name_key` says how it is made."""
    for name in ("enterprises", "registrations"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("name_key", AutoString(length=120), nullable=False, server_default=""))
        named = sa.table(name, *(sa.column(field) for field in ("id", "name", "name_key")))
        for row in op.get_bind().execute(sa.select(named.c.id, named.c.name)).all():
            op.execute(named.update().where(named.c.id == row.id).values(name_key=search.name_key(row.name)))
        with op.batch_alter_table(name) as table:
            table.alter_column("name_key", existing_type=AutoString(length=120), server_default=None)
        op.create_index(f"ix_{name}_name_key", name, ["name_key"])


def _recovery_and_outbox() -> None:
    # Nothing has written to it so far.
    op.drop_table("notifications")
    _make_notifications()
    op.create_table(
        "leases",
        sa.Column("name", AutoString(length=40), nullable=False, primary_key=True),
        sa.Column("holder", AutoString(length=32), nullable=False),
        sa.Column("held_until", UTCDateTime(), nullable=False),
    )
    _make_confirmation_codes()
    _make_recoveries()


def _make_notifications() -> None:
    causes = ("code", "recovery", "registration", "link", "reminder")
    cause = sa.Enum(*causes, name="cause", native_enum=False, length=40)
    channel = sa.Enum("sms", "mail", name="channel", native_enum=False, length=40)
    op.create_table(
        "notifications",
        sa.Column("id", sa.Integer(), nullable=False, primary_key=True),
        sa.Column("key", AutoString(length=120), nullable=False, unique=True),
        sa.Column("reference", AutoString(length=32), nullable=False, unique=True),
        sa.Column("cause", cause, nullable=False),
        sa.Column("channel", channel, nullable=False),
        sa.Column("recipient", AutoString(length=120), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=True),
        sa.Column("division_code", AutoString(length=6), sa.ForeignKey("divisions.code"), nullable=True),
        sa.Column("title", AutoString(length=120), nullable=False),
        sa.Column("text", AutoString(length=1000), nullable=False),
        sa.Column("secret", AutoString(length=100), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("lease", AutoString(length=32), nullable=False),
        sa.Column("tried_at", UTCDateTime(), nullable=True),
        sa.Column("try_count", sa.Integer(), nullable=False),
        sa.Column("failure", AutoString(length=500), nullable=False),
        sa.Column("delivered_at", UTCDateTime(), nullable=True),
        sa.Column("given_up_at", UTCDateTime(), nullable=True),
        sa.Column("passed_on_at", UTCDateTime(), nullable=True),
        sa.Column("passed_on_by_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=True),
    )
    op.create_index("ix_notifications_account_id", "notifications", ["account_id"])
    op.create_index("ix_notifications_created_at", "notifications", ["created_at"])
    where = sa.text("delivered_at IS NULL AND given_up_at IS NULL AND passed_on_at IS NULL")
    op.create_index(
        "ix_notifications_due_at", "notifications", ["due_at"], sqlite_where=where, postgresql_where=where
    )
    where = sa.text("secret != ''")
    op.create_index(
        "ix_notifications_secret", "notifications", ["expires_at"], sqlite_where=where, postgresql_where=where
    )


def _make_confirmation_codes() -> None:
    purpose = sa.Enum("recovery", "mobile", name="codepurpose", native_enum=False, length=40)
    op.create_table(
        "confirmation_codes",
        sa.Column("id", sa.Integer(), nullable=False, primary_key=True),
        sa.Column("purpose", purpose, nullable=False),
        sa.Column("asked_hash", AutoString(length=64), nullable=False),
        sa.Column("mobile", AutoString(length=11), nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=True),
        sa.Column("token_hash", AutoString(length=64), nullable=False, unique=True),
        sa.Column("code_hash", AutoString(length=64), nullable=False),
        sa.Column("address", AutoString(length=60), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("try_count", sa.Integer(), nullable=False),
        sa.Column("proven_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
    )
    op.create_index("ix_confirmation_codes_account_id", "confirmation_codes", ["account_id"])
    for column in ("asked_hash", "mobile", "address"):
        op.create_index(f"ix_confirmation_codes_{column}", "confirmation_codes", [column, "created_at"])


def _make_recoveries() -> None:
    kind = sa.Enum("password", "mobile", name="recoverykind", native_enum=False, length=40)
    statuses = ("requested", "approved", "declined")
    status = sa.Enum(*statuses, name="recoverystatus", native_enum=False, length=40)
    op.create_table(
        "recoveries",
        sa.Column("id", sa.Integer(), nullable=False, primary_key=True),
        sa.Column("number", AutoString(length=24), nullable=False, unique=True),
        sa.Column("status", status, nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("division_code", AutoString(length=6), sa.ForeignKey("divisions.code"), nullable=True),
        sa.Column("applicant_name", AutoString(length=60), nullable=False),
        sa.Column("mobile", AutoString(length=11), nullable=False),
        sa.Column("mail", AutoString(length=120), nullable=False),
        sa.Column("note", AutoString(length=300), nullable=False),
        sa.Column("attachment_id", sa.Integer(), sa.ForeignKey("attachments.id"), nullable=True),
        sa.Column("requested_at", UTCDateTime(), nullable=False),
        sa.Column("requested_by_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
    )
    op.create_index("ix_recoveries_account_id", "recoveries", ["account_id"])
    op.create_index("ix_recoveries_status", "recoveries", ["status", "requested_at"])
    where = sa.text("status = 'requested'")
    op.create_index(
        "uq_recoveries_requested",
        "recoveries",
        ["account_id"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def _sign_ins() -> None:
    with op.batch_alter_table("accounts") as table:
        table.add_column(sa.Column("oidc_subject", AutoString(length=200), nullable=True))
        table.create_unique_constraint("accounts_oidc_subject_key", ["oidc_subject"])
    with op.batch_alter_table("sign_ins") as table:
        table.add_column(sa.Column("idle_at", UTCDateTime(), nullable=True))
        table.add_column(sa.Column("needs_code", sa.Boolean(), nullable=False, server_default=sa.false()))
    # The cookies have other names behind TLS: everybody signs in once more.
    op.execute("UPDATE sign_ins SET idle_at = seen_at")
    with op.batch_alter_table("sign_ins") as table:
        table.alter_column("idle_at", existing_type=UTCDateTime(), nullable=False)
        table.alter_column("needs_code", existing_type=sa.Boolean(), server_default=None)
    op.create_table(
        "authenticators",
        sa.Column("id", sa.Integer(), nullable=False, primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False, unique=True),
        sa.Column("secret", AutoString(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("confirmed_at", UTCDateTime(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
    )


def _audit() -> None:
    """Entries are added, and never changed or removed: by the database, whatever program is at it."""
    op.add_column(
        "audit_entries", sa.Column("operation", AutoString(length=16), nullable=False, server_default="")
    )
    op.add_column(
        "audit_entries", sa.Column("place", AutoString(length=60), nullable=False, server_default="")
    )
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject", "subject_id"])
    op.execute("INSERT INTO counters (series, value) SELECT 'audit_entries', count(*) FROM audit_entries")
    lock = APPEND_ONLY_SQLITE if op.get_bind().dialect.name == "sqlite" else APPEND_ONLY_POSTGRESQL
    for statement in lock:
        op.execute(statement)


def _reference() -> None:
    with op.batch_alter_table("editions") as table:
        table.add_column(sa.Column("loaded_by_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("applied_at", UTCDateTime(), nullable=True))
        table.add_column(sa.Column("canceled_at", UTCDateTime(), nullable=True))
        table.create_foreign_key("fk_editions_loaded_by_id", "accounts", ["loaded_by_id"], ["id"])
    op.execute("UPDATE editions SET applied_at = loaded_at")
    op.create_table(
        "edition_contents",
        sa.Column("edition_id", sa.Integer(), sa.ForeignKey("editions.id"), nullable=False, primary_key=True),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("successors", sa.JSON(), nullable=False),
    )
    with op.batch_alter_table("sign_ins") as table:
        table.add_column(sa.Column("previewed_id", sa.Integer(), nullable=True))
        table.create_foreign_key("fk_sign_ins_previewed_id", "accounts", ["previewed_id"], ["id"])
        table.add_column(sa.Column("previewed_as", sa.JSON(), nullable=True))
