"""What stands in the markup of an .ods workbook and is lost on calamine."""

import re
from pathlib import Path
from typing import Any
from xml.parsers import expat

from catalog.reading.archive import Archive
from catalog.reading.cells import ERROR, LONG, NO_VALUE, fault
from catalog.reading.contents import Unreadable
from catalog.reading.formats import DAMAGED, ENCRYPTED
from catalog.reading.limits import COLUMNS
from catalog.reading.marks import Marks

CONTENT = "content.xml"
# Without any of these a sheet holds nothing that calamine does not tell.
SIGNS = (
    *(b'value-type="error"', b'value-type="percentage"', b'value-type="boolean"', b"min-integer-digits"),
    *(b"table:formula", b"visibility=", b"-spanned="),
)


# A number as it may be shown without any words, and one with zeros in front. What is shown as 1.20E+06 is
# found damaged, as in a text.
PLAIN = re.compile(r"-?[\d,]*\.?\d*(?:E-\d+)?|")
PADDED = re.compile(r"0\d")


class Document:
    """The markup of an .ods file: stamp, and for each sheet what calamine does not tell."""

    # Days are written out in this format, never counted from 1904.
    is_1904 = False

    def __init__(self, path: Path) -> None:
        """Check the archive and read its small parts; raises Unreadable."""
        self.archive = Archive(path)
        if b"encryption-data" in self.archive.read("META-INF/manifest.xml"):
            raise Unreadable(ENCRYPTED)
        if CONTENT not in self.archive.parts:
            raise Unreadable(DAMAGED)
        self.edition = next(
            (
                "".join(each.itertext()).strip()
                for each in self.archive.tree("meta.xml").iter("user-defined")
                if each.get("name") == "edition"
            ),
            "",
        )
        self.found: dict[str, Marks] = {}

    def inspect(self) -> None:
        """Inflate and look at every part; raises Unreadable where one is hostile or broken."""
        for name in self.archive.markup():
            pieces = list(self.archive.pieces(name))
            if name == CONTENT and any(sign in piece for piece in pieces for sign in SIGNS):
                self.found = _Scan().scan(pieces)

    def marks(self, sheet: str) -> Marks:
        """What `inspect` found on a sheet."""
        return self.found.get(sheet) or Marks()


class _Scan:
    """Walks through the cells of all sheets, counting those that stand for many."""

    def __init__(self) -> None:
        self.sheets: dict[str, Marks] = {}
        self.marks = Marks()
        self.row = self.column = self.rows = self.columns = 0
        self.cell: dict[str, str] = {}
        self.words: list[str] | None = None

    def scan(self, pieces: list[bytes]) -> dict[str, Marks]:
        """What was found, by the sheet's name."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._hear
        try:
            for piece in pieces:
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        except (expat.ExpatError, ValueError) as error:
            raise Unreadable(DAMAGED) from error
        return self.sheets

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table":
            self.marks = self.sheets.setdefault(attributes.get("table:name", ""), Marks())
            self.row = 0
        elif tag == "table:table-column":
            self.marks.has_hidden_columns |= "table:visibility" in attributes
        elif tag == "table:table-row":
            self.column, self.rows = 0, int(attributes.get("table:number-rows-repeated", "1"))
            self._hide(attributes.get("table:visibility", ""))
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self.cell, self.columns = attributes, int(attributes.get("table:number-columns-repeated", "1"))
        elif tag == "text:p":
            self.words = []

    def _hide(self, visibility: str) -> None:
        self.marks.hidden_rows += self.rows if visibility == "collapse" else 0
        self.marks.is_filtered |= visibility == "filter"

    def _hear(self, words: str) -> None:
        if self.words is not None:
            self.words.append(words)

    def _end(self, tag: str) -> None:
        if tag in ("table:table-cell", "table:covered-table-cell"):
            self._weigh("".join(self.words or []))
            self.column += self.columns
            self.words = None
        elif tag == "table:table-row":
            self.row += self.rows

    def _weigh(self, shown: str) -> None:
        kind = self.cell.get("office:value-type", "")
        if self.cell.get("calcext:value-type") == "error":
            self._put(self.marks.faults, fault(ERROR, shown))
        elif "table:formula" in self.cell and not kind:
            self._put(self.marks.faults, fault(NO_VALUE, self.cell["table:formula"]))
        elif kind in ("percentage", "boolean") or (kind == "float" and self._is_more(shown)):
            self._put(self.marks.shown, shown)
        down = int(self.cell.get("table:number-rows-spanned", "1"))
        right = int(self.cell.get("table:number-columns-spanned", "1"))
        if down > 1 or right > 1:
            area = (self.row, self.column, self.row + down - 1, self.column + right - 1)
            self.marks.merged.append(area)

    def _is_more(self, shown: str) -> bool:
        """Whether a number is shown with zeros in front or with words, and is not too long to be right."""
        if abs(float(self.cell.get("office:value", "0"))) >= LONG:
            return False
        return not PLAIN.fullmatch(shown) or bool(PADDED.match(shown))

    def _put(self, marks: dict[int, dict[int, Any]], mark: Any) -> None:
        """Mark the cell, and its copies as far as a person could have meant them."""
        for row in range(self.row, self.row + min(self.rows, 1000)):
            for column in range(self.column, min(self.column + self.columns, COLUMNS)):
                marks.setdefault(row, {})[column] = mark
