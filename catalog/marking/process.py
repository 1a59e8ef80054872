"""The process that marks a workbook, as its parent sees it: it is started, fed and outlived."""

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, astuple, replace
from datetime import date
from pathlib import Path
from typing import Any

from catalog.export import Value
from catalog.marking.conversion import NOTE, SHEET
from catalog.marking.problems import FAILED, MarkingFailed, Problem, Summary
from catalog.reading.process import ENVIRONMENT, ROOT

# What the process may take: bytes of address space, seconds of the processor, seconds by the clock.
MEMORY, SECONDS, PATIENCE = 2**30, 60, 180
REFUSED, OTHER = 3, 4

log = logging.getLogger(__name__)


class _Unmarkable(MarkingFailed):
    """The file itself cannot be marked; a copy of its values may."""


def mark(
    source: Path, name: str, out: Path, sheet: str, problems: Sequence[Problem], summary: Summary
) -> None:
    """Write the upload `source`, called `name` by its owner, to `out` with its problems marked.

    Each bad cell of `sheet` is red and has a comment, and the sheet 《检查结果》 lists everything. Marks of
    an earlier return are taken off. Everything else in an .xlsx stays; of another kind of file, or an .xlsx
    that cannot be changed where it stands, the values of the ledger come back. Raises MarkingFailed.
    """
    request = {"act": "mark", "source": source, "name": name, "out": out, "sheet": sheet}
    try:
        _run({**request, **_findings(problems, summary)}, out)
    except _Unmarkable:
        _mark_copy(source, request, out, problems, summary)


def _mark_copy(
    source: Path, request: dict[str, Any], out: Path, problems: Sequence[Problem], summary: Summary
) -> None:
    """Mark a plain workbook with the same values instead."""
    with tempfile.TemporaryDirectory(prefix="yuejian-") as folder:
        copy = Path(folder) / "copy.xlsx"
        said = _run({"act": "convert", "source": source, "name": request["name"], "out": copy}, copy)
        wanted = {problem.row for problem in problems}
        moved = [pair for pair in json.loads(said) if pair[0] in wanted]
        summary = replace(summary, note=f"{NOTE}{summary.note}")
        request = {**request, "source": copy, "sheet": SHEET, "numbers": moved}
        _run({**request, **_findings(problems, summary)}, out)


def bad_rows(
    template: Path,
    out: Path,
    name: str,
    rows: Sequence[tuple[int, Sequence[Value]]],
    problems: Sequence[Problem],
    summary: Summary,
) -> None:
    """Write the `template` to `out` with only `rows`, the refused ones of the upload `name`, marked.

    `rows` are (row number in the upload, values in the order of the template's columns); the problems'
    columns are counted in that order. Raises MarkingFailed.
    """
    request = {"act": "bad_rows", "template": template, "out": out, "name": name, "rows": rows}
    _run({**request, **_findings(problems, summary)}, out)


def _findings(problems: Sequence[Problem], summary: Summary) -> dict[str, Any]:
    return {"problems": [astuple(problem) for problem in problems], "summary": asdict(summary)}


def _run(request: dict[str, Any], out: Path) -> bytes:
    """Have a fresh process do it, and hear what it says; what it leaves behind when it fails is removed."""
    try:
        done = subprocess.run(
            [sys.executable, "-E", "-s", "-m", "catalog.marking", str(MEMORY), str(SECONDS)],
            input=json.dumps(request, default=_plain).encode(),
            capture_output=True,
            cwd=ROOT,
            env=ENVIRONMENT,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        out.unlink(missing_ok=True)
        raise _Unmarkable(FAILED) from error
    if done.returncode == 0:
        return done.stdout
    out.unlink(missing_ok=True)
    if done.returncode == REFUSED:
        raise MarkingFailed(done.stdout.decode())
    if done.returncode != OTHER:
        log.error("marking ended with %s: %s", done.returncode, done.stderr.decode("utf-8", "replace"))
    raise _Unmarkable(FAILED)


def _plain(value: date | Path) -> dict[str, str] | str:
    # The process stands in another folder.
    return str(value.absolute()) if isinstance(value, Path) else {"day": value.isoformat()}
