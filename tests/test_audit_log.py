"""The audit log as administrators read it: filters, pages, words and verification."""

from datetime import date

import pytest
from sqlmodel import select

from db import accounts, audit, audit_chain, audit_log
from db.engine import reading, transaction
from db.errors import Refused
from db.ledger_pages import Spot
from db.models import Account, AuditEntry, Institution, Role
from tests import make


@pytest.fixture
def administrator(database):
    """An administrator, added where nobody looks."""
    with transaction() as session:
        account = make.make_account(session, Role.administrator, full_name="周敏")
        audit.waiting(session).clear()
    return account


def listed(by, spot=audit_log.FIRST, size=50, **filters):
    """The actions of one page."""
    with reading() as session:
        leaf, *_ = audit_log.read(session, audit_log.Filters(**filters), spot, by=by, size=size)
    return [row.action for row in leaf.rows]


def noted(*actions, **values):
    """Entries of these actions."""
    with transaction() as session:
        for action in actions:
            audit.record(session, action, **values)


def test_the_newest_entry_comes_first_in_words(administrator):
    with transaction() as session:
        audit.attribute(session, by=administrator, address="10.0.0.7", place="技术机构")
        made = make.make_institution(session)
    with transaction() as session:
        audit.attribute(session, by=administrator)
        session.get_one(Institution, made.id).telephone = "0571-1"
    with reading() as session:
        leaf, total, is_all = audit_log.read(session, audit_log.Filters(), by=administrator)
    changed, added = leaf.rows
    assert (total, is_all) == (2, True)
    assert (changed.action, changed.changes) == ("修改技术机构", ["电话：0571-87654321 → 0571-1"])
    assert (added.subject, added.full_name, added.role) == ("技术机构 西湖区计量检定所", "周敏", "管理员")
    assert (added.address, added.place, added.outcome) == ("10.0.0.7", "技术机构", "成功")
    assert "行政区划：浙江省杭州市西湖区" in added.changes


def test_filters_narrow_the_list(administrator):
    noted("登录", by=administrator, address="10.0.0.7")
    noted("导出台账", subject="instrument")
    with pytest.raises(Refused), transaction() as session:
        audit.attribute(session, by=administrator, place="账户管理")
        accounts.suspend(session, administrator.id, by=administrator)
    assert listed(administrator) == ["账户管理", "导出台账", "登录"]
    assert listed(administrator, account="周") == ["账户管理", "登录"]
    assert listed(administrator, action="台账") == ["导出台账"]
    assert listed(administrator, subject="instrument") == ["导出台账"]
    assert listed(administrator, address="10.0.0.7") == ["登录"]
    assert listed(administrator, is_refused=True) == ["账户管理"]
    with reading() as session:
        operation = session.exec(select(AuditEntry.operation).where(AuditEntry.action == "登录")).one()
    assert listed(administrator, operation=operation) == ["登录"]


def test_days_are_days_in_china_and_both_ends_belong(administrator, monkeypatch):
    for moment in ("2026-11-23T00:00:00+08:00", "2026-11-23T23:59:59+08:00", "2026-11-24T00:00:00+08:00"):
        monkeypatch.setenv("YUEJIAN_NOW", moment)
        noted(f"{moment[8:10]}日{moment[11:13]}时")
    assert listed(administrator, since=date(2026, 11, 23), until=date(2026, 11, 23)) == [
        "23日23时",
        "23日00时",
    ]
    assert listed(administrator, since=date(2026, 11, 24)) == ["24日00时"]


def test_pages_go_on_where_the_one_before_ended(administrator):
    noted(*(f"第{number}" for number in range(1, 8)))
    read = lambda spot: audit_log.read(session, audit_log.Filters(), spot, by=administrator, size=3)[0]  # noqa: E731
    with reading() as session:
        first = read(Spot())
        second = read(first.older)
        third = read(second.older)
        assert [row.action for row in second.rows] == ["第4", "第3", "第2"]
        assert ([row.action for row in third.rows], third.has_older) == (["第1"], False)
        assert [row.id for row in read(third.newer).rows] == [row.id for row in second.rows]
        assert [row.id for row in read(second.newer).rows] == [row.id for row in first.rows]
        assert [row.id for row in read(Spot(-1)).rows] == [row.id for row in third.rows]
        assert [row.id for row in read(Spot(2)).rows] == [row.id for row in second.rows]
        assert [row.id for row in read(Spot(99)).rows] == [row.id for row in third.rows]


def test_an_address_names_the_filters_and_is_read_again():
    wanted = audit_log.Filters(since=date(2026, 11, 1), account="周", is_refused=True)
    assert audit_log.query(wanted) == {"since": "2026-11-01", "account": "周", "is_refused": "1"}
    assert audit_log.read_filters(audit_log.query(wanted) | {"page": "2"}) == wanted
    with pytest.raises(Refused, match="日期"):
        audit_log.read_filters({"since": "yesterday"})


@pytest.mark.parametrize("role", [role for role in Role if role != Role.administrator])
def test_nobody_else_reads_or_verifies_the_log(administrator, role):
    with transaction() as session:
        stranger = make.make_account(session, role)
        for ask in (
            audit_log.verify,
            lambda session, by: audit_log.read(session, audit_log.Filters(), by=by),
        ):
            with pytest.raises(Refused, match="不能执行此操作"):
                ask(session, by=stranger)


def test_a_long_verification_says_how_far_it_is(administrator, monkeypatch):
    monkeypatch.setattr(audit_chain, "CHUNK", 2)
    noted("登录", "导出台账", "导入台账", "登录", "退出")
    told = []
    with reading() as session:
        audit_log.verify(session, by=administrator, report=lambda *far: told.append(far))
    assert told == [(2, 5), (4, 5)]


def test_a_verification_says_how_many_entries_are_whole_and_is_noted(administrator):
    noted("登录", "导出台账")
    with reading() as session:
        found = audit_log.verify(session, by=administrator)
    assert found == (2, [])
    with transaction() as session:
        audit_log.note_verification(session, *found, by=session.get_one(Account, administrator.id))
    with reading() as session:
        entry = session.exec(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.note) == ("校验日志", "2 条，完好")
