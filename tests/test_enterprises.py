"""使用单位 as their people and the staff find them."""

from db import enterprises
from db.models import Role
from tests.make import make_account, make_enterprise, make_link


def names(session, by, **query):
    return [row.name for row in enterprises.page(session, by=by, **query)]


def test_a_supervisor_finds_the_enterprises_of_the_area_by_name_or_code(session):
    boiler = make_enterprise(session, "杭州明达锅炉厂")
    make_enterprise(session, "浙江大学医院")
    make_enterprise(session, "宁波海曙加油站", division_code="330203")
    supervisor = make_account(session, Role.supervisor)
    assert sorted(names(session, supervisor)) == ["杭州明达锅炉厂", "浙江大学医院"]
    assert names(session, supervisor, text=" 明达 ") == ["杭州明达锅炉厂"]
    assert names(session, supervisor, text=boiler.credit_code.lower()) == ["杭州明达锅炉厂"]


def test_signs_of_a_pattern_are_searched_for_as_they_are(session):
    make_enterprise(session, "杭州明达锅炉厂")
    supervisor = make_account(session, Role.supervisor)
    assert names(session, supervisor, text="%") == []
    assert names(session, supervisor, text="明_达") == []


def test_a_list_holds_at_most_so_many(session):
    for number in range(3):
        make_enterprise(session, f"杭州第 {number} 厂")
    assert len(names(session, make_account(session, Role.supervisor), size=2)) == 2


def test_others_find_only_whom_they_work_for(session):
    mine, other = make_enterprise(session, "杭州明达锅炉厂"), make_enterprise(session, "浙江大学医院")
    person = make_account(session, Role.personal)
    make_link(session, person, other)
    assert names(session, make_account(session, enterprise_id=mine.id)) == ["杭州明达锅炉厂"]
    assert names(session, person) == ["浙江大学医院"]
    assert names(session, make_account(session, Role.institution)) == []
