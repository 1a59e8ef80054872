"""查看完整信息: a number or name that lists hide, shown once to whoever gives a reason; noted each time."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from db import audit, reach
from db.errors import NotFound
from db.fields import Form
from db.models import Account, Appointment, AppointmentLine, Enterprise, Registration, Role

SHORTEST, LONGEST = 4, 200


class Hidden(NamedTuple):
    """What a kind of record hides: its fields by label, who may ask, and which of them are within reach."""

    model: Any
    fields: dict[str, str]
    roles: tuple[Role, ...]
    reach: Callable[[Account], Any]


CONTACT = {"联系人": "contact_name", "手机号": "mobile"}
KINDS = {
    "account": Hidden(Account, {"手机号": "mobile"}, (Role.administrator,), lambda by: col(Account.id) > 0),
    "appointment": Hidden(
        Appointment,
        CONTACT,
        (*reach.BUREAU, Role.institution),
        lambda by: col(Appointment.id).in_(select(AppointmentLine.appointment_id).where(reach.lines(by))),
    ),
    "enterprise": Hidden(Enterprise, CONTACT, reach.BUREAU, reach.enterprises),
    "registration": Hidden(Registration, CONTACT, reach.BUREAU, reach.registrations),
}


def unmask(session: Session, subject: str, id: int, reason: str, *, by: Account) -> dict[str, str]:
    """The hidden fields of one record in full, by label; the audit log keeps who asked, for what and why.

    Raises Refused without a reason of at least 4 characters and to roles without that duty, NotFound for a
    record outside the asker's reach.
    """
    kind = KINDS.get(subject)
    if kind is None:
        raise NotFound()
    reach.allow(by, *kind.roles)
    form = Form()
    why = form.text("reason", "查看理由", reason, LONGEST, required=True)
    if why and len(why) < SHORTEST:
        form.say("reason", f"请写明查看理由，不少于 {SHORTEST} 个字，例如：电话核实注册信息")
    form.done()
    found = session.exec(select(kind.model).where(kind.model.id == id, kind.reach(by))).first()
    if found is None:
        raise NotFound()
    audit.record(
        session,
        "查看完整信息",
        by=by,
        subject=subject,
        subject_id=id,
        after={"fields": "、".join(kind.fields)},
        note=why,
    )
    return {label: getattr(found, field) for label, field in kind.fields.items()}
