"""What was typed, checked field by field, with one Chinese sentence for each that is wrong."""

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from catalog.identifiers import IdentifierError
from db.errors import HIDDEN, Refused

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
EARLIEST = date(1950, 1, 1)
LATEST = date(2099, 12, 31)
# Letters of any script, with the planes that newer ideographs come from; and what stands between them.
LETTER = "[^\\W\\d_]|[\U00020000-\U0003ffff]"
PERSON = re.compile(f"(?:{LETTER})(?:{LETTER}|[ \u3000·•・‧.'’-])*")


class Form:
    """Collects what is wrong with a form, so that all of it is said at once.

    Each method returns the value to store and notes a problem under the field's name; `done` raises.
    `suggestions` holds what was probably meant, to be offered and never taken silently.
    """

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}
        self.suggestions: dict[str, str] = {}

    def text(self, field: str, label: str, value: Any, limit: int, required: bool = False) -> str:
        """Text of at most `limit` characters, spaces at its ends removed, without control characters."""
        if value is None:
            value = ""
        if not isinstance(value, str):
            return self._wrong(field, f"“{label}”应为文字", "")
        value = value.strip()
        if HIDDEN.search(value):
            return self._wrong(field, f"“{label}”含有不可见的控制字符，请重新输入", "")
        if len(value) > limit:
            return self._wrong(field, f"“{label}”最多 {limit} 个字，现有 {len(value)} 个", value)
        if required and not value:
            return self._wrong(field, f"请填写“{label}”", "")
        return value

    def person(self, field: str, label: str, value: Any) -> str:
        """The name of a person, at most 60 characters, with nothing that reads as an address or a message."""
        name = self.text(field, label, value, 60, required=True)
        if name and not PERSON.fullmatch(name):
            return self._wrong(field, f"“{label}”只能填写汉字、字母、空格、“·”、“.”、“-”和“'”，请改正", "")
        return name

    def identifier(self, field: str, reader: Callable[[str], str], value: Any) -> str:
        """An identifier as `reader` (of `catalog.identifiers`) cleans it."""
        try:
            return reader(value if isinstance(value, str) else "")
        except IdentifierError as error:
            if error.suggestion:
                self.suggestions[field] = error.suggestion
            return self._wrong(field, str(error), "")

    def choice(self, field: str, label: str, enum: type[E], value: Any) -> E | None:
        """A member of `enum`, given as such or by its Chinese value."""
        try:
            return enum(value)
        except ValueError:
            return self._wrong(field, f"请选择“{label}”：{'、'.join(enum)}", None)

    def day(self, field: str, label: str, value: Any, required: bool = False) -> date | None:
        """A day between 1950 and 2099, or None where it may be empty."""
        if value is None and not required:
            return None
        if type(value) is not date:
            return self._wrong(field, f"请选择“{label}”的日期", None)
        if not EARLIEST <= value <= LATEST:
            return self._wrong(field, f"“{label}”应在 1950 年至 2099 年之间", None)
        return value

    def number(self, field: str, label: str, value: Any, low: int, high: int) -> int:
        """A whole number between `low` and `high`."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            return self._wrong(field, f"“{label}”请填 {low} 至 {high} 的整数", low)
        return value

    def say(self, field: str, sentence: str) -> None:
        """Note a problem found by a rule across fields; the first one of a field stays."""
        self.problems.setdefault(field, sentence)

    def done(self) -> None:
        """Raise Refused with every problem, if there is one."""
        if self.problems:
            raise Refused("；".join(self.problems.values()), self.problems)

    def _wrong(self, field: str, sentence: str, instead: T) -> T:
        self.say(field, sentence)
        return instead
