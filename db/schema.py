"""The schema, by Alembic migrations, and the reference data that comes with it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlmodel import Session

from db import reference, workdays
from db.engine import engine
from db.errors import Refused

MIGRATIONS = Path(__file__).parent / "migrations"


def config() -> Config:
    """Alembic's configuration; there is no ini file."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


def head() -> str:
    """The newest revision the code knows."""
    return str(ScriptDirectory.from_config(config()).get_current_head())


def revision(connection: Connection) -> str | None:
    """The revision the database stands at, None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def _check_known(current: str | None) -> None:
    try:
        ScriptDirectory.from_config(config()).get_revision(current or "base")
    except CommandError:
        raise Refused(f"数据库的版本 {current} 比本程序新，请改用新版程序") from None


def upgrade(target: str = "head") -> None:
    """Create or upgrade the tables to `target` and load the reference data, all or nothing.

    Raises Refused for a database that a newer version of the product has upgraded.
    """
    with engine().begin() as connection:
        _check_known(revision(connection))
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, target)
        if revision(connection) == head():
            with Session(connection, join_transaction_mode="rollback_only") as session:
                reference.load(session)
                workdays.load(session)
                session.flush()
