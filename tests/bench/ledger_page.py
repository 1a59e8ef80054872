"""The ledger's list at full size: the whole rerun of the page, beside what cannot be had for less.

`python -m tests.bench.ledger_page` fills a database of each kind and prints milliseconds of the server (p50
and p95) for each list: the whole rerun, what the database is asked for it, reading the same rows by their
ids, and an empty page. Each line says how fast the machine was while it was measured. A tenth of all
instruments belong to one owner. No test's pass mark.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, func, select
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, app_test, local_script_runner

from db import demo, ledger, ledger_pages, saved_views, schema, sign_ins
from db import engine as engines
from db.engine import reading, transaction
from db.models import Account, Enterprise, Instrument, InstrumentStatus, Role
from pages.parts import account as visitor
from tests import postgres

ROOT = Path(__file__).parent.parent.parent
SIZE = 50
ENGINES = ("sqlite", "postgresql")
PAGES = {"instruments": "bureau/instruments.py", "ledger": "enterprise/ledger.py"}
SCRIPTS = ScriptCache()
Act = Callable[[], Any]


def main(arguments: list[str] | None = None) -> None:
    """Fill databases, or take one that is full, and measure."""
    made = argparse.ArgumentParser(prog="python -m tests.bench.ledger_page", description=__doc__)
    made.add_argument("--engine", choices=ENGINES, help="only this one")
    made.add_argument("--size", type=int, default=1_000_000, metavar="INSTRUMENTS")
    made.add_argument("--runs", type=int, default=100)
    made.add_argument("--database-url", help="a database that is full already, instead of new ones")
    options = made.parse_args(arguments)
    for engine in [options.engine] if options.engine or options.database_url else ENGINES:
        with _database(engine, options.database_url) as url:
            os.environ["DATABASE_URL"] = url
            engines.engine.cache_clear()
            if not options.database_url:
                fill(options.size)
            measured(options.runs)
            engines.engine().dispose()


@contextmanager
def _database(engine: str | None, url: str | None) -> Iterator[str]:
    if url:
        yield url
    elif engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/bench.db"
    else:
        with postgres.server() as base, postgres.database(base) as made:
            yield made


def fill(size: int) -> None:
    """A demo bureau with so many instruments, a tenth of them in one ledger, and fresh statistics."""
    schema.upgrade()
    started = time.perf_counter()
    with transaction() as session:
        demo.fill(session, max(2, min(2_000, size // 75)), size)
        owner_id = session.scalar(select(func.min(Enterprise.id)))
        a_tenth = col(Instrument.id) % 10 == 3
        session.execute(sa.update(Instrument).where(a_tenth).values(enterprise_id=owner_id))
    with engines.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        connection.exec_driver_sql("ANALYZE" if is_sqlite else "VACUUM ANALYZE")
    print(f"{size:,} instruments, filled in {time.perf_counter() - started:.0f} s")


def measured(runs: int) -> None:
    """Time each list of a supervisor and of the owner with most, and print the milliseconds."""
    # A server compiles each page once; a page test would do so in every run.
    local_script_runner.ScriptCache = app_test.ScriptCache = lambda: SCRIPTS
    print(f"\n{engines.engine().dialect.name}, {runs} runs, ms of server time")
    print(f"{'':36}{'rerun p50':>10}{'p95':>7}{'queries p50':>13}{'p95':>7}{'rows':>7}{'10⁶ additions':>15}")
    empty = _timed(AppTest.from_string("import streamlit as st\nst.write('约检台')").run, runs)
    print(f"{'an empty page':36}{empty[0]:10.1f}{empty[1]:7.1f}{_timed(_additions, runs)[0]:42.1f}")
    for who, place in ((_supervisor(), "instruments"), (_owner(), "ledger")):
        for name, asked in cases(who).items():
            print(_line(f"{who.role}: {name}", _measured(who, place, asked, runs)), flush=True)


def _line(name: str, figure: dict[str, float]) -> str:
    wide = name + " " * (36 - len(name.encode("gbk")))
    return (
        f"{wide}{figure['p50']:10.1f}{figure['p95']:7.1f}{figure['queries_p50']:13.1f}"
        f"{figure['queries_p95']:7.1f}{figure['rows']:7.1f}{figure['additions']:15.1f}"
    )


def cases(who: Account) -> dict[str, dict[str, str]]:
    """The lists, each as the address asks for it."""
    with reading() as session:
        total = session.scalar(select(func.max(Instrument.id))) or 0
        middle = session.get_one(Instrument, total // 2)
    place = middle.division_code or demo.bureau.XIHU
    number = min(5_000 if who.role == Role.supervisor else 1_000, total // SIZE // 4)
    step = 1 if who.role == Role.supervisor else 10
    busiest = str(_owner().enterprise_id)
    below = {"page": str(number), "before": str(total - (number - 1) * SIZE * step + 1)}
    return {
        "first page": {},
        f"page {number:,}": below,
        "division + status": {"division": place, "status": "in_use"},
        "division + rare status": {"division": place, "status": "scrapped"},
        "two characters (压力)": {"text": "压力"},
        "two characters, no hit (虹膜)": {"text": "虹膜"},
        "middle of a number": {"text": middle.serial_number[-5:-1]},
        "initials (ylb)": {"text": "ylb"},
        "a word and a status": {"text": "压力", "status": "scrapped"},
        "a word, page 2": {"text": "压力", "page": "2", "before": str(total - 3000)},
        "a word, last page": {"text": "压力", "page": "-1"},
    } | ({} if who.enterprise_id else {"a word of one owner": {"text": "压力", "enterprise": busiest}})


def _measured(who: Account, place: str, asked: dict[str, str], runs: int) -> dict[str, float]:
    filters = saved_views.read_filters(place, asked)
    spot = ledger_pages.Spot(int(asked.get("page", 1)), int(asked.get("before", 0)) or None)

    def query() -> list[int]:
        with reading() as session:
            leaf, *_ = ledger_pages.read_counted(session, filters, spot, by=who, size=SIZE)
            return [row.id for row in leaf.rows]

    ids = query()

    def rows() -> None:
        with reading() as session:
            ledger.rows(session, ids)

    rerun, queries, alone, additions = _timed_together(
        [_page(who, place, asked), query, rows, _additions], runs
    )
    return {
        "p50": rerun[0],
        "p95": rerun[1],
        "queries_p50": queries[0],
        "queries_p95": queries[1],
        "rows": alone[0],
        "additions": additions[0],
    }


def _page(who: Account, place: str, asked: dict[str, str]) -> Act:
    with transaction() as session:
        token = sign_ins.redeem(
            session, sign_ins.begin(session, who.username, who.password_hash, "127.0.0.1", "bench")
        )
    # A page test would make a mock of the visitor's connection in every run.
    visitor.token, visitor.address = lambda: token, lambda: ""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.switch_page(str(ROOT / "pages" / PAGES[place]))
    for name, value in asked.items():
        app.query_params[name] = value

    def run() -> None:
        app.run()
        if app.exception:
            raise RuntimeError(f"{place} {asked}: {app.exception[0].message}")

    return run


def _additions() -> None:
    """What tells how fast the machine is just now."""
    total = 0
    for number in range(1_000_000):
        total += number


def _timed(act: Act, runs: int) -> tuple[float, float]:
    """p50 and p95 in milliseconds, after three runs that do not count."""
    return _timed_together([act], runs)[0]


def _timed_together(acts: Sequence[Act], runs: int) -> list[tuple[float, float]]:
    """The same of several acts that take turns, so that a slow moment of the machine meets them all."""
    for _ in range(3):
        for act in acts:
            act()
    spent = zip(*([_once(act) for act in acts] for _ in range(runs)), strict=True)
    return [(statistics.median(of_one), sorted(of_one)[int(runs * 0.95)]) for of_one in spent]


def _once(act: Act) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def _supervisor() -> Account:
    """Of the whole prefecture."""
    staff = select(Account).where(
        Account.role == Role.supervisor, Account.division_code == demo.bureau.HANGZHOU
    )
    with reading() as session:
        return session.exec(staff.order_by(col(Account.id))).first()


def _owner() -> Account:
    """Of the ledger with most instruments."""
    most = select(Instrument.enterprise_id).where(Instrument.status == InstrumentStatus.in_use)
    most = most.group_by(col(Instrument.enterprise_id)).order_by(func.count().desc()).limit(1)
    with reading() as session:
        owners = select(Account).where(Account.role == Role.enterprise)
        return session.exec(owners.where(Account.enterprise_id == session.exec(most).one())).first()


if __name__ == "__main__":
    main()
