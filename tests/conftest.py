"""What every test starts from: a fresh database on each engine, at a fixed moment."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlmodel import Session
from streamlit.components.v2 import manifest_scanner

from db import audit, ledger_finder, passwords, schema
from db import engine as engines
from db.models import Institution, Role
from tests import browser, make, postgres, spoken

NOW = "2026-11-23T09:30:00+08:00"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the server's log to a failing browser test."""
    report = yield
    browser.add_logs(report)
    return report


@pytest.fixture(autouse=True)
def moment(monkeypatch):
    """Monday, 23 November 2026, half past nine in the morning."""
    monkeypatch.setenv("YUEJIAN_NOW", NOW)


@pytest.fixture(autouse=True)
def told_in_chinese(monkeypatch):
    """Whatever a test puts into the audit log, the page has Chinese words for."""
    record = audit.record

    def checked(session, action, **values):
        assert spoken.unnamed(action, **values) == set()
        record(session, action, **values)

    monkeypatch.setattr(audit, "record", checked)


@pytest.fixture
def later(monkeypatch):
    """Sets the clock so many hours after the moment the tests start from."""

    def move(hours: float):
        moment = datetime.fromisoformat(NOW) + timedelta(hours=hours)
        monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())

    return move


@pytest.fixture(scope="session", autouse=True)
def components_looked_for_once():
    """Streamlit would read the metadata of every package for each page that a test opens: half a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests)
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def kept_files(tmp_path_factory):
    """A folder for the files of records, away from those of the product."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YUEJIAN_FILES", str(tmp_path_factory.mktemp("files")))
        yield


@contextmanager
def bound(url: str) -> Iterator[str]:
    """Make `url` the database of this process, for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        engines.engine.cache_clear()
        yield url
        if engines.engine.cache_info().currsize:
            engines.engine().dispose()
        engines.engine.cache_clear()


def upgraded(url: str) -> None:
    """Make the tables and load the reference data, as of the day of the tests."""
    with bound(url), pytest.MonkeyPatch.context() as patch:
        patch.setenv("YUEJIAN_NOW", NOW)
        schema.upgrade()


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A migrated SQLite file with the reference data, to be copied for each test."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    upgraded(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """One PostgreSQL server with a migrated template database, for the whole run of this worker."""
    with postgres.server() as url, postgres.database(url) as template_url:
        upgraded(template_url)
        yield template_url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def dialect(request) -> str:
    """Each engine in turn."""
    return request.param


@pytest.fixture
def database(dialect, request) -> Iterator[str]:
    """The URL of a fresh, migrated database, on SQLite and on PostgreSQL in turn."""
    if dialect == "sqlite":
        yield request.getfixturevalue("sqlite")
        return
    template_url = request.getfixturevalue("postgres_server")
    _, name = template_url.rsplit("/", 1)
    with postgres.database(template_url, template=name) as url, bound(url):
        yield url


@pytest.fixture
def sqlite(tmp_path, template) -> Iterator[str]:
    """The URL of a fresh, migrated SQLite database, where one engine is enough."""
    path = tmp_path / "test.db"
    path.write_bytes(template.read_bytes())
    with bound(f"sqlite:///{path}") as url:
        yield url


@pytest.fixture(scope="session")
def untouched_sqlite(tmp_path_factory, template) -> str:
    """The URL of a migrated SQLite database that no test commits to."""
    path = tmp_path_factory.mktemp("untouched") / "test.db"
    path.write_bytes(template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def untouched_postgresql(postgres_server) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database that no test commits to."""
    _, name = postgres_server.rsplit("/", 1)
    with postgres.database(postgres_server, template=name) as url:
        yield url


@pytest.fixture
def bind() -> Iterator[Callable[[str], str]]:
    """Binds this process to a database by its URL, until the end of the test."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(bound(url))


@pytest.fixture
def session(dialect, request) -> Iterator[Session]:
    """A writing session, rolled back at the end.

    A test that commits asks for `database` too, and has one of its own; the others share one.
    """
    with ExitStack() as stack:
        if "database" in request.fixturenames:
            request.getfixturevalue("database")
        else:
            stack.enter_context(bound(request.getfixturevalue(f"untouched_{dialect}")))
            event.listen(engines.engine(), "commit", _refuse_commit)
        yield stack.enter_context(Session(engines.engine(), expire_on_commit=False))


@pytest.fixture
def owner(session):
    """The account of the boiler works."""
    return make.make_account(session)


@pytest.fixture
def clerk(session):
    """A clerk of the district's institution, which is authorized for pressure gauges."""
    account = make.make_account(session, Role.institution)
    make.make_authorization(session, session.get(Institution, account.institution_id))
    return account


@pytest.fixture
def reviewer(session):
    """Who decides the registrations of 杭州."""
    return make.make_account(session, Role.reviewer, full_name="周晓雯")


@pytest.fixture
def quick(monkeypatch):
    """Hashing as fast as bcrypt goes."""
    monkeypatch.setattr(passwords, "COST", 4)


@pytest.fixture(params=["near", "halfway", "far"])
def reached(request, monkeypatch):
    """Found next to where one stands, by the indexes too because that does not do, or by them alone."""
    if request.param != "near":
        is_far = request.param == "far"
        monkeypatch.setattr(ledger_finder, "NEAR", -1 if is_far else 2)
        monkeypatch.setattr(ledger_finder, "NEAR_OWNED", 0 if is_far else 2)
        monkeypatch.setattr(ledger_finder, "GLANCE", 1)
        monkeypatch.setattr(ledger_finder, "FURTHER", 1)
        monkeypatch.setattr(ledger_finder, "FEW", 0)


def _refuse_commit(_connection):
    pytest.fail("a test that commits asks for the fixture `database` too")
