"""Kinds of instrument under mandatory verification (项别 and 种别), as far as public notices tell."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from catalog.files import DATA, CatalogError, Edition, Record, records

PATH = DATA / "catalog.csv"
SUPERVISIONS = ("P", "V", "P+V")  # 型式批准, 强制检定, both
COLUMNS = (
    "code",
    "official_code",
    "category",
    "kind",
    "supervision",
    "verification_mode",
    "verification_mode_text",
    "scope",
    "interval_months",
    "limit_of_use_months",
    "regulations",
    "kind_wording",
    "best_source_grade",
    "source",
)

EDITION = Edition(
    name="起步目录",
    dated_on=None,
    note=(
        "起步目录：29 个种别汇集自引用市场监管总局公告 2020 年第 42 号的公开资料，非官方《强检器具目录》；"
        "9 开头的代码为本系统自编，空白项是没有找到依据的内容，使用前请由管理员导入官方目录。"
    ),
)


class VerificationMode(StrEnum):
    """How the catalog wants a kind verified (announcement 2020 No. 42)."""

    periodic = "周期检定"
    first_only_scrap = "只做首次强制检定，失准报废"
    first_only_rotate = "只做首次强制检定，限期使用、到期轮换"


@dataclass(frozen=True, slots=True)
class Category:
    """A category (项别): three digits and a name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind (种别). What is None or empty no source gave: never guess it.

    `supervision` is P (型式批准), V (强制检定), P+V or empty; `regulations` are JJG numbers;
    `interval_months` is the verification interval, `limit_of_use_months` the life of a kind that is rotated
    out. `best_source_grade` is A (law or government page), B (press) or C (weak); `source` tells which.
    """

    code: str
    official_code: str | None
    category: Category
    name: str
    supervision: str
    verification_mode: VerificationMode | None
    verification_mode_text: str
    scope: str
    interval_months: int | None
    limit_of_use_months: int | None
    regulations: tuple[str, ...]
    kind_wording: str
    best_source_grade: str
    source: str


@cache
def kinds() -> tuple[Kind, ...]:
    """The kinds of the shipped starter set, in the file's order. Raises CatalogError if it is damaged."""
    return read_kinds(PATH)


@cache
def categories() -> tuple[Category, ...]:
    """The categories of the shipped starter set, in the file's order, each once."""
    return tuple(dict.fromkeys(kind.category for kind in kinds()))


@cache
def _by_code() -> dict[str, Kind]:
    return {kind.code: kind for kind in kinds()}


def find(code: str) -> Kind | None:
    """The kind of this five-digit code, or None when the starter set does not have it."""
    return _by_code().get(code)


def category_code(kind_code: str) -> str:
    """The category's code, which is how a kind's code begins: '91302' -> '913'."""
    return kind_code[:3]


def read_kinds(path: Path) -> tuple[Kind, ...]:
    """Read a catalog file with the columns of the starter set.

    Raises CatalogError, with the line, for a code that is not five digits or is repeated, a category code
    with two names, a missing name or source, or a cell whose value is not one of those allowed.
    """
    found: dict[str, Kind] = {}
    names: dict[str, str] = {}
    for line, row in records(path, COLUMNS):
        try:
            kind = _kind(row)
        except CatalogError as error:
            raise CatalogError(str(error), path, line) from None
        if kind.code in found:
            raise CatalogError(f"种别代码 {kind.code} 重复", path, line)
        if names.setdefault(kind.category.code, kind.category.name) != kind.category.name:
            raise CatalogError(f"项别代码 {kind.category.code} 有两个名称", path, line)
        found[kind.code] = kind
    return tuple(found.values())


def _kind(row: Record) -> Kind:
    code = _matching(row, "code", r"[0-9]{5}", "五位数字")
    mode = _one_of(row, "verification_mode", VerificationMode.__members__)
    return Kind(
        code=code,
        official_code=row["official_code"] or None,
        category=Category(category_code(code), _filled(row, "category")),
        name=_filled(row, "kind"),
        supervision=_one_of(row, "supervision", SUPERVISIONS),
        verification_mode=VerificationMode[mode] if mode else None,
        verification_mode_text=row["verification_mode_text"],
        scope=row["scope"],
        interval_months=_months(row, "interval_months"),
        limit_of_use_months=_months(row, "limit_of_use_months"),
        regulations=tuple(part.strip() for part in row["regulations"].split(";") if part.strip()),
        kind_wording=row["kind_wording"],
        best_source_grade=_matching(row, "best_source_grade", r"[ABC]", "A、B 或 C"),
        source=_filled(row, "source"),
    )


def _filled(row: Record, column: str) -> str:
    if not row[column]:
        raise CatalogError(f"{column} 不能为空")
    return row[column]


def _matching(row: Record, column: str, pattern: str, wanted: str) -> str:
    if not re.fullmatch(pattern, row[column]):
        raise CatalogError(f"{column} 应为{wanted}，实为“{row[column]}”")
    return row[column]


def _one_of(row: Record, column: str, allowed: Collection[str]) -> str:
    if row[column] and row[column] not in allowed:
        raise CatalogError(f"{column} 应为 {'、'.join(allowed)} 或空，实为“{row[column]}”")
    return row[column]


def _months(row: Record, column: str) -> int | None:
    if not row[column]:
        return None
    return int(_matching(row, column, r"[1-9][0-9]{0,3}", "正整数月数"))
