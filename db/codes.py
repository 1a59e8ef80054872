"""验证码: six digits that prove a mobile number, within minutes, in five tries, by whoever asked.

The hash of a code is made with a token that only the asker's session holds: a million codes are soon tried,
but not by somebody who has read the database. Asked for in a name nobody has, everything looks the same.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select, update

from catalog.identifiers import fold
from db import audit, clock, gateway, notifications
from db.errors import Conflict, Refused
from db.models import Cause, Channel, CodePurpose, ConfirmationCode

LASTS = timedelta(minutes=5)
# Staff have to find the message and call back.
LASTS_UNTIL_TOLD = timedelta(minutes=30)
PROVEN_LASTS = timedelta(minutes=10)
MOST_TRIES = 5
# Longer than any limit looks back; who asked for a code is nobody's business afterwards.
KEPT = timedelta(days=7)
# How many codes in how long: for what was typed, and for a number. Many visitors may share an address.
LIMITS = ((timedelta(seconds=60), 1), (timedelta(hours=1), 5), (timedelta(days=1), 10))
ADDRESS_LIMITS = ((timedelta(hours=1), 30),)
NOBODY = "10000000000"
LOCK = 0x59554A43  # any number, the same everywhere
OVER = "验证码已失效，请重新获取"
WRONG = "验证码不正确，还可以试 {left} 次"
TEXT = "您正在{purpose}，验证码 {{secret}}，{minutes} 分钟内有效。请勿告诉他人；不是您本人操作的，请忽略。"


def is_sent() -> bool:
    """Whether a gateway sends codes by itself; otherwise staff tell them from 待发消息."""
    return Channel.sms in gateway.channels()


def minutes() -> int:
    """How long a code asked for now is good for."""
    return (LASTS if is_sent() else LASTS_UNTIL_TOLD) // timedelta(minutes=1)


def send(
    session: Session,
    purpose: CodePurpose,
    asked: str,
    mobile: str,
    address: str,
    *,
    account_id: int | None = None,
    told_account_id: int | None = None,
    division_code: str | None = None,
) -> str:
    """Write a code for `mobile` into the outbox, which ends the former one; the token its tries need.

    `asked` is what was typed, `mobile` empty when that names nobody: nothing is sent, and nothing shows it.
    Raises Refused when what was typed, or the address, has asked too often.
    """
    _queue_up(session)
    session.exec(delete(ConfirmationCode).where(col(ConfirmationCode.created_at) < clock.now() - KEPT))
    asked_hash = _digest(f"{purpose.name}:{asked}")
    mobile = _check_pace(session, purpose, asked_hash, mobile, address[:60])
    _end_former(session, purpose, mobile)
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(1_000_000):06}"
    now = clock.now()
    row = ConfirmationCode(
        purpose=purpose,
        asked_hash=asked_hash,
        mobile=mobile,
        account_id=account_id,
        token_hash=_digest(token),
        code_hash=_code_hash(token, code),
        address=address[:60],
        created_at=now,
        expires_at=now + timedelta(minutes=minutes()),
    )
    session.add(row)
    session.flush()
    # Written for nobody too, and taken back: what is not sent takes as long as what is.
    with session.begin_nested() as written:
        _queue(session, row, code, account_id or told_account_id, division_code)
        if not mobile:
            written.rollback()
    return token


def _check_pace(session: Session, purpose: CodePurpose, asked_hash: str, mobile: str, address: str) -> str:
    """The number to send to, empty for none; raises Refused when asked too often."""
    _refuse_until(_free_at(session, ConfirmationCode.asked_hash, asked_hash, LIMITS))
    if address:
        _refuse_until(_free_at(session, ConfirmationCode.address, address, ADDRESS_LIMITS))
    if mobile and (free_at := _free_at(session, ConfirmationCode.mobile, mobile, LIMITS)) > clock.now():
        # Asked under another name of the same account; to say so would tell that it is one.
        if purpose == CodePurpose.recovery:
            return ""
        _refuse_until(free_at)
    return mobile


def _queue(
    session: Session, row: ConfirmationCode, code: str, account_id: int | None, division_code: str | None
) -> None:
    purpose = "找回密码" if row.purpose == CodePurpose.recovery else row.purpose
    notifications.queue(
        session,
        f"code-{row.id}",
        Cause.code,
        row.mobile or NOBODY,
        TEXT.format(purpose=purpose, minutes=minutes()),
        secret=code,
        account_id=account_id,
        division_code=division_code,
        lasts=timedelta(minutes=minutes()),
    )


def _queue_up(session: Session) -> None:
    # Two at once must not both pass a limit; SQLite has one writer anyway.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def _free_at(session: Session, column: Any, value: str, limits: Sequence[tuple[timedelta, int]]) -> datetime:
    """When the next code may be asked for, by the codes before it."""
    most = max(count for _, count in limits)
    latest = select(ConfirmationCode.created_at).where(col(column) == value)
    times = session.exec(latest.order_by(col(ConfirmationCode.created_at).desc()).limit(most)).all()
    ends = [times[count - 1] + span for span, count in limits if len(times) >= count]
    return max(ends, default=clock.now())


def _refuse_until(moment: datetime) -> None:
    seconds = -(-(moment - clock.now()) // timedelta(seconds=1))
    if seconds > 0:
        wait = f"{seconds} 秒" if seconds <= 60 else f"{-(-seconds // 60)} 分钟"
        raise Refused(f"获取验证码过于频繁，请 {wait}后再试")


def _end_former(session: Session, purpose: CodePurpose, mobile: str) -> None:
    former = select(ConfirmationCode).where(
        ConfirmationCode.mobile == mobile,
        ConfirmationCode.purpose == purpose,
        col(ConfirmationCode.ended_at).is_(None),
        col(ConfirmationCode.expires_at) > clock.now(),
    )
    for row in session.exec(former) if mobile else ():
        row.ended_at = clock.now()
        notifications.cancel(session, f"code-{row.id}")


def is_right(session: Session, token: str, purpose: CodePurpose, typed: str) -> bool:
    """Whether this is the code: a try that is counted, so commit it whatever follows.

    Raises Refused once the code has expired, was replaced, or has been tried five times.
    """
    mine = (col(ConfirmationCode.token_hash) == _digest(token), col(ConfirmationCode.purpose) == purpose)
    open_ = (
        col(ConfirmationCode.ended_at).is_(None),
        col(ConfirmationCode.proven_at).is_(None),
        col(ConfirmationCode.expires_at) > clock.now(),
        col(ConfirmationCode.try_count) < MOST_TRIES,
    )
    tries = ConfirmationCode.try_count + 1
    if session.exec(update(ConfirmationCode).where(*mine, *open_).values(try_count=tries)).rowcount != 1:
        raise Refused(OVER)
    row = session.exec(select(ConfirmationCode).where(*mine).execution_options(populate_existing=True)).one()
    is_same = hmac.compare_digest(row.code_hash, _code_hash(token, fold(typed)[:20]))
    if not (is_same and row.mobile):
        audit.record(session, "验证码不正确", subject="confirmation_code", subject_id=row.id)
        return False
    row.proven_at, row.expires_at = clock.now(), clock.now() + PROVEN_LASTS
    notifications.cancel(session, f"code-{row.id}")
    return True


def wrong(session: Session, token: str) -> str:
    """What to say after a wrong code: how many tries are left, or that it is over."""
    tried = session.exec(
        select(ConfirmationCode.try_count).where(ConfirmationCode.token_hash == _digest(token))
    ).first()
    left = MOST_TRIES - (MOST_TRIES if tried is None else tried)
    return WRONG.format(left=left) if left > 0 else OVER


def proven(session: Session, token: str, purpose: CodePurpose) -> ConfirmationCode:
    """The code that was typed rightly no more than ten minutes ago and not used yet; raises Refused."""
    row = session.exec(
        select(ConfirmationCode).where(
            ConfirmationCode.token_hash == _digest(token),
            ConfirmationCode.purpose == purpose,
            col(ConfirmationCode.proven_at).is_not(None),
            col(ConfirmationCode.ended_at).is_(None),
            col(ConfirmationCode.expires_at) > clock.now(),
        )
    ).first()
    if row is None:
        raise Refused(OVER)
    return row


def use(session: Session, row: ConfirmationCode) -> None:
    """Spend a proven code; raises Conflict when it was spent meanwhile."""
    here = (col(ConfirmationCode.id) == row.id) & col(ConfirmationCode.ended_at).is_(None)
    if session.exec(update(ConfirmationCode).where(here).values(ended_at=clock.now())).rowcount != 1:
        raise Conflict(OVER)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _code_hash(token: str, code: str) -> str:
    return hmac.digest(token.encode(), code.encode(), "sha256").hex()
