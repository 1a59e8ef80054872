"""Leases: one holder at a time, until the time is over or it lets go."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from db import clock, leases
from db.engine import reading, transaction


@pytest.fixture
def minute():
    """The moment a minute from now."""
    return clock.now() + timedelta(minutes=1)


def test_a_second_holder_waits_until_the_time_is_over(session, minute, monkeypatch):
    assert leases.take(session, "deliver", "first", minute)
    assert not leases.take(session, "deliver", "second", minute)
    assert leases.take(session, "remind", "second", minute)
    monkeypatch.setenv("YUEJIAN_NOW", minute.isoformat())
    assert leases.take(session, "deliver", "second", minute + timedelta(minutes=1))


def test_the_holder_may_prolong_it_and_let_go(session, minute):
    for longer in range(2):
        assert leases.take(session, "deliver", "first", minute + timedelta(minutes=longer))
    leases.release(session, "deliver", "second")
    assert not leases.is_free(session, "deliver")
    leases.release(session, "deliver", "first")
    assert leases.is_free(session, "deliver")
    assert leases.take(session, "deliver", "second", minute)


def test_of_many_at_once_one_has_it(database, minute):
    def take(number):
        with transaction() as session:
            return leases.take(session, "deliver", f"worker{number}", minute)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(8))) == 1
    with reading() as session:
        assert not leases.is_free(session, "deliver")
