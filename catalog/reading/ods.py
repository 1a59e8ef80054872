"""What stands in the markup of an .ods workbook and is lost on calamine."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.parsers import expat

from catalog.reading.archive import Archive
from catalog.reading.cells import BECAME_TIME, ERROR, LONG, NO_VALUE, fault
from catalog.reading.contents import Fault, Unreadable
from catalog.reading.formats import DAMAGED, ENCRYPTED
from catalog.reading.limits import COLUMNS
from catalog.reading.marks import UNCLEAR, Marks
from catalog.spreadsheets import EPOCH_1904

CONTENT = "content.xml"
CELLS = ("table:table-cell", "table:covered-table-cell")
# A cell with nothing odd about it, as most are, and what is left of it: it is only counted. It is a text
# without elements, or a number that is shown as it is.
CELL_END = b"</table:table-cell>"
ORDINARY = re.compile(
    rb'<table:table-cell(?: table:(?:style|content-validation)-name="[^"]*")* office:value-type="'
    rb'(?:string"(?: calcext:value-type="string")?><text:p>[^<]*'
    rb'|float" office:value="((?:0|[1-9]\d*)(?:\.\d+)?)"(?: calcext:value-type="float")?><text:p>\1)'
    rb"</text:p>" + CELL_END
)
COUNTED = "c"
# Spaces are elements here.
SPACES = {"text:s": " ", "text:tab": "\t", "text:line-break": "\n"}
# Remarks and drawings stand inside cells, with words that are not the cell's.
ASIDE = ("office:annotation", "draw:")
# What a truth value in a cell that is a number is shown as.
TRUTH = ("TRUE", "FALSE", "真", "假")

# A number as it may be shown without any words, and one with zeros in front.
PLAIN = re.compile(r"-?[\d,]*\.?\d*(?:E-\d+)?|")
PADDED = re.compile(r"0\d")
DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
PART = r"(\d{1,8}(?:\.\d+)?)"
DURATION = re.compile(rf"(-?)P(?:{PART}D)?(?:T(?:{PART}H)?(?:{PART}M)?(?:{PART}S)?)?")


class Document:
    """The markup of an .ods file: stamp, and for each sheet what calamine does not tell."""

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
        self.is_1904 = False
        self.found: dict[str, Marks] = {}

    def inspect(self) -> None:
        """Inflate and look at every part; raises Unreadable where one is hostile or broken."""
        scan = _Scan()
        for name in self.archive.markup():
            pieces = self.archive.pieces(name)
            if name == CONTENT:
                scan.scan(_shortened(pieces))
            else:
                for _ in pieces:
                    pass
        self.found, self.is_1904 = scan.sheets, scan.is_1904

    def marks(self, sheet: str) -> Marks:
        """What `inspect` found on a sheet."""
        return self.found.get(sheet) or Marks()


def _shortened(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same markup with ordinary cells cut down to an empty element: half the work."""
    rest = b""
    for piece in pieces:
        block = rest + piece
        end = block.rfind(CELL_END) + len(CELL_END) if CELL_END in block else len(block)
        yield ORDINARY.sub(b"<%s/>" % COUNTED.encode(), block[:end])
        rest = block[end:]
    yield rest


class _Scan:
    """Walks through the cells of all sheets, counting those that stand for many."""

    def __init__(self) -> None:
        self.is_1904 = False
        self.sheets: dict[str, Marks] = {}
        self.marks = Marks()
        self.row = self.column = self.rows = self.columns = 0
        self.cell: dict[str, str] = {}
        self.words: list[str] = []
        # Whether the cell's text is not what calamine makes of it: it drops tabs, and reads drawings as text.
        self.is_misread = False
        self.depth = self.before = 0

    def scan(self, pieces: Iterable[bytes]) -> None:
        """Fill `sheets`, by their names."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self.words.append
        try:
            for piece in pieces:
                parser.Parse(piece, False)
            parser.Parse(b"", True)
        except (expat.ExpatError, ValueError) as error:
            raise Unreadable(DAMAGED) from error

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == COUNTED:
            self.column += 1
        elif tag in CELLS:
            self.cell, self.columns = attributes, int(attributes.get("table:number-columns-repeated", "1"))
            self.words.clear()
            self.is_misread = False
        elif tag == "text:p":
            if self.words:
                self.words.append("\n")
        elif tag in SPACES:
            self.words.append(SPACES[tag] * int(attributes.get("text:c", "1")))
            self.is_misread |= tag != "text:s"
        elif tag.startswith(ASIDE):
            self._step_aside(tag)
        else:
            self._place(tag, attributes)

    def _step_aside(self, tag: str) -> None:
        if not self.depth:
            self.before = len(self.words)
        self.depth += 1
        self.is_misread |= tag != "office:annotation"

    def _place(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table-row":
            self.column, self.rows = 0, int(attributes.get("table:number-rows-repeated", "1"))
            self._hide(attributes.get("table:visibility", ""))
        elif tag == "table:table-column":
            self.marks.has_hidden_columns |= "table:visibility" in attributes
        elif tag == "table:table":
            self.marks = self.sheets.setdefault(attributes.get("table:name", ""), Marks())
            self.row = 0
        elif tag == "table:null-date":
            self.is_1904 = attributes.get("table:date-value") == EPOCH_1904.isoformat()

    def _hide(self, visibility: str) -> None:
        self.marks.hidden_rows += self.rows if visibility == "collapse" else 0
        self.marks.is_filtered |= visibility == "filter"

    def _end(self, tag: str) -> None:
        if tag in CELLS:
            self._weigh()
            self.column += self.columns
        elif tag == "table:table-row":
            self.row += self.rows
        elif self.depth and tag.startswith(ASIDE):
            self.depth -= 1
            if not self.depth:
                del self.words[self.before :]

    def _weigh(self) -> None:
        cell, kind = self.cell, self.cell.get("office:value-type", "")
        if cell.get("calcext:value-type") == "error":
            self._put(self.marks.faults, fault(ERROR, "".join(self.words)))
        elif kind == "string":
            if self.is_misread and "office:string-value" not in cell:
                self._put(self.marks.values, "".join(self.words))
        elif kind:
            self._weigh_value(kind, "".join(self.words).strip())
        elif "table:formula" in cell:
            self._put(self.marks.faults, fault(NO_VALUE, cell["table:formula"]))
        if "table:number-rows-spanned" in cell or "table:number-columns-spanned" in cell:
            self._merge()

    def _merge(self) -> None:
        down = int(self.cell.get("table:number-rows-spanned", "1"))
        right = int(self.cell.get("table:number-columns-spanned", "1"))
        if down > 1 or right > 1:
            area = (self.row, self.column, self.row + down - 1, self.column + right - 1)
            self.marks.merged.append(area)

    def _weigh_value(self, kind: str, shown: str) -> None:
        if kind == "time":
            self._put(self.marks.values, _time(self.cell.get("office:time-value", "")))
        elif kind == "boolean":
            self._put(self.marks.shown, shown)
        elif kind in ("float", "percentage"):
            number = float(self.cell.get("office:value", "0"))
            # A long one stays a number, to be found damaged.
            if abs(number) < LONG:
                self._weigh_number(number, kind == "percentage", shown)

    def _weigh_number(self, number: float, is_percent: bool, shown: str) -> None:
        bare = shown.strip("-() ") if number < 0 else shown
        if shown in TRUTH:
            self._put(self.marks.values, bool(number))
        elif is_percent or not PLAIN.fullmatch(bare) or PADDED.match(bare):
            tells = _tells(shown, float(f"{number * (100 if is_percent else 1):.15g}"))
            self._put(self.marks.shown, shown if tells else fault(UNCLEAR, number))

    def _put(self, marks: dict[int, dict[int, Any]], mark: Any) -> None:
        """Mark the cell, and its copies as far as a person could have meant them."""
        for row in range(self.row, self.row + min(self.rows, 1000)):
            for column in range(self.column, min(self.column + self.columns, COLUMNS)):
                marks.setdefault(row, {})[column] = mark


def _tells(shown: str, number: float) -> bool:
    """Whether what is shown has every digit of the number: HY007 or 000-007 of 7, not 2% of 0.016."""
    parts = DIGITS.findall(shown.replace(",", ""))
    joined = "".join(parts)
    if number < 0 and "-" not in shown and "(" not in shown:
        return False
    return abs(number) in map(float, parts) or (joined.isdigit() and float(joined) == abs(number))


def _time(written: str) -> time | timedelta | Fault:
    """PT03H04M00S as the time of a day or, beyond it, as a duration; calamine takes the latter for text."""
    found = DURATION.fullmatch(written)
    if not found:
        return fault(BECAME_TIME, written)
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()[1:])
    span = timedelta(days, seconds, hours=hours, minutes=minutes) * (-1 if found[1] else 1)
    return (datetime.min + span).time() if timedelta() <= span < timedelta(1) else span
