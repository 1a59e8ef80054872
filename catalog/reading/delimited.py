"""Text files of rows: .csv and .txt, in the encodings and with the separators that people have."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from catalog.reading.cells import fault
from catalog.reading.contents import Unreadable
from catalog.reading.headers import HEAD, Header, best_header
from catalog.reading.marks import Marks

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SEPARATORS = (",", "\t", ";")
# Excel's own hint at the separator, which is no row to it.
HINT = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
# What a spreadsheet would run as a formula: our own files, and those of others, put ' before it.
GUARDED = re.compile(r"'(?=[=+\-@'\t\r])")
# ="00123" is how other programs keep Excel from dropping zeros.
QUOTED_FORMULA = re.compile(r'="([^"]*)"')

ENCODING = "文件的文字编码无法识别，请用 Excel 或 WPS 打开，另存为 .xlsx 后重新上传"
SHIFTED = "这一行的格数比表头多，可能是内容里的分隔符没有加引号，各格已经错位，请改正"

Rows = list[list[str]]


def rows(path: Path) -> Rows:
    """The rows of the file at `path`, an empty list for an empty line; raises Unreadable."""
    text = decoded(path.read_bytes())
    if hint := HINT.match(text):
        found: Rows | Unreadable = _split(text[hint.end() :], hint[1])
    else:
        tries = {each: _split_or_reason(text, each) for each in SEPARATORS}
        found = tries[max(tries, key=lambda each: _fit(text, each, tries[each]))]
    if isinstance(found, Unreadable):
        raise found
    return [[_bare(cell) if cell[:1] in ("'", "=") else cell for cell in row] for row in found]


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 with a byte order mark, or GB18030; raises Unreadable."""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), "")
    for attempt in (encoding,) if encoding else ("utf-8", "gb18030"):
        try:
            return data.decode(attempt)
        except UnicodeDecodeError:
            continue
    raise Unreadable(ENCODING)


def _split_or_reason(text: str, separator: str) -> Rows | Unreadable:
    try:
        return _split(text, separator)
    except Unreadable as reason:
        return reason


def _reader(text: str, separator: str, strict: bool = False) -> Iterator[list[str]]:
    """The rows one by one; one that is not strict takes quotes as they come."""
    csv.field_size_limit(max(len(text), csv.field_size_limit()))
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)


def _split(text: str, separator: str) -> Rows:
    found: Rows = []
    try:
        found.extend(_reader(text, separator, strict=True))
    except csv.Error as error:
        message = f"第 {len(found) + 1} 行的引号不成对，无法分清各列，请改正后重新上传"
        raise Unreadable(message) from error
    return found


def _fit(text: str, separator: str, found: Rows | Unreadable) -> tuple[int, bool, int]:
    """How well a separator fits: headings it makes known, whether it parts them without fault, columns."""
    head = list(islice(_reader(text, separator), HEAD))
    header = best_header(head)
    # Parting nothing is always without fault.
    is_parted = isinstance(found, list) and len(header.headings) > 1
    return header.score, is_parted, max(map(len, head), default=0)


def _bare(cell: str) -> str:
    """A cell without what only guards it from being run as a formula."""
    if quoted := QUOTED_FORMULA.fullmatch(cell):
        return quoted[1]
    return GUARDED.sub("", cell, count=1) if GUARDED.match(cell) else cell


def marks(found: Rows, header: Header) -> Marks:
    """A fault in each row that has more cells than there are headings: its cells are out of place."""
    marks, width = Marks(), len(header.headings)
    used = next((index for index, field in enumerate(header.fields) if field), 0)
    for number, row in enumerate(found):
        if number > header.row and len(row) > width and any(row[width:]):
            shown = f"第 {width + 1} 格：{next(filter(None, row[width:]))}"
            marks.faults[number] = {used: fault(SHIFTED, shown)}
    return marks
