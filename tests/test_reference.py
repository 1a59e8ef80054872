"""Reference data in the database: editions, kinds, divisions."""

from datetime import date

import pytest
from sqlmodel import func, select

import catalog.divisions
import catalog.kinds
import catalog.lists
from db import clock, reference
from db.models import Category, Dataset, Division, Edition, Kind, Level
from tests.make import HANGZHOU, XIHU, kind


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def test_everything_shipped_is_loaded(session):
    assert count(session, Division) == len(catalog.divisions.divisions())
    assert count(session, Kind) == len(catalog.kinds.kinds())


def test_the_editions_say_what_they_are(session):
    starter = reference.edition(session, Dataset.catalog)
    assert "非官方" in starter.note and not starter.is_official
    assert reference.edition(session, Dataset.divisions).effective_on == date(2026, 9, 11)
    assert [row.dataset for row in reference.editions(session)] == [Dataset.catalog, Dataset.divisions]


def test_loading_again_changes_nothing(session):
    before = count(session, Edition), count(session, Kind), count(session, Division)
    reference.load(session)
    assert (count(session, Edition), count(session, Kind), count(session, Division)) == before


def test_a_row_that_a_new_edition_no_longer_has_is_retired(session):
    session.add(Division(code="330103", name="下城区", full_name="浙江省杭州市下城区", level=Level.county))
    session.add(
        Kind(
            code="99999",
            name="旧种别",
            category_id=kind(session).category_id,
            edition_id=reference.edition(session, Dataset.catalog).id,
        )
    )
    for edition in session.exec(select(Edition)):
        edition.digest = "older"
    session.flush()
    reference.load(session)
    assert session.get(Division, "330103").retired_on == date(2026, 11, 23)
    assert kind(session, "99999").retired_on == date(2026, 11, 23)
    assert kind(session).retired_on is None
    assert count(session, Edition) == 4


def test_a_row_that_comes_back_is_in_force_again(session):
    session.get(Division, XIHU).retired_on = date(2025, 1, 1)
    reference.edition(session, Dataset.divisions).digest = "older"
    session.flush()
    reference.load(session)
    assert session.get(Division, XIHU).retired_on is None


def test_an_official_catalog_is_left_alone(session):
    starter = reference.edition(session, Dataset.catalog)
    starter.digest = "older"
    official = Edition(
        dataset=Dataset.catalog,
        name="官方目录",
        is_official=True,
        digest="x",
        effective_on=date(2026, 1, 1),
        applied_at=clock.now(),
    )
    session.add(official)
    session.flush()
    reference.load(session)
    assert reference.edition(session, Dataset.catalog) is official


def test_kinds_come_with_their_category(session):
    rows = {row.code: row for row in reference.kinds(session)}
    gauge = rows["91101"]
    assert (gauge.category, gauge.name) == ("压力仪表", "指示类压力表、显示类压力表")
    assert (gauge.interval_months, gauge.retired_on) == (6, None)
    assert list(rows) == sorted(rows)
    assert {row.category_id for row in rows.values()} == set(session.exec(select(Category.id)))


def test_divisions_know_where_an_address_may_stop(session):
    rows = {row.code: row for row in reference.divisions(session)}
    assert rows[XIHU].is_complete and not rows[HANGZHOU].is_complete
    assert rows["110100"].is_connector and not rows["110100"].is_complete
    assert rows[XIHU].full_name == "浙江省杭州市西湖区"


def test_retired_divisions_are_no_longer_offered(session):
    session.get(Division, XIHU).retired_on = date(2025, 1, 1)
    session.flush()
    assert XIHU not in {row.code for row in reference.divisions(session)}


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        ({"text": "西湖区"}, ["330106", "360103", "420112"]),
        ({"text": "西湖区", "under": "330000"}, ["330106"]),
        ({"text": "33010", "under": "330100"}, ["330102", "330105", "330106", "330108", "330109"]),
        ({"text": "%"}, []),
    ],
)
def test_divisions_are_found_by_name_code_and_area(session, asked, codes):
    rows, total = reference.division_page(session, **asked)
    assert [row.code for row in rows if row.code != "330100"] == codes
    assert total == len(rows)


def test_divisions_come_by_pages(session):
    rows, total = reference.division_page(session, number=2, size=50)
    assert total == len(catalog.divisions.divisions())
    assert len(rows) == 50
    assert rows[0].code > reference.division_page(session, size=50)[0][-1].code


def test_a_retired_division_names_its_successor(session):
    retired = Division(
        code="330103",
        name="下城区",
        full_name="浙江省杭州市下城区",
        level=Level.county,
        parent_code=HANGZHOU,
        retired_on=date(2021, 4, 9),
        successor_code="330105",
    )
    session.add(retired)
    session.flush()
    (row,) = reference.division_page(session, text="330103")[0]
    assert (row.retired_on, row.successor) == (date(2021, 4, 9), "浙江省杭州市拱墅区")


def test_the_lists_for_workbooks_are_the_shipped_ones_at_first(session):
    found, shipped = reference.lists(session), catalog.lists.shipped()
    assert found.divisions == list(shipped.divisions)
    assert [(row.code, row.category, row.name, row.regulations) for row in found.kinds] == [
        (row.code, row.category, row.name, row.regulations) for row in shipped.kinds
    ]
    assert found.kind_edition.name == shipped.kind_edition.name
    assert found.division_edition == shipped.division_edition


def test_the_lists_for_workbooks_leave_out_what_is_retired(session):
    session.get(Division, XIHU).retired_on = date(2025, 1, 1)
    kind(session).retired_on = date(2025, 1, 1)
    session.flush()
    found = reference.lists(session)
    assert XIHU not in {row.code for row in found.divisions}
    assert kind(session).code not in {row.code for row in found.kinds}
