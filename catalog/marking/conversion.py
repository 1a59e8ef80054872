"""Uploads that are no .xlsx, or one too odd to mark where it stands: their values in a plain workbook."""

from collections.abc import Iterator
from pathlib import Path

from catalog.export import Value, write_xlsx
from catalog.marking.problems import FAILED, MarkingFailed
from catalog.reading import Cell, Contents, Fault, Unreadable, read

SHEET = "台账"
NOTE = "原文件的格式和其他工作表没有保留，这里是数据表的内容。"
FIRST_ROW = 2


def convert(source: Path, name: str, out: Path) -> dict[int, int]:
    """Write the ledger of any readable file to `out`, and give the new number of each row by its old.

    Raises MarkingFailed where it cannot be read.
    """
    numbers: dict[int, int] = {}
    try:
        contents = read(source, name)
        write_xlsx(out, SHEET, contents.headings, _rows(contents, numbers))
    except Unreadable as error:
        raise MarkingFailed(str(error)) from error
    except OSError as error:
        raise MarkingFailed(FAILED) from error
    return numbers


def _rows(contents: Contents, numbers: dict[int, int]) -> Iterator[list[Value]]:
    width = len(contents.headings)
    for new, (old, cells) in enumerate(contents.rows, start=FIRST_ROW):
        numbers[old] = new
        values = [_value(cell) for cell in cells[:width]]
        yield values + [None] * (width - len(values))


def _value(cell: Cell) -> Value:
    return cell.shown if isinstance(cell, Fault) else cell
