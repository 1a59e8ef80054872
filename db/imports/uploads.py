"""The uploads of a ledger: kept, found, matched to the template's columns, given up."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from catalog.columns import COLUMNS, EXTRAS
from catalog.spreadsheets import XLSX
from db import attachments, audit, clock, reach, workflow
from db.errors import NotFound, Refused
from db.imports import rows
from db.models import Account, Batch, BatchAction, BatchStatus, Subject

# Uploads of one ledger: so many may wait for a decision, so many come in a day.
MOST_WAITING, MOST_A_DAY = 10, 100


def upload(session: Session, enterprise_id: int, name: str, content: bytes, *, by: Account) -> Batch:
    """Keep an uploaded file as a batch that waits to be examined.

    Raises NotFound outside the asker's reach, Refused without the right to edit, for a file that is empty or
    larger than 20 MB, and while too many of the ledger wait. What the file holds is `examine`'s affair.
    """
    reach.enterprise(session, enterprise_id, by, to="edit")
    _check_room(session, enterprise_id)
    return keep(session, enterprise_id, name, content, by)


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


def keep(session: Session, enterprise_id: int, name: str, content: bytes, by: Account) -> Batch:
    """Keep a file as a batch; the caller has checked the right to."""
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
    chosen = {str(index): name for index, name in columns.items()}
    batch.options = {**batch.options, "columns": chosen, "is_asked": False}
    batch.findings = {}
    session.flush()
    return batch


def match_again(session: Session, batch_id: int, *, by: Account) -> Batch:
    """重新对应列: what was previewed is to be examined anew, which asks for every column first."""
    batch = find(session, batch_id, by=by, to="edit")
    anew: dict[str, Any] = {"totals": {}, "findings": {}, "returned_id": None, "started_at": None}
    options = {**batch.options, "is_asked": True}
    workflow.move(session, Subject.batch, [batch], "match_again", by, options=options, **anew)
    return batch


def discard(session: Session, batch_id: int, *, by: Account) -> Batch:
    """放弃 an import that has not been written."""
    batch = find(session, batch_id, by=by, to="edit")
    workflow.move(session, Subject.batch, [batch], "discard", by)
    return batch


def held(session: Session, batch_id: int, account_id: int) -> tuple[Batch, Account]:
    """The batch and the account that acts, who may have lost the right since the last step."""
    by = actor(session, account_id)
    batch = find(session, batch_id, by=by, to="edit")
    session.exec(reach.held(select(Batch).where(Batch.id == batch_id), Batch)).one()
    return batch, by


def actor(session: Session, account_id: int) -> Account:
    """The account an import acts for; raises Refused once it may not act any more."""
    by = session.get(Account, account_id)
    if by is None or not by.is_active:
        raise Refused("账号已停用，不能继续导入，请联系管理员")
    audit.attribute(session, by=by, place="台账导入")
    return by
