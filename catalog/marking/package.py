"""A workbook as the zip file it is: parts that are read, replaced and added, all others kept as they are."""

import posixpath
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO
from xml.dom.minidom import Document, Element, parseString
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from catalog.marking.markup import LEVEL, OFFICE, PACKAGE

STRICT = "http://purl.oclc.org/ooxml/officeDocument"
TYPES_PART = "[Content_Types].xml"
Pieces = Iterable[bytes | memoryview]


def elements(parent: Document | Element, name: str) -> list[Element]:
    """All elements of this name below `parent`, whatever prefix they are written with."""
    return list(parent.getElementsByTagNameNS("*", name))


def first(parent: Document | Element, name: str) -> Element | None:
    """The first element of this name below `parent`, found without looking at those behind it."""
    return next((each for each in _below(parent) if each.localName == name), None)


def _below(parent: Document | Element) -> Iterator[Element]:
    for node in parent.childNodes:
        if node.nodeType == node.ELEMENT_NODE:
            yield node
            yield from _below(node)


def one(parent: Element, name: str) -> Element:
    """The first element of this name below `parent`, or a new one."""
    return first(parent, name) or added(parent, name)


def added(parent: Element, name: str, text: str = "", /, **attributes: str) -> Element:
    """A new last child of `parent`, with the prefix its parent is written with."""
    document = parent.ownerDocument
    assert document
    prefix = f"{parent.prefix}:" if parent.prefix else ""
    child = document.createElementNS(parent.namespaceURI, prefix + name)
    for key, value in attributes.items():
        child.setAttribute(key, value)
    if text:
        child.appendChild(document.createTextNode(text))
    parent.appendChild(child)
    return child


def related_id(element: Element) -> str:
    """The id of the relation an element names (r:id, under whatever prefix)."""
    return next((value for key, value in element.attributes.items() if key.endswith(":id")), "")


class NotWorkbook(Exception):
    """The file is no .xlsx."""


class Package:
    """The parts of one workbook."""

    def __init__(self, source: Path | IO[bytes]) -> None:
        """Open it and find its workbook part. Raises NotWorkbook."""
        try:
            self.archive = ZipFile(source)
        except BadZipFile as error:
            raise NotWorkbook from error
        self.names = set(self.archive.namelist())
        self.trees: dict[str, Document] = {}
        self.changed: dict[str, Pieces] = {}
        books = [part for kind, part in self.related("") if kind == "officeDocument"]
        if not books:
            raise NotWorkbook
        self.book = books[0]
        root = self.root(self.book)
        self.is_strict = "purl.oclc.org" in str(root.namespaceURI)
        self.main = str(root.namespaceURI)

    @property
    def office(self) -> str:
        """What the types of relations begin with in this workbook."""
        return f"{STRICT if self.is_strict else OFFICE}/relationships"

    def read(self, part: str) -> bytes:
        """The content of a part of the file."""
        return self.archive.read(part)

    def tree(self, part: str) -> Document:
        """A part as a tree; what is changed in it is saved."""
        if part not in self.trees:
            self.trees[part] = parseString(self.read(part))
        return self.trees[part]

    def root(self, part: str) -> Element:
        """The outermost element of a part."""
        root = self.tree(part).documentElement
        assert root
        return root

    def plant(self, part: str, markup: str) -> None:
        """Add a part as a tree that goes on growing."""
        self.names.add(part)
        self.trees[part] = parseString(markup)

    def put(self, part: str, pieces: Pieces) -> None:
        """Replace the content of a part, or add it."""
        self.names.add(part)
        self.changed[part] = pieces

    def free_name(self, pattern: str) -> str:
        """A name for a new part: `pattern` with the first number that is not taken."""
        number = 1
        while pattern.format(number) in self.names:
            number += 1
        return pattern.format(number)

    def related(self, part: str) -> list[tuple[str, str]]:
        """The kinds of the relations of `part` ("" for the whole file), each with the part it leads to."""
        return [
            (each.getAttribute("Type").rsplit("/", 1)[-1], _target(part, each.getAttribute("Target")))
            for each in self._relations(part)
        ]

    def target(self, part: str, relation: str) -> str | None:
        """The part that the relation with this id leads to."""
        wanted = (each for each in self._relations(part) if each.getAttribute("Id") == relation)
        return next((_target(part, each.getAttribute("Target")) for each in wanted), None)

    def relate(self, part: str, kind: str, target: str) -> str:
        """Relate `part` to `target`, once; gives the id of the relation."""
        for each in self._relations(part):
            if _target(part, each.getAttribute("Target")) == target:
                return each.getAttribute("Id")
        name = _relations_part(part)
        if name not in self.names:
            self.plant(name, f'<Relationships xmlns="{PACKAGE}/relationships"/>')
        taken = {each.getAttribute("Id") for each in self._relations(part)}
        identity = next(f"rId{number}" for number in range(1, len(taken) + 2) if f"rId{number}" not in taken)
        added(self.root(name), "Relationship", Id=identity, Type=f"{self.office}/{kind}", Target=f"/{target}")
        return identity

    def declare(self, part: str, content_type: str) -> None:
        """Say what type a new part has."""
        self._declare("Override", "PartName", f"/{part}", content_type)

    def declare_ending(self, ending: str, content_type: str) -> None:
        """Say what type all parts with this ending have."""
        self._declare("Default", "Extension", ending, content_type)

    def save(self, out: Path) -> None:
        """Write the workbook with its changes; the order of its parts stays."""
        with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
            for part in sorted(self.names, key=self._position):
                with archive.open(part, "w", force_zip64=True) as file:
                    self._write(part, file)

    def _write(self, part: str, file: IO[bytes]) -> None:
        if part in self.changed:
            for piece in self.changed[part]:
                file.write(piece)
        elif part in self.trees:
            file.write(self.trees[part].toxml(encoding="UTF-8", standalone=True))
        elif not part.endswith("/"):
            with self.archive.open(part) as content:
                shutil.copyfileobj(content, file, 2**20)

    def _position(self, part: str) -> int:
        info = self.archive.NameToInfo.get(part)
        return info.header_offset if info else 2**62

    def _declare(self, name: str, key: str, value: str, content_type: str) -> None:
        tree = self.tree(TYPES_PART)
        if not any(each.getAttribute(key).lower() == value.lower() for each in elements(tree, name)):
            element = added(self.root(TYPES_PART), name, ContentType=content_type)
            element.setAttribute(key, value)

    def _relations(self, part: str) -> list[Element]:
        name = _relations_part(part)
        return elements(self.tree(name), "Relationship") if name in self.names else []


def _relations_part(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _target(part: str, target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target))
