"""Which batches are booked, when, and how it went: appointments in the order they were handed in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from db import clock
from db.assignment import TURNED_AWAY
from db.demo import ledger
from db.demo.bureau import Bureau
from db.demo.diary import Diary, moment
from db.demo.histories import Move
from db.demo.ledger import Batch
from db.demo.people import Owner
from db.demo.scenarios import DONE, FRESH, PAST, RECENT, Scenario
from db.models import Account, AppointmentLine, LineStatus, UnassignedReason

MOST_LINES = 100
# Of all batches: booked at all, and booked some time ago.
BOOKED, BOOKED_BEFORE = 0.215, 0.165
NOTES = ("", "", "", "请尽量安排在上午", "到院前请先电话联系", "器具集中存放在仓库")
REASONS = {
    "hand_back": "标准装置正在送检，暂时无法开展此项检定",
    "reassign": "原机构任务较多，为保证时限转由其他机构检定",
    "decline": "申报的规格与实物铭牌不一致，请更正台账后重新预约",
    "cancel": "设备检修，改期再约",
    "terminate": "约定日期未送检且无法联系，请重新预约",
    "assign_by_hand": "规则内没有可承检的机构，经协商由该机构承检",
}
ONLY_ONE = "全市只有该机构具备条件，请在标准装置送检返回后安排"
PLANS = ("", "请按约定日期办理，现场检请派人配合", "请携带上次的检定证书和使用说明书")
SLOTS = {
    "hand_back": 1,
    "reassign": 1,
    "cancel": 2,
    "decline": 2,
    "accept": 2,
    "begin": 3,
    "terminate": 3,
    "complete": 4,
}


@dataclass(slots=True)
class Booking:
    """One batch in one appointment: its moves, and what they leave on its lines."""

    batch: Batch
    scenario: Scenario
    days: list[date]
    is_by_hand: bool = False
    is_last: bool = True
    first_line_id: int = 0
    moves: list[Move] = field(default_factory=list)
    institution_id: int | None = None
    reason: UnassignedReason | None = None
    receipt_id: int | None = None
    visit: tuple[date | None, date | None] = (None, None)
    begun_on: date | None = None
    verified_on: date | None = None


@dataclass(slots=True)
class Planned:
    """One appointment to be: bookings of one owner, handed in together by `by` at `minute` past opening."""

    owner: Owner
    bookings: list[Booking]
    submitted_on: date
    by: Account
    minute: int
    note: str
    id: int = 0
    visits: dict[Any, tuple[date, date]] = field(default_factory=dict)

    @property
    def submitted_at(self) -> datetime:
        """The moment of 提交申请."""
        return moment(self.submitted_on, minute=self.minute)


def choose(batches: Sequence[Batch], diary: Diary, random: Random) -> list[Booking]:
    """Book about a fifth of the instruments: most in the past year, some of late, some twice."""
    made: list[Booking] = []
    for batch in batches:
        if made_for := list(_bookings(batch, diary, random)):
            made += made_for
        else:
            _leave_unbooked(batch, diary, random)
    return made


def _bookings(batch: Batch, diary: Diary, random: Random) -> Iterator[Booking]:
    chance = random.random()
    if chance >= BOOKED:
        return
    first = _booking(batch, PAST if chance < BOOKED_BEFORE else RECENT, diary, random)
    if first.days[0] <= batch.owner.registered_on + timedelta(10):
        return
    yield first
    if first.scenario is DONE and batch.months == 6 and 150 < (diary.today - first.days[-1]).days < 210:
        first.is_last = False
        yield _booking(batch, RECENT, diary, random)
    elif first.scenario is FRESH and random.random() < 0.2:
        ledger.strip(batch, random)


def _booking(batch: Batch, scenarios: Sequence[Scenario], diary: Diary, random: Random) -> Booking:
    (scenario,) = random.choices(scenarios, [scenario.weight for scenario in scenarios])
    is_by_hand = scenarios is PAST or random.random() < 0.25
    return Booking(batch, scenario, scenario.days(diary, random), is_by_hand)


def _leave_unbooked(batch: Batch, diary: Diary, random: Random) -> None:
    ledger.enter_unbooked(batch, diary, random)
    if random.random() < 0.04:
        batch.idle = random.choice(ledger.IDLE)
    elif random.random() < 0.02:
        ledger.strip(batch, random)


def gather(bookings: Sequence[Booking], bureau: Bureau, diary: Diary, random: Random) -> list[Planned]:
    """Put what an owner books in one week into appointments of at most 100 lines, the earliest first."""
    weeks: dict[tuple[int, int], list[Booking]] = {}
    for booking in bookings:
        key = (booking.batch.owner.enterprise.id, booking.days[0].toordinal() // 7)
        weeks.setdefault(key, []).append(booking)
    made = [_planned(part, bureau, random) for week in weeks.values() for part in _parts(week)]
    made.sort(key=lambda one: (one.submitted_at, one.owner.enterprise.id))
    line_id = 1
    for id, planned in enumerate(made, start=1):
        planned.id = id
        for booking in planned.bookings:
            booking.first_line_id = line_id
            line_id += booking.batch.size
            if booking.batch.entered_on == date.min:
                ledger.enter_booked(booking.batch, planned.submitted_on, diary, random)
    return made


def _parts(week: Sequence[Booking]) -> Iterator[list[Booking]]:
    part: list[Booking] = []
    count = 0
    for booking in week:
        if count + booking.batch.size > MOST_LINES:
            yield part
            part, count = [], 0
        part.append(booking)
        count += booking.batch.size
    yield part


def _planned(part: list[Booking], bureau: Bureau, random: Random) -> Planned:
    owner = part[0].batch.owner
    first = min(booking.days[0] for booking in part)
    shared: dict[Scenario, list[date]] = {}
    for booking in part:
        booking.days = shared.setdefault(booking.scenario, [first, *booking.days[1:]])
    by = bureau.staff["supervisor01"] if random.random() < 0.07 else random.choice(owner.bookers)
    return Planned(owner, part, first, by, random.randrange(80), random.choice(NOTES))


def play(planned: Planned, bureau: Bureau, diary: Diary, random: Random) -> None:
    """Let the rules place each booking of an appointment and its people act, up to the scenario's end."""
    for booking in planned.bookings:
        Play(planned, booking, bureau, diary, random).run()
        if booking.institution_id:
            bureau.load[booking.institution_id] += booking.batch.size


@dataclass
class Play:
    """One booking on its way: each act adds its move and what it leaves on the lines."""

    planned: Planned
    booking: Booking
    bureau: Bureau
    diary: Diary
    random: Random

    def run(self) -> None:
        """All of it; a line that finds no institution stays where it is."""
        planned, booking = self.planned, self.booking
        self._move("submit", planned.submitted_at, planned.by, note=planned.note)
        self._assign(planned.submitted_at)
        for action, day in zip(booking.scenario.actions, booking.days[1:], strict=True):
            if booking.institution_id is None:
                return
            self._act(action, day)

    def _act(self, action: str, day: date) -> None:
        at = moment(day, SLOTS[action], self.planned.minute)
        institution_id = self.booking.institution_id or 0
        by = {"cancel": self.planned.owner.account, "reassign": self.bureau.staff["supervisor01"]}
        note = PLANS[self.planned.minute % len(PLANS)] if action == "accept" else REASONS.get(action, "")
        clerk = self.bureau.clerks[institution_id]
        self._move(action, at, by.get(action, clerk), None if action == "cancel" else institution_id, note)
        if action in TURNED_AWAY:
            self._turn_away(at)
        elif action == "accept":
            key = (institution_id, day, self.booking.scenario)
            self.booking.visit = self.planned.visits.setdefault(key, self._visit(day))
        elif action == "begin":
            self.booking.begun_on = day
        elif action == "complete":
            measured_on = day - timedelta(self.random.randint(0, 2))
            self.booking.verified_on = max(self.booking.begun_on or day, measured_on)

    def _move(
        self, action: str, at: datetime, by: Account | None, institution_id: int | None = None, note: str = ""
    ) -> None:
        self.booking.moves.append(Move(action, at, by, institution_id, note))

    def _assign(self, at: datetime) -> None:
        placed = self._place(at)
        if not isinstance(placed, UnassignedReason):
            self.booking.institution_id = placed
            self._move("assign", at + timedelta(seconds=1), None, placed)
        elif self.booking.is_by_hand and self.booking.batch.kind and self.booking.batch.division_code:
            self._assign_by_hand(at + timedelta(minutes=40))
        else:
            self.booking.reason = placed

    def _place(self, at: datetime) -> int | UnassignedReason:
        batch = self.booking.batch
        line = AppointmentLine(
            id=self.booking.first_line_id,
            appointment_id=self.planned.id,
            instrument_id=batch.first_id,
            status=LineStatus.unassigned,
            kind_id=batch.kind_id,
            division_code=batch.division_code,
            delivery_mode=batch.article.delivery_mode,
        )
        return self.bureau.rules_on(clock.day_of(at)).place(line)

    def _assign_by_hand(self, at: datetime) -> None:
        id, supervisor = self.bureau.prefecture_id, self.bureau.staff["supervisor01"]
        has_returned = id in self.bureau.turned_away[self.booking.first_line_id]
        self.booking.institution_id = id
        self._move(
            "assign_by_hand", at, supervisor, id, ONLY_ONE if has_returned else REASONS["assign_by_hand"]
        )

    def _turn_away(self, at: datetime) -> None:
        self.bureau.turned_away[self.booking.first_line_id].add(self.booking.institution_id or 0)
        self.booking.institution_id = None
        self._assign(at)

    def _visit(self, day: date) -> tuple[date, date]:
        """The agreed days: around the act that follows where there is one, else as the scenario says."""
        scenario = self.booking.scenario
        place = scenario.actions.index("accept") + 1
        if place < len(scenario.actions):
            following = self.booking.days[place + 1]
            spare = self.random.randint(0, 3) if scenario.actions[place] == "begin" else 0
            return max(day, following - timedelta(2)), self.diary.opened(following + timedelta(spare))
        days = self.random.randint(*scenario.visit)
        agreed = self.diary.ago(-days)
        until = max(day, self.diary.opened(agreed) if days > 0 else self.diary.worked(agreed))
        return max(day, self.diary.worked(until - timedelta(2))), until
