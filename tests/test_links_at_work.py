"""What a person does for an enterprise: with the right, without it, once the grant has ended, and as whom."""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import pytest
from sqlmodel import Session, select

from db import (
    appointment_lines,
    appointments,
    batches,
    bulk_edits,
    corrections,
    exports,
    history,
    instruments,
    ledger,
    links,
    quality,
)
from db.errors import NotFound, Refused
from db.imports import uploads
from db.models import Account, AppointmentLine, Enterprise, InstrumentChange, Role, StatusChange
from tests import make


class Work(NamedTuple):
    """王伟, the enterprise he is linked to, and what of it he works on."""

    person: Account
    owner: Account
    enterprise_id: int
    gauge: Any
    line_id: int
    link_id: int


@pytest.fixture
def work(session) -> Work:
    owner = make.make_account(session)
    person = make.make_account(session, Role.personal, full_name="王伟")
    enterprise = session.get_one(Enterprise, owner.enterprise_id)
    link = make.make_link(session, person, enterprise)
    gauge = make.make_instrument(session, owner, valid_until=date(2027, 1, 31))
    line = make.make_line(session, by=owner)
    return Work(person, owner, enterprise.id, gauge, line.id, link.id)


def entered(session: Session, work: Work) -> Any:
    return instruments.add(session, work.enterprise_id, make.typed(session), by=work.person)


def edited(session: Session, work: Work) -> Any:
    typed = {"location": "二号锅炉房"}
    return instruments.edit(session, work.gauge.id, work.gauge.version, typed, by=work.person)


def stored(session: Session, work: Work) -> Any:
    return instruments.change_status(session, [work.gauge.id], "store", by=work.person)


def set_together(session: Session, work: Work) -> Any:
    scope = [work.gauge.id]
    return bulk_edits.set_together(
        session, work.enterprise_id, "location", "二号锅炉房", scope, by=work.person
    )


def uploaded(session: Session, work: Work) -> Any:
    return uploads.upload(session, work.enterprise_id, "台账.csv", b"a,b", by=work.person)


def corrected(session: Session, work: Work) -> Any:
    proof = {"reason": "录入时看错了月份", "file_name": "证书.png", "content": make.PNG}
    return corrections.request(session, work.gauge.id, date(2027, 7, 31), by=work.person, **proof)


def booked(session: Session, work: Work) -> Any:
    return appointments.submit(session, work.enterprise_id, [work.gauge.id], by=work.person)


def canceled(session: Session, work: Work) -> Any:
    return appointments.cancel(session, [work.line_id], by=work.person)


EDITS = (entered, edited, stored, set_together, uploaded, corrected)
BOOKS = (booked, canceled)
# Reading that names one record; the lists below are empty for a stranger.
READS: tuple[Callable[[Session, Work], Any], ...] = (
    lambda session, work: ledger.find(session, work.gauge.id, by=work.person),
    lambda session, work: history.of_instrument(session, work.gauge.id, by=work.person),
    lambda session, work: ledger.bookable(session, work.enterprise_id, by=work.person),
    lambda session, work: appointment_lines.history(session, work.line_id, by=work.person),
    lambda session, work: batches.page(session, work.enterprise_id, by=work.person),
    lambda session, work: exports.check(
        session, ledger.Filters(enterprise_id=work.enterprise_id), by=work.person
    ),
)


@pytest.mark.parametrize("act", [*EDITS, *BOOKS])
def test_with_the_right_a_person_acts(session, work, act):
    assert act(session, work)


@pytest.mark.parametrize("act", EDITS)
def test_without_the_right_to_edit_nothing_is_changed(session, work, act):
    links.change_rights(session, work.link_id, by=work.owner, can_edit=False, can_book=True)
    with pytest.raises(Refused, match="企业未授予您此项权限"):
        act(session, work)
    assert booked(session, work)


@pytest.mark.parametrize("act", BOOKS)
def test_without_the_right_to_book_nothing_is_booked_or_canceled(session, work, act):
    links.change_rights(session, work.link_id, by=work.owner, can_edit=True, can_book=False)
    with pytest.raises(Refused, match="企业未授予您此项权限"):
        act(session, work)
    assert edited(session, work)


@pytest.mark.parametrize("act", [*EDITS, *BOOKS, *READS[:5]])
def test_once_revoked_the_next_act_finds_nothing(session, work, act):
    links.revoke(session, work.link_id, by=work.owner, reason="已调离")
    with pytest.raises(NotFound, match="不存在，或不在您的权限范围内"):
        act(session, work)


@pytest.mark.parametrize("act", READS)
def test_looking_needs_the_link_alone(session, work, act):
    links.change_rights(session, work.link_id, by=work.owner, can_edit=False, can_book=False)
    act(session, work)


def test_once_left_every_list_is_empty(session, work):
    links.leave(session, work.link_id, by=work.person)
    assert ledger.count(session, by=work.person) == appointment_lines.count(session, by=work.person) == 0
    assert not any(quality.counts(session, by=work.person).values())
    assert not any(corrections.counts(session, by=work.person).values())


def test_every_act_stands_under_the_name_of_the_person(session, work):
    edited(session, work)
    stored(session, work)
    (mine,) = appointments.submit(session, work.enterprise_id, [entered(session, work).id], by=work.person)
    canceled(session, work)
    told = history.of_instrument(session, work.gauge.id, by=work.owner)
    assert {row.by_name for row in told if "二号锅炉房" in str(row)} == {"王伟"}
    assert [row.by_name for row in appointment_lines.history(session, work.line_id, by=work.owner)][
        -1
    ] == "王伟"
    line = session.exec(select(AppointmentLine).where(AppointmentLine.appointment_id == mine.id)).one()
    assert appointment_lines.history(session, line.id, by=work.owner)[0].by_name == "王伟"
    assert mine.submitted_by_id == work.person.id
    by = select(StatusChange.action).where(StatusChange.by_id == work.person.id)
    assert {"store", "submit", "cancel"} <= set(session.exec(by))
    assert session.exec(select(InstrumentChange).where(InstrumentChange.by_id == work.person.id)).all()
