"""Whether the audit log is whole: an edited, removed, added or moved entry is found."""

import pytest
import sqlalchemy as sa
from sqlmodel import select

from db import audit, audit_chain, checks
from db.engine import engine, reading, transaction
from db.errors import Refused
from db.models import AuditEntry
from tests import make


@pytest.fixture
def log(database):
    """Five entries."""
    with transaction() as session:
        clerk = make.make_account(session)
        audit.waiting(session).clear()
        for action in ("登录", "新增", "导入", "导出", "退出登录"):
            audit.record(session, action, by=clerk)
    with reading() as session:
        return session.exec(select(AuditEntry.id).order_by(AuditEntry.id)).all()


def behind_the_back(*statements):
    """What somebody does who may change the schema too; the lock is put back afterwards."""
    with engine().begin() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            locks = connection.execute(
                sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            ).all()
            for name, _ in locks:
                connection.execute(sa.text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(sa.text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        for statement in statements:
            connection.execute(sa.text(statement))
        if is_sqlite:
            for _, text in locks:
                connection.exec_driver_sql(text)
        else:
            connection.execute(sa.text("ALTER TABLE audit_entries ENABLE TRIGGER USER"))


def faults(noted=None):
    """What a verification says."""
    with reading() as session:
        return list(audit_chain.faults(session, noted))


def test_a_log_nobody_touched_is_whole(log):
    assert faults() == []
    with reading() as session:
        assert checks.findings(session) == []


def test_an_empty_log_is_whole(database):
    assert faults() == []
    with reading() as session:
        assert audit_chain.head(session) == audit_chain.Head(0, "")


def test_an_edited_entry_is_found(log):
    behind_the_back(f"UPDATE audit_entries SET note = '改过' WHERE id = {log[2]}")
    assert faults() == [f"审计日志第 {log[2]} 条的内容被改动过"]


def test_an_entry_edited_with_a_digest_that_fits_breaks_the_chain_after_it(log):
    with reading() as session:
        entry = session.get_one(AuditEntry, log[2]).model_dump()
    forged = audit.digest(entry | {"note": "改过"})
    behind_the_back(f"UPDATE audit_entries SET note = '改过', digest = '{forged}' WHERE id = {log[2]}")
    assert faults() == [f"审计日志第 {log[3]} 条之前有记录被删除、插入或调换次序"]


def test_a_removed_entry_is_found(log):
    behind_the_back(f"DELETE FROM audit_entries WHERE id = {log[1]}")
    assert faults() == [
        f"审计日志第 {log[2]} 条之前有记录被删除、插入或调换次序",
        "审计日志应有 5 条，实有 4 条",
    ]


def test_removed_entries_at_the_end_are_missed(log):
    behind_the_back(f"DELETE FROM audit_entries WHERE id >= {log[3]}")
    assert faults() == ["审计日志应有 5 条，实有 3 条"]


def test_two_entries_that_changed_places_are_found(log):
    first, second = log[1], log[2]
    behind_the_back(
        f"UPDATE audit_entries SET id = 0 WHERE id = {first}",
        f"UPDATE audit_entries SET id = {first} WHERE id = {second}",
        f"UPDATE audit_entries SET id = {second} WHERE id = 0",
    )
    assert f"审计日志第 {first} 条之前有记录被删除、插入或调换次序" in faults()


def test_a_log_written_anew_does_not_match_a_head_noted_elsewhere(log):
    with reading() as session:
        noted = audit_chain.read_head(str(audit_chain.head(session)))
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()
    with transaction() as session:
        audit.record(session, "登录")
    assert faults(noted) == []
    rows = audit.chained([entry.model_dump() | {"action": "无事"} for entry in entries], "")
    behind_the_back(
        f"DELETE FROM audit_entries WHERE id > {log[4]}",
        *(
            f"UPDATE audit_entries SET action = '无事', digest = '{row['digest']}',"
            f" previous_digest = '{row['previous_digest']}' WHERE id = {row['id']}"
            for row in rows
        ),
        "UPDATE counters SET value = 5 WHERE series = 'audit_entries'",
    )
    assert faults() == []
    assert faults(noted) == ["审计日志前 5 条与留存的摘要不一致，日志可能被整体改写过"]


def test_a_log_shorter_than_when_its_head_was_noted_is_found(log):
    assert faults(audit_chain.Head(7, "x"))[-1] == "留存摘要时审计日志有 7 条，现在只有 5 条"


def test_a_lock_taken_away_is_found(log):
    with engine().begin() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        connection.execute(
            sa.text(
                "DROP TRIGGER audit_entries_no_delete"
                if is_sqlite
                else "ALTER TABLE audit_entries DISABLE TRIGGER USER"
            )
        )
    assert "防改保护" in faults()[0]


@pytest.mark.parametrize("text", ["", "5", "x:y", "5:"])
def test_a_head_that_was_copied_wrongly_is_refused(text):
    with pytest.raises(Refused, match="原样填写"):
        audit_chain.read_head(text)
