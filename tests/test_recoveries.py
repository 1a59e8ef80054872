"""找回申请: two members of staff, within their area, with a proof; and what follows."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlmodel import select

from db import attachments, candidates, checks, passwords, recoveries, sign_ins, workflow
from db.engine import reading, transaction
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Account,
    Enterprise,
    Notification,
    Recovery,
    RecoveryKind,
    RecoveryStatus,
    Role,
    StatusChange,
    Subject,
)
from tests import make
from tests.test_corrections import PNG

OLD, NEW = "13800138000", "13900001234"
REQUESTED = RecoveryStatus.requested


@pytest.fixture(autouse=True)
def pilot(monkeypatch):
    """Hashing as fast as bcrypt goes, and no gateway, as in a pilot."""
    monkeypatch.setattr(passwords, "COST", 4)
    monkeypatch.delenv("YUEJIAN_SMS_URL", raising=False)
    monkeypatch.delenv("YUEJIAN_SMTP_HOST", raising=False)


@pytest.fixture
def wang(session):
    """王芳 of the boiler works."""
    enterprise = make.make_enterprise(session, mobile=OLD)
    return make.make_account(session, username="wang", mobile=OLD, enterprise_id=enterprise.id)


@pytest.fixture
def asker(session):
    """周晓雯, who reviews 杭州."""
    return make.make_account(session, Role.reviewer, full_name="周晓雯")


@pytest.fixture
def decider(session):
    """吴静, who reviews 杭州 too."""
    return make.make_account(session, Role.reviewer, full_name="吴静")


def ask(session, account, by, kind=RecoveryKind.password, **values):
    """An application with a photograph of the licence."""
    said = {"applicant_name": "王芳", "mobile": NEW, "file_name": "执照.png", "content": PNG, **values}
    return recoveries.request(session, account.id, kind, by=by, **said)


def messages(session):
    return list(session.exec(select(Notification).order_by(Notification.id)))


def test_nobody_files_for_staff_or_for_another_area(session, wang, asker):
    away = make.make_account(session, Role.reviewer, division_code="330108")
    for account, by in ((wang, away), (asker, make.make_account(session, Role.administrator))):
        with pytest.raises(NotFound):
            ask(session, account, by)


def test_all_that_is_wrong_is_said_at_once(session, wang, asker):
    with pytest.raises(Refused) as refusal:
        ask(session, wang, asker, "all", applicant_name=" ", mobile="1", mail="chen@", content=b"GIF89a")
    assert set(refusal.value.problems) == {"kind", "applicant_name", "mobile", "mail", "attachment"}
    with pytest.raises(Refused, match="与账号现在的相同"):
        ask(session, wang, asker, RecoveryKind.mobile, mobile=OLD)


def test_one_application_of_an_account_waits_at_a_time(session, wang, asker, decider):
    first = ask(session, wang, asker)
    with pytest.raises(Conflict, match="待核实"), session.begin_nested():
        ask(session, wang, decider)
    recoveries.decline(session, first.id, by=decider, reason="照片看不清")
    ask(session, wang, asker)


def test_a_suspended_account_is_resumed_first(session, wang, asker, decider):
    asked = ask(session, wang, asker)
    wang.is_active = False
    session.flush()
    with pytest.raises(Refused, match="已停用"):
        recoveries.approve(session, asked.id, by=decider)
    with pytest.raises(Refused, match="已停用"):
        ask(session, wang, asker)


def test_another_person_approves_and_the_password_is_shown_once_and_passing(session, wang, asker, decider):
    signed_in = sign_ins.redeem(session, sign_ins.begin(session, "wang", make.PASSWORD_HASH, "", ""))
    for _ in range(5):
        sign_ins.credential(session, "wang", "")
    asked = ask(session, wang, asker)
    username, password = recoveries.approve(session, asked.id, by=decider, reason="执照属实")
    assert username == "wang" and passwords.matches(password, wang.password_hash)
    assert wang.must_change_password
    assert sign_ins.account_of(session, signed_in) is None
    assert passwords.matches(password, sign_ins.credential(session, "wang", ""))
    moves = workflow.history(session, Subject.recovery, asked.id)
    assert [(move.action, move.by_name, move.note) for move in moves] == [
        ("request", "周晓雯", ""),
        ("approve", "吴静", "执照属实"),
    ]
    assert password not in str(messages(session))
    session.flush()
    assert checks.findings(session) == []


def test_with_a_gateway_the_password_goes_to_the_applicant_and_nobody_else_sees_it(
    session, wang, asker, decider, monkeypatch
):
    monkeypatch.setenv("YUEJIAN_SMS_URL", "https://gateway.example.cn")
    asked = ask(session, wang, asker, mail="chen@example.cn")
    assert recoveries.approve(session, asked.id, by=decider) == ("wang", "")
    sms, mail = messages(session)
    assert (sms.recipient, mail.recipient) == (NEW, "chen@example.cn")
    assert passwords.matches(sms.secret, wang.password_hash)
    assert (mail.secret, sms.secret in mail.text) == ("", False)


def test_a_number_is_changed_and_both_numbers_are_told(session, wang, asker, decider):
    before = wang.password_hash
    asked = ask(session, wang, asker, RecoveryKind.mobile)
    assert recoveries.approve(session, asked.id, by=decider) == ("wang", "")
    assert (wang.mobile, wang.password_hash) == (NEW, before)
    assert session.get_one(Enterprise, wang.enterprise_id).mobile == NEW
    assert [message.recipient for message in messages(session)] == [OLD, NEW]
    assert all("139****1234" in message.text for message in messages(session))


def test_whoever_files_does_not_decide(session, wang, asker):
    asked = ask(session, wang, asker)
    for act in (recoveries.approve, recoveries.decline):
        with pytest.raises(Refused, match="不能是同一人"):
            act(session, asked.id, by=asker, reason="属实")
    assert session.get_one(Recovery, asked.id).status == REQUESTED


def test_declining_needs_a_reason_and_tells_it(session, wang, asker, decider):
    asked = ask(session, wang, asker)
    with pytest.raises(Refused, match="请填写理由"):
        recoveries.decline(session, asked.id, by=decider, reason=" ")
    recoveries.decline(session, asked.id, by=decider, reason="执照与账号的单位不一致")
    (message,) = messages(session)
    assert message.recipient == NEW and "未办理：执照与账号的单位不一致" in message.text
    assert passwords.matches(make.PASSWORD, wang.password_hash)


def test_an_application_is_decided_once(session, wang, asker, decider):
    asked = ask(session, wang, asker)
    recoveries.approve(session, asked.id, by=decider)
    for act in (recoveries.approve, recoveries.decline):
        with pytest.raises(Refused):
            act(session, asked.id, by=decider, reason="再来一次")


def test_of_two_deciders_at_once_one_decides(database):
    with transaction() as session:
        account = make.make_account(session)
        asker, *deciders = (make.make_account(session, Role.reviewer) for _ in range(3))
        asked = ask(session, account, asker)
    start = threading.Barrier(2)

    def approve(by):
        start.wait()
        try:
            with transaction() as session:
                return recoveries.approve(session, asked.id, by=session.get_one(Account, by.id))
        except Refused:
            return None

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(approve, deciders)).count(None) == 1
    with reading() as session:
        actions = session.exec(select(StatusChange.action).where(StatusChange.subject == Subject.recovery))
        assert list(actions) == ["request", "approve"]


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.supervisor])
def test_nobody_but_reviewers_and_administrators_recovers(session, wang, asker, role):
    asked = ask(session, wang, asker)
    by = wang if role == Role.enterprise else make.make_account(session, role)
    for act in (
        lambda: candidates.search(session, "wang", by=by),
        lambda: ask(session, wang, by),
        lambda: recoveries.approve(session, asked.id, by=by),
        lambda: recoveries.decline(session, asked.id, by=by, reason="不符"),
        lambda: recoveries.page(session, by=by, status=REQUESTED),
        lambda: recoveries.counts(session, by=by),
    ):
        with pytest.raises(Refused, match="不能执行"):
            act()
    with pytest.raises(NotFound):
        attachments.readable(session, asked.attachment_id, by=by)


def test_a_reviewer_of_another_district_sees_and_decides_nothing(session, wang, asker):
    asked = ask(session, wang, asker)
    away = make.make_account(session, Role.reviewer, division_code="330108")
    assert recoveries.page(session, by=away, status=REQUESTED) == []
    assert recoveries.counts(session, by=away)[REQUESTED] == 0
    for act in (recoveries.approve, recoveries.decline):
        with pytest.raises(NotFound):
            act(session, asked.id, by=away, reason="不符")
    with pytest.raises(NotFound):
        attachments.readable(session, asked.attachment_id, by=away)


def test_staff_of_the_area_and_administrators_see_the_proof(session, wang, asker, decider):
    asked = ask(session, wang, asker)
    for by in (asker, decider, make.make_account(session, Role.administrator)):
        assert attachments.readable(session, asked.attachment_id, by=by).name == "执照.png"


def test_the_queue_counts_one_working_day_from_the_filing(session, wang, asker, decider, monkeypatch):
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-20T16:00:00+08:00")
    asked = ask(session, wang, asker)
    rows = []
    for day in (20, 23, 24):
        monkeypatch.setenv("YUEJIAN_NOW", f"2026-11-{day}T17:00:00+08:00")
        rows += recoveries.page(session, by=decider, status=REQUESTED)
    assert {row["deadline"].day for row in rows} == {date(2026, 11, 23)}
    assert [row["working_days_left"] for row in rows] == [1, 0, -1]
    assert (rows[0]["id"], rows[0]["requested_by"], rows[0]["username"]) == (asked.id, "周晓雯", "wang")


def test_numbers_are_told_in_full_only_until_the_decision(session, wang, asker, decider):
    asked = ask(session, wang, asker, mail="wang@example.cn")
    shown = ("applicant_name", "mobile", "account_mobile", "mail")
    (row,) = recoveries.page(session, by=decider, status=REQUESTED)
    assert [row[name] for name in shown] == ["王芳", NEW, OLD, "wang@example.cn"]
    recoveries.decline(session, asked.id, by=decider, reason="照片看不清")
    (row,) = recoveries.page(session, by=decider, status=RecoveryStatus.declined)
    assert [row[name] for name in shown] == ["王*", "139****1234", "138****8000", "w***@example.cn"]


def test_lists_tell_who_decided_and_why(session, wang, asker, decider):
    first = ask(session, wang, asker)
    recoveries.decline(session, first.id, by=decider, reason="照片看不清")
    second = ask(session, wang, asker)
    (row,) = recoveries.page(session, by=asker, status=RecoveryStatus.declined)
    assert (row["id"], row["decided_by"], row["answer"]) == (first.id, "吴静", "照片看不清")
    (row,) = recoveries.page(session, by=asker, status=REQUESTED)
    assert (row["id"], row["decided_by"], row["answer"]) == (second.id, None, None)
    counts = recoveries.counts(session, by=asker)
    assert counts == {REQUESTED: 1, RecoveryStatus.approved: 0, RecoveryStatus.declined: 1}
