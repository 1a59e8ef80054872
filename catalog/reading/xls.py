"""What stands in the records of an .xls workbook (BIFF8) and is lost on calamine."""

import struct
from collections.abc import Iterator
from pathlib import Path

from catalog.reading.cells import ERROR, LONG, NO_VALUE, fault
from catalog.reading.compound import Compound
from catalog.reading.contents import Fault, Unreadable
from catalog.reading.formats import DAMAGED, ENCRYPTED, OLD
from catalog.reading.limits import COLUMNS
from catalog.reading.marks import BUILT_IN, Marks, NumberFormat, number_format

BOF, EOF, FILEPASS, DATEMODE, BOUNDSHEET, FORMAT, XF = 0x809, 0x0A, 0x2F, 0x22, 0x85, 0x41E, 0xE0
FORMULA, BOOLERR, NUMBER, RK, MULRK, ROW, COLINFO, MERGED, FILTERED = (
    *(0x06, 0x205, 0x203, 0x27E, 0xBD),
    *(0x208, 0x7D, 0xE5, 0x9B),
)
STRING, BETWEEN = 0x207, (0x4BC, 0x221, 0x236)
# A formula's number of bits that mean "not a number", and what its first byte then says.
NO_NUMBER, TEXT, FAULT, EMPTY = b"\xff\xff", 0, 2, 3
# The text "" inside a formula.
EMPTY_TEXT = b"\x17\x00"
BIFF8 = 0x0600
ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}

Record = tuple[int, bytes]


class Records:
    """The records of an .xls file: date system, and for each sheet what calamine does not tell."""

    edition = ""

    def __init__(self, path: Path) -> None:
        """Read the records of the book itself; raises Unreadable."""
        self.data = Compound(path).stream("Workbook")
        self.is_1904 = False
        self.starts: dict[str, int] = {}
        self.codes: dict[int, str] = dict(BUILT_IN)
        self.styles: list[int] = []
        try:
            for kind, body in self._records(0):
                self._take(kind, body)
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise Unreadable(DAMAGED) from error
        formats = {style: number_format(self.codes.get(code, "")) for style, code in enumerate(self.styles)}
        self.formats: dict[int, NumberFormat] = {style: each for style, each in formats.items() if each}

    def _records(self, start: int) -> Iterator[Record]:
        """The records from `start` to the end of their part, nested parts (charts) left out."""
        depth, data = 0, self.data
        while start + 4 <= len(data):
            kind, length = struct.unpack_from("<HH", data, start)
            if kind == BOF:
                depth += 1
            if depth == 1:
                yield kind, data[start + 4 : start + 4 + length]
            if kind == EOF:
                depth -= 1
                if depth <= 0:
                    return
            start += 4 + length

    def _take(self, kind: int, body: bytes) -> None:
        if kind == FILEPASS:
            raise Unreadable(ENCRYPTED)
        if kind == BOF and struct.unpack_from("<H", body)[0] != BIFF8:
            raise Unreadable(OLD)
        if kind == DATEMODE:
            self.is_1904 = body[:1] == b"\x01"
        elif kind == BOUNDSHEET:
            self.starts[_text(body, 6, body[6])] = struct.unpack_from("<I", body)[0]
        elif kind == FORMAT:
            code, length = struct.unpack_from("<HH", body)
            self.codes[code] = _text(body, 3, length)
        elif kind == XF:
            self.styles.append(struct.unpack_from("<H", body, 2)[0])

    def inspect(self) -> None:
        """Nothing is packed here: the records are looked at sheet by sheet."""

    def marks(self, sheet: str) -> Marks:
        """What the records say of a sheet."""
        marks, waiting = Marks(), b""
        try:
            for kind, body in self._records(self.starts[sheet]) if sheet in self.starts else ():
                if waiting and kind not in BETWEEN:
                    if kind != STRING:
                        self._put(marks, waiting, fault(NO_VALUE, "="))
                    waiting = b""
                if kind == FORMULA and body[12:14] == NO_NUMBER and body[6] == TEXT:
                    waiting = body
                self._mark(marks, kind, body)
        except (struct.error, IndexError) as error:
            raise Unreadable(DAMAGED) from error
        return marks

    def _mark(self, marks: Marks, kind: int, body: bytes) -> None:
        if kind == BOOLERR and body[7]:
            self._put(marks, body, fault(ERROR, ERRORS.get(body[6], "#N/A")))
        elif kind == FORMULA and body[12:14] == NO_NUMBER:
            self._mark_formula(marks, body)
        elif kind in (NUMBER, FORMULA, RK, MULRK):
            self._show(marks, kind, body)
        elif kind == ROW:
            marks.hidden_rows += bool(struct.unpack_from("<H", body, 12)[0] & 0x20)
        elif kind == COLINFO:
            marks.has_hidden_columns |= bool(body[8] & 1)
        elif kind == MERGED:
            areas = struct.iter_unpack("<4H", body[2 : 2 + 8 * struct.unpack_from("<H", body)[0]])
            marks.merged += [(top, left, bottom, right) for top, bottom, left, right in areas]
        elif kind == FILTERED:
            marks.is_filtered = True

    def _mark_formula(self, marks: Marks, body: bytes) -> None:
        """A formula whose result is no number; its text, if it has one, is the next record.

        An empty result is also what programs write that do not calculate. It is believed where the formula
        itself says "".
        """
        if body[6] == FAULT:
            self._put(marks, body, fault(ERROR, ERRORS.get(body[8], "#N/A")))
        elif body[6] == EMPTY and EMPTY_TEXT not in body[22:]:
            self._put(marks, body, fault(NO_VALUE, "="))

    @staticmethod
    def _put(marks: Marks, body: bytes, found: Fault) -> None:
        row, column = struct.unpack_from("<HH", body)
        if column < COLUMNS:
            marks.faults.setdefault(row, {})[column] = found

    def _show(self, marks: Marks, kind: int, body: bytes) -> None:
        """Remember how the numbers of a record are shown."""
        if not self.formats:
            return
        row, column = struct.unpack_from("<HH", body)
        for offset, (style, number) in enumerate(_values(kind, body)):
            known = self.formats.get(style)
            if known and column + offset < COLUMNS and abs(number) < LONG:
                marks.shown.setdefault(row, {})[column + offset] = known.show(number)


def _values(kind: int, body: bytes) -> list[tuple[int, float]]:
    """The (style, number) pairs of a record of numbers."""
    if kind in (RK, MULRK):
        pairs = struct.iter_unpack("<HI", body[4 : 4 + (len(body) - 4) // 6 * 6])
        return [(style, _short(number)) for style, number in pairs]
    style, number = struct.unpack_from("<Hd", body, 4)
    return [(style, number)]


def _short(packed: int) -> float:
    """A number in four bytes: the top of a double or a whole number, perhaps in hundredths."""
    if packed & 2:
        number = float(struct.unpack("<i", struct.pack("<I", packed))[0] >> 2)
    else:
        number = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0]
    return number / 100 if packed & 1 else number


def _text(body: bytes, place: int, length: int) -> str:
    """A string of BIFF8 whose length stands before `place`'s byte of options."""
    is_wide = body[place + 1] & 1
    start = place + 2
    return (
        body[start : start + 2 * length].decode("utf-16-le", "replace")
        if is_wide
        else body[start : start + length].decode("latin-1")
    )
