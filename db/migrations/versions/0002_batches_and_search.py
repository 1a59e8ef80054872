"""batches, saved views, drafts, and the index of the search box

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("import_changes")
    op.drop_table("import_batches")
    _make_batches()
    _make_own_tables()
    with op.batch_alter_table("instrument_changes") as table:
        table.add_column(sa.Column("batch_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("version", sa.Integer(), nullable=True))
        table.create_foreign_key("fk_instrument_changes_batch_id", "batches", ["batch_id"], ["id"])
    where = sa.text("batch_id IS NOT NULL")
    op.create_index(
        "ix_instrument_changes_batch_id",
        "instrument_changes",
        ["batch_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
    with op.batch_alter_table("enterprises") as table:
        table.add_column(sa.Column("initials", AutoString(length=120), nullable=False, server_default=""))
    with op.batch_alter_table("enterprises") as table:
        table.alter_column("initials", server_default=None)
    with op.batch_alter_table("corrections") as table:
        table.add_column(sa.Column("before", sa.Date(), nullable=True))
    op.create_index("ix_corrections_status", "corrections", ["status", "requested_at"])
    where = sa.text("status = 'requested'")
    op.create_index(
        "uq_corrections_requested",
        "corrections",
        ["instrument_id"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    # With AUTOINCREMENT an id is never given out twice.
    with op.batch_alter_table(
        "instruments", recreate="auto", table_kwargs={"sqlite_autoincrement": True}
    ) as table:
        table.alter_column("search_text", type_=AutoString(length=1000), existing_nullable=False)
    _make_search()
    _make_indexes()


def _make_indexes() -> None:
    """The lists of a large ledger: narrowed by anything, for an area or an owner."""
    narrowed = ["status", "valid_until", "kind_id", "purpose", "delivery_mode", "origin", "conclusion"]
    op.drop_index("ix_instruments_division_code", "instruments")
    op.create_index(
        "ix_instruments_division_code", "instruments", ["division_code", *narrowed, "enterprise_id"]
    )
    op.create_index(
        "ix_instruments_owned", "instruments", ["enterprise_id", "id", *narrowed, "division_code"]
    )
    where = sa.text("conclusion = 'rejected'")
    op.create_index(
        "ix_instruments_rejected",
        "instruments",
        ["division_code"],
        sqlite_where=where,
        postgresql_where=where,
    )


def _make_batches() -> None:
    action = sa.Enum("imported", "set_together", name="batchaction", native_enum=False, length=40)
    statuses = ("submitted", "previewed", "applied", "undone", "failed", "discarded")
    status = sa.Enum(*statuses, name="batchstatus", native_enum=False, length=40)
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False, primary_key=True),
        sa.Column("enterprise_id", sa.Integer(), sa.ForeignKey("enterprises.id"), nullable=False),
        sa.Column("action", action, nullable=False),
        sa.Column("status", status, nullable=False),
        sa.Column("attachment_id", sa.Integer(), sa.ForeignKey("attachments.id"), nullable=True),
        sa.Column("returned_id", sa.Integer(), sa.ForeignKey("attachments.id"), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("note", AutoString(length=500), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=True),
    )
    op.create_index("ix_batches_enterprise_id", "batches", ["enterprise_id"])


def _make_own_tables() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False, primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("place", AutoString(length=40), nullable=False),
        sa.Column("name", AutoString(length=40), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("account_id", "place", "name", name="uq_saved_views_name"),
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), nullable=False, primary_key=True),
        sa.Column("account_id", sa.Integer(), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("place", AutoString(length=60), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.UniqueConstraint("account_id", "place", name="uq_drafts_place"),
    )


def _make_search() -> None:
    """Which instrument holds which pieces of text; `db.search` says how they are cut."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE instrument_search USING fts5"
            "(pieces, content='', detail=none, tokenize='ascii')"
        )
        return
    # A large import leaves its entries in a list: they are worked off when 10,000 rows are new, not 100,000.
    op.execute(
        "CREATE TABLE instrument_search (instrument_id integer PRIMARY KEY, pieces tsvector NOT NULL)"
        " WITH (autovacuum_analyze_threshold = 10000, autovacuum_analyze_scale_factor = 0)"
    )
    op.execute("CREATE INDEX ix_instrument_search_pieces ON instrument_search USING gin (pieces)")
