"""Which institution gets a line, and why none does."""

from datetime import date

import pytest

from db import appointment_lines, appointments, assignment, authorizations, institutions, instruments
from db.assignment import Candidate
from db.errors import NotFound, Refused
from db.models import (
    AppointmentLine,
    Institution,
    LineStatus,
    Role,
    UnassignedReason,
)
from tests import make

ZHEJIANG = "330000"


@pytest.fixture
def supervisor(session):
    """A supervisor of the whole prefecture."""
    return make.make_account(session, Role.supervisor)


def authorized(session, name, division_code=make.XIHU, **values):
    """An institution with one authorization."""
    institution = make.make_institution(session, name)
    make.make_authorization(session, institution, division_code, **values)
    return institution


def booked(session, owner, **values):
    """The line of a gauge just booked."""
    appointment = make.make_appointment(session, owner, **values)
    (row,) = appointment_lines.page(
        session, appointment_lines.Filters(appointment_id=appointment.id), by=owner
    )
    return session.get(AppointmentLine, row.id, populate_existing=True)


def legacy_line(session, owner, **values):
    """The line of a row taken over with gaps."""
    row = make.make_legacy_instrument(session, owner, **values)
    appointments.submit(session, owner.enterprise_id, [row.id], by=owner)
    (line,) = appointment_lines.page(session, appointment_lines.Filters(instrument_id=row.id), by=owner)
    return session.get(AppointmentLine, line.id, populate_existing=True)


def reason(session, line):
    """Why a line has no institution, as stored."""
    session.refresh(line)
    assert (line.status, line.institution_id) == (LineStatus.unassigned, None)
    return line.unassigned_reason


def placed(session, line):
    """The institution that has a line."""
    session.refresh(line)
    assert (line.status, line.unassigned_reason) == (LineStatus.assigned, None)
    return line.institution_id


def test_the_county_comes_before_the_prefecture_and_the_prefecture_before_the_province(session, owner):
    province = authorized(session, "浙江省计量院", ZHEJIANG)
    assert booked(session, owner).institution_id == province.id
    prefecture = authorized(session, "杭州市计量院", make.HANGZHOU)
    assert booked(session, owner).institution_id == prefecture.id
    county = authorized(session, "西湖区计量所")
    assert booked(session, owner).institution_id == county.id


def test_an_authorization_for_another_county_does_not_count(session, owner):
    authorized(session, "滨江区计量所", "330108")
    assert reason(session, booked(session, owner)) == UnassignedReason.no_institution


def test_an_authorization_is_for_a_kind_or_its_whole_category(session, owner):
    water = make.kind(session, "91301")
    for_kind = authorized(session, "水表站", kind_id=water.id)
    assert booked(session, owner, kind_id=water.id).institution_id == for_kind.id
    wider = make.kind(session, "91302")
    assert reason(session, booked(session, owner, kind_id=wider.id)) == UnassignedReason.no_institution
    for_category = authorized(session, "水表总站", category_id=wider.category_id)
    assert booked(session, owner, kind_id=wider.id).institution_id == for_category.id


def test_the_fewest_open_lines_win_and_ties_go_to_the_older(session, owner):
    first, second = authorized(session, "第一所"), authorized(session, "第二所")
    order = [booked(session, owner).institution_id for _ in range(4)]
    assert order == [first.id, second.id, first.id, second.id]


def test_lines_of_one_appointment_are_spread_too(session, owner):
    first, second = authorized(session, "第一所"), authorized(session, "第二所")
    make.make_appointment(session, owner, count=4)
    rows = appointment_lines.page(session, by=owner)
    assert [row.institution_id for row in rows] == [first.id, second.id, first.id, second.id]


def test_lines_that_are_over_do_not_count_as_load(session, owner):
    clerk = make.make_account(session, Role.institution)
    first = session.get(Institution, clerk.institution_id)
    make.make_authorization(session, first)
    done = [booked(session, owner) for _ in range(2)]
    second = authorized(session, "第二所")
    appointments.decline(session, [line.id for line in done], by=clerk, reason="量程不符")
    assert booked(session, owner).institution_id == first.id != second.id


def test_a_line_without_kind_or_place_says_so(session, owner):
    authorized(session, "西湖区计量所")
    assert reason(session, legacy_line(session, owner, kind_id=None)) == UnassignedReason.no_kind
    nowhere = legacy_line(session, owner, division_code=None)
    assert reason(session, nowhere) == UnassignedReason.no_division


@pytest.mark.parametrize(
    "validity",
    [
        {"valid_from": date(2025, 1, 1), "valid_until": date(2026, 11, 22)},
        {"valid_from": date(2026, 11, 24), "valid_until": date(2027, 11, 23)},
    ],
)
def test_an_authorization_counts_only_while_it_is_valid(session, owner, validity):
    authorized(session, "西湖区计量所", **validity)
    assert reason(session, booked(session, owner)) == UnassignedReason.authorization_expired


@pytest.mark.parametrize("day", [{"valid_from": date(2026, 11, 23)}, {"valid_until": date(2026, 11, 23)}])
def test_the_first_and_the_last_day_are_valid(session, owner, day):
    institution = authorized(session, "西湖区计量所", **day)
    assert booked(session, owner).institution_id == institution.id


def test_a_suspended_institution_gets_nothing(session, owner, supervisor):
    institution = authorized(session, "西湖区计量所")
    institutions.suspend(session, institution.id, by=supervisor)
    line = booked(session, owner)
    assert reason(session, line) == UnassignedReason.institution_suspended
    assert institutions.resume(session, institution.id, by=supervisor) == 1
    assert placed(session, line) == institution.id


def test_a_line_that_everyone_handed_back_says_so(session, owner):
    clerk = make.make_account(session, Role.institution)
    line = make.make_line(session, clerk, owner)
    appointments.hand_back(session, [line.id], by=clerk, reason="设备检修")
    assert reason(session, line) == UnassignedReason.handed_back
    assert assignment.run_again(session) == 0


def test_a_line_handed_back_by_the_county_goes_up_one_level(session, owner):
    clerk = make.make_account(session, Role.institution)
    prefecture = authorized(session, "杭州市计量院", make.HANGZHOU)
    line = make.make_line(session, clerk, owner)
    appointments.hand_back(session, [line.id], by=clerk, reason="量程不符")
    assert placed(session, line) == prefecture.id


def test_a_new_authorization_places_the_lines_that_wait(session, owner, supervisor):
    line = booked(session, owner)
    institution = make.make_institution(session)
    _, count = authorizations.authorize(
        session,
        institution.id,
        by=supervisor,
        division_code=make.XIHU,
        valid_from=date(2026, 1, 1),
        valid_until=date(2026, 12, 31),
        kind_id=line.kind_id,
    )
    assert (count, placed(session, line)) == (1, institution.id)


def test_a_kind_filled_in_later_places_the_line(session, owner):
    institution = authorized(session, "西湖区计量所")
    line = legacy_line(session, owner, kind_id=None)
    instruments.edit(session, line.instrument_id, 1, {"kind_id": make.kind(session).id}, by=owner)
    assert placed(session, line) == institution.id
    assert line.kind_id == make.kind(session).id


def test_a_place_filled_in_later_places_the_line(session, owner):
    institution = authorized(session, "西湖区计量所")
    line = legacy_line(session, owner, division_code=None)
    instruments.edit(session, line.instrument_id, 1, {"division_code": make.XIHU}, by=owner)
    assert placed(session, line) == institution.id


def test_a_place_changed_later_leaves_an_assigned_line_where_it_is(session, owner):
    institution = authorized(session, "西湖区计量所")
    authorized(session, "滨江区计量所", "330108")
    line = booked(session, owner)
    instruments.edit(session, line.instrument_id, 1, {"division_code": "330108"}, by=owner)
    assert placed(session, line) == institution.id


def test_candidates_come_authorized_first_then_by_load(session, owner, supervisor):
    line = booked(session, owner)
    idle = make.make_institution(session, "第一所")
    busy, free = make.make_institution(session, "第二所"), make.make_institution(session, "第三所")
    make.make_authorization(session, busy)
    booked(session, owner)
    make.make_authorization(session, free, make.HANGZHOU)
    make.make_institution(session, "停业所", is_suspended=True)
    assert assignment.candidates(session, line.id, by=supervisor) == [
        Candidate(free.id, "第三所", 0, True, "授权范围内"),
        Candidate(busy.id, "第二所", 1, True, "授权范围内"),
        Candidate(idle.id, "第一所", 0, False, "无此项授权，指派前请确认"),
    ]


def test_nobody_is_authorized_for_a_line_without_a_kind(session, owner, supervisor):
    authorized(session, "第一所")
    line = legacy_line(session, owner, kind_id=None)
    (row,) = assignment.candidates(session, line.id, by=supervisor)
    assert (row.is_authorized, row.note) == (False, "无此项授权，指派前请确认")


def test_a_candidate_that_gave_the_line_up_is_marked(session, owner, supervisor):
    clerk = make.make_account(session, Role.institution)
    line = make.make_line(session, clerk, owner)
    appointments.hand_back(session, [line.id], by=clerk, reason="设备检修")
    (row,) = assignment.candidates(session, line.id, by=supervisor)
    assert row.note == "曾退回或转出此器具"


def test_candidates_for_several_lines_must_fit_each(session, owner, supervisor):
    gauge = booked(session, owner)
    scale = booked(session, owner, kind_id=make.kind(session, "90201").id)
    part = make.make_institution(session, "第一所")
    make.make_authorization(session, part)
    (row,) = assignment.shared_candidates(session, [gauge.id, scale.id], by=supervisor)
    assert (row.is_authorized, row.note) == (False, "只有 1 台在授权范围内，指派前请确认")
    make.make_authorization(session, part, category_id=make.kind(session, "90201").category_id)
    (row,) = assignment.shared_candidates(session, [gauge.id, scale.id], by=supervisor)
    assert row.is_authorized


def test_a_supervisor_places_what_the_rules_could_not(session, owner, supervisor):
    line, institution = booked(session, owner), make.make_institution(session)
    assignment.assign_by_hand(session, [line.id], institution.id, by=supervisor, reason="该所已具备能力")
    assert placed(session, line) == institution.id
    last = appointment_lines.history(session, line.id, by=owner)[-1]
    assert (last.action, last.institution, last.note) == (
        "assign_by_hand",
        institution.name,
        "该所已具备能力",
    )


def test_placing_by_hand_needs_a_reason_that_fits(session, owner, supervisor):
    line, institution = booked(session, owner), make.make_institution(session)
    with pytest.raises(Refused, match="请填写理由"):
        assignment.assign_by_hand(session, [line.id], institution.id, by=supervisor, reason=" ")
    with pytest.raises(Refused, match="最多 500 个字"):
        assignment.assign_by_hand(session, [line.id], institution.id, by=supervisor, reason="近" * 501)


def test_nothing_is_placed_with_an_institution_that_is_suspended_or_unknown(session, owner, supervisor):
    line, institution = booked(session, owner), make.make_institution(session, is_suspended=True)
    for institution_id in (institution.id, 999):
        with pytest.raises(Refused, match="请选择一个未暂停业务的技术机构"):
            assignment.assign_by_hand(session, [line.id], institution_id, by=supervisor, reason="就近")


def test_a_line_that_has_an_institution_is_not_placed_again(session, owner, supervisor):
    line = make.make_line(session, by=owner)
    with pytest.raises(Refused, match="当前状态为“待受理”，不能执行“人工指派”，请刷新"):
        assignment.assign_by_hand(session, [line.id], line.institution_id, by=supervisor, reason="就近")


@pytest.mark.parametrize("role", [Role.enterprise, Role.institution, Role.reviewer, Role.administrator])
def test_only_supervisors_place_by_hand(session, owner, role):
    line, institution = booked(session, owner), make.make_institution(session)
    account = make.make_account(session, role)
    with pytest.raises(Refused, match="不能执行此操作"):
        assignment.assign_by_hand(session, [line.id], institution.id, by=account, reason="就近")
    with pytest.raises(Refused, match="不能执行此操作"):
        assignment.candidates(session, line.id, by=account)


def test_a_supervisor_of_another_district_finds_nothing_to_place(session, owner):
    line, institution = booked(session, owner), make.make_institution(session)
    elsewhere = make.make_account(session, Role.supervisor, division_code="330108")
    with pytest.raises(NotFound, match="预约器具"):
        assignment.assign_by_hand(session, [line.id], institution.id, by=elsewhere, reason="就近")
    with pytest.raises(NotFound):
        assignment.candidates(session, line.id, by=elsewhere)
