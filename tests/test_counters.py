"""Printed numbers."""

import pytest

from db import counters
from db.engine import transaction
from db.models import Counter


def test_a_series_counts_from_one(session):
    assert [counters.take(session, "A")[0] for _ in range(3)] == [1, 2, 3]


def test_several_numbers_are_taken_in_one_go(session):
    assert list(counters.take(session, "A", 3)) == [1, 2, 3]
    assert list(counters.take(session, "A", 2)) == [4, 5]
    assert session.get(Counter, "A").value == 5


def test_series_do_not_disturb_each_other(session):
    counters.take(session, "A", 9)
    assert counters.take(session, "B")[0] == 1


def test_a_dated_number_begins_anew_each_day(session, monkeypatch):
    numbers = [counters.dated(session, "YJ") for _ in range(2)]
    # Half past four in the afternoon of the 23rd in UTC is the 24th in China.
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-23T16:30:00+00:00")
    assert [*numbers, counters.dated(session, "YJ")] == [
        "YJ20261123-0001",
        "YJ20261123-0002",
        "YJ20261124-0001",
    ]


def test_a_dated_number_may_grow_past_four_digits(session):
    counters.take(session, "YJ20261123", 9999)
    assert counters.dated(session, "YJ") == "YJ20261123-10000"


def test_numbers_of_a_transaction_that_failed_are_given_out_again(database):
    with pytest.raises(ZeroDivisionError), transaction() as session:
        assert 1 / (counters.take(session, "A")[0] - 1)
    with transaction() as session:
        assert counters.take(session, "A")[0] == 1
