"""审计日志 as a file, for an administrator; that somebody took it away is an entry of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlmodel import Session

from catalog import export
from catalog.spreadsheets import TEXT, WHOLE
from db import audit, audit_log, audit_words, clock, reach
from db import engine as engines
from db.audit_log import Filters
from db.errors import Refused
from db.models import Account, Role

TITLE = "审计日志"
CHUNK = 2_000
# Characters of a cell; a workbook takes 32,767.
LONGEST = 30_000
HEADINGS = {
    "序号": 10,
    "时间": 22,
    "账号": 16,
    "姓名": 12,
    "身份": 12,
    "网络地址": 18,
    "页面": 18,
    "动作": 18,
    "对象": 32,
    "结果": 8,
    "变更": 60,
    "说明": 40,
    "操作编号": 16,
    "摘要": 68,
}


def check(session: Session, filters: Filters, *, by: Account) -> None:
    """Raise Refused to all but administrators."""
    reach.allow(by, Role.administrator)


def save(path: Path, filters: Filters, *, account_id: int) -> int:
    """Write the matching entries to `path`, the newest first; how many there are.

    The ending of `path` says .xlsx or .csv. Two transactions, as for `db.exports.save`. Raises Refused for
    another ending and to all but administrators, OSError where the file cannot be written.
    """
    with engines.reading() as session:
        by = session.get_one(Account, account_id)
        check(session, filters, by=by)
        count = _write(path, _rows(session, filters))
    with engines.transaction() as session:
        audit.attribute(session, by=by, place=TITLE)
        kept = {"rows": count, "format": path.suffix.lower().lstrip(".")}
        audit.record(session, "导出审计日志", after=kept, note=_in_words(filters))
    return count


def _in_words(filters: Filters) -> str:
    """What the log was narrowed to, for the log itself."""
    said = audit_log.query(filters)
    if "subject" in said:
        said["subject"] = audit_words.SUBJECTS.get(said["subject"], audit_words.UNNAMED)
    if "is_refused" in said:
        said["is_refused"] = "拒绝"
    return "；".join(f"{audit_log.LABELS[name]} {value}" for name, value in said.items()) or "全部"


def _write(path: Path, rows: Iterator[tuple[Any, ...]]) -> int:
    if path.suffix.lower() == ".csv":
        return export.write_csv(path, list(HEADINGS), rows)
    if path.suffix.lower() != ".xlsx":
        raise Refused("审计日志可以导出为 .xlsx 或 .csv，请改正文件名")
    formats = [WHOLE, *[TEXT] * (len(HEADINGS) - 1)]
    widths = list(HEADINGS.values())
    return export.write_xlsx(path, TITLE, list(HEADINGS), rows, formats=formats, widths=widths, title=TITLE)


def _rows(session: Session, filters: Filters) -> Iterator[tuple[Any, ...]]:
    wanted = audit_log.entries().where(*audit_log.matching(filters)).order_by(audit_log.KEY.desc())
    for part in session.execute(wanted.execution_options(yield_per=CHUNK)).partitions():
        for row in audit_log.in_words(session, part):
            at = f"{row.at.astimezone(clock.CHINA):%Y-%m-%d %H:%M:%S}"
            yield (
                *(row.id, at, row.username, row.full_name, row.role, row.address, row.place, row.action),
                *(row.subject, row.outcome, "；".join(row.changes)[:LONGEST], row.note, row.operation),
                row.digest,
            )
