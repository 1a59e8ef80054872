"""Settings: their defaults, their limits, who may change them."""

from datetime import datetime

import pytest

from db import settings
from db.engine import reading, transaction
from db.errors import Refused
from db.models import Role
from tests.conftest import NOW
from tests.make import make_account

CONTACT = "杭州市市场监督管理局计量处，0571-87654321"


@pytest.fixture
def administrator(session):
    return make_account(session, Role.administrator, full_name="俞志明")


def test_a_setting_has_its_default_until_it_is_changed(session, administrator):
    assert settings.value(session, "review_days") == 2
    assert settings.save(session, {"review_days": 3}, by=administrator) == ["注册审核时限（工作日）"]
    assert settings.value(session, "review_days") == 3


def test_every_kind_of_setting_is_kept_as_it_is(session, administrator):
    typed = {"contact": f" {CONTACT} ", "limit_in_calendar_days": True, "on_site_days": 30}
    settings.save(session, typed, by=administrator)
    session.flush()
    session.expire_all()
    kept = {name: settings.value(session, name) for name in typed}
    assert kept == {"contact": CONTACT, "limit_in_calendar_days": True, "on_site_days": 30}


def test_what_is_the_same_is_not_saved(session, administrator):
    typed = {name: definition.default for name, definition in settings.DEFINITIONS.items()}
    assert settings.save(session, typed, by=administrator) == []
    assert all(row.changed_at is None for row in settings.rows(session, by=administrator))


def test_back_to_the_default_is_a_change(session, administrator):
    settings.save(session, {"review_days": 3}, by=administrator)
    assert settings.save(session, {"review_days": 2}, by=administrator)
    assert settings.value(session, "review_days") == 2


def test_rows_tell_who_changed_a_setting_and_when(session, administrator):
    settings.save(session, {"acceptance_days": 3}, by=administrator)
    rows = {row.name: row for row in settings.rows(session, by=administrator)}
    assert list(rows) == list(settings.DEFINITIONS)
    changed = rows["acceptance_days"]
    assert (changed.value, changed.changed_by) == (3, "俞志明")
    assert changed.changed_at == datetime.fromisoformat(NOW)


def test_every_default_is_within_its_own_limits(session, administrator):
    defaults = {name: one.default for name, one in settings.DEFINITIONS.items()}
    off_by_one = {name: value + 1 for name, value in defaults.items() if type(value) is int}
    settings.save(session, {**off_by_one, "lines_per_appointment": 99}, by=administrator)
    assert settings.save(session, defaults, by=administrator) == [
        settings.DEFINITIONS[name].label for name in off_by_one
    ]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("review_days", 0, "1 至 60 的整数"),
        ("review_days", 61, "1 至 60 的整数"),
        ("review_days", 2.5, "1 至 60 的整数"),
        ("review_days", "2", "1 至 60 的整数"),
        ("review_days", True, "1 至 60 的整数"),
        ("limit_in_calendar_days", 1, "请选择是或否"),
        ("contact", "处" * 121, "最多 120 个字"),
        ("contact", "计量处\x00", "控制字符"),
        ("secret_key", 1, "没有这项设置"),
    ],
)
def test_a_value_out_of_range_is_refused(session, administrator, name, value, sentence):
    with pytest.raises(Refused, match=sentence):
        settings.save(session, {name: value}, by=administrator)


def test_every_wrong_value_is_named_and_nothing_is_saved(session, administrator):
    with pytest.raises(Refused) as refusal:
        settings.save(session, {"review_days": 0, "acceptance_days": 0, "on_site_days": 30}, by=administrator)
    assert list(refusal.value.problems) == ["review_days", "acceptance_days"]
    assert settings.value(session, "on_site_days") == 20


@pytest.mark.parametrize("role", [role for role in Role if role != Role.administrator])
def test_settings_are_for_administrators(session, role):
    stranger = make_account(session, role)
    with pytest.raises(Refused, match="只有管理员"):
        settings.save(session, {"review_days": 3}, by=stranger)
    with pytest.raises(Refused, match="只有管理员"):
        settings.rows(session, by=stranger)


def test_values_are_shown_in_words():
    definition = settings.DEFINITIONS["limit_in_calendar_days"]
    assert [definition.describe(value) for value in (True, False, 20, "")] == ["是", "否", "20", "（空）"]


def test_every_change_is_kept_with_who_made_it(database):
    with transaction() as session:
        administrator = make_account(session, Role.administrator, full_name="俞志明")
        settings.save(session, {"review_days": 3}, by=administrator)
        settings.save(session, {"review_days": 2, "limit_in_calendar_days": True}, by=administrator)
    with reading() as session:
        found = settings.history(session, by=administrator)
    assert [(row.label, row.before, row.after, row.by_name) for row in found] == [
        ("检定时限按自然日计算", "否", "是", "俞志明"),
        ("注册审核时限（工作日）", "3", "2", "俞志明"),
        ("注册审核时限（工作日）", "2", "3", "俞志明"),
    ]
