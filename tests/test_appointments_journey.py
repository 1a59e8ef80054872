"""From the registration to the certificate, through the operations alone."""

from datetime import date, timedelta

from sqlmodel import select

from db import appointment_lines, appointments, checks, clock, instruments, registrations, verifications
from db.models import (
    Account,
    AppointmentLine,
    Conclusion,
    LineStatus,
    Role,
    VerificationType,
)
from tests import make

TYPED = {
    "name": "杭州明达锅炉有限公司",
    "credit_code": "91110000600037341L",
    "division_code": make.XIHU,
    "mobile": "138 0013 8000",
    "contact_name": "陈建国",
    "address": "文三路 90 号",
    "username": "mingda",
    "password": "Guolu-2026",
}


def test_an_enterprise_registers_books_and_gets_its_certificate(session):
    reviewer = make.make_account(session, Role.reviewer)
    clerk = make.make_account(session, Role.institution)
    make.make_authorization(session, session.get(make.Institution, clerk.institution_id))

    registration = registrations.submit(session, TYPED)
    registrations.send_back(session, registration.id, by=reviewer, reason="请填写营业执照上的全称")
    session.expire_all()
    corrected = TYPED | {"name": "杭州明达锅炉制造有限公司"}
    registrations.resubmit(
        session, TYPED["credit_code"], TYPED["mobile"], TYPED["password"], corrected, "已改为全称"
    )
    enterprise = registrations.approve(session, registration.id, by=reviewer)
    owner = session.exec(select(Account).where(Account.username == "mingda")).one()
    assert enterprise.name == "杭州明达锅炉制造有限公司" and owner.enterprise_id == enterprise.id

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
