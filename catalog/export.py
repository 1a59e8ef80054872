"""Lists written as .xlsx and .csv: streamed, and every text stays a text, never a formula or a link.

Workbooks are written by XlsxWriter; docs/decisions.md argues the choice with figures.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from xlsxwriter import Workbook

from catalog.spreadsheets import DAY, TEXT, UNWRITABLE, WHOLE

Value = str | int | date | None

MOST_ROWS = 1_048_575  # of a sheet below its headings
LONGEST = 32_767  # characters of a cell
# Row by row into a file, and no text is taken for anything but a text.
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
FONT = {"font_name": "Microsoft YaHei", "font_size": 11}
HEADING = {
    "bold": True,
    "font_color": "#FFFFFF",
    "bg_color": "#5F6B7A",
    "align": "center",
    "valign": "vcenter",
    "num_format": TEXT,
}


# What a spreadsheet may take for a formula at the beginning of a csv cell, and the mark against it.
_RISKY = re.compile("[=+\\-@'\t\r]")
SHIELD = "'"

Looks = Mapping[str, Any]  # formats of cells by Excel's number format, and that of headings


def write_xlsx(
    path: Path,
    sheet: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    formats: Sequence[str] = (),
    widths: Sequence[int] = (),
    title: str = "",
    edition: str = "",
) -> int:
    """Write `rows` under `headings` into a new workbook at `path`, and give the number of rows.

    Texts become text cells that come back exactly (characters that no workbook can hold are left out), days
    date cells, None and the empty text no cell. `formats` are Excel's number formats of the columns ("@"
    where not given), `widths` their widths in characters; `edition` becomes the custom property of that name.
    Rows beyond the end of a sheet go on in a second one. Raises OSError where the file cannot be written,
    TypeError for a value of another type, ValueError for a row of another length or a text that is longer
    than a cell.
    """
    written, ahead = 0, iter(rows)
    with _book(path) as book:
        book.set_properties({"title": title, "author": "约检台"})
        book.set_custom_property("edition", edition, "text")
        looks = {name: book.add_format(FONT | {"num_format": name}) for name in (TEXT, DAY, WHOLE)}
        looks["heading"] = book.add_format(FONT | HEADING)
        for number, part in enumerate(_parts(ahead), start=1):
            made = book.add_worksheet(sheet if number == 1 else f"{sheet} ({number})")
            _prepare(made, headings, looks, formats, widths)
            height = _fill(made, part, len(headings), looks)
            made.autofilter(0, 0, height, len(headings) - 1)
            written += height
    return written


def _parts(rows: Iterator[Sequence[Value]]) -> Iterator[Iterator[Sequence[Value]]]:
    """The rows of each sheet, to be used up before the next; a list without rows has one sheet."""
    yield islice(rows, MOST_ROWS)
    for row in rows:
        yield chain([row], islice(rows, MOST_ROWS - 1))


@contextmanager
def _book(path: Path) -> Iterator[Any]:
    """A workbook that is written to `path` at the end; nothing is left of it when anything is raised."""
    with TemporaryDirectory(prefix="yuejian-") as folder, path.open("wb") as file:
        try:
            with Workbook(file, OPTIONS | {"tmpdir": folder}) as book:
                book.use_zip64()
                yield book
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _prepare(
    sheet: Any, headings: Sequence[str], looks: Looks, formats: Sequence[str], widths: Sequence[int]
) -> None:
    """Give the columns their widths and formats, and write the headings."""
    sheet.freeze_panes(1, 0)
    sheet.set_row(0, 24)
    for index, text in enumerate(headings):
        look = looks[formats[index] if index < len(formats) else TEXT]
        width = widths[index] if index < len(widths) else min(max(2 * len(text) + 4, 12), 40)
        sheet.set_column(index, index, width, look)
        _write_text(sheet, 0, index, text, looks["heading"])


def _fill(sheet: Any, rows: Iterable[Sequence[Value]], width: int, looks: Looks) -> int:
    """Write rows below the headings and give their number."""
    number = 0
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise ValueError(f"row {number + 1} has {len(row)} values for {width} headings")
        for column, value in enumerate(row):
            if value is not None and value != "":
                _write(sheet, number, column, value, looks)
    return number


def _write(sheet: Any, row: int, column: int, value: Value, looks: Looks) -> None:
    if isinstance(value, str):
        _write_text(sheet, row, column, value, looks[TEXT])
    elif isinstance(value, int):
        sheet.write_number(row, column, value, looks[WHOLE])
    elif isinstance(value, date) and not isinstance(value, datetime):
        sheet.write_datetime(row, column, value, looks[DAY])
    else:
        raise TypeError(f"a cell holds a text, a whole number or a day, not {type(value).__name__}")


def _write_text(sheet: Any, row: int, column: int, text: str, look: Any) -> None:
    text = UNWRITABLE.sub("", text)
    if text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter takes this for the markup of a rich text; in two fragments it is escaped.
        answer = sheet.write_rich_string(row, column, text[:1], look, text[1:], look)
    else:
        answer = sheet.write_string(row, column, text, look)
    if answer:
        raise ValueError(f"row {row + 1} has a text of more than {LONGEST} characters")


def write_csv(path: Path, headings: Sequence[str], rows: Iterable[Sequence[Value]]) -> int:
    """Write `rows` under `headings` as UTF-8 csv with a byte order mark, and give the number of rows.

    A text that begins with = + - @ ' TAB or CR gets one ' in front, so that a spreadsheet does not run
    it; a reader takes one ' in front of one of these off again. Raises OSError where it cannot write.
    """
    written = 0
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(map(_shielded, headings))
        for row in rows:
            written += 1
            writer.writerow([_shielded(value) if isinstance(value, str) else value for value in row])
    return written


def unshielded(text: str) -> str:
    """The value of a csv cell that `write_csv` wrote: without the ' in front of = + - @ ' TAB or CR."""
    return text[1:] if text.startswith(SHIELD) and _RISKY.match(text, 1) else text


def _shielded(text: str) -> str:
    return SHIELD + text if _RISKY.match(text) else text
