"""企业注册: an enterprise applies, a reviewer decides, the applicant reads why and answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, exists, func, select

from catalog import identifiers
from db import (
    accounts,
    clock,
    counters,
    notifications,
    passwords,
    reach,
    search,
    settings,
    sign_ins,
    workdays,
    workflow,
)
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.models import (
    Account,
    Cause,
    Division,
    Enterprise,
    Registration,
    RegistrationStatus,
    Role,
    Subject,
)
from db.workdays import Deadline

WAITING = (RegistrationStatus.submitted, RegistrationStatus.sent_back)
WORKING_ORDER = (col(Registration.is_urgent).desc(), col(Registration.submitted_at), col(Registration.id))
LATEST_FIRST = (col(Registration.decided_at).desc(), col(Registration.id).desc())
REGISTERED = "该代码的单位已注册，请直接登录；忘记密码请使用“忘记密码”"
NOT_FOUND = "没有找到该代码和手机号的注册申请，请核对后重试，或重新注册"
TOO_MANY = "查询失败次数过多，请 {minutes} 分钟后再试"
WRONG_PASSWORD = "注册时设置的密码不正确，请重新输入"
UNDER_WAY = "该代码的注册申请正在办理，请在“注册进度查询”中查看"


def look_over(session: Session, typed: dict[str, Any], registration_id: int | None = None) -> Form:
    """Check what an applicant typed so far; the form's `problems` name each wrong field.

    Fields: name, credit_code, division_code, mobile, contact_name, address, username, password, repeated.
    `registration_id` is the registration that is being corrected, which does not stand in its own way and
    keeps its password.
    """
    return _read(session, typed, registration_id)[0]


def _read(
    session: Session, typed: dict[str, Any], registration_id: int | None
) -> tuple[Form, dict[str, Any]]:
    form = Form()
    values: dict[str, Any] = {
        "name": form.text("name", "企业名称", typed.get("name"), 120, required=True),
        "credit_code": form.identifier("credit_code", identifiers.enterprise_code, typed.get("credit_code")),
        "mobile": form.identifier("mobile", identifiers.mobile, typed.get("mobile")),
        "contact_name": form.text("contact_name", "联系人", typed.get("contact_name"), 60, required=True),
        "address": form.text("address", "详细地址", typed.get("address"), 200),
        "division_code": typed.get("division_code"),
        "is_urgent": typed.get("is_urgent") is True,
    }
    _check_division(session, form, values["division_code"])
    if values["credit_code"]:
        _check_code_is_free(session, form, values["credit_code"], registration_id)
    values["username"] = accounts.read_username(session, form, typed.get("username"), registration_id)
    if registration_id is None:
        values["password"] = _read_password(form, typed, values["username"])
    return form, values


def _check_division(session: Session, form: Form, code: Any) -> None:
    division = session.get(Division, code) if isinstance(code, str) else None
    below = exists().where(col(Division.parent_code) == code, col(Division.retired_on).is_(None))
    if division is None or division.retired_on or session.scalar(select(below)):
        form.say("division_code", "请选择“所在地”，选到区县一级")


def _check_code_is_free(session: Session, form: Form, code: str, registration_id: int | None) -> None:
    if session.exec(select(Enterprise.id).where(Enterprise.credit_code == code)).first():
        form.say("credit_code", REGISTERED)
    under_way = select(Registration.id).where(
        Registration.credit_code == code,
        col(Registration.status).in_(WAITING),
        Registration.id != registration_id,
    )
    if session.exec(under_way).first():
        form.say("credit_code", UNDER_WAY)


def _read_password(form: Form, typed: dict[str, Any], username: str) -> str:
    password = accounts.read_password(form, typed.get("password"), username)
    if typed.get("repeated", password) != password:
        form.say("repeated", "两次输入的密码不一致，请重新输入")
    return password


def submit(session: Session, typed: dict[str, Any]) -> Registration:
    """Hand in a registration (no account needed). Raises Refused with every wrong field at once."""
    form, values = _read(session, typed, None)
    form.done()
    password = values.pop("password")
    registration = Registration(
        **values,
        number=counters.dated(session, "ZC"),
        status=RegistrationStatus.submitted,
        password_hash=passwords.hashed(password),
    )
    session.add(registration)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(UNDER_WAY) from None
    workflow.start(session, Subject.registration, [registration.id], "submit", None)
    return registration


def follow(session: Session, credit_code: str, mobile: str) -> Registration:
    """The newest registration under this credit code and mobile number, for its applicant.

    Raises Refused for a malformed code or number, and when there is none.
    """
    found = _newest(session, *_read_key(credit_code, mobile))
    if found is None:
        raise Refused(NOT_FOUND)
    return found


def _read_key(credit_code: str, mobile: str) -> tuple[str, str]:
    form = Form()
    code = form.identifier("credit_code", identifiers.enterprise_code, credit_code)
    number = form.identifier("mobile", identifiers.mobile, mobile)
    form.done()
    return code, number


def _newest(session: Session, code: str, number: str) -> Registration | None:
    newest = (
        select(Registration)
        .where(Registration.credit_code == code, Registration.mobile == number)
        .order_by(col(Registration.id).desc())
    )
    return session.exec(newest).first()


def is_there(session: Session, credit_code: str, mobile: str, address: str) -> bool:
    """Whether `follow` finds a registration: a try that is counted, so that nobody finds numbers by guessing.

    Raises Refused for a malformed code or number, or after too many failed tries.
    """
    code, number = _read_key(credit_code, mobile)
    sign_ins.count_try(session, f"注册查询 {code}", address, TOO_MANY)
    if _newest(session, code, number) is None:
        return False
    sign_ins.note_success(session, f"注册查询 {code}", address)
    return True


def is_password(session: Session, credit_code: str, mobile: str, password: str, address: str) -> bool:
    """Whether this is the password chosen at registration: counted and refused as in `is_there`."""
    registration = follow(session, credit_code, mobile)
    sign_ins.count_try(session, f"注册补正 {registration.credit_code}", address, TOO_MANY)
    if not passwords.matches(password, registration.password_hash):
        return False
    sign_ins.note_success(session, f"注册补正 {registration.credit_code}", address)
    return True


def deadline(session: Session, registration: Registration) -> Deadline:
    """The last working day of the review, counted from the day the registration was last handed in."""
    handed_in_on = clock.day_of(registration.submitted_at)
    return workdays.calendar(session).after(handed_in_on, settings.value(session, "review_days"))


def resubmit(
    session: Session, credit_code: str, mobile: str, password: str, typed: dict[str, Any], answer: str
) -> Registration:
    """Hand a registration that was sent back in again, corrected, with an answer to the reviewer.

    `credit_code` and `mobile` are those it was handed in with, `password` the one chosen then: whoever
    only knows the first two may read the state but not change it.
    """
    registration = follow(session, credit_code, mobile)
    if not passwords.matches(password, registration.password_hash):
        raise Refused(WRONG_PASSWORD, {"password": WRONG_PASSWORD})
    form, values = _read(session, typed, registration.id)
    note = form.text("answer", "补正说明", answer, 500)
    form.done()
    values |= {"submitted_at": clock.now(), "version": registration.version + 1}
    try:
        workflow.move(session, Subject.registration, [registration], "resubmit", None, note, **values)
    except IntegrityError:
        raise Conflict(UNDER_WAY) from None
    session.refresh(registration)
    return registration


@dataclass(frozen=True)
class QueueRow:
    """A registration as the reviewer's queue shows it; `working_days_left` is negative once late."""

    id: int
    number: str
    name: str
    credit_code: str
    division: str
    contact_name: str
    mobile: str
    is_urgent: bool
    status: RegistrationStatus
    submitted_at: datetime
    decided_at: datetime | None
    deadline: Deadline
    working_days_left: int


def queue(
    session: Session, *, by: Account, status: RegistrationStatus = RegistrationStatus.submitted
) -> list[QueueRow]:
    """The registrations in `status` within the reviewer's area, at most 200.

    What waits for review comes urgent first, then the oldest; what was decided, the latest first.
    """
    reach.allow(by, *reach.BUREAU)
    calendar = workdays.calendar(session)
    limit, today = settings.value(session, "review_days"), clock.today()
    rows = session.execute(
        sa.select(Registration, Division.full_name)
        .join(Division, col(Registration.division_code) == Division.code)
        .where(reach.registrations(by), col(Registration.status) == status)
        .order_by(*(WORKING_ORDER if status == RegistrationStatus.submitted else LATEST_FIRST))
        .limit(200)
    )
    return [_queue_row(row.Registration, row.full_name, calendar, limit, clock.day_of, today) for row in rows]


def _queue_row(
    row: Registration, division: str, calendar: workdays.Calendar, limit: int, day_of: Any, today: Any
) -> QueueRow:
    deadline = calendar.after(day_of(row.submitted_at), limit)
    return QueueRow(
        id=row.id,
        number=row.number,
        name=row.name,
        credit_code=row.credit_code,
        division=division,
        contact_name=row.contact_name,
        mobile=row.mobile,
        is_urgent=row.is_urgent,
        status=row.status,
        submitted_at=row.submitted_at,
        decided_at=row.decided_at,
        deadline=deadline,
        working_days_left=calendar.between(today, deadline.day),
    )


def counts(session: Session, *, by: Account) -> dict[RegistrationStatus, int]:
    """How many registrations of the reviewer's area stand in each status."""
    reach.allow(by, *reach.BUREAU)
    rows = session.execute(
        sa.select(Registration.status, func.count())
        .where(reach.registrations(by))
        .group_by(Registration.status)
    )
    return {status: 0 for status in RegistrationStatus} | {status: count for status, count in rows}


def find(session: Session, registration_id: int, *, by: Account) -> Registration:
    """One registration within the asker's area; raises NotFound."""
    reach.allow(by, *reach.BUREAU)
    here = select(Registration).where(Registration.id == registration_id, reach.registrations(by))
    registration = session.exec(here).first()
    if registration is None:
        raise NotFound("注册申请")
    return registration


def alike(session: Session, registration_id: int, *, by: Account) -> list[str]:
    """Sentences for the reviewer: what else carries the same name or mobile number."""
    asked = find(session, registration_id, by=by)
    named = select(Enterprise.name).where(Enterprise.name == asked.name, Enterprise.id != asked.enterprise_id)
    reached = select(Enterprise.name).where(
        Enterprise.mobile == asked.mobile, Enterprise.id != asked.enterprise_id
    )
    return [f"已有同名单位：{name}" for name in session.exec(named.limit(5))] + [
        f"手机号与已注册单位相同：{name}" for name in session.exec(reached.limit(5))
    ]


def place_in_code(session: Session, credit_code: str) -> str:
    """The full name of the division inside a credit code (places 3 to 8, GB 32100-2015), empty if unknown.

    It is that of the registering authority and may lawfully differ from where the enterprise is.
    """
    division = session.get(Division, credit_code[2:8]) if len(credit_code) == 18 else None
    return division.full_name if division else ""


def approve(session: Session, registration_id: int, *, by: Account, reason: str = "") -> Enterprise:
    """通过: the enterprise and its account come into being. Raises Refused, NotFound or Conflict."""
    registration = find(session, registration_id, by=by)
    form, _ = _read(session, registration.model_dump(), registration.id)
    if "username" in form.problems:
        form.problems["username"] = "账号名已被他人使用，请退回补正，请申请人换一个账号名"
    form.done()
    enterprise = Enterprise(
        credit_code=registration.credit_code,
        name=registration.name,
        initials=search.initials(registration.name),
        division_code=registration.division_code,
        address=registration.address,
        contact_name=registration.contact_name,
        mobile=registration.mobile,
    )
    session.add(enterprise)
    session.flush()
    _decide(session, registration, "approve", by, reason, enterprise_id=enterprise.id)
    session.add(
        Account(
            username=registration.username,
            password_hash=registration.password_hash,
            role=Role.enterprise,
            full_name=registration.contact_name,
            mobile=registration.mobile,
            enterprise_id=enterprise.id,
        )
    )
    return enterprise


def send_back(session: Session, registration_id: int, *, by: Account, reason: str) -> Registration:
    """退回补正, with a reason the applicant can act on."""
    return _decide(session, find(session, registration_id, by=by), "send_back", by, reason)


def decline(session: Session, registration_id: int, *, by: Account, reason: str) -> Registration:
    """不予通过, with a reason the applicant can read."""
    return _decide(session, find(session, registration_id, by=by), "decline", by, reason)


def _decide(
    session: Session, registration: Registration, action: str, by: Account, note: str, **values: Any
) -> Registration:
    form = Form()
    note = form.text("reason", "理由", note, 500)
    form.done()
    values["decided_at"] = clock.now()
    workflow.move(session, Subject.registration, [registration], action, by, note, **values)
    _tell(session, registration, action)
    return registration


def _tell(session: Session, registration: Registration, action: str) -> None:
    """A message to the applicant: what was decided, and where to read why."""
    said = {
        "approve": f"已通过审核，请用账号“{registration.username}”登录",
        "send_back": "被退回补正，请在“注册进度查询”中查看理由，改正后重新提交",
        "decline": "未通过审核，理由请在“注册进度查询”中查看",
    }
    notifications.queue(
        session,
        f"registration-{registration.id}-{registration.version}-{action}",
        Cause.registration,
        registration.mobile,
        f"{registration.name}的注册申请（{registration.number}）{said[action]}。",
        division_code=registration.division_code,
    )


def history(session: Session, registration: Registration) -> list[Any]:
    """The moves of a registration that `find` or `follow` has given out; see `workflow.history`."""
    return workflow.history(session, Subject.registration, registration.id)
