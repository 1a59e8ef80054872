"""Editions a bureau loads: read, staged, canceled, listed."""

from datetime import date

import pytest

from catalog import list_books, lists
from db import audit, editions, reference
from db.editions import EditionState
from db.errors import Conflict, NotFound, Refused
from db.models import Dataset, Edition, EditionContent, Role
from tests.make import kind, make_account
from tests.test_edition_differences import changed_catalog

TODAY, LATER = date(2026, 11, 23), date(2027, 1, 1)


@pytest.fixture
def administrator(session):
    return make_account(session, Role.administrator, full_name="俞志明")


def staged(session, by, listed=None, effective_on=LATER, **values):
    listed = listed or changed_catalog(session)
    return editions.stage(
        session,
        Dataset.catalog,
        listed,
        by=by,
        **{"name": "官方目录 2027", "effective_on": effective_on, **values},
    )


def test_a_file_is_read_by_its_own_process(session):
    content = list_books.content(list_books.kind_book(lists.shipped()))
    found = editions.read(Dataset.catalog, "目录.xlsx", content)
    assert len(found.rows) == 29 and found.problems == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "空的"), (b"PK\x03\x04broken", "请"), ("姓名,电话,地址\n".encode(), "没有找到列")],
)
def test_a_file_that_is_no_list_is_refused(session, content, sentence):
    with pytest.raises(Refused, match=sentence):
        editions.read(Dataset.catalog, "目录.csv", content)


def test_an_edition_waits_for_its_day(session, administrator):
    edition = staged(session, administrator)
    assert (edition.applied_at, edition.loaded_by_id) == (None, administrator.id)
    assert reference.edition(session, Dataset.catalog).id != edition.id
    assert kind(session).interval_months == 6
    assert session.get_one(EditionContent, edition.id).rows
    rows = {row.id: row for row in editions.page(session, by=administrator)}
    assert (rows[edition.id].state, rows[edition.id].loaded_by) == (EditionState.waiting, "俞志明")


def test_an_edition_of_today_is_in_force_at_once(session, administrator):
    edition = staged(session, administrator, effective_on=TODAY)
    assert reference.edition(session, Dataset.catalog).id == edition.id
    assert kind(session).interval_months == 12
    states = [row.state for row in editions.page(session, by=administrator) if row.dataset == Dataset.catalog]
    assert states == [EditionState.in_force, EditionState.replaced]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "官方\x00目录"}, "name"),
        ({"effective_on": date(2026, 11, 22)}, "effective_on"),
        ({"effective_on": None}, "effective_on"),
        ({"successors": {"91101": "91102"}}, "successors"),
        ({"successors": {"91401": "99999"}}, "successors"),
    ],
)
def test_every_wrong_value_is_named(session, administrator, values, field):
    with pytest.raises(Refused) as refusal:
        staged(session, administrator, **values)
    assert field in refusal.value.problems


def test_a_list_with_problems_is_refused(session, administrator):
    listed = changed_catalog(session)
    listed.say(3, "种别代码", "x", "种别代码应为 2 至 12 位数字")
    with pytest.raises(Refused, match="1 处需要改正"):
        staged(session, administrator, listed)


def test_a_list_that_changes_nothing_is_refused(session, administrator):
    same = editions.read(
        Dataset.catalog, "目录.xlsx", list_books.content(list_books.kind_book(reference.lists(session)))
    )
    with pytest.raises(Refused, match="没有差别"):
        staged(session, administrator, same)


def test_one_edition_of_a_table_waits_at_a_time(session, administrator):
    waiting = staged(session, administrator)
    with pytest.raises(Refused, match="请先取消"):
        staged(session, administrator)
    editions.cancel(session, waiting.id, by=administrator)
    assert staged(session, administrator).id != waiting.id


def test_a_canceled_edition_never_takes_effect(session, administrator):
    edition = editions.cancel(session, staged(session, administrator).id, by=administrator)
    assert edition.canceled_at
    assert [one["action"] for one in audit.waiting(session)].count("取消待生效版本") == 1
    with pytest.raises(Conflict):
        editions.cancel(session, edition.id, by=administrator)


def test_an_edition_in_force_cannot_be_canceled(session, administrator):
    edition = staged(session, administrator, effective_on=TODAY)
    with pytest.raises(Conflict, match="已经生效"):
        editions.cancel(session, edition.id, by=administrator)


def test_an_edition_that_is_not_there_is_not_found(session, administrator):
    with pytest.raises(NotFound):
        editions.cancel(session, 999, by=administrator)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.administrator])
def test_editions_are_for_administrators(session, administrator, role):
    stranger, waiting = make_account(session, role), staged(session, administrator)
    with pytest.raises(Refused):
        staged(session, stranger)
    with pytest.raises(Refused):
        editions.cancel(session, waiting.id, by=stranger)
    with pytest.raises(Refused):
        editions.page(session, by=stranger)
    assert session.get_one(Edition, waiting.id).canceled_at is None


def test_what_a_bureau_has_loaded_is_left_alone_by_an_upgrade(session, administrator):
    edition = staged(session, administrator, effective_on=TODAY, is_official=False)
    reference.load(session)
    assert reference.edition(session, Dataset.catalog).id == edition.id
