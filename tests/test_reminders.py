"""到期提醒: a month and a week ahead, one message an enterprise and day, off unless switched on."""

from datetime import date

import pytest
from sqlmodel import select

from db import instruments, reminders, settings
from db.__main__ import main
from db.engine import reading, transaction
from db.models import Enterprise, Instrument, Notification, Role
from tests import make

MONTH, WEEK = date(2026, 12, 23), date(2026, 11, 30)


@pytest.fixture
def owner(session):
    """The boiler works, with three instruments that run out in a month and two in a week."""
    with_account = make.make_account(session)
    for day in (MONTH, MONTH, MONTH, WEEK, WEEK, date(2026, 12, 22), date(2026, 11, 29), None):
        make.make_instrument(session, with_account, valid_until=day)
    return with_account


def switch_on(session):
    settings.save(session, {"reminders": True}, by=make.make_account(session, Role.administrator))


def texts(session):
    return list(session.exec(select(Notification.text).order_by(Notification.id)))


def test_an_enterprise_hears_how_many_run_out_and_not_which(session, owner):
    switch_on(session)
    assert reminders.queue(session) == 1
    enterprise = session.get_one(Enterprise, owner.enterprise_id)
    said = "2 台将于 2026-11-30 到期，3 台将于 2026-12-23 到期"
    assert texts(session) == [f"【约检台】{enterprise.name}：强检器具{said}，请登录约检台预约检定。"]
    row = session.exec(select(Notification)).one()
    assert (row.recipient, row.division_code) == (enterprise.mobile, enterprise.division_code)


def test_a_second_run_of_the_day_writes_nothing(session, owner):
    switch_on(session)
    assert [reminders.queue(session) for _ in range(2)] == [1, 0]


def test_nothing_is_written_unless_switched_on(session, owner):
    assert reminders.queue(session) == 0
    assert texts(session) == []


def test_only_instruments_in_use_count(session, owner):
    switch_on(session)
    rows = session.exec(select(Instrument.id).where(Instrument.valid_until == WEEK))
    instruments.change_status(session, list(rows), "take_out_of_use", by=owner)
    reminders.queue(session)
    assert "2026-11-30" not in texts(session)[0]


def test_each_enterprise_gets_its_own(session, owner):
    switch_on(session)
    make.make_instrument(session, make.make_account(session), valid_until=WEEK)
    assert reminders.queue(session) == 2


@pytest.fixture
def switched_on(database):
    """One instrument runs out in a week, and reminders are on."""
    with transaction() as session:
        make.make_instrument(session, make.make_account(session), valid_until=WEEK)
        switch_on(session)


def test_workers_remind_once_a_day_from_nine_on(switched_on, monkeypatch):
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-23T08:59:00+08:00")
    assert reminders.run_daily("early") == 0
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-23T09:00:00+08:00")
    assert [reminders.run_daily(worker) for worker in ("first", "second", "first")] == [1, 0, 0]
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-24T09:00:00+08:00")
    with transaction() as session:
        make.make_instrument(session, make.make_account(session), valid_until=date(2026, 12, 1))
    assert reminders.run_daily("second") == 1


def test_the_command_reminds_too(switched_on, capsys):
    assert main(["remind"]) == 0
    assert main(["remind"]) == 0
    assert capsys.readouterr().out.splitlines() == ["写下了 1 条到期提醒", "写下了 0 条到期提醒"]
    with reading() as session:
        assert len(texts(session)) == 1
