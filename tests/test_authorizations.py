"""Authorizations, kept by supervisors of the area, and the gaps they leave."""

from datetime import date

import pytest

from db import authorizations, institutions
from db.errors import Conflict, NotFound, Refused
from db.models import Division, Role
from tests import make

YEAR = {"valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}


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


def test_an_authorization_names_its_category_and_kind(session, supervisor, institution):
    kind = make.kind(session)
    choices = ({"kind_id": kind.id}, {"category_id": kind.category_id})
    for choice in choices:
        authorizations.authorize(
            session, institution.id, by=supervisor, division_code=make.XIHU, **YEAR, **choice
        )
    rows = authorizations.page(session, by=supervisor)
    assert [(row.category, row.kind) for row in rows] == [("压力仪表", kind.name), ("压力仪表", None)]
    assert {(row.institution, row.days_left) for row in rows} == {(institution.name, 38)}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("valid_until", {"valid_until": date(2025, 12, 31)}),
        ("valid_from", {"valid_from": None}),
        ("valid_until", {"valid_until": date(2100, 1, 1)}),
        ("division_code", {"division_code": None}),
        ("division_code", {"division_code": "330203"}),
        ("kind_id", {"category_id": None}),
        ("kind_id", {"kind_id": 11}),
        ("kind_id", {"category_id": 999}),
        ("kind_id", {"category_id": None, "kind_id": 999}),
        ("note", {"note": "注" * 501}),
        ("institution_id", {"institution_id": 999}),
    ],
)
def test_a_wrong_field_of_an_authorization_is_named(session, supervisor, institution, field, values):
    typed = {
        "institution_id": institution.id,
        "division_code": make.XIHU,
        "category_id": make.kind(session).category_id,
        **YEAR,
    }
    with pytest.raises(Refused) as refusal:
        authorizations.authorize(session, by=supervisor, **typed | values)
    assert list(refusal.value.problems) == [field]


def test_a_dissolved_area_is_not_authorized_anew_but_may_be_revoked(session, supervisor, institution):
    authorization = make.make_authorization(session, institution)
    session.get(Division, make.XIHU).retired_on = date(2026, 6, 1)
    session.flush()
    with pytest.raises(Refused, match="请选择授权区域"):
        authorizations.authorize(
            session,
            institution.id,
            by=supervisor,
            division_code=make.XIHU,
            category_id=authorization.category_id,
            **YEAR,
        )
    assert authorizations.revoke(session, authorization.id, 1, by=supervisor) == 0


def test_an_institution_elsewhere_may_be_authorized_for_the_area(session, supervisor):
    far = make.make_institution(session, "宁波市计量院", "330203")
    made, _ = authorizations.authorize(
        session,
        far.id,
        by=supervisor,
        division_code=make.XIHU,
        category_id=make.kind(session).category_id,
        **YEAR,
    )
    assert made.created_by_id == supervisor.id


def test_only_supervisors_of_the_area_authorize(session, institution):
    kind, authorization = make.kind(session), make.make_authorization(session, institution)
    for account in outsiders(session):
        with pytest.raises(Refused, match="不能执行此操作"):
            authorizations.authorize(
                session, institution.id, by=account, division_code=make.XIHU, kind_id=kind.id, **YEAR
            )
        with pytest.raises(Refused, match="不能执行此操作"):
            authorizations.change_validity(session, authorization.id, 1, by=account, **YEAR)
        with pytest.raises(Refused, match="不能执行此操作"):
            authorizations.revoke(session, authorization.id, 1, by=account)
    elsewhere = make.make_account(session, Role.supervisor, division_code="330203")
    with pytest.raises(NotFound, match="授权"):
        authorizations.change_validity(session, authorization.id, 1, by=elsewhere, **YEAR)
    with pytest.raises(NotFound, match="授权"):
        authorizations.revoke(session, authorization.id, 1, by=elsewhere)


def test_a_renewal_places_the_lines_that_wait(session, supervisor, institution):
    old = {"valid_from": date(2025, 1, 1), "valid_until": date(2025, 12, 31)}
    authorization = make.make_authorization(session, institution, **old)
    make.make_appointment(session)
    count = authorizations.change_validity(session, authorization.id, 1, by=supervisor, **YEAR)
    assert (count, authorization.version, authorization.valid_until) == (1, 2, YEAR["valid_until"])


def test_a_renewal_keeps_its_days_in_order(session, supervisor, institution):
    authorization = make.make_authorization(session, institution)
    with pytest.raises(Refused, match="有效期止不能早于有效期起"):
        authorizations.change_validity(
            session,
            authorization.id,
            1,
            by=supervisor,
            valid_from=date(2027, 1, 1),
            valid_until=date(2026, 1, 1),
        )


def test_a_change_to_a_stale_authorization_is_a_conflict(session, supervisor, institution):
    authorization = make.make_authorization(session, institution)
    authorizations.change_validity(session, authorization.id, 1, by=supervisor, **YEAR)
    with pytest.raises(Conflict, match="已被他人修改，请刷新"):
        authorizations.change_validity(session, authorization.id, 1, by=supervisor, **YEAR)
    with pytest.raises(Conflict):
        authorizations.revoke(session, authorization.id, 1, by=supervisor)


def test_a_revoked_authorization_is_gone_and_its_lines_stay(session, supervisor):
    clerk = make.make_account(session, Role.institution)
    make.make_line(session, clerk)
    (row,) = authorizations.page(session, by=supervisor)
    assert authorizations.revoke(session, row.id, row.version, by=supervisor) == 1
    assert authorizations.page(session, by=supervisor) == []
    with pytest.raises(NotFound):
        authorizations.revoke(session, row.id, row.version + 1, by=supervisor)


def test_an_institution_sees_its_own_authorizations(session, institution):
    clerk = make.make_account(session, Role.institution, institution_id=institution.id)
    mine = make.make_authorization(session, institution)
    other = make.make_institution(session, "第二所")
    make.make_authorization(session, other)
    rows = authorizations.page(session, by=clerk, institution_id=other.id)
    assert [row.id for row in rows] == [mine.id]
    assert authorizations.count(session, by=clerk) == 1


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal])
def test_owners_see_no_authorizations(session, role):
    account = make.make_account(session, role)
    for look in (authorizations.page, authorizations.count, authorizations.gaps):
        with pytest.raises(Refused, match="不能执行此操作"):
            look(session, by=account)


def test_authorizations_that_run_out_within_ninety_days(session, supervisor, institution):
    for until in (date(2026, 11, 22), date(2027, 2, 21), date(2027, 2, 22)):
        make.make_authorization(session, institution, valid_until=until)
    rows = authorizations.page(session, by=supervisor, expiring_within=90)
    assert [row.days_left for row in rows] == [-1, 90]
    assert authorizations.count(session, by=supervisor, expiring_within=90) == 2


def test_authorizations_come_in_pages(session, supervisor, institution):
    ids = [make.make_authorization(session, institution).id for _ in range(3)]
    pages = [authorizations.page(session, by=supervisor, number=n, size=2) for n in (1, 2)]
    assert [row.id for rows in pages for row in rows] == ids


def test_a_gap_is_a_kind_in_use_that_nobody_may_verify_there(session, supervisor, institution):
    owner = make.make_account(session)
    for code in (make.XIHU, make.XIHU, "330108"):
        make.make_instrument(session, owner, division_code=code)
    gaps = authorizations.gaps(session, by=supervisor)
    assert [(gap.division_code, gap.instrument_count) for gap in gaps] == [(make.XIHU, 2), ("330108", 1)]
    make.make_authorization(session, institution)
    (gap,) = authorizations.gaps(session, by=supervisor)
    assert (gap.division, gap.category, gap.kind_id) == (
        "浙江省杭州市滨江区",
        "压力仪表",
        make.kind(session).id,
    )
    make.make_authorization(session, institution, make.HANGZHOU, kind_id=gap.kind_id)
    assert authorizations.gaps(session, by=supervisor) == []


def test_a_suspended_institution_covers_nothing(session, supervisor, institution):
    make.make_instrument(session)
    make.make_authorization(session, institution)
    institutions.suspend(session, institution.id, by=supervisor)
    session.flush()
    assert len(authorizations.gaps(session, by=supervisor)) == 1


def test_gaps_are_those_of_the_area(session):
    make.make_instrument(session)
    counts = [
        len(authorizations.gaps(session, by=make.make_account(session, Role.supervisor, division_code=code)))
        for code in (make.XIHU, "330108", None)
    ]
    assert counts == [1, 0, 1]
