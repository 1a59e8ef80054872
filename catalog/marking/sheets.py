"""The rows of a sheet as XML: the format of some cells is changed, all else stays byte for byte as it was."""

import re
from collections.abc import Collection, Iterator

from openpyxl.utils import column_index_from_string

from catalog.marking.package import Package, elements, related_id
from catalog.marking.problems import MarkingFailed, Place, Problem, reference
from catalog.marking.styles import Styles

ROW = re.compile(rb"<((?:\w+:)?)row\b([^>]*?)(/?)>")
CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>.*?</(?:\w+:)?c>)", re.DOTALL)
COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
ROWS_END = re.compile(rb"</(?:\w+:)?sheetData\s*>|<(?:\w+:)?sheetData\s*/>")
LEGACY = re.compile(rb"<(?:\w+:)?legacyDrawing\b[^>]*\bid=\"([^\"]*)\"[^>]*>")
# What may follow the drawing of the comments, in the order of the standard (ECMA-376, CT_Worksheet).
AFTER_LEGACY = re.compile(
    rb"<(?:\w+:)?(?:legacyDrawingHF|drawingHF|picture|oleObjects|controls|webPublishItems|tableParts|extLst)\b"
    rb"|</(?:\w+:)?worksheet\s*>"
)


def part_of(package: Package, sheet: str) -> str:
    """The part that holds the sheet of this name. Raises MarkingFailed where there is none."""
    for element in elements(package.tree(package.book), "sheet"):
        part = package.target(package.book, related_id(element))
        if part and element.getAttribute("name") == sheet:
            return part
    raise MarkingFailed(f"文件中没有名为“{sheet}”的工作表，请重新上传原文件")


def utf8(data: bytes) -> bytes:
    """The XML of a part in UTF-8, whatever it came in."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return re.sub(r"^<\?xml[^>]*\?>", "", data.decode("utf-16")).encode()
    return data


class Sheet:
    """The XML of one sheet in three parts: up to the rows, the rows, and what follows them."""

    def __init__(self, data: bytes) -> None:
        """Divide it. Raises MarkingFailed for a sheet without rows."""
        self.data = utf8(data)
        begin, end = self.data.find(b"sheetData"), ROWS_END.search(self.data)
        if begin < 0 or end is None:
            raise MarkingFailed("工作表中没有数据行，请重新上传原文件")
        self.head, self.tail = self.data[:begin], self.data[end.start() :]
        self.span = begin, end.start()

    @property
    def drawing_id(self) -> str:
        """The id of the relation to the drawing of the comments, "" where there are none."""
        found = LEGACY.search(self.tail)
        return found[1].decode() if found else ""

    def draw(self, relation: str, office: str) -> None:
        """Name the drawing of the comments."""
        if self.drawing_id == relation:
            return
        tail = LEGACY.sub(b"", self.tail)
        place = AFTER_LEGACY.search(tail)
        prefix = re.match(rb"</?((?:\w+:)?)", tail)
        element = f'legacyDrawing xmlns:r="{office}" r:id="{relation}"/>'.encode()
        at = place.start() if place else len(tail)
        self.tail = tail[:at] + b"<" + (prefix[1] if prefix else b"") + element + tail[at:]

    def insert(self, rows: bytes) -> None:
        """Add rows at the end."""
        start, end = self.span
        self.data = self.data[:end] + rows + self.data[end:]
        self.span = start, end + len(rows)

    def marked(
        self, problems: dict[int, list[Problem]], styles: Styles
    ) -> tuple[list[bytes | memoryview], dict[Place, list[Problem]]]:
        """The rows with the cells of `problems` (by row) red, and the problems by the cells they stand in.

        Rows that the sheet does not have are left out.
        """
        pieces: list[bytes | memoryview] = []
        placed: dict[Place, list[Problem]] = {}
        column_styles = ColumnStyles(self.head)
        whole, done = memoryview(self.data), self.span[0]
        for number, start, end in self._rows(problems):
            row = Row(self.data[start:end], number, column_styles)
            columns = [row.first if each.column is None else each.column for each in problems[number]]
            for column, problem in zip(columns, problems[number], strict=True):
                placed.setdefault((number, column), []).append(problem)
            pieces += [whole[done:start], row.marked(columns, styles)]
            done = end
        return [*pieces, whole[done : self.span[1]]], placed

    def _rows(self, wanted: Collection[int]) -> Iterator[tuple[int, int, int]]:
        """The number, begin and end of each row that is wanted."""
        number = 0
        for found in ROW.finditer(self.data, *self.span):
            written = attribute(found[2], b"r")
            number = int(written) if written.isdigit() else number + 1
            if number in wanted:
                closing = b"</" + found[1] + b"row>"
                end = found.end() if found[3] else self.data.index(closing, found.end()) + len(closing)
                yield number, found.start(), end


class ColumnStyles:
    """The format that an empty cell has from its column."""

    def __init__(self, head: bytes) -> None:
        """Read them from what stands before the rows."""
        self.spans = [
            (int(low), int(high), int(style))
            for each in COLUMN.finditer(head)
            for low, high, style in [
                [attribute(each[1], name) or b"0" for name in (b"min", b"max", b"style")]
            ]
        ]

    def of(self, column: int) -> int:
        """The format of a column counted from 0."""
        return next((style for low, high, style in self.spans if low <= column + 1 <= high), 0)


class Row:
    """The XML of one row."""

    def __init__(self, data: bytes, number: int, column_styles: ColumnStyles) -> None:
        """Find its cells."""
        opening = ROW.match(data)
        assert opening
        self.number, self.column_styles = number, column_styles
        self.prefix, self.attributes = opening[1], opening[2]
        content = b"" if opening[3] else data[opening.end() : data.rindex(b"</")]
        self.cells: dict[int, bytes] = {}
        column = -1
        for cell in CELL.finditer(content):
            letters = attribute(cell[1], b"r").rstrip(b"0123456789").decode()
            column = column_index_from_string(letters) - 1 if letters else column + 1
            self.cells[column] = cell[0]

    @property
    def first(self) -> int:
        """The column of the first cell."""
        return min(self.cells, default=0)

    def marked(self, columns: Collection[int], styles: Styles) -> bytes:
        """The row with the cells of these columns red."""
        for column in set(columns):
            self._mark(column, styles)
        cells = b"".join(self.cells[column] for column in sorted(self.cells))
        attributes = re.sub(rb"""\s+spans=["'][^"']*["']""", b"", self.attributes)
        return b"<%brow%b>%b</%brow>" % (self.prefix, attributes, cells, self.prefix)

    def _mark(self, column: int, styles: Styles) -> None:
        cell = self.cells.get(column)
        if cell is None:
            place = reference((self.number, column)).encode()
            style = styles.marked(self._empty_style(column))
            self.cells[column] = b'<%bc r="%b" s="%d"/>' % (self.prefix, place, style)
            return
        end = cell.index(b">") + 1
        style = styles.marked(int(attribute(cell[:end], b"s") or 0))
        opening = re.sub(rb"""\ss=["'][^"']*["']""", b"", cell[:end])
        self.cells[column] = re.sub(rb"^<(?:\w+:)?c\b", rb'\g<0> s="%d"' % style, opening) + cell[end:]

    def _empty_style(self, column: int) -> int:
        own = attribute(self.attributes, b"s")
        return int(own) if own.isdigit() else self.column_styles.of(column)


def attribute(attributes: bytes, name: bytes) -> bytes:
    """The value of an attribute in the text of a tag, b"" where there is none."""
    found = re.search(rb"""(?:^|\s)""" + name + rb"""\s*=\s*(?:"([^"]*)"|'([^']*)')""", attributes)
    return (found[1] if found[1] is not None else found[2]) if found else b""
