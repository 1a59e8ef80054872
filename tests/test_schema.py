"""The schema by its migrations, and the models that must agree with it."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel, func, select

import db.models as models
from db import clock, reference, schema, search
from db import engine as engines
from db.errors import Refused
from db.models import Dataset, Division, Edition, Kind, SpecialDay
from tests import postgres

REVISIONS = [script.revision for script in ScriptDirectory.from_config(schema.config()).walk_revisions()]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def empty(request, tmp_path, bind):
    """An empty database, on SQLite and on PostgreSQL in turn."""
    if request.param == "sqlite":
        yield bind(f"sqlite:///{tmp_path}/empty.db")
    else:
        with postgres.database(request.getfixturevalue("postgres_server")) as url:
            yield bind(url)


def standing():
    """The revision of the database."""
    with engines.engine().connect() as connection:
        return schema.revision(connection)


def size(session, model):
    """How many rows a table has."""
    return session.scalar(select(func.count()).select_from(model))


def test_there_is_one_line_of_revisions_with_the_head_at_its_end():
    assert schema.head() == REVISIONS[0]
    assert REVISIONS[-1] == "0001"
    assert len(ScriptDirectory.from_config(schema.config()).get_heads()) == 1


def test_an_empty_database_stands_nowhere(empty):
    assert standing() is None


def test_an_upgrade_makes_the_tables_and_loads_the_reference_data(empty):
    schema.upgrade()
    assert standing() == schema.head()
    with engines.reading() as session:
        assert size(session, Kind) == 29
        assert size(session, Division) > 3000
        assert size(session, SpecialDay) > 60
        assert {row.dataset for row in reference.editions(session)} == set(Dataset)


def test_a_second_upgrade_changes_nothing(empty):
    schema.upgrade()
    with engines.reading() as session:
        before = {model: size(session, model) for model in (Kind, Division, SpecialDay, Edition)}
    schema.upgrade()
    with engines.reading() as session:
        assert {model: size(session, model) for model in before} == before


@pytest.mark.parametrize("released", REVISIONS)
def test_every_released_revision_is_upgraded(empty, released):
    schema.upgrade(released)
    assert standing() == released
    schema.upgrade()
    assert standing() == schema.head()
    with engines.reading() as session:
        assert size(session, Kind) == 29


def test_models_and_migrations_agree(empty):
    schema.upgrade()
    with engines.engine().connect() as connection:
        # The index of the search box is no table of a model.
        opts = {
            "compare_type": True,
            "include_name": lambda name, *_: not (name or "").startswith(search.TABLE),
        }
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, SQLModel.metadata) == []


def test_constraints_of_the_models_are_in_the_database(empty):
    schema.upgrade()
    inspector = sa.inspect(engines.engine())
    for table in SQLModel.metadata.sorted_tables:
        wanted = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
        found = {check["name"] for check in inspector.get_check_constraints(table.name)}
        assert wanted <= found, table.name
        unique = {index.name for index in table.indexes if index.unique}
        made = {index["name"] for index in inspector.get_indexes(table.name) if index["unique"]}
        assert unique <= made, table.name


def test_an_open_line_of_one_instrument_is_unique_in_the_database(empty):
    schema.upgrade()
    (index,) = (
        index
        for index in sa.inspect(engines.engine()).get_indexes("appointment_lines")
        if index["name"] == "uq_appointment_lines_open_instrument"
    )
    dialect = engines.engine().dialect.name
    where = str(index["dialect_options"][f"{dialect}_where"])
    assert all(status.name in where for status in models.OPEN)


def test_a_failed_upgrade_leaves_nothing(empty, monkeypatch):
    def fail(session):
        raise OSError("disk full")

    monkeypatch.setattr(reference, "load", fail)
    with pytest.raises(OSError, match="disk full"):
        schema.upgrade()
    assert standing() is None
    assert sa.inspect(engines.engine()).get_table_names() in ([], ["alembic_version"])


def test_a_database_of_a_newer_version_is_left_alone(empty):
    schema.upgrade()
    with engines.engine().begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="数据库的版本 9999 比本程序新"):
        schema.upgrade()


def test_every_table_has_a_model_that_can_be_imported_from_one_place():
    tables = {getattr(getattr(models, name), "__tablename__", None) for name in models.__all__} - {None}
    assert tables == set(SQLModel.metadata.tables)


def test_moments_keep_their_zone(session):
    edition = session.exec(select(Edition)).first()
    session.expire_all()
    assert edition.loaded_at.utcoffset() == timedelta(0)


def test_an_instrument_imported_before_keeps_its_import(empty):
    schema.upgrade("0003")
    with engines.engine().begin() as connection:
        old_row(connection, "divisions", level="province")
        for table in ("enterprises", "accounts", "batches"):
            old_row(connection, table)
        acts = ((1, "导入", 1, "第 17 行"), (2, "导入", 1, ""), (3, "新增", None, ""))
        for number, action, batch, note in acts:
            old_row(connection, "instruments", id=number)
            act = {"action": action, "batch_id": batch, "note": note}
            old_row(connection, "instrument_changes", id=number, instrument_id=number, **act)
        changed = {"name": ["水表", "压力表"]}
        old_row(connection, "instrument_changes", id=4, action="导入", batch_id=1, changes=changed)
    schema.upgrade()
    with engines.reading() as session:
        added, unplaced, typed = session.execute(
            sa.text("SELECT batch_id, batch_row FROM instruments ORDER BY id")
        ).all()
        left = session.scalars(sa.text("SELECT action FROM instrument_changes ORDER BY id")).all()
    assert (tuple(added), tuple(unplaced), tuple(typed)) == ((1, 17), (1, None), (None, None))
    assert left == ["新增", "导入"]


def old_row(connection, name, **values):
    """A row of a table as it was, with something in every column that needs a value."""
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    fillers = {str: "x", int: 1, bool: True, datetime: clock.now()}
    needed = {each.name: fillers.get(each.type.python_type, {}) for each in table.c if not each.nullable}
    connection.execute(table.insert(), needed | values)
