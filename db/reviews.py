"""注册审核: the queue, the decision, and how many were decided in time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from db import clock, links, notifications, privacy, reach, search, settings, workdays, workflow
from db.errors import NotFound
from db.fields import Form
from db.models import (
    Account,
    Cause,
    Division,
    Enterprise,
    Registration,
    RegistrationStatus,
    Role,
    StatusChange,
    Subject,
)
from db.registrations import look_over
from db.workdays import Deadline

WORKING_ORDER = (col(Registration.is_urgent).desc(), col(Registration.submitted_at), col(Registration.id))
LATEST_FIRST = (col(Registration.decided_at).desc(), col(Registration.id).desc())
# Days for which the share decided in time is told.
PERIOD = 90


@dataclass(frozen=True)
class QueueRow:
    """A registration as the reviewer's queue shows it; `working_days_left` is negative once late."""

    id: int
    number: str
    role: Role
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


def page(
    session: Session,
    *,
    by: Account,
    status: RegistrationStatus = RegistrationStatus.submitted,
    text: str = "",
    number: int = 1,
    size: int = 50,
) -> tuple[list[QueueRow], int]:
    """One page of the registrations in `status` within the asker's area, and the count of all that match.

    What waits for review comes urgent first, then the oldest; what was decided, the latest first. `text`
    looks in the name, the credit code and the number. A `number` beyond the last page means the last one.
    """
    here = [*_area(by), col(Registration.status) == status]
    if text.strip():
        shown = (col(Registration.name), col(Registration.credit_code), col(Registration.number))
        here.append(sa.or_(*(column.contains(text.strip(), autoescape=True) for column in shown)))
    total = session.scalar(select(func.count()).select_from(Registration).where(*here)) or 0
    size = min(size, 200)
    skipped = (min(max(number, 1), -(-total // size) or 1) - 1) * size
    order = WORKING_ORDER if status == RegistrationStatus.submitted else LATEST_FIRST
    return _rows(session, here, order, size, skipped, by=by), total


@dataclass(frozen=True)
class Waiting:
    """What waits for review: how many are urgent, how many late, and which one has waited longest."""

    urgent: int
    late: int
    oldest: QueueRow | None


def waiting(session: Session, *, by: Account) -> Waiting:
    """What waits for review in the asker's area."""
    here = [*_area(by), col(Registration.status) == RegistrationStatus.submitted]
    is_late = col(Registration.submitted_at) < _late_before(session)
    counted = sa.select(
        func.count().filter(col(Registration.is_urgent).is_(True)), func.count().filter(is_late)
    ).where(*here)
    urgent, late = session.execute(counted).one()
    oldest = _rows(session, here, WORKING_ORDER[1:], 1, by=by)
    return Waiting(urgent, late, oldest[0] if oldest else None)


def _late_before(session: Session) -> datetime:
    """What was handed in before this moment, and still waits, has outrun 注册审核时限."""
    calendar, limit, today = workdays.calendar(session), settings.value(session, "review_days"), clock.today()
    day = today
    while calendar.after(day, limit).day >= today:
        day -= timedelta(1)
    return clock.start_of(day + timedelta(1))


def _area(by: Account) -> list[Any]:
    reach.allow(by, *reach.BUREAU)
    return [reach.registrations(by)]


def _rows(
    session: Session, here: Sequence[Any], order: Sequence[Any], size: int, skipped: int = 0, *, by: Account
) -> list[QueueRow]:
    calendar = workdays.calendar(session)
    limit, today = settings.value(session, "review_days"), clock.today()
    rows = session.execute(
        sa.select(Registration, Division.full_name)
        .join(Division, col(Registration.division_code) == Division.code)
        .where(*here)
        .order_by(*order)
        .limit(size)
        .offset(skipped)
    )
    return [_queue_row(row.Registration, row.full_name, calendar, limit, today, by) for row in rows]


def _queue_row(
    row: Registration, division: str, calendar: workdays.Calendar, limit: int, today: date, by: Account
) -> QueueRow:
    deadline = calendar.after(clock.day_of(row.submitted_at), limit)
    return QueueRow(
        id=row.id,
        number=row.number,
        role=row.role,
        name=contact(row, by=by)[0] if row.role == Role.personal else row.name,
        credit_code=row.credit_code,
        division=division,
        contact_name=privacy.name(row.contact_name),
        mobile=privacy.mobile(row.mobile),
        is_urgent=row.is_urgent,
        status=row.status,
        submitted_at=row.submitted_at,
        decided_at=row.decided_at,
        deadline=deadline,
        working_days_left=calendar.between(today, deadline.day),
    )


def counts(session: Session, *, by: Account) -> dict[RegistrationStatus, int]:
    """How many registrations of the reviewer's area stand in each status."""
    rows = session.execute(
        sa.select(Registration.status, func.count()).where(*_area(by)).group_by(Registration.status)
    )
    return {status: 0 for status in RegistrationStatus} | {status: count for status, count in rows}


def find(session: Session, registration_id: int, *, by: Account) -> Registration:
    """One registration within the asker's area; raises NotFound."""
    return _found(session, _one(registration_id, by))


def _held(session: Session, registration_id: int, by: Account) -> Registration:
    """The same, kept from others until the transaction ends."""
    return _found(session, reach.held(_one(registration_id, by), Registration))


def _one(registration_id: int, by: Account) -> Any:
    reach.allow(by, *reach.BUREAU)
    return select(Registration).where(Registration.id == registration_id, reach.registrations(by))


def _found(session: Session, rows: Any) -> Registration:
    registration: Registration | None = session.exec(rows).first()
    if registration is None:
        raise NotFound("注册申请")
    return registration


def decides(registration: Registration, *, by: Account) -> bool:
    """Whether the asker is to decide on it, and so needs whom it is about in full."""
    return by.role == Role.reviewer and registration.status == RegistrationStatus.submitted


def contact(registration: Registration, *, by: Account) -> tuple[str, str]:
    """Whom to call, and the number: in full for the reviewer while it waits for a decision, else in part."""
    if decides(registration, by=by):
        return registration.contact_name, registration.mobile
    return privacy.name(registration.contact_name), privacy.mobile(registration.mobile)


@dataclass(frozen=True)
class Share:
    """How many answers were due in the last `PERIOD` days, and how many came within 注册审核时限."""

    due: int
    in_time: int

    @property
    def rate(self) -> float | None:
        """The share in time, None where nothing was due."""
        return self.in_time / self.due if self.due else None


def share(session: Session, *, by: Account) -> Share:
    """The share of registrations of the reviewer's area answered in time, counted at each time handed in.

    What still waits counts once its time has run out, so that never answering improves nothing.
    """
    reach.allow(by, *reach.BUREAU)
    calendar, limit, today = workdays.calendar(session), settings.value(session, "review_days"), clock.today()
    answered = [
        (calendar.after(clock.day_of(handed_in), limit).day, clock.day_of(at) if at else None)
        for handed_in, at in _answers(session, by)
    ]
    due = [(last, on) for last, on in answered if on is not None or last < today]
    return Share(len(due), sum(on is not None and on <= last for last, on in due))


def _answers(session: Session, by: Account) -> Iterator[tuple[datetime, datetime | None]]:
    """When each registration was handed in since `PERIOD` days ago, and when that was answered, if it was."""
    moves = session.execute(
        sa.select(StatusChange.subject_id, StatusChange.source, StatusChange.target, StatusChange.at)
        .join(Registration, col(Registration.id) == StatusChange.subject_id)
        .where(
            col(StatusChange.subject) == Subject.registration,
            col(StatusChange.at) > clock.now() - timedelta(days=PERIOD),
            reach.registrations(by),
        )
        .order_by(StatusChange.id)
    )
    waiting: dict[int, datetime] = {}
    for move in moves:
        if move.target == RegistrationStatus.submitted.name:
            waiting[move.subject_id] = move.at
        elif move.subject_id in waiting:
            yield waiting.pop(move.subject_id), move.at
    yield from ((at, None) for at in waiting.values())


def approve(session: Session, registration_id: int, *, by: Account, reason: str = "") -> Account:
    """通过: the account comes into being, and its enterprise. Raises Refused, NotFound or Conflict."""
    registration = _held(session, registration_id, by)
    # First, or whoever comes second would read of the enterprise the first one made.
    workflow.allowed(Subject.registration, [registration], "approve", by, reason)
    form = look_over(session, registration.model_dump(), registration.id)
    # Those handed in before scans were asked for have none; whether it is enough the reviewer decides.
    form.problems.pop("licence", None)
    if "username" in form.problems:
        form.problems["username"] = "账号名已被他人使用，请退回补正，请申请人换一个账号名"
    form.done()
    enterprise = _founded(session, registration) if registration.role == Role.enterprise else None
    enterprise_id = enterprise.id if enterprise else None
    _decide(session, registration, "approve", by, reason, enterprise_id=enterprise_id)
    account = Account(
        username=registration.username,
        password_hash=registration.password_hash,
        role=registration.role,
        full_name=registration.contact_name,
        mobile=registration.mobile,
        enterprise_id=enterprise_id,
    )
    session.add(account)
    session.flush()
    return account


def _founded(session: Session, registration: Registration) -> Enterprise:
    """The enterprise of a registration; links asked for by its code wait for it from now on."""
    enterprise = Enterprise(
        credit_code=registration.credit_code,
        name=registration.name,
        initials=search.initials(registration.name),
        name_key=search.name_key(registration.name),
        division_code=registration.division_code,
        address=registration.address,
        contact_name=registration.contact_name,
        mobile=registration.mobile,
    )
    session.add(enterprise)
    session.flush()
    links.attach(session, enterprise)
    return enterprise


def send_back(session: Session, registration_id: int, *, by: Account, reason: str) -> Registration:
    """退回补正, with a reason the applicant can act on."""
    return _decide(session, _held(session, registration_id, by), "send_back", by, reason)


def decline(session: Session, registration_id: int, *, by: Account, reason: str) -> Registration:
    """不予通过, with a reason the applicant can read."""
    return _decide(session, _held(session, registration_id, by), "decline", by, reason)


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
    """A message to the applicant: what was decided, and where to read why; without what a stranger typed."""
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
        f"您的注册申请（{registration.number}）{said[action]}。",
        division_code=registration.division_code,
    )
