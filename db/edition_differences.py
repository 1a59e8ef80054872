"""What a new edition of a reference table would change: said before it is confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from catalog.kinds import VerificationMode
from catalog.list_books import SUPERVISION_TEXTS
from catalog.list_files import ListFile
from db import reach
from db.models import (
    OPEN,
    Account,
    AppointmentLine,
    Authorization,
    Category,
    Dataset,
    Division,
    Instrument,
    InstrumentStatus,
    Kind,
    Role,
)

LABELS = {
    Dataset.catalog: {
        "name": "器具种别",
        "category": "器具项别",
        "category_code": "项别代码",
        "supervision": "监管方式",
        "verification_mode": "检定方式",
        "verification_mode_text": "检定方式",
        "scope": "强检范围及说明",
        "interval_months": "检定周期（月）",
        "limit_of_use_months": "使用期限（月）",
        "regulations": "检定规程",
    },
    Dataset.divisions: {"name": "名称", "full_name": "全称", "parent_code": "上级代码"},
}
Rows = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """One cell of a row that stays: what it says now, and what it will say."""

    code: str
    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Retirement:
    """A code the new edition no longer has, what depends on it, and what probably takes its place."""

    code: str
    name: str
    instrument_count: int
    authorization_count: int
    line_count: int
    suggestion: str | None


@dataclass
class Difference:
    """New edition against what is in force; `added` and `changed` in the order of the codes."""

    added: list[tuple[str, str]] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    retired: list[Retirement] = field(default_factory=list)
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether the file says what is in force already."""
        return not (self.added or self.changed or self.retired)


def find(session: Session, dataset: Dataset, listed: ListFile, *, by: Account) -> Difference:
    """What a list as read would change today; for administrators."""
    reach.allow(by, Role.administrator)
    now, found = in_force(session, dataset), Difference()
    for code, row in sorted(listed.rows.items()):
        if code not in now:
            found.added.append((code, name_of(dataset, row)))
        elif cells := changes(dataset, now[code], row):
            found.changed += cells
        else:
            found.unchanged += 1
    gone = {code: row for code, row in now.items() if code not in listed.rows}
    uses = _uses(session, dataset, list(gone))
    for code, row in gone.items():
        suggestion = _suggestion(dataset, code, row, listed)
        found.retired.append(Retirement(code, name_of(dataset, row), *uses[code], suggestion))
    return found


def name_of(dataset: Dataset, row: Mapping[str, Any]) -> str:
    """What a row is called where it stands alone."""
    return str(row["full_name"] if dataset == Dataset.divisions else row["name"])


def changes(dataset: Dataset, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The cells in which two rows of one code differ, in words."""
    code, title = after["code"], name_of(dataset, after)
    return [
        Change(code, title, label, shown(name, before[name]), shown(name, after[name]))
        for name, label in LABELS[dataset].items()
        if before[name] != after[name]
    ]


def shown(name: str, value: Any) -> str:
    """A value in words; empty for none."""
    if value in (None, ""):
        return ""
    if name == "verification_mode":
        return VerificationMode[value].value
    return SUPERVISION_TEXTS.get(value, str(value)) if name == "supervision" else str(value)


def in_force(session: Session, dataset: Dataset) -> dict[str, dict[str, Any]]:
    """The rows in force, by code, as `catalog.list_files` reads them."""
    return _divisions(session) if dataset == Dataset.divisions else _kinds(session)


def _divisions(session: Session) -> dict[str, dict[str, Any]]:
    rows = session.exec(select(Division).where(col(Division.retired_on).is_(None)).order_by(Division.code))
    fields = ("code", "name", "parent_code", "full_name")
    return {
        row.code: {name: getattr(row, name) for name in fields} | {"level": row.level.name} for row in rows
    }


def _kinds(session: Session) -> dict[str, dict[str, Any]]:
    joined = select(Kind, Category).join(Category, col(Kind.category_id) == Category.id)
    rows = session.exec(joined.where(col(Kind.retired_on).is_(None)).order_by(Kind.code))
    own = ("code", "name", "supervision", "scope", "interval_months", "limit_of_use_months", "regulations")
    return {
        kind.code: {name: getattr(kind, name) for name in own}
        | {
            "category": category.name,
            "category_code": category.code,
            "verification_mode": kind.verification_mode and kind.verification_mode.name,
            # The words of a source beside a mode that is known are not in the lists.
            "verification_mode_text": "" if kind.verification_mode else kind.verification_mode_text,
        }
        for kind, category in rows
    }


def _uses(session: Session, dataset: Dataset, codes: list[str]) -> dict[str, tuple[int, int, int]]:
    """How many instruments, valid authorizations and open lines each code has."""
    conditions: tuple[tuple[Any, Any], ...] = (
        (Instrument, col(Instrument.status) != InstrumentStatus.scrapped),
        (Authorization, col(Authorization.revoked_at).is_(None)),
        (AppointmentLine, col(AppointmentLine.status).in_(OPEN)),
    )
    counts = [_counted(session, dataset, model, condition, codes) for model, condition in conditions]
    return {code: (counts[0].get(code, 0), counts[1].get(code, 0), counts[2].get(code, 0)) for code in codes}


def _counted(
    session: Session, dataset: Dataset, model: Any, condition: Any, codes: list[str]
) -> dict[str, int]:
    if dataset == Dataset.divisions:
        query = sa.select(model.division_code, func.count()).group_by(model.division_code)
        key = col(model.division_code)
    else:
        query = sa.select(Kind.code, func.count()).join(Kind, model.kind_id == Kind.id).group_by(Kind.code)
        key = col(Kind.code)
    return dict(session.execute(query.select_from(model).where(condition, key.in_(codes))).all())


def _suggestion(dataset: Dataset, code: str, row: Mapping[str, Any], listed: ListFile) -> str | None:
    """The successor the file names, else the one row of the same name near by."""
    if listed.successors.get(code) in listed.rows:
        return listed.successors[code]
    near = "category" if dataset == Dataset.catalog else "full_name"
    alike = [other for other in listed.rows.values() if other["name"] == row["name"]]
    close = [other for other in alike if other[near] == row[near]] or [
        other for other in alike if other["code"][:2] == code[:2]
    ]
    return str(close[0]["code"]) if len(close) == 1 else None
