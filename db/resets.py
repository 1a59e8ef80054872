"""忘记密码: by user name or mobile number, a code, and then a new password (the guide, appendix 三.1)."""

from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select

from catalog import identifiers
from db import accounts, audit, codes, passwords, reach, sign_ins
from db.candidates import Candidate, found
from db.errors import NotFound, Refused
from db.fields import Form
from db.models import STAFF, Account, CodePurpose, ConfirmationCode

PURPOSE = CodePurpose.recovery


class Way(StrEnum):
    """What the visitor knows of the account; the guide's two ways."""

    username = "用户名"
    mobile = "注册手机号码"


def ask(session: Session, way: Way, typed: str, address: str) -> str:
    """Write a code for the account's mobile number; the token for the steps that follow.

    The answer is the same whether or not there is an account, it is suspended, or has no number. Raises
    Refused for what can be no user name or number, or when asked too often.
    """
    form = Form()
    if way == Way.mobile:
        asked = form.identifier("asked", identifiers.mobile, typed)
        mine = col(Account.mobile) == asked
    else:
        asked = sign_ins.username_of(form.text("asked", "用户名", typed, 100, required=True))
        mine = col(Account.username) == asked
    form.done()
    named = session.exec(select(Account).where(mine, col(Account.is_active)).order_by(col(Account.id))).all()
    # Staff come first: their messages are for administrators only.
    told = next((one for one in named if one.role in STAFF), named[0] if named else None)
    return codes.send(
        session,
        PURPOSE,
        f"{way.name}:{asked}",
        told.mobile if told else "",
        address,
        account_id=told.id if told and way == Way.username else None,
        told_account_id=told.id if told else None,
        division_code=reach.division_of(session, told) if told else None,
    )


def is_code(session: Session, token: str, typed: str) -> bool:
    """Whether this is the code that was sent; counted and refused as in `codes.is_right`."""
    return codes.is_right(session, token, PURPOSE, typed)


def candidates(session: Session, token: str) -> list[Candidate]:
    """The accounts whose number was proven, by user name: one, or all that share the number."""
    return found(session, _proven(codes.proven(session, token, PURPOSE)))


def _proven(row: ConfirmationCode) -> list[Any]:
    mine: list[Any] = [col(Account.mobile) == row.mobile, col(Account.is_active)]
    return mine if row.account_id is None else [*mine, col(Account.id) == row.account_id]


def set_password(session: Session, token: str, account_id: int, new: str, address: str) -> str:
    """Set the password of one of the `candidates`, once; its sign-ins end, its failures are forgiven.

    Returns the user name. Raises Refused for a password that breaks the rules, and when the proof is over.
    """
    row = codes.proven(session, token, PURPOSE)
    account = session.exec(select(Account).where(Account.id == account_id, *_proven(row))).first()
    if account is None:
        raise NotFound("账号")
    passwords.check(new, account.username)
    if passwords.matches(new, account.password_hash):
        raise Refused("新密码不能与原密码相同", {"password": "新密码不能与原密码相同"})
    codes.use(session, row)
    accounts.set_password(session, account, new)
    sign_ins.note_success(session, account.username, address)
    audit.record(session, "找回密码", by=account, subject="account", subject_id=account.id, address=address)
    return account.username
