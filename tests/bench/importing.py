"""Importing 100,000 rows, beside the bare limit: reading alone, and writing the ready rows alone.

The limit of reading is python-calamine's `iter_rows` in a process of its own; the limit of writing is
`executemany` (SQLite) or `COPY` (PostgreSQL) into the same table with its indexes, rolled back. Ours is
`python -m db import-ledger`: checks, search index, history, batch and audit entry included. Both are run in
turn; figures are medians, and the ratio is of the medians.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlmodel import Session, select

from catalog import divisions, kinds, reading
from catalog.columns import COLUMNS
from db import bulk, clock, demo, schema
from db import engine as engines
from db.imports import rows as import_rows
from db.imports.comparison import NAMES
from db.models import Account, Enterprise, Instrument, InstrumentStatus, Role
from tests import postgres

ROOT = Path(__file__).parent.parent.parent
READ = """import sys, python_calamine
for row in python_calamine.load_workbook(sys.argv[1]).get_sheet_by_index(0).iter_rows(): pass"""
MEGABYTE = 1 << 20


@dataclass
class Cost:
    """Seconds by the clock, seconds of processor, and the most memory in MB at one moment."""

    wall: float
    cpu: float = 0
    megabytes: float = 0


def main() -> None:
    """Measure on both databases."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="yuejian-bench-") as folder:
        path = Path(folder) / "台账.xlsx"
        write_ledger(path, options.rows)
        print(
            f"{options.rows:,} rows, {path.stat().st_size / MEGABYTE:.1f} MB; ledger of {options.standing:,}"
        )
        for name, database in (("sqlite", sqlite), ("postgresql", postgresql)):
            with database(Path(folder)) as url:
                measure(name, url, path, options)


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(prog="python -m tests.bench.importing", description=__doc__)
    made.add_argument("--rows", type=int, default=100_000)
    made.add_argument("--standing", type=int, default=200_000, metavar="N", help="already there")
    made.add_argument("--runs", type=int, default=3)
    return made.parse_args()


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """A file of its own."""
    yield f"sqlite:///{folder}/bench.db"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A server of its own, which writes its pages as seldom as one that nobody has tuned."""
    with postgres.server(max_wal_size="1GB") as base, postgres.database(base) as url:
        yield url


def write_ledger(path: Path, count: int) -> None:
    """A workbook of so many good rows, as an enterprise with many sites would fill the template in."""
    draw = random.Random("ledger")
    codes = [kind.code for kind in kinds.kinds()]
    places = [one.code for one in divisions.divisions() if one.code.startswith("3301")]
    places = [code for code in places if divisions.is_complete(code)]
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet, day = book.add_worksheet("器具信息"), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, [column.heading for column in COLUMNS])
    for number in range(1, count + 1):
        for index, value in enumerate(_gauge(draw, number, codes, places)):
            if isinstance(value, date):
                sheet.write_datetime(number, index, value, day)
            elif value not in (None, ""):
                sheet.write(number, index, value)
    book.close()


def _gauge(draw: random.Random, number: int, codes: list[str], places: list[str]) -> list[Any]:
    return [
        draw.choice(("压力表", "电子天平", "水表", "燃气表", "血压计", "电能表", "电子秤", "瓦斯报警器")),
        "工作计量器具",
        draw.choice(codes),
        f"(0-{draw.choice((1, 6, 10, 16, 25))}) MPa",
        "(0-1) MPa",
        draw.choice(("0.4", "1.6", "2.5")),
        f"HY{number:08}",
        draw.choice(("上海", "杭州", "西安"))
        + draw.choice(("银普", "华立", "威星", "金卡"))
        + "仪表有限公司",
        draw.choice(("国产", "进口")),
        draw.choice(places),
        f"{draw.randint(1, 20)} 号楼 {draw.randint(1, 9)} 层{draw.choice(('锅炉房', '配电室', '实验室'))}",
        date(2015, 1, 1) + timedelta(draw.randint(0, 4000)),
        1,
        draw.choice(("贸易结算", "安全防护")),
        draw.choice(("送检", "现场检")),
        date(2027, 1, 1) + timedelta(draw.randint(0, 300)),
        draw.choice(("", "", "备用")),
    ]


def measure(name: str, url: str, path: Path, options: argparse.Namespace) -> None:
    """The bare limit and ours in turn, on one database."""
    bound(url)
    schema.upgrade()
    with engines.transaction() as session:
        demo.fill(session, max(options.runs + 2, options.standing // 75), options.standing)
    _analyze()
    codes = _credit_codes(options.runs + 1)
    bare, ours = [], []
    for code in codes:
        bare.append(bare_limit(path))
        command = [sys.executable, "-m", "db", "import-ledger", str(path), "--enterprise", code]
        ours.append(watched(command, ROOT))
    # The first of each warms the disk's cache.
    _print(name, bare[1:], ours[1:])
    engines.engine().dispose()


def bound(url: str) -> None:
    """Make `url` the database of this process and of those it starts."""
    os.environ["DATABASE_URL"] = url
    engines.engine.cache_clear()


def _analyze() -> None:
    """What autovacuum would have done by the next morning."""
    with engines.engine().connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _credit_codes(count: int) -> list[str]:
    with engines.reading() as session:
        own = select(Enterprise.credit_code).join(Account, Account.enterprise_id == Enterprise.id)
        rows = session.exec(own.where(Account.role == Role.enterprise).order_by(Enterprise.id).limit(count))
        return list(rows)


def bare_limit(path: Path) -> tuple[Cost, Cost]:
    """Reading alone, and writing alone what was read and checked beforehand."""
    return watched([sys.executable, "-c", READ, str(path)], ROOT), _writing(_ready(path))


def _ready(path: Path) -> list[tuple[Any, ...]]:
    """The rows of the file as the table takes them, their fields in the order of NAMES."""
    with engines.reading() as session:
        by = session.exec(select(Account).where(Account.role == Role.enterprise)).first()
        sheet = import_rows.read(session, reading.read(path, path.name), import_rows.Lists(session), by)
    return [tuple(row.values) for row in sheet.rows]


def _writing(ready: list[tuple[Any, ...]]) -> Cost:
    """One insert of everything into the table as it stands, rolled back."""
    with engines.engine().connect() as connection, Session(connection) as session:
        first = bulk.ids(session, Instrument, 1)[0]
        ids = range(first, first + len(ready))
        owner = session.exec(select(Enterprise.id)).first()
        rest = (owner, 1, InstrumentStatus.in_use, clock.now(), "")
        columns = (*NAMES, "enterprise_id", "version", "status", "created_at", "search_text", "id")
        rows = [(*values, *rest, id) for values, id in zip(ready, ids, strict=True)]
        stored = bulk._all_stored(session, Instrument.__table__, columns, rows)
        cost = _timed(lambda: _insert(session, columns, stored))
        session.rollback()
    return cost


def _insert(session: Session, columns: tuple[str, ...], stored: list[tuple[Any, ...]]) -> None:
    cursor = session.connection().connection.cursor()
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    if session.get_bind().dialect.name == "sqlite":
        cursor.executemany(f"INSERT INTO instruments ({names}) VALUES ({marks})", stored)
        return
    with cursor.copy(f"COPY instruments ({names}) FROM STDIN") as copy:
        for row in stored:
            copy.write_row(row)


def _timed(act: Callable[[], Any]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def watched(command: list[str], folder: Path) -> Cost:
    """Run a command to its end: its time, and the most memory that it and its children held together."""
    before, wall = os.times(), time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    most = _Most(process.pid)
    said, _ = process.communicate()
    cost = Cost(time.perf_counter() - wall, megabytes=most.stop())
    after = os.times()
    cost.cpu = after.children_user + after.children_system - before.children_user - before.children_system
    if process.returncode:
        raise RuntimeError(f"{command}: {said}")
    return cost


class _Most:
    """Watches how much memory a process and its children hold together."""

    def __init__(self, pid: int):
        self.pid, self.most, self.is_over = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        while not self.is_over.wait(0.05):
            self.most = max(self.most, sum(_resident(pid) for pid in (self.pid, *_children(self.pid))))

    def stop(self) -> float:
        self.is_over.set()
        self.thread.join()
        return self.most / MEGABYTE


def _children(pid: int) -> list[int]:
    try:
        own = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return own + [child for one in own for child in _children(one)]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _print(name: str, bare: list[tuple[Cost, Cost]], ours: list[Cost]) -> None:
    def median(values: list[float]) -> float:
        return statistics.median(values)

    reads, writes = [one for one, _ in bare], [one for _, one in bare]
    print(f"\n{name:26}{'wall s':>10}{'cpu s':>10}{'MB':>8}")
    for label, costs in (("bare: reading", reads), ("bare: writing", writes), ("import-ledger", ours)):
        wall, cpu = median([c.wall for c in costs]), median([c.cpu for c in costs])
        print(f"{label:26}{wall:>10.2f}{cpu:>10.2f}{max(c.megabytes for c in costs):>8.0f}")
    for unit in ("wall", "cpu"):
        limit = median([getattr(a, unit) + getattr(b, unit) for a, b in bare])
        print(f"ratio by {unit}: {median([getattr(c, unit) for c in ours]) / limit:.2f}")
    print(json.dumps({"wall": [round(c.wall, 2) for c in ours]}))


if __name__ == "__main__":
    main()
