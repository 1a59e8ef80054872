"""The red fill of a bad cell, given and taken back through a named style.

The named style keeps the fill the cell had before, and the cell's own format has the red one. So a later
return finds the marks of the earlier by the style's name, in whatever program the file was saved, and gives
each cell its old fill back without touching a cell.
"""

from xml.dom.minidom import Element

from catalog.marking.markup import STYLES, TYPES
from catalog.marking.package import Package, added, first

STYLE_NAME = "检查不通过"
RED = "FFFFC7CE"
GREY = "FF5F6B7A"


class Styles:
    """The cell formats of a workbook."""

    def __init__(self, package: Package) -> None:
        """Read them, or begin with our own where the workbook has none."""
        part = next((target for kind, target in package.related(package.book) if kind == "styles"), None)
        if part not in package.names:
            part = _new_part(package)
        root = package.root(part)
        self.fills = _group(root, "fills", "fonts")
        self.fonts = _group(root, "fonts", "numFmts")
        self.named_formats = _group(root, "cellStyleXfs", "borders")
        self.formats = _group(root, "cellXfs", "cellStyleXfs")
        self.names = _group(root, "cellStyles", "cellXfs")
        self.made: dict[int, int] = {}
        self._restore()

    def marked(self, style: int) -> int:
        """The number of the format that looks like `style` but red."""
        if style not in self.made:
            known = _children(self.formats)
            format = known[style if style < len(known) else 0].cloneNode(True)
            assert format
            format.setAttribute("xfId", str(self._named(format.getAttribute("fillId") or "0")))
            format.setAttribute("fillId", str(self._fill(RED)))
            format.setAttribute("applyFill", "1")
            self.formats.appendChild(format)
            self.made[style] = _count(self.formats) - 1
        return self.made[style]

    def plain(self, *, bold: bool = False, color: str = "", fill: str = "", size: int = 11) -> int:
        """The number of a new format for wrapped text, for the summary."""
        font = added(self.fonts, "font")
        if bold:
            added(font, "b")
        added(font, "sz", val=str(size))
        if color:
            added(font, "color", rgb=color)
        added(font, "name", val="Microsoft YaHei")
        format = added(self.formats, "xf", numFmtId="0", borderId="0", xfId="0", applyFont="1")
        format.setAttribute("fontId", str(_count(self.fonts) - 1))
        format.setAttribute("fillId", str(self._fill(fill)) if fill else "0")
        format.setAttribute("applyFill", "1")
        format.setAttribute("applyAlignment", "1")
        added(format, "alignment", horizontal="left", vertical="top", wrapText="1")
        return _count(self.formats) - 1

    def _restore(self) -> None:
        """Give the cells of an earlier return their own fill back."""
        ours = self._ours()
        for format in _children(self.formats):
            before = ours.get(format.getAttribute("xfId"))
            if before is not None:
                format.setAttribute("fillId", before)
                format.setAttribute("xfId", "0")

    def _ours(self) -> dict[str, str]:
        """Our named styles: the number of each with the fill it keeps."""
        formats = _children(self.named_formats)
        numbers = [
            each.getAttribute("xfId")
            for each in _children(self.names)
            if each.getAttribute("name").startswith(STYLE_NAME)
        ]
        return {
            number: formats[int(number)].getAttribute("fillId") or "0"
            for number in numbers
            if number.isdecimal() and int(number) < len(formats)
        }

    def _named(self, fill: str) -> int:
        """The number of our named style that keeps `fill`."""
        ours = self._ours()
        for number, kept in ours.items():
            if kept == fill:
                return int(number)
        format = added(self.named_formats, "xf", numFmtId="0", fontId="0", borderId="0")
        format.setAttribute("fillId", fill)
        made = _count(self.named_formats) - 1
        name = f"{STYLE_NAME} {made}" if ours else STYLE_NAME
        added(self.names, "cellStyle", name=name, xfId=str(made))
        _count(self.names)
        return made

    def _fill(self, color: str) -> int:
        """The number of the plain fill of this color."""
        for number, fill in enumerate(_children(self.fills)):
            if _is_plain(fill, color):
                return number
        pattern = added(added(self.fills, "fill"), "patternFill", patternType="solid")
        added(pattern, "fgColor", rgb=color)
        added(pattern, "bgColor", indexed="64")
        return _count(self.fills) - 1


def _is_plain(fill: Element, color: str) -> bool:
    pattern, shade = first(fill, "patternFill"), first(fill, "fgColor")
    if pattern is None or shade is None or pattern.getAttribute("patternType") != "solid":
        return False
    return shade.getAttribute("rgb").upper() == color


def _new_part(package: Package) -> str:
    part = package.free_name("xl/styles{}.xml")
    package.plant(part, STYLES)
    package.relate(package.book, "styles", part)
    package.declare(part, f"{TYPES}.spreadsheetml.styles+xml")
    return part


# What a group begins with; numbers in formats count from here.
_SEEDS: dict[str, list[tuple[str, dict[str, str]]]] = {
    "fonts": [("font", {})],
    "fills": [("fill", {}), ("fill", {})],
    "cellStyleXfs": [("xf", {"numFmtId": "0", "fontId": "0", "fillId": "0", "borderId": "0"})],
    "cellXfs": [("xf", {"numFmtId": "0", "fontId": "0", "fillId": "0", "borderId": "0", "xfId": "0"})],
    "cellStyles": [("cellStyle", {"name": "Normal", "xfId": "0", "builtinId": "0"})],
}


def _group(root: Element, name: str, after: str) -> Element:
    """The group of this name; where there is none, a new one behind the group `after`."""
    if found := first(root, name):
        return found
    group = added(root, name)
    before = first(root, after)
    others = _children(root)[:-1]
    at = others.index(before) + 1 if before else 0
    if at < len(others):
        root.insertBefore(group, others[at])
    for member, attributes in _SEEDS[name]:
        added(group, member, **attributes)
    _count(group)
    return group


def _children(group: Element) -> list[Element]:
    return [node for node in group.childNodes if node.nodeType == node.ELEMENT_NODE]


def _count(group: Element) -> int:
    """Count the members of a group, and say so in it."""
    count = len(_children(group))
    group.setAttribute("count", str(count))
    return count
