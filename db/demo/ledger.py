"""The ledgers: instruments bought, entered and expiring by the batch, so that a million fit in memory."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from catalog.divisions import full_name
from db import instrument_fields, search, workflow
from db.demo.articles import Article, articles, origin_of
from db.demo.bureau import DISTRICTS
from db.demo.diary import Diary, moment
from db.demo.histories import Move, walk
from db.demo.people import Owner
from db.demo.writing import Writer
from db.models import (
    Instrument,
    InstrumentChange,
    InstrumentStatus,
    InstrumentType,
    StatusChange,
    Subject,
    VerificationMode,
)
from db.reference import KindRow
from db.verifications import default_valid_until, months_later

MOST_IN_BATCH = 9
TAKEN_OVER = "由原台账转入，信息待补全"
# What certificates say where the catalog gives no interval: a spread, so that none is implied.
SPREAD, METER_SPREAD = (6, 12, 24), (60, 72, 96)
FIRST_ONLY = (VerificationMode.first_only_scrap, VerificationMode.first_only_rotate)
FAULT, SPARE, OLD = "示值不稳，待修理", "备用，暂不使用", "使用年限已到，不再修理"
IDLE = (
    (("take_out_of_use", FAULT),),
    (("store", SPARE),),
    (("scrap", OLD),),
    (("take_out_of_use", FAULT), ("resume", "")),
    (("store", SPARE), ("scrap", OLD)),
)


@dataclass(slots=True)
class Batch:
    """Instruments of one kind that an enterprise bought together: alike but for their serial numbers.

    `valid_until` is what was filled in at first, `months` the validity of its certificates (None: no end).
    """

    owner: Owner
    kind: KindRow | None
    article: Article
    plate: tuple[str, ...]
    manufacturer: str
    location: str
    division_code: str | None
    size: int
    first_serial: int
    months: int | None
    purchased_on: date
    entered_on: date
    valid_until: date | None
    idle: tuple[tuple[str, str], ...] = ()
    first_id: int = 0

    @property
    def ids(self) -> range:
        """The ids of its instruments."""
        return range(self.first_id, self.first_id + self.size)

    @property
    def kind_id(self) -> int | None:
        """The id of its kind, where it is known."""
        return self.kind.id if self.kind else None

    @property
    def is_first_only(self) -> bool:
        """Whether its kind is verified once, when new."""
        return self.kind is not None and self.kind.verification_mode in FIRST_ONLY

    def next_valid_until(self, verified_on: date) -> date | None:
        """有效期至 of a pass: as the catalog says, else as the certificates of this batch do."""
        if self.kind and (until := default_valid_until(self.kind, verified_on)):
            return until
        return months_later(verified_on, self.months) - timedelta(1) if self.months else None

    def values(self, id: int) -> dict[str, Any]:
        """The ledger row of one of its instruments, without its state."""
        number = self.first_serial + id - self.first_id
        return {
            "name": self.article.name,
            "specification": self.plate[0],
            "measuring_range": self.plate[1],
            "accuracy_class": self.plate[2],
            "serial_number": self.article.serial.format(number),
            "manufacturer": self.manufacturer,
            "origin": origin_of(self.manufacturer),
            "division_code": self.division_code,
            "location": self.location,
            "purchased_on": self.purchased_on,
            "quantity": 1,
            "purpose": self.article.purpose,
            "delivery_mode": self.article.delivery_mode,
            "valid_until": self.valid_until,
            "remark": "" if self.kind and self.division_code else TAKEN_OVER,
        }

    def snapshot(self, id: int, valid_until: date | None) -> dict[str, Any]:
        """What an appointment keeps of one instrument, as `ledger.snapshots` would give it."""
        names = {
            "category": self.kind and self.kind.category,
            "kind": self.kind and self.kind.name,
            "division": self.division_code and full_name(self.division_code),
        }
        values = self.values(id) | {"valid_until": valid_until}
        kept = (field for field in instrument_fields.LABELS if field in values)
        return names | {field: _plain(values[field]) for field in kept}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else getattr(value, "value", value)


def draw(owner: Owner, code: str | None, kinds: dict[str, KindRow], size: int, random: Random) -> Batch:
    """A batch of a kind of the owner's trade (`code` names one); its days are still to be set."""
    if code is None:
        (code,) = random.choices(list(owner.sector.kinds), list(owner.sector.kinds.values()))
    article = random.choice(articles()[code])
    kind = kinds[code]
    nowhere = date.min
    return Batch(
        owner=owner,
        kind=kind,
        article=article,
        plate=random.choice(article.plates),
        manufacturer=random.choice(article.manufacturers),
        location=random.choice(article.locations),
        division_code=_place_of_use(owner, random),
        size=size,
        first_serial=random.choice((random.randint(1, 900), random.randint(1000, 98_000))),
        months=_months(kind, random),
        purchased_on=nowhere,
        entered_on=nowhere,
        valid_until=None,
    )


def _place_of_use(owner: Owner, random: Random) -> str:
    """Mostly where the enterprise is; some have branches."""
    return owner.enterprise.division_code if random.random() < 0.85 else random.choice(DISTRICTS)


def _months(kind: KindRow, random: Random) -> int | None:
    if kind.verification_mode == VerificationMode.first_only_scrap:
        return None
    if kind.verification_mode == VerificationMode.first_only_rotate:
        return kind.limit_of_use_months or random.choice(METER_SPREAD)
    return kind.interval_months or random.choice(SPREAD)


def enter_unbooked(batch: Batch, diary: Diary, random: Random) -> None:
    """Set the days of a batch that nobody books: with a certificate from elsewhere, some overdue."""
    if batch.months is None:
        return _enter_new(batch, diary.ago(random.randint(30, 1500)), diary, random)
    left = -random.randint(1, 150) if random.random() < 0.06 else random.randint(0, batch.months * 30 - 2)
    verified_on = months_later(diary.today + timedelta(left + 1), -batch.months)
    if batch.is_first_only:
        return _enter_new(batch, verified_on, diary, random)
    most = min(20, max(1, (diary.ago(1) - verified_on).days))
    _enter(batch, verified_on + timedelta(random.randint(1, most)), diary)
    batch.purchased_on = min(verified_on, batch.entered_on) - timedelta(random.randint(20, 2500))
    batch.valid_until = batch.next_valid_until(verified_on)


def _enter_new(batch: Batch, bought_on: date, diary: Diary, random: Random) -> None:
    _enter(batch, bought_on + timedelta(random.randint(5, 60)), diary)
    batch.purchased_on = min(bought_on, batch.entered_on)
    batch.valid_until = batch.next_valid_until(bought_on)


def enter_booked(batch: Batch, booked_on: date, diary: Diary, random: Random) -> None:
    """Set the days of a batch booked on `booked_on`: because it is new, or its certificate runs out."""
    if batch.is_first_only or batch.months is None or random.random() < 0.12:
        _enter(batch, booked_on - timedelta(random.randint(1, 12)), diary)
        batch.purchased_on = batch.entered_on - timedelta(random.randint(2, 40))
        return
    due = booked_on + timedelta(random.randint(-15, 40))
    verified_on = months_later(due + timedelta(1), -batch.months)
    _enter(batch, min(verified_on + timedelta(random.randint(1, 20)), booked_on - timedelta(1)), diary)
    batch.purchased_on = min(verified_on, batch.entered_on) - timedelta(random.randint(20, 2500))
    batch.valid_until = batch.next_valid_until(verified_on)


def _enter(batch: Batch, day: date, diary: Diary) -> None:
    """Entered on `day`, but after the enterprise was registered and before today."""
    batch.entered_on = min(max(day, batch.owner.registered_on + timedelta(1)), diary.ago(1))


def strip(batch: Batch, random: Random) -> None:
    """Make a batch one taken over from elsewhere: without its kind, or without its place of use."""
    if random.random() < 0.5:
        batch.kind = None
    else:
        batch.division_code = None


def write(writer: Writer, diary: Diary, batches: list[Batch], random: Random) -> None:
    """Number the batches by the day they were entered, and write their instruments with their trace."""
    batches.sort(key=lambda batch: batch.entered_on)
    id = 1
    for batch in batches:
        batch.first_id = id
        id += batch.size
    for batch in batches:
        _write(writer, diary, batch, random)


def _write(writer: Writer, diary: Diary, batch: Batch, random: Random) -> None:
    at = moment(batch.entered_on, slot=random.randrange(5), minute=random.randrange(80))
    status, moves = _idle_moves(batch, diary, random)
    for id in batch.ids:
        values = batch.values(id)
        writer.add(
            Instrument,
            {
                "id": id,
                "version": 1 + len(moves),
                "enterprise_id": batch.owner.enterprise.id,
                "instrument_type": InstrumentType.working,
                "kind_id": batch.kind_id,
                "verified_on": None,
                "conclusion": None,
                "status": status,
                "search_text": search.text_of(values, batch.owner.enterprise.name),
                "created_at": at,
                **values,
            },
        )
        trace(writer, id, at, batch.owner.account.id, "新增", {})
        for row in moves:
            write_move(writer, id, row)


def _idle_moves(batch: Batch, diary: Diary, random: Random) -> tuple[InstrumentStatus, list[dict[str, Any]]]:
    days = (diary.ago(1) - batch.entered_on).days
    moves = []
    for place, (action, note) in enumerate(batch.idle):
        day = diary.ago(1) - timedelta(days - days * (place + 1) // (len(batch.idle) + 1))
        moves.append(Move(action, moment(day, slot=5, minute=place * 20), batch.owner.account, note=note))
    return walk(Subject.instrument, moves, InstrumentStatus.in_use)


def trace(
    writer: Writer,
    instrument_id: int,
    at: Any,
    by_id: int,
    action: str,
    changes: dict[str, Any],
    note: str = "",
) -> None:
    """One row of an instrument's history."""
    row = {"instrument_id": instrument_id, "at": at, "by_id": by_id, "action": action}
    writer.add(InstrumentChange, row | {"changes": changes, "note": note})


def write_move(writer: Writer, instrument_id: int, row: dict[str, Any]) -> None:
    """A change of an instrument's status: in the workflow's history and in its own."""
    writer.add(StatusChange, row | {"subject_id": instrument_id})
    label = workflow.label_of(Subject.instrument, row["action"])
    changes = {"status": [row["source"], row["target"]]}
    trace(writer, instrument_id, row["at"], row["by_id"], label, changes, row["note"])
