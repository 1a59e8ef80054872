"""Accounts: who may sign in, in which role, for whom."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, exists, func, select

from catalog import identifiers
from db import clock, passwords, privacy, reach, sign_ins
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.models import (
    Account,
    Division,
    Enterprise,
    Institution,
    Registration,
    RegistrationStatus,
    Role,
    SignIn,
)

TAKEN = "该账号名已被使用，请换一个"
CHANGE_ELSEWHERE = "手机号已登记，请在“更换手机号”中更换"
USERNAME = re.compile(r"[a-z0-9_\-.\u4e00-\u9fff]{3,40}")


def username(text: str) -> str:
    """A user name as stored, folded and in lower case; raises Refused for any other than USERNAME."""
    folded = unicodedata.normalize("NFKC", text).strip().lower()
    if not USERNAME.fullmatch(folded):
        raise Refused(
            "账号名请用 3 至 40 个字母、数字、汉字或 _ - .",
            {"username": "账号名请用 3 至 40 个字母、数字、汉字或 _ - ."},
        )
    return folded


def is_taken(session: Session, name: str, registration_id: int | None = None) -> bool:
    """Whether an account or a registration under way, other than `registration_id`, has the (folded) name."""
    waiting = (RegistrationStatus.submitted, RegistrationStatus.sent_back)
    registered = exists().where(
        col(Registration.username) == name,
        col(Registration.status).in_(waiting),
        col(Registration.id).is_distinct_from(registration_id),
    )
    return bool(session.scalar(select(exists().where(col(Account.username) == name) | registered)))


def read_username(session: Session, form: Form, typed: Any, registration_id: int | None = None) -> str:
    """The folded user name to store; notes in `form` when it is malformed, or taken as in `is_taken`."""
    try:
        name = username(typed if isinstance(typed, str) else "")
    except Refused as refusal:
        form.say("username", str(refusal))
        return ""
    if is_taken(session, name, registration_id):
        form.say("username", TAKEN)
    return name


def read_password(form: Form, typed: Any, name: str) -> str:
    """The password as typed; notes in `form` when it breaks the rules of `passwords`."""
    password = typed if isinstance(typed, str) else ""
    try:
        passwords.check(password, name)
    except Refused as refusal:
        form.say("password", str(refusal))
    return password


def is_empty(session: Session) -> bool:
    """Whether nobody has an account yet, as at the very first start."""
    return not session.scalar(select(exists().select_from(Account)))


def create_first_administrator(session: Session, *, username: str, full_name: str, password: str) -> Account:
    """The administrator's account of a fresh database; raises Refused once any account exists."""
    if not is_empty(session):
        raise Refused("系统已有账号，请由管理员在“账户管理”中新增")
    return _added(session, username, full_name, password, Role.administrator)


def create_administrator(session: Session, *, username: str, full_name: str, password: str) -> Account:
    """One more administrator, by whoever runs the command line. Raises Refused for a bad name or password."""
    return _added(session, username, full_name, password, Role.administrator)


def create(
    session: Session,
    *,
    username: str,
    full_name: str,
    password: str,
    role: Role,
    by: Account,
    mobile: str = "",
    institution_id: int | None = None,
    division_code: str | None = None,
) -> Account:
    """An account for staff, an institution or a person; the password must be changed at first sign-in.

    `division_code` is the area of a reviewer or supervisor, None for everywhere. Enterprise accounts come
    from registrations only. Raises Refused, with every wrong field, and to all but administrators.
    """
    reach.allow(by, Role.administrator)
    if role == Role.enterprise:
        raise Refused("使用单位账号须经企业注册和审核产生")
    form = Form()
    check_place(session, form, role, institution_id, division_code)
    return _added(
        session,
        username,
        full_name,
        password,
        role,
        mobile,
        form,
        institution_id=institution_id if role == Role.institution else None,
        division_code=division_code if role in reach.BUREAU else None,
        must_change_password=True,
    )


def _added(
    session: Session,
    name: str,
    full_name: str,
    password: str,
    role: Role,
    mobile: str = "",
    form: Form | None = None,
    **values: Any,
) -> Account:
    form = form or Form()
    folded = read_username(session, form, name)
    shown = form.person("full_name", "姓名", full_name)
    number = form.identifier("mobile", identifiers.mobile, mobile) if mobile else ""
    read_password(form, password, folded)
    form.done()
    made = Account(
        username=folded,
        password_hash=passwords.hashed(password),
        role=role,
        full_name=shown,
        mobile=number,
        **values,
    )
    session.add(made)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(TAKEN, {"username": TAKEN}) from None
    return made


def change_password(
    session: Session, *, by: Account, current: str, new: str, token: str | None = None, address: str = ""
) -> bool:
    """Set one's own password; every other sign-in of the account ends.

    False for a wrong current password, a try that is counted: commit it. Raises Refused after too many, and
    when the new one breaks the rules of `passwords`.
    """
    reach.allow(by, *Role)
    if not sign_ins.is_own_password(session, by, current, address):
        return False
    if new == current:
        raise Refused("新密码不能与当前密码相同", {"new": "新密码不能与当前密码相同"})
    passwords.check(new, by.username)
    set_password(session, by, new, except_token=token)
    return True


def reset_password(session: Session, account_id: int, new: str, *, by: Account) -> Account:
    """Give someone else a passing password, to be changed at first sign-in; all its sign-ins end.

    Raises Refused for one's own account and for a password that breaks the rules of `passwords`.
    """
    account = managed(session, account_id, by)
    if account.id == by.id:
        raise Refused("自己的密码请在“个人中心”修改")
    passwords.check(new, account.username)
    set_password(session, account, new, must_change=True)
    return account


def set_password(
    session: Session, account: Account, new: str, must_change: bool = False, except_token: str | None = None
) -> None:
    """Store a password that was checked; every sign-in of the account ends, but for one browser if named."""
    account.password_hash = passwords.hashed(new)
    account.password_changed_at = clock.now()
    account.must_change_password = must_change
    sign_ins.end_all(session, account.id, except_token=except_token)


def suspend(session: Session, account_id: int, *, by: Account) -> Account:
    """Stop an account at once; raises Refused for one's own."""
    account = managed(session, account_id, by)
    if account.id == by.id:
        raise Refused("不能停用自己的账号，请由另一位管理员操作")
    account.is_active = False
    sign_ins.end_all(session, account.id)
    return account


def resume(session: Session, account_id: int, *, by: Account) -> Account:
    """Let a suspended account sign in again."""
    account = managed(session, account_id, by)
    account.is_active = True
    return account


def check_place(
    session: Session, form: Form, role: Role, institution_id: int | None, division_code: str | None
) -> None:
    """Whether the institution and the area that a role may have are there."""
    if role == Role.institution and session.get(Institution, institution_id or 0) is None:
        form.say("institution_id", "请选择账号所属的技术机构")
    if division_code is not None and session.get(Division, division_code) is None:
        form.say("division_code", "请选择有效的行政区划")


def managed(session: Session, account_id: int, by: Account) -> Account:
    """An account an administrator is about to change; raises Refused to others, and NotFound."""
    reach.allow(by, Role.administrator)
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("账号")
    return account


def edit_profile(session: Session, *, by: Account, full_name: str, mobile: str) -> None:
    """Change one's own name, and enter a mobile number where there is none yet.

    Raises Refused for another number than the one that is set: that takes a code (`mobiles`), or staff.
    """
    reach.allow(by, *Role)
    form = Form()
    shown = form.person("full_name", "姓名", full_name)
    number = form.identifier("mobile", identifiers.mobile, mobile) if mobile else ""
    if by.mobile and number != by.mobile:
        form.say("mobile", CHANGE_ELSEWHERE)
    form.done()
    by.full_name, by.mobile = shown, number


def counts(session: Session, *, by: Account) -> dict[Role, tuple[int, int]]:
    """How many accounts of each role may sign in, and how many are suspended; for administrators."""
    reach.allow(by, Role.administrator)
    may = func.sum(sa.case((col(Account.is_active), 1), else_=0))
    rows = session.execute(sa.select(Account.role, may, func.count()).group_by(Account.role))
    found = {role: (active, total - active) for role, active, total in rows}
    return {role: found.get(role, (0, 0)) for role in Role}


@dataclass(frozen=True)
class AccountRow:
    """An account as the administrator's list shows it, its number in part."""

    id: int
    username: str
    full_name: str
    role: Role
    belongs_to: str
    mobile: str
    is_active: bool
    must_change_password: bool
    institution_id: int | None
    division_code: str | None
    last_seen_at: datetime | None
    oidc_subject: str | None


def page(
    session: Session,
    *,
    by: Account,
    text: str = "",
    role: Role | None = None,
    is_active: bool | None = None,
    number: int = 1,
    size: int = 50,
) -> tuple[list[AccountRow], int]:
    """One page of accounts and the count of all that match; raises Refused to all but administrators."""
    reach.allow(by, Role.administrator)
    belongs_to = func.coalesce(Enterprise.name, Institution.name, Division.full_name, "")
    matching = [col(Account.role) == role] if role else []
    if is_active is not None:
        matching.append(col(Account.is_active).is_(is_active))
    if text.strip():
        shown = (col(Account.username), col(Account.full_name), belongs_to)
        matching.append(sa.or_(*(column.contains(text.strip(), autoescape=True) for column in shown)))
    joined = (
        sa.select()
        .select_from(Account)
        .join(Enterprise, col(Account.enterprise_id) == Enterprise.id, isouter=True)
        .join(Institution, col(Account.institution_id) == Institution.id, isouter=True)
        .join(Division, col(Account.division_code) == Division.code, isouter=True)
        .where(*matching)
    )
    seen = select(func.max(col(SignIn.seen_at))).where(SignIn.account_id == Account.id).scalar_subquery()
    rows = session.execute(
        joined.add_columns(Account, belongs_to.label("belongs_to"), seen.label("last_seen_at"))
        .order_by(Account.role, Account.username, col(Account.id))
        .limit(size)
        .offset((number - 1) * size)
    )
    total = session.scalar(joined.add_columns(func.count())) or 0
    return [
        AccountRow(
            id=row.Account.id,
            username=row.Account.username,
            full_name=row.Account.full_name,
            role=row.Account.role,
            belongs_to=row.belongs_to,
            mobile=privacy.mobile(row.Account.mobile),
            is_active=row.Account.is_active,
            must_change_password=row.Account.must_change_password,
            institution_id=row.Account.institution_id,
            division_code=row.Account.division_code,
            last_seen_at=row.last_seen_at,
            oidc_subject=row.Account.oidc_subject,
        )
        for row in rows
    ], total
