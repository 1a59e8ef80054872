"""更换手机号 of one's own account: with the current password, and a code to the new number."""

import secrets

from sqlmodel import Session

from catalog import identifiers
from db import codes, notifications, reach, sign_ins
from db.errors import Refused
from db.fields import Form
from db.models import Account, Cause, CodePurpose, Enterprise, Role

PURPOSE = CodePurpose.mobile
OFFLINE = "本系统没有开通短信，请向主管部门提出更换手机号的申请，核实身份后由工作人员办理"


def ask(session: Session, number: str, current: str, *, by: Account, address: str) -> str | None:
    """Send a code to the new number; the token for the steps that follow.

    None for a wrong password, a try that is counted: commit it. Raises Refused after too many, for a
    malformed or unchanged number, when asked too often, and without a gateway: then a number is changed
    offline.
    """
    reach.allow(by, *Role)
    if not codes.is_sent():
        raise Refused(OFFLINE)
    form = Form()
    mobile = form.identifier("mobile", identifiers.mobile, number)
    if mobile and mobile == by.mobile:
        form.say("mobile", "新手机号与现在的相同，请核对")
    form.done()
    if not sign_ins.is_own_password(session, by, current, address):
        return None
    division_code = reach.division_of(session, by)
    return codes.send(
        session, PURPOSE, mobile, mobile, address, account_id=by.id, division_code=division_code
    )


def is_code(session: Session, token: str, typed: str) -> bool:
    """Whether this is the code that was sent; counted and refused as in `codes.is_right`."""
    return codes.is_right(session, token, PURPOSE, typed)


def change(session: Session, token: str, *, by: Account) -> str:
    """Make the proven number one's own; returns it. Raises Refused unless this account has proven it."""
    reach.allow(by, *Role)
    row = codes.proven(session, token, PURPOSE)
    if row.account_id != by.id:
        raise Refused(codes.OVER)
    codes.use(session, row)
    set_number(session, by, row.mobile)
    return row.mobile


def set_number(session: Session, account: Account, number: str) -> None:
    """Give an account a number; its enterprise gets it too if it had the former one, which is told."""
    former, account.mobile = account.mobile, number
    owner = session.get(Enterprise, account.enterprise_id or 0)
    if owner is not None and owner.mobile == former:
        owner.mobile = number
    if former and former != number:
        shown = notifications.masked(number)
        notifications.queue(
            session,
            f"mobile-{secrets.token_hex(8)}",
            Cause.mobile,
            former,
            f"账号“{account.username}”的手机号已更换为 {shown}。不是您本人申请的，请立即联系主管部门。",
            account_id=account.id,
            division_code=reach.division_of(session, account),
        )
