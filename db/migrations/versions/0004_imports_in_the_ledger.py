"""which import added an instrument, in the ledger itself instead of a row of history for each

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Hand-written notes aside.
PLACE = "CASE WHEN note LIKE '第 _% 行' THEN CAST(trim(note, '第 行') AS INTEGER) END"
ADDED = "action = '导入' AND batch_id IS NOT NULL AND CAST(changes AS VARCHAR) = '{}'"


def upgrade() -> None:
    # SQLite would write the whole table anew to name the reference.
    op.execute("ALTER TABLE instruments ADD COLUMN batch_id INTEGER REFERENCES batches (id)")
    op.add_column("instruments", sa.Column("batch_row", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE instruments SET batch_id = added.batch_id, batch_row = added.place FROM"
        f" (SELECT instrument_id, batch_id, {PLACE} AS place"
        f" FROM instrument_changes WHERE {ADDED}) AS added WHERE added.instrument_id = instruments.id"
    )
    op.execute(f"DELETE FROM instrument_changes WHERE {ADDED}")
    where = sa.text("batch_id IS NOT NULL")
    op.create_index(
        "ix_instruments_batch_id", "instruments", ["batch_id"], sqlite_where=where, postgresql_where=where
    )
