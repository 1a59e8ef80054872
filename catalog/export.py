"""Lists written as .xlsx and .csv: streamed, and every text stays a text, never a formula or a link.

The writer of workbooks is our own; docs/decisions.md argues it with figures.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain, islice
from operator import getitem
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl.utils import get_column_letter

Value = str | int | date | None

MOST_ROWS = 1_048_575  # of a sheet below its headings
SHARED_TEXTS, SHORT = (
    100_000,
    100,
)  # so many texts of so many characters are stored once, others in their cells
REMEMBERED = 2_000  # cells of a column
BATCH = 200
LEVEL = 5  # zlib's 6, the default, takes twice as long for 1 % less

# Excel counts days from here (from 1900-03-01 on).
EPOCH = date(1899, 12, 30).toordinal()

# The cell formats of `STYLES`, by Excel's number format.
GENERAL, HEADING = 0, 4
STYLE_OF = {"@": 1, "yyyy-mm-dd": 2, "0": 3}
TEXT, DAY, WHOLE = STYLE_OF.values()

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]|_x[0-9A-Fa-f]{4}_")
_CODED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")

# What a spreadsheet may take for a formula at the beginning of a csv cell, and the mark against it.
_RISKY = re.compile("[=+\\-@'\t\r]")
SHIELD = "'"

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


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
    TypeError for a value of another type, ValueError for a row of another length.
    """
    texts, written = _Texts(), 0
    names: list[str] = []
    ends: list[str] = []
    ahead = iter(rows)
    first = list(islice(ahead, 1))
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        while first or not names:
            part = islice(chain(first, ahead), MOST_ROWS)
            names.append(f"{sheet} ({len(names) + 1})" if names else sheet)
            with archive.open(f"xl/worksheets/sheet{len(names)}.xml", "w", force_zip64=True) as file:
                count = _write_sheet(file, texts, headings, part, formats, widths)
            ends.append(f"{get_column_letter(len(headings))}${count + 1}")
            written += count
            first = list(islice(ahead, 1))
        for name, content in _parts(names, ends, list(texts), title, edition):
            archive.writestr(name, DECLARATION + content)
    return written


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


def xml_text(text: str) -> str:
    """A text as XML of a workbook: escaped, without the characters XML has no place for.

    `_x0041_` would be read as A and is written `_x005F_x0041_` (ECMA-376, ST_Xstring).
    """
    if not _SPECIAL.search(text):
        return text
    return escape(_CODED.sub("_x005F_", _UNWRITABLE.sub("", text)), {"\r": "&#13;"})


def text_element(text: str) -> str:
    """The <t> element of a text; its outer spaces are kept."""
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f"<t{space}>{xml_text(text)}</t>"


class _Texts(dict[str, int]):
    """The texts stored once for the whole workbook, each with its number, in the order of the numbers."""

    def place(self, text: str) -> str:
        """The attributes and content of a cell that shows `text`."""
        number = self.get(text)
        if number is None and len(text) <= SHORT and len(self) < SHARED_TEXTS:
            number = self[text] = len(self)
        if number is None:
            return f't="inlineStr"><is>{text_element(text)}</is>'
        return f't="s"><v>{number}</v>'


class _Cells(dict[Value, str]):
    """The XML of the cells of a column by their value, with NUL where the row's number goes.

    A ledger repeats most of its values, so that a look-up replaces most of the work.
    """

    def __init__(self, letter: str, texts: _Texts) -> None:
        self.start = f'<c r="{letter}\0" s='
        self.texts = texts

    def __missing__(self, value: Value) -> str:
        if len(self) > REMEMBERED:
            self.clear()
        made = self[value] = self._made(value)
        return made

    def _made(self, value: Value) -> str:
        if value is None or value == "":
            return ""
        if isinstance(value, str):
            return f'{self.start}"{TEXT}" {self.texts.place(value)}</c>'
        if isinstance(value, int):
            return f'{self.start}"{WHOLE}"><v>{value:d}</v></c>'
        if isinstance(value, date) and not isinstance(value, datetime):
            return f'{self.start}"{DAY}"><v>{value.toordinal() - EPOCH}</v></c>'
        raise TypeError(f"a cell holds a text, a whole number or a day, not {type(value).__name__}")


def _write_sheet(
    file: IO[bytes],
    texts: _Texts,
    headings: Sequence[str],
    rows: Iterable[Sequence[Value]],
    formats: Sequence[str],
    widths: Sequence[int],
) -> int:
    """Write one sheet's XML and give the number of its rows."""
    count = 0
    file.write((DECLARATION + _sheet_head(headings, formats, widths)).encode())
    lines = _row_lines(texts, rows, len(headings))
    while batch := list(islice(lines, BATCH)):
        count += len(batch)
        file.write("".join(batch).encode())
    end = f"{get_column_letter(len(headings))}{count + 1}"
    file.write(f'</sheetData><autoFilter ref="A1:{end}"/></worksheet>'.encode())
    return count


def _row_lines(texts: _Texts, rows: Iterable[Sequence[Value]], width: int) -> Iterator[str]:
    columns = [_Cells(get_column_letter(index), texts) for index in range(1, width + 1)]
    for number, row in enumerate(rows, start=2):
        if len(row) != width:
            raise ValueError(f"row {number} has {len(row)} values for {width} headings")
        cells = "".join(map(getitem, columns, row))
        yield f'<row r="\0">{cells}</row>'.replace("\0", str(number))


def _sheet_head(headings: Sequence[str], formats: Sequence[str], widths: Sequence[int]) -> str:
    columns, cells = [], []
    for index, heading in enumerate(headings):
        style = STYLE_OF[formats[index]] if index < len(formats) else TEXT
        width = widths[index] if index < len(widths) else min(max(2 * len(heading) + 4, 12), 40)
        columns.append(
            f'<col min="{index + 1}" max="{index + 1}" width="{width}" style="{style}" customWidth="1"/>'
        )
        reference = f"{get_column_letter(index + 1)}1"
        cells.append(f'<c r="{reference}" s="{HEADING}" t="inlineStr"><is>{text_element(heading)}</is></c>')
    return (
        f'<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        '</sheetView></sheetViews><sheetFormatPr defaultRowHeight="16"/>'
        f"<cols>{''.join(columns)}</cols><sheetData>"
        f'<row r="1" ht="24" customHeight="1">{"".join(cells)}</row>'
    )


def _parts(
    names: Sequence[str], ends: Sequence[str], texts: Sequence[str], title: str, edition: str
) -> Iterator[tuple[str, str]]:
    """The parts of a workbook other than its sheets, each with its name; `ends` are their last cells."""
    yield "xl/sharedStrings.xml", _shared_strings(texts)
    yield "xl/styles.xml", STYLES
    yield "xl/workbook.xml", _workbook(names, ends)
    sheets = [("worksheet", f"worksheets/sheet{index}.xml") for index in range(1, len(names) + 1)]
    yield (
        "xl/_rels/workbook.xml.rels",
        _relations([*sheets, ("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")]),
    )
    yield "docProps/core.xml", _core(title)
    yield "docProps/custom.xml", _custom(edition)
    yield "_rels/.rels", _ROOT_RELATIONS
    yield "[Content_Types].xml", _content_types(len(names))


def _shared_strings(texts: Sequence[str]) -> str:
    items = "".join(f"<si>{text_element(text)}</si>" for text in texts)
    return f'<sst xmlns="{MAIN}">{items}</sst>'


def _workbook(names: Sequence[str], ends: Sequence[str]) -> str:
    sheets, filters = [], []
    for index, (name, end) in enumerate(zip(names, ends, strict=True)):
        attribute = escape(name, {'"': "&quot;"})
        sheets.append(f'<sheet name="{attribute}" sheetId="{index + 1}" r:id="rId{index + 1}"/>')
        place = xml_text(name.replace("'", "''"))
        filters.append(
            f'<definedName name="_xlnm._FilterDatabase" localSheetId="{index}" hidden="1">'
            f"'{place}'!$A$1:${end}</definedName>"
        )
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}/relationships">'
        f"<bookViews><workbookView/></bookViews><sheets>{''.join(sheets)}</sheets>"
        f"<definedNames>{''.join(filters)}</definedNames></workbook>"
    )


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    relations = "".join(
        f'<Relationship Id="rId{index}" Type="{OFFICE}/relationships/{kind}" Target="{target}"/>'
        for index, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{relations}</Relationships>'


def _core(title: str) -> str:
    return (
        f'<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{xml_text(title)}</dc:title><dc:creator>约检台</dc:creator></cp:coreProperties>"
    )


def _custom(edition: str) -> str:
    return (
        f'<Properties xmlns="{OFFICE}/custom-properties" xmlns:vt="{OFFICE}/docPropsVTypes">'
        '<property fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" pid="2" name="edition">'
        f"<vt:lpwstr>{xml_text(edition)}</vt:lpwstr></property></Properties>"
    )


def _content_types(sheets: int) -> str:
    spreadsheet = f"{TYPES}.spreadsheetml"
    overrides = {
        "/xl/workbook.xml": f"{spreadsheet}.sheet.main+xml",
        "/xl/styles.xml": f"{spreadsheet}.styles+xml",
        "/xl/sharedStrings.xml": f"{spreadsheet}.sharedStrings+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
        "/docProps/custom.xml": f"{TYPES}.custom-properties+xml",
    }
    for index in range(1, sheets + 1):
        overrides[f"/xl/worksheets/sheet{index}.xml"] = f"{spreadsheet}.worksheet+xml"
    listed = "".join(
        f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in overrides.items()
    )
    return (
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    )


_ROOT_RELATIONS = (
    f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/relationships/officeDocument" Target="xl/workbook.xml"/>'
    f'<Relationship Id="rId2" Type="{PACKAGE}/relationships/metadata/core-properties"'
    ' Target="docProps/core.xml"/>'
    f'<Relationship Id="rId3" Type="{OFFICE}/relationships/custom-properties" Target="docProps/custom.xml"/>'
    "</Relationships>"
)

STYLES = (
    f'<styleSheet xmlns="{MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Microsoft YaHei"/></font>'
    '<font><b/><sz val="11"/><color rgb="FFFFFFFF"/><name val="Microsoft YaHei"/></font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FF5F6B7A"/></patternFill></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="2" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"'
    ' applyFill="1" applyAlignment="1"><alignment horizontal="center" vertical="center"/></xf></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
