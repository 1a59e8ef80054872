"""The demo bureau: all of it there, consistent with the rules, and the same each time."""

from collections import Counter
from datetime import date, datetime, time

import pytest
import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, func, select

from catalog import identifiers
from catalog.divisions import parent_codes
from catalog.kinds import find as find_kind
from db import (
    accounts,
    appointment_lines,
    appointments,
    assignment,
    attachments,
    authorizations,
    checks,
    clock,
    corrections,
    demo,
    duties,
    instrument_fields,
    instruments,
    ledger,
    notifications,
    passwords,
    reach,
    recoveries,
    registrations,
    reviews,
    search,
    verifications,
    workflow,
)
from db.demo.articles import articles
from db.demo.people import PAIRS, SECTORS, Names
from db.demo.writing import ORDER
from db.engine import make_engine
from db.errors import Refused
from db.models import (
    OPEN,
    Account,
    Appointment,
    AppointmentLine,
    Authorization,
    Conclusion,
    CorrectionStatus,
    DeliveryMode,
    Enterprise,
    Institution,
    Instrument,
    InstrumentChange,
    InstrumentStatus,
    Kind,
    LineStatus,
    Link,
    LinkStatus,
    Receipt,
    RecoveryStatus,
    Registration,
    RegistrationStatus,
    Role,
    StatusChange,
    Subject,
    UnassignedReason,
    Verification,
    VerificationMode,
    VerificationType,
)
from db.notifications import NotificationState

# Filling bureaus takes longer than a quick check may.
pytestmark = pytest.mark.slow

TODAY = date(2026, 11, 23)


def filled(template, folder, enterprises=40, size=3000, today=TODAY):
    """A session over a demo of its own."""
    path = folder / "demo.db"
    path.write_bytes(template.read_bytes())
    session = Session(make_engine(f"sqlite:///{path}"), expire_on_commit=False)
    demo.fill(session, enterprises, size, today)
    session.commit()
    return session


@pytest.fixture(scope="module")
def bureau(template, tmp_path_factory):
    """The demo as `make run` fills it; only read."""
    with filled(template, tmp_path_factory.mktemp("demo")) as session:
        yield session
        session.get_bind().dispose()


def account(session, username):
    return session.exec(select(Account).where(Account.username == username)).one()


def total(session, model, *conditions):
    return session.scalar(select(func.count()).select_from(model).where(*conditions))


def values(session, column):
    return set(session.exec(select(column).distinct()).all())


def test_it_is_as_large_as_asked(bureau):
    assert total(bureau, Enterprise) == 40
    assert total(bureau, Instrument) == 3000
    assert 450 < total(bureau, AppointmentLine) < 800
    roles = Counter(bureau.exec(select(Account.role)).all())
    assert (roles[Role.enterprise], roles[Role.personal], roles[Role.reviewer]) == (40, 5, 2)
    assert (roles[Role.supervisor], roles[Role.administrator]) == (2, 1)
    assert roles[Role.institution] == total(bureau, Institution)


def test_fill_says_what_it_made(session):
    counts = demo.fill(session, 3, 40, TODAY)
    assert counts == {
        label: session.scalar(select(func.count()).select_from(model)) for model, label in demo.LABELS.items()
    }
    assert counts["使用单位"] == 3 and counts["器具"] == 40


def test_every_status_occurs(bureau):
    assert values(bureau, AppointmentLine.status) == set(LineStatus)
    assert values(bureau, Registration.status) == set(RegistrationStatus)
    assert values(bureau, Link.status) == set(LinkStatus)
    assert values(bureau, Instrument.status) == set(InstrumentStatus)
    assert values(bureau, Verification.conclusion) == set(Conclusion)
    assert values(bureau, Verification.verification_type) == set(VerificationType)


def test_every_step_but_those_of_batches_is_taken(bureau):
    taken = set(bureau.exec(select(StatusChange.subject, StatusChange.action).distinct()).all())
    expected = {(step.subject, step.action) for step in workflow.STEPS if step.subject != Subject.batch}
    assert taken == expected


def test_every_reason_for_no_institution_occurs(bureau):
    waiting = AppointmentLine.status == LineStatus.unassigned
    reasons = bureau.exec(select(AppointmentLine.unassigned_reason).where(waiting).distinct()).all()
    assert set(reasons) == set(UnassignedReason)


def test_the_first_enterprise_shows_every_status_and_reason(bureau):
    by = account(bureau, "enterprise01")
    rows = [row for start in (1, 2) for row in appointment_lines.page(bureau, by=by, number=start, size=100)]
    assert {row.status for row in rows} == set(LineStatus)
    assert {row.unassigned_reason for row in rows} - {None} == set(UnassignedReason)


def test_the_check_finds_nothing(bureau):
    assert checks.findings(bureau) == []


def test_every_move_was_made_by_someone_who_may(bureau):
    may = {(step.subject, step.action): step for step in workflow.STEPS}
    rows = bureau.execute(
        sa.select(StatusChange.subject, StatusChange.action, Account.role, StatusChange.note)
        .join(Account, col(StatusChange.by_id) == Account.id, isouter=True)
        .distinct()
    ).all()
    for row in rows:
        step = may[row.subject, row.action]
        assert row.role in step.roles if step.roles else row.role is None, row
        assert step.obstacle(row.note) is None, row


def test_the_moves_of_a_record_follow_each_other_in_time(bureau):
    last = {}
    rows = select(StatusChange.subject, StatusChange.subject_id, StatusChange.at).order_by(
        col(StatusChange.id)
    )
    for subject, subject_id, at in bureau.exec(rows):
        assert last.get((subject, subject_id), at) <= at
        last[subject, subject_id] = at
    for line in bureau.exec(select(AppointmentLine)):
        assert line.moved_at == last[Subject.line, line.id]


def reasons_by_rule(session, today):
    """(what assignment says today, what the line says) of each waiting line."""
    lines = session.exec(select(AppointmentLine).where(AppointmentLine.status == LineStatus.unassigned)).all()
    known = assignment.rules(session, lines, today)
    return [(known.place(line), line.unassigned_reason) for line in lines]


def test_the_reasons_are_those_assignment_gives_today(bureau):
    pairs = reasons_by_rule(bureau, TODAY)
    assert pairs and all(rule == shown for rule, shown in pairs)


def test_fresh_lines_went_to_the_nearest_institution(bureau):
    by_hand = select(StatusChange.subject_id).where(StatusChange.action == "assign_by_hand")
    lines = bureau.exec(
        select(AppointmentLine).where(
            AppointmentLine.status == LineStatus.assigned, col(AppointmentLine.id).not_in(by_hand)
        )
    ).all()
    known = assignment.rules(bureau, lines, TODAY)
    assert lines
    for line in lines:
        assert line.institution_id in nearest(known, line)


def nearest(known, line):
    """The institutions of the first level that has any for this line."""
    for code in parent_codes(line.division_code):
        rules = known.rules_at(code, line.kind_id)
        open_to = {rule.institution_id for rule in rules if rule.is_valid and not rule.is_suspended}
        if fit := open_to - known.turned_away[line.id]:
            return fit
    return set()


def test_a_line_keeps_what_the_ledger_said(bureau):
    lines = bureau.exec(select(AppointmentLine).where(col(AppointmentLine.status).in_(OPEN))).all()
    kept = ledger.snapshots(bureau, [line.instrument_id for line in lines])
    assert lines
    for line in lines:
        assert line.snapshot == kept[line.instrument_id]
        instrument = bureau.get(Instrument, line.instrument_id)
        assert (line.kind_id, line.division_code) == (instrument.kind_id, instrument.division_code)


def test_the_ledger_follows_the_newest_result(bureau):
    newest = {
        row.instrument_id: row for row in bureau.exec(select(Verification).order_by(col(Verification.id)))
    }
    for instrument in bureau.exec(select(Instrument)):
        result = newest.get(instrument.id)
        assert instrument.verified_on == (result and result.verified_on)
        assert instrument.conclusion == (result and result.conclusion)
        if result and result.conclusion == Conclusion.passed:
            assert instrument.valid_until == result.valid_until
        elif result:
            before = bureau.get(AppointmentLine, result.line_id).snapshot["valid_until"]
            assert instrument.valid_until == (before and date.fromisoformat(before))


def test_validity_follows_the_catalog_where_it_gives_an_interval(bureau):
    rows = bureau.execute(
        sa.select(Verification, Kind)
        .join(AppointmentLine, col(Verification.line_id) == AppointmentLine.id)
        .join(Kind, col(AppointmentLine.kind_id) == Kind.id)
    )
    seen = set()
    for result, kind in rows:
        expected = verifications.default_valid_until(kind, result.verified_on)
        if result.conclusion == Conclusion.rejected:
            assert result.valid_until is None
        elif expected or kind.verification_mode == VerificationMode.first_only_scrap:
            assert result.valid_until == expected
            seen.add(kind.code)
        else:
            assert result.valid_until > result.verified_on
    assert "90101" in seen and "91101" in seen


def test_results_lie_between_the_beginning_and_the_record(bureau):
    rows = bureau.execute(sa.select(Verification, AppointmentLine).join(AppointmentLine))
    for result, line in rows:
        assert line.begun_on <= result.verified_on <= clock.day_of(result.recorded_at)
        assert result.recorded_at == line.moved_at
        assert result.institution_id == line.institution_id
        assert result.verifier != result.checker


def test_what_was_accepted_has_a_receipt_and_agreed_days(bureau):
    accepted = (LineStatus.accepted, LineStatus.in_verification, LineStatus.completed)
    rows = bureau.execute(
        sa.select(AppointmentLine, Receipt)
        .join(Receipt, col(AppointmentLine.receipt_id) == Receipt.id, isouter=True)
        .where(col(AppointmentLine.status).in_(accepted))
    ).all()
    for line, receipt in rows:
        assert (receipt.appointment_id, receipt.institution_id) == (line.appointment_id, line.institution_id)
        assert clock.day_of(receipt.issued_at) <= line.planned_from <= line.planned_until


def test_an_instrument_was_bought_entered_and_booked_in_that_order(bureau):
    rows = bureau.execute(
        sa.select(Instrument, Appointment.submitted_at, Enterprise.created_at)
        .join(Enterprise, col(Instrument.enterprise_id) == Enterprise.id)
        .join(AppointmentLine, col(AppointmentLine.instrument_id) == Instrument.id, isouter=True)
        .join(Appointment, col(AppointmentLine.appointment_id) == Appointment.id, isouter=True)
    )
    for instrument, submitted_at, registered_at in rows:
        assert registered_at < instrument.created_at
        assert instrument.purchased_on <= clock.day_of(instrument.created_at)
        assert submitted_at is None or instrument.created_at < submitted_at


def test_every_instrument_has_its_trace(bureau):
    added = select(InstrumentChange.instrument_id).where(InstrumentChange.action == "新增")
    assert sorted(bureau.exec(added).all()) == list(range(1, 3001))
    changes = Counter(bureau.exec(select(InstrumentChange.instrument_id)).all())
    for instrument in bureau.exec(select(Instrument)):
        assert instrument.version == changes[instrument.id]
        owner = bureau.get_one(Enterprise, instrument.enterprise_id)
        assert instrument.search_text == search.text_of(instrument.model_dump(), owner.name)


def test_nothing_happens_today_or_later(bureau):
    midnight = datetime.combine(TODAY, time.min, tzinfo=clock.CHINA)
    for model in ORDER:
        for column in model.__table__.columns:
            if column.name.endswith("_at"):
                latest = bureau.scalar(select(func.max(column)))
                assert latest is None or latest < midnight, column


@pytest.mark.parametrize("late", appointment_lines.LATE)
def test_something_is_late_in_every_way(bureau, late):
    supervisor = account(bureau, "supervisor01")
    assert appointment_lines.count(bureau, appointment_lines.Filters(late=late), by=supervisor) > 0


@pytest.mark.parametrize("due", ledger.DUE)
def test_the_ledger_has_something_in_every_window(bureau, due):
    supervisor = account(bureau, "supervisor01")
    assert ledger.count(bureau, ledger.Filters(due=due), by=supervisor) > 0


def test_most_instruments_are_in_order(bureau):
    supervisor = account(bureau, "supervisor01")
    overdue = ledger.count(bureau, ledger.Filters(due="overdue"), by=supervisor)
    assert 0.02 < overdue / 3000 < 0.15


def test_the_review_queue_has_late_urgent_and_answered_ones(bureau):
    rows, _ = reviews.page(bureau, by=account(bureau, "reviewer01"))
    assert any(row.working_days_left < 0 for row in rows)
    assert any(row.working_days_left >= 0 for row in rows)
    assert rows[0].is_urgent
    answered = select(StatusChange.note).where(StatusChange.action == "resubmit")
    assert all(bureau.exec(answered).all())


def test_everyone_on_show_can_begin_at_once(bureau):
    on_show = [account(bureau, username) for username, *_ in demo.SHOWCASE]
    assert [duties.obstacle(bureau, one) for one in on_show] == [None] * len(on_show)


def test_supervisors_act_for_enterprises_and_see_their_area(bureau):
    everywhere, district = account(bureau, "supervisor01"), account(bureau, "supervisor02")
    assert total(bureau, Appointment, col(Appointment.is_on_behalf)) > 0
    seen = [ledger.count(bureau, by=by) for by in (district, everywhere)]
    assert 0 < seen[0] < seen[1]


def test_corrections_wait_with_their_proof_and_can_be_decided(bureau):
    supervisor = account(bureau, "supervisor01")
    waiting = corrections.page(bureau, by=supervisor, status=CorrectionStatus.requested)
    assert len(waiting) == 2
    for row in waiting:
        assert row.current == row.before != row.valid_until
        proof = attachments.readable(bureau, row.attachment_id, by=supervisor)
        assert attachments.media_type(attachments.path(proof).read_bytes()) == "image/png"
    (followed,) = corrections.page(bureau, by=supervisor, status=CorrectionStatus.approved)
    assert followed.current == followed.valid_until
    with bureau.begin_nested() as undone:
        corrections.approve(bureau, waiting[0].id, by=supervisor)
        undone.rollback()


def test_applications_of_enterprises_wait_with_a_scan_and_those_of_persons_without(bureau):
    by = account(bureau, "reviewer01")
    rows, _ = reviews.page(bureau, by=by)
    assert {row.role for row in rows} == {Role.enterprise, Role.personal}
    for row in rows:
        found = registrations.licence(bureau, reviews.find(bureau, row.id, by=by))
        if row.role == Role.personal:
            assert found is None
        else:
            kept = attachments.path(attachments.readable(bureau, found.id, by=by)).read_bytes()
            assert attachments.media_type(kept) == "image/png"
    owner = account(bureau, "enterprise01")
    assert bureau.exec(select(Registration.licence_id).where(reach.licences(owner))).one()


def test_authorizations_run_out_lapse_and_leave_gaps(bureau):
    supervisor = account(bureau, "supervisor01")
    soon = authorizations.page(bureau, by=supervisor, expiring_within=90)
    assert {row.days_left < 0 for row in soon} == {True, False}
    assert total(bureau, Institution, col(Institution.is_suspended)) == 1
    assert total(bureau, Authorization, col(Authorization.kind_id).is_(None)) > 0
    assert total(bureau, Authorization, col(Authorization.category_id).is_(None)) > 0
    assert {gap.kind for gap in authorizations.gaps(bureau, by=supervisor)} >= {"声级计", "脑电图机"}


def test_every_kind_is_there_but_the_doubtful_one(bureau):
    used = set(bureau.exec(select(Kind.code).join(Instrument, col(Instrument.kind_id) == Kind.id)).all())
    assert used == set(bureau.exec(select(Kind.code)).all()) - {"91001"}
    assert used == set(articles())


def test_articles_fit_the_ledger_and_the_scope_of_their_kind():
    for code, group in articles().items():
        scope = find_kind(code).scope
        for article in group:
            named = {purpose for purpose in type(article.purpose) if purpose in scope}
            assert not named or article.purpose in named, article
            for plate in article.plates:
                assert len(plate) == 3 and all(len(text) <= 60 for text in plate)


def test_serial_numbers_keep_their_zeros_and_are_not_repeated(bureau):
    identity = (
        Instrument.enterprise_id,
        Instrument.serial_number,
        Instrument.manufacturer,
        Instrument.specification,
    )
    assert total(bureau, Instrument, col(Instrument.serial_number).startswith("0")) > 100
    repeated = bureau.execute(sa.select(*identity).group_by(*identity).having(func.count() > 1)).all()
    assert len(repeated) < 5


def test_instruments_pass_the_form(bureau):
    owner = account(bureau, "enterprise01")
    for instrument in bureau.exec(select(Instrument).where(col(Instrument.kind_id).is_not(None)).limit(200)):
        typed = {field: getattr(instrument, field) for field in instrument_fields.LABELS}
        if instrument.division_code:
            form = instrument_fields.Form()
            instrument_fields.checked(bureau, typed, form, owner)
            assert form.problems == {}


def test_codes_names_and_numbers_are_in_order(bureau):
    for row in bureau.exec(select(Enterprise)):
        assert identifiers.credit_code(row.credit_code) == row.credit_code
        assert identifiers.mobile(row.mobile) == row.mobile
    for row in bureau.exec(select(Institution)):
        assert identifiers.telephone(row.telephone) == row.telephone
    for row in bureau.exec(select(Account)):
        assert accounts.username(row.username) == row.username
        passwords.check(demo.PASSWORD, row.username)
    assert len(values(bureau, Enterprise.name)) == 40


def test_names_do_not_repeat():
    names = Names()
    given = [names.enterprise(SECTORS[0]) for _ in range(PAIRS + 5)]
    assert len(set(given)) == PAIRS + 5


def test_the_showcase_accounts_sign_in_with_the_password(bureau):
    hashes = {account(bureau, username).password_hash for username, _, _ in demo.SHOWCASE}
    (only,) = hashes
    assert passwords.matches(demo.PASSWORD, only)
    assert {account(bureau, username).role for username, _, _ in demo.SHOWCASE} == set(Role)


def test_personal_accounts_are_linked_in_every_way(bureau):
    granted = select(Link.account_id).where(Link.status == LinkStatus.granted)
    links = Counter(bureau.exec(granted).all())
    assert 2 in links.values()
    assert total(bureau, Link, Link.status == LinkStatus.requested) == 1
    assert total(bureau, Link, ~col(Link.can_edit), col(Link.can_book)) == 1


def rows_of(session):
    """Everything in the database but hashes of passwords."""
    found = {}
    for table in SQLModel.metadata.sorted_tables:
        kept = [column for column in table.columns if column.name != "password_hash"]
        rows = session.execute(sa.select(*kept).order_by(*table.primary_key.columns)).all()
        found[table.name] = [repr(tuple(row)) for row in rows]
    return found


def test_the_same_arguments_give_the_same_rows(template, tmp_path):
    dumps = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        with filled(template, folder, 12, 400) as session:
            dumps.append(rows_of(session))
            session.get_bind().dispose()
    assert dumps[0] == dumps[1]
    assert len(dumps[0]["status_changes"]) > 200


def test_a_second_demo_is_refused(session):
    assert demo.is_empty(session)
    demo.fill(session, 2, 20, TODAY)
    assert not demo.is_empty(session)
    with pytest.raises(Refused, match="空数据库"):
        demo.fill(session, 2, 20, TODAY)


def test_a_database_with_an_administrator_is_left_alone(session):
    accounts.create_first_administrator(
        session, username="guanli", full_name="俞志明", password="Jianding-2026"
    )
    assert not demo.is_empty(session)
    with pytest.raises(Refused, match="空数据库"):
        demo.fill(session, 2, 20, TODAY)


@pytest.mark.parametrize(("enterprises", "size"), [(0, 10), (3, 0), (-1, 10)])
def test_nothing_to_make_is_refused(sqlite, enterprises, size):
    with Session(make_engine(sqlite)) as session, pytest.raises(Refused, match="正整数"):
        demo.fill(session, enterprises, size, TODAY)


def test_a_catalog_without_the_kinds_is_refused(session):
    session.exec(sa.update(Kind).where(col(Kind.code) == "91101").values(retired_on=TODAY))
    with pytest.raises(Refused, match="起步目录"):
        demo.fill(session, 2, 20, TODAY)


@pytest.mark.parametrize(("enterprises", "size"), [(1, 1), (2, 20), (1, 300), (7, 45), (60, 50)])
def test_other_sizes_work(template, tmp_path, enterprises, size):
    with filled(template, tmp_path, enterprises, size) as session:
        assert (total(session, Enterprise), total(session, Instrument)) == (enterprises, size)
        assert checks.findings(session) == []
        session.get_bind().dispose()


@pytest.mark.parametrize(
    "today", [date(2026, 2, 23), date(2026, 10, 8), date(2027, 2, 28), date(2028, 2, 29)]
)
def test_it_works_on_any_day(template, tmp_path, monkeypatch, today):
    """After the spring festival and the national day, in a year not published yet, on a leap day."""
    monkeypatch.setenv("YUEJIAN_NOW", f"{today}T09:30:00+08:00")
    with filled(template, tmp_path, 20, 1000, today) as session:
        supervisor = account(session, "supervisor01")
        assert values(session, AppointmentLine.status) == set(LineStatus)
        reasons = values(session, AppointmentLine.unassigned_reason) - {None}
        assert reasons == set(UnassignedReason)
        for late in appointment_lines.LATE:
            assert appointment_lines.count(session, appointment_lines.Filters(late=late), by=supervisor) > 0
        assert all(rule == shown for rule, shown in reasons_by_rule(session, today))
        assert checks.findings(session) == []
        session.get_bind().dispose()


def test_later_numbers_go_on_without_doubles(session):
    demo.fill(session, 4, 200, TODAY)
    owner, clerk = account(session, "enterprise01"), account(session, "prefecture01")
    before = set(session.exec(select(Verification.certificate_number)).all())
    chosen = [row.id for row in ledger.bookable(session, owner.enterprise_id, by=owner)]
    kinds = select(Kind.id).where(Kind.code == "92601")
    template = session.exec(select(Instrument).where(Instrument.enterprise_id == owner.enterprise_id)).first()
    typed = {field: getattr(template, field) for field in instrument_fields.LABELS} | {
        "kind_id": session.exec(kinds).one(),
        "division_code": "330106",
        "serial_number": "00001",
        "delivery_mode": DeliveryMode.brought_in,
    }
    fresh = instruments.add(session, owner.enterprise_id, typed, by=owner)
    assert fresh.id == 201
    (made,) = appointments.submit(session, owner.enterprise_id, [fresh.id, *chosen[:2]], by=owner)
    assert made.id == total(session, Appointment)
    line = session.exec(select(AppointmentLine).where(AppointmentLine.instrument_id == fresh.id)).one()
    appointments.accept(session, [line.id], by=clerk, planned_from=TODAY, planned_until=TODAY)
    session.expire_all()
    appointments.begin(session, [line.id], by=clerk)
    session.expire_all()
    result = verifications.Result(
        verification_type=VerificationType.initial,
        verified_on=TODAY,
        conclusion=Conclusion.passed,
        regulation="JJG 1041-2008",
        verifier="梁博文",
        checker="施雅琴",
    )
    (recorded,) = verifications.record(session, [line.id], result, by=clerk)
    assert recorded.certificate_number not in before
    same_year = [number for number in before if number.startswith("HZJL-2026-")]
    assert recorded.certificate_number == f"HZJL-2026-{len(same_year) + 1:06}"
    assert checks.findings(session) == []


def test_an_application_waits_for_the_other_reviewer_and_a_message_to_be_told(bureau):
    reviewer = bureau.exec(select(Account).where(Account.username == "reviewer01")).one()
    (row,) = recoveries.page(bureau, by=reviewer, status=RecoveryStatus.requested)
    assert row["requested_by_id"] != reviewer.id
    assert attachments.path(attachments.readable(bureau, row["attachment_id"], by=reviewer)).is_file()
    (message,) = notifications.page(bureau, by=reviewer, state=NotificationState.waiting)
    assert "退回补正" in message["text"]
