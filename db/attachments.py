"""Files that belong to records: the bytes lie on the disk under their digest, the rest is a row."""

import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import make_url
from sqlmodel import Session, col, select

from db import reach
from db.engine import database_url
from db.errors import HIDDEN, NotFound, Refused
from db.fields import Form
from db.models import Account, Attachment, Batch, Correction, Recovery, Registration

MOST_BYTES = 20 << 20
# Of a scan or photograph that proves something.
MOST_PROOF_BYTES = 10 << 20
# How a file begins that anybody may look at without harm: pictures and documents, never SVG.
BEGINNINGS = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"%PDF-": "application/pdf",
}


def folder() -> Path:
    """Where the bytes lie: `YUEJIAN_FILES`, else beside an SQLite database, else under `data/`."""
    if chosen := os.environ.get("YUEJIAN_FILES"):
        return Path(chosen)
    url = make_url(database_url())
    beside = Path(url.database).parent if url.drivername == "sqlite" and url.database else Path("data")
    return beside / "attachments"


def add(session: Session, name: str, content: bytes, media_type: str, *, by: Account | None) -> Attachment:
    """Keep a file of at most 20 MB; what it may hold and who may see it is its record's affair.

    `by` None is an applicant without an account.
    The bytes are on the disk before the row is committed. Raises Refused for an empty or a larger file.
    """
    if not content:
        raise Refused("文件是空的，请重新选择文件")
    if len(content) > MOST_BYTES:
        raise Refused(f"文件不能超过 {MOST_BYTES >> 20} MB，请拆分后分次上传")
    digest = hashlib.sha256(content).hexdigest()
    _write(_path(digest), content)
    # The client's path, if it sends one, stays outside; so does what makes a name look like another.
    plain = " ".join(HIDDEN.sub("", name.replace("\\", "/").rsplit("/", 1)[-1]).split())
    row = Attachment(
        digest=digest,
        name=plain[-200:] or "未命名",
        media_type=media_type[:80],
        size=len(content),
        created_by_id=by.id if by else None,
    )
    session.add(row)
    session.flush()
    return row


def media_type(content: bytes) -> str | None:
    """What a picture or PDF is by its first bytes, whatever its name says; None for anything else."""
    return next((kind for start, kind in BEGINNINGS.items() if content.startswith(start)), None)


def check(form: Form, field: str, label: str, content: Any) -> str:
    """The media type of a proof; notes in `form` unless it is a picture or PDF of at most 10 MB."""
    given = content if isinstance(content, bytes) else b""
    found = media_type(given)
    if not given:
        form.say(field, f"请上传{label}")
    elif found is None:
        form.say(field, f"{label}不是 JPG、PNG 图片或 PDF 文件，请重新选择")
    elif len(given) > MOST_PROOF_BYTES:
        form.say(field, f"{label}不能超过 {MOST_PROOF_BYTES >> 20} MB，请压缩后重新上传")
    return found or ""


def remove(session: Session, attachment_id: int) -> None:
    """Drop a file that no record names any more.

    Its bytes go once this is committed, unless another file has the same.
    """
    row = session.get_one(Attachment, attachment_id)
    session.delete(row)
    session.flush()
    if session.exec(select(Attachment.id).where(Attachment.digest == row.digest)).first() is None:
        gone = _path(row.digest)
        sa.event.listen(session, "after_commit", lambda _: gone.unlink(missing_ok=True), once=True)


def readable(session: Session, attachment_id: int, *, by: Account) -> Attachment:
    """The file, if it belongs to a record that the asker may see; raises NotFound."""
    holders = (
        _held_by(Correction.attachment_id, attachment_id, reach.corrections(by)),
        _held_by(Batch.attachment_id, attachment_id, reach.batches(by)),
        _held_by(Batch.returned_id, attachment_id, reach.batches(by)),
        _held_by(Recovery.attachment_id, attachment_id, reach.recoveries(by)),
        _held_by(Registration.licence_id, attachment_id, reach.licences(by)),
    )
    found = session.exec(select(Attachment).where(Attachment.id == attachment_id, sa.or_(*holders))).first()
    if found is None:
        raise NotFound("附件")
    return found


def _held_by(column: Any, attachment_id: int, is_seen: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether a record that the asker may see names the attachment in `column`."""
    return sa.exists().where(col(column) == attachment_id, is_seen)


def forget_orphans(session: Session) -> int:
    """Delete the stored files that no attachment names and that are older than a day; how many there were.

    They are left by uploads that were taken back, and by records that are kept no longer.
    """
    known = set(session.scalars(select(Attachment.digest)))
    settled = time.time() - 86_400
    orphans = [
        file for file in folder().glob("??/*") if file.name not in known and file.stat().st_mtime < settled
    ]
    for file in orphans:
        file.unlink()
    return len(orphans)


def path(attachment: Attachment) -> Path:
    """Where the bytes of an attachment lie. Raises Refused when they are gone."""
    found = _path(attachment.digest)
    if not found.is_file():
        raise Refused(f"文件“{attachment.name}”不在存储目录中，请联系管理员从备份恢复")
    return found


def _path(digest: str) -> Path:
    return folder() / digest[:2] / digest


def _write(target: Path, content: bytes) -> None:
    """Write whole or not at all: a file of that name has that content."""
    if target.exists():
        # Named anew: `forget_orphans` leaves it alone until the record is there.
        os.utime(target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, target)
