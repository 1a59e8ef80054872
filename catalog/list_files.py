"""《强检器具目录》 and 《行政区划信息》 as a bureau has them: a file read back into rows, every row checked.

The files are those `catalog.list_books` writes, or others with the same columns under names like these.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog import reading
from catalog.columns import match
from catalog.divisions import Division, Level, Tree, level, parent_codes
from catalog.identifiers import fold
from catalog.kinds import VerificationMode, category_code
from catalog.list_books import SUPERVISION_TEXTS
from catalog.reading import Cell, Fault, Unreadable

SUCCESSOR = "后继代码"
KIND_NAMES = {
    "种别代码": ("器具种别代码", "强检器具种别代码", "种别编码", "代码", "编码"),
    "项别代码": ("器具项别代码", "强检器具项别代码", "项别编码"),
    "器具项别": ("项别", "项别名称", "器具项别名称", "强检器具项别", "一级目录"),
    "器具种别": ("种别", "种别名称", "器具种别名称", "强检器具种别", "二级目录"),
    "监管方式": ("监管",),
    "检定方式": ("强检方式", "强制检定方式"),
    "强检范围及说明": ("强检范围", "范围及说明", "范围", "说明"),
    "检定周期（月）": ("检定周期", "周期"),
    "使用期限（月）": ("使用期限",),
    "检定规程": ("规程", "检定规程编号", "检定依据"),
    SUCCESSOR: ("后继种别代码", "新代码", "现代码", "变更后代码"),
}
DIVISION_NAMES = {
    "行政区划代码": ("区划代码", "行政区划编码", "代码", "编码"),
    "全称": ("行政区划全称", "行政区划名称", "区划名称", "单位名称", "名称"),
    "省级": ("省", "省份"),
    "地级": ("市", "地市"),
    "县级": ("区县", "县", "区"),
    SUCCESSOR: ("后继区划代码", "新代码", "现代码", "变更后代码"),
}
KIND_REQUIRED = ("种别代码", "器具项别", "器具种别")
DIVISION_REQUIRED = ("行政区划代码", "全称")
SUPERVISIONS = {text: mark for mark, text in SUPERVISION_TEXTS.items() if mark} | {
    mark: mark for mark in SUPERVISION_TEXTS if mark
}
# The middle rows of GB/T 2260 that only hold counties, by how their codes begin.
CONNECTORS = {f"{province}01": "市辖区" for province in (11, 12, 31, 50)} | {"5002": "县"}
CONNECTORS |= {f"{province}90": "省直辖县级行政区划" for province in (41, 42, 46)}
CONNECTORS |= {"6590": "自治区直辖县级行政区划"}
MOST_MONTHS = 600


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row of the file; `row` as Excel counts, 0 for the whole file."""

    row: int
    heading: str
    value: str
    sentence: str


@dataclass
class ListFile:
    """A list as read: plain rows to store, by code, and the successors its file names for older codes."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    successors: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def say(self, row: int, heading: str, value: str, sentence: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(row, heading, value, sentence))


Cells = dict[str, str]


def read_kinds(path: Path, name: str) -> ListFile:
    """The catalog in the file a person calls `name`; raises Unreadable for one that is no such list.

    Fields of a row: code, category_code, category, name, supervision, verification_mode (a member's name or
    None), verification_mode_text, scope, interval_months, limit_of_use_months, regulations.
    """
    return _read(path, name, KIND_NAMES, KIND_REQUIRED, _kind)


def read_divisions(path: Path, name: str) -> ListFile:
    """The divisions in a file, with the levels above that it only names; raises Unreadable.

    Fields of a row: code, name, level (a member's name), parent_code, full_name.
    """
    found = _read(path, name, DIVISION_NAMES, DIVISION_REQUIRED, _division)
    above = {code: row for row in list(found.rows.values()) for code, row in _above(row).items()}
    found.rows = dict(sorted({**above, **found.rows}.items()))
    _check_parents(found)
    _name_in_full(found.rows)
    return found


def _read(
    path: Path,
    name: str,
    names: dict[str, tuple[str, ...]],
    required: Sequence[str],
    reader: Callable[[ListFile, int, Cells], dict[str, Any] | None],
) -> ListFile:
    contents = reading.read(path, name, {})
    fields = match(contents.headings, names)
    if lacking := [heading for heading in required if heading not in fields]:
        raise Unreadable(f"没有找到列：{'、'.join(lacking)}。请按下载的表格的列名填写后重新上传")
    found = ListFile(notes=contents.notes)
    for heading, meant in zip(contents.headings, fields, strict=True):
        if meant and "（月）" in meant and "年" in heading:
            found.say(contents.header_row, heading, "", "请换算成月，并把列名改为“" + meant + "”")
    for number, cells in contents.rows:
        _add(found, number, _named(found, number, fields, cells), reader, required[0])
    if not found.rows and not found.problems:
        raise Unreadable("文件里没有任何一行数据，请确认上传的是填好的表格")
    return found


def _named(found: ListFile, number: int, fields: Iterable[str | None], cells: Iterable[Cell]) -> Cells:
    named = {}
    for heading, cell in zip(fields, cells, strict=False):
        if heading is None:
            continue
        if isinstance(cell, Fault):
            found.say(number, heading, cell.shown, cell.sentence)
        named[heading] = str(cell).strip() if cell is not None and not isinstance(cell, Fault) else ""
    return named


def _add(
    found: ListFile,
    number: int,
    cells: Cells,
    reader: Callable[[ListFile, int, Cells], dict[str, Any] | None],
    key: str,
) -> None:
    code = fold(cells[key])
    if code in found.rows or code in found.successors:
        found.say(number, key, code, "这个代码在前面已经出现过，请删除其中一行")
    elif cells.get(SUCCESSOR):
        # The row of a code that is no longer in force.
        found.successors[code] = fold(cells[SUCCESSOR])
    elif row := reader(found, number, cells):
        found.rows[code] = row


def _kind(found: ListFile, number: int, cells: Cells) -> dict[str, Any] | None:
    code, category = fold(cells["种别代码"]), _text(found, number, cells, "器具项别", 120)
    if not re.fullmatch(r"[0-9]{2,12}", code):
        found.say(number, "种别代码", cells["种别代码"], "种别代码应为 2 至 12 位数字")
        return None
    mode = cells.get("检定方式", "")
    known = next((one for one in VerificationMode if fold(one) == fold(mode)), None)
    return {
        "code": code,
        "category_code": _category_code(found, number, cells, code, category),
        "category": category,
        "name": _text(found, number, cells, "器具种别", 200),
        "supervision": _supervision(found, number, cells),
        "verification_mode": known.name if known else None,
        "verification_mode_text": "" if known else _text(found, number, cells, "检定方式", 200),
        "scope": _text(found, number, cells, "强检范围及说明", 500),
        "interval_months": _months(found, number, cells, "检定周期（月）"),
        "limit_of_use_months": _months(found, number, cells, "使用期限（月）"),
        "regulations": _text(found, number, cells, "检定规程", 200),
    }


def _text(found: ListFile, number: int, cells: Cells, heading: str, limit: int) -> str:
    text = cells.get(heading, "")
    if heading in (*KIND_REQUIRED, *DIVISION_REQUIRED) and not text:
        found.say(number, heading, "", f"“{heading}”不能为空")
    if len(text) > limit:
        found.say(number, heading, text[:40] + "…", f"“{heading}”最多 {limit} 个字，现有 {len(text)} 个")
    return text


def _category_code(found: ListFile, number: int, cells: Cells, code: str, category: str) -> str:
    given = fold(cells.get("项别代码", "")) or category_code(code)
    if not re.fullmatch(r"[0-9]{1,12}", given):
        found.say(number, "项别代码", given, "项别代码应为 1 至 12 位数字")
    others = (row for row in found.rows.values() if row["category_code"] == given)
    if category and (other := next((row for row in others if row["category"] != category), None)):
        found.say(
            number, "器具项别", category, f"项别代码 {given} 在前面的名称是“{other['category']}”，请统一"
        )
    return given


def _supervision(found: ListFile, number: int, cells: Cells) -> str:
    text = cells.get("监管方式", "")
    wanted = fold(text).replace(" ", "").replace(",", "、").replace("和", "、")
    if text and wanted not in SUPERVISIONS:
        found.say(number, "监管方式", text, "监管方式应为“型式批准”“强制检定”或“型式批准、强制检定”")
    return SUPERVISIONS.get(wanted, "")


def _months(found: ListFile, number: int, cells: Cells, heading: str) -> int | None:
    text = cells.get(heading, "")
    digits = re.fullmatch(r"([0-9]{1,4})\s*(?:个?月)?", fold(text))
    if not text:
        return None
    if digits is None or not 1 <= int(digits[1]) <= MOST_MONTHS:
        found.say(number, heading, text, f"“{heading}”应为 1 至 {MOST_MONTHS} 的整数，单位是月")
        return None
    return int(digits[1])


def _division(found: ListFile, number: int, cells: Cells) -> dict[str, Any] | None:
    code, full = fold(cells["行政区划代码"]), _text(found, number, cells, "全称", 120)
    if not re.fullmatch(r"[1-9][0-9]{5}", code):
        found.say(number, "行政区划代码", cells["行政区划代码"], "行政区划代码应为六位数字")
        return None
    own = level(code)
    given = {each: cells.get(each.value, "") for each in Level}
    # The deepest name given; of a prefecture without counties that is its own.
    name = given[own] or next((each for each in reversed(given.values()) if each), "") or full
    if len(name) > 60:
        found.say(number, own.value, name[:40] + "…", "名称最多 60 个字")
    return {"code": code, "name": name, "level": own.name, "parent_code": None, "above": given}


def _above(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The levels above a division as its row names them, and the middle ones that exist for its code only."""
    found = {}
    for code in parent_codes(row["code"])[1:]:
        own = level(code)
        name = row["above"][own] or (CONNECTORS.get(code[:4], "") if own is Level.prefecture else "")
        if name:
            found[code] = {"code": code, "name": name, "level": own.name, "parent_code": None}
    return found


def _check_parents(found: ListFile) -> None:
    """Hang every division below the next one above it."""
    for code, row in found.rows.items():
        row.pop("above", None)
        above = parent_codes(code)[1:]
        if above and above[0] not in found.rows:
            found.say(0, "行政区划代码", code, f"{row['name']} 的上级 {above[0]} 不在文件中，请补上这一行")
        row["parent_code"] = above[0] if above else None


def _name_in_full(rows: dict[str, dict[str, Any]]) -> None:
    made = (
        Division(row["code"], row["name"], Level[row["level"]], row["parent_code"]) for row in rows.values()
    )
    tree = Tree(made)
    for code, row in rows.items():
        row["full_name"] = tree.full_name(code)
