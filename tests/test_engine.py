"""One engine a process, and the two ways to use it."""

import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from db import engine as engines
from db.engine import PRAGMAS, engine, make_engine, reading, transaction, trial
from db.errors import Refused
from db.models import Counter, Link, LinkStatus


def value(session, series="A"):
    """The value of a counter as another session sees it."""
    return session.scalar(sa.select(Counter.value).where(Counter.series == series))


def test_the_database_is_named_by_the_environment(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://bureau@localhost/yuejian")
    assert engines.database_url() == "postgresql+psycopg://bureau@localhost/yuejian"
    monkeypatch.setenv("DATABASE_URL", "")
    assert engines.database_url() == "sqlite:///data/yuejian.db"
    monkeypatch.delenv("DATABASE_URL")
    assert engines.database_url() == "sqlite:///data/yuejian.db"


def test_a_process_has_one_engine(sqlite):
    assert engine() is engine()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root@localhost/x",
        "sqlite://",
        "postgresql+psycopg://x@y:z:1/a",
        "postgresql://x",
        "yuejian.db",
        "",
    ],
)
def test_any_other_database_is_refused(url):
    with pytest.raises(Refused, match="请写成 sqlite:///文件 或"):
        make_engine(url)


def test_the_folder_of_a_new_sqlite_file_is_made(tmp_path):
    made = make_engine(f"sqlite:///{tmp_path}/data/new/yuejian.db")
    with made.connect():
        assert (tmp_path / "data" / "new" / "yuejian.db").exists()
    made.dispose()


def test_sqlite_is_opened_with_the_settings_the_rules_rely_on(sqlite):
    expected = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30000, "foreign_keys": 1}
    expected["trusted_schema"] = 0
    assert len(PRAGMAS) == len(expected)
    with engine().connect() as connection:
        for name, setting in expected.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == setting


def test_a_transaction_is_kept_at_its_end(database):
    with transaction() as session:
        session.add(Counter(series="A", value=7))
    with reading() as session:
        assert value(session) == 7


def test_a_transaction_that_fails_leaves_nothing(database):
    with pytest.raises(Refused), transaction() as session:
        session.add(Counter(series="A", value=7))
        session.flush()
        raise Refused("不行")
    with reading() as session:
        assert value(session) is None


def test_records_can_be_read_after_the_transaction(database):
    with transaction() as session:
        counter = Counter(series="A", value=7)
        session.add(counter)
    assert counter.value == 7


def test_foreign_keys_are_enforced(database):
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(Link(account_id=77, credit_code="", enterprise_id=88, status=LinkStatus.requested))


def test_reading_writes_nothing(database):
    with transaction() as session:
        session.add(Counter(series="A", value=1))
    refusal = nullcontext() if database.startswith("sqlite") else pytest.raises(DBAPIError)
    with refusal, reading() as session:
        session.execute(sa.update(Counter).values(value=2))
    with reading() as session:
        assert value(session) == 1


def test_a_reader_keeps_its_snapshot_while_others_write(database):
    with transaction() as session:
        session.add(Counter(series="A", value=1))
    with reading() as reader:
        assert value(reader) == 1
        with transaction() as writer:
            writer.execute(sa.update(Counter).values(value=2))
        assert value(reader) == 1
    with reading() as reader:
        assert value(reader) == 2


def test_a_reader_does_not_wait_for_a_writer(database):
    seen = []

    def look():
        with reading() as session:
            seen.append(value(session))

    with transaction() as session:
        session.add(Counter(series="A", value=1))
        session.flush()
        reader = Thread(target=look)
        reader.start()
        reader.join(20)
    assert seen == [None]


def test_a_writer_of_sqlite_waits_for_another_process(sqlite):
    path = Path(sqlite.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO counters (series, value) VALUES ('A', 1)")
        done = []

        def write():
            with transaction() as session:
                done.append(value(session))

        writer = Thread(target=write)
        writer.start()
        writer.join(0.2)
        assert done == []
        other.execute("COMMIT")
        writer.join(20)
    assert done == [1]


def test_errors_of_the_database_name_no_values(database):
    with pytest.raises(IntegrityError) as error, transaction() as session:
        for _ in range(2):
            session.add(Counter(series="13800138000", value=1))
            session.flush()
            session.expunge_all()
    assert "hidden" in str(error.value)


def series(session) -> list[str]:
    """The counters but that of the audit log."""
    others = sa.select(Counter.series).where(Counter.series != "audit_entries")
    return sorted(session.scalars(others))


def test_a_trial_is_taken_back_and_what_came_before_stays(database):
    with transaction() as session:
        session.add(Counter(series="A", value=1))
        with trial(session):
            session.add(Counter(series="B", value=1))
            session.flush()
        with trial(session) as point:
            session.add(Counter(series="C", value=1))
            point.commit()
    with reading() as session:
        assert series(session) == ["A", "C"]


def test_a_trial_that_fails_leaves_the_session_usable(database):
    with transaction() as session:
        with pytest.raises(Refused), trial(session):
            session.add(Counter(series="A", value=1))
            raise Refused("不行")
        assert series(session) == []
