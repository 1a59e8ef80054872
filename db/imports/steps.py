"""The steps of an import. `examine`, `apply` and `import_file` take several transactions and say which."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, col, func, select

from catalog import reading
from catalog.columns import COLUMNS, EXTRAS
from catalog.reading import Contents, Unreadable
from db import attachments, audit, clock, exports, reach, search, workflow
from db import engine as engines
from db.errors import Conflict, NotFound, Refused
from db.imports import returned, rows
from db.imports.rows import Lists, Sheet
from db.imports.run import Outcome, Report, run, silent
from db.models import Account, Attachment, Batch, BatchAction, BatchStatus, Enterprise, Subject

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Of the problems that are kept, all are marked in the workbook that comes back, so many listed on a page.
MOST_LISTED = 500
# Uploads of one ledger: so many may wait for a decision, so many come in a day.
MOST_WAITING, MOST_A_DAY = 10, 100
CHANGED_MEANWHILE = "检查之后台账有变动，结果与预览不一致，本次没有导入任何数据，请放弃后重新上传"
HAS_REFUSED = "有 {count} 行需要改正，本次没有导入任何数据；请改正后重新上传，或选择“只导入正确的行”"


class TakenBack(Exception):
    """Ends the transaction of a preview without keeping anything."""


def upload(session: Session, enterprise_id: int, name: str, content: bytes, *, by: Account) -> Batch:
    """Keep an uploaded file as a batch that waits to be examined.

    Raises NotFound outside the asker's reach, Refused without the right to edit, for a file that is empty or
    larger than 20 MB, and while too many of the ledger wait. What the file holds is `examine`'s affair.
    """
    reach.enterprise(session, enterprise_id, by, to="edit")
    _check_room(session, enterprise_id)
    return _uploaded(session, enterprise_id, name, content, by)


def _check_room(session: Session, enterprise_id: int) -> None:
    """Whether one ledger leaves the others their turn, and room on the disk."""
    here = select(func.count(col(Batch.id))).where(
        Batch.enterprise_id == enterprise_id, Batch.action == BatchAction.imported
    )
    waiting = col(Batch.status).in_((BatchStatus.submitted, BatchStatus.previewed))
    if session.exec(here.where(waiting)).one() >= MOST_WAITING:
        raise Refused(f"已有 {MOST_WAITING} 个文件等待检查或确认，请先在“导入记录”中逐个确认或放弃")
    if session.exec(here.where(Batch.created_at > clock.now() - timedelta(days=1))).one() >= MOST_A_DAY:
        raise Refused(f"24 小时内最多上传 {MOST_A_DAY} 个文件，请把内容合并到一个文件中，明天再上传")


def _uploaded(session: Session, enterprise_id: int, name: str, content: bytes, by: Account) -> Batch:
    kept = attachments.add(session, name, content, XLSX, by=by)
    batch = Batch(
        enterprise_id=enterprise_id,
        action=BatchAction.imported,
        status=BatchStatus.submitted,
        attachment_id=kept.id,
        created_by_id=by.id,
    )
    session.add(batch)
    session.flush()
    workflow.start(session, Subject.batch, [batch.id], "upload", by)
    return batch


def find(session: Session, batch_id: int, *, by: Account, to: str = "view") -> Batch:
    """An import within the asker's reach, who may `view` or `edit` its ledger; raises NotFound or Refused."""
    own = (Batch.id == batch_id, Batch.action == BatchAction.imported, reach.batches(by))
    batch = session.exec(select(Batch).where(*own)).first()
    if batch is None:
        raise NotFound("导入批次")
    reach.enterprise(session, batch.enterprise_id, by, to=to)
    return batch


def file_name(session: Session, batch: Batch) -> str:
    """What the person called the file of an import; the caller has found the batch for the asker."""
    return session.get_one(Attachment, batch.attachment_id).name


def is_interrupted(batch: Batch) -> bool:
    """Whether the process that wrote this import died in the middle of it: then nothing was written.

    While it is still at work this is true as well; who started it knows.
    """
    waiting = (BatchStatus.submitted, BatchStatus.previewed)
    return batch.started_at is not None and batch.status in waiting


def choose_columns(session: Session, batch_id: int, columns: Mapping[int, str], *, by: Account) -> Batch:
    """Say which column of the file (0 is A) stands for which heading; the file is to be examined anew.

    Raises Refused for a heading the template does not have, for one chosen twice, and while a required one
    is missing.
    """
    batch = find(session, batch_id, by=by, to="edit")
    if batch.status != BatchStatus.submitted:
        raise Refused(f"这次导入的状态为“{batch.status}”，不能再对应列，请重新上传文件")
    known = {*(column.heading for column in COLUMNS), *EXTRAS}
    if strange := set(columns.values()) - known:
        raise Refused(f"模板中没有“{'、'.join(sorted(strange))}”这一列，请重新选择")
    if len(set(columns.values())) != len(columns):
        raise Refused("有两列对应了同一个项目，请改正后继续")
    if lacking := rows.missing(list(columns.values())):
        raise Refused(f"请为必填项选择列：{'、'.join(lacking)}")
    batch.options = {**batch.options, "columns": {str(index): name for index, name in columns.items()}}
    batch.findings = {}
    session.flush()
    return batch


def discard(session: Session, batch_id: int, *, by: Account) -> Batch:
    """放弃 an import that has not been written."""
    batch = find(session, batch_id, by=by, to="edit")
    workflow.move(session, Subject.batch, [batch], "discard", by)
    return batch


def examine(batch_id: int, account_id: int, report: Report = silent) -> None:
    """Read and check the file of a batch and keep what its import would do: the run itself, rolled back.

    One transaction looks the batch up, one is rolled back, one keeps the findings. A file that cannot be
    read ends the batch with the reason; one whose required columns are not recognized leaves it waiting,
    with `missing` and the file's headings in its findings. Raises Refused, NotFound, Conflict.
    """
    source, name, chosen = _source(batch_id, account_id)
    try:
        contents, lists = _opened(source, name, chosen, report)
        if lacking := rows.missing(contents.fields):
            return _ask_for_columns(batch_id, account_id, contents, lacking)
        sheet = _sheet(contents, lists)
    except Unreadable as error:
        return _fail(batch_id, account_id, str(error))
    outcome = _tried(batch_id, account_id, sheet, report)
    _keep_preview(batch_id, account_id, contents, sheet, outcome)
    if outcome.refused:
        report("标注", outcome.refused)
        _keep_returned(batch_id, account_id, returned.marked(source, name, contents.sheet, sheet, outcome))


def apply(batch_id: int, account_id: int, is_partial: bool = False, report: Report = silent) -> Outcome:
    """Write the import of a batch that has been previewed, whole or not at all.

    `is_partial` writes the good rows and leaves the bad ones out; without it one bad row refuses all. The
    file is read again; then one transaction writes everything. Raises Refused, NotFound, and Conflict when
    the ledger has moved since the preview: then nothing was written.
    """
    source, name, chosen = _source(batch_id, account_id, is_starting=True)
    try:
        contents, lists = _opened(source, name, chosen, report)
        sheet = _sheet(contents, lists)
    except Unreadable as error:
        raise Refused(str(error)) from error
    with engines.transaction() as session:
        batch, by = _held(session, batch_id, account_id)
        expected = batch.totals, batch.findings["seal"]
        outcome = run(session, sheet, batch, by=by, report=report)
        if (outcome.totals, outcome.seal) != expected:
            raise Conflict(CHANGED_MEANWHILE)
        _finish(session, batch, outcome, by, is_partial)
    if outcome.refused:
        _keep_returned(batch_id, account_id, returned.bad_rows(source, name, chosen, sheet, outcome))
    return outcome


def import_file(
    path: Path,
    enterprise_id: int,
    account_id: int,
    *,
    is_partial: bool = False,
    is_dry: bool = False,
    errors: Path | None = None,
    report: Report = silent,
) -> tuple[Outcome, bool]:
    """Upload, examine and apply a file in one go, as the command line does; what it did, and whether it did.

    One transaction keeps the file, the next keeps what was found, the last writes. A dry run is rolled back.
    `errors` is where the marked workbook goes when a row was refused. Raises Refused for a file that cannot
    be read or lacks a required column.
    """
    with engines.transaction() as session:
        by = _actor(session, account_id)
        reach.enterprise(session, enterprise_id, by, to="edit")
        batch_id = _uploaded(session, enterprise_id, path.name, path.read_bytes(), by).id
    try:
        contents, lists = _opened(path, path.name, None, report)
        if lacking := rows.missing(contents.fields):
            raise Unreadable(_lacking(contents, lacking))
        sheet = _sheet(contents, lists)
    except Unreadable as error:
        _fail(batch_id, account_id, str(error))
        raise Refused(str(error)) from error
    outcome, is_written = _written(batch_id, account_id, sheet, is_partial, is_dry, report)
    if not is_written:
        _keep_preview(batch_id, account_id, contents, sheet, outcome)
    if errors and outcome.refused:
        returned.mark(path, path.name, errors, contents.sheet, sheet, outcome)
    return outcome, is_written


def _written(
    batch_id: int, account_id: int, sheet: Sheet, is_partial: bool, is_dry: bool, report: Report
) -> tuple[Outcome, bool]:
    """Run, and keep it unless it is a dry one or a row was refused that should not be."""
    with engines.transaction() as session:
        batch, by = _held(session, batch_id, account_id)
        batch.started_at = clock.now()
    try:
        with engines.transaction() as session:
            batch, by = _held(session, batch_id, account_id)
            outcome = run(session, sheet, batch, by=by, report=report)
            if is_dry or (outcome.refused and not is_partial):
                raise TakenBack
            workflow.move(session, Subject.batch, [batch], "preview", by, totals=outcome.totals)
            _finish(session, batch, outcome, by, is_partial)
    except TakenBack:
        return outcome, False
    return outcome, True


def _source(
    batch_id: int, account_id: int, is_starting: bool = False
) -> tuple[Path, str, dict[int, str] | None]:
    """Where the file of a batch lies, its name, and the columns a person has chosen for it."""
    with engines.transaction() as session:
        batch, _ = _held(session, batch_id, account_id)
        wanted = BatchStatus.previewed if is_starting else BatchStatus.submitted
        if batch.status != wanted:
            raise Conflict(f"这次导入的状态已是“{batch.status}”，请刷新后查看")
        if is_starting:
            batch.started_at = clock.now()
        kept = session.get_one(Attachment, batch.attachment_id)
        chosen = batch.options.get("columns")
        columns = {int(index): name for index, name in chosen.items()} if chosen else None
        return attachments.path(kept), kept.name, columns


def _held(session: Session, batch_id: int, account_id: int) -> tuple[Batch, Account]:
    """The batch and the account that acts, who may have lost the right since the last step."""
    by = _actor(session, account_id)
    batch = find(session, batch_id, by=by, to="edit")
    session.exec(reach.held(select(Batch).where(Batch.id == batch_id), Batch)).one()
    return batch, by


def _actor(session: Session, account_id: int) -> Account:
    by = session.get(Account, account_id)
    if by is None or not by.is_active:
        raise Refused("账号已停用，不能继续导入，请联系管理员")
    return by


def _opened(
    source: Path, name: str, chosen: dict[int, str] | None, report: Report
) -> tuple[Contents, Future[Lists]]:
    """The file, opened by its own process; what its cells may name is made ready meanwhile."""
    with ThreadPoolExecutor(1) as beside:
        lists = beside.submit(_lists)
        return reading.read(source, name, chosen, lambda count: report("读取", count)), lists


def _lists() -> Lists:
    # The first initials take half a second, for a dictionary.
    search.initials("器")
    with engines.reading() as session:
        return Lists(session)


def _sheet(contents: Contents, lists: Future[Lists]) -> Sheet:
    with engines.reading() as session:
        return rows.read(session, contents, lists.result())


def _tried(batch_id: int, account_id: int, sheet: Sheet, report: Report) -> Outcome:
    try:
        with engines.transaction() as session:
            batch, by = _held(session, batch_id, account_id)
            outcome = run(session, sheet, batch, by=by, report=report)
            raise TakenBack
    except TakenBack:
        return outcome


def _finish(session: Session, batch: Batch, outcome: Outcome, by: Account, is_partial: bool) -> None:
    """Mark a run as an import that stays, or refuse it."""
    if outcome.refused and not is_partial:
        raise Refused(HAS_REFUSED.format(count=outcome.refused))
    options = {**batch.options, "is_partial": is_partial}
    workflow.move(
        session, Subject.batch, [batch], "apply", by, totals=outcome.totals, options=options, started_at=None
    )
    owner = session.get_one(Enterprise, batch.enterprise_id)
    audit.record(
        session,
        "导入台账",
        by=by,
        subject=Subject.batch.name,
        subject_id=batch.id,
        after=outcome.totals,
        note=owner.name,
    )


def _ask_for_columns(batch_id: int, account_id: int, contents: Contents, lacking: list[str]) -> None:
    """Keep what a person needs to see to match the columns: headings, the guesses, and the first rows."""
    first = [row for row, _ in zip(contents.rows, range(3), strict=False)]
    sample = [[rows.quoted(rows.shown(cell)) for cell in cells] for _, cells in first]
    with engines.transaction() as session:
        batch, _ = _held(session, batch_id, account_id)
        batch.findings = {
            "missing": lacking,
            "headings": [rows.quoted(heading) for heading in contents.headings],
            "fields": list(contents.fields),
            "sample": sample,
        }


def _lacking(contents: Contents, lacking: list[str]) -> str:
    unknown = _unused(contents)
    said = f"；没有识别的列：{'、'.join(unknown[:10])}" if unknown else ""
    where = f"工作表“{contents.sheet}”" if contents.sheet else "文件"
    lack = f"{where}缺少必填列：{'、'.join(lacking)}{said}"
    return f"{lack}。请按模板改正列名，或在网页上导入并对应各列"


def _unused(contents: Contents) -> list[str]:
    """The headings that stand for nothing in the ledger, but for those that exports add to be read."""
    pairs = zip(contents.headings, contents.fields, strict=True)
    return [rows.quoted(h) for h, f in pairs if h and not f and h not in {**exports.READING, **exports.OWNER}]


def _fail(batch_id: int, account_id: int, reason: str) -> None:
    with engines.transaction() as session:
        batch, by = _held(session, batch_id, account_id)
        batch.note = reason[:500]
        session.flush()
        workflow.move(session, Subject.batch, [batch], "fail", by, reason[:500])


def _keep_preview(batch_id: int, account_id: int, contents: Contents, sheet: Sheet, outcome: Outcome) -> None:
    findings = {
        "edition": rows.quoted(contents.edition),
        "notes": [rows.quoted(note) for note in contents.notes],
        "unused": _unused(contents),
        "has_validity": outcome.has_validity,
        "problems": [asdict(problem) for problem in returned.ordered(sheet)[:MOST_LISTED]],
        "problem_count": sheet.problem_count,
        "changed": outcome.changed,
        "seal": outcome.seal,
    }
    with engines.transaction() as session:
        batch, by = _held(session, batch_id, account_id)
        workflow.move(
            session,
            Subject.batch,
            [batch],
            "preview",
            by,
            totals=outcome.totals,
            findings=findings,
            started_at=None,
        )


def _keep_returned(batch_id: int, account_id: int, content: bytes | None) -> None:
    """Keep the workbook that comes back with the batch."""
    if content is None:
        return
    with engines.transaction() as session:
        batch, by = _held(session, batch_id, account_id)
        name = session.get_one(Attachment, batch.attachment_id).name
        kept = attachments.add(session, f"{Path(name).stem}（检查结果）.xlsx", content, XLSX, by=by)
        batch.returned_id = kept.id
