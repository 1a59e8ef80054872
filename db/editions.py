"""Editions of the catalog and the divisions that a bureau loads: looked over, kept until their day."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from sqlmodel import Session, col, insert, select, update

from catalog import list_files
from catalog.list_files import ListFile
from catalog.reading import Unreadable
from db import audit, clock, edition_application, edition_differences, reach
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.models import Account, Dataset, Edition, EditionContent, Role

MOST_BYTES = 20 << 20
READERS = {Dataset.catalog: list_files.read_kinds, Dataset.divisions: list_files.read_divisions}


class EditionState(StrEnum):
    """Where an edition stands, by its moments."""

    waiting = "待生效"
    in_force = "现行"
    replaced = "已替代"
    canceled = "已取消"


def read(dataset: Dataset, name: str, content: bytes) -> ListFile:
    """The list in a file, read by a process of its own and checked row by row. Raises Refused."""
    if not content:
        raise Refused("文件是空的，请重新选择文件")
    if len(content) > MOST_BYTES:
        raise Refused(f"文件不能超过 {MOST_BYTES >> 20} MB，请只保留这一张表后重新上传")
    with tempfile.TemporaryDirectory(prefix="yuejian-") as folder:
        path = Path(folder) / "list"
        path.write_bytes(content)
        try:
            return READERS[dataset](path, name)
        except Unreadable as error:
            raise Refused(str(error)) from error


def stage(
    session: Session,
    dataset: Dataset,
    listed: ListFile,
    *,
    by: Account,
    name: str,
    effective_on: date | None,
    is_official: bool = True,
    successors: Mapping[str, str] | None = None,
) -> Edition:
    """Keep a list that takes effect on `effective_on`; on the same day if that is today.

    `successors` gives the code that takes the place of one that is retired. Raises Refused, with every wrong
    field, for a list with problems, without a difference, and while another edition waits.
    """
    reach.allow(by, Role.administrator)
    form = Form()
    title = form.text("name", "版本名称", name, 120, required=True)
    day = form.day("effective_on", "生效日期", effective_on, required=True)
    if day and day < clock.today():
        form.say("effective_on", "生效日期不能早于今天")
    chosen = _successors(session, form, dataset, listed, successors or {}, by)
    if listed.problems:
        form.say("file", f"文件中有 {len(listed.problems)} 处需要改正，改好后请重新上传")
    if session.exec(edition_application.waiting(dataset)).first():
        form.say("dataset", f"已有一个待生效的{dataset}版本，请先取消它")
    form.done()
    rows = [dict(row) for _, row in sorted(listed.rows.items())]
    text = json.dumps([rows, chosen], ensure_ascii=False, sort_keys=True)
    edition = Edition(
        dataset=dataset,
        name=title,
        is_official=is_official is True,
        note=f"{'官方' if is_official else ''}{dataset}，由 {by.full_name} 载入，共 {len(rows)} 条",
        digest=hashlib.sha256(text.encode()).hexdigest(),
        effective_on=day or clock.today(),
        loaded_by_id=by.id,
    )
    session.add(edition)
    session.flush()
    kept = {"edition_id": edition.id, "rows": rows, "successors": chosen}
    session.execute(insert(EditionContent).values(kept))
    if edition.effective_on <= clock.today():
        edition_application.apply(session, edition.id)
    return edition


def _successors(
    session: Session,
    form: Form,
    dataset: Dataset,
    listed: ListFile,
    chosen: Mapping[str, str],
    by: Account,
) -> dict[str, str]:
    found = edition_differences.find(session, dataset, listed, by=by)
    if found.is_empty and not listed.problems:
        form.say("file", "文件与现行版本没有差别，不需要载入")
    gone = {row.code for row in found.retired}
    for old, new in chosen.items():
        if old not in gone or new not in listed.rows:
            form.say("successors", f"{old} 的后继代码 {new} 不在新版本中，请重新选择")
    return {old: new for old, new in chosen.items() if old in gone and new in listed.rows}


def cancel(session: Session, edition_id: int, *, by: Account) -> Edition:
    """取消 an edition that waits. Raises Refused, NotFound, or Conflict when it is in force by now."""
    reach.allow(by, Role.administrator)
    edition = session.get(Edition, edition_id)
    if edition is None:
        raise NotFound("版本")
    here = edition_application.is_waiting() & (col(Edition.id) == edition_id)
    if session.exec(update(Edition).where(here).values(canceled_at=clock.now())).rowcount != 1:
        raise Conflict("这个版本已经生效或已经取消，请刷新后查看")
    session.refresh(edition)
    audit.record(
        session, "取消待生效版本", by=by, subject="edition", subject_id=edition.id, note=edition.name
    )
    return edition


@dataclass(frozen=True)
class EditionRow:
    """An edition as the list of editions shows it."""

    id: int
    dataset: Dataset
    name: str
    is_official: bool
    state: EditionState
    effective_on: date
    loaded_at: datetime
    loaded_by: str


def page(session: Session, *, by: Account) -> list[EditionRow]:
    """The editions of both tables, the latest loaded first; for administrators."""
    reach.allow(by, Role.administrator)
    joined = select(Edition, Account.full_name).join(
        Account, col(Edition.loaded_by_id) == Account.id, isouter=True
    )
    rows = session.exec(joined.order_by(col(Edition.id).desc()).limit(100)).all()
    newest: dict[Dataset, int] = {}
    for edition, _ in sorted(rows, key=lambda row: (row[0].applied_at or row[0].loaded_at, row[0].id)):
        if edition.applied_at:
            newest[edition.dataset] = edition.id
    return [_row(edition, name or "", edition.id == newest.get(edition.dataset)) for edition, name in rows]


def _row(edition: Edition, loaded_by: str, is_newest: bool) -> EditionRow:
    if edition.canceled_at:
        state = EditionState.canceled
    elif edition.applied_at is None:
        state = EditionState.waiting
    else:
        state = EditionState.in_force if is_newest else EditionState.replaced
    fields = ("id", "dataset", "name", "is_official", "effective_on", "loaded_at")
    values = {name: getattr(edition, name) for name in fields}
    return EditionRow(**values, state=state, loaded_by=loaded_by)
