"""What the audit log notes by itself of the records a session changes."""

import re

import pytest
from sqlmodel import select

from db import accounts, audit, instruments, registrations, reviews, settings, workflow
from db.engine import reading, transaction
from db.models import AppointmentLine, AuditEntry, Institution, Purpose, Role, Subject
from tests import make
from tests.test_recoveries import ask


@pytest.fixture
def administrator(database):
    """An administrator, added where nobody looks."""
    with transaction() as session:
        account = make.make_account(session, Role.administrator, mobile="13800138000")
        audit.waiting(session).clear()
    return account


def entries():
    """The whole log, oldest first."""
    with reading() as session:
        return session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()


def test_a_new_record_is_noted_with_what_it_holds(administrator):
    with transaction() as session:
        audit.attribute(session, by=administrator, address="10.0.0.7")
        made = make.make_institution(session, "西湖区计量检定所")
    (entry,) = entries()
    assert (entry.action, entry.subject, entry.subject_id) == ("新增技术机构", "institution", made.id)
    assert (entry.before, entry.after["name"]) == (None, "西湖区计量检定所")
    assert (entry.account_id, entry.address) == (administrator.id, "10.0.0.7")


def test_a_change_is_noted_with_the_columns_that_differ(administrator):
    with transaction() as session:
        made = make.make_institution(session)
    with transaction() as session:
        kept = session.get_one(Institution, made.id)
        kept.telephone, kept.name = "0571-1", kept.name
    entry = entries()[-1]
    assert entry.action == "修改技术机构"
    assert (entry.before, entry.after) == ({"telephone": "0571-87654321"}, {"telephone": "0571-1"})


def test_a_removal_is_noted_with_what_there_was(administrator):
    with transaction() as session:
        made = make.make_institution(session)
    with transaction() as session:
        session.delete(session.get_one(Institution, made.id))
    entry = entries()[-1]
    assert (entry.action, entry.subject_id, entry.after) == ("删除技术机构", made.id, None)
    assert entry.before["telephone"] == "0571-87654321"


def test_no_secret_and_no_whole_number_of_a_person_gets_into_the_log(administrator):
    with transaction() as session:
        accounts.create(
            session,
            username="reviewer1",
            full_name="赵敏",
            password=make.PASSWORD,
            role=Role.reviewer,
            mobile="13900139001",
            by=administrator,
        )
    (entry,) = entries()
    assert entry.after["password_hash"] == "（不记录）"
    assert (entry.after["mobile"], entry.after["role"]) == ("139****9001", "审核人员")
    with transaction() as session:
        accounts.reset_password(session, entry.subject_id, "Xihu-Qu-2027", by=administrator)
    said = str([one.model_dump() for one in entries()])
    assert "$2b$" not in said
    assert "13900139001" not in said


def test_no_whole_name_or_address_of_an_applicant_gets_into_the_log(administrator):
    said = {"contact_name": "郭晓雯", "address": "杭州市西湖区文三路 90 号 3 幢"}
    with transaction() as session:
        reviewer = make.make_account(session, Role.reviewer, full_name="吴静")
        account = make.make_account(session, mobile="13800138000")
        make.make_registration(session, **said)
        made = make.make_registration(session, make.PERSON, name="欧阳建国")
        reviews.send_back(session, made.id, by=reviewer, reason="姓名与证件不符")
        ask(session, account, reviewer, applicant_name="司马文清")
    with transaction() as session:
        key = registrations.key_of(made)
        corrected = make.PERSON | {"name": "欧阳建军"}
        assert registrations.resubmit(session, key, corrected["password"], corrected, "已改正")
    log = str([one.model_dump() for one in entries()])
    assert {"郭**", "欧***", "司***", "杭州市西湖区***"} <= set(re.findall(r"[^']*[*]{2,3}", log))
    assert not re.search("晓雯|阳建|马文清|文三路 90", log)


def test_moves_are_noted_by_their_label_in_one_entry(administrator):
    with transaction() as session:
        rows = [make.make_instrument(session, serial_number=f"HY{n}") for n in range(2)]
        audit.waiting(session).clear()
        owner = make.make_account(session, enterprise_id=rows[0].enterprise_id)
    with transaction() as session:
        instruments.change_status(session, [rows[0].id], "scrap", by=owner, reason="失准")
    entry = entries()[-1]
    assert (entry.action, entry.subject, entry.subject_id, entry.note) == (
        "报废",
        "instrument",
        rows[0].id,
        "失准",
    )
    assert (entry.before, entry.after) == ({"status": "在用"}, {"status": "报废"})
    assert entry.account_id == owner.id


def test_a_move_is_noted_with_what_else_it_sets(administrator):
    with transaction() as session:
        line = make.make_line(session)
        clerk = make.make_account(session, Role.supervisor)
    with transaction() as session:
        kept = session.get_one(AppointmentLine, line.id)
        institution = make.make_institution(session, "余杭区计量所")
        values = {"institution_id": institution.id}
        workflow.move(session, Subject.line, [kept], "reassign", clerk, "就近", **values)
    entry = entries()[-1]
    assert (entry.action, entry.note) == ("转派", "就近")
    assert entry.before == {"status": "待受理", "institution_id": line.institution_id}
    assert entry.after == {"status": "待预约", "institution_id": institution.id}


def test_many_records_that_move_together_are_one_entry(administrator):
    with transaction() as session:
        first = make.make_instrument(session, serial_number="HY1")
        owner = make.make_account(session, enterprise_id=first.enterprise_id)
        second = make.make_instrument(session, by=owner, serial_number="HY2")
    with transaction() as session:
        instruments.change_status(session, [first.id, second.id], "store", by=owner)
    entry = entries()[-1]
    assert (entry.action, entry.subject_id) == ("封存", None)
    assert entry.after == {"status": "封存", "ids": [first.id, second.id]}


def test_a_change_of_the_ledger_is_noted_in_words(administrator):
    with transaction() as session:
        row = make.make_instrument(session)
        owner = make.make_account(session, enterprise_id=row.enterprise_id)
    with transaction() as session:
        instruments.edit(session, row.id, row.version, {"purpose": Purpose.trade_settlement}, by=owner)
    entry = entries()[-1]
    assert (entry.action, entry.subject, entry.subject_id) == ("修改", "instrument", row.id)
    assert (entry.before, entry.after) == ({"purpose": "安全防护"}, {"purpose": "贸易结算"})


def test_what_a_savepoint_took_back_is_not_noted(administrator):
    with transaction() as session:
        make.make_institution(session, "杭州市计量院")
        point = session.begin_nested()
        make.make_institution(session, "余杭区计量所")
        inner = session.begin_nested()
        make.make_institution(session, "临平区计量所")
        inner.commit()
        point.rollback()
        make.make_institution(session, "滨江区计量所")
    assert [entry.after["name"] for entry in entries()] == ["杭州市计量院", "滨江区计量所"]


def test_a_setting_is_noted_under_its_name(administrator):
    with transaction() as session:
        settings.save(session, {"review_days": 3}, by=administrator)
    with transaction() as session:
        settings.save(session, {"review_days": 4}, by=administrator)
    added, changed = entries()
    assert (added.action, added.after) == ("修改系统设置", {"name": "review_days", "value": 3})
    assert (changed.before["value"], changed.after["value"]) == (3, 4)
