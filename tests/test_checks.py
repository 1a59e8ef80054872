"""What `python -m db check` finds in a database that was tampered with."""

import sqlite3
from contextlib import closing
from datetime import date

import pytest
import sqlalchemy as sa

from db import appointments, checks, engine, instruments, verifications
from db.models import Conclusion, Role, VerificationType
from tests import make

DAY = date(2026, 11, 23)


@pytest.fixture
def line(session):
    """A line verified and completed, among records of every subject."""
    clerk, owner = make.make_account(session, Role.institution), make.make_account(session)
    enterprise = session.get(make.Enterprise, owner.enterprise_id)
    make.make_link(session, make.make_account(session, Role.personal), enterprise)
    made = make.make_line(session, clerk, owner)
    appointments.accept(session, [made.id], by=clerk, planned_from=DAY, planned_until=DAY)
    appointments.begin(session, [made.id], by=clerk)
    result = verifications.Result(
        VerificationType.initial, DAY, Conclusion.passed, "JJG 52-2013", "李敏", "周强"
    )
    verifications.record(session, [made.id], result, by=clerk)
    gauge = make.make_instrument(session, owner)
    instruments.change_status(session, [gauge.id], "store", by=owner)
    session.flush()
    return made


def tamper(session, statement, **values):
    """Change the database past every operation."""
    session.execute(sa.text(statement), values)


def test_a_database_that_was_only_operated_is_whole(session, line):
    assert checks.findings(session) == []


def test_a_status_that_was_set_by_hand_is_found(session, line):
    tamper(session, "UPDATE instruments SET status = 'scrapped' WHERE id = :id", id=line.instrument_id)
    sentence = f"强检器具 {line.instrument_id} 的状态为 scrapped，流程记录却是 in_use"
    assert checks.findings(session) == [sentence]


def test_a_status_that_does_not_exist_is_found(session, line):
    tamper(session, "UPDATE appointment_lines SET status = 'paid' WHERE id = :id", id=line.id)
    found = checks.findings(session)
    assert f"预约器具 {line.id} 的状态为 paid，流程记录却是 completed" in found


def test_the_last_move_removed_is_found(session, line):
    tamper(session, "DELETE FROM status_changes WHERE action = 'complete'")
    sentence = f"预约器具 {line.id} 的状态为 completed，流程记录却是 in_verification"
    assert checks.findings(session) == [sentence]


def test_a_move_removed_from_the_middle_is_found(session, line):
    tamper(session, "DELETE FROM status_changes WHERE action = 'accept'")
    assert checks.findings(session) == [f"预约器具 {line.id} 的流程记录前后不连续"]


def test_a_history_removed_altogether_is_found(session, line):
    tamper(session, "DELETE FROM status_changes WHERE subject = 'line'")
    sentence = f"预约器具 {line.id} 的状态为 completed，流程记录却是 空"
    assert checks.findings(session) == [sentence]


def test_a_move_the_table_does_not_know_is_found(session, line):
    tamper(session, "UPDATE status_changes SET action = 'approve' WHERE action = 'accept'")
    sentence = "流程表中没有的变动：预约器具 approve assigned→accepted，共 1 次"
    assert checks.findings(session) == [sentence]


def test_a_history_of_nothing_is_found(session, line):
    tamper(session, "UPDATE status_changes SET subject_id = 999 WHERE subject = 'link'")
    found = checks.findings(session)
    assert "流程记录所属的关联企业 999 不存在" in found


def test_a_subject_that_does_not_exist_is_found(session, line):
    tamper(session, "UPDATE status_changes SET subject = 'fee' WHERE action = 'store'")
    found = checks.findings(session)
    assert "流程表中没有的变动：fee store in_use→stored，共 1 次" in found


def test_a_double_booking_is_found(session, line):
    tamper(session, "DROP INDEX uq_appointment_lines_open_instrument")
    for _ in range(2):
        copied = "appointment_id, instrument_id, delivery_mode, snapshot, moved_at"
        tamper(
            session,
            f"INSERT INTO appointment_lines (status, {copied})"
            f" SELECT 'unassigned', {copied} FROM appointment_lines WHERE id = :id",
            id=line.id,
        )
    sentence = f"器具 {line.instrument_id} 同时在 2 张未办结的预约单中"
    assert sentence in checks.findings(session)


def test_a_line_without_its_institution_is_found(session, line):
    tamper(session, "UPDATE appointment_lines SET institution_id = NULL")
    assert checks.findings(session) == [f"预约器具 {line.id} 的状态与技术机构不一致"]


def test_a_result_removed_is_found(session, line):
    tamper(session, "DELETE FROM verifications")
    assert checks.findings(session) == [f"预约器具 {line.id} 的完成状态与检定结果不一致"]


def test_a_rejection_with_a_validity_is_found(session, line):
    tamper(session, "UPDATE verifications SET conclusion = 'rejected'")
    result_id = session.scalar(sa.text("SELECT id FROM verifications"))
    assert checks.findings(session) == [f"不合格的检定结果 {result_id} 不应有有效期"]


def test_a_reference_to_nothing_is_found(sqlite):
    with closing(sqlite3.connect(sqlite.removeprefix("sqlite:///"))) as past:
        past.execute("UPDATE categories SET id = 999 WHERE code = '901'")
        past.commit()
    with engine.reading() as session:
        assert checks.findings(session) == ["kinds 第 1 行引用的 categories 记录不存在"]


def test_a_value_the_database_itself_forbids_is_found(sqlite):
    with engine.transaction() as session:
        make.make_instrument(session)
    with closing(sqlite3.connect(sqlite.removeprefix("sqlite:///"))) as past:
        past.execute("PRAGMA ignore_check_constraints = ON")
        past.execute("UPDATE instruments SET quantity = 0")
        past.commit()
    with engine.reading() as session:
        assert checks.findings(session) == ["数据库文件损坏：CHECK constraint failed in instruments"]


def test_many_findings_of_one_kind_are_summed_up(session):
    owner = make.make_account(session)
    for _ in range(checks.MOST_SHOWN + 3):
        make.make_instrument(session, owner)
    tamper(session, "UPDATE instruments SET status = 'stored'")
    found = checks.findings(session)
    assert len(found) == checks.MOST_SHOWN + 1
    assert found[-1] == "……另有 3 处同类问题"
