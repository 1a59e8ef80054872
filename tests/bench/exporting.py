"""What an export costs beside its writer alone, on the same 100,000 rows, from SQLite and from PostgreSQL.

`python -m tests.bench.exporting` prints wall and CPU seconds, the largest memory of the process, and the
size of the file. Each measurement runs in a process of its own; the quickest of several counts.
"""

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from catalog import export
from db import demo, exports, schema
from db import engine as engines
from db.ledger import Filters
from tests import postgres

CHUNK = 2_000
Figures = dict[str, dict[str, float]]


def measured(count: int = 100_000, runs: int = 3) -> dict[str, Figures]:
    """Export `count` rows from each engine; figures by engine, then by what was done."""
    return {engine: _engine(engine, count, runs) for engine in ("sqlite", "postgresql")}


def _engine(engine: str, count: int, runs: int) -> Figures:
    with tempfile.TemporaryDirectory() as name, _database(engine, Path(name)) as url:
        folder = Path(name)
        _run("fill", folder, url, count)
        _run("capture", folder, url, count)
        print(f"\n{count:,} ledger rows exported from {engine}")
        print(f"{'':24}{'wall s':>8}{'CPU s':>8}{'ratio':>7}{'peak MB':>9}{'file MB':>9}")
        acts = ("writer alone, xlsx", "export, xlsx", "writer alone, csv", "export, csv")
        tries = [{act: _run(act, folder, url, count) for act in acts} for _ in range(runs)]
        return _told({act: min((one[act] for one in tries), key=_cpu) for act in acts})


def _told(figures: Figures) -> Figures:
    for act, one in figures.items():
        one["ratio"] = round(one["cpu"] / figures[f"writer alone, {act.split(', ')[1]}"]["cpu"], 2)
        print(
            f"{act:24}{one['wall']:8.2f}{one['cpu']:8.2f}{one['ratio']:7.2f}"
            f"{one['peak_mb']:9.0f}{one['file_mb']:9.1f}",
            flush=True,
        )
    return figures


def _cpu(figure: dict[str, float]) -> float:
    return figure["cpu"]


@contextmanager
def _database(engine: str, folder: Path) -> Iterator[str]:
    with ExitStack() as stack:
        if engine == "sqlite":
            yield f"sqlite:///{folder}/bench.db"
        else:
            yield stack.enter_context(postgres.database(stack.enter_context(postgres.server())))


def _run(act: str, folder: Path, url: str, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.exporting", "--act", act, "--folder", str(folder)]
    environment = {**os.environ, "DATABASE_URL": url}
    done = subprocess.run(
        [*command, "--rows", str(count)], check=True, env=environment, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def _fill(folder: Path, count: int) -> None:
    schema.upgrade()
    with engines.transaction() as session:
        demo.fill(session, max(2, count // 75), count)


def _capture(folder: Path, count: int) -> None:
    """Keep what an export gives to its writer, in pieces that are read one after the other."""

    def keep(path: Path, sheet: str, headings: Any, rows: Any, **more: Any) -> int:
        with (folder / "rows.pickle").open("wb") as file:
            pickle.dump((sheet, headings, more), file)
            while piece := [tuple(row) for row in islice(rows, CHUNK)]:
                pickle.dump(piece, file)
        path.touch()
        return 0

    export.write_xlsx = keep  # type: ignore[assignment]
    exports.save(folder / "none.xlsx", Filters(), account_id=None)


def _kept(folder: Path) -> Iterator[Any]:
    with (folder / "rows.pickle").open("rb") as file:
        yield pickle.load(file)
        while file.peek(1):
            yield from pickle.load(file)


def _alone(folder: Path, ending: str) -> None:
    """The writer, given rows that are ready."""
    rows = _kept(folder)
    sheet, headings, more = next(rows)
    if ending == "csv":
        export.write_csv(folder / "out.csv", headings, rows)
    else:
        export.write_xlsx(folder / "out.xlsx", sheet, headings, rows, **more)


ACTS: dict[str, Callable[[Path, int], object]] = {
    "fill": _fill,
    "capture": _capture,
    "writer alone, xlsx": lambda folder, count: _alone(folder, "xlsx"),
    "writer alone, csv": lambda folder, count: _alone(folder, "csv"),
    "export, xlsx": lambda folder, count: exports.save(folder / "out.xlsx", Filters(), account_id=None),
    "export, csv": lambda folder, count: exports.save(folder / "out.csv", Filters(), account_id=None),
}


def _once(act: str, folder: Path, count: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    ACTS[act](folder, count)
    out = folder / f"out.{act[-4:].strip()}"
    return {
        "wall": round(time.perf_counter() - wall, 2),
        "cpu": round(time.process_time() - cpu, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "file_mb": round(out.stat().st_size / 1e6, 1) if out.exists() else 0,
    }


def main() -> None:
    """Measure everything, or do one act and print its figures as JSON."""
    made = argparse.ArgumentParser(prog="python -m tests.bench.exporting", description=__doc__)
    made.add_argument("--rows", type=int, default=100_000)
    made.add_argument("--runs", type=int, default=3)
    made.add_argument("--act", choices=ACTS)
    made.add_argument("--folder", type=Path)
    options = made.parse_args()
    if options.act:
        print(json.dumps(_once(options.act, options.folder, options.rows)))
    else:
        measured(options.rows, options.runs)


if __name__ == "__main__":
    main()
