"""What an import has found, kept with its batch: for the page, and to compare the next run with."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.columns import renamed
from catalog.reading import Contents
from catalog.spreadsheets import XLSX
from db import attachments, exports, workflow
from db import engine as engines
from db.imports import returned, rows, uploads
from db.imports.rows import Sheet
from db.imports.run import Outcome
from db.models import Attachment, Subject

# Of the problems that are kept, all are marked in the workbook that comes back, so many listed on a page.
MOST_LISTED = 500


def ask_for_columns(batch_id: int, account_id: int, contents: Contents, lacking: list[str]) -> None:
    """Keep what a person needs to see to match the columns: headings, the guesses, and the first rows."""
    first = [row for row, _ in zip(contents.rows, range(3), strict=False)]
    sample = [[rows.quoted(rows.shown(cell)) for cell in cells] for _, cells in first]
    with engines.transaction() as session:
        batch, _ = uploads.held(session, batch_id, account_id)
        batch.findings = {
            "missing": lacking,
            "headings": [rows.quoted(heading) for heading in contents.headings],
            "fields": list(contents.fields),
            "sample": sample,
        }


def lacking(contents: Contents, columns: list[str]) -> str:
    """Why a file without its required columns cannot be imported."""
    unknown = _unused(contents)
    said = f"；没有识别的列：{'、'.join(unknown[:10])}" if unknown else ""
    where = f"工作表“{contents.sheet}”" if contents.sheet else "文件"
    lack = f"{where}缺少必填列：{'、'.join(columns)}{said}"
    return f"{lack}。请按模板改正列名，或在网页上导入并对应各列"


def empty(contents: Contents) -> str:
    """Why a file without rows cannot be imported, with what was left aside in it."""
    return "。".join(["文件中没有填写器具，请在表头下面每行填写一台", *notes(contents)])


def _unused(contents: Contents) -> list[str]:
    """The headings that stand for nothing in the ledger, but for those that exports add to be read."""
    pairs = zip(contents.headings, contents.fields, strict=True)
    return [rows.quoted(h) for h, f in pairs if h and not f and h not in {**exports.READING, **exports.OWNER}]


def notes(contents: Contents, alike: Sequence[int] = ()) -> list[str]:
    """Sentences on what was left out of a file, and on what was taken for what; once its rows are read.

    `alike` are the numbers of new rows that may be instruments of the ledger.
    """
    said = [rows.quoted(note) for note in contents.notes]
    if unused := _unused(contents):
        said.append(f"没有导入的列：{'、'.join(unused)}")
    pairs = renamed(contents.headings, contents.fields)
    if told := "、".join(f"{rows.quoted(heading)} → {field}" for heading, field in pairs):
        said.append(f"按其他名称认出的列：{told}。如有不符，请重新对应列")
    if alike:
        first = "、".join(map(str, alike[:5])) + ("等" if len(alike) > 5 else "")
        said.append(
            f"新增的行中有 {len(alike):,} 行（第 {first} 行）的出厂编号台账中已有，只是生产厂家、型号规格"
            "或大小写不同；如是同一台，请先在台账中改正那一台，再导入"
        )
    return said


def fail(batch_id: int, account_id: int, reason: str) -> None:
    """End the batch with the reason its file cannot be read."""
    with engines.transaction() as session:
        batch, by = uploads.held(session, batch_id, account_id)
        batch.note = reason[:500]
        session.flush()
        workflow.move(session, Subject.batch, [batch], "fail", by, reason[:500])


def of_run(contents: Contents, sheet: Sheet, outcome: Outcome) -> dict[str, Any]:
    """What a run did or would do, as the page shows it."""
    return {
        "edition": rows.quoted(contents.edition),
        "notes": notes(contents, sheet.alike),
        "has_validity": outcome.has_validity,
        "problems": [asdict(problem) for problem in returned.ordered(sheet)[:MOST_LISTED]],
        "problem_count": sheet.problem_count,
        "changed": outcome.changed,
        "seal": outcome.seal,
    }


def keep_preview(batch_id: int, account_id: int, contents: Contents, sheet: Sheet, outcome: Outcome) -> None:
    """Keep what the run would do, for a person to confirm."""
    with engines.transaction() as session:
        batch, by = uploads.held(session, batch_id, account_id)
        workflow.move(
            session,
            Subject.batch,
            [batch],
            "preview",
            by,
            totals=outcome.totals,
            findings=of_run(contents, sheet, outcome),
            started_at=None,
        )


def keep_returned(batch_id: int, account_id: int, content: bytes | None) -> None:
    """Keep the workbook that comes back with the batch."""
    if content is None:
        return
    with engines.transaction() as session:
        batch, by = uploads.held(session, batch_id, account_id)
        name = session.get_one(Attachment, batch.attachment_id).name
        kept = attachments.add(session, f"{Path(name).stem}（检查结果）.xlsx", content, XLSX, by=by)
        batch.returned_id = kept.id
