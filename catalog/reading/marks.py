"""What the markup of a sheet says about its cells beyond their values."""

import re
from dataclasses import dataclass, field
from typing import Protocol

from catalog.reading.cells import Raw, fault, text
from catalog.reading.contents import Fault

Place = tuple[int, int]
# First row, first column, last row, last column, all counted from 0.
Area = tuple[int, int, int, int]


@dataclass
class Marks:
    """Cells of a sheet that are not what their values say; rows and columns are counted from 0.

    `faults` are cells that cannot be believed. `values` are what cells hold that calamine reads as something
    else. `shown` is the text a reader sees where a number's format adds
    to it (00123, 0.5%), or a fault where nobody can tell what was meant (1.2E+06), for columns of text.
    `merged` are the merged areas. `nameless` are columns right of the header that hold something.
    """

    faults: dict[int, dict[int, Fault]] = field(default_factory=dict)
    values: dict[int, dict[int, Raw]] = field(default_factory=dict)
    shown: dict[int, dict[int, str | Fault | None]] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)
    nameless: set[int] = field(default_factory=set)
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


# Formats that a workbook uses by their number alone: percent, scientific, fractions, money.
BUILT_IN = {9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 48: "##0.0E+0"}
BUILT_IN |= dict.fromkeys((5, 6, 7, 8, 42, 44), '"¥"#,##0.00')
# Sections for numbers above zero, below it, and for zero itself.
SECTIONS = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
# A format of digits between fixed words: 000000, "HY"0000, 0.0%, General"级".
LITERAL = r'(?:"[^"]*"|\\.|[-/ ()（）]|[\u4e00-\u9fff])*'
NUMBER_FORMAT = re.compile(rf"({LITERAL})(General|#*0+|#+)(?:\.(0*#*))?(%?)({LITERAL})")
# A format that adds nothing but commas and spaces; below zero a sign or brackets, and for zero a -.
DIGITS = r"(?:[#?]|,(?=[#0?]))*(?:0|(?<=[#?]))(?:\.[0#?]*)?"
ORDINARY = re.compile(rf"General|@|[\\ ]*{DIGITS}[\\ ]*")
SIGNED = re.compile(rf'["\\ (-]*(?:General|{DIGITS})["\\ )]*')
# Colors and languages, spaces as wide as a character, and what fills up a column.
UNSEEN = re.compile(r"\[(?:\$-[^\]]*|[^\]$<>=DN][^\]]*)\]|[_*].")
UNQUOTED = re.compile(r'"([^"]*)"|\\(.)')
# What makes a format one of days or times, which calamine tells by itself.
DAY_PART = re.compile(r"[ymdhs]", re.IGNORECASE)
NOT_DAY_PART = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')

UNCLEAR = "这一格是数字，单元格格式把它显示成了另外的样子，无法确定原文；请把该列设为文本格式后重新填写"


class NumberFormat(Protocol):
    """How a number of the sheet is shown where that is not simply its digits."""

    def show(self, number: float) -> str | Fault | None:
        """The number as a reader of the sheet sees it, or the reason not to believe it."""


@dataclass(frozen=True, slots=True)
class PaddedFormat:
    """Zeros in front of the digits, %, and words around them."""

    before: str
    digits: int
    decimals: int
    is_percent: bool
    after: str

    def show(self, number: float) -> str | Fault | None:
        """The number as a reader of the sheet sees it, never with fewer digits than it has."""
        number = float(f"{number * 100:.15g}") if self.is_percent else number
        fixed = f"{number:.{self.decimals}f}"
        digits = fixed if float(fixed) == number else f"{number:.15g}"
        point = len(digits.lstrip("-")) - len(digits.lstrip("-").split(".")[0])
        sign = "-" if digits.startswith("-") else ""
        padded = digits.lstrip("-").zfill(self.digits + point)
        return f"{sign}{self.before}{padded}{'%' if self.is_percent else ''}{self.after}"


class UnclearFormat:
    """A format that shows a number in a way from which nobody can tell what was meant."""

    def show(self, number: float) -> str | Fault | None:
        """The reason not to believe the number."""
        return fault(UNCLEAR, number)


Section = PaddedFormat | UnclearFormat | None


@dataclass(frozen=True, slots=True)
class SignedFormat:
    """A format that shows numbers above zero, below it, and zero each in another way."""

    above: Section
    below: Section
    zero: Section

    def show(self, number: float) -> str | Fault | None:
        """The number as the section for it shows it."""
        section = self.above if number > 0 else self.below if number < 0 else self.zero
        return section.show(number) if section else text(number)


def number_format(code: str) -> NumberFormat | None:
    """What Excel's format `code` adds to a number: zeros in front, %, words; None if nothing.

    What cannot be read back (1.2E+06, 000-007, other words under a condition) is an UnclearFormat.
    """
    first, *others = SECTIONS.split(code.replace("G/通用格式", "General"))
    if not code or DAY_PART.search(NOT_DAY_PART.sub("", first)):
        return None
    above = _section(first)
    if not others:
        return above
    if any("[<" in each or "[>" in each or "[=" in each for each in (first, *others)):
        return UnclearFormat()
    below, zero = _signed(others[0]), above
    if len(others) > 1:
        zero = above if others[1] == first else _signed(others[1])
    return SignedFormat(above, below, zero) if above or below or zero else None


def _section(code: str) -> Section:
    """What a section adds to a number above zero, or to any where it is the only one."""
    bare = UNSEEN.sub("", code)
    if ORDINARY.fullmatch(bare):
        return None
    found = NUMBER_FORMAT.fullmatch(bare)
    if not found:
        return UnclearFormat()
    before, digits, decimals, percent, after = found.groups()
    words = [UNQUOTED.sub(r"\1\2", words) for words in (before, after)]
    width = digits.count("0") if digits != "General" else 1
    return PaddedFormat(words[0], width, (decimals or "").count("0"), bool(percent), words[1])


def _signed(code: str) -> Section:
    """The same of a section for numbers below zero, or for zero."""
    return None if SIGNED.fullmatch(UNSEEN.sub("", code)) else UnclearFormat()
