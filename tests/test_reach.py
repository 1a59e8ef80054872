"""Who may see and touch what."""

import pytest
from sqlmodel import select

from db import appointments, reach
from db.errors import NotFound, Refused
from db.models import (
    Appointment,
    AppointmentLine,
    Enterprise,
    Instrument,
    Link,
    LinkStatus,
    Registration,
    RegistrationStatus,
    Role,
)
from tests import make


def seen(session, model, condition):
    """The ids of the rows a condition lets through."""
    return set(session.exec(select(model.id).where(condition)))


@pytest.fixture
def people(session):
    """An owner in Xihu, its institution's clerk, and a linked person."""
    owner = make.make_account(session)
    clerk = make.make_account(session, Role.institution)
    person = make.make_account(session, Role.personal)
    make.make_link(session, person, session.get(Enterprise, owner.enterprise_id))
    return {"owner": owner, "clerk": clerk, "person": person}


def staff(session, code=make.HANGZHOU, role=Role.supervisor):
    """A member of the bureau for an area."""
    return make.make_account(session, role, division_code=code)


@pytest.mark.parametrize(
    ("area", "code", "is_in"),
    [
        (None, "110101", True),
        ("330000", "330106", True),
        ("330100", "330106", True),
        ("330106", "330106", True),
        ("330106", "330108", False),
        ("330100", "330203", False),
        ("330000", "340102", False),
    ],
)
def test_an_area_holds_the_divisions_below_it(session, area, code, is_in):
    make.make_enterprise(session, division_code=code)
    found = seen(session, Enterprise, reach.within(Enterprise.division_code, area))
    assert bool(found) is is_in


def test_allow_lets_the_roles_named_through(session):
    reach.allow(staff(session), Role.reviewer, Role.supervisor)
    with pytest.raises(Refused, match="监管人员不能执行此操作，请使用有权限的账号登录"):
        reach.allow(staff(session), Role.administrator)


def test_a_suspended_account_is_allowed_nothing(session):
    account = make.make_account(session, Role.administrator, is_active=False)
    with pytest.raises(Refused):
        reach.allow(account, Role.administrator)


def test_a_clerk_acts_for_the_institution_of_the_account(session, people):
    assert reach.institution_id(people["clerk"]) == people["clerk"].institution_id
    with pytest.raises(Refused, match="使用单位不能执行此操作"):
        reach.institution_id(people["owner"])


def test_enterprises_are_ones_own_the_linked_or_those_of_the_area(session, people):
    mine, other = people["owner"].enterprise_id, make.make_enterprise(session, division_code="330203").id

    def of(account):
        return seen(session, Enterprise, reach.enterprises(account))

    assert of(people["owner"]) == of(people["person"]) == {mine}
    assert of(staff(session)) == of(staff(session, role=Role.reviewer)) == {mine}
    assert of(staff(session, None)) == {mine, other}
    assert of(people["clerk"]) == of(make.make_account(session, Role.administrator)) == set()


@pytest.mark.parametrize("status", [s for s in LinkStatus if s != LinkStatus.granted])
def test_only_a_granted_link_opens_an_enterprise(session, status):
    person, enterprise = make.make_account(session, Role.personal), make.make_enterprise(session)
    named = {"credit_code": enterprise.credit_code, "enterprise_id": enterprise.id}
    session.add(Link(account_id=person.id, status=status, **named))
    session.flush()
    for model, condition in (
        (Enterprise, reach.enterprises(person)),
        (Instrument, reach.instruments(person)),
        (Appointment, reach.appointments(person)),
    ):
        assert seen(session, model, condition) == set()
    with pytest.raises(NotFound, match="使用单位不存在，或不在您的权限范围内"):
        reach.enterprise(session, enterprise.id, person)


def test_lines_are_those_of_ones_enterprise_institution_or_area(session, people):
    line = make.make_line(session, people["clerk"], people["owner"])
    away = make.make_appointment(session, people["owner"], division_code="330203")
    all_ids = set(session.exec(select(AppointmentLine.id)))

    def of(account):
        return seen(session, AppointmentLine, reach.lines(account))

    assert of(people["owner"]) == of(people["person"]) == of(staff(session, None)) == all_ids
    assert of(people["clerk"]) == of(staff(session)) == {line.id}
    assert of(staff(session, "330203")) == all_ids - {line.id}
    assert seen(session, Appointment, reach.appointments(people["clerk"])) == {line.appointment_id}
    assert seen(session, Appointment, reach.appointments(staff(session, "330203"))) == {away.id}


def test_a_line_without_a_place_belongs_to_the_area_of_its_enterprise(session, people):
    owner = people["owner"]
    row = make.make_legacy_instrument(session, owner, division_code=None)
    appointments.submit(session, owner.enterprise_id, [row.id], by=owner)
    assert len(seen(session, AppointmentLine, reach.lines(staff(session)))) == 1
    assert seen(session, AppointmentLine, reach.lines(staff(session, "330203"))) == set()
    assert seen(session, Instrument, reach.instruments(staff(session, "330203"))) == set()


def test_a_line_handed_back_is_out_of_reach_of_the_institution(session, people):
    line = make.make_line(session, people["clerk"], people["owner"])
    appointments.hand_back(session, [line.id], by=people["clerk"], reason="设备检修")
    assert seen(session, AppointmentLine, reach.lines(people["clerk"])) == set()


def test_lines_are_held_in_order_and_all_within_reach(session, people):
    lines = [make.make_line(session, people["clerk"], people["owner"]) for _ in range(2)]
    ids = [line.id for line in lines]
    held = reach.held_lines(session, [*ids[::-1], ids[0]], people["clerk"])
    assert [line.id for line in held] == ids
    for asked in ([*ids, 999], []):
        with pytest.raises(NotFound, match="预约器具"):
            reach.held_lines(session, asked, people["clerk"])
    with pytest.raises(NotFound):
        reach.held_lines(session, ids, make.make_account(session, Role.institution))


def test_registrations_are_for_the_bureau_of_the_area(session, people):
    registration = Registration(
        number="ZC1",
        status=RegistrationStatus.submitted,
        credit_code="91110000600037341L",
        name="杭州明达锅炉厂",
        division_code=make.XIHU,
        mobile="13800138000",
        contact_name="陈师傅",
        username="mingda",
        password_hash="x",
    )
    session.add(registration)
    session.flush()
    for account, ids in (
        (staff(session), {registration.id}),
        (staff(session, None, Role.reviewer), {registration.id}),
        (staff(session, "330108"), set()),
        (people["owner"], set()),
        (people["clerk"], set()),
        (make.make_account(session, Role.administrator), set()),
    ):
        assert seen(session, Registration, reach.registrations(account)) == ids


def test_an_enterprise_is_found_by_those_who_may_view_it(session, people):
    enterprise_id = people["owner"].enterprise_id
    for account in (people["owner"], people["person"], staff(session), staff(session, None, Role.reviewer)):
        assert reach.enterprise(session, enterprise_id, account).id == enterprise_id
    for account in (make.make_account(session), people["clerk"], staff(session, "330108")):
        with pytest.raises(NotFound):
            reach.enterprise(session, enterprise_id, account)


@pytest.mark.parametrize(
    ("grant", "to", "other"), [("can_edit", "edit", "book"), ("can_book", "book", "edit")]
)
def test_a_link_grants_editing_and_booking_apart(session, people, grant, to, other):
    enterprise_id = people["owner"].enterprise_id
    person = make.make_account(session, Role.personal)
    grants = {"can_edit": False, "can_book": False, grant: True}
    make.make_link(session, person, session.get(Enterprise, enterprise_id), **grants)
    assert reach.enterprise(session, enterprise_id, person, to=to).id == enterprise_id
    with pytest.raises(Refused, match="企业未授予您此项权限"):
        reach.enterprise(session, enterprise_id, person, to=other)


def test_a_reviewer_looks_but_does_not_act(session, people):
    reviewer = staff(session, role=Role.reviewer)
    for to in ("edit", "book"):
        with pytest.raises(Refused, match="审核人员不能执行此操作"):
            reach.enterprise(session, people["owner"].enterprise_id, reviewer, to=to)
        assert reach.enterprise(session, people["owner"].enterprise_id, staff(session), to=to)


def test_a_made_up_division_is_refused_in_a_sentence():
    with pytest.raises(Refused, match="行政区划代码"):
        reach.within(Enterprise.division_code, "330106' OR 1=1")
