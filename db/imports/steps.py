"""The steps of an import. `examine`, `apply` and `import_file` take several transactions and say which."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import Session

from catalog import reading
from catalog.reading import Begun, Contents, Unreadable
from db import attachments, audit, clock, reach, search, workflow
from db import engine as engines
from db.errors import Conflict, Refused
from db.imports import findings, returned, rows, uploads
from db.imports.rows import Lists, Sheet
from db.imports.run import Outcome, Report, run, silent
from db.models import Account, Attachment, Batch, BatchStatus, Enterprise, Subject

CHANGED_MEANWHILE = "检查之后台账有变动，结果与预览不一致，本次没有导入任何数据，请放弃后重新上传"
HAS_REFUSED = "有 {count} 行需要改正，本次没有导入任何数据；请改正后重新上传，或选择“只导入正确的行”"


def examine(batch_id: int, account_id: int, report: Report = silent) -> None:
    """Read and check the file of a batch and keep what its import would do: the run itself, rolled back.

    One transaction looks the batch up, one is rolled back, one keeps the findings. A file that cannot be
    read ends the batch with the reason; one whose required columns are not recognized, or whose columns a
    person wants to match, leaves it waiting, with `missing` and its headings in its findings. Raises Refused,
    NotFound, Conflict.
    """
    source, name, chosen, is_asked = _source(batch_id, account_id)
    try:
        contents, lists = _opened(source, name, chosen, report)
        lacking = rows.missing(contents.fields)
        if lacking or is_asked:
            return findings.ask_for_columns(batch_id, account_id, contents, lacking)
        sheet = _sheet(contents, lists, account_id)
    except Unreadable as error:
        return findings.fail(batch_id, account_id, str(error))
    outcome = _tried(batch_id, account_id, sheet, report)
    findings.keep_preview(batch_id, account_id, contents, sheet, outcome)
    if outcome.refused:
        report("标注", 0, 0)
        findings.keep_returned(
            batch_id, account_id, returned.marked(source, name, contents.sheet, sheet, outcome)
        )


def apply(batch_id: int, account_id: int, is_partial: bool = False, report: Report = silent) -> Outcome:
    """Write the import of a batch that has been previewed, whole or not at all.

    `is_partial` writes the good rows and leaves the bad ones out; without it one bad row refuses all. The
    file is read again; then one transaction writes everything. Raises Refused, NotFound, and Conflict when
    the ledger has moved since the preview: then nothing was written.
    """
    source, name, chosen, _ = _source(batch_id, account_id, is_starting=True)
    with _over_when_refused(batch_id):
        try:
            contents, lists = _opened(source, name, chosen, report)
            sheet = _sheet(contents, lists, account_id)
        except Unreadable as error:
            raise Refused(str(error)) from error
        outcome = _applied(batch_id, account_id, sheet, is_partial, report)
    if outcome.refused:
        report("标注", 0, 0)
        findings.keep_returned(batch_id, account_id, returned.bad_rows(source, name, chosen, sheet, outcome))
    return outcome


@contextmanager
def _over_when_refused(batch_id: int) -> Iterator[None]:
    """After a refusal nothing is being written: only a process that died leaves `started_at`."""
    try:
        yield
    except Refused:
        with engines.transaction() as session:
            session.get_one(Batch, batch_id).started_at = None
        raise


def _applied(batch_id: int, account_id: int, sheet: Sheet, is_partial: bool, report: Report) -> Outcome:
    with engines.transaction() as session:
        batch, by = _held(session, batch_id, account_id)
        if batch.status != BatchStatus.previewed:
            raise Conflict(CHANGED_MEANWHILE)
        expected = batch.totals, batch.findings["seal"]
        outcome = run(session, sheet, batch, by=by, report=report)
        if (outcome.totals, outcome.seal) != expected:
            raise Conflict(CHANGED_MEANWHILE)
        # Who was signed out while the rows were written may not have them stay.
        session.refresh(by)
        _check_signed_in(by)
        _finish(session, batch, outcome, by, is_partial)
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
    begun: Begun | None = None,
) -> tuple[Outcome, bool]:
    """Upload, examine and apply a file in one go, as the command line does; what it did, and whether it did.

    One transaction keeps the file, the next keeps what was found, the last writes. A dry run is rolled back.
    `begun` is what `catalog.reading.begin` gave for the file. `errors` is where the marked workbook goes when
    a row was refused; where it cannot be made, a note of the outcome says so. Raises Refused for a file that
    cannot be read, lacks a required column or has no rows.
    """
    with engines.transaction() as session:
        by = uploads.actor(session, account_id)
        reach.enterprise(session, enterprise_id, by, to="edit")
        batch_id = uploads.keep(session, enterprise_id, path.name, path.read_bytes(), by).id
    try:
        contents, lists = _opened(path, path.name, None, report, begun)
        if lacking := rows.missing(contents.fields):
            raise Unreadable(findings.lacking(contents, lacking))
        sheet = _sheet(contents, lists, account_id)
        if not sheet.size:
            raise Unreadable(findings.empty(contents))
    except Unreadable as error:
        findings.fail(batch_id, account_id, str(error))
        raise Refused(str(error)) from error
    outcome, is_written = _written(batch_id, account_id, contents, sheet, is_partial, is_dry, report)
    outcome.notes = findings.notes(contents, sheet.alike)
    if not is_written:
        findings.keep_preview(batch_id, account_id, contents, sheet, outcome)
        # Nobody is asked to confirm it: it is kept as given up, and what was found with it.
        with engines.transaction() as session:
            uploads.discard(session, batch_id, by=uploads.actor(session, account_id))
    if errors and outcome.refused:
        _write_marked(errors, path, contents, sheet, outcome)
    return outcome, is_written


def _write_marked(errors: Path, path: Path, contents: Contents, sheet: Sheet, outcome: Outcome) -> None:
    """Write the file with its refused rows marked to `errors`, or note that it could not be made."""
    if content := returned.marked(path, path.name, contents.sheet, sheet, outcome):
        errors.write_bytes(content)
    else:
        outcome.notes.append("标注后的文件未能生成，请在网页上导入，按列出的问题修改")


def _written(
    batch_id: int,
    account_id: int,
    contents: Contents,
    sheet: Sheet,
    is_partial: bool,
    is_dry: bool,
    report: Report,
) -> tuple[Outcome, bool]:
    """Run, and keep it unless it is a dry one or a row was refused that should not be."""
    with engines.transaction() as session:
        batch, by = uploads.held(session, batch_id, account_id)
        batch.started_at = clock.now()
    with engines.transaction() as session, engines.trial(session) as point:
        batch, by = uploads.held(session, batch_id, account_id)
        outcome = run(session, sheet, batch, by=by, report=report)
        is_kept = not is_dry and (is_partial or not outcome.refused)
        if is_kept:
            found = findings.of_run(contents, sheet, outcome)
            workflow.move(
                session, Subject.batch, [batch], "preview", by, totals=outcome.totals, findings=found
            )
            _finish(session, batch, outcome, by, is_partial)
            point.commit()
    return outcome, is_kept


def _source(
    batch_id: int, account_id: int, is_starting: bool = False
) -> tuple[Path, str, dict[int, str] | None, bool]:
    """Where the file of a batch lies, its name, the columns a person has chosen, whether to ask anew."""
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
        return attachments.path(kept), kept.name, columns, bool(batch.options.get("is_asked"))


def _held(session: Session, batch_id: int, account_id: int) -> tuple[Batch, Account]:
    """The batch and the account for a page's job: it ends with the right to be signed in.

    The command line has no sign-in: there an account may still have its first password to change.
    """
    batch, by = uploads.held(session, batch_id, account_id)
    _check_signed_in(by)
    return batch, by


def _check_signed_in(by: Account) -> None:
    if not by.is_active or by.must_change_password:
        raise Refused("您的登录已失效，导入已停止，没有写入任何数据；请重新登录后再办理")


def _opened(
    source: Path,
    name: str,
    chosen: dict[int, str] | None,
    report: Report,
    begun: Begun | None = None,
) -> tuple[Contents, Future[Lists]]:
    """The file, opened by its own process; what its cells may name is made ready meanwhile."""
    with ThreadPoolExecutor(1) as beside:
        lists = beside.submit(_lists)
        return reading.read(source, name, chosen, lambda count: report("读取", count, 0), begun), lists


def _lists() -> Lists:
    # The first initials take half a second, for a dictionary.
    search.initials("器")
    with engines.reading() as session:
        return Lists(session)


def _sheet(contents: Contents, lists: Future[Lists], account_id: int) -> Sheet:
    with engines.reading() as session:
        return rows.read(session, contents, lists.result(), uploads.actor(session, account_id))


def _tried(batch_id: int, account_id: int, sheet: Sheet, report: Report) -> Outcome:
    with engines.transaction() as session, engines.trial(session):
        batch, by = _held(session, batch_id, account_id)
        # Whatever it writes is taken back: nobody should read that her ledger is being written.
        return run(session, sheet, batch, by=by, report=lambda _, *done: report("检查", *done))


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
