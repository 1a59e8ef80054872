"""Sign-ins: who is signed in from which browser, kept so that the database can end it at any moment."""

import hashlib
import secrets
import unicodedata
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, exists, func, select, update

from db import audit, clock, passwords, reach, settings
from db.errors import NotFound, Refused
from db.models import Account, Authenticator, Enterprise, Institution, Role, SignIn, SignInAttempt

# An office may share one address. The figures by name and of time are settings.
FAILURES_BY_ADDRESS = 30
TICKET = timedelta(seconds=30)
# To look at a telephone and type six digits.
TICKET_FOR_CODE = timedelta(minutes=5)
# A sign-in in use is noted no more often than this, so that looking at pages does not write each time.
NOTED_EVERY = timedelta(minutes=1)

# What the audit log calls a sign-in before its second factor.
HALF_WAY = "登录（待动态口令）"
WRONG = "账号或密码不正确，请核对后重新输入"
WRONG_CURRENT = "当前密码不正确，请重新输入"
TOO_MANY = "当前密码输错次数过多，请 {minutes} 分钟后再试"


def username_of(typed: str) -> str:
    """The name as accounts store it: folded, without outer spaces, in lower case, at most 40 characters."""
    folded = unicodedata.normalize("NFKC", typed).strip().lower()
    # PostgreSQL refuses a NUL.
    return folded.replace("\0", "")[:40]


def credential(session: Session, username: str, address: str) -> str:
    """The bcrypt hash to check a typed password against; call it within `transaction()`, once a try.

    An unknown or suspended name gets the hash of no password. The try counts as failed until `begin` says
    otherwise, so that many at once cannot pass the limits. Raises Refused, in words that are the same for
    known and unknown names, when the name or the address has failed too often.
    """
    count_try(session, username, address)
    name = username_of(username)
    found = session.exec(select(Account.password_hash).where(*_is_active(name))).one_or_none()
    return found or passwords.DUMMY_HASH


def count_try(
    session: Session,
    name: str,
    address: str,
    refusal: str = "登录失败次数过多，请 {minutes} 分钟后再试，或使用“忘记密码”",
) -> None:
    """Count a try at what `name` guards as failed until `note_success`; commit it whatever follows.

    Raises Refused with `refusal` when the name or the address has failed too often.
    """
    name, address = username_of(name), address[:60]
    _queue_up(session, name)
    _refuse_if_locked(session, name, address, refusal)
    note_failure(session, name, address)


def _queue_up(session: Session, name: str) -> None:
    # SQLite's writers queue anyway.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


def _is_active(name: str) -> tuple[Any, ...]:
    return col(Account.username) == name, col(Account.is_active)


def note_failure(session: Session, username: str, address: str) -> None:
    """Count a failed try against the name and the address."""
    session.add(SignInAttempt(username=username_of(username), address=address[:60]))
    session.flush()


def _refuse_if_locked(session: Session, name: str, address: str, refusal: str) -> None:
    now = clock.now()
    free_at = max(_free_at(session, name, now), _free_at_address(session, address, now))
    if free_at > now:
        minutes = -(-(free_at - now) // timedelta(minutes=1))
        raise Refused(refusal.format(minutes=minutes))


def _free_at(session: Session, name: str, now: datetime) -> datetime:
    mine = col(SignInAttempt.username) == name
    last = select(func.max(col(SignInAttempt.id))).where(mine, col(SignInAttempt.has_succeeded))
    later = col(SignInAttempt.id) > func.coalesce(last.scalar_subquery(), 0)
    return _end_of_lock(session, (mine, later), settings.value(session, "sign_in_failures"), now)


def _free_at_address(session: Session, address: str, now: datetime) -> datetime:
    # Without an address all visitors look like one, and a few clumsy ones would shut everybody out.
    if not address:
        return now
    return _end_of_lock(session, (col(SignInAttempt.address) == address,), FAILURES_BY_ADDRESS, now)


def _end_of_lock(session: Session, conditions: tuple[Any, ...], limit: int, now: datetime) -> datetime:
    """When fewer than `limit` of these failures are left in the window."""
    window = timedelta(minutes=settings.value(session, "lock_minutes"))
    failed = (~col(SignInAttempt.has_succeeded), col(SignInAttempt.at) > now - window)
    latest = select(SignInAttempt.at).where(*conditions, *failed).order_by(col(SignInAttempt.at).desc())
    times = session.exec(latest.limit(limit)).all()
    return times[-1] + window if len(times) == limit else now


def begin(session: Session, username: str, password_hash: str, address: str, agent: str) -> str:
    """A ticket for whoever has just given the right password, to be redeemed once within 30 seconds.

    `password_hash` is what it was checked against: checking takes a third of a second, in which the password
    may have been changed. Where the account has an authenticator, `authenticators.prove` must come before the
    ticket is redeemed. Only its hash is stored. Raises Refused when there is no such account, or a suspended
    one, and when its password is another one by now.
    """
    name, address = username_of(username), address[:60]
    mine = (*_is_active(name), Account.password_hash == password_hash)
    # Held, or a change that commits at this moment would end every sign-in but this one.
    account = session.exec(select(Account).where(*mine).with_for_update()).one_or_none()
    if account is None:
        raise Refused(WRONG)
    needs_code = has_authenticator(session, account.id)
    if not needs_code:
        note_success(session, name, address)
    return issue(session, account, address, agent, needs_code)


def issue(
    session: Session, account: Account, address: str, agent: str, needs_code: bool, note: str = ""
) -> str:
    """The ticket of `begin` for an account that has been proven; `note` tells the audit log by what else."""
    ticket, now = secrets.token_urlsafe(32), clock.now()
    row = SignIn(
        account_id=account.id,
        ticket_hash=digest(ticket),
        created_at=now,
        seen_at=now,
        expires_at=now + (TICKET_FOR_CODE if needs_code else TICKET),
        idle_at=now,
        needs_code=needs_code,
        address=address,
        agent=agent[:200],
    )
    session.add(row)
    session.flush()
    about: dict[str, Any] = {"subject_id": account.id, "address": address, "note": note}
    audit.record(session, HALF_WAY if needs_code else "登录", by=account, subject="account", **about)
    return ticket


def note_wrong(session: Session, username: str) -> None:
    """Put a wrong password into the audit log; not a name nobody has, which may be a password misplaced."""
    known = session.exec(select(Account).where(Account.username == username_of(username))).one_or_none()
    note = WRONG if known else "没有这个账号"
    subject_id = known.id if known else None
    audit.record(session, "登录", subject="account", subject_id=subject_id, note=note, is_refused=True)


def note_success(session: Session, name: str, address: str) -> None:
    """The last try counted for the name from this address has succeeded, and the count starts anew."""
    name, address = username_of(name), address[:60]
    tried = select(func.max(col(SignInAttempt.id))).where(
        SignInAttempt.username == name, SignInAttempt.address == address
    )
    changed = update(SignInAttempt).where(col(SignInAttempt.id) == tried.scalar_subquery())
    if session.exec(changed.values(has_succeeded=True)).rowcount == 0:
        session.add(SignInAttempt(username=name, address=address, has_succeeded=True))


def is_own_password(session: Session, account: Account, typed: str, address: str) -> bool:
    """Whether the person at an open page knows the password: a try that is counted, commit it either way.

    So a sign-in left open, or stolen, gives nobody guesses without end. Raises Refused after too many.
    """
    guarded = f"当前密码 {account.username}"
    count_try(session, guarded, address, TOO_MANY)
    is_right = passwords.matches(typed, account.password_hash)
    if is_right:
        note_success(session, guarded, address)
    return is_right


def redeem(session: Session, ticket: str) -> str:
    """The token for the browser's cookie in exchange for a ticket; only its hash is stored.

    Raises Refused for a ticket that is unknown, used, older than 30 seconds, or waits for a code.
    """
    now, token = clock.now(), secrets.token_urlsafe(32)
    fresh = update(SignIn).where(*_redeemable(ticket))
    longest = timedelta(hours=settings.value(session, "signed_in_hours"))
    exchanged = fresh.values(
        ticket_hash=None,
        token_hash=digest(token),
        seen_at=now,
        idle_at=now + _idle(session),
        expires_at=now + longest,
    )
    if session.exec(exchanged).rowcount != 1:
        raise Refused("登录超时，请重新登录")
    return token


def is_ticket(session: Session, ticket: str) -> bool:
    """Whether `redeem` would take the ticket, asked without a write."""
    return bool(session.scalar(select(exists().where(*_redeemable(ticket)))))


def _redeemable(ticket: str) -> tuple[Any, ...]:
    return (
        col(SignIn.ticket_hash) == digest(ticket),
        col(SignIn.expires_at) > clock.now(),
        col(SignIn.ended_at).is_(None),
        ~col(SignIn.needs_code),
    )


def account_of(session: Session, token: str) -> Account | None:
    """The active account signed in with this token, unless the sign-in was ended, is idle or too old."""
    return standing(session, token)[0]


def standing(session: Session, token: str) -> tuple[Account | None, bool]:
    """The account as `account_of` finds it, and whether `touch` would write.

    A page learns so without a second query, and opens a transaction only when there is something to note.
    """
    if not token:
        return None, False
    now = clock.now()
    asked = {"token_hash": digest(token), "now": now}
    row = session.execute(STANDING, asked).one_or_none()
    return (row.Account, row.seen_at <= now - NOTED_EVERY) if row else (None, False)


def has_authenticator(session: Session, account_id: int) -> bool:
    """Whether the account signs in with a code as well."""
    mine = (col(Authenticator.account_id) == account_id, col(Authenticator.confirmed_at).is_not(None))
    return bool(session.scalar(select(exists().where(*mine))))


def touch(session: Session, token: str) -> None:
    """Note that the sign-in is in use, at most once a minute."""
    row = _find(session, token)
    if row and row.seen_at <= clock.now() - NOTED_EVERY:
        row.seen_at = clock.now()
        row.idle_at = row.seen_at + _idle(session)


def _idle(session: Session) -> timedelta:
    return timedelta(minutes=settings.value(session, "idle_minutes"))


def end(session: Session, token: str) -> None:
    """Sign this browser out; nothing happens if it was not signed in."""
    row = _find(session, token)
    if row:
        row.ended_at = clock.now()
        audit.record(session, "退出登录", subject="account", subject_id=row.account_id)


def end_one(session: Session, id: int, *, by: Account) -> None:
    """Sign one of one's own browsers out; raises NotFound for a sign-in that is not one's own, or ended."""
    row = session.exec(select(SignIn).where(SignIn.id == id, SignIn.account_id == by.id, *_holds())).first()
    if row is None:
        raise NotFound("登录")
    row.ended_at = clock.now()
    audit.record(
        session, "退出登录", by=by, subject="account", subject_id=by.id, note=f"{row.address} 的登录"
    )


def end_mine(session: Session, *, by: Account) -> None:
    """全部退出: sign oneself out everywhere, this browser included."""
    reach.allow(by, *Role)
    end_all(session, by.id)
    audit.record(session, "退出登录", by=by, subject="account", subject_id=by.id, note="全部退出")


def end_all(session: Session, account_id: int, except_token: str | None = None) -> None:
    """Sign the account out everywhere, tickets not yet redeemed included, but for one browser if named.

    Whatever changes who an account is or what it may do calls it: password, suspension, role, institution.
    """
    ended = update(SignIn).where(col(SignIn.account_id) == account_id, col(SignIn.ended_at).is_(None))
    if except_token:
        ended = ended.where(col(SignIn.token_hash).is_distinct_from(digest(except_token)))
    session.exec(ended.values(ended_at=clock.now()))


def of_account(session: Session, account_id: int) -> list[SignIn]:
    """The account's sign-ins that still hold, the one used last first."""
    holding = select(SignIn).where(SignIn.account_id == account_id, *_holds())
    return list(session.exec(holding.order_by(col(SignIn.seen_at).desc(), col(SignIn.id).desc())))


def workplace(session: Session, account: Account) -> str:
    """The enterprise or institution the account acts for; an empty text for everybody else."""
    if account.enterprise_id is not None:
        return session.get_one(Enterprise, account.enterprise_id).name
    if account.institution_id is not None:
        return session.get_one(Institution, account.institution_id).name
    return ""


def _find(session: Session, token: str) -> SignIn | None:
    if not token:
        return None
    return session.exec(select(SignIn).where(SignIn.token_hash == digest(token), *_holds())).one_or_none()


def _holds() -> tuple[Any, ...]:
    return _held(clock.now())


def _held(now: Any) -> tuple[Any, ...]:
    return (
        col(SignIn.token_hash).is_not(None),
        col(SignIn.ended_at).is_(None),
        col(SignIn.expires_at) > now,
        col(SignIn.idle_at) > now,
    )


# Made once: every page asks this several times, and to make a query takes longer than to run it.
STANDING = (
    sa.select(Account, SignIn.seen_at)
    .join(SignIn, col(SignIn.account_id) == Account.id)
    .where(
        col(SignIn.token_hash) == sa.bindparam("token_hash"),
        *_held(sa.bindparam("now")),
        col(Account.is_active),
    )
)


def digest(secret: str) -> str:
    """What is stored of a ticket or token: SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
