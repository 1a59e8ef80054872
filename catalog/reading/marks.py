"""What the markup of a sheet says about its cells beyond their values."""

import re
from dataclasses import dataclass, field

from catalog.reading.contents import Fault

Place = tuple[int, int]
# First row, first column, last row, last column, all counted from 0.
Area = tuple[int, int, int, int]


@dataclass
class Marks:
    """Cells of a sheet that are not what their values say; rows and columns are counted from 0.

    `faults` are cells that cannot be believed. `shown` is the text a reader sees where a number's format adds
    to it (00123, 0.5%), for columns of text. `merged` are the merged areas.
    """

    faults: dict[int, dict[int, Fault]] = field(default_factory=dict)
    shown: dict[int, dict[int, str]] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)
    hidden_rows: int = 0
    has_hidden_columns: bool = False
    is_filtered: bool = False

    def notes(self) -> list[str]:
        """What a person should know about the sheet as it was read."""
        found = []
        if self.is_filtered:
            found.append("工作表设有筛选，被筛掉的行也已读取")
        elif self.hidden_rows:
            found.append(f"有 {self.hidden_rows} 个隐藏的行，也已读取")
        if self.has_hidden_columns:
            found.append("有隐藏的列，也已读取")
        return found


# Formats that a workbook uses by their number alone.
BUILT_IN = {9: "0%", 10: "0.00%"}
# A format of digits between fixed words: 000000, "HY"0000, 0.0%, General"级".
LITERAL = r'(?:"[^"]*"|\\.|[-/ ()（）]|[\u4e00-\u9fff])*'
NUMBER_FORMAT = re.compile(rf"({LITERAL})(General|[#0]+)(?:\.([0#]+))?(%?)({LITERAL})")
# Colors, and spaces as wide as a character.
UNSEEN = re.compile(r"\[[^\]]*\]|_.")
UNQUOTED = re.compile(r'"([^"]*)"|\\(.)')


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a number of the sheet is shown where that adds something to its digits."""

    before: str
    digits: int
    decimals: int
    is_percent: bool
    after: str

    def show(self, number: float) -> str:
        """The number as a reader of the sheet sees it, never with fewer digits than it has."""
        number = float(f"{number * 100:.15g}") if self.is_percent else number
        fixed = f"{number:.{self.decimals}f}"
        digits = fixed if float(fixed) == number else f"{number:.15g}"
        point = len(digits.lstrip("-")) - len(digits.lstrip("-").split(".")[0])
        sign = "-" if digits.startswith("-") else ""
        padded = digits.lstrip("-").zfill(self.digits + point)
        return f"{sign}{self.before}{padded}{'%' if self.is_percent else ''}{self.after}"


def number_format(code: str) -> NumberFormat | None:
    """What Excel's format `code` adds to a number: zeros in front, %, words; None if nothing or not known."""
    found = NUMBER_FORMAT.fullmatch(UNSEEN.sub("", code.split(";")[0]).strip())
    if not found:
        return None
    before, digits, decimals, percent, after = found.groups()
    words = [UNQUOTED.sub(r"\1\2", words) for words in (before, after)]
    width = digits.count("0") if digits != "General" else 1
    if width < 2 and not percent and not any(words):
        return None
    return NumberFormat(words[0], width, (decimals or "").count("0"), bool(percent), words[1])
