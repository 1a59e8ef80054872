"""Personal data that is kept no longer than the settings say."""

from datetime import timedelta
from threading import Event

import pytest
from sqlmodel import col, select, update

from db import audit, clock, drafts, notifications, recoveries, reviews, settings, sign_ins, tidying
from db.engine import reading, transaction
from db.models import (
    Account,
    Attachment,
    AuditEntry,
    Cause,
    Draft,
    Notification,
    Recovery,
    RecoveryStatus,
    Registration,
    Role,
    Setting,
    SignIn,
    SignInAttempt,
)
from tests import make
from tests.test_recoveries import ask
from tests.test_registrations import TYPED


def kept(model):
    """The rows of a table."""
    with reading() as session:
        return session.exec(select(model)).all()


@pytest.fixture
def person(database):
    """An account whose sign-ins are old and new."""
    now = clock.now()
    with transaction() as session:
        account = make.make_account(session)
        for days in (1, 31, 200):
            at = now - timedelta(days=days)
            session.add(SignInAttempt(username="a", at=at))
            session.add(SignIn(account_id=account.id, created_at=at, seen_at=at, expires_at=at, idle_at=at))
    return account


def test_old_attempts_and_sign_ins_go_and_new_ones_stay(person):
    counts = tidying.run()
    assert (counts["登录尝试"], counts["已结束的登录"]) == (2, 1)
    assert (len(kept(SignInAttempt)), len(kept(SignIn))) == (1, 2)


def test_drafts_that_nobody_takes_up_go(person, later):
    with transaction() as session:
        drafts.save(session, "old", {"a": 1}, by=session.get_one(Account, person.id))
    later(24 * 20)
    with transaction() as session:
        drafts.save(session, "new", {"a": 1}, by=session.get_one(Account, person.id))
    later(24 * 31)
    assert tidying.run()["草稿"] == 1
    assert [draft.place for draft in kept(Draft)] == ["new"]


def test_a_setting_says_how_long(person):
    with transaction() as session:
        session.add(Setting(name="keep_attempts_days", value=40))
    assert tidying.run()["登录尝试"] == 1


def test_a_sign_in_that_holds_stays_however_old_it_is(person):
    with transaction() as session:
        token = sign_ins.redeem(
            session, sign_ins.begin(session, person.username, person.password_hash, "", "")
        )
    tidying.run()
    with reading() as session:
        assert sign_ins.account_of(session, token).id == person.id


def test_it_is_noted_how_many_went_and_nothing_when_none_did(person):
    tidying.run()
    tidying.run()
    (entry,) = [entry for entry in kept(AuditEntry) if entry.action == "清理过期数据"]
    assert (entry.after, entry.place) == ({"登录尝试": 2, "已结束的登录": 1}, "定期清理")


def test_the_audit_log_is_never_among_it(database, monkeypatch):
    with transaction() as session:
        audit.record(session, "登录")
    monkeypatch.setenv("YUEJIAN_NOW", "2036-11-23T09:30:00+08:00")
    tidying.run()
    assert next(entry.action for entry in kept(AuditEntry)) == "登录"
    assert not [name for name in settings.DEFINITIONS if "audit" in name]


def test_a_declined_registration_keeps_its_decision_and_loses_the_person(database, monkeypatch):
    with transaction() as session:
        reviewer = make.make_account(session, Role.reviewer)
        made = make.make_registration(session)
        reviews.decline(session, made.id, by=reviewer, reason="不是使用单位")
    assert tidying.run()["不予通过的注册"] == 0
    monkeypatch.setenv("YUEJIAN_NOW", "2027-11-23T09:30:00+08:00")
    assert tidying.run()["不予通过的注册"] == 1
    (row,) = kept(Registration)
    assert (row.mobile, row.contact_name, row.address, row.password_hash, row.licence_id) == (*[""] * 4, None)
    assert (row.name, row.status) == (TYPED["name"], "不予通过")


def test_a_declined_person_keeps_no_name(database, later):
    with transaction() as session:
        reviewer = make.make_account(session, Role.reviewer)
        made = make.make_registration(session, make.PERSON)
        reviews.decline(session, made.id, by=reviewer, reason="不是本人")
    later(24 * 181)
    assert tidying.run()["不予通过的注册"] == 1
    (row,) = kept(Registration)
    assert (row.name, row.name_key, row.contact_name, row.status) == ("", "", "", "不予通过")


def test_a_decided_recovery_keeps_its_decision_and_loses_proof_and_applicant(database, later):
    with transaction() as session:
        asker, decider = (make.make_account(session, Role.reviewer) for _ in range(2))
        decided, waiting = (ask(session, make.make_account(session), asker) for _ in range(2))
        recoveries.decline(session, decided.id, by=decider, reason="照片看不清")
    assert tidying.run()["找回申请"] == 0
    later(24 * 181)
    assert [tidying.run()["找回申请"] for _ in range(2)] == [1, 0]
    emptied, other = sorted(kept(Recovery), key=lambda row: row.id)
    assert (emptied.applicant_name, emptied.mobile, emptied.mail, emptied.attachment_id) == ("", "", "", None)
    assert other.attachment_id == waiting.attachment_id
    assert [row.id for row in kept(Attachment)] == [waiting.attachment_id]
    with reading() as session:
        (row,) = recoveries.page(session, by=decider, status=RecoveryStatus.declined)
    assert (row["number"], row["answer"], row["file_name"]) == (decided.number, "照片看不清", None)


def test_messages_go_however_they_ended(database, later):
    ends = ("delivered_at", "passed_on_at", "given_up_at", None)
    with transaction() as session:
        for end in ends:
            notifications.queue(session, str(end), Cause.reminder, "13800138000", "到期")
            ended = update(Notification).where(col(Notification.key) == end)
            if end:
                session.exec(ended.values({end: clock.now()}))
    later(24 * 181)
    # What nobody took up has only been over for a week less.
    assert (tidying.run()["消息"], len(kept(Notification))) == (3, 1)
    later(24 * 188)
    assert (tidying.run()["消息"], kept(Notification)) == (1, [])


def test_one_server_of_many_tidies_a_day(person, monkeypatch):
    assert tidying.run_daily()["登录尝试"] == 2
    assert tidying.run_daily() == {}
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-24T09:31:00+08:00")
    assert tidying.run_daily()["登录尝试"] == 0


def test_a_failure_waits_for_the_next_day(monkeypatch, caplog):
    stop = Event()

    def fail():
        stop.set()
        raise OSError("disk full")

    monkeypatch.setattr(tidying, "run_daily", fail)
    monkeypatch.setattr(tidying, "GLANCE", 0)
    tidying.keep_tidy(stop)
    assert "Tidying failed" in caplog.text
