"""企业注册 and 个人注册: someone applies for an account, reads how it stands, and answers."""

from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, exists, func, select

from catalog import identifiers
from db import (
    accounts,
    attachments,
    clock,
    counters,
    passwords,
    search,
    settings,
    sign_ins,
    workdays,
    workflow,
)
from db.errors import Conflict, Refused
from db.fields import Form
from db.models import (
    Attachment,
    Division,
    Enterprise,
    Registration,
    RegistrationStatus,
    Role,
    SignInAttempt,
    Subject,
)
from db.workdays import Deadline

WAITING = (RegistrationStatus.submitted, RegistrationStatus.sent_back)
LICENCE = "营业执照扫描件"
REGISTERED = "该代码的单位已注册，请直接登录；忘记密码请使用“忘记密码”"
NOT_FOUND = "没有找到这样的注册申请，请核对后重试，或重新注册"
TOO_MANY = "查询失败次数过多，请 {minutes} 分钟后再试"
WRONG_PASSWORD = "注册时设置的密码不正确，请重新输入"
UNDER_WAY = "该代码的注册申请正在办理，请在“注册进度查询”中查看；不是本单位提交的，请联系主管部门"
# One contact person may register a chain of shops; a service hall helps many people from one address.
MOST_OF_NUMBER = 5
MOST_FROM_ADDRESS = ((timedelta(hours=1), 60), (timedelta(days=1), 200))
# Among the tries, under a name that no account has.
HANDED_IN = "注册 提交"
NUMBER_TAKEN = f"该手机号已有 {MOST_OF_NUMBER} 份注册申请正在办理，请等审核结束后再提交"
TOO_MANY_HANDED_IN = "您所在的网络提交的注册申请过多，请稍后再试；急需办理请联系主管部门"


class Key(NamedTuple):
    """What an applicant asks by: an enterprise's code or a person's user name, and the mobile number."""

    role: Role
    name: str
    mobile: str


def key_of(registration: Registration) -> Key:
    """What this registration is followed by."""
    is_person = registration.role == Role.personal
    name = registration.username if is_person else registration.credit_code
    return Key(registration.role, name, registration.mobile)


def look_over(session: Session, typed: dict[str, Any], registration_id: int | None = None) -> Form:
    """Check what an applicant typed so far; the form's `problems` name each wrong field.

    Fields: role (`Role.personal` for a person), name, division_code, mobile, username, password, repeated;
    of an enterprise also credit_code, contact_name, address, licence (the bytes of a scan).
    `registration_id` is the registration that is being corrected, which does not stand in its own way and
    keeps its password and its licence.
    """
    return _read(session, typed, registration_id)[0]


def _read(
    session: Session, typed: dict[str, Any], registration_id: int | None
) -> tuple[Form, dict[str, Any]]:
    form = Form()
    is_person = typed.get("role") == Role.personal
    values = _person(form, typed) if is_person else _enterprise(session, form, typed, registration_id)
    values |= {
        "name_key": search.name_key(values["name"]),
        "mobile": form.identifier("mobile", identifiers.mobile, typed.get("mobile")),
        "division_code": typed.get("division_code"),
        "is_urgent": typed.get("is_urgent") is True,
    }
    _check_division(session, form, values["division_code"])
    values["username"] = accounts.read_username(session, form, typed.get("username"), registration_id)
    if registration_id is None:
        _check_number(session, form, values["mobile"])
        _check_password(form, typed, values["username"])
    return form, values


def _person(form: Form, typed: dict[str, Any]) -> dict[str, Any]:
    name = form.person("name", "姓名", typed.get("name"))
    return {"role": Role.personal, "name": name, "contact_name": name}


def _enterprise(
    session: Session, form: Form, typed: dict[str, Any], registration_id: int | None
) -> dict[str, Any]:
    values = {
        "role": Role.enterprise,
        "name": form.text("name", "企业名称", typed.get("name"), 120, required=True),
        "credit_code": form.identifier("credit_code", identifiers.enterprise_code, typed.get("credit_code")),
        "contact_name": form.person("contact_name", "联系人", typed.get("contact_name")),
        "address": form.text("address", "详细地址", typed.get("address"), 200),
    }
    if values["credit_code"]:
        _check_code_is_free(session, form, values["credit_code"], registration_id)
    corrected = session.get(Registration, registration_id) if registration_id else None
    if typed.get("licence") or corrected is None or corrected.licence_id is None:
        attachments.check(form, "licence", LICENCE, typed.get("licence"))
    return values


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


def _check_number(session: Session, form: Form, mobile: str) -> None:
    mine = (Registration.mobile == mobile, col(Registration.status).in_(WAITING))
    if session.exec(select(func.count(col(Registration.id))).where(*mine)).one() >= MOST_OF_NUMBER:
        form.say("mobile", NUMBER_TAKEN)


def _check_password(form: Form, typed: dict[str, Any], username: str) -> None:
    password = accounts.read_password(form, typed.get("password"), username)
    if typed.get("repeated", password) != password:
        form.say("repeated", "两次输入的密码不一致，请重新输入")


def check_pace(session: Session, address: str) -> None:
    """Raise Refused when too many registrations came from this address; ask before a password is hashed."""
    if not address:
        return
    came = (SignInAttempt.username == HANDED_IN, SignInAttempt.address == address[:60])
    for window, most in MOST_FROM_ADDRESS:
        lately = (*came, col(SignInAttempt.has_succeeded), col(SignInAttempt.at) > clock.now() - window)
        if session.exec(select(func.count(col(SignInAttempt.id))).where(*lately)).one() >= most:
            raise Refused(TOO_MANY_HANDED_IN)


def submit(session: Session, typed: dict[str, Any], password_hash: str, address: str = "") -> Registration:
    """Hand in a registration (no account needed). Raises Refused with every wrong field at once, and after
    too many from the address.

    `password_hash` is that of `typed["password"]`, made before the transaction: hashing takes a third of a
    second, in which nobody else could write. The licence is kept last, so that a refusal leaves no file.
    """
    # The number first: who hands in at the same moment waits for it, and then sees and counts this one.
    number = counters.dated(session, "ZC")
    check_pace(session, address)
    form, values = _read(session, typed, None)
    form.done()
    session.add(SignInAttempt(username=HANDED_IN, address=address[:60], has_succeeded=True))
    registration = Registration(
        **values,
        number=number,
        status=RegistrationStatus.submitted,
        password_hash=password_hash,
    )
    session.add(registration)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(UNDER_WAY) from None
    workflow.start(session, Subject.registration, [registration.id], "submit", None)
    _keep_licence(session, registration, typed)
    return registration


def _keep_licence(session: Session, registration: Registration, typed: dict[str, Any]) -> None:
    """Keep the scan, if there is one, in the place of the one before."""
    content = typed.get("licence")
    if registration.role == Role.personal or not content:
        return
    name = str(typed.get("licence_name") or LICENCE)
    kept = attachments.add(session, name, content, attachments.media_type(content) or "", by=None)
    before, registration.licence_id = registration.licence_id, kept.id
    session.add(registration)
    session.flush()
    if before is not None:
        attachments.remove(session, before)


def follow(session: Session, key: Key) -> Registration:
    """The newest registration under this key, for its applicant.

    Raises Refused for a malformed code, name or number, and when there is none.
    """
    found = _newest(session, _read_key(key))
    if found is None:
        raise Refused(NOT_FOUND)
    return found


def _read_key(key: Key) -> Key:
    form = Form()
    if key.role == Role.personal:
        name = form.text("username", "账号名", sign_ins.username_of(key.name), 40, required=True)
    else:
        name = form.identifier("credit_code", identifiers.enterprise_code, key.name)
    number = form.identifier("mobile", identifiers.mobile, key.mobile)
    form.done()
    return Key(key.role, name, number)


def _newest(session: Session, key: Key) -> Registration | None:
    named = Registration.username if key.role == Role.personal else Registration.credit_code
    newest = (
        select(Registration)
        .where(Registration.role == key.role, named == key.name, Registration.mobile == key.mobile)
        .order_by(col(Registration.id).desc())
    )
    return session.exec(newest).first()


def is_there(session: Session, key: Key, address: str) -> bool:
    """Whether `follow` finds a registration: a try that is counted, so that nobody finds numbers by guessing.

    Commit it whatever it says. Raises Refused for a malformed key, or after too many failed tries.
    """
    read = _read_key(key)
    guarded = f"注册查询 {read.name}"
    sign_ins.count_try(session, guarded, address, TOO_MANY)
    if _newest(session, read) is None:
        return False
    sign_ins.note_success(session, guarded, address)
    return True


def deadline(session: Session, registration: Registration) -> Deadline:
    """The last working day of the review, counted from the day the registration was last handed in."""
    handed_in_on = clock.day_of(registration.submitted_at)
    return workdays.calendar(session).after(handed_in_on, settings.value(session, "review_days"))


def licence(session: Session, registration: Registration) -> Attachment | None:
    """The scan of a registration that `follow` or `reviews.find` has given out."""
    return session.get(Attachment, registration.licence_id) if registration.licence_id else None


def resubmit(
    session: Session, key: Key, password: str, typed: dict[str, Any], answer: str, address: str = ""
) -> Registration | None:
    """Hand a registration that was sent back in again, corrected, with an answer to the reviewer.

    `key` is what it was handed in with, `password` the one chosen then: whoever only knows the first may
    read the state but not change it. None for a wrong password, a try that is counted: commit it. Raises
    Refused after too many, and with every wrong field.
    """
    registration = follow(session, key)
    guarded = f"注册补正 {registration.number}"
    sign_ins.count_try(session, guarded, address, TOO_MANY)
    if not passwords.matches(password, registration.password_hash):
        return None
    sign_ins.note_success(session, guarded, address)
    form, values = _read(session, typed | {"role": registration.role}, registration.id)
    note = form.text("answer", "补正说明", answer, 500)
    form.done()
    values |= {"submitted_at": clock.now(), "version": registration.version + 1}
    try:
        workflow.move(session, Subject.registration, [registration], "resubmit", None, note, **values)
    except IntegrityError:
        raise Conflict(UNDER_WAY) from None
    session.refresh(registration)
    _keep_licence(session, registration, typed)
    return registration


def history(session: Session, registration: Registration) -> list[Any]:
    """The moves of a registration that `follow` or `reviews.find` has given out; see `workflow.history`."""
    return workflow.history(session, Subject.registration, registration.id)
