"""任务指派: which institution gets a line, and why none does.

For district d and kind k: the authorizations valid today for k or its whole category whose area is d,
then its prefecture, then its province; the first level with a hit wins (计量法 art. 11 and 细则 art. 13:
near-by and economical). Among several, the institution with the fewest open lines, ties by id: ours.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select, update

from catalog.divisions import parent_codes
from db import clock, reach, workflow
from db.errors import NotFound, Refused
from db.fields import Form
from db.models import (
    OPEN,
    Account,
    AppointmentLine,
    Authorization,
    Institution,
    Kind,
    LineStatus,
    Role,
    StatusChange,
    Subject,
    UnassignedReason,
)

TURNED_AWAY = ("hand_back", "reassign")
# Names the lock of `hold_rules` among all of PostgreSQL's; any number would do.
RULES_LOCK = 20_200_042


@dataclass(frozen=True)
class Rule:
    """One authorization as assignment reads it."""

    institution_id: int
    is_valid: bool
    is_suspended: bool


@dataclass
class Rules:
    """Everything needed to place many lines, read once."""

    rules: dict[tuple[str, str, int], list[Rule]] = field(default_factory=lambda: defaultdict(list))
    category_of: dict[int, int] = field(default_factory=dict)
    open_count: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    turned_away: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))

    def place(self, line: AppointmentLine) -> int | UnassignedReason:
        """The institution for one line, or the reason why there is none."""
        if line.kind_id is None:
            return UnassignedReason.no_kind
        if line.division_code is None:
            return UnassignedReason.no_division
        seen: list[Rule] = []
        for code in parent_codes(line.division_code):
            here = self.rules_at(code, line.kind_id)
            if fit := [rule.institution_id for rule in here if self._fits(rule, line)]:
                return min(fit, key=lambda id: (self.open_count[id], id))
            seen += here
        return self._reason(seen)

    def rules_at(self, code: str, kind_id: int) -> list[Rule]:
        """The authorizations for exactly this area, for the kind or for its category."""
        return [
            *self.rules.get((code, "kind", kind_id), ()),
            *self.rules.get((code, "category", self.category_of[kind_id]), ()),
        ]

    def _fits(self, rule: Rule, line: AppointmentLine) -> bool:
        return (
            rule.is_valid and not rule.is_suspended and rule.institution_id not in self.turned_away[line.id]
        )

    def _reason(self, seen: Sequence[Rule]) -> UnassignedReason:
        valid = [rule for rule in seen if rule.is_valid]
        if any(not rule.is_suspended for rule in valid):
            return UnassignedReason.handed_back
        if valid:
            return UnassignedReason.institution_suspended
        return UnassignedReason.authorization_expired if seen else UnassignedReason.no_institution


def rules(session: Session, lines: Iterable[AppointmentLine], today: date) -> Rules:
    """Read what placing these lines takes: four queries, however many lines."""
    lines = list(lines)
    codes = {code for line in lines if line.division_code for code in parent_codes(line.division_code)}
    found = Rules(category_of=dict(session.execute(sa.select(Kind.id, Kind.category_id)).all()))
    granted = (
        sa.select(Authorization, Institution.is_suspended)
        .join(Institution, col(Authorization.institution_id) == Institution.id)
        .where(col(Authorization.division_code).in_(codes), col(Authorization.revoked_at).is_(None))
    )
    for row in session.execute(granted):
        one: Authorization = row.Authorization
        key: tuple[str, Any] = ("kind", one.kind_id) if one.kind_id else ("category", one.category_id)
        is_valid = one.valid_from <= today <= one.valid_until
        found.rules[one.division_code, *key].append(Rule(one.institution_id, is_valid, row.is_suspended))
    load = (
        sa.select(AppointmentLine.institution_id, func.count())
        .where(col(AppointmentLine.status).in_(OPEN), col(AppointmentLine.institution_id).is_not(None))
        .group_by(AppointmentLine.institution_id)
    )
    found.open_count.update(dict(session.execute(load).all()))
    for line_id, institution_id in _turned_away(session, [line.id for line in lines]):
        found.turned_away[line_id].add(institution_id)
    return found


def _turned_away(session: Session, line_ids: Sequence[int]) -> Iterable[tuple[int, int]]:
    rows = sa.select(StatusChange.subject_id, StatusChange.institution_id).where(
        col(StatusChange.subject) == Subject.line,
        col(StatusChange.subject_id).in_(line_ids),
        col(StatusChange.action).in_(TURNED_AWAY),
        col(StatusChange.institution_id).is_not(None),
    )
    return session.execute(rows).all()


def hold_rules(session: Session, are_changing: bool = False) -> None:
    """Let whoever places lines wait for whoever changes authorizations, so that no line misses the change.

    Held until the transaction ends; for PostgreSQL, as SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock if are_changing else func.pg_advisory_xact_lock_shared
        session.execute(sa.select(lock(RULES_LOCK)))


def assign(session: Session, lines: Sequence[AppointmentLine]) -> int:
    """Place unassigned lines, or write why they stay; returns how many found an institution."""
    if not lines:
        return 0
    hold_rules(session)
    known = rules(session, lines, clock.today())
    groups: dict[int, list[AppointmentLine]] = defaultdict(list)
    reasons: dict[UnassignedReason, list[int]] = defaultdict(list)
    for line in lines:
        placed = known.place(line)
        if isinstance(placed, UnassignedReason):
            if line.unassigned_reason != placed:
                reasons[placed].append(line.id)
        else:
            groups[placed].append(line)
            known.open_count[placed] += 1
    for institution_id, group in groups.items():
        _hand_over(session, group, "assign", institution_id, None)
    for reason, ids in reasons.items():
        here = col(AppointmentLine.id).in_(ids)
        session.exec(update(AppointmentLine).where(here).values(unassigned_reason=reason))
    return sum(map(len, groups.values()))


def _hand_over(
    session: Session,
    lines: Sequence[AppointmentLine],
    action: str,
    institution_id: int,
    by: Account | None,
    note: str = "",
) -> None:
    workflow.move(
        session,
        Subject.line,
        lines,
        action,
        by,
        note,
        concerning_id=institution_id,
        institution_id=institution_id,
        unassigned_reason=None,
    )


def run_again(session: Session) -> int:
    """Try every unassigned line again, as after a change of authorizations or institutions."""
    waiting = (
        select(AppointmentLine)
        .where(AppointmentLine.status == LineStatus.unassigned)
        .order_by(col(AppointmentLine.id))
        # A line that someone holds is being placed, or will be when its holder assigns it.
        .with_for_update(skip_locked=True)
    )
    return assign(session, session.exec(waiting).all())


@dataclass(frozen=True)
class Candidate:
    """An institution a supervisor may choose by hand: its load, and what speaks for or against it."""

    institution_id: int
    name: str
    open_count: int
    is_authorized: bool
    note: str


def candidates(session: Session, line_id: int, *, by: Account) -> list[Candidate]:
    """Every institution that is not suspended, the authorized ones first, then by open lines."""
    return shared_candidates(session, [line_id], by=by)


def shared_candidates(session: Session, line_ids: Sequence[int], *, by: Account) -> list[Candidate]:
    """Candidates for several lines at once: authorized are those that may verify every one of them.

    Raises NotFound for lines outside the asker's reach.
    """
    reach.allow(by, Role.supervisor)
    here = select(AppointmentLine).where(col(AppointmentLine.id).in_(line_ids), reach.lines(by))
    lines = session.exec(here.order_by(col(AppointmentLine.id))).all()
    if not lines or len(lines) != len(set(line_ids)):
        raise NotFound("预约器具")
    known = rules(session, lines, clock.today())
    placed = [_authorized_ids(known, line) for line in lines]
    rows = select(Institution).where(~col(Institution.is_suspended)).order_by(col(Institution.id))
    found = [
        Candidate(
            institution_id=row.id,
            name=row.name,
            open_count=known.open_count[row.id],
            is_authorized=all(row.id in ids for ids in placed),
            note=_remark(row.id, placed, [known.turned_away[line.id] for line in lines]),
        )
        for row in session.exec(rows)
    ]
    return sorted(found, key=lambda one: (not one.is_authorized, one.open_count, one.institution_id))


def _authorized_ids(known: Rules, line: AppointmentLine) -> set[int]:
    if line.kind_id is None or line.division_code is None:
        return set()
    levels = (known.rules_at(code, line.kind_id) for code in parent_codes(line.division_code))
    return {
        rule.institution_id for level in levels for rule in level if rule.is_valid and not rule.is_suspended
    }


def _remark(institution_id: int, placed: Sequence[set[int]], turned_away: Sequence[set[int]]) -> str:
    """What speaks for or against an institution, given who is authorized for, and has given up, each line."""
    if gave_up := sum(institution_id in ids for ids in turned_away):
        return "曾退回或转出" + ("此器具" if len(placed) == 1 else f"其中 {gave_up} 台")
    fit = sum(institution_id in ids for ids in placed)
    if fit == len(placed):
        return "授权范围内"
    return f"只有 {fit} 台在授权范围内，指派前请确认" if fit else "无此项授权，指派前请确认"


def assign_by_hand(
    session: Session, line_ids: Sequence[int], institution_id: int, *, by: Account, reason: str
) -> Institution:
    """人工指派: a supervisor places lines the rules could not, with a reason.

    Raises Refused, NotFound, or Conflict when one of the lines has moved.
    """
    reach.allow(by, Role.supervisor)
    lines = reach.held_lines(session, line_ids, by)
    institution = session.get(Institution, institution_id)
    if institution is None or institution.is_suspended:
        raise Refused("请选择一个未暂停业务的技术机构")
    form = Form()
    note = form.text("reason", "理由", reason, 500)
    form.done()
    _hand_over(session, lines, "assign_by_hand", institution.id, by, note)
    return institution
