"""Cells as a ledger means them: text, codes, days and whole numbers, or the reason a cell is not believed.

Nothing is guessed and nothing changes silently. What is folded differs in looks only:

- in every text, spaces of other widths, tabs and line breaks become one plain space, characters without any
  width go, and so do spaces at the ends. Not NFKC: it would make ³ a 3 and ℃ two characters;
- in codes and numbers of a plate, also full-width digits, Latin letters and the five signs that join them
  (－ ／ ． ＿ ＃). Each has exactly one narrow twin and means the same, so nothing but its width is lost.
  Full-width brackets and commas are ordinary Chinese punctuation and stay.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from catalog.reading.contents import Fault
from catalog.reading.limits import CELL
from catalog.spreadsheets import EPOCH, EPOCH_1904

# The days a ledger may hold, as in the template; 1900-02-29, which Excel knows, lies outside.
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2099, 12, 31)
# From here on a number of Excel has lost digits: it keeps fifteen.
LONG = 1e15

CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd-\uffff"
INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
CONTROL = re.compile(f"[{CONTROLS}]")
UNSEEN = re.compile(f"[{INVISIBLE}]")
ODD_SPACE = re.compile(r"\s*[^\S ]\s*")

WIDE = "０１２３４５６７８９－／．＿＃" + "".join(chr(0xFF21 + n) + chr(0xFF41 + n) for n in range(26))
NARROW = {ord(char): chr(ord(char) - 0xFEE0) for char in WIDE}

# As Excel shows a long number, and so writes it into text and csv.
SCIENTIFIC = re.compile(r"-?\d(?:\.\d+)?E\+\d{2,3}", re.IGNORECASE)
ERRORS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
HASHES = re.compile("#{3,}")

YEAR, PART = r"(?P<year>\d{4})", r"\d{1,2}"
DAY_FORMS = re.compile(
    rf"(?:{YEAR}(?P<sign>[-/.])(?P<month>{PART})(?P=sign)(?P<day>{PART})(?=$|[T ])"
    rf"|(?P<y>\d{{4}})年(?P<m>{PART})月(?P<d>{PART})(?: ?[日号])?"
    r"|(?P<yyyy>\d{4})(?P<mm>\d{2})(?P<dd>\d{2})(?=$|[T ]))"
    r"(?:[T ]?0{1,2}:00(?::00(?:\.0+)?)?)?"
)
AROUND_SIGNS = re.compile(r" *([-/.年月]) *")
SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
WHOLE_FORM = re.compile(r"[+-]?\d{1,15}(?:\.0+)?")

DAMAGED = "这个编号已被 Excel 改成数字并丢掉末尾几位，请把该列设为文本格式后重新填写原编号"
ERROR = "这一格是 Excel 的错误值，请改正公式或直接填写内容"
NARROW_COLUMN = "这一格只显示成 #，原内容没有存进文件，请加宽该列后重新另存"
NO_VALUE = "这一格是公式但没有保存计算结果，请用 Excel 打开并保存后再上传，或直接填写内容"
MERGED = "这一格与左上方的单元格合并，内容只属于第一格，请取消合并后逐格填写"
BROKEN = "这一格有乱码或不可见的控制字符，请重新填写"
TOO_LONG = f"这一格超过 {CELL:,} 个字，请缩短"
BECAME_DAY = "这一格被 Excel 当成了日期，请把该列设为文本格式后重新填写"
BECAME_TIME = "这一格被 Excel 当成了时间，请把该列设为文本格式后重新填写"
DAY_WANTED = "日期请写作 2026-11-23、2026/11/23、2026.11.23、2026年11月23日 或 20261123"
NO_SUCH_DAY = "没有这一天，请改正日期"
OUT_OF_RANGE = f"日期应在 {FIRST_DAY} 至 {LAST_DAY} 之间，请改正"
WITH_TIME = "这一格带有时刻，请只填写日期"
SERIAL_TEXT = "这一格像是 Excel 的日期序号，请把该列设为日期格式，或写作 2026-11-23"
WHOLE_WANTED = "请只填写整数，例如 1，不带单位和小数"

Raw = Any
Reader = Callable[[Raw], "str | int | date | Fault | None"]


def fault(sentence: str, value: Raw) -> Fault:
    """A fault that shows `value`, cut and without characters that a screen or a database cannot hold."""
    return Fault(sentence, CONTROL.sub("\ufffd", _shown(value))[:200])


def _shown(value: Raw) -> str:
    if isinstance(value, float):
        return f"{value:.15G}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}" if value.time() != time() else f"{value:%Y-%m-%d}"
    return str(value)


def text(value: Raw) -> str | Fault | None:
    """The cell as text: as typed but for spaces; numbers as Excel shows them, to 15 digits; None if empty."""
    if type(value) is str:
        return _tidy(value)
    if value is None or isinstance(value, Fault):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _decimal(value)
    return fault(BECAME_DAY if isinstance(value, date) else BECAME_TIME, value)


def code(value: Raw) -> str | Fault | None:
    """The cell as a code or a number of a plate: text, with full-width letters, digits and joints narrow."""
    if type(value) is not str or value.isascii():
        return text(value)
    return text(value.translate(NARROW))


def _tidy(value: str) -> str | Fault | None:
    """Text without the differences one cannot see."""
    # All that is folded or refused is unprintable to Python, but for the sign of a character that was lost.
    if not value.isprintable() or "\ufffd" in value or value != value.strip():
        if CONTROL.search(value):
            return fault(BROKEN, value)
        value = ODD_SPACE.sub(" ", UNSEEN.sub("", value)).strip()
    if len(value) > CELL:
        return fault(TOO_LONG, value)
    if value.startswith("#") and (value in ERRORS or HASHES.fullmatch(value)):
        return fault(ERROR if value in ERRORS else NARROW_COLUMN, value)
    return fault(DAMAGED, value) if "+" in value and SCIENTIFIC.fullmatch(value) else value or None


def _decimal(value: float) -> str | Fault:
    """A number in plain digits, without .0 and without the noise of binary fractions."""
    if not math.isfinite(value) or abs(value) >= LONG:
        return fault(DAMAGED, value)
    if value == int(value):
        return str(int(value))
    shown = f"{value:.15g}"
    return f"{Decimal(shown):f}" if "e" in shown else shown


def day(value: Raw, is_1904: bool = False) -> date | Fault | None:
    """The cell as a day: a date, a serial number of the book's date system, or one of five written forms.

    Which of two numbers is the month is never guessed, and a day that carries a time other than midnight may
    be another day elsewhere: both are faults.
    """
    if value is None or isinstance(value, Fault):
        return value
    if isinstance(value, bool):
        return fault(DAY_WANTED, text(value))
    if isinstance(value, int | float):
        return _serial_day(value, is_1904)
    if isinstance(value, datetime):
        return _possible(value.date(), value) if value.time() == time() else fault(WITH_TIME, value)
    if isinstance(value, date):
        return _possible(value, value)
    if isinstance(value, time | timedelta):
        return fault(DAY_WANTED, value)
    written = code(value)
    return _written_day(written) if isinstance(written, str) else written


def _possible(found: date, value: Raw) -> date | Fault:
    return found if FIRST_DAY <= found <= LAST_DAY else fault(OUT_OF_RANGE, value)


def _serial_day(value: float, is_1904: bool) -> date | Fault:
    if not math.isfinite(value) or value < 0 or value > 99_999_999:
        return fault(OUT_OF_RANGE, value)
    if value != int(value):
        return fault(WITH_TIME, value)
    if value > 9_999_999:
        return _written_day(str(int(value)))
    if value >= (LAST_DAY - EPOCH).days + 1:
        return fault(OUT_OF_RANGE, value)
    first = EPOCH_1904 if is_1904 else EPOCH
    return _possible(first + timedelta(days=int(value)), value)


def _written_day(written: str) -> date | Fault:
    found = DAY_FORMS.fullmatch(AROUND_SIGNS.sub(r"\1", written))
    if not found:
        return fault(SERIAL_TEXT if SERIAL.fullmatch(written) else DAY_WANTED, written)
    year, month, number = (int(part) for name, part in found.groupdict().items() if part and name != "sign")
    try:
        return _possible(date(year, month, number), written)
    except ValueError:
        return fault(NO_SUCH_DAY, written)


def whole(value: Raw) -> int | Fault | None:
    """The cell as a whole number, also where it is written in full-width digits; units are not dropped."""
    if value is None or isinstance(value, Fault):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        is_whole = math.isfinite(value) and abs(value) < LONG and value == int(value)
        return int(value) if is_whole else fault(WHOLE_WANTED, value)
    written = code(value)
    if not isinstance(written, str):
        return written if written is None else fault(WHOLE_WANTED, value)
    return int(written.split(".")[0]) if WHOLE_FORM.fullmatch(written) else fault(WHOLE_WANTED, written)
