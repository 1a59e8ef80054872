"""What a cell means by a kind or a division: its code, or what is wrong and what was probably meant.

The indexes are made from rows, because a database may hold another edition than the shipped one.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product, takewhile
from typing import NamedTuple, TypeVar

from catalog.columns import DIVISION, KIND
from catalog.divisions import CONNECTOR_NAMES, Division, Tree, is_connector, level, parent_codes
from catalog.identifiers import fold


class KnownKind(NamedTuple):
    """A kind in the words of a catalog; `successor` is the code that took the place of a retired one."""

    code: str
    name: str
    category: str
    is_retired: bool = False
    successor: str | None = None


class KnownDivision(NamedTuple):
    """A division in the words of a list; `successor` is the code that took the place of a retired one."""

    code: str
    name: str
    is_retired: bool = False
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """Either the code meant, or a `problem` in Chinese and perhaps a `suggestion`.

    A suggestion is a code and its name, such as "330106 浙江省杭州市西湖区". It is offered, never taken
    silently; written into the cell it is understood.
    """

    code: str | None
    problem: str = ""
    suggestion: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong and what was probably meant, as one sentence; empty where a code was found."""
        return f"{self.problem}；最接近的是“{self.suggestion}”" if self.suggestion else self.problem


# A list in a sentence names this many of them.
NAMED = 5
QUOTED = 30
# A piece of text in more names than these says little about which is meant.
TOO_COMMON = 800
# No name is nearly as long; a longer text is not searched for one.
LONGEST = 200


def _key(text: str) -> str:
    """What is compared of a name: no spaces and punctuation, no difference of width or case."""
    folded = fold(text).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] not in "PZC")


def _quoted(text: str) -> str:
    """A text in quotation marks, cut where it is long."""
    short = " ".join(fold(text).split())
    return f"“{short[:QUOTED]}…”" if len(short) > QUOTED else f"“{short}”"


class Nearest:
    """Finds among many names the one most like a text: the few with most pieces in common are compared."""

    def __init__(self, names: Iterable[str]) -> None:
        """Prepare the pieces of `names`."""
        self.names = list(dict.fromkeys(names))
        self._holders: dict[str, list[int]] = defaultdict(list)
        for place, name in enumerate(self.names):
            for piece in self._pieces(name):
                self._holders[piece].append(place)

    @staticmethod
    def _pieces(text: str) -> set[str]:
        pairs = {text[n : n + 2] for n in range(len(text) - 1)}
        return pairs | {char for char in text if not char.isdigit()}

    def to(self, text: str) -> str | None:
        """The name most like `text`, or None when none is like it."""
        shared: Counter[int] = Counter()
        for piece in self._pieces(text[:60]):
            if len(holders := self._holders.get(piece, ())) <= TOO_COMMON:
                shared.update(holders)
        likely = [self.names[place] for place, _ in shared.most_common(25)]
        close = get_close_matches(text[:60], likely, n=3, cutoff=0.5)
        if text.isdecimal():  # Of codes, which are trees, the one that branches off last.
            close.sort(key=lambda name: -_shared_start(name, text))
        return next(iter(close), None)


def _shared_start(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class Names:
    """Codes by what they may be called; a name may fit several."""

    def __init__(self) -> None:
        """Start empty."""
        self._codes: dict[str, list[str]] = defaultdict(list)

    def add(self, name: str, code: str) -> None:
        """Let `name`, already a key, mean `code` too."""
        if name and code not in self._codes[name]:
            self._codes[name].append(code)

    def find(self, name: str) -> list[str]:
        """The codes that `name` may mean."""
        return self._codes.get(name, [])

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._codes)


CODE_AND_NAME = re.compile(r"([0-9A-Z]+)\W*(.*)|(.*?)\W*([0-9A-Z]+)\W*", re.DOTALL)


class KindIndex:
    """What the cells of 强检器具种别代码 mean: a code, a name, both, or 项别 and 种别."""

    def __init__(self, rows: Iterable[KnownKind]) -> None:
        """Index `rows`, the retired ones too."""
        self.rows = {row.code: row for row in rows}
        self._names, self._longer, self._categories = Names(), Names(), Names()
        # Kinds in force come first: a name that was used again means the new one.
        for row in sorted(self.rows.values(), key=lambda row: row.is_retired):
            if row.is_retired and self._names.find(_key(row.name)):
                continue
            self._names.add(_key(row.name), row.code)
            self._longer.add(_key(row.category + row.name), row.code)
            self._categories.add(_key(row.category), row.code)
        in_force = [row for row in self.rows.values() if not row.is_retired]
        self._texts = {_key(text): row.code for row in in_force for text in (row.code, row.name)}
        self._nearest = Nearest(self._texts)

    def label(self, code: str) -> str:
        """The code and its name, as a drop-down offers them: "91101 指示类压力表、显示类压力表"."""
        return f"{code} {self.rows[code].name}"

    def find(self, text: str) -> Match:
        """The kind that `text` means, or what is wrong with it."""
        folded = fold(text)
        if not folded:
            return Match(None, f"请填写“{KIND}”")
        if len(folded) > LONGEST:
            return self._unknown(folded)
        if folded.upper() in self.rows:
            return self._known(folded.upper())
        for names in (self._names, self._longer):
            if codes := names.find(_key(folded)):
                return self._one_of(codes, text)
        return self._in_both(folded) or self._category(text) or self._unknown(text)

    def _known(self, code: str) -> Match:
        row = self.rows[code]
        if not row.is_retired:
            return Match(code)
        successor = _in_force(self.rows, row)
        advice = f"请改用 {self.label(successor)}" if successor else "请改用《强检器具目录》中的现行种别"
        return Match(
            None, f"种别 {self.label(code)} 已停用，{advice}", self.label(successor) if successor else ""
        )

    def _one_of(self, codes: list[str], text: str) -> Match:
        if len(codes) == 1:
            return self._known(codes[0])
        listed = _listed([self.label(code) for code in codes])
        return Match(None, f"{_quoted(text)}可指 {len(codes)} 个种别，请填写代码：{listed}")

    def _in_both(self, text: str) -> Match | None:
        """A code and a name in one cell, which must agree."""
        found = CODE_AND_NAME.fullmatch(text.upper())
        code, name = (found[1] or found[4], found[2] or found[3]) if found else ("", "")
        if code not in self.rows or not name:
            return None
        row = self.rows[code]
        if _key(name) in {_key(row.name), _key(row.category), _key(row.category + row.name)}:
            return self._known(code)
        return Match(
            None, f"代码 {code} 是“{row.name}”，与{_quoted(name)}不一致，请改正其一", self.label(code)
        )

    def _category(self, text: str) -> Match | None:
        codes = [code for code in self._categories.find(_key(text)) if not self.rows[code].is_retired]
        if not codes:
            return None
        listed = _listed([self.label(code) for code in codes])
        suggestion = self.label(codes[0]) if len(codes) == 1 else ""
        return Match(None, f"{_quoted(text)}是项别，请填写其中的种别：{listed}", suggestion)

    def _unknown(self, text: str) -> Match:
        near = self._nearest.to(_key(text[:LONGEST]))
        suggestion = self.label(self._texts[near]) if near else ""
        return Match(None, f"《强检器具目录》中没有{_quoted(text)}，请填写目录中的种别代码或名称", suggestion)


PROVINCE_END = re.compile(r"(?:省|市|(?:维吾尔|壮族|回族)?自治区|特别行政区)$")
PREFECTURE_END = re.compile(r"(?:市|地区|盟)$")
# A code by itself or with a name; the statistics bureau writes the same place with six zeros behind.
SIX_DIGITS = re.compile(r"(?<![0-9])([0-9]{6})(?:0{6})?(?![0-9])")


class DivisionIndex:
    """What the cells of 使用地点行政区划代码 mean: a code, a name as far as it is unmistakable, or both."""

    def __init__(self, rows: Iterable[KnownDivision]) -> None:
        """Index `rows`, the retired ones too."""
        self.rows = {row.code: row for row in sorted(rows)}
        in_force = {row.code: row for row in self.rows.values() if not row.is_retired}
        self.tree = Tree(_hung(row, in_force) for row in in_force.values())
        self._full, self._short, self._old = Names(), Names(), Names()
        for row in self.rows.values():
            self._name(row)
        complete = [code for code in self.tree.by_code if self.tree.is_complete(code)]
        self._texts: dict[str, list[str]] = defaultdict(list)
        for code in complete:
            for text in {code, _key(self.full_name(code)), _key(self.rows[code].name)}:
                self._texts[text].append(code)
        self._nearest = Nearest(self._texts)

    def full_name(self, code: str) -> str:
        """The name as in an address; of a retired code too."""
        if code in self.tree.by_code:
            return self.tree.full_name(code)
        return "".join(each.name for each in self.tree.path(code)) + self.rows[code].name

    def label(self, code: str) -> str:
        """The code and its full name: "330106 浙江省杭州市西湖区"."""
        return f"{code} {self.full_name(code)}"

    def find(self, text: str) -> Match:
        """The division that `text` means, or what is wrong with it."""
        folded = fold(text)
        if not folded:
            return Match(None, f"请填写“{DIVISION}”")
        if len(folded) > LONGEST:
            return self._missing(folded)
        if found := SIX_DIGITS.search(folded):
            return self._by_code(found[1], folded[: found.start()] + folded[found.end() :], text)
        if folded.isdecimal():
            return self._wrong_length(folded)
        for names in (self._full, self._short, self._old):
            if codes := names.find(_key(folded)):
                return self._one_of(codes, text)
        return self._missing(folded)

    def _name(self, row: KnownDivision) -> None:
        if row.is_retired:
            for name in (self.full_name(row.code), row.name):
                self._old.add(_key(name), row.code)
        elif not is_connector(self.tree.by_code[row.code]):
            self._full.add(_key(self.full_name(row.code)), row.code)
            for parts in product(*self._ways(row.code)):
                self._short.add("".join(parts), row.code)

    def _ways(self, code: str) -> list[list[str]]:
        """How each part of the name may be written, from the province down."""
        above = [self.rows.get(each) for each in reversed(parent_codes(code)[1:])]
        ways = []
        for row, end in zip(above, (PROVINCE_END, PREFECTURE_END), strict=False):
            name = row.name if row else ""
            if name in CONNECTOR_NAMES and above[0]:
                ways.append(["", _key(name), _key(above[0].name)])
            else:
                ways.append(list(dict.fromkeys((_key(name), _key(end.sub("", name)), ""))))
        return [*ways, [_key(self.rows[code].name)]]

    def _known(self, code: str) -> Match:
        row = self.rows[code]
        if row.is_retired:
            successor = _in_force(self.rows, row)
            advice = f"请改用 {self.label(successor)}" if successor else "请改用现行的行政区划"
            problem = f"行政区划 {self.label(code)} 已撤销，{advice}"
            return Match(None, problem, self.label(successor) if successor else "")
        if self.tree.is_complete(code):
            return Match(code)
        below = _listed([self.label(each.code) for each in self.tree.children(code)])
        return Match(None, f"{code} {self.full_name(code)}不是区县，请填写到区县一级：{below}")

    def _one_of(self, codes: list[str], text: str) -> Match:
        if len(codes) == 1:
            return self._known(codes[0])
        listed = _listed([self.label(code) for code in codes])
        return Match(None, f"{_quoted(text)}有 {len(codes)} 处，请填写代码或全称：{listed}")

    def _by_code(self, code: str, rest: str, text: str) -> Match:
        if code not in self.rows:
            problem = f"{_quoted(text)}不是现行的行政区划代码，请对照《行政区划信息》改正"
            return self._unknown(rest if _key(rest) else code, problem)
        name = _key(rest)
        if name and code not in (*self._full.find(name), *self._short.find(name), *self._old.find(name)):
            problem = f"代码 {code} 是“{self.full_name(code)}”，与{_quoted(rest)}不一致，请改正其一"
            return Match(None, problem, self.label(code) if self.tree.is_complete(code) else "")
        return self._known(code)

    def _wrong_length(self, digits: str) -> Match:
        problem = f"行政区划代码应为六位数字，现为 {len(digits)} 位，请改正"
        if len(digits) > 6 and self.tree.is_complete(digits[:6]):
            return Match(None, problem, self.label(digits[:6]))
        return self._unknown(digits, problem)

    def _missing(self, text: str) -> Match:
        return self._unknown(text, f"《行政区划信息》中没有{_quoted(text)}，请填写区县的六位代码或全称")

    def _unknown(self, text: str, problem: str) -> Match:
        near = self._nearest.to(_key(text[:LONGEST]))
        codes = self._texts[near] if near else []
        if len(codes) > 1:
            return Match(None, f"{problem}；相近的有 {_listed([self.label(code) for code in codes])}")
        return Match(None, problem, self.label(codes[0]) if codes else "")


def _hung(row: KnownDivision, known: Mapping[str, KnownDivision]) -> Division:
    """A row below its prefecture or province, the nearest that is known."""
    parent = next((code for code in parent_codes(row.code)[1:] if code in known), None)
    return Division(row.code, row.name, level(row.code), parent)


Row = TypeVar("Row", KnownKind, KnownDivision)


def _in_force(rows: Mapping[str, Row], row: Row) -> str | None:
    """The code in force that took the place of a retired row, over several steps if need be."""
    seen = set()
    while row.is_retired:
        seen.add(row.code)
        if not row.successor or row.successor in seen or row.successor not in rows:
            return None
        row = rows[row.successor]
    return row.code


def _listed(labels: list[str]) -> str:
    more = f" 等 {len(labels)} 个" if len(labels) > NAMED else ""
    return "、".join(labels[:NAMED]) + more
