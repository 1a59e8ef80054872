"""Two people at once: one wins, the other is told, nothing is done twice. On both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlmodel import select

from db import (
    appointments,
    assignment,
    authorizations,
    batches,
    bulk_edits,
    checks,
    corrections,
    counters,
    instruments,
    ledger,
    links,
    reviews,
    saved_views,
    verifications,
    workflow,
)
from db.engine import reading, transaction
from db.errors import Conflict, Refused
from db.models import (
    OPEN,
    Account,
    AppointmentLine,
    Batch,
    BatchAction,
    BatchStatus,
    Conclusion,
    Correction,
    CorrectionStatus,
    Enterprise,
    Instrument,
    InstrumentChange,
    InstrumentStatus,
    LineStatus,
    Link,
    LinkStatus,
    Role,
    StatusChange,
    Subject,
    Verification,
    VerificationType,
)
from tests import make

CODE = make.APPLICATION["credit_code"]


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
    """The refusals among what the acts returned."""
    return [result for result in results if isinstance(result, Refused)]


def account(session, id):
    """An account made before, as another session has it."""
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


def test_of_two_people_editing_the_same_rows_the_other_way_round_one_is_told(database):
    with transaction() as session:
        owner = make.make_account(session)
        ids = [make.make_instrument(session, owner).id for _ in range(40)]

    def move_all(rows, location):
        edits = [(id, 1, {"location": location}) for id in rows]
        return lambda session: instruments.edit_many(session, edits, by=account(session, owner.id))

    (refusal,) = refusals(at_once(move_all(ids, "一号锅炉房"), move_all(ids[::-1], "二号锅炉房")))
    assert isinstance(refusal, Conflict) and "刷新" in str(refusal)
    with reading() as session:
        assert len(set(session.exec(select(Instrument.location)))) == 1


def test_of_two_clerks_on_the_same_lines_the_other_way_round_one_wins_them_all(database):
    with transaction() as session:
        clerk, owner = make.make_account(session, Role.institution), make.make_account(session)
        ids = [make.make_line(session, clerk, owner).id for _ in range(12)]
    day = date(2026, 12, 1)

    def accept(session):
        by = account(session, clerk.id)
        return appointments.accept(session, ids, by=by, planned_from=day, planned_until=day)

    def decline(session):
        return appointments.decline(session, ids[::-1], by=account(session, clerk.id), reason="超出授权项目")

    assert len(refusals(at_once(accept, decline))) == 1
    with reading() as session:
        assert len(set(session.exec(select(AppointmentLine.status)))) == 1
        assert checks.findings(session) == []


def test_an_instrument_is_not_scrapped_while_it_is_being_booked(database):
    with transaction() as session:
        owner = make.make_account(session)
        ids = [make.make_instrument(session, owner).id for _ in range(4)]

    def book(id):
        return lambda session: appointments.submit(
            session, owner.enterprise_id, [id], by=account(session, owner.id)
        )

    def scrap(id):
        return lambda session: instruments.change_status(
            session, [id], "scrap", by=account(session, owner.id), reason="拆除"
        )

    results = at_once(*(act(id) for id in ids for act in (book, scrap)))
    assert len(refusals(results)) == len(ids)
    with reading() as session:
        idle = session.exec(select(Instrument.id).where(Instrument.status != InstrumentStatus.in_use))
        assert sorted([*idle, *instruments.booked(session, ids)]) == ids


def test_no_line_misses_an_authorization_granted_at_the_same_moment(database):
    with transaction() as session:
        owner, supervisor = make.make_account(session), make.make_account(session, Role.supervisor)
        institution = make.make_institution(session)
        ids = [make.make_instrument(session, owner).id for _ in range(8)]
        kind_id = make.kind(session).id

    def book(id):
        return lambda session: appointments.submit(
            session, owner.enterprise_id, [id], by=account(session, owner.id)
        )

    def authorize(session):
        return authorizations.authorize(
            session,
            institution.id,
            by=account(session, supervisor.id),
            division_code=make.XIHU,
            valid_from=date(2026, 1, 1),
            valid_until=date(2026, 12, 31),
            kind_id=kind_id,
        )

    assert refusals(at_once(*map(book, ids[:4]), authorize, *map(book, ids[4:]))) == []
    with reading() as session:
        statuses = session.exec(select(AppointmentLine.status)).all()
        assert statuses == [LineStatus.assigned] * len(ids)


def test_granting_an_authorization_does_not_fail_over_a_line_placed_by_hand(database):
    with transaction() as session:
        owner, supervisor = make.make_account(session), make.make_account(session, Role.supervisor)
        institution = make.make_institution(session)
        line_ids = [line.id for line in booked_lines(session, owner, 10)]
        kind_id = make.kind(session).id

    def authorize(session):
        return authorizations.authorize(
            session,
            institution.id,
            by=account(session, supervisor.id),
            division_code=make.XIHU,
            valid_from=date(2026, 1, 1),
            valid_until=date(2026, 12, 31),
            kind_id=kind_id,
        )

    def place(id):
        return lambda session: assignment.assign_by_hand(
            session, [id], institution.id, by=account(session, supervisor.id), reason="就近"
        )

    first, *rest = at_once(authorize, *map(place, line_ids))
    assert not isinstance(first, Refused)
    assert all("刷新" in str(refusal) for refusal in refusals(rest))
    with reading() as session:
        moves = session.exec(select(StatusChange.subject_id).where(StatusChange.target == "assigned")).all()
        assert sorted(moves) == sorted(line_ids)
        assert checks.findings(session) == []


def booked_lines(session, owner, count):
    """Lines that wait for an institution."""
    appointment = make.make_appointment(session, owner, count=count)
    return session.exec(select(AppointmentLine).where(AppointmentLine.appointment_id == appointment.id)).all()


def test_of_two_supervisors_renewing_one_authorization_one_is_told(database):
    with transaction() as session:
        supervisor = make.make_account(session, Role.supervisor)
        authorization = make.make_authorization(session, make.make_institution(session))

    def renew(year):
        return lambda session: authorizations.change_validity(
            session,
            authorization.id,
            1,
            by=account(session, supervisor.id),
            valid_from=date(2026, 1, 1),
            valid_until=date(year, 12, 31),
        )

    (refusal,) = refusals(at_once(renew(2027), renew(2028)))
    assert isinstance(refusal, Conflict) and "刷新" in str(refusal)


def test_a_result_recorded_twice_at_once_is_recorded_once_and_numbers_have_no_doubles(database):
    day = date(2026, 11, 23)
    with transaction() as session:
        clerk, owner = make.make_account(session, Role.institution), make.make_account(session)
        ids = [make.make_line(session, clerk, owner).id for _ in range(3)]
        appointments.accept(session, ids, by=clerk, planned_from=day, planned_until=day)
        appointments.begin(session, ids, by=clerk)
    result = verifications.Result(
        VerificationType.subsequent, day, Conclusion.passed, "JJG 52-2013", "李敏", "周强"
    )

    def record(id):
        return lambda session: verifications.record(session, [id], result, by=account(session, clerk.id))

    told = refusals(at_once(*(record(id) for id in ids for _ in range(2))))
    assert len(told) == len(ids) and all("刷新" in str(refusal) for refusal in told)
    with reading() as session:
        numbers = session.exec(select(Verification.certificate_number)).all()
        assert len(set(numbers)) == len(ids)
        assert checks.findings(session) == []


def test_no_account_keeps_one_view_too_many(database, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 3)
    with transaction() as session:
        owner = make.make_account(session)
        saved_views.add(session, "ledger", "快到期", {"due": "30"}, ["name"], by=owner)

    def adding(name):
        return lambda session: saved_views.add(
            session, "ledger", name, {}, ["name"], by=account(session, owner.id)
        )

    results = at_once(*(adding(f"视图 {number}") for number in range(6)))
    assert len(refusals(results)) == 4
    with reading() as session:
        assert len(saved_views.mine(session, "ledger", by=owner)[0]) == 3


def stock(count):
    """An owner and that many instruments of the ledger."""
    with transaction() as session:
        owner = make.make_account(session)
        return owner, [make.make_instrument(session, owner) for _ in range(count)]


def setting(owner, location, expected=None):
    """An act that gives the whole ledger a location."""
    return lambda session: bulk_edits.set_together(
        session,
        owner.enterprise_id,
        "location",
        location,
        ledger.Filters(),
        by=account(session, owner.id),
        expected=expected,
    )


def test_of_two_people_setting_the_same_rows_after_a_preview_one_is_told(database):
    owner, _ = stock(20)
    acts = []
    for place in ("一号厂房", "二号厂房"):
        with transaction() as session:
            look = (session, owner.enterprise_id, "location", place, ledger.Filters())
            acts.append(setting(owner, place, bulk_edits.preview(*look, by=owner).seal))
    results = at_once(*acts)
    (refusal,) = refusals(results)
    assert isinstance(refusal, Conflict) and "重新预览" in str(refusal)
    with reading() as session:
        places = session.exec(select(Instrument.location, Instrument.version).distinct()).all()
        assert len(places) == 1 and places[0][1] == 2
        assert len(session.exec(select(Batch)).all()) == 1


def test_two_people_setting_the_same_rows_take_turns(database):
    owner, _ = stock(20)
    results = at_once(setting(owner, "一号厂房"), setting(owner, "二号厂房"))
    assert [result.changed for result in results] == [20, 20]
    with reading() as session:
        assert session.exec(select(Instrument.version).distinct()).all() == [3]
        last = max(result.batch_id for result in results)
        noted = session.exec(select(InstrumentChange).where(InstrumentChange.batch_id == last)).all()
        assert {change.version for change in noted} == {3}


def test_a_batch_is_undone_whole_or_not_at_all_while_someone_edits(database):
    owner, rows = stock(20)
    with transaction() as session:
        batch_id = setting(owner, "一号厂房")(session).batch_id

    def undo(session):
        return batches.undo(session, batch_id, by=account(session, owner.id))

    def edit(session):
        by = account(session, owner.id)
        return instruments.edit(session, rows[7].id, 2, {"remark": "换了表盘"}, by=by)

    results = at_once(undo, edit)
    (refusal,) = refusals(results)
    with reading() as session:
        places = session.exec(select(Instrument.location).distinct()).all()
        is_undone = session.get_one(Batch, batch_id).status == BatchStatus.undone
        assert places == (["锅炉房"] if is_undone else ["一号厂房"])
        assert is_undone == (refusal is results[1])
        assert checks.findings(session) == []


def test_a_batch_undone_twice_at_once_is_undone_once(database):
    owner, _ = stock(5)
    with transaction() as session:
        batch_id = setting(owner, "一号厂房")(session).batch_id

    def undo(session):
        return batches.undo(session, batch_id, by=account(session, owner.id))

    assert len(refusals(at_once(undo, undo))) == 1
    with reading() as session:
        assert session.exec(select(Instrument.version).distinct()).all() == [3]


def test_an_added_instrument_is_not_removed_while_it_is_being_booked(database):
    owner, (gauge,) = stock(1)
    with transaction() as session:
        batch = Batch(
            enterprise_id=owner.enterprise_id,
            action=BatchAction.imported,
            status=BatchStatus.submitted,
            created_by_id=owner.id,
        )
        session.add(batch)
        session.flush()
        workflow.start(session, Subject.batch, [batch.id], "upload", owner)
        for action in ("preview", "apply"):
            workflow.move(session, Subject.batch, [batch], action, owner)
            session.refresh(batch)
        gauge.batch_id = batch.id
        session.add(gauge)

    def undo(session):
        return batches.undo(session, batch.id, by=account(session, owner.id))

    def book(session):
        by = account(session, owner.id)
        return appointments.submit(session, owner.enterprise_id, [gauge.id], by=by)

    results = at_once(undo, book)
    (refusal,) = refusals(results)
    with reading() as session:
        is_booked = refusal is results[0]
        assert (session.get(Instrument, gauge.id) is not None) == is_booked
        assert checks.findings(session) == []


PROOF = {"reason": "看错了月份", "file_name": "证书.pdf", "content": b"%PDF-1.7"}


def gauge_with_request():
    """A gauge with a certificate, its owner, a supervisor, and the request that waits."""
    with transaction() as session:
        owner, supervisor = make.make_account(session), make.make_account(session, Role.supervisor)
        gauge = make.make_instrument(session, owner, valid_until=date(2027, 1, 31))
        asked = corrections.request(session, gauge.id, date(2027, 7, 31), by=owner, **PROOF)
        return gauge.id, owner.id, supervisor.id, asked.id


def test_one_of_two_requests_for_the_same_instrument_waits(database):
    gauge_id, owner_id, supervisor_id, asked_id = gauge_with_request()
    with transaction() as session:
        corrections.decline(session, asked_id, by=account(session, supervisor_id), reason="看不清")

    def ask(session):
        by = account(session, owner_id)
        return corrections.request(session, gauge_id, date(2027, 8, 31), by=by, **PROOF)

    results = at_once(ask, ask, ask)
    assert [type(one) for one in refusals(results)] == [Conflict, Conflict]


def test_a_request_is_approved_once_and_the_ledger_moves_once(database):
    gauge_id, _, supervisor_id, asked_id = gauge_with_request()

    def approve(session):
        return corrections.approve(session, asked_id, by=account(session, supervisor_id))

    def decline(session):
        by = account(session, supervisor_id)
        return corrections.decline(session, asked_id, by=by, reason="看不清")

    results = at_once(approve, approve, decline)
    assert len(refusals(results)) == 2
    with reading() as session:
        gauge = session.get(Instrument, gauge_id)
        is_moved = gauge.valid_until == date(2027, 7, 31)
        assert gauge.version == (2 if is_moved else 1)
        assert session.get(Correction, asked_id).status == (
            CorrectionStatus.approved if is_moved else CorrectionStatus.declined
        )
        assert not checks.findings(session)


def test_a_result_and_an_approval_at_once_leave_the_newer_certificate(database):
    gauge_id, _, supervisor_id, asked_id = gauge_with_request()
    with transaction() as session:
        clerk_id = make.make_account(session, Role.institution).id

    def record(session):
        gauge = session.get(Instrument, gauge_id)
        clerk = account(session, clerk_id)
        day = date(2026, 11, 20)
        instruments.move_validity(session, gauge, date(2027, 5, 19), day, Conclusion.passed, clerk)

    def approve(session):
        return corrections.approve(session, asked_id, by=account(session, supervisor_id))

    approved = at_once(record, approve)[1]
    with reading() as session:
        gauge = session.get(Instrument, gauge_id)
        assert gauge.valid_until == date(2027, 5, 19)
        assert gauge.version == (2 if isinstance(approved, Refused) else 3)


def test_of_two_reviewers_approving_one_registration_one_is_told(database):
    with transaction() as session:
        reviewer = make.make_account(session, Role.reviewer)
        registration = make.make_registration(session)

    def approve(session):
        return reviews.approve(session, registration.id, by=account(session, reviewer.id))

    (refusal,) = refusals(at_once(approve, approve))
    assert "当前状态为“已通过”" in str(refusal)
    with reading() as session:
        assert len(session.exec(select(Enterprise)).all()) == 1
        assert checks.findings(session) == []


@pytest.mark.parametrize("second", [CODE, "60003734-1"])
def test_of_two_requests_for_a_code_nobody_registered_one_is_made(database, second):
    with transaction() as session:
        person = make.make_account(session, Role.personal)

    def request(code):
        return lambda session: links.request(session, code, by=account(session, person.id))

    (refusal,) = refusals(at_once(request(CODE), request(second)))
    assert "不需要重复申请" in str(refusal)
    with transaction() as session:
        registration = make.make_registration(session, credit_code=CODE)
        owner = reviews.approve(session, registration.id, by=make.make_account(session, Role.reviewer))
        assert session.exec(select(Link.enterprise_id)).all() == [owner.enterprise_id]


def test_no_account_has_two_open_links_to_one_code_in_the_database(session):
    person = make.make_account(session, Role.personal)
    session.add_all(
        Link(account_id=person.id, credit_code=CODE, status=LinkStatus.requested) for _ in range(2)
    )
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()
