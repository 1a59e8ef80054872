"""状态看板: every number is the length of the list behind it."""

from datetime import date, timedelta

import pytest

from db import appointments, board, instruments
from db.errors import Refused
from db.models import InstrumentStatus, LineStatus, Role
from tests.make import (
    XIHU,
    make_account,
    make_appointment,
    make_authorization,
    make_institution,
    make_instrument,
    make_legacy_instrument,
)

TODAY = date(2026, 11, 23)
SHANGCHENG = "330102"


@pytest.fixture
def supervisor(session):
    return make_account(session, Role.supervisor)


@pytest.fixture
def ledger(session):
    """Instruments in every window, in two districts and nowhere, and one out of use."""
    owner = make_account(session)
    for days in (-1, 0, 30, 31, 60, 61, 90, 91, None):
        until = TODAY + timedelta(days) if days is not None else None
        make_instrument(session, owner, valid_until=until)
    make_instrument(session, owner, division_code=SHANGCHENG, valid_until=TODAY)
    make_legacy_instrument(session, owner, division_code=None, valid_until=TODAY - timedelta(1))
    idle = make_instrument(session, owner)
    instruments.change_status(session, [idle.id], "take_out_of_use", by=owner)
    return owner


def listed(session, by, **filters):
    wanted = instruments.Filters(status=InstrumentStatus.in_use, **filters)
    return instruments.count(session, wanted, by=by)


def test_each_window_counts_the_list_of_its_name(session, ledger, supervisor):
    found = board.validity(session, by=supervisor)
    assert found == board.Validity(
        in_use=11, valid=8, overdue=2, within_30=3, within_60=5, within_90=7, missing=1, rejected=0
    )
    counts = (found.valid, found.overdue, found.within_30, found.within_60, found.within_90, found.missing)
    for window, count in zip(board.WINDOWS, counts, strict=False):
        assert listed(session, supervisor, due=window) == count


def test_places_add_up_to_the_whole(session, ledger, supervisor):
    places = board.validity_by_division(session, by=supervisor)
    assert [(place.code, place.validity.in_use) for place in places] == [
        (SHANGCHENG, 1),
        (XIHU, 9),
        (None, 1),
    ]
    assert board.together(places) == board.validity(session, by=supervisor)
    assert places[2].name == "未填使用地点"
    assert listed(session, supervisor, is_placeless=True) == 1


def test_nothing_adds_up_to_nothing(session, supervisor):
    assert board.together(board.validity_by_division(session, by=supervisor)) == board.Validity()
    assert board.Validity().rate is None


def test_an_owner_has_no_list_of_places(session, ledger):
    with pytest.raises(Refused, match="权限"):
        board.validity_by_division(session, by=ledger)


def test_lines_are_grouped_with_those_that_have_no_place_or_institution(session, supervisor):
    station = make_institution(session)
    make_authorization(session, station)
    owner = make_account(session)
    make_appointment(session, owner, 2)
    make_appointment(session, owner, 1, division_code=SHANGCHENG)
    placeless = make_legacy_instrument(session, owner, division_code=None)
    appointments.submit(session, owner.enterprise_id, [placeless.id], by=owner)
    places = {group.key: group.counts for group in board.by_division(session, by=supervisor)}
    assert places == {
        XIHU: {LineStatus.assigned: 2},
        SHANGCHENG: {LineStatus.unassigned: 1},
        None: {LineStatus.unassigned: 1},
    }
    stations = {group.key: group.total for group in board.by_institution(session, by=supervisor)}
    assert stations == {station.id: 2, None: 2}
    for wanted, count in (
        (appointments.Filters(is_placeless=True), 1),
        (appointments.Filters(is_nowhere=True), 2),
        (appointments.Filters(institution_id=station.id), 2),
    ):
        assert appointments.count(session, wanted, by=supervisor) == count
