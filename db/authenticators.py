"""Authenticators: six digits that change every half minute, as the second factor of a sign-in (RFC 6238)."""

import base64
import hashlib
import os
from dataclasses import dataclass
from typing import Any

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlmodel import Session, col, select, update

from db import audit, clock, reach, sign_ins
from db.errors import NotFound, Refused
from db.models import STAFF, Account, Authenticator, Role, SignIn, SignInAttempt

ISSUER = "约检台"
# Seconds of one code; clocks may differ by one step (RFC 6238, 5.2).
STEP = 30
SEALED = "sealed:"
WRONG = "动态口令不正确，请核对后重新输入"
LOCKED = "动态口令错误次数过多，请 {minutes} 分钟后再试"


@dataclass(frozen=True)
class Offer:
    """What an app on a telephone is given: the secret in Base32, and the address that a QR code shows."""

    secret: str
    address: str


def offer(session: Session, *, by: Account) -> Offer:
    """A secret for one's own telephone; it counts once `confirm` has seen a code made with it.

    Raises Refused to all but staff, and while another telephone is bound.
    """
    reach.allow(by, *STAFF)
    mine = _of(session, by.id)
    if mine and mine.confirmed_at:
        raise Refused("已经绑定了动态口令，请先解除，再重新绑定")
    if mine is None:
        mine = Authenticator(account_id=by.id, secret=_sealed(pyotp.random_base32()))
        session.add(mine)
        session.flush()
    secret = _opened(mine.secret)
    return Offer(secret, pyotp.TOTP(secret).provisioning_uri(name=by.username, issuer_name=ISSUER))


def confirm(session: Session, code: str, *, by: Account, address: str, token: str | None = None) -> bool:
    """Bind the telephone whose code this is; every other sign-in of the account ends.

    False for a wrong code, which counts as a failed try: commit it. Raises Refused after too many.
    """
    reach.allow(by, *STAFF)
    mine = _of(session, by.id)
    if mine is None or mine.confirmed_at:
        raise Refused("请先打开绑定动态口令的步骤，再输入动态口令")
    if not _is_right(session, mine, by.username, code, address):
        return False
    mine.confirmed_at = clock.now()
    sign_ins.end_all(session, by.id, except_token=token)
    return True


def remove(session: Session, code: str, *, by: Account, address: str) -> bool:
    """Unbind one's own telephone, by a code of it; False for a wrong code, as in `confirm`."""
    reach.allow(by, *Role)
    mine = _of(session, by.id)
    if mine is None or mine.confirmed_at is None:
        raise Refused("没有绑定动态口令，请刷新后重试")
    if not _is_right(session, mine, by.username, code, address):
        return False
    session.delete(mine)
    return True


def reset(session: Session, account_id: int, *, by: Account) -> Account:
    """Unbind the lost telephone of somebody else; all sign-ins of that account end.

    For administrators who have made sure who asks. Raises Refused for one's own account.
    """
    reach.allow(by, Role.administrator)
    account, bound = session.get(Account, account_id), _of(session, account_id)
    if account is None:
        raise NotFound("账号")
    if account.id == by.id:
        raise Refused("自己的动态口令请由另一位管理员重置")
    if bound is None:
        raise Refused("该账号没有绑定动态口令")
    session.delete(bound)
    sign_ins.end_all(session, account.id)
    return account


def is_waiting(session: Session, ticket: str) -> bool:
    """Whether a ticket of `sign_ins.begin` still needs a code before it can be redeemed."""
    return _waiting(session, ticket) is not None


def prove(session: Session, ticket: str, code: str, *, address: str) -> bool:
    """Give the code for a ticket, which can be redeemed from then on for half a minute.

    False for a wrong code, which counts as a failed try of the name and the address: commit it. Raises
    Refused after too many, and for a ticket that does not wait for one any more.
    """
    row = _waiting(session, ticket)
    if row is None:
        raise Refused("登录超时，请重新登录")
    account = session.get_one(Account, row.account_id)
    mine = _of(session, account.id)
    about: dict[str, Any] = {"subject": "account", "subject_id": account.id, "address": address}
    if mine is None or not _is_right(session, mine, account.username, code, address):
        audit.record(session, "登录", note=WRONG, is_refused=True, **about)
        return False
    audit.record(session, "登录", by=account, note="动态口令", **about)
    row.needs_code, row.expires_at = False, clock.now() + sign_ins.TICKET
    return True


def _is_right(session: Session, mine: Authenticator, username: str, code: str, address: str) -> bool:
    """Whether the code is right and was never used; then the failures before it are forgiven."""
    sign_ins.count_try(session, username, address, LOCKED)
    step = _step(_opened(mine.secret), code)
    if step is None or not _is_first_use(session, mine, step):
        return False
    sign_ins.note_success(session, username, address)
    # The right password before it was no failure of this address.
    since = clock.now() - sign_ins.TICKET_FOR_CODE
    tries = update(SignInAttempt).where(
        col(SignInAttempt.username) == sign_ins.username_of(username),
        col(SignInAttempt.address) == address[:60],
        col(SignInAttempt.at) > since,
    )
    session.exec(tries.values(has_succeeded=True))
    return True


def _step(secret: str, code: str) -> int | None:
    """The number of the half minute this is the code of, among the last, the present and the next."""
    if not secret:
        # Sealed with a key that is gone: anybody could make the codes of an empty secret.
        return None
    now = int(clock.now().timestamp())
    typed = "".join(code.split())
    made = {now // STEP + shift: pyotp.TOTP(secret).at(now + shift * STEP) for shift in (-1, 0, 1)}
    found = [step for step, right in made.items() if pyotp.utils.strings_equal(right, typed)]
    return found[0] if found else None


def _is_first_use(session: Session, mine: Authenticator, step: int) -> bool:
    # RFC 6238, 5.2: a code is good once, also for two who type it at the same moment.
    fresh = update(Authenticator).where(col(Authenticator.id) == mine.id, col(Authenticator.last_step) < step)
    return session.exec(fresh.values(last_step=step)).rowcount == 1


def _of(session: Session, account_id: int) -> Authenticator | None:
    return session.exec(select(Authenticator).where(Authenticator.account_id == account_id)).one_or_none()


def _waiting(session: Session, ticket: str) -> SignIn | None:
    mine = (SignIn.ticket_hash == sign_ins.digest(ticket), col(SignIn.needs_code))
    open_ = (col(SignIn.ended_at).is_(None), col(SignIn.expires_at) > clock.now())
    return session.exec(select(SignIn).where(*mine, *open_)).one_or_none()


def _key() -> Fernet | None:
    key = os.environ.get("YUEJIAN_SECRET_KEY", "")
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) if key else None


def _sealed(secret: str) -> str:
    key = _key()
    return SEALED + key.encrypt(secret.encode()).decode() if key else secret


def _opened(stored: str) -> str:
    if not stored.startswith(SEALED):
        return stored
    key = _key()
    try:
        return key.decrypt(stored.removeprefix(SEALED).encode()).decode() if key else ""
    except InvalidToken:
        return ""
