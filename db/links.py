"""关联企业: a person asks to work for an enterprise; the enterprise grants, changes, refuses and revokes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from catalog import identifiers
from db import clock, enterprises, notifications, privacy, reach, workflow
from db.errors import Conflict, NotFound, Refused
from db.fields import Form
from db.models import Account, Cause, Enterprise, Link, LinkStatus, Role, Subject

MOST_A_DAY = 10
MOST_SHOWN = 200
UNDER_WAY = "您已申请关联这个代码的企业，请查看下方的办理状态，不需要重复申请"
TOO_MANY = f"24 小时内最多申请关联 {MOST_A_DAY} 次，请核对代码后明天再试"
OPEN = (LinkStatus.requested, LinkStatus.granted)
# Those after which the person has worked for the enterprise, and knows its name.
KNOWN = (LinkStatus.granted, LinkStatus.revoked, LinkStatus.left)


def request(session: Session, code: str, *, by: Account, note: str = "") -> Link:
    """申请关联 with the enterprise of a credit code or organization code, and a note who one is.

    Nobody finds out by typing codes who is registered: a request for a code that is not waits for it, and
    looks the same in `page`. Raises Refused for a malformed code and for the eleventh request in 24 hours,
    Conflict while a request or a grant of the same code is open.
    """
    reach.allow(by, Role.personal)
    form = Form()
    read = form.identifier("code", identifiers.enterprise_code, code)
    note = form.text("note", "申请说明", note, 100)
    form.done()
    # Of two at once, by a double click, the second waits and then sees the first.
    session.exec(reach.held(select(Account).where(Account.id == by.id), Account))
    _check_pace(session, by)
    if session.exec(
        select(Link.id).where(_is_open(by), enterprises.has_code(Link.credit_code, read))
    ).first():
        raise Conflict(UNDER_WAY)
    link = Link(
        account_id=by.id,
        credit_code=read,
        enterprise_id=_registered(session, read),
        status=LinkStatus.requested,
    )
    session.add(link)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(UNDER_WAY) from None
    workflow.start(session, Subject.link, [link.id], "request", by, note)
    _tell(session, link, "request")
    return link


def _tell(session: Session, link: Link, action: str) -> None:
    """To the side that has to answer, or is answered; a person who was refused reads no name.

    Nor does the enterprise: whoever asks could have written anything as a name.
    """
    owner, person = (
        session.get(Enterprise, link.enterprise_id or 0),
        session.get_one(Account, link.account_id),
    )
    name = owner.name if owner else ""
    said = {
        "request": f"有个人用户申请关联{name}，请登录约检台，在“我的企业授权”中办理。",
        "grant": f"{name}已通过您的关联申请，您现在可以为该单位办理业务。",
        "refuse": f"您关联企业（代码 {link.credit_code}）的申请未通过，理由请在“个人中心”中查看。",
        "revoke": f"{name}已撤销对您的授权，理由请在“个人中心”中查看。",
    }
    recipient = (owner.mobile if owner else "") if action == "request" else person.mobile
    if action in said and recipient:
        notifications.queue(
            session,
            f"link-{link.id}-{action}",
            Cause.link,
            recipient,
            said[action],
            account_id=None if action == "request" else person.id,
            division_code=owner.division_code if owner else None,
        )


def _check_pace(session: Session, by: Account) -> None:
    lately = (Link.account_id == by.id, col(Link.requested_at) > clock.now() - timedelta(days=1))
    if (session.scalar(select(func.count()).where(*lately)) or 0) >= MOST_A_DAY:
        raise Refused(TOO_MANY)


def _is_open(by: Account) -> Any:
    return sa.and_(col(Link.account_id) == by.id, col(Link.status).in_(OPEN))


def _registered(session: Session, code: str) -> int | None:
    exact_first = (col(Enterprise.credit_code) != code, col(Enterprise.id))
    found = (
        select(Enterprise.id).where(enterprises.has_code(Enterprise.credit_code, code)).order_by(*exact_first)
    )
    return session.exec(found).first()


def attach(session: Session, enterprise: Enterprise) -> None:
    """Let the requests for the code of an enterprise that has just been registered wait for its answer."""
    waiting = select(Link).where(
        col(Link.enterprise_id).is_(None),
        Link.status == LinkStatus.requested,
        enterprises.has_code(Link.credit_code, enterprise.credit_code),
    )
    for link in session.exec(waiting.order_by(col(Link.id))):
        link.enterprise_id = enterprise.id


def grant(session: Session, link_id: int, *, by: Account, can_edit: bool, can_book: bool) -> Link:
    """通过, with the rights to edit the ledger and to book; looking is always allowed."""
    return _give(session, link_id, "grant", by, can_edit, can_book)


def change_rights(session: Session, link_id: int, *, by: Account, can_edit: bool, can_book: bool) -> Link:
    """修改权限 of a granted link, effective at the person's next act."""
    return _give(session, link_id, "change_rights", by, can_edit, can_book)


def _give(session: Session, link_id: int, action: str, by: Account, can_edit: bool, can_book: bool) -> Link:
    given = {"can_edit": can_edit is True, "can_book": can_book is True}
    return _move(session, link_id, action, by, rights(**given), **given)


def rights(can_edit: bool, can_book: bool) -> str:
    """What a link allows, in words."""
    return "、".join(["查看", *(["编辑台账"] if can_edit else []), *(["预约检定"] if can_book else [])])


def refuse(session: Session, link_id: int, *, by: Account, reason: str) -> Link:
    """拒绝, with a reason the person reads."""
    return _move(session, link_id, "refuse", by, reason)


def revoke(session: Session, link_id: int, *, by: Account, reason: str) -> Link:
    """撤销, effective at the person's next act, with a reason the person reads."""
    return _move(session, link_id, "revoke", by, reason)


def withdraw(session: Session, link_id: int, *, by: Account) -> Link:
    """撤回 of a request not answered yet, by whoever made it."""
    return _move(session, link_id, "withdraw", by)


def leave(session: Session, link_id: int, *, by: Account) -> Link:
    """解除关联 by the person, who will not work for the enterprise any more."""
    return _move(session, link_id, "leave", by)


def _move(session: Session, link_id: int, action: str, by: Account, note: str = "", **values: bool) -> Link:
    """One step with a link of the actor's; raises NotFound, Refused or Conflict."""
    reach.allow(by, Role.enterprise, Role.personal)
    link = session.exec(select(Link).where(Link.id == link_id, reach.links(by))).first()
    if link is None:
        raise NotFound("关联申请")
    form = Form()
    note = form.text("reason", "理由", note, 200)
    form.done()
    workflow.move(session, Subject.link, [link], action, by, note, **values)
    session.refresh(link)
    _tell(session, link, action)
    return link


@dataclass(frozen=True)
class LinkRow:
    """A link as its two sides see it, `changed_at` and `note` being those of its last move.

    A person reads the name of the enterprise once it has granted the link, before that the code asked for; an
    enterprise reads who asks, of the mobile number no more than it needs to recognize it.
    """

    id: int
    status: LinkStatus
    credit_code: str
    enterprise: str
    person: str
    username: str
    mobile: str
    can_edit: bool
    can_book: bool
    requested_at: datetime
    changed_at: datetime
    note: str


def page(session: Session, *, by: Account) -> list[LinkRow]:
    """The links of the asker's enterprise, or of the asking person: open ones first, then the latest.

    At most 200.
    """
    reach.allow(by, Role.enterprise, Role.personal)
    order = sa.case(
        (col(Link.status) == LinkStatus.requested, 0), (col(Link.status) == LinkStatus.granted, 1), else_=2
    )
    rows = session.execute(
        sa.select(Link, Account, Enterprise.name)
        .join(Account, col(Link.account_id) == Account.id)
        .join(Enterprise, col(Link.enterprise_id) == Enterprise.id, isouter=True)
        .where(reach.links(by))
        .order_by(order, col(Link.requested_at).desc(), col(Link.id).desc())
        .limit(MOST_SHOWN)
    ).all()
    moves = workflow.latest(session, Subject.link, [link.id for link, *_ in rows])
    return [_row(link, person, name or "", moves[link.id], by) for link, person, name in rows]


def _row(link: Link, person: Account, name: str, move: Any, by: Account) -> LinkRow:
    is_told = by.role == Role.enterprise or link.status in KNOWN
    return LinkRow(
        id=link.id,
        status=link.status,
        credit_code=link.credit_code,
        enterprise=name if is_told else "",
        person=person.full_name,
        username=person.username,
        mobile=privacy.mobile(person.mobile),
        can_edit=link.can_edit,
        can_book=link.can_book,
        requested_at=link.requested_at,
        changed_at=move.at,
        note=move.note,
    )


def waiting_count(session: Session, *, by: Account) -> int:
    """How many requests wait: for the asker's enterprise to answer, or of the asking person's own."""
    waiting = select(func.count()).where(reach.links(by), Link.status == LinkStatus.requested)
    return session.scalar(waiting) or 0


def standing(session: Session, enterprise_id: int, *, by: Account) -> Link | None:
    """The granted link by which a person works for the enterprise; None for everybody else."""
    mine = select(Link).where(Link.enterprise_id == enterprise_id, reach.links(by))
    granted = mine.where(Link.account_id == by.id, Link.status == LinkStatus.granted)
    return session.exec(granted).first()
