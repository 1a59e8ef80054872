"""Working days: the calendar, its upkeep, and the lawful time limits that rest on it."""

from datetime import date

import pytest
from sqlmodel import select

from db import appointments, audit_words, settings, workdays
from db.engine import reading, transaction
from db.errors import Conflict, Refused
from db.models import Account, AppointmentLine, AuditEntry, DeliveryMode, Role
from tests.make import make_account, make_line

MONDAY = date(2026, 11, 23)
NEW_YEAR = (date(2027, 1, 1), False, "元旦")
SATURDAY = (date(2027, 1, 2), True, "元旦调休上班")


@pytest.fixture
def administrator(session):
    return make_account(session, Role.administrator)


def kept(session, year):
    return [(row.day, row.is_working, row.name) for row in workdays.of_year(session, year)]


@pytest.mark.parametrize(
    ("day", "is_working"),
    [
        (MONDAY, True),
        (date(2026, 11, 22), False),
        (date(2026, 10, 1), False),
        (date(2026, 10, 10), True),
        (date(2027, 10, 1), True),
    ],
)
def test_holidays_and_make_up_days_are_known(session, day, is_working):
    assert workdays.calendar(session).is_working(day) is is_working


def test_the_published_years_are_seeded_once(session):
    workdays.load(session)
    assert workdays.years(session) == [2024, 2025, 2026]
    assert (date(2026, 10, 10), True, "国庆节调休上班") in kept(session, 2026)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (MONDAY, 2, date(2026, 11, 25)),
        (date(2026, 11, 20), 1, MONDAY),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 10, 9), 1, date(2026, 10, 10)),
        (MONDAY, 0, MONDAY),
    ],
)
def test_a_deadline_steps_over_days_off(session, start, days, end):
    deadline = workdays.calendar(session).after(start, days)
    assert (deadline.day, deadline.is_estimated) == (end, False)


def test_calendar_days_are_counted_through(session):
    deadline = workdays.calendar(session).after(date(2026, 12, 20), 20, in_calendar_days=True)
    assert (deadline.day, deadline.is_estimated) == (date(2027, 1, 9), False)


def test_a_deadline_says_when_its_year_is_not_published(session):
    shown = str(workdays.calendar(session).after(date(2026, 12, 3), 20))
    assert shown == "2026-12-31"
    shown = str(workdays.calendar(session).after(date(2026, 12, 4), 20))
    assert shown == "2027-01-01（节假日安排未公布，按周一至周五估算）"


def test_the_way_back_is_counted_as_negative(session):
    calendar = workdays.calendar(session)
    assert calendar.between(MONDAY, date(2026, 11, 30)) == 5
    assert calendar.between(date(2026, 11, 30), MONDAY) == -5
    assert calendar.between(MONDAY, MONDAY) == 0


def test_a_month_knows_its_working_days(session):
    calendar = workdays.calendar(session)
    assert calendar.working_days(2026, 10) == 18
    assert calendar.working_days(2026, 2) == 16
    assert calendar.working_days(2027, 10) == 21


@pytest.mark.parametrize(
    "text", ["2027-01-02", "2027/1/2", "2027.1.2", "2027年1月2日", " ２０２７-01-02 ", "2027-01-02 00:00:00"]
)
def test_a_day_is_read_as_people_write_it(text):
    assert workdays.read_day(text) == date(2027, 1, 2)


@pytest.mark.parametrize(
    "text", [None, "", "元旦", "2027-02-29", "2027-13-01", "1/2/2027", 46024, "20270102"]
)
def test_anything_else_is_no_day(text):
    assert workdays.read_day(text) is None


def test_a_year_is_replaced_as_a_whole(session, administrator):
    workdays.save_year(session, 2027, [SATURDAY, NEW_YEAR], by=administrator, seen=[])
    assert kept(session, 2027) == [NEW_YEAR, SATURDAY]
    assert workdays.years(session)[-1] == 2027
    assert workdays.save_year(session, 2027, [NEW_YEAR], by=administrator) == 1
    assert kept(session, 2027) == [NEW_YEAR]
    assert (date(2026, 10, 10), True, "国庆节调休上班") in kept(session, 2026)


def test_every_day_changed_is_named_in_one_entry_of_the_audit_log(database):
    with transaction() as session:
        administrator = make_account(session, Role.administrator)
    for days in ([NEW_YEAR, SATURDAY], [(NEW_YEAR[0], False, "新年"), SATURDAY], [], []):
        with transaction() as session:
            workdays.save_year(session, 2027, days, by=session.get_one(Account, administrator.id))
    with reading() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.subject == "special_day")).all()
        assert {(entry.action, entry.subject_id, entry.account_id) for entry in entries} == {
            ("修改工作日", 2027, administrator.id)
        }
        assert audit_words.changes(session, entries) == [
            ["2027年01月01日：休息 元旦", "2027年01月02日：上班 元旦调休上班"],
            ["2027年01月01日：休息 元旦 → 休息 新年"],
            ["2027年01月01日：休息 新年 → （空）", "2027年01月02日：上班 元旦调休上班 → （空）"],
        ]
        assert audit_words.subjects(session, entries)["special_day", 2027] == "节假日 2027"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ((None, True, ""), "第 2 行：请填写日期"),
        (("2027-01-04", False, ""), "第 2 行：请填写日期"),
        ((date(2026, 1, 4), False, ""), "2026-01-04 不在 2027 年"),
        (NEW_YEAR, "2027-01-01 填写了两次"),
        ((date(2027, 1, 4), None, ""), "请选择“上班”或“休息”"),
        ((date(2027, 1, 4), "休息", ""), "请选择“上班”或“休息”"),
        ((date(2027, 1, 4), True, ""), "2027-01-04（星期一）本来就是工作日"),
        ((date(2027, 1, 3), False, ""), "2027-01-03（星期日）本来就是休息日"),
        ((date(2027, 1, 4), False, "节" * 61), "第 2 行的名称”最多 60 个字"),
        ((date(2027, 1, 4), False, 5), "第 2 行的名称”应为文字"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_saved(session, administrator, row, sentence):
    with pytest.raises(Refused, match=sentence):
        workdays.save_year(session, 2027, [NEW_YEAR, row], by=administrator)
    assert kept(session, 2027) == []


def test_all_wrong_rows_are_named_at_once(session, administrator):
    rows = [(None, None, ""), NEW_YEAR, (date(2027, 1, 3), False, "")]
    with pytest.raises(Refused) as refusal:
        workdays.save_year(session, 2027, rows, by=administrator)
    assert list(refusal.value.problems) == ["row 1", "row 3"]


def test_what_another_administrator_saved_meanwhile_is_not_overwritten(session, administrator):
    workdays.save_year(session, 2027, [NEW_YEAR], by=administrator, seen=[])
    with pytest.raises(Conflict, match="已被他人修改"):
        workdays.save_year(session, 2027, [SATURDAY], by=administrator, seen=[])


@pytest.mark.parametrize("role", [role for role in Role if role != Role.administrator])
def test_working_days_are_kept_by_administrators(session, role):
    with pytest.raises(Refused, match="只有管理员"):
        workdays.save_year(session, 2027, [NEW_YEAR], by=make_account(session, role))


def test_the_limit_of_a_verification_follows_the_settings(session, administrator):
    settings.save(session, {"brought_in_days": 7, "on_site_days": 10}, by=administrator)
    brought_in = workdays.verification_deadline(session, DeliveryMode.brought_in, MONDAY)
    on_site = workdays.verification_deadline(session, DeliveryMode.on_site, MONDAY)
    assert (brought_in.day, on_site.day) == (date(2026, 12, 2), date(2026, 12, 7))


def test_running_deadlines_are_counted_anew_when_the_calendar_changes(session, administrator):
    clerk = make_account(session, Role.institution)
    line = make_line(session, clerk)
    appointments.accept(session, [line.id], by=clerk, planned_from=MONDAY, planned_until=MONDAY)
    appointments.begin(session, [line.id], by=clerk)
    session.refresh(line)
    assert line.due_on == date(2026, 12, 21)
    added = [*kept(session, 2026), (date(2026, 12, 7), False, "本地纪念日")]
    workdays.save_year(session, 2026, added, by=administrator)
    session.flush()
    session.expire_all()
    assert session.get(AppointmentLine, line.id).due_on == date(2026, 12, 22)


def test_what_is_left_is_counted_in_working_days(session):
    limit = workdays.limit(session)
    assert limit.unit == "个工作日"
    assert limit.left(MONDAY, date(2026, 11, 30)) == 5
    assert limit.left(MONDAY, MONDAY) == 0
    assert limit.left(MONDAY, date(2026, 11, 20)) == -1


def test_or_in_calendar_days_where_the_province_says_so(session):
    administrator = make_account(session, Role.administrator)
    settings.save(session, {"limit_in_calendar_days": True}, by=administrator)
    limit = workdays.limit(session)
    assert limit.unit == "天"
    assert limit.left(MONDAY, date(2026, 11, 20)) == -3
    assert not limit.deadline(date(2026, 12, 30), date(2027, 1, 5)).is_estimated


def test_a_deadline_beyond_the_published_years_is_estimated(session):
    limit = workdays.limit(session)
    assert not limit.deadline(MONDAY, date(2026, 12, 21)).is_estimated
    assert "按周一至周五估算" in str(limit.deadline(date(2026, 12, 14), date(2027, 1, 11)))
