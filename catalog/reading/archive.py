"""The parts of a packed workbook (.xlsx, .ods), inflated within a budget and looked at on the way."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from catalog.reading.contents import Unreadable
from catalog.reading.formats import DAMAGED, RESAVE
from catalog.reading.limits import HARMLESS, RATIO, UNPACKED

PIECE = 2**20
PLAIN, DEFLATED = 0, 8

BOMB = f"文件解压后超过 {UNPACKED // 2**20} MB 或压缩得异常，无法读取，{RESAVE}"
DOCTYPE = f"文件的 XML 里含有 DOCTYPE 或实体声明，正常的工作簿没有，不能读取，{RESAVE}"
ENCODING = f"文件的 XML 不是 UTF-8 编码，不能读取，{RESAVE}"

DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY")
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError, ValueError)


class Archive:
    """A zip file whose directory promises nothing unreasonable; what it promises is checked on reading."""

    def __init__(self, path: Path) -> None:
        """Open it, or raise Unreadable for a bomb or a directory that contradicts itself."""
        try:
            self.file = zipfile.ZipFile(path)
        except (OSError, *BROKEN) as error:
            raise Unreadable(DAMAGED) from error
        self.parts = {part.filename: part for part in self.file.infolist()}
        self.left = UNPACKED
        self._check(path.stat().st_size)

    def _check(self, packed: int) -> None:
        parts = self.file.infolist()
        unpacked = sum(part.file_size for part in parts)
        if unpacked > UNPACKED or (unpacked > HARMLESS and unpacked > packed * RATIO):
            raise Unreadable(BOMB)
        if len({name.lower() for name in self.parts}) < len(parts):
            raise Unreadable(DAMAGED)
        if any(part.compress_type not in (PLAIN, DEFLATED) for part in parts):
            raise Unreadable(DAMAGED)

    def markup(self) -> list[str]:
        """The names of the parts that are XML."""
        return [name for name in self.parts if name.lower().endswith((".xml", ".rels", ".vml"))]

    def read(self, name: str) -> bytes:
        """A whole part, b"" where there is none."""
        return b"".join(self.pieces(name)) if name in self.parts else b""

    def tree(self, name: str) -> ElementTree.Element:
        """A part as a tree, its tags and attributes without namespaces; an empty one where there is none."""
        try:
            root = ElementTree.fromstring(self.read(name) or b"<none/>")
        except ElementTree.ParseError as error:
            raise Unreadable(DAMAGED) from error
        for element in root.iter():
            element.tag = _local(element.tag)
            element.attrib = {_local(key): value for key, value in element.attrib.items()}
        return root

    def pieces(self, name: str) -> Iterator[bytes]:
        """A part piece by piece, each looked at; raises Unreadable when it is not the XML it should be."""
        before = b""
        try:
            with self.file.open(self.parts[name]) as part:
                while piece := part.read(PIECE):
                    self._spend(len(piece))
                    if not before:
                        _look_at_start(piece)
                    joint = before[-16:] + piece[:16]
                    if (b"<!" in piece or b"<!" in joint) and any(
                        word in piece or word in joint for word in FORBIDDEN
                    ):
                        raise Unreadable(DOCTYPE)
                    yield piece
                    before = piece
        except BROKEN as error:
            raise Unreadable(DAMAGED) from error

    def _spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Unreadable(BOMB)


def _look_at_start(piece: bytes) -> None:
    declared = DECLARED.match(piece.removeprefix(b"\xef\xbb\xbf").lstrip()[:200])
    if b"\x00" in piece[:4] or (declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii")):
        raise Unreadable(ENCODING)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
