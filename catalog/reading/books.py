"""The sheet of a file that holds the ledger, opened for reading from its first row on."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Protocol

from catalog.reading import delimited
from catalog.reading.cells import text
from catalog.reading.contents import Unreadable
from catalog.reading.formats import DAMAGED, ENCRYPTED, RESAVE, Format
from catalog.reading.headers import HEAD, Header, best_header
from catalog.reading.limits import COLUMNS
from catalog.reading.marks import Marks
from catalog.reading.ods import Document
from catalog.reading.tables import NOTHING
from catalog.reading.xls import Records
from catalog.reading.xlsx import Workbook

DATA_SHEET = "器具信息"
GUIDE_SHEET = "填写说明"
# Other sheets of ours; nobody needs to be told that they were left aside.
REFERENCE_SHEETS = {GUIDE_SHEET, "强检器具目录", "行政区划信息", "下拉列表", "检查结果"}
STAMP = "版本"
# Formats that Excel and WPS in Chinese use by their number alone: days and times.
CHINESE_DAYS = {*range(27, 37), *range(50, 59)}
# A character that XML cannot hold, or an _ before what would look like one; halves of one are none.
ESCAPE = re.compile("_x((?!d[89a-f])[0-9a-f]{4})_", re.IGNORECASE)
STRICT = f"工作簿存成了 Strict Open XML，又过大或在台账以外很远处还有内容，无法读取，{RESAVE}"
# Excel has no more.
LAST_ROW = 1_048_576

# Rows with their numbers, counted from 0; some leave empty rows out.
Line = tuple[int, Sequence[Any]]
Rows = Iterator[Line]
Load = Callable[[str], Rows]
# The sheets by their names, in their order: whether a person sees them.
Sheets = dict[str, bool]


class Markup(Protocol):
    """What the three formats of workbooks say besides values."""

    edition: str
    is_1904: bool

    def inspect(self) -> None:
        """Look at everything; raises Unreadable."""

    def marks(self, sheet: str) -> Marks:
        """What is odd about the cells of a sheet."""


MARKUPS: dict[Format, Callable[[Path], Markup]] = {
    Format.xlsx: Workbook,
    Format.xls: Records,
    Format.ods: Document,
}


@dataclass
class Found:
    """A sheet, its header, its first rows, and the rest."""

    sheet: str
    header: Header
    head: list[Line]
    rest: Rows


@dataclass
class Opened:
    """A sheet ready to be read: `rows` begins with the sheet's first."""

    sheet: str
    header: Header
    rows: Rows
    notes: list[str]
    edition: str = ""
    marks: Marks = field(default_factory=Marks)
    is_1904: bool = False


def opened(path: Path, form: Format) -> Opened:
    """The ledger in the file at `path`. Raises Unreadable."""
    if form == Format.text:
        return _text(path)
    markup = MARKUPS[form](path)
    with ThreadPoolExecutor(1) as pool:
        # Calamine lets go of the interpreter: both read at once.
        inspecting = pool.submit(markup.inspect)
        try:
            sheets, load = _with_calamine(path)
            found = _best(sheets, load, lambda name: inspecting.result() or markup.marks(name))
        finally:
            inspecting.result()
    return _opened(found, sheets, markup.edition or _stamp(sheets, load), markup)


def careful(path: Path) -> Opened:
    """The same of an .xlsx file row by row, slowly but with little memory."""
    markup = Workbook(path)
    markup.inspect()
    if markup.is_strict:
        raise Unreadable(STRICT)
    sheets, load = _with_openpyxl(path)
    found = _best(sheets, load, markup.marks)
    return _opened(found, sheets, markup.edition or _stamp(sheets, load), markup)


def _opened(found: Found, sheets: Sheets, edition: str, markup: Markup) -> Opened:
    marks, header = markup.marks(found.sheet), found.header
    notes = [*_left_aside(sheets, found.sheet), *marks.notes()]
    if not sheets[found.sheet]:
        notes.insert(0, f"工作表“{found.sheet}”是隐藏的，也已读取")
    if any(top > header.row and left < len(header.headings) for top, left, _, _ in marks.merged):
        notes.append("有合并的单元格，内容只算在第一格，其余各格已标为错误")
    rows = chain(found.head, found.rest)
    return Opened(found.sheet, header, rows, notes, edition, marks, markup.is_1904)


def _left_aside(sheets: Sheets, sheet: str) -> list[str]:
    others = [name for name in sheets if name != sheet and name not in REFERENCE_SHEETS]
    shown = "、".join(f"“{name}”" for name in others[:5]) + ("等" if len(others) > 5 else "")
    return [f"只读取了工作表“{sheet}”，另外 {len(others)} 个没有读取：{shown}"] if others else []


def _text(path: Path) -> Opened:
    rows = delimited.rows(path)
    header = best_header(rows[:HEAD])
    return Opened("", header, enumerate(rows), [], marks=delimited.marks(rows, header))


def _with_calamine(path: Path) -> tuple[Sheets, Load]:
    import python_calamine as calamine

    try:
        # By its content: the path may have any name.
        book = calamine.CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))
    except calamine.PasswordError as error:
        raise Unreadable(ENCRYPTED) from error
    except (calamine.CalamineError, OSError) as error:
        raise Unreadable(DAMAGED) from error
    sheets = {
        each.name: each.visible == calamine.SheetVisibleEnum.Visible
        for each in book.sheets_metadata
        if each.typ == calamine.SheetTypeEnum.WorkSheet
    }

    def load(name: str) -> Rows:
        try:
            sheet = book.get_sheet_by_name(name)
        except (calamine.CalamineError, OSError, ValueError) as error:
            raise Unreadable(DAMAGED) from error
        # Empty columns at the left are left out by calamine, empty rows at the top are not.
        left = [""] * (sheet.start[1] if sheet.start else 0)
        rows = sheet.iter_rows()
        return enumerate(([*left, *row] for row in rows) if left else rows)

    return sheets, load


def _with_openpyxl(path: Path) -> tuple[Sheets, Load]:
    # Openpyxl takes numpy along where it finds it: time and memory that nothing here needs.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    from openpyxl.reader.excel import SHARED_STRINGS, ExcelReader

    class Reader(ExcelReader):
        def read_strings(self) -> None:
            if part := self.package.find(SHARED_STRINGS):
                self.shared_strings = _strings(self.archive.open(part.PartName[1:]))

    # By its content: the path may have any name.
    reader = Reader(BytesIO(path.read_bytes()), read_only=True, data_only=True)
    reader.read()
    book = reader.wb
    sheets = {each.title: each.sheet_state == "visible" for each in book.worksheets}
    return sheets, lambda name: _sparse_rows(book[name])


def _strings(part: IO[bytes]) -> list[str]:
    """The shared texts as they are written; openpyxl itself would undo a part of their escapes."""
    from openpyxl.cell.text import Text
    from openpyxl.xml.constants import SHEET_MAIN_NS
    from openpyxl.xml.functions import iterparse

    found = []
    for _, node in iterparse(part):
        if node.tag == f"{{{SHEET_MAIN_NS}}}si":
            found.append(Text.from_tree(node).content)
            node.clear()
    return found


def _sparse_rows(sheet: Any) -> Rows:
    """The rows that are there; openpyxl's own iteration would make up a million empty ones before a stray."""
    from openpyxl.worksheet._reader import WorkSheetParser

    book = sheet.parent
    chinese = {index for index, style in enumerate(book._cell_styles) if style.numFmtId in CHINESE_DAYS}
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats | chinese,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            if number > LAST_ROW:
                raise Unreadable(DAMAGED)
            row = [None] * max((cell["column"] for cell in cells if cell["column"] <= COLUMNS), default=0)
            for cell in cells:
                if cell["column"] <= COLUMNS:
                    row[cell["column"] - 1] = _unescaped(cell["value"])
            yield number - 1, row


def _unescaped(value: Any) -> Any:
    """The value as calamine gives it: _x000a_ in a text is a line break."""
    if type(value) is not str or "_x" not in value:
        return value
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)), value)


def _best(sheets: Sheets, load: Load, marks: Callable[[str], Marks]) -> Found:
    """The sheet whose header is known best: before others one with rows, and one that is not hidden."""
    best: Found | None = None
    best_rank: tuple[int, ...] = ()
    for name in sorted(sheets, key=lambda each: (not sheets[each], each != DATA_SHEET)):
        rows = load(name)
        head = _head(rows)
        found = Found(name, best_header(_without_gaps(head)), head, rows)
        is_filled, score = found.header.is_complete and _has_rows(found, marks), found.header.score
        rank = is_filled, score > 0, sheets[name], score, bool(found.header.headings)
        if rank > best_rank:
            best, best_rank = found, rank
        if is_filled:
            break
    if best is None:
        raise Unreadable("工作簿里没有工作表，请确认上传的是填好的台账")
    return best


def _has_rows(found: Found, marks: Callable[[str], Marks]) -> bool:
    """Whether anything stands below the header; the first row that does joins the head."""
    last, width = found.header.row, len(found.header.headings)
    if any(number > last and _is_full(row[:width]) for number, row in found.head):
        return True
    first = next((line for line in found.rest if _is_full(line[1][:width])), None)
    if first:
        found.head.append(first)
    # A formula without a value is nothing to a reader of values.
    return first is not None or any(row > last for row in marks(found.sheet).faults)


def _is_full(row: Sequence[Any]) -> bool:
    return not NOTHING.issuperset(row) and any(text(cell) is not None for cell in row)


def _head(rows: Rows) -> list[Line]:
    """The first rows, taken away from the rest."""
    head = []
    for number, row in rows:
        head.append((number, row))
        if number >= HEAD - 1:
            break
    return head


def _without_gaps(head: list[Line]) -> list[Sequence[Any]]:
    given = dict(head)
    return [given.get(number, ()) for number in range(min(HEAD, max(given, default=-1) + 1))]


def _stamp(sheets: Sheets, load: Load) -> str:
    """The stamp on the template's sheet of instructions, "" without one."""
    if GUIDE_SHEET not in sheets:
        return ""
    rows = islice(load(GUIDE_SHEET), HEAD)
    return next((str(row[1]) for _, row in rows if len(row) > 1 and row[0] == STAMP), "")
