"""Appointment lines as their owner reads them: where each one stands, why, and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from db import appointment_lines, clock
from db.engine import Session
from db.models import DeliveryMode, LineStatus, UnassignedReason
from pages.parts import lines, tables

# What happens next to a line without an institution, or what its owner can do about it.
NEXT = {
    UnassignedReason.no_kind: "请在台账中补填器具种别，补填后自动指派",
    UnassignedReason.no_division: "请在台账中补填使用地点行政区划，补填后自动指派",
    UnassignedReason.no_institution: "授权后自动指派，急需请联系监管人员",
    UnassignedReason.authorization_expired: "续期后自动指派，急需请联系监管人员",
    UnassignedReason.institution_suspended: "恢复业务后自动指派，急需请联系监管人员",
    UnassignedReason.handed_back: "请联系监管人员人工指派",
}


def advice(line: Any, note: str = "") -> str:
    """What the owner should know about a line in its status; `note` is what was said in its newest move."""
    match line.status:
        case LineStatus.unassigned:
            reason = line.unassigned_reason
            return f"{reason}；{NEXT[reason]}" if reason else "正在等待指派"
        case LineStatus.assigned if line.delivery_mode == DeliveryMode.brought_in:
            return "可以送检；建议先等技术机构受理并约定日期"
        case LineStatus.assigned:
            return "等待技术机构受理并约定上门日期"
        case LineStatus.accepted if line.planned_until and line.planned_until < clock.today():
            return "约定日期已过，请联系技术机构改期"
        case LineStatus.accepted if line.delivery_mode == DeliveryMode.brought_in:
            return "请按约定日期送检"
        case LineStatus.accepted:
            return "请等待技术机构上门检定"
        case LineStatus.in_verification:
            return f"最迟 {line.due_on:%Y-%m-%d} 完成" if line.due_on else ""
        case LineStatus.completed:
            return f"{line.conclusion or ''} {line.certificate_number or ''}".strip()
    return f"{note}（可重新预约）" if line.status == LineStatus.declined and note else note


def shown(line: Any, note: str = "") -> dict[str, Any]:
    """A line for a table, its instrument as it was when booked; the row itself under `line`."""
    return {
        **line.snapshot,
        **line._mapping,
        "line": line,
        "institution": line.institution or "尚未分配",
        "plan": lines.plan(line),
        "advice": advice(line, note),
    }


def found(
    session: Session, filters: appointment_lines.Filters, *, by: Any, number: int = 1, size: int = 100
) -> list[dict[str, Any]]:
    """One page of the lines that match, as `shown`, each with what was said in its newest move."""
    rows = appointment_lines.page(session, filters, by=by, number=number, size=size)
    moves = appointment_lines.newest_moves(session, [row.id for row in rows], by=by)
    return [shown(row, moves[row.id].note if row.id in moves else "") for row in rows]


def version(rows: Sequence[Mapping[str, Any]]) -> int:
    """A number that changes when a row comes, goes or moves, for the key of a table to pick from."""
    return hash(tuple((row["id"], row["status"]) for row in rows))


def picked(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    key: str,
    alt: str,
    is_many: bool = True,
    height: int | None = None,
) -> list[Any]:
    """The lines picked from a table of them, at most `height` pixels high."""
    whole = 38 + 35 * len(rows)
    tall: int | Literal["auto"] = min(whole, height) if height else "auto"
    chosen = tables.choosing(rows, columns, f"{key}-{version(rows)}", alt, is_many, height=tall)
    return [row["line"] for row in chosen]
