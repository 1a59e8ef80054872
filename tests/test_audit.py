"""The audit log: entries that name who did what, each chained to the one before, never changed again."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from db import accounts, audit, clock
from db.engine import reading, transaction
from db.errors import Refused
from db.models import Account, AuditEntry, Counter, Role
from tests import make

HERE = {"address": "10.0.0.7", "place": "账户管理"}


def entries():
    """The whole log, oldest first."""
    with reading() as session:
        return session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()


@pytest.fixture
def clerk(database):
    """An administrator, added where nobody looks."""
    with transaction() as session:
        account = make.make_account(session, Role.administrator)
        audit.waiting(session).clear()
    return account


def test_an_entry_says_who_did_what_when_and_from_where(clerk):
    with transaction() as session:
        audit.attribute(session, by=clerk, **HERE)
        audit.record(session, "导出台账", subject="instrument", after={"rows": 3})
    (entry,) = entries()
    assert (entry.account_id, entry.role, entry.at) == (clerk.id, Role.administrator, clock.now())
    assert (entry.after, entry.address, entry.place) == ({"rows": 3}, "10.0.0.7", "账户管理")
    assert not entry.is_refused


def test_an_operation_may_name_somebody_else_than_the_session(clerk):
    with transaction() as session:
        audit.record(session, "登录", by=clerk, address="10.0.0.8")
    (entry,) = entries()
    assert (entry.account_id, entry.role, entry.address) == (clerk.id, Role.administrator, "10.0.0.8")


def test_numbers_of_persons_in_a_note_are_hidden(clerk):
    with transaction() as session:
        audit.record(session, "查询", by=clerk, note="手机号 13800138000，身份证 11010519491231002X")
    assert entries()[0].note == "手机号 138****8000，身份证 110***********002X"


def test_entries_of_one_transaction_share_their_operation(clerk):
    for actions in (("导入", "导出"), ("登录",)):
        with transaction() as session:
            for action in actions:
                audit.record(session, action, by=clerk)
    first, second, third = (entry.operation for entry in entries())
    assert first == second != third


def test_each_entry_is_chained_to_the_one_before(clerk):
    with transaction() as session:
        audit.record(session, "导入", by=clerk)
        audit.record(session, "导出", by=clerk)
    with transaction() as session:
        audit.record(session, "导入", by=clerk)
    first, second, third = entries()
    assert (first.previous_digest, second.previous_digest) == ("", first.digest)
    assert third.previous_digest == second.digest


def test_a_digest_holds_everything_an_entry_says(clerk):
    with transaction() as session:
        audit.attribute(session, by=clerk, **HERE)
        audit.record(session, "导入", before={"valid_until": None}, after={"rows": 12}, note="12 行")
    kept = entries()[0].model_dump()
    assert audit.digest(kept) == kept["digest"]
    for name in set(kept) - {"id", "digest", "at", "role"}:
        assert audit.digest(kept | {name: "x"}) != kept["digest"], name
    assert audit.digest(kept | {"role": Role.reviewer}) != kept["digest"]


def test_an_entry_of_an_older_version_keeps_its_digest():
    """As 0.2 computed it, before entries had an operation and a place."""
    entry = {
        "at": clock.now(),
        "account_id": 1,
        "role": Role.enterprise,
        "address": "",
        "action": "导入台账",
        "subject": "batch",
        "subject_id": 1,
        "before": None,
        "after": {"added": 2},
        "is_refused": False,
        "note": "",
        "previous_digest": "",
    }
    model = AuditEntry(**entry, digest="")
    said = model.model_dump(mode="json", exclude={"id", "digest", "operation", "place"})
    assert said["at"] == "2026-11-23T01:30:00Z"
    expected = "9180f26bb693d094"
    assert audit.digest(entry | {"operation": "", "place": ""}).startswith(expected)


def test_nothing_is_noted_of_a_transaction_that_is_taken_back(clerk):
    with pytest.raises(ZeroDivisionError), transaction() as session:
        audit.record(session, "导入", by=clerk)
        raise ZeroDivisionError
    assert entries() == []


def test_a_refusal_is_noted_in_a_transaction_of_its_own(clerk):
    with pytest.raises(Refused), transaction() as session:
        audit.attribute(session, by=clerk, **HERE)
        accounts.suspend(session, clerk.id, by=clerk)
    (entry,) = entries()
    assert (entry.is_refused, entry.action, entry.account_id) == (True, "账户管理", clerk.id)
    assert (entry.note, entry.address) == ("不能停用自己的账号，请由另一位管理员操作", "10.0.0.7")


def test_a_refusal_of_nobody_known_is_not_noted(clerk):
    with pytest.raises(Refused), transaction() as session:
        accounts.suspend(session, clerk.id, by=clerk)
    assert entries() == []


def test_a_form_filled_in_wrongly_is_noted_of_accounts_only(clerk):
    for by in (None, clerk):
        with pytest.raises(Refused), transaction() as session:
            audit.attribute(session, by=by, **HERE)
            raise Refused("请填写姓名", {"full_name": "请填写姓名"})
    assert [entry.account_id for entry in entries()] == [clerk.id]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET note = 'x'",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE id = (SELECT max(id) FROM audit_entries)",
    ],
)
def test_the_database_lets_nobody_change_or_remove_an_entry(clerk, statement):
    with transaction() as session:
        audit.record(session, "导入", by=clerk)
    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.text(statement))
    assert [entry.action for entry in entries()] == ["导入"]


def test_an_entry_cannot_be_replaced_or_the_table_emptied(clerk):
    with transaction() as session:
        audit.record(session, "导入", by=clerk)
        is_sqlite = session.get_bind().dialect.name == "sqlite"
    columns = "id, at, address, action, subject, is_refused, note, previous_digest, digest"
    replace = (
        f"REPLACE INTO audit_entries ({columns}) SELECT id, at, address, 'x', subject, is_refused, note,"
        " previous_digest, 'x' FROM audit_entries"
    )
    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.text(replace if is_sqlite else "TRUNCATE audit_entries"))
    assert [entry.action for entry in entries()] == ["导入"]


def test_many_at_once_write_one_chain(clerk):
    def act(number):
        with transaction() as session:
            audit.record(session, f"导入 {number}", by=clerk)
            account = session.get_one(Account, clerk.id)
            account.full_name = f"王芳 {number}"

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(act, range(40)))
    found = entries()
    assert len(found) == 80
    before = ["", *(entry.digest for entry in found[:-1])]
    assert [entry.previous_digest for entry in found] == before
    with reading() as session:
        assert session.get_one(Counter, audit.SERIES).value == 80
