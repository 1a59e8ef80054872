"""What the bookings leave behind: appointments, receipts, lines, results, and the ledger moved on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from db import clock, workdays
from db.demo import ledger
from db.demo.bookings import Booking, Planned
from db.demo.bureau import Bureau
from db.demo.diary import Diary, moment
from db.demo.histories import Move, walk
from db.demo.writing import Row, Writer
from db.models import (
    Appointment,
    AppointmentLine,
    Conclusion,
    DeliveryMode,
    InstrumentStatus,
    LineStatus,
    Receipt,
    Role,
    StatusChange,
    Subject,
    Verification,
    VerificationType,
)

FAULTY, BEYOND_REPAIR = "示值误差超出最大允许误差", "检定不合格，无法修复"
REGULATION = "现行检定规程"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an instrument stands in the ledger after what was written so far."""

    valid_until: date | None
    verified_on: date | None = None
    conclusion: Conclusion | None = None
    status: InstrumentStatus = InstrumentStatus.in_use
    version: int = 1


FIELDS = tuple(field.name for field in fields(Standing))


def write(
    writer: Writer, diary: Diary, bureau: Bureau, appointments: Sequence[Planned], random: Random
) -> None:
    """Write the appointments and receipts in order, then the lines by their last move."""
    for planned in appointments:
        _write_appointment(writer, planned)
    _write_receipts(writer, appointments)
    waiting = [(planned.id, booking) for planned in appointments for booking in planned.bookings]
    waiting.sort(key=lambda pair: (pair[1].moves[-1].at, pair[1].first_line_id))
    desk = Desk(writer, diary, bureau, random, {}, _deadlines(writer))
    for appointment_id, booking in waiting:
        desk.write(appointment_id, booking)


def _write_appointment(writer: Writer, planned: Planned) -> None:
    series = f"YJ{planned.submitted_on:%Y%m%d}"
    enterprise = planned.owner.enterprise
    row = {
        "id": planned.id,
        "number": f"{series}-{writer.number(series):04}",
        "enterprise_id": enterprise.id,
        "submitted_at": planned.submitted_at,
        "submitted_by_id": planned.by.id,
        "is_on_behalf": planned.by.role == Role.supervisor,
        "contact_name": enterprise.contact_name,
        "mobile": enterprise.mobile,
        "note": planned.note,
    }
    writer.add(Appointment, row)


def _write_receipts(writer: Writer, appointments: Sequence[Planned]) -> None:
    """One receipt for what an institution accepts of an appointment at one moment."""
    groups: dict[tuple[datetime, int, int], list[Booking]] = {}
    for planned in appointments:
        for booking in planned.bookings:
            for move in booking.moves:
                if move.action == "accept":
                    groups.setdefault((move.at, planned.id, move.institution_id or 0), []).append(booking)
    for at, appointment_id, institution_id in sorted(groups):
        group = groups[at, appointment_id, institution_id]
        (accepted,) = (move for move in group[0].moves if move.action == "accept")
        series = f"HZ{clock.day_of(at):%Y%m%d}"
        row = {
            "number": f"{series}-{writer.number(series):04}",
            "appointment_id": appointment_id,
            "institution_id": institution_id,
            "issued_at": at,
            "issued_by_id": accepted.by and accepted.by.id,
            "note": accepted.note,
        }
        id = writer.add(Receipt, row)
        for booking in group:
            booking.receipt_id = id


def _deadlines(writer: Writer) -> Callable[[DeliveryMode, date], date]:
    @cache
    def due_on(mode: DeliveryMode, begun_on: date) -> date:
        return workdays.verification_deadline(writer.session, mode, begun_on).day

    return due_on


@dataclass
class Desk:
    """Writes the lines of one booking after another, and keeps how each instrument stands meanwhile."""

    writer: Writer
    diary: Diary
    bureau: Bureau
    random: Random
    standing: dict[int, Standing]
    due_on: Callable[[DeliveryMode, date], date]

    def write(self, appointment_id: int, booking: Booking) -> None:
        """Each line with its history and, where there is one, its result."""
        status, moves = walk(Subject.line, booking.moves)
        result = self._result(booking) if status == LineStatus.completed else None
        shared = self._shared(appointment_id, booking, status)
        for line_id, instrument_id in enumerate(booking.batch.ids, start=booking.first_line_id):
            before = self.standing.get(instrument_id) or Standing(booking.batch.valid_until)
            snapshot = booking.batch.snapshot(instrument_id, before.valid_until)
            line = {"id": line_id, "instrument_id": instrument_id, "snapshot": snapshot}
            self.writer.add(AppointmentLine, line | shared)
            remark = ""
            if result:
                remark = self._write_result(booking, result, line_id, instrument_id, before)
            self._write_history(line_id, moves, remark)

    def _shared(self, appointment_id: int, booking: Booking, status: LineStatus) -> Row:
        batch, begun_on = booking.batch, booking.begun_on
        mode = batch.article.delivery_mode
        return {
            "appointment_id": appointment_id,
            "status": status,
            "moved_at": booking.moves[-1].at,
            "kind_id": batch.kind_id,
            "division_code": batch.division_code,
            "delivery_mode": mode,
            "institution_id": booking.institution_id,
            "unassigned_reason": booking.reason,
            "receipt_id": booking.receipt_id,
            "planned_from": booking.visit[0],
            "planned_until": booking.visit[1],
            "begun_on": begun_on,
            "due_on": begun_on and self.due_on(mode, begun_on),
        }

    def _write_history(self, line_id: int, moves: list[Row], remark: str) -> None:
        rows = [row | {"subject_id": line_id} for row in moves]
        # A result's remark is the note of the last move, as when it is recorded on screen.
        rows[-1]["note"] = remark or rows[-1]["note"]
        for row in rows:
            self.writer.add(StatusChange, row)

    def _result(self, booking: Booking) -> Row:
        """What the results of one booking have in common."""
        kind, last = booking.batch.kind, booking.moves[-1]
        verifier, checker = self.random.sample(self.bureau.charters[booking.institution_id or 0].verifiers, 2)
        return {
            "institution_id": booking.institution_id,
            "verified_on": booking.verified_on,
            "regulation": (kind.regulations.split("；")[0] if kind else "") or REGULATION,
            "verifier": verifier,
            "checker": checker,
            "measurement_standard": f"{kind.category if kind else ''}检定装置",
            "attachment_id": None,
            "recorded_at": last.at,
            "recorded_by_id": last.by and last.by.id,
        }

    def _write_result(
        self, booking: Booking, result: Row, line_id: int, instrument_id: int, before: Standing
    ) -> str:
        """The verification, and the ledger moved by it; returns its remark."""
        verified_on = result["verified_on"]
        is_rejected = self.random.random() < booking.scenario.rejects
        conclusion = Conclusion.rejected if is_rejected else Conclusion.passed
        valid_until = None if is_rejected else booking.batch.next_valid_until(verified_on)
        remark = FAULTY if is_rejected else ""
        own = {
            "line_id": line_id,
            "instrument_id": instrument_id,
            "verification_type": _type(before, self.random),
            "conclusion": conclusion,
            "certificate_number": self._certificate_number(booking, is_rejected),
            "valid_until": valid_until,
            "remark": remark,
        }
        self.writer.add(Verification, result | own)
        kept_until = before.valid_until if is_rejected else valid_until
        after = Standing(kept_until, verified_on, conclusion, version=before.version + 1)
        self._trace_result(instrument_id, booking.moves[-1], before, after)
        self._keep(instrument_id, self._give_up(booking, instrument_id, after) if is_rejected else after)
        return remark

    def _certificate_number(self, booking: Booking, is_rejected: bool) -> str:
        """A certificate's number, or a notice's with a T, as `verifications` gives them out."""
        code = self.bureau.charters[booking.institution_id or 0].code
        year = (booking.verified_on or self.diary.today).year
        series = f"{code}-{'T' if is_rejected else ''}{year}"
        return f"{series}-{self.writer.number(series):06}"

    def _keep(self, instrument_id: int, after: Standing) -> None:
        self.standing[instrument_id] = after
        self.writer.change(instrument_id, {field: getattr(after, field) for field in FIELDS})

    def _trace_result(self, instrument_id: int, move: Move, before: Standing, after: Standing) -> None:
        fields = ["verified_on", "conclusion"]
        if after.conclusion == Conclusion.passed:
            fields.append("valid_until")
        changes = {field: [_plain(getattr(before, field)), _plain(getattr(after, field))] for field in fields}
        by_id = move.by.id if move.by else 0
        ledger.trace(self.writer, instrument_id, move.at, by_id, "登记检定结果", changes)

    def _give_up(self, booking: Booking, instrument_id: int, after: Standing) -> Standing:
        """Half of those that failed a while ago are scrapped or out of use; the others are still used."""
        day = clock.day_of(booking.moves[-1].at) + timedelta(self.random.randint(2, 12))
        if not booking.is_last or self.random.random() < 0.5:
            return after
        action = self.random.choice(("scrap", "take_out_of_use"))
        at = moment(self.diary.opened(day), slot=5)
        if clock.day_of(at) >= self.diary.today:
            return after
        move = Move(action, at, booking.batch.owner.account, note=BEYOND_REPAIR)
        status, rows = walk(Subject.instrument, [move], after.status)
        for row in rows:
            ledger.write_move(self.writer, instrument_id, row)
        return Standing(after.valid_until, after.verified_on, after.conclusion, status, after.version + 1)


def _type(before: Standing, random: Random) -> VerificationType:
    """The first, one after a repair (always once it had failed, now and then otherwise), or a later one."""
    if before.verified_on is None and before.valid_until is None:
        return VerificationType.initial
    if before.conclusion == Conclusion.rejected or random.random() < 0.03:
        return VerificationType.after_repair
    return VerificationType.subsequent


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else getattr(value, "name", value)
