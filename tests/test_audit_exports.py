"""审计日志 as a file, and the entry that says who took it."""

import csv

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from catalog.spreadsheets import UNWRITABLE
from db import audit, audit_exports
from db.audit_log import Filters
from db.engine import reading, transaction
from db.errors import Refused
from db.models import AuditEntry, Role
from tests import make
from tests.test_naughty import NAUGHTY


@pytest.fixture
def administrator(database):
    """An administrator, and a log of two entries, one of them meant to run as a formula."""
    with transaction() as session:
        account = make.make_account(session, Role.administrator)
        audit.waiting(session).clear()
        audit.record(session, "登录", by=account)
        audit.record(session, "查询", note='=HYPERLINK("http://x")')
    return account


def test_a_workbook_holds_the_entries_and_no_formula(administrator, tmp_path):
    path = tmp_path / "audit.xlsx"
    assert audit_exports.save(path, Filters(), account_id=administrator.id) == 2
    rows = list(load_workbook(path).active.iter_rows())
    assert [cell.value for cell in rows[0]] == list(audit_exports.HEADINGS)
    assert [row[7].value for row in rows[1:]] == ["查询", "登录"]
    assert {cell.data_type for row in rows for cell in row} <= {"s", "n"}


def test_a_csv_is_narrowed_as_asked(administrator, tmp_path):
    path = tmp_path / "audit.csv"
    audit_exports.save(path, Filters(action="登录"), account_id=administrator.id)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["动作"], row["时间"]) for row in rows] == [("登录", "2026-11-23 09:30:00")]


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_hard_strings_are_written_as_they_stand_and_none_is_a_formula(administrator, tmp_path, ending):
    texts = [text for text in NAUGHTY if UNWRITABLE.search(text) is None and text.strip() == text]
    with transaction() as session:
        for text in texts:
            audit.record(session, "试", note=text)
    with reading() as session:
        found = select(AuditEntry.note).where(AuditEntry.action == "试").order_by(AuditEntry.id.desc())
        notes = [note for note in session.exec(found)]
    path = tmp_path / f"audit.{ending}"
    audit_exports.save(path, Filters(action="试"), account_id=administrator.id)
    place = list(audit_exports.HEADINGS).index("说明")
    if ending == "xlsx":
        rows = list(load_workbook(path).active.iter_rows(min_row=2))
        assert {cell.data_type for row in rows for cell in row} <= {"s", "n"}
        assert [row[place].value or "" for row in rows] == notes
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [row[place] for row in csv.reader(file)][1:]
        assert [cell.removeprefix("'") if cell[1:] in notes else cell for cell in cells] == notes
        assert [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")] == []


def test_an_export_is_noted_with_the_address_of_its_visitor(administrator, tmp_path):
    token = audit.FROM.set("10.0.0.7")
    audit_exports.save(tmp_path / "audit.csv", Filters(action="登录"), account_id=administrator.id)
    audit.FROM.reset(token)
    with reading() as session:
        entry = session.exec(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.address, entry.account_id) == ("导出审计日志", "10.0.0.7", administrator.id)
    assert (entry.after, entry.note) == ({"rows": 1, "format": "csv"}, "动作 登录")


def test_another_ending_and_another_role_are_refused(administrator, tmp_path):
    with pytest.raises(Refused, match="改正文件名"):
        audit_exports.save(tmp_path / "audit.txt", Filters(), account_id=administrator.id)
    with transaction() as session:
        stranger = make.make_account(session, Role.supervisor)
    with pytest.raises(Refused, match="不能执行此操作"):
        audit_exports.save(tmp_path / "audit.csv", Filters(), account_id=stranger.id)
    assert not list(tmp_path.glob("audit*"))
