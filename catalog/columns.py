"""The columns of the import template, and the names other people give them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from catalog.identifiers import fold
from catalog.spreadsheets import DAY, TEXT, WHOLE

TYPES = ("工作计量器具", "计量标准器具")
ORIGINS = ("国产", "进口")
PURPOSES = ("贸易结算", "安全防护", "医疗卫生", "环境监测")
DELIVERIES = ("送检", "现场检")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the data sheet: its heading, how to fill it in, and whether it must be.

    `format` is Excel's number format (text for codes and numbers of a plate, so that 00123 keeps its zeros),
    `choices` the values of a drop-down, `aliases` other headings of the same column, the likeliest first.
    """

    heading: str
    example: str
    note: str
    is_required: bool = False
    format: str = TEXT
    width: int = 16
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


# Of the template: goes up when columns or lists are laid out differently; an import reads every version.
VERSION = "2"

KIND, DIVISION = "强检器具种别代码", "使用地点行政区划代码"

COLUMNS = (
    Column(
        "器具名称",
        "压力表",
        "按铭牌或证书填写",
        is_required=True,
        aliases=(
            "计量器具名称",
            "强检器具名称",
            "仪器名称",
            "设备名称",
            "名称",
            "仪器名",
            "设备名",
            "器具名",
            "仪表名称",
        ),
    ),
    Column(
        "器具类型",
        "工作计量器具",
        "从下拉列表选择；不填即为工作计量器具",
        choices=TYPES,
        aliases=("计量器具类型", "类型"),
    ),
    Column(
        KIND,
        "91101",
        "从下拉列表选择，或填写种别代码、种别名称，见《强检器具目录》",
        is_required=True,
        width=36,
        aliases=(
            "种别代码",
            "器具种别代码",
            "强检器具种别",
            "器具种别",
            "种别",
            "种别名称",
            "器具种别名称",
            "强检器具种别名称",
        ),
    ),
    Column("型号规格", "(0-1) MPa", "按铭牌填写", aliases=("规格型号", "型号/规格", "规格/型号", "型号")),
    Column("测量范围", "(0-1) MPa", "按铭牌或证书填写", aliases=("量程", "量程范围", "测量量程")),
    Column(
        "准确度等级",
        "1.6",
        "按铭牌或证书填写",
        width=14,
        aliases=("精度等级", "准确度", "精度", "等级"),
    ),
    Column(
        "出厂编号",
        "HY37",
        "按铭牌填写，保留前面的 0",
        is_required=True,
        width=20,
        aliases=("出厂号", "出厂序号", "出厂序列号", "序列号", "产品编号", "出厂号码", "机身号"),
    ),
    Column(
        "生产厂家",
        "上海银普仪表有限公司",
        "填写厂家全称",
        is_required=True,
        width=28,
        aliases=(
            "制造单位",
            "生产单位",
            "制造厂家",
            "生产厂商",
            "制造厂商",
            "制造商",
            "生产企业",
            "制造企业",
            "生产厂",
            "制造厂",
            "厂家",
            "厂商",
            "厂家名称",
            "生产厂家名称",
        ),
    ),
    Column(
        "器具产地",
        "国产",
        "从下拉列表选择",
        width=12,
        choices=ORIGINS,
        aliases=("产地", "国产/进口"),
    ),
    Column(
        DIVISION,
        "330106",
        "填写区县的六位代码或全称，见《行政区划信息》；也可从下拉列表逐级选择：选省后再点开选市，再点开选区县",
        is_required=True,
        width=26,
        aliases=(
            "使用地点行政区划",
            "行政区划代码",
            "行政区划",
            "使用地行政区划代码",
            "使用地行政区划",
            "所在地行政区划代码",
            "所在地行政区划",
            "区划代码",
            "区划",
            "所属区划",
            "所在区划",
        ),
    ),
    Column(
        "安装/使用地点",
        "锅炉房",
        "写到能找到器具的位置",
        width=24,
        aliases=(
            "安装使用地点",
            "使用地点",
            "安装地点",
            "安装(使用)地点",
            "安装位置",
            "使用位置",
            "放置地点",
            "存放地点",
            "放置位置",
            "存放位置",
            "所在位置",
        ),
    ),
    Column(
        "购置时间",
        "2024-03-15",
        "日期，写作 2024-03-15，不晚于今天",
        format=DAY,
        width=14,
        aliases=(
            "购置日期",
            "购买日期",
            "购买时间",
            "采购日期",
            "采购时间",
            "购入日期",
            "购入时间",
            "买入日期",
            "买入时间",
        ),
    ),
    Column(
        "器具数量",
        "1",
        "不小于 1 的整数；有出厂编号的逐台填写，数量为 1",
        format=WHOLE,
        width=12,
        aliases=("数量", "台数"),
    ),
    Column(
        "器具用途",
        "安全防护",
        "从下拉列表选择",
        is_required=True,
        width=14,
        choices=PURPOSES,
        aliases=("用途", "使用用途", "强检用途"),
    ),
    Column(
        "送检方式",
        "送检",
        "从下拉列表选择",
        is_required=True,
        width=14,
        choices=DELIVERIES,
        aliases=("送检/现场检", "送检类型", "方式"),
    ),
    Column(
        "有效期至",
        "2026-09-14",
        "日期，写作 2026-09-14；一旦保存不可修改，请谨慎填写",
        format=DAY,
        width=14,
        aliases=(
            "有效日期至",
            "检定有效期至",
            "证书有效期至",
            "有效期截止日期",
            "有效期",
            "有效日期",
            "检定有效期",
        ),
    ),
    Column("备注", "", "可不填", width=24, aliases=("备注说明", "说明")),
)

# Not in the template, but read where a sheet has them: the instrument's id that exports carry, and an
# address in three cells, from which an empty division code is found.
SYSTEM_ID = "系统编号"
PLACES = ("省", "市", "区县")
EXTRAS = {
    SYSTEM_ID: ("器具系统编号",),
    "省": ("省份", "省级", "所在省", "省/直辖市", "省/自治区/直辖市"),
    "市": ("地市", "地级", "地级市", "城市", "所在市"),
    "区县": ("区/县", "县/区", "县区", "县级", "所在区县", "县", "区"),
}

MARKS = re.compile(r"[\s*★☆※:_]")
BRACKETS = re.compile(r"\(.*?\)|\[.*?\]|【.*?】|〔.*?〕")


def match(headings: Sequence[str], names: Mapping[str, Sequence[str]] | None = None) -> list[str | None]:
    """For each heading of a sheet the one it stands for: of COLUMNS, SYSTEM_ID, PLACES, or None if unknown.

    `names` are the other names of each heading of another list than the ledger. No two headings stand for
    the same: one written as in the template goes before one that differs in width, spaces, line breaks,
    stars or a remark in brackets, and that before another name of the column.
    """
    found: list[str | None] = [None] * len(headings)
    for reading, pairs in READINGS if names is None else _readings(names):
        read = [reading(heading) for heading in headings]
        for name, heading in pairs:
            place = next((n for n, text in enumerate(read) if text == name and found[n] is None), None)
            if place is not None and heading not in found:
                found[place] = heading
    return found


def renamed(headings: Sequence[str], fields: Sequence[str | None]) -> list[tuple[str, str]]:
    """The headings that go by another name than the column of `fields` they stand for, each with it."""
    pairs = [(heading, field) for heading, field in zip(headings, fields, strict=True) if field]
    return [(one, field) for one, field in pairs if _plain(field) not in (_plain(one), _bare(one))]


def _plain(heading: str) -> str:
    """Without what only decorates: differences of width, spaces, line breaks, stars, colons."""
    return MARKS.sub("", fold(heading))


def _bare(heading: str) -> str:
    """Plain, and without remarks in brackets such as （必填）."""
    return BRACKETS.sub("", _plain(heading))


Reading = Callable[[str], str]
Readings = tuple[tuple[Reading, tuple[tuple[str, str], ...]], ...]


def _readings(names: Mapping[str, Sequence[str]]) -> Readings:
    """The ways to read a heading, the surer one first, each with (text, heading it stands for)."""
    own = tuple((heading, heading) for heading in names)
    other = tuple((alias, heading) for heading, aliases in names.items() for alias in aliases)
    return (str, own), (_plain, own), (_bare, own), (_plain, other), (_bare, other)


READINGS = _readings({**{column.heading: column.aliases for column in COLUMNS}, **EXTRAS})
