"""The comments on cells: those of an earlier return taken off, new ones added, other people's kept."""

import re
from collections.abc import Mapping
from xml.dom.minidom import Element
from xml.sax.saxutils import escape

from openpyxl.utils.cell import coordinate_to_tuple

from catalog.marking.markup import TYPES
from catalog.marking.package import Package, added, elements, one
from catalog.marking.problems import SIGN, Place, reference
from catalog.marking.sheets import Sheet

AUTHOR = "约检台"
# So many comments a program still opens quickly.
MOST = 10_000

SHAPE = re.compile(r"<((?:\w+:)?)shape\b.*?</\1shape\s*>", re.DOTALL)
SHAPE_NUMBER = re.compile(r"_x0000_s(\d+)")
SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
NAMESPACES = {
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "x": "urn:schemas-microsoft-com:office:excel",
}
DRAWING = (
    f'<xml><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout>{SHAPE_TYPE}</xml>'
)


def annotate(package: Package, part: str, sheet: Sheet, texts: Mapping[Place, str]) -> None:
    """Take our comments of an earlier return off the sheet in `part`, and add `texts` by row and column."""
    found = next((target for kind, target in package.related(part) if kind == "comments"), None)
    if found is None and not texts:
        return
    comments = found or _new_comments(package, part)
    root = package.root(comments)
    removed = _cleaned(root)
    kept = {each.getAttribute("ref"): each for each in elements(root, "comment")}
    new = [place for place in texts if reference(place) not in kept]
    author = _author(root) if texts else 0
    for place, text in texts.items():
        comment = kept.get(reference(place)) or _comment(root, reference(place), author)
        _write(comment, text)
    _draw(package, part, sheet, removed, new)


def _new_comments(package: Package, part: str) -> str:
    name = package.free_name("xl/comments{}.xml")
    package.plant(name, f'<comments xmlns="{package.main}"><authors/><commentList/></comments>')
    package.relate(part, "comments", name)
    package.declare(name, f"{TYPES}.spreadsheetml.comments+xml")
    return name


def _cleaned(root: Element) -> list[Place]:
    """Take off what we wrote, and give the cells that have no comment any more."""
    removed = []
    for comment in elements(root, "comment"):
        texts = elements(comment, "t")
        if not any(SIGN in _content(text) for text in texts):
            continue
        _cut(texts)
        if not "".join(map(_content, texts)).strip():
            one(root, "commentList").removeChild(comment)
            row, column = coordinate_to_tuple(comment.getAttribute("ref"))
            removed.append((row, column - 1))
    return removed


def _cut(texts: list[Element]) -> None:
    """Leave of a text in pieces what stands before our sign."""
    is_ours = False
    for text in texts:
        before = "" if is_ours else _content(text).partition(SIGN)[0]
        is_ours = is_ours or SIGN in _content(text)
        _set_content(text, before)
    if kept := [text for text in texts if _content(text)]:
        _set_content(kept[-1], _content(kept[-1]).removesuffix("\n"))


def _content(text: Element) -> str:
    return "".join(node.data for node in text.childNodes if node.nodeType == node.TEXT_NODE)


def _set_content(text: Element, content: str) -> None:
    while text.firstChild:
        text.removeChild(text.firstChild)
    document = text.ownerDocument
    assert document
    text.appendChild(document.createTextNode(content))


def _comment(root: Element, reference: str, author: int) -> Element:
    """A new comment, still empty."""
    return added(one(root, "commentList"), "comment", ref=reference, authorId=str(author))


def _write(comment: Element, text: str) -> None:
    """Add our text, below that of another person if there is one."""
    body = one(comment, "text")
    run = added(body, "r")
    style = added(run, "rPr")
    added(style, "sz", val="10")
    added(style, "rFont", val="Microsoft YaHei")
    text = f"\n{text}" if body.firstChild is not run else text
    added(run, "t", text).setAttribute("xml:space", "preserve")


def _author(root: Element) -> int:
    """Our number among the authors."""
    authors = one(root, "authors")
    names = [_content(author) for author in elements(authors, "author")]
    if AUTHOR not in names:
        added(authors, "author", AUTHOR)
        return len(names)
    return names.index(AUTHOR)


def _draw(package: Package, part: str, sheet: Sheet, removed: list[Place], new: list[Place]) -> None:
    """Take off and add the boxes the comments are shown in."""
    found = package.target(part, sheet.drawing_id) if sheet.drawing_id else None
    drawing = package.read(found).decode("utf-8", "replace") if found in package.names else DRAWING
    gone = set(removed)
    drawing = SHAPE.sub(lambda shape: "" if _place(shape[0]) in gone else shape[0], drawing)
    number = max(map(int, SHAPE_NUMBER.findall(drawing)), default=1024)
    shapes = "" if '"_x0000_t202"' in drawing else SHAPE_TYPE
    shapes += "".join(_shape(number + index, place) for index, place in enumerate(new, start=1))
    missing = [f' xmlns:{key}="{name}"' for key, name in NAMESPACES.items() if f"xmlns:{key}=" not in drawing]
    drawing = drawing.replace("<xml", "<xml" + "".join(missing), 1)
    head, end, tail = drawing.rpartition("</xml>")
    name = found or package.free_name("xl/drawings/vmlDrawing{}.vml")
    package.put(name, [(head + shapes + end + tail).encode()])
    package.declare_ending("vml", f"{TYPES}.vmlDrawing")
    sheet.draw(package.relate(part, "vmlDrawing", name), package.office)


def _place(shape: str) -> Place | None:
    row, column = (re.search(f"<(?:\\w+:)?{name}>\\s*(\\d+)\\s*<", shape) for name in ("Row", "Column"))
    return (int(row[1]) + 1, int(column[1])) if row and column else None


def _shape(number: int, place: Place) -> str:
    row, column = place[0] - 1, place[1]
    anchor = f"{column + 1}, 15, {max(row - 1, 0)}, 4, {column + 4}, 15, {max(row - 1, 0) + 5}, 4"
    return (
        f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" fillcolor="#fff4f4" o:insetmode="auto"'
        ' style="position:absolute;width:200pt;height:80pt;visibility:hidden"><v:fill color2="#fff4f4"/>'
        '<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
        '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
        '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{escape(anchor)}</x:Anchor><x:AutoFill>False</x:AutoFill>"
        f"<x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
    )
