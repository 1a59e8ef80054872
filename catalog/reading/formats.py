"""What a file really is, by its content: one of the readable formats, or a refusal that says what it is."""

import zipfile
from enum import StrEnum
from pathlib import Path

from catalog.reading.compound import Compound
from catalog.reading.contents import Unreadable
from catalog.reading.limits import PARTS

WANTED = "请上传 .xlsx、.xls、.ods 或 .csv 文件"
RESAVE = "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新上传"

EMPTY = f"文件是空的，没有任何内容，{WANTED}"
DAMAGED = f"文件损坏或不完整，{RESAVE}"
ENCRYPTED = "文件设有打开密码，请在 Excel 中取消密码（文件 → 信息 → 保护工作簿）后重新上传"
MACRO = "文件含有宏，不能导入，请另存为不带宏的 .xlsx 后重新上传"
BINARY = f"这是 .xlsb 二进制工作簿，不能导入，{RESAVE}"
OLD = f"这是 Excel 95 或更早的文件，不能导入，{RESAVE}"
PAGE = f"文件内容其实是网页（HTML），不是工作簿，{RESAVE}"
MARKUP = f"文件内容其实是 XML 表格，不是工作簿，{RESAVE}"
NUMBERS = "这是苹果 Numbers 文件，请在 Numbers 中导出为 Excel（.xlsx）后重新上传"
ARCHIVE = f"这是压缩包，不是表格，请先解压，{WANTED}"


class Format(StrEnum):
    """The formats that are read; the value is the ending of such a file's name."""

    xlsx = ".xlsx"
    xls = ".xls"
    ods = ".ods"
    text = ".csv"


SIGNATURES = (
    (b"%PDF", "PDF 文件"),
    (b"\x89PNG", "图片"),
    (b"\xff\xd8\xff", "图片"),
    (b"GIF8", "图片"),
    (b"BM", "图片"),
    (b"II*\x00", "图片"),
    (b"MM\x00*", "图片"),
    (b"RIFF", "图片或音视频"),
    (b"{\\rtf", "写字板文档"),
)
ARCHIVES = (b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The first record of workbooks before they became compound files.
BARE_SHEETS = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00")
TABLE_NAMES = (".csv", ".txt", ".tsv")


def recognized(path: Path, name: str) -> Format:
    """The format of the file at `path`, called `name`; raises Unreadable if it is none, or misnamed."""
    with path.open("rb") as file:
        start = file.read(4096)
    found = _format(path, start)
    ending = Path(name.lower()).suffix
    if ending == ".xlsm":
        raise Unreadable(MACRO)
    named = Format.text if ending in TABLE_NAMES else next((one for one in Format if one == ending), found)
    if named != found:
        raise Unreadable(_misnamed(ending, found))
    return found


def _misnamed(ending: str, found: Format) -> str:
    if found == Format.text:
        return f"文件名以 {ending} 结尾，内容却是文本（CSV），请把文件名改为以 .csv 结尾后重新上传"
    return f"文件名以 {ending} 结尾，内容却是 {found} 工作簿，请把文件名改为以 {found} 结尾后重新上传"


def _format(path: Path, start: bytes) -> Format:
    if not start.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        raise Unreadable(EMPTY)
    if start.startswith(b"PK"):
        return _zipped(path)
    if start.startswith(COMPOUND):
        return _compound(path)
    if start.startswith(BARE_SHEETS):
        raise Unreadable(OLD)
    if start.startswith(ARCHIVES):
        raise Unreadable(ARCHIVE)
    for signature, what in SIGNATURES:
        if start.startswith(signature) and (len(signature) > 2 or b"\x00" in start):
            raise Unreadable(f"这是{what}，不是表格，{WANTED}")
    return _plain(start)


def _plain(start: bytes) -> Format:
    """Text, unless it is markup or no text at all."""
    opening = start.lstrip(b"\xef\xbb\xbf\r\n\t ").lower()
    if opening.startswith((b"<?xml", b"<workbook")):
        raise Unreadable(PAGE if b"<html" in opening else MARKUP)
    if opening.startswith((b"<!doctype", b"<html", b"<table", b"<meta", b"<head", b"<body", b"mime-version")):
        raise Unreadable(PAGE)
    is_utf16 = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\x00" in start and not is_utf16:
        raise Unreadable(f"无法识别这个文件，{WANTED}")
    return Format.text


def _zipped(path: Path) -> Format:
    """The kind of workbook in a zip file, by the parts it has."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            kind = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise Unreadable(DAMAGED) from error
    if len(parts) > PARTS:
        raise Unreadable(f"文件由 {len(parts):,} 个部分组成，不像正常的工作簿，{RESAVE}")
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable(ENCRYPTED)
    if any(name.lower().endswith("vbaproject.bin") or name.startswith("Basic/") for name in names):
        raise Unreadable(MACRO)
    return _packed(names, kind)


def _packed(names: set[str], kind: bytes) -> Format:
    if kind.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        return Format.ods
    if "xl/workbook.bin" in names:
        raise Unreadable(BINARY)
    if any(name.startswith(("word/", "ppt/")) for name in names) or kind:
        raise Unreadable(f"这是文档或演示文稿，不是表格，{WANTED}")
    if "Index/Document.iwa" in names or "Index.zip" in names:
        raise Unreadable(NUMBERS)
    if "[Content_Types].xml" in names:
        return Format.xlsx
    raise Unreadable(ARCHIVE)


def _compound(path: Path) -> Format:
    """The kind of a compound file: .xls, or what else Office has put into one."""
    streams = Compound(path).names
    if streams & {"EncryptedPackage", "EncryptionInfo"}:
        raise Unreadable(ENCRYPTED)
    if "WordDocument" in streams or "PowerPoint Document" in streams:
        raise Unreadable(f"这是文档或演示文稿，不是表格，{WANTED}")
    if streams & {"_VBA_PROJECT_CUR", "_VBA_PROJECT"}:
        raise Unreadable(MACRO)
    if "Workbook" in streams:
        return Format.xls
    raise Unreadable(OLD if "Book" in streams else f"无法识别这个文件，{WANTED}")
