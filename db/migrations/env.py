"""Alembic's entry: the connection comes from `db.schema`, or from the engine on the command line."""

from alembic import context
from sqlmodel import SQLModel

import db.models  # noqa: F401  (fills the metadata)
from db.engine import engine


def run(connection):
    """Migrate over one connection; SQLite copies a table to change it, PostgreSQL alters it."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with engine().begin() as connection:
        run(connection)
