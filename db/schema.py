"""The schema, by Alembic migrations, and the reference data that comes with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlmodel import Session

from db import reference, search, workdays
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
    with _unchecked() as connection, connection.begin():
        _check_known(revision(connection))
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, target)
        _check_references(connection)
        if revision(connection) == head():
            with Session(connection, join_transaction_mode="rollback_only") as session:
                reference.load(session)
                workdays.load(session)
                search.load(session)
                session.flush()


@contextmanager
def _unchecked() -> Iterator[Connection]:
    """A connection on which SQLite does not follow references.

    To change a table, SQLite makes a new one and drops the old: with references checked that is refused, and
    the setting cannot be changed within a transaction.
    """
    with engine().connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        driver: Any = connection.connection.driver_connection
        if is_sqlite:
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            if is_sqlite:
                driver.execute("PRAGMA foreign_keys=ON")


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise Refused("升级后有记录引用了不存在的数据，升级已取消，请先运行 python -m db check")
