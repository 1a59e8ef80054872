"""更正申请 in every state, from the first enterprise: two wait, three were answered or withdrawn."""

from dataclasses import dataclass
from datetime import date
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from sqlmodel import Session, col, insert, select

from db import attachments
from db.demo.bureau import Bureau
from db.demo.diary import Diary, moment
from db.demo.histories import Move, walk
from db.demo.people import Owner
from db.models import (
    Correction,
    Instrument,
    InstrumentChange,
    InstrumentStatus,
    StatusChange,
    Subject,
)
from db.verifications import months_later

PAPER, FRAME, INK, SEAL = "#fbfaf5", "#8a6d3b", "#222222", "#c62828"


@dataclass(frozen=True)
class Wish:
    """One request, made `ago` days back; `months` from the day in the ledger to the day that is right."""

    ago: int
    months: int
    reason: str
    action: str = ""
    answer: str = ""


WISHES = (
    Wish(4, 1, "证书上的有效期晚一个月，录入时选错了月份"),
    Wish(2, -1, "按证书应早一个月，录入有误"),
    Wish(9, -1, "录入时多算了一个月，以附件中的检定证书为准", "approve", "证书编号与日期属实"),
    Wish(7, 6, "希望延长半年", "decline", "有效期以检定证书为准，需要延长请预约检定"),
    Wish(6, 2, "录入有误", "withdraw"),
)
# Days from today, so that no certificate has run out after its correction.
FAR = 40


def write(session: Session, diary: Diary, staff: Bureau, owner: Owner) -> None:
    """Write as many of the requests as the ledger of `owner` has instruments for."""
    bought_long_ago = moment(diary.ago(max(wish.ago for wish in WISHES) + 10))
    rows = select(Instrument).where(
        Instrument.enterprise_id == owner.enterprise.id,
        Instrument.status == InstrumentStatus.in_use,
        col(Instrument.valid_until) > diary.ago(-FAR),
        col(Instrument.verified_on).is_(None),
        col(Instrument.created_at) < bought_long_ago,
    )
    found = session.exec(rows.order_by(col(Instrument.id).desc()).limit(len(WISHES))).all()
    for wish, instrument in zip(WISHES, found, strict=False):
        _write(session, diary, staff, owner, wish, instrument)


def _write(
    session: Session, diary: Diary, staff: Bureau, owner: Owner, wish: Wish, instrument: Instrument
) -> None:
    asked_on = diary.worked(diary.ago(wish.ago))
    moves = [Move("request", moment(asked_on, slot=1), owner.account, note=wish.reason)]
    if wish.action:
        answered_at = moment(diary.worked(diary.ago(wish.ago - 2)), slot=3)
        by = owner.account if wish.action == "withdraw" else staff.staff["supervisor02"]
        moves.append(Move(wish.action, answered_at, by, note=wish.answer))
    status, history = walk(Subject.correction, moves)
    before = instrument.valid_until
    assert before
    after = months_later(before, wish.months)
    picture = paper(f"No. {instrument.serial_number}", f"{after:%Y-%m-%d}")
    proof = attachments.add(session, "检定证书.png", picture, "image/png", by=owner.account)
    proof.created_at = moves[0].at
    correction = Correction(
        instrument_id=instrument.id,
        status=status,
        before=before,
        valid_until=after,
        reason=wish.reason,
        attachment_id=proof.id,
        requested_at=moves[0].at,
        requested_by_id=owner.account.id,
    )
    session.add(correction)
    session.flush()
    session.exec(insert(StatusChange), params=[row | {"subject_id": correction.id} for row in history])
    if wish.action == "approve":
        _follow(session, instrument, after, moves[1], owner, wish)


def _follow(
    session: Session, instrument: Instrument, day: date, move: Move, owner: Owner, wish: Wish
) -> None:
    """The ledger after an approval, as `corrections.approve` leaves it."""
    assert instrument.valid_until and move.by
    asker = f"{owner.account.role} {owner.account.full_name}"
    session.add(
        InstrumentChange(
            instrument_id=instrument.id,
            at=move.at,
            by_id=move.by.id,
            action="更正有效期",
            changes={"valid_until": [instrument.valid_until.isoformat(), day.isoformat()]},
            note=f"{asker} 申请：{wish.reason}；审批意见：{wish.answer}",
        )
    )
    instrument.valid_until = day
    instrument.version += 1
    session.add(instrument)
    session.flush()


def paper(number: str, day: str) -> bytes:
    """A sheet with a number, a day and a seal, as a PNG: what a photograph would show."""
    sheet = Image.new("RGB", (480, 340), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((12, 12, 467, 327), outline=FRAME, width=4)
    draw.rectangle((22, 22, 457, 317), outline=FRAME, width=1)
    draw.text((50, 90), number, INK, ImageFont.load_default(30))
    draw.text((50, 150), day, INK, ImageFont.load_default(44))
    draw.ellipse((310, 180, 420, 290), outline=SEAL, width=5)
    draw.ellipse((345, 215, 385, 255), outline=SEAL, width=3)
    kept = BytesIO()
    sheet.save(kept, "PNG")
    return kept.getvalue()
