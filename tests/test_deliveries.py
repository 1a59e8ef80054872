"""The worker: retries, no doubles with two workers or a killed one. Against a real endpoint."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import select

from db import deliveries, notifications
from db.__main__ import main
from db.engine import reading, transaction
from db.models import Cause, Channel, Notification
from pages.edge import start
from tests import gateways
from tests.conftest import NOW

ROOT = Path(__file__).parent.parent
BOTH = [Channel.sms, Channel.mail]


@pytest.fixture
def sms(monkeypatch):
    """A gateway, configured."""
    monkeypatch.delenv("YUEJIAN_SMTP_HOST", raising=False)
    with gateways.endpoint() as endpoint:
        monkeypatch.setenv("YUEJIAN_SMS_URL", endpoint.url)
        monkeypatch.setenv("YUEJIAN_SMS_TIMEOUT", "5")
        yield endpoint


@pytest.fixture
def later(monkeypatch):
    """Sets the clock so many seconds after the moment the tests start from."""

    def move(seconds):
        moment = datetime.fromisoformat(NOW) + timedelta(seconds=seconds)
        monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())

    return move


def write(count=1, **values):
    with transaction() as session:
        for number in range(count):
            text = "验证码 {secret}"
            notifications.queue(
                session, f"code-{number}", Cause.code, "13800138000", text, secret=f"{number:06}", **values
            )


def stored(key="code-0"):
    with reading() as session:
        return session.exec(select(Notification).where(Notification.key == key)).one()


def test_a_message_is_delivered_once_and_its_code_wiped(database, sms):
    write()
    assert deliveries.is_due()
    assert deliveries.run_once() == 1
    assert sms.texts == ["【约检台】验证码 000000"]
    row = stored()
    assert (row.secret, row.try_count, row.failure) == ("", 1, "")
    assert row.delivered_at
    assert not deliveries.is_due()
    assert deliveries.run_once() == 0


def test_a_failure_is_tried_again_after_a_pause_that_doubles(database, sms, later):
    sms.answers = [(500, ""), (503, "")]
    write()
    assert deliveries.run_once() == 1
    assert stored().failure == "短信网关应答 500"
    later(19)
    assert deliveries.run_once() == 0
    later(20)
    assert deliveries.run_once() == 1
    later(59)
    assert deliveries.run_once() == 0
    later(60)
    assert deliveries.run_once() == 1
    assert (stored().try_count, stored().failure) == (3, "")
    assert len({request["headers"]["Idempotency-Key"] for request in sms.requests}) == 1
    assert len(sms.requests) == 3 and len(sms.messages) == 1


def test_after_the_last_try_staff_have_to_know(database, sms, later):
    sms.answers = [(500, "")] * 10
    write()
    for number in range(8):
        later(600 * number)
        deliveries.run_once()
    row = stored()
    assert (row.try_count, row.given_up_at is not None) == (deliveries.MOST_TRIES, True)
    assert len(sms.requests) == deliveries.MOST_TRIES


def test_what_the_gateway_refuses_for_good_is_given_up_at_once(database, sms):
    sms.answers = [(400, "")]
    write()
    deliveries.run_once()
    assert stored().given_up_at and stored().try_count == 1


def test_an_expired_code_is_not_sent(database, sms, later):
    write(lasts=timedelta(minutes=5))
    later(300)
    assert deliveries.run_once() == 0
    assert sms.requests == []


def test_a_channel_without_a_gateway_waits(database, sms):
    with transaction() as session:
        notifications.queue(session, "mail", Cause.recovery, "chen@example.cn", "已办理")
    assert deliveries.run_once() == 0
    assert stored("mail").try_count == 0


def test_a_batch_goes_out_in_the_order_of_its_causes(database, sms):
    write(12)
    assert deliveries.run_once() == 12
    assert sms.texts == [f"【约检台】验证码 {number:06}" for number in range(12)]


def test_no_message_is_claimed_twice_by_workers_at_once(database):
    write(40)
    start = threading.Barrier(8)

    def claim(number):
        start.wait()
        found = []
        while True:
            with transaction() as session:
                rows = deliveries.claim(session, f"worker{number}", BOTH)
                found += [row.id for row in rows]
            if not rows:
                return found

    with ThreadPoolExecutor(8) as threads:
        claimed = [id for ids in threads.map(claim, range(8)) for id in ids]
    assert len(claimed) == len(set(claimed)) == 40


def test_one_worker_at_a_time_has_the_work(database, sms):
    write(6)
    assert deliveries.deliver("first") == deliveries.BATCH
    assert deliveries.deliver("second") is None
    assert deliveries.deliver("first") == 1
    assert len(sms.requests) == 6


def test_two_processes_send_each_message_once(database, sms):
    write(10)
    workers = [begin() for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    deliveries.run_once()
    assert len(sms.requests) == len(sms.messages) == 10


def begin():
    command = [sys.executable, "-m", "db", "deliver", "--once"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL)


def test_a_worker_killed_between_sending_and_noting_sends_no_second_message(database, sms, later):
    write()
    workers = []

    def kill():
        sms.before = lambda: None
        os.kill(workers[0].pid, signal.SIGKILL)
        workers[0].wait()

    sms.before = kill
    workers.append(begin())
    assert workers[0].wait(60) == -signal.SIGKILL
    assert (stored().try_count, stored().delivered_at, len(sms.requests)) == (1, None, 1)
    assert deliveries.run_once() is None
    later(deliveries.LEASE.total_seconds())
    assert deliveries.run_once() == 1
    assert stored().delivered_at
    assert len(sms.requests) == 2
    assert sms.texts == ["【约检台】验证码 000000"]


def test_a_worker_killed_before_sending_loses_nothing(database, sms, later):
    write()
    with transaction() as session:
        deliveries.claim(session, "killed", BOTH)
    assert deliveries.run_once() == 0
    later(deliveries.LEASE.total_seconds())
    assert deliveries.run_once() == 1
    assert len(sms.messages) == 1


def test_a_slow_worker_does_not_take_back_what_another_has_done(database, sms, later):
    write()
    with transaction() as session:
        (slow,) = deliveries.claim(session, "slow", BOTH)
        session.expunge(slow)
    later(deliveries.LEASE.total_seconds())
    with transaction() as session:
        deliveries.claim(session, "quick", BOTH)
    with transaction() as session:
        deliveries.note_failure(session, slow, deliveries.gateway.Undelivered("没有应答", True))
    assert (stored().given_up_at, stored().failure) == (None, "")
    with transaction() as session:
        deliveries.note_delivered(session, slow.id)
    assert stored().delivered_at


def test_the_worker_goes_on_after_a_round_that_failed(database, sms, monkeypatch, caplog):
    monkeypatch.setattr(deliveries, "EVERY", 0.01)
    rounds, stop = [], threading.Event()

    def fail_first(worker):
        rounds.append(worker)
        if len(rounds) == 1:
            raise sa.exc.OperationalError("gone", None, Exception("gone"))

    monkeypatch.setattr(deliveries.reminders, "run_daily", fail_first)
    sms.before = stop.set
    write()
    deliveries.run(stop)
    assert len(sms.messages) == 1
    assert "round of deliveries failed" in caplog.text


def test_the_command_says_what_it_did(database, sms, capsys):
    write(2)
    assert main(["deliver", "--once"]) == 0
    assert capsys.readouterr().out == "处理了 2 条消息\n"


def test_the_command_needs_a_gateway(database, monkeypatch, capsys):
    monkeypatch.delenv("YUEJIAN_SMS_URL", raising=False)
    monkeypatch.delenv("YUEJIAN_SMTP_HOST", raising=False)
    assert main(["deliver", "--once"]) == 2
    assert "YUEJIAN_SMS_URL" in capsys.readouterr().err


def test_the_command_stops_when_told_to(database, sms):
    worker = subprocess.Popen(
        [sys.executable, "-m", "db", "deliver"], cwd=ROOT, env=os.environ, stderr=subprocess.PIPE
    )
    arrived = threading.Event()
    sms.before = arrived.set
    write()
    assert arrived.wait(60)
    worker.terminate()
    assert worker.wait(30) == 0
    worker.stderr.close()
    assert stored().delivered_at


def test_a_server_with_a_gateway_delivers_beside_its_pages(database, sms, monkeypatch):
    monkeypatch.setattr(deliveries, "EVERY", 0.01)
    arrived = threading.Event()
    sms.before = arrived.set
    write()
    with start.delivering():
        assert arrived.wait(30)
    assert sms.texts == ["【约检台】验证码 000000"]


def test_a_server_without_a_gateway_starts_no_worker(monkeypatch):
    monkeypatch.delenv("YUEJIAN_SMS_URL", raising=False)
    monkeypatch.delenv("YUEJIAN_SMTP_HOST", raising=False)
    with start.delivering():
        assert "deliveries" not in [thread.name for thread in threading.enumerate()]
