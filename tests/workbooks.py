"""Ledger files as they come in: good ones, odd ones, and ones that mean harm, each as bytes."""

import io
import re
import struct
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from catalog.columns import COLUMNS

HEADINGS = [column.heading for column in COLUMNS]
GAUGE: dict[str, Any] = {
    "器具名称": "压力表",
    "器具类型": "工作计量器具",
    "强检器具种别代码": "91101",
    "型号规格": "Y-100",
    "测量范围": "(0-1) MPa",
    "准确度等级": "1.6",
    "出厂编号": "00123",
    "生产厂家": "上海银普仪表有限公司",
    "器具产地": "国产",
    "使用地点行政区划代码": "330106",
    "安装/使用地点": "锅炉房",
    "购置时间": date(2024, 3, 15),
    "器具数量": 1,
    "器具用途": "安全防护",
    "送检方式": "送检",
    "有效期至": date(2026, 9, 14),
    "备注": None,
}
SHEET = "xl/worksheets/sheet1.xml"


def row(**changes: Any) -> list[Any]:
    """One gauge, with some cells changed by their heading."""
    return list({**GAUGE, **changes}.values())


def book(*rows: list[Any], headings: list[Any] | None = None, title: str = "器具信息") -> Workbook:
    """A workbook of one sheet: headings, then the rows, one gauge if there are none."""
    made = Workbook()
    fill(made.active, *rows, headings=headings)
    made.active.title = title
    return made


def fill(sheet: Worksheet, *rows: list[Any], headings: list[Any] | None = None) -> Worksheet:
    """Put headings and rows below what a sheet has."""
    for cells in (headings or HEADINGS, *(rows or [row()])):
        sheet.append(cells)
    return sheet


def packed(made: Workbook) -> bytes:
    """The workbook as the bytes of an .xlsx file."""
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def operated(data: bytes, changes: dict[str, Callable[[bytes], bytes]], **added: bytes) -> bytes:
    """A zip file with some parts changed, each by its name, and others added."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        assert set(changes) <= set(old.namelist())
        for name in old.namelist():
            new.writestr(name, changes.get(name, bytes)(old.read(name)))
        for name, body in added.items():
            new.writestr(name, body)
    return buffer.getvalue()


def replaced(old: str, new: str) -> Callable[[bytes], bytes]:
    """A change of a part that must find what it changes."""

    def change(body: bytes) -> bytes:
        assert old.encode() in body, old
        return body.replace(old.encode(), new.encode())

    return change


def with_cells(markup: str, after: int = 2) -> bytes:
    """A good workbook with the markup of more rows behind row `after`."""
    made = book(*[row() for _ in range(after - 1)])
    return operated(packed(made), {SHEET: replaced("</sheetData>", markup + "</sheetData>")})


def with_shared_texts(data: bytes) -> bytes:
    """The same workbook with its texts in a part of their own, as Excel saves it."""
    texts: list[bytes] = []

    def shared(found: re.Match[bytes]) -> bytes:
        texts.append(found[1])
        return b't="s"><v>%d</v></c>' % (len(texts) - 1)

    def out(body: bytes) -> bytes:
        return re.sub(rb't="inlineStr"><is>(.*?)</is></c>', shared, body)

    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    place = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    link = f'<Relationship Id="texts" Type="{place}" Target="sharedStrings.xml"/></Relationships>'
    changes = {
        SHEET: out,
        "[Content_Types].xml": replaced("</Types>", part),
        "xl/_rels/workbook.xml.rels": replaced("</Relationships>", link),
    }
    moved = operated(data, changes)
    table = b"".join(b"<si>%s</si>" % text for text in texts)
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return operated(moved, {}, **{"xl/sharedStrings.xml": b'<sst xmlns="%s">%s</sst>' % (space, table)})


def strict() -> bytes:
    """A workbook as Excel saves it under “Strict Open XML 工作簿”: other namespaces, days in ISO form."""
    plain = "http://schemas.openxmlformats.org/"
    spaces = {
        f"{plain}spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
        f"{plain}officeDocument/2006/relationships": "http://purl.oclc.org/ooxml/officeDocument/relationships",
    }

    def renamed(body: bytes) -> bytes:
        for old, new in spaces.items():
            body = body.replace(old.encode(), new.encode())
        return body

    def iso(body: bytes) -> bytes:
        return re.sub(rb'<c r="P2"[^>]*><v>[^<]*</v>', b'<c r="P2" t="d"><v>2026-09-14</v>', renamed(body))

    parts = ["xl/workbook.xml", "xl/styles.xml", "_rels/.rels", "xl/_rels/workbook.xml.rels"]
    return operated(packed(book()), {**dict.fromkeys(parts, renamed), SHEET: iso})


def prefixed(data: bytes) -> bytes:
    """The same workbook with a namespace prefix before each tag of its sheet."""

    def change(body: bytes) -> bytes:
        body = re.sub(rb"<(/?)(?![?!])", rb"<\1x:", body)
        return body.replace(b"xmlns=", b"xmlns:x=", 1)

    return operated(data, {SHEET: change})


def without_references(data: bytes) -> bytes:
    """The same workbook without the places of rows and cells, which are optional."""
    return operated(data, {SHEET: lambda body: re.sub(rb' r="[A-Z]*\d+"', b"", body)})


def converted(data: bytes, ending: str, to: str) -> bytes:
    """The file as LibreOffice saves it in another format."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / f"in.{ending}"
        source.write_bytes(data)
        profile = f"-env:UserInstallation=file://{folder}/profile"
        out = f"{folder}/out"
        subprocess.run(
            ["soffice", profile, "--headless", "--convert-to", to, "--outdir", out, str(source)],
            check=True,
            capture_output=True,
            timeout=120,
        )
        return next(Path(out).iterdir()).read_bytes()


def open_document(settings: str = "", **cells: str) -> bytes:
    """An .ods file of headings and one gauge, some of its cells given as markup by their heading."""
    names = ("office", "table", "text", "draw", "calcext")
    spaces = " ".join(f'xmlns:{name}="urn:{name}"' for name in names)
    gauge = [cells.get(name, open_cell(cell)) for name, cell in zip(HEADINGS, written(), strict=True)]
    rows = "".join(
        f"<table:table-row>{''.join(row)}</table:table-row>" for row in (map(open_cell, HEADINGS), gauge)
    )
    body = f'{settings}<table:table table:name="器具信息">{rows}</table:table>'
    content = f"<office:document-content {spaces}><office:body>{body}</office:body></office:document-content>"
    parts = {
        "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": content.encode(),
        "META-INF/manifest.xml": b"<manifest/>",
    }
    return operated(b"PK\x05\x06" + bytes(18), {}, **parts)


def open_cell(shown: str, kind: str = "string", value: str = "", more: str = "") -> str:
    """A cell of an .ods file: what it shows, its type, its value, and further attributes."""
    name = {"float": "value", "percentage": "value"}.get(kind, f"{kind}-value")
    value = f' office:{name}="{value}"' if value else ""
    attributes = f'office:value-type="{kind}"{value}{more}'
    return f"<table:table-cell {attributes}><text:p>{shown}</text:p></table:table-cell>"


def compound(**streams: bytes) -> bytes:
    """A compound file of old Office with these streams, each filled up to 4,096 bytes or more."""
    names = list(streams)
    bodies = [body.ljust(4096, b"\x00") for body in streams.values()]
    table, entries, sectors = [0xFFFFFFFD], [_entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1)], b""
    directory_length = -(-(len(names) + 1) // 4)
    start = 1 + directory_length
    table += [*range(2, start), 0xFFFFFFFE]
    for index, (name, body) in enumerate(zip(names, bodies, strict=True), start=1):
        count = -(-len(body) // 512)
        following = index + 1 if index < len(names) else 0xFFFFFFFF
        entries.append(_entry(name, 2, start, len(body), right=following))
        table += [*range(start + 1, start + count), 0xFFFFFFFE]
        sectors += body.ljust(count * 512, b"\x00")
        start += count
    assert start <= 128, "one sector of allocation table is all this makes"
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0
    )
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    allocation = struct.pack("<128I", *table, *[0xFFFFFFFF] * (128 - len(table)))
    return header + allocation + b"".join(entries).ljust(directory_length * 512, b"\x00") + sectors


def _entry(
    name: str, kind: int, start: int, size: int, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF
) -> bytes:
    raw = (name + "\x00").encode("utf-16-le")
    head = raw.ljust(64, b"\x00") + struct.pack("<HBBIII", len(raw), kind, 1, 0xFFFFFFFF, right, child)
    return head.ljust(116, b"\x00") + struct.pack("<IQ", start, size)


def encrypted() -> bytes:
    """What Excel makes of a workbook with a password: a compound file around the encrypted package."""
    return compound(
        EncryptionInfo=b"\x04\x00\x04\x00\x40\x00\x00\x00<encryption/>", EncryptedPackage=b"\x99" * 5000
    )


def bomb(size: int, part: str = SHEET) -> bytes:
    """A workbook with a part that ends in `size` bytes of spaces once inflated."""
    buffer = io.BytesIO(packed(book()))
    with zipfile.ZipFile(buffer) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts.setdefault(part, b"<sst/>")
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for name, body in parts.items():
            with new.open(name, "w", force_zip64=False) as out:
                out.write(body)
                for _ in range(size >> 20 if name == part else 0):
                    out.write(b" " * 2**20)
    return buffer.getvalue()


def lying(size: int) -> bytes:
    """A bomb whose directory says that its large part is small."""
    data = bytearray(bomb(size))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        for found in re.finditer(re.escape(signature), bytes(data)):
            place = found.start() + offset
            if struct.unpack_from("<I", data, place)[0] >= size:
                struct.pack_into("<I", data, place, 5000)
    return bytes(data)


def text_file(
    *rows: list[str], separator: str = ",", encoding: str = "utf-8", headings: list[str] | None = None
) -> bytes:
    """A csv file with the headings and rows, cells quoted where they need it."""
    lines = [headings or HEADINGS, *(rows or [written()])]
    return "".join(separator.join(map(_quoted, line)) + "\r\n" for line in lines).encode(encoding)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if re.search(r'[",;\t\r\n]', cell) else cell


def written(**changes: str) -> list[str]:
    """One gauge as text."""
    return ["" if cell is None else str(cell) for cell in row(**changes)]
