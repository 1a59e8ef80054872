"""What it costs to write a ledger as .xlsx: ours beside the fastest writer there is, on the same rows.

`python -m tests.bench.exporting` prints wall and CPU seconds, the largest memory of the process, and the
size of the file. Each writer runs in a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

from catalog import export, workbook

HEADINGS = [column.heading for column in workbook.COLUMNS] + ["使用单位", "统一社会信用代码", "状态"]
DAYS = ("购置时间", "有效期至")
FIRST = date(2020, 1, 1)


def rows(count: int) -> Iterator[tuple[export.Value, ...]]:
    """A ledger of twenty columns, as repetitive as real ones are: places and makers repeat, plates do not."""
    for number in range(count):
        yield (
            "压力表",
            "工作计量器具",
            "91101",
            f"Y-{number % 40} (0-1) MPa",
            "(0-1) MPa",
            "1.6",
            f"HY{number:07}",
            "上海银普仪表有限公司",
            "国产",
            f"3301{number % 9:02}",
            f"{number % 12} 号车间锅炉房",
            FIRST + timedelta(days=number % 1_500),
            1,
            "安全防护",
            "送检",
            FIRST + timedelta(days=1_500 + number % 700),
            None if number % 3 else f"备注 {number} <&>",
            f"杭州第{number // 300}化工有限公司",
            "9133010072526726XG",
            "在用",
        )


def ours(path: Path, count: int) -> None:
    """`catalog.export` as the product calls it."""
    export.write_xlsx(path, "强检器具台账", HEADINGS, rows(count), title="强检器具台账", edition="1")


def rust(path: Path, count: int) -> None:
    """The Rust-backed writer alone, given the rows as it wants them: one dict each."""
    from rustpy_xlsxwriter import Format, write_worksheet

    text, day = Format().set_num_format("@"), Format().set_num_format("yyyy-mm-dd")
    write_worksheet(
        (dict(zip(HEADINGS, row, strict=True)) for row in rows(count)),
        str(path),
        "强检器具台账",
        freeze_row=1,
        autofilter=True,
        column_formats={heading: day if heading in DAYS else text for heading in HEADINGS},
    )


WRITERS: dict[str, Callable[[Path, int], None]] = {"rustpy-xlsxwriter alone": rust, "catalog.export": ours}


def measured(count: int = 100_000, runs: int = 3) -> dict[str, dict[str, float]]:
    """Run each writer `runs` times and keep its quickest; figures by the writer's name."""
    print(f"\n{count:,} rows × {len(HEADINGS)} columns written as .xlsx")
    print(f"{'':26}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'file MB':>9}")
    figures = {name: min((_run(name, count) for _ in range(runs)), key=_cpu) for name in WRITERS}
    for name, one in figures.items():
        print(f"{name:26}{one['wall']:8.2f}{one['cpu']:8.2f}{one['peak_mb']:9.0f}{one['file_mb']:9.1f}")
    return figures


def _cpu(figure: dict[str, float]) -> float:
    return figure["cpu"]


def _run(name: str, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.exporting", "--only", name, "--rows", str(count)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _once(name: str, count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.xlsx"
        wall, cpu = time.perf_counter(), time.process_time()
        WRITERS[name](path, count)
        return {
            "wall": round(time.perf_counter() - wall, 2),
            "cpu": round(time.process_time() - cpu, 2),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "file_mb": round(path.stat().st_size / 1e6, 1),
        }


def main() -> None:
    """Measure all writers, or one of them as JSON."""
    made = argparse.ArgumentParser(prog="python -m tests.bench.exporting", description=__doc__)
    made.add_argument("--rows", type=int, default=100_000)
    made.add_argument("--only", choices=WRITERS)
    options = made.parse_args()
    if options.only:
        print(json.dumps(_once(options.only, options.rows)))
    else:
        measured(options.rows)


if __name__ == "__main__":
    main()
