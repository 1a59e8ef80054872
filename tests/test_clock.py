"""The one clock."""

from datetime import UTC, date, datetime, timedelta

import pytest

from db import clock


def test_the_moment_may_be_set_for_trials(monkeypatch):
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-23T09:30:00+08:00")
    assert clock.now() == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_without_a_setting_it_is_now(monkeypatch):
    monkeypatch.delenv("YUEJIAN_NOW")
    before = datetime.now(UTC)
    assert timedelta(0) <= clock.now() - before < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-23T15:59:59+00:00", date(2026, 11, 23)),
        ("2026-11-23T16:00:00+00:00", date(2026, 11, 24)),
        ("2026-11-24T00:00:00+08:00", date(2026, 11, 24)),
        ("2026-11-23T23:00:00-05:00", date(2026, 11, 24)),
    ],
)
def test_a_day_is_a_day_in_china(monkeypatch, moment, day):
    monkeypatch.setenv("YUEJIAN_NOW", moment)
    assert clock.today() == clock.day_of(datetime.fromisoformat(moment)) == day
