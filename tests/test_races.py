"""Two people at once: one wins, the other is told, nothing is done twice. On both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import sqlalchemy as sa
from sqlmodel import select

from db import appointments, checks, counters, instruments
from db.engine import reading, transaction
from db.errors import Refused
from db.models import OPEN, Account, AppointmentLine, Instrument, LineStatus, Role, StatusChange
from tests import make


def at_once(*acts):
    """Run the acts in threads that start together; what each returned, or the refusal it met."""
    barrier = Barrier(len(acts))

    def run(act):
        barrier.wait()
        try:
            with transaction() as session:
                return act(session)
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def refusals(results):
    return [result for result in results if isinstance(result, Refused)]


def account(session, id):
    return session.get(Account, id)


def test_of_two_clerks_on_one_line_one_wins_and_the_other_is_told(database):
    with transaction() as session:
        clerk = make.make_account(session, Role.institution)
        line = make.make_line(session, clerk)
    day = date(2026, 12, 1)

    def accept(session):
        by = account(session, clerk.id)
        return appointments.accept(session, [line.id], by=by, planned_from=day, planned_until=day)

    def decline(session):
        return appointments.decline(session, [line.id], by=account(session, clerk.id), reason="超出授权项目")

    (refusal,) = refusals(at_once(accept, decline))
    assert "刷新" in str(refusal)
    with reading() as session:
        moves = session.exec(
            select(StatusChange.action).where(StatusChange.action.in_(["accept", "decline"]))
        ).all()
        assert len(moves) == 1
        assert checks.findings(session) == []


def test_of_two_appointments_for_one_instrument_one_is_made(database):
    with transaction() as session:
        owner = make.make_account(session)
        gauge = make.make_instrument(session, owner)

    def book(session):
        by = account(session, owner.id)
        return appointments.submit(session, by.enterprise_id, [gauge.id], by=by)

    (refusal,) = refusals(at_once(book, book))
    assert "预约" in str(refusal)
    with reading() as session:
        assert len(session.exec(select(AppointmentLine)).all()) == 1


def test_sixteen_people_book_contested_instruments_and_none_is_booked_twice(database):
    with transaction() as session:
        owner = make.make_account(session)
        ids = [make.make_instrument(session, owner).id for _ in range(6)]

    def book(first):
        def act(session):
            by = account(session, owner.id)
            return appointments.submit(session, by.enterprise_id, [ids[first], ids[(first + 1) % 6]], by=by)

        return act

    results = at_once(*(book(number % 6) for number in range(16)))
    assert refusals(results)
    with reading() as session:
        booked = (
            sa.select(AppointmentLine.instrument_id, sa.func.count())
            .where(AppointmentLine.status.in_(OPEN))
            .group_by(AppointmentLine.instrument_id)
        )
        counts = dict(session.execute(booked).all())
        assert counts and set(counts.values()) == {1}
        assert checks.findings(session) == []


def test_of_two_people_editing_one_instrument_the_second_is_told(database):
    with transaction() as session:
        owner = make.make_account(session)
        gauge = make.make_instrument(session, owner)

    def move_to(location):
        return lambda session: instruments.edit(
            session, gauge.id, gauge.version, {"location": location}, by=account(session, owner.id)
        )

    (refusal,) = refusals(at_once(move_to("一号锅炉房"), move_to("二号锅炉房")))
    assert "刷新" in str(refusal)
    with reading() as session:
        assert session.get(Instrument, gauge.id).version == gauge.version + 1


def test_printed_numbers_have_no_doubles(database):
    results = at_once(*[lambda session: [counters.dated(session, "YJ") for _ in range(5)] for _ in range(8)])
    numbers = [number for result in results for number in result]
    assert len(set(numbers)) == len(numbers) == 40


def test_a_line_canceled_by_its_owner_cannot_be_accepted_at_the_same_moment(database):
    with transaction() as session:
        clerk, owner = make.make_account(session, Role.institution), make.make_account(session)
        line = make.make_line(session, clerk, owner)
    day = date(2026, 12, 1)
    results = at_once(
        lambda session: appointments.cancel(session, [line.id], by=account(session, owner.id)),
        lambda session: appointments.accept(
            session, [line.id], by=account(session, clerk.id), planned_from=day, planned_until=day
        ),
    )
    assert len(refusals(results)) == 1
    with reading() as session:
        status = session.get(AppointmentLine, line.id).status
        assert status in (LineStatus.canceled, LineStatus.accepted)
