"""How bookings go: the acts after 提交申请, how long each is waited for, and how long ago the last one was.

任务指派 is not among them: it follows by the rules wherever a line comes to wait for it.
"""

from dataclasses import dataclass
from datetime import date
from random import Random

from db.demo.diary import Diary

Span = tuple[int, int]


@dataclass(frozen=True)
class Scenario:
    """`actions` with days of `waits` before each; the last act was `age` days ago.

    `visit` is the agreed time of lines not begun, in days from today; `rejects` the share that fails.
    """

    weight: int
    age: Span
    actions: tuple[str, ...] = ()
    waits: tuple[Span, ...] = ()
    visit: Span = (0, 0)
    rejects: float = 0.04

    def days(self, diary: Diary, random: Random) -> list[date]:
        """The working days of 提交申请 and of each act, counted back from the last."""
        ago = random.randint(*self.age)
        found = [ago]
        for wait in reversed(self.waits):
            ago += random.randint(*wait)
            found.insert(0, ago)
        return [diary.worked(diary.ago(days)) for days in found]

    @property
    def is_done(self) -> bool:
        """Whether it ends with a result."""
        return self.actions[-1:] == ("complete",)


SOON, VISITED, TESTED = (1, 4), (1, 8), (0, 14)
YEAR = (2, 355)

ACCEPT, BEGIN, COMPLETE = ("accept",), ("accept", "begin"), ("accept", "begin", "complete")
FRESH = Scenario(14, (1, 3))
UNANSWERED = Scenario(8, (20, 32))
EXPECTED = Scenario(20, (1, 6), ACCEPT, (SOON,), visit=(1, 12))
MISSED = Scenario(8, (16, 24), ACCEPT, (SOON,), visit=(-9, -5))
UNDER_WAY = Scenario(20, (1, 9), BEGIN, (SOON, VISITED))
OVERRUN = Scenario(8, (46, 56), BEGIN, (SOON, VISITED))
RETURNED = Scenario(4, (1, 5), ("hand_back",), (SOON,))
TRANSFERRED = Scenario(3, (1, 5), ("reassign",), (SOON,))
RETURNED_ACCEPTED = Scenario(4, (1, 5), ("hand_back", "accept"), (SOON, SOON), visit=(2, 9))
RECENT = (FRESH, UNANSWERED, EXPECTED, MISSED, UNDER_WAY, OVERRUN, RETURNED, TRANSFERRED, RETURNED_ACCEPTED)

DONE = Scenario(80, YEAR, COMPLETE, (SOON, VISITED, TESTED))
DONE_LATE = Scenario(4, YEAR, COMPLETE, (SOON, VISITED, (34, 50)))
DONE_ELSEWHERE = Scenario(2, YEAR, ("hand_back", *COMPLETE), (SOON, SOON, VISITED, TESTED))
CANCELED = Scenario(5, YEAR, ("cancel",), (SOON,))
DECLINED = Scenario(4, YEAR, ("decline",), (SOON,))
TERMINATED = Scenario(2, YEAR, ("accept", "terminate"), (SOON, VISITED), visit=(-9, -5))
PAST = (DONE, DONE_LATE, DONE_ELSEWHERE, CANCELED, DECLINED, TERMINATED)

# What the first enterprise, a hospital, shows of everything: kind, place of use (None: its own), scenario.
FAILED = Scenario(0, (25, 40), COMPLETE, (SOON, VISITED, TESTED), rejects=1.0)
DONE_LATELY = Scenario(0, (5, 30), COMPLETE, (SOON, VISITED, TESTED), rejects=0.0)
LATELY_CANCELED = Scenario(0, (3, 20), ("cancel",), (SOON,))
LATELY_DECLINED = Scenario(0, (3, 20), ("decline",), (SOON,))
LATELY_TERMINATED = Scenario(0, (3, 20), ("accept", "terminate"), (SOON, VISITED), visit=(2, 6))


@dataclass(frozen=True)
class Case:
    """A batch of the first enterprise that is there in every demo large enough."""

    kind_code: str
    scenario: Scenario
    division_code: str = ""
    lacks: str = ""


CASES = (
    Case("92001", DONE_LATELY),
    Case("92001", FRESH),
    Case("92001", EXPECTED),
    Case("92001", UNDER_WAY),
    Case("92701", FRESH),
    Case("91101", FRESH, lacks="kind"),
    Case("91101", FAILED),
    Case("92001", LATELY_CANCELED),
    Case("92001", LATELY_DECLINED),
    Case("92001", FRESH, lacks="division_code"),
    Case("92501", FRESH),
    Case("92101", FRESH, division_code="330127"),
    Case("92601", RETURNED),
    Case("91101", UNANSWERED),
    Case("92201", OVERRUN),
    Case("91101", MISSED),
    Case("92001", RETURNED),
    Case("92301", TRANSFERRED),
    Case("91101", LATELY_TERMINATED),
    Case("90101", DONE_LATELY),
)
