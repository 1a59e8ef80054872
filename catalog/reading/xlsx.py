"""What stands in the markup of an .xlsx workbook and is lost on calamine."""

import posixpath
import re
from pathlib import Path

from catalog.reading.archive import Archive
from catalog.reading.cells import ERROR, LONG, NO_VALUE, fault
from catalog.reading.contents import Unreadable
from catalog.reading.formats import DAMAGED, MACRO
from catalog.reading.limits import COLUMNS
from catalog.reading.marks import BUILT_IN, Area, Marks, NumberFormat, number_format

# Styles that are looked for one by one; with more of them every cell is looked at.
FEW = 12

ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(?:row\b([^>]*)|c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>))", re.DOTALL)
ATTRIBUTE = re.compile(rb"""\b(r|s|t)\s*=\s*["']([^"']*)["']""")
ROW_START = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br=["'](\d+)["']""")
ANY_ROW = re.compile(rb"<(?:\w+:)?row\b")
HIDDEN_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*\bhidden=["'](?:1|true)["']""")
HIDDEN_COLUMN = re.compile(rb"""<(?:\w+:)?col\b[^>]*\bhidden=["'](?:1|true)["'][^>]*>""")
MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\b[^>]*\bref=["']([A-Z]+)(\d+):([A-Z]+)(\d+)["']""")
FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)<)")
VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*?(/>|>([^<]*)<)")
REFERENCE = re.compile(rb"([A-Z]{1,3})(\d{1,7})")
# The namespaces of Strict Open XML.
STRICT = b"http://purl.oclc.org/ooxml/"
# Without any of these a piece of plainly written markup needs no closer look.
SIGNS = (b"<f", b'"e"')


class Workbook:
    """The markup of an .xlsx file: date system, stamp, and for each sheet what calamine does not tell."""

    def __init__(self, path: Path) -> None:
        """Check the archive and read its small parts; raises Unreadable."""
        self.archive = Archive(path)
        if b"macroEnabled" in self.archive.read("[Content_Types].xml"):
            raise Unreadable(MACRO)
        self.is_strict = STRICT in self.archive.read("xl/workbook.xml")
        book = self.archive.tree("xl/workbook.xml")
        links = self._links()
        self.is_1904 = any(each.get("date1904") in ("1", "true") for each in book.iter("workbookPr"))
        self.places = {links.get(each.get("id", ""), ""): each.get("name", "") for each in book.iter("sheet")}
        if not self.places:
            raise Unreadable(DAMAGED)
        self.edition = next(
            (
                "".join(each.itertext()).strip()
                for each in self.archive.tree("docProps/custom.xml").iter("property")
                if each.get("name") == "edition"
            ),
            "",
        )
        self.formats = self._formats()
        self.found: dict[str, Marks] = {}

    def _links(self) -> dict[str, str]:
        """Where the workbook's references lead, by their id."""
        tree = self.archive.tree("xl/_rels/workbook.xml.rels")
        return {
            each.get("Id", ""): posixpath.normpath(posixpath.join("/xl", each.get("Target", ""))).lstrip("/")
            for each in tree.iter("Relationship")
        }

    def _formats(self) -> dict[int, NumberFormat]:
        """The cell styles whose number format adds something to a number."""
        styles = self.archive.tree("xl/styles.xml")
        codes = BUILT_IN | {
            int(each.get("numFmtId", "0")): each.get("formatCode", "") for each in styles.iter("numFmt")
        }
        cells = styles.find("cellXfs")
        numbers = [int(each.get("numFmtId", "0")) for each in cells] if cells is not None else []
        found = {style: number_format(codes.get(number, "")) for style, number in enumerate(numbers)}
        return {style: each for style, each in found.items() if each}

    def inspect(self) -> None:
        """Inflate and look at every part; raises Unreadable where one is hostile or broken."""
        for name in self.archive.markup():
            sheet = self.places.get(name)
            scan = _Scan(self.formats) if sheet is not None else None
            for piece in self.archive.pieces(name):
                if scan:
                    scan.feed(piece)
            if scan and sheet is not None:
                self.found[sheet] = scan.finish()

    def marks(self, sheet: str) -> Marks:
        """What `inspect` found on a sheet."""
        return self.found.get(sheet) or Marks()


class _Scan:
    """Looks through a sheet's markup piece by piece, closely only where something odd shows."""

    def __init__(self, formats: dict[int, NumberFormat]) -> None:
        self.formats = formats
        styles = [b's="%d"' % style for style in formats] if len(formats) <= FEW else [b' s="']
        self.signs = (*SIGNS, *styles)
        self.is_plain: bool | None = None
        self.marks = Marks()
        self.rest = b""
        self.row = self.column = -1

    def feed(self, piece: bytes) -> None:
        """Look at what is complete, keep the row that is not."""
        block = self.rest + piece
        end = block.rfind(b"row>") + 4
        if end < 4:
            self.rest = block
            return
        self.rest = block[end:]
        self._look(block[:end])

    def finish(self) -> Marks:
        """What was found, after the last piece."""
        self._look(self.rest)
        self.marks.merged = [_area(found) for found in MERGED.findall(self.rest)]
        self.marks.is_filtered = b"filterColumn" in self.rest
        return self.marks

    def _look(self, block: bytes) -> None:
        if self.is_plain is None:
            # With prefixed tags or other quotation marks the signs would not be seen.
            self.is_plain = b"<worksheet" in block and b"='" not in block[block.find(b"<worksheet") :]
        if b"hidden=" in block:
            self.marks.hidden_rows += len(HIDDEN_ROW.findall(block))
            self.marks.has_hidden_columns |= bool(HIDDEN_COLUMN.search(block))
        if not self.is_plain or any(sign in block for sign in self.signs):
            for found in ROW_OR_CELL.finditer(block):
                self._step(found)
        else:
            self._pass_over(block)

    def _pass_over(self, block: bytes) -> None:
        """Keep count of the rows of a block that needs no closer look."""
        last = block.rfind(b"row r=")
        numbered = ROW_START.match(block, block.rfind(b"<", 0, last)) if last > 0 else None
        self.row = int(numbered[1]) - 1 if numbered else self.row + len(ANY_ROW.findall(block))

    def _step(self, found: re.Match[bytes]) -> None:
        row, cell, body = found.groups()
        if row is not None:
            number = dict(ATTRIBUTE.findall(row)).get(b"r", b"")
            self.row = int(number) - 1 if number.isdigit() else self.row + 1
            self.column = -1
            return
        attributes = dict(ATTRIBUTE.findall(cell))
        place = REFERENCE.fullmatch(attributes.get(b"r", b""))
        self.column = column_index(place[1]) if place else self.column + 1
        if self.column < COLUMNS and body:
            self._weigh(attributes, body)

    def _weigh(self, attributes: dict[bytes, bytes], body: bytes) -> None:
        kind = attributes.get(b"t", b"n")
        value = VALUE.search(body)
        if kind == b"e":
            self._fault(ERROR, value[2] if value and value[2] else b"")
        elif (formula := FORMULA.search(body)) and not (value and (value[2] or kind == b"str")):
            self._fault(NO_VALUE, b"=" + (formula[1] or b""))
        elif kind == b"n" and value and (style := attributes.get(b"s", b"0")).isdigit():
            self._show(int(style), value[2] or b"")

    def _fault(self, sentence: str, shown: bytes) -> None:
        cells = self.marks.faults.setdefault(self.row, {})
        cells[self.column] = fault(sentence, shown.decode("utf-8", "replace"))

    def _show(self, style: int, value: bytes) -> None:
        """Remember how the number is shown; a long one stays a number, to be found damaged."""
        known = self.formats.get(style)
        try:
            number = float(value)
        except ValueError:
            return
        if known and abs(number) < LONG:
            self.marks.shown.setdefault(self.row, {})[self.column] = known.show(number)


def column_index(letters: bytes) -> int:
    """0 for A, 26 for AA."""
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def column_letters(index: int) -> str:
    """A for 0, AA for 26."""
    letters = ""
    index += 1
    while index:
        index, last = divmod(index - 1, 26)
        letters = chr(65 + last) + letters
    return letters


def _area(found: tuple[bytes, bytes, bytes, bytes]) -> Area:
    left, top, right, bottom = found
    return int(top) - 1, column_index(left), int(bottom) - 1, column_index(right)
