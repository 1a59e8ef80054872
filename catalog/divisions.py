"""Administrative divisions (行政区划, GB/T 2260): the list, its tree, and the arithmetic of its codes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

from catalog.files import DATA, CatalogError, Edition, Record, records

PATH = DATA / "divisions.csv"
COLUMNS = ("code", "name", "level", "parent_code")

EDITION = Edition(
    name="2026-09-11",
    dated_on=date(2026, 9, 11),
    note=(
        "行政区划取自民政部国家地名信息库 2026 年 9 月 11 日的清单（经公开软件包转录），共 3223 条，"
        "其中 9 条中间层级由本系统补入，台湾、香港、澳门只列到省级；此后的调整以民政部公布为准。"
    ),
)

# Rows that exist so that every county has a prefecture; nobody lives in one, so no screen names them.
CONNECTOR_NAMES = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})


class Level(StrEnum):
    """The three levels of a six-digit code."""

    province = "省级"
    prefecture = "地级"
    county = "县级"


@dataclass(frozen=True, slots=True)
class Division:
    """One administrative division; `parent_code` is None for a province."""

    code: str
    name: str
    level: Level
    parent_code: str | None


@cache
def divisions() -> tuple[Division, ...]:
    """Every division of the shipped edition, sorted by code, the nine connectors included.

    Raises CatalogError when the shipped file is damaged.
    """
    return read_divisions(PATH)


def read_divisions(path: Path) -> tuple[Division, ...]:
    """Read a divisions file with the columns code, name, level, parent_code.

    Raises CatalogError, with the line, for a code that is not six digits, is repeated or out of order, a
    level that does not fit its code, or a parent that does not stand above it.
    """
    found: dict[str, Division] = {}
    last = ""
    for line, row in records(path, COLUMNS):
        if fault := _fault(row, last, found):
            raise CatalogError(fault, path, line)
        last = row["code"]
        found[last] = Division(last, row["name"], Level[row["level"]], row["parent_code"] or None)
    return tuple(found.values())


def _fault(row: Record, last: str, found: dict[str, Division]) -> str | None:
    code = row["code"]
    if not _is_code(code):
        return f"代码 {code} 不是六位数字"
    if code <= last:
        return f"代码 {code} 重复或未按顺序排列"
    if not row["name"]:
        return f"代码 {code} 缺少名称"
    if row["level"] != level(code).name:
        return f"代码 {code} 的层级应为 {level(code).name}"
    parent_code = next(iter(parent_codes(code)[1:]), "")
    if row["parent_code"] != parent_code:
        return f"代码 {code} 的上级应为 {parent_code or '空'}"
    if parent_code and parent_code not in found:
        return f"代码 {code} 的上级 {parent_code} 不在表中"
    return None


def _is_code(code: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{5}", code) is not None


def level(code: str) -> Level:
    """The level a six-digit code stands for, by its trailing zeros. Raises CatalogError for another shape."""
    if not _is_code(code):
        raise CatalogError(f"行政区划代码应为六位数字，实为“{code}”")
    if code.endswith("0000"):
        return Level.province
    return Level.prefecture if code.endswith("00") else Level.county


def parent_codes(code: str) -> tuple[str, ...]:
    """The code itself, then its prefecture, then its province: '330106' -> ('330106', '330100', '330000').

    Pure arithmetic, so it also serves codes that have been retired. Raises CatalogError unless six digits.
    """
    level(code)
    return tuple(dict.fromkeys((code, f"{code[:4]}00", f"{code[:2]}0000")))


def bounds(code: str) -> tuple[str, str]:
    """Lowest and highest code of the subtree: '330100' -> ('330100', '330199'); a county gives itself twice.

    For a range condition on a code column. Raises CatalogError unless six digits.
    """
    digits = {Level.province: 2, Level.prefecture: 4, Level.county: 6}[level(code)]
    return code, code[:digits].ljust(6, "9")


def is_connector(division: Division) -> bool:
    """Whether this is one of the nine middle rows (市辖区, 省直辖县级行政区划 ...) that screens leave out."""
    return division.level is Level.prefecture and division.name in CONNECTOR_NAMES


class Tree:
    """The divisions of one edition, and how they hang together; the functions below ask the shipped one."""

    def __init__(self, rows: Iterable[Division]) -> None:
        """Hang `rows`, sorted by code, below each other."""
        self.by_code = {row.code: row for row in rows}
        self._below: dict[str | None, list[Division]] = {}
        for row in self.by_code.values():
            self._below.setdefault(row.parent_code, []).append(row)

    def children(self, code: str | None) -> tuple[Division, ...]:
        """See `children`."""
        below: list[Division] = []
        for child in self._below.get(code, ()):
            below.extend(self.children(child.code) if is_connector(child) else [child])
        return tuple(below)

    def path(self, code: str) -> tuple[Division, ...]:
        """See `path`."""
        known = (self.by_code.get(each) for each in reversed(parent_codes(code)))
        return tuple(division for division in known if division and not is_connector(division))

    def full_name(self, code: str) -> str:
        """See `full_name`."""
        known = "".join(division.name for division in self.path(code))
        return known if code in self.by_code else f"{known or '未知区划'}（{code}）"

    def is_complete(self, code: str) -> bool:
        """See `is_complete`."""
        division = self.by_code.get(code)
        return division is not None and not is_connector(division) and not self.children(code)


@cache
def tree() -> Tree:
    """The tree of the shipped edition."""
    return Tree(divisions())


def find(code: str) -> Division | None:
    """The division of this code, or None when the edition does not have it (a retired code, say)."""
    return tree().by_code.get(code)


def children(code: str | None) -> tuple[Division, ...]:
    """What a cascade offers below `code` (None: the provinces), by code; connectors are stepped over.

    So 北京市 offers its districts, and 湖北省 its prefectures and the four counties directly under it.
    Empty for a county and for a code that is not in the edition.
    """
    return tree().children(code)


def path(code: str) -> tuple[Division, ...]:
    """The cascade's choices that lead to `code`, from the province down, without connectors.

    Codes the edition does not have are left out. Raises CatalogError unless six digits.
    """
    return tree().path(code)


def full_name(code: str) -> str:
    """The name as it is written in an address: '330106' -> '浙江省杭州市西湖区', '110101' -> '北京市东城区'.

    A code the edition does not have is shown after the part that is known: '浙江省杭州市（330103）'.
    Raises CatalogError unless six digits.
    """
    return tree().full_name(code)


def is_complete(code: str) -> bool:
    """Whether `code` is the deepest level its branch has, so that an address may stop there.

    True for counties, for 东莞 中山 儋州 嘉峪关 and for 台湾 香港 澳门, which have nothing below them; never
    for a connector or a code that is not in the edition.
    """
    return tree().is_complete(code)
