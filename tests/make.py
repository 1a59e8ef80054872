"""Factories: every argument has a default, the data is believable and never random."""

from datetime import date
from itertools import count
from typing import Any

from sqlmodel import Session, select

from catalog.identifiers import credit_check_character
from db import appointments, instruments, passwords, registrations, search, workflow
from db.models import (
    Account,
    Appointment,
    AppointmentLine,
    Authorization,
    Category,
    DeliveryMode,
    Enterprise,
    Institution,
    Instrument,
    Kind,
    Link,
    LinkStatus,
    Purpose,
    Receipt,
    Registration,
    Role,
    Subject,
)

XIHU = "330106"
HANGZHOU = "330100"
PRESSURE_GAUGE = "91101"
PASSWORD = "Chengxin-2026"
# bcrypt of PASSWORD at cost 4: a test that signs in should not wait.
PASSWORD_HASH = "$2b$04$FBwPhHbbow5hSoswsRpC/.DQiZk8fTNsRgqfB4oLcip3qb5zeTAzy"
NUMBERS = count(1)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
# What an enterprise hands in at 企业注册.
APPLICATION = {
    "name": "杭州明达锅炉有限公司",
    "credit_code": "91110000600037341L",
    "division_code": XIHU,
    "mobile": "138 0013 8000",
    "contact_name": "陈建国",
    "address": "文三路 90 号",
    "licence": PNG,
    "licence_name": "营业执照.png",
    "username": "mingda",
    "password": "Guolu-2026",
    "repeated": "Guolu-2026",
}
# What a person hands in at 个人注册.
PERSON = {
    "role": Role.personal,
    "name": "王伟",
    "division_code": XIHU,
    "mobile": "139 0013 9000",
    "username": "wangwei",
    "password": "Guolu-2026",
    "repeated": "Guolu-2026",
}


def make_enterprise(
    session: Session, name: str = "杭州明达锅炉厂", division_code: str = XIHU, **values: Any
) -> Enterprise:
    """An enterprise with a credit code of its own."""
    stem = f"91330106MA2{next(NUMBERS):06}"
    enterprise = Enterprise(
        **{
            "credit_code": stem + credit_check_character(stem),
            "name": name,
            "initials": search.initials(name),
            "name_key": search.name_key(name),
            "division_code": division_code,
            "contact_name": "陈师傅",
            "mobile": "13800138000",
            **values,
        }
    )
    session.add(enterprise)
    session.flush()
    return enterprise


def make_institution(
    session: Session, name: str = "西湖区计量检定所", division_code: str = XIHU, **values: Any
) -> Institution:
    """An institution that works."""
    institution = Institution(
        **{
            "code": f"JL{next(NUMBERS)}",
            "name": name,
            "division_code": division_code,
            "address": "文三路 1 号",
            "telephone": "0571-87654321",
            **values,
        }
    )
    session.add(institution)
    session.flush()
    return institution


def make_account(session: Session, role: Role = Role.enterprise, **values: Any) -> Account:
    """An account in `role`; an enterprise or institution is made for it where none is given."""
    if role == Role.enterprise and "enterprise_id" not in values:
        values["enterprise_id"] = make_enterprise(session).id
    if role == Role.institution and "institution_id" not in values:
        values["institution_id"] = make_institution(session, f"第 {next(NUMBERS)} 计量检定所").id
    if role in (Role.reviewer, Role.supervisor):
        values.setdefault("division_code", HANGZHOU)
    account = Account(
        **{
            "username": f"{role.name}{next(NUMBERS)}",
            "password_hash": PASSWORD_HASH,
            "role": role,
            "full_name": "沈越",
            **values,
        }
    )
    session.add(account)
    session.flush()
    return account


def make_registration(session: Session, typed: dict[str, Any] | None = None, **values: Any) -> Registration:
    """A registration just handed in: that of an enterprise, or `typed`."""
    handed_in = (typed or APPLICATION) | values
    return registrations.submit(session, handed_in, passwords.hashed(handed_in["password"]))


def make_link(session: Session, account: Account, enterprise: Enterprise, **values: Any) -> Link:
    """A granted link of a personal account to an enterprise."""
    link = Link(
        account_id=account.id,
        credit_code=enterprise.credit_code,
        enterprise_id=enterprise.id,
        status=LinkStatus.requested,
        **values,
    )
    session.add(link)
    session.flush()
    workflow.start(session, Subject.link, [link.id], "request", account)
    owner = make_account(session, enterprise_id=enterprise.id)
    workflow.move(session, Subject.link, [link], "grant", owner)
    return link


def kind(session: Session, code: str = PRESSURE_GAUGE) -> Kind:
    """A kind of the starter set; pressure gauges have an interval of six months."""
    return session.exec(select(Kind).where(Kind.code == code)).one()


def typed(session: Session, **values: Any) -> dict[str, Any]:
    """What a clerk types for the guide's own example, the pressure gauge of the boiler house."""
    return {
        "name": "压力表",
        "kind_id": kind(session).id,
        "specification": "(0-1) MPa",
        "measuring_range": "(0-1) MPa",
        "accuracy_class": "1.6",
        "serial_number": f"HY{next(NUMBERS):03}",
        "manufacturer": "上海银普仪表有限公司",
        "division_code": XIHU,
        "location": "锅炉房",
        "purpose": Purpose.safety_protection,
        "delivery_mode": DeliveryMode.brought_in,
        **values,
    }


def make_instrument(session: Session, by: Account | None = None, **values: Any) -> Instrument:
    """An instrument in the ledger of `by`'s enterprise, entered through the operation."""
    by = by or make_account(session)
    assert by.enterprise_id
    return instruments.add(session, by.enterprise_id, typed(session, **values), by=by)


def make_instruments(session: Session, by: Account, count: int) -> list[int]:
    """The ids of as many pressure gauges, the newest first."""
    return [make_instrument(session, by).id for _ in range(count)][::-1]


def make_legacy_instrument(session: Session, by: Account, **values: Any) -> Instrument:
    """An instrument taken over from elsewhere, which the form would not let in (no kind, no division)."""
    row = Instrument(enterprise_id=by.enterprise_id, **typed(session, **values))
    owner = session.get_one(Enterprise, by.enterprise_id)
    row.search_text = search.text_of(row.model_dump(), owner.name)
    session.add(row)
    session.flush()
    search.add(session, [(row.id, row.search_text)])
    return row


def make_authorization(
    session: Session, institution: Institution, division_code: str = XIHU, **values: Any
) -> Authorization:
    """An authorization for every kind of pressure gauge in 2026, unless said otherwise."""
    if not {"category_id", "kind_id"} & set(values):
        values["category_id"] = session.exec(select(Category.id).where(Category.code == "911")).one()
    authorization = Authorization(
        **{
            "institution_id": institution.id,
            "division_code": division_code,
            "valid_from": date(2026, 1, 1),
            "valid_until": date(2026, 12, 31),
            **values,
        }
    )
    session.add(authorization)
    session.flush()
    return authorization


def make_appointment(
    session: Session, by: Account | None = None, count: int = 1, **values: Any
) -> Appointment:
    """An appointment of `count` fresh instruments, submitted by `by`."""
    by = by or make_account(session)
    ids = [make_instrument(session, by, **values).id for _ in range(count)]
    assert by.enterprise_id
    return appointments.submit(session, by.enterprise_id, ids, by=by)[0]


def make_line(
    session: Session, clerk: Account | None = None, by: Account | None = None, **values: Any
) -> AppointmentLine:
    """A line assigned to the institution of `clerk`."""
    clerk = clerk or make_account(session, Role.institution)
    institution = session.get(Institution, clerk.institution_id)
    assert institution
    known = select(Authorization).where(Authorization.institution_id == institution.id)
    if session.exec(known).first() is None:
        make_authorization(session, institution)
    appointment = make_appointment(session, by, **values)
    return session.exec(select(AppointmentLine).where(AppointmentLine.appointment_id == appointment.id)).one()


def accept(
    session: Session,
    clerk: Account,
    *lines: Any,
    planned_from: date = date(2026, 11, 24),
    planned_until: date = date(2026, 11, 27),
    note: str = "",
) -> list[Receipt]:
    """Accept lines for the week that tests stand in."""
    plan: Any = {"planned_from": planned_from, "planned_until": planned_until, "note": note}
    receipts = appointments.accept(session, [line.id for line in lines], by=clerk, **plan)
    session.expire_all()
    return receipts


def begin(session: Session, clerk: Account, *lines: Any, **values: Any) -> None:
    """Accept lines and begin their verification."""
    accept(session, clerk, *lines)
    appointments.begin(session, [line.id for line in lines], by=clerk, **values)
    session.expire_all()
