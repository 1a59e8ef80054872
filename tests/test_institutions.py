"""Institutions, kept by supervisors of the area."""

from datetime import date

import pytest

from db import appointments, institutions
from db.errors import NotFound, Refused
from db.models import Institution, Role
from tests import make

NEW = {
    "name": "滨江区计量检定所",
    "division_code": "330108",
    "address": "江南大道 100 号",
    "telephone": "0571-87654321",
    "code": "bj01",
}


@pytest.fixture
def supervisor(session):
    """A supervisor of the whole prefecture."""
    return make.make_account(session, Role.supervisor)


@pytest.fixture
def institution(session):
    """The institution of the district."""
    return make.make_institution(session)


def outsiders(session):
    """Everyone who may not change institutions and authorizations of the district."""
    roles = (Role.enterprise, Role.personal, Role.institution, Role.reviewer, Role.administrator)
    return [make.make_account(session, role) for role in roles]


def test_the_list_shows_load_and_valid_authorizations(session, supervisor):
    clerk = make.make_account(session, Role.institution)
    mine = session.get(Institution, clerk.institution_id)
    for _ in range(2):
        make.make_line(session, clerk)
    make.make_authorization(session, mine, valid_until=date(2026, 11, 22))
    (row,) = institutions.page(session, by=supervisor)
    assert (row.id, row.open_count, row.authorization_count) == (mine.id, 2, 1)
    assert (row.division, row.is_suspended) == ("浙江省杭州市西湖区", False)


def test_the_list_is_for_staff(session):
    assert institutions.page(session, by=make.make_account(session, Role.administrator)) == []
    for role in (Role.enterprise, Role.personal, Role.institution):
        with pytest.raises(Refused, match="不能执行此操作"):
            institutions.page(session, by=make.make_account(session, role))


def test_a_clerk_finds_ones_own_institution(session, institution):
    clerk = make.make_account(session, Role.institution, institution_id=institution.id)
    assert institutions.own(session, by=clerk) is institution
    for role in (Role.enterprise, Role.supervisor):
        with pytest.raises(Refused, match="不能执行此操作"):
            institutions.own(session, by=make.make_account(session, role))


def test_a_supervisor_of_the_whole_country_keeps_every_institution(session, institution):
    everywhere = make.make_account(session, Role.supervisor, division_code=None)
    assert institutions.suspend(session, institution.id, by=everywhere).is_suspended


def test_an_institution_is_added_with_a_mark_for_its_certificates(session, supervisor):
    made = institutions.save(session, by=supervisor, **NEW)
    assert (made.code, made.name, made.is_suspended) == ("BJ01", "滨江区计量检定所", False)


def test_a_change_keeps_the_mark(session, supervisor):
    made = institutions.save(session, by=supervisor, **NEW)
    changed = institutions.save(
        session, by=supervisor, institution_id=made.id, **NEW | {"address": "滨盛路 1 号", "code": "ZZ"}
    )
    assert (changed.id, changed.address, changed.code) == (made.id, "滨盛路 1 号", "BJ01")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "所" * 121),
        ("address", ""),
        ("telephone", "87654"),
        ("division_code", None),
        ("division_code", "999999"),
        ("division_code", "330203"),
        ("code", ""),
        ("code", "B"),
        ("code", "滨江"),
        ("code", "BJ-01"),
        ("code", "B" * 13),
    ],
)
def test_a_wrong_field_of_an_institution_is_named(session, supervisor, field, value):
    with pytest.raises(Refused) as refusal:
        institutions.save(session, by=supervisor, **NEW | {field: value})
    assert list(refusal.value.problems) == [field]


def test_names_and_marks_are_used_once(session, supervisor):
    institutions.save(session, by=supervisor, **NEW)
    with pytest.raises(Refused) as refusal:
        institutions.save(session, by=supervisor, **NEW)
    assert set(refusal.value.problems) == {"name", "code"}


def test_only_supervisors_of_the_area_keep_institutions(session, institution):
    elsewhere = make.make_account(session, Role.supervisor, division_code="330203")
    with pytest.raises(NotFound, match="技术机构"):
        institutions.suspend(session, institution.id, by=elsewhere)
    with pytest.raises(NotFound):
        institutions.resume(session, institution.id, by=elsewhere)
    for account in outsiders(session):
        for act in (institutions.suspend, institutions.resume):
            with pytest.raises(Refused, match="不能执行此操作"):
                act(session, institution.id, by=account)
        with pytest.raises(Refused, match="不能执行此操作"):
            institutions.save(session, by=account, **NEW)


def test_changing_an_institution_that_does_not_exist_is_refused(session, supervisor):
    for act in (institutions.suspend, institutions.resume):
        with pytest.raises(NotFound):
            act(session, 999, by=supervisor)
    with pytest.raises(NotFound):
        institutions.save(session, by=supervisor, institution_id=999, **NEW)


def test_a_suspended_institution_keeps_the_lines_it_has(session, supervisor):
    clerk = make.make_account(session, Role.institution)
    line = make.make_line(session, clerk)
    institutions.suspend(session, clerk.institution_id, by=supervisor)
    row = institutions.page(session, by=supervisor)[0]
    assert (row.is_suspended, row.open_count) == (True, 1)
    day = date(2026, 11, 24)
    assert appointments.accept(session, [line.id], by=clerk, planned_from=day, planned_until=day)
