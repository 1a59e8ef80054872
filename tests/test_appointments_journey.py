"""From the registration to the certificate, through the operations alone."""

from datetime import date, timedelta

from db import (
    appointment_lines,
    appointments,
    checks,
    clock,
    instruments,
    registrations,
    reviews,
    verifications,
)
from db.models import (
    AppointmentLine,
    Conclusion,
    Enterprise,
    LineStatus,
    Role,
    VerificationType,
)
from tests import make


def test_an_enterprise_registers_books_and_gets_its_certificate(session):
    reviewer = make.make_account(session, Role.reviewer)
    clerk = make.make_account(session, Role.institution)
    make.make_authorization(session, session.get(make.Institution, clerk.institution_id))

    registration = make.make_registration(session)
    reviews.send_back(session, registration.id, by=reviewer, reason="请填写营业执照上的全称")
    session.expire_all()
    corrected = make.APPLICATION | {"name": "杭州明达锅炉制造有限公司"}
    key = registrations.key_of(registration)
    registrations.resubmit(session, key, make.APPLICATION["password"], corrected, "已改为全称")
    owner = reviews.approve(session, registration.id, by=reviewer)
    enterprise = session.get_one(Enterprise, owner.enterprise_id)
    assert (owner.username, enterprise.name) == ("mingda", "杭州明达锅炉制造有限公司")

    gauge = instruments.add(session, enterprise.id, make.typed(session), by=owner)
    (appointment,) = appointments.submit(session, enterprise.id, [gauge.id], by=owner)
    (line,) = appointment_lines.page(
        session, appointment_lines.Filters(appointment_id=appointment.id), by=owner
    )
    assert line.status == LineStatus.assigned and line.institution_id == clerk.institution_id

    tomorrow = clock.today() + timedelta(1)
    (receipt,) = appointments.accept(
        session, [line.id], by=clerk, planned_from=tomorrow, planned_until=tomorrow
    )
    assert receipt.number.startswith("HZ20261123-")
    appointments.begin(session, [line.id], by=clerk)
    result = verifications.Result(
        VerificationType.subsequent, clock.today(), Conclusion.passed, "JJG 52-2013", "李敏", "周强"
    )
    (verification,) = verifications.record(session, [line.id], result, by=clerk)

    session.refresh(gauge)
    assert gauge.valid_until == verification.valid_until == date(2027, 5, 22)
    assert session.get(AppointmentLine, line.id).status == LineStatus.completed
    actions = [row.action for row in appointment_lines.history(session, line.id, by=owner)]
    assert actions == ["submit", "assign", "accept", "begin", "complete"]
    assert checks.findings(session) == []
