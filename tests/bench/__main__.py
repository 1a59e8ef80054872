"""Server-side milliseconds of the pages and operations people wait for, on demo bureaus of several sizes.

Each figure is the median (and the slowest) of several runs. A page is run whole, as the server would run
it: the script, its queries, and the messages to the browser. `empty page` is the bare limit in the same run.
`ledger_page` measures the lists of the ledger. Prints tables and writes bench.json. No test's pass mark.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlmodel import select
from streamlit.testing.v1 import AppTest

from db import appointments, demo, ledger, passwords, schema, sign_ins
from db import engine as engines
from db.engine import reading, transaction
from db.models import Account, InstrumentStatus, Role
from pages.parts import account as visitor

ROOT = Path(__file__).parent.parent.parent
SLOW = 300


class Undo(Exception):
    """Ends a measured transaction without keeping it."""


def main() -> None:
    """Measure every size asked for."""
    options = _options()
    figures = {}
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            url = options.database_url or f"sqlite:///{folder}/bench.db"
            os.environ["DATABASE_URL"] = url
            engines.engine.cache_clear()
            figures[size] = measured(size, options.runs)
            engines.engine().dispose()
    machine = f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores"
    report = {
        "machine": machine,
        "engine": (options.database_url and "postgresql") or "sqlite",
        "ms": figures,
    }
    (ROOT / "bench.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n")


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    made.add_argument("--sizes", type=int, nargs="+", default=[3_000, 100_000], metavar="INSTRUMENTS")
    made.add_argument("--runs", type=int, default=9)
    made.add_argument("--database-url", help="an empty PostgreSQL database instead of SQLite (one size)")
    return made.parse_args()


def measured(size: int, runs: int) -> dict[str, dict[str, float]]:
    """Fill a database with `size` instruments and time each act; milliseconds by name."""
    schema.upgrade()
    started = time.perf_counter()
    with transaction() as session:
        demo.fill(session, max(2, min(2_000, size // 75)), size)
    print(f"\n{size:,} instruments, filled in {time.perf_counter() - started:.1f} s")
    print(f"{'':36}{'median ms':>10}{'slowest':>10}")
    figures = {name: _timed(name, act, runs) for name, act in acts().items()}
    for name in (name for name, one in figures.items() if one["median"] > SLOW):
        print(f"over {SLOW} ms: {name}")
    return figures


def acts() -> dict[str, Callable[[], Any]]:
    """What is measured, by name."""
    owner, supervisor = _busiest_owner(), _someone(Role.supervisor)
    return {
        "empty page (bare limit)": AppTest.from_string("import streamlit as st\nst.write('约检台')").run,
        "bcrypt alone (bare limit)": lambda: passwords.matches("not it", passwords.DUMMY_HASH),
        "sign-in": lambda: _sign_in(owner),
        "home, enterprise": _page(owner, "enterprise/home.py"),
        "home, supervisor": _page(supervisor, "bureau/home.py"),
        "ledger page, enterprise": _page(owner, "enterprise/ledger.py"),
        "ledger page, supervisor": _page(supervisor, "bureau/instruments.py"),
        "board, supervisor": _page(supervisor, "bureau/board.py"),
        "lines page, supervisor": _page(supervisor, "bureau/lines.py"),
        "submit 100 instruments": lambda: _submit(owner, 100),
    }


def _someone(role: Role) -> Account:
    with reading() as session:
        return session.exec(select(Account).where(Account.role == role).order_by(Account.id)).first()


def _busiest_owner() -> Account:
    """The enterprise account with the most instruments free to be booked."""
    with reading() as session:
        owners = session.exec(select(Account).where(Account.role == Role.enterprise)).all()
        return max(owners, key=lambda owner: ledger.count(session, _in_use(), by=owner))


def _in_use() -> ledger.Filters:
    return ledger.Filters(status=InstrumentStatus.in_use)


def _signed_in(account: Account) -> str:
    with transaction() as session:
        return sign_ins.redeem(
            session, sign_ins.begin(session, account.username, account.password_hash, "127.0.0.1", "bench")
        )


def _page(account: Account, file: str) -> Callable[[], Any]:
    token = _signed_in(account)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)

    def run() -> None:
        visitor.token = lambda: token
        app.run()
        if app.exception:
            raise RuntimeError(f"{file}: {app.exception[0].message}")

    run()
    if not file.endswith("home.py"):
        app.switch_page(str(ROOT / "pages" / file))
    return run


def _sign_in(account: Account) -> None:
    with transaction() as session:
        credential = sign_ins.credential(session, account.username, "127.0.0.1")
    passwords.matches(demo.PASSWORD, credential)
    _signed_in(account)


def _submit(owner: Account, count: int) -> None:
    try:
        with transaction() as session:
            by = session.get(Account, owner.id)
            chosen = ledger.bookable(session, by.enterprise_id, by=by, size=count)
            appointments.submit(session, by.enterprise_id, [row.id for row in chosen], by=by)
            raise Undo
    except Undo:
        pass


def _timed(name: str, act: Callable[[], Any], runs: int) -> dict[str, float]:
    act()
    spent: Sequence[float] = sorted(_once(act) for _ in range(runs))
    figure = {"median": round(statistics.median(spent), 1), "slowest": round(spent[-1], 1)}
    print(f"{name:36}{figure['median']:>10}{figure['slowest']:>10}", flush=True)
    return figure


def _once(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
