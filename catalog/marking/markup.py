"""Pieces of the XML of a workbook, as ECMA-376 wants them, for marking a file where it stands."""

import re
from xml.sax.saxutils import escape

from catalog.spreadsheets import UNWRITABLE

LEVEL = 5  # zlib's 6, the default, takes twice as long for 1 % less

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument"

# For a workbook without any formats.
STYLES = (
    f'<styleSheet xmlns="{MAIN}">'
    '<fonts count="1"><font><sz val="11"/><name val="Microsoft YaHei"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)

_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]|_x[0-9A-Fa-f]{4}_")
_CODED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def xml_text(text: str) -> str:
    """A text as XML of a workbook: escaped, without the characters XML has no place for.

    `_x0041_` would be read as A and is written `_x005F_x0041_` (ECMA-376, ST_Xstring).
    """
    if not _SPECIAL.search(text):
        return text
    return escape(_CODED.sub("_x005F_", UNWRITABLE.sub("", text)), {"\r": "&#13;"})


def text_element(text: str) -> str:
    """The <t> element of a text; its outer spaces are kept."""
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f"<t{space}>{xml_text(text)}</t>"
