"""What is wrong with a ledger file, as the returned workbook shows it."""

from collections.abc import Iterable
from dataclasses import dataclass

from xlsxwriter.utility import xl_rowcol_to_cell

# An import leaves a sheet of this name aside.
SUMMARY_SHEET = "检查结果"
# Begins every comment of ours, by which they are found when the file comes back.
SIGN = "【检查结果】"

FAILED = "标注后的文件未能生成，请按页面列出的问题修改原文件后重新导入"

# A row counted from 1 and a column from 0.
Place = tuple[int, int]


def reference(place: Place) -> str:
    """The place as Excel writes it: (2, 0) is A2."""
    return xl_rowcol_to_cell(place[0] - 1, place[1])


class MarkingFailed(Exception):
    """No marked workbook could be made of the file; the message is one Chinese sentence."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct.

    `row` is counted from 1 as Excel shows it, `column` from 0 (None: the whole row, marked at its first
    cell). `heading` and `value` are the column's and what was filled in, `sentence` says what is wrong and
    `suggestion` the nearest valid code or name, "" where there is none.
    """

    row: int
    column: int | None
    heading: str
    value: str
    sentence: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """The totals of a check, in rows, and a sentence to show with them."""

    rows: int
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    invalid: int = 0
    duplicates: int = 0
    note: str = ""


def comment(problems: Iterable[Problem]) -> str:
    """The text of the comment on a cell with these problems, a line each."""
    return "\n".join([SIGN, *map(_line, problems)])


def _line(problem: Problem) -> str:
    return problem.sentence + (f"；建议：{problem.suggestion}" if problem.suggestion else "")
