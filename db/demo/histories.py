"""Histories written by walking the workflow table, so that they cannot disagree with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db import workflow
from db.models import Account, Subject


@dataclass(frozen=True, slots=True)
class Move:
    """One act: by whom (None: the system or an applicant), when, about which institution, and why."""

    action: str
    at: datetime
    by: Account | None = None
    institution_id: int | None = None
    note: str = ""


def walk(subject: Subject, moves: Iterable[Move], status: Any = None) -> tuple[Any, list[dict[str, Any]]]:
    """The status `moves` lead to from `status`, and the history's rows without `subject_id`.

    Raises ValueError for a move the table does not have, or does not let this account make.
    """
    rows = []
    for move in moves:
        step = _step(subject, move, status)
        rows.append(
            {
                "subject": subject,
                "action": step.action,
                "source": step.source and step.source.name,
                "target": step.target.name,
                "at": move.at,
                "by_id": move.by and move.by.id,
                "institution_id": move.institution_id,
                "note": move.note,
            }
        )
        status = step.target
    return status, rows


def _step(subject: Subject, move: Move, status: Any) -> workflow.Step:
    for step in workflow.steps_of(subject, move.action):
        may = move.by.role in step.roles if move.by else not step.roles
        if step.source == status and may and step.obstacle(move.note) is None:
            return step
    raise ValueError(
        f"the workflow has no {subject.name} {move.action} from {status} by {move.by and move.by.role}"
    )
