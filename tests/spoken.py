"""What the page of the audit log would have to show in English."""

from collections.abc import Iterator, Mapping
from typing import Any

from db.audit_words import LABELS, SUBJECTS


def unnamed(
    action: str,
    *,
    subject: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **_: Any,
) -> set[str]:
    """The words of an entry, as `audit.record` is given them, that have no Chinese."""
    columns = {name for said in (before, after) for name in _names(said or {})}
    words = {action} | ({subject} - {"", *SUBJECTS}) | (columns - set(LABELS))
    return {word for word in words if word.isascii()}


def _names(said: Mapping[str, Any]) -> Iterator[str]:
    for name, value in said.items():
        yield name
        if isinstance(value, Mapping):
            yield from _names(value)
