"""The division a cell means."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import product
from typing import NamedTuple

from catalog.columns import DIVISION
from catalog.divisions import CONNECTOR_NAMES, Division, Tree, is_connector, level, parent_codes
from catalog.identifiers import fold
from catalog.lookup.names import LONGEST, Match, Names, Nearest, first_few, key, quoted, replaced_by


class KnownDivision(NamedTuple):
    """A division in the words of a list; `successor` is the code that took the place of a retired one."""

    code: str
    name: str
    is_retired: bool = False
    successor: str | None = None


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
            for text in {code, key(self.full_name(code)), key(self.rows[code].name)}:
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
            if codes := names.find(key(folded)):
                return self._one_of(codes, text)
        return self._missing(folded)

    def _name(self, row: KnownDivision) -> None:
        if row.is_retired:
            for name in (self.full_name(row.code), row.name):
                self._old.add(key(name), row.code)
        elif not is_connector(self.tree.by_code[row.code]):
            self._full.add(key(self.full_name(row.code)), row.code)
            for parts in product(*self._ways(row.code)):
                self._short.add("".join(parts), row.code)

    def _ways(self, code: str) -> list[list[str]]:
        """How each part of the name may be written, from the province down."""
        above = [self.rows.get(each) for each in reversed(parent_codes(code)[1:])]
        ways = []
        for row, end in zip(above, (PROVINCE_END, PREFECTURE_END), strict=False):
            name = row.name if row else ""
            if name in CONNECTOR_NAMES and above[0]:
                ways.append(["", key(name), key(above[0].name)])
            else:
                ways.append(list(dict.fromkeys((key(name), key(end.sub("", name)), ""))))
        return [*ways, [key(self.rows[code].name)]]

    def _known(self, code: str) -> Match:
        row = self.rows[code]
        if row.is_retired:
            successor = replaced_by(self.rows, row)
            advice = f"请改用 {self.label(successor)}" if successor else "请改用现行的行政区划"
            problem = f"行政区划 {self.label(code)} 已撤销，{advice}"
            return Match(None, problem, self.label(successor) if successor else "")
        if self.tree.is_complete(code):
            return Match(code)
        below = first_few([self.label(each.code) for each in self.tree.children(code)])
        return Match(None, f"{code} {self.full_name(code)}不是区县，请填写到区县一级：{below}")

    def _one_of(self, codes: list[str], text: str) -> Match:
        if len(codes) == 1:
            return self._known(codes[0])
        listed = first_few([self.label(code) for code in codes])
        return Match(None, f"{quoted(text)}有 {len(codes)} 处，请填写代码或全称：{listed}")

    def _by_code(self, code: str, rest: str, text: str) -> Match:
        if code not in self.rows:
            problem = f"{quoted(text)}不是现行的行政区划代码，请对照《行政区划信息》改正"
            return self._unknown(rest if key(rest) else code, problem)
        name = key(rest)
        if name and code not in (*self._full.find(name), *self._short.find(name), *self._old.find(name)):
            problem = f"代码 {code} 是“{self.full_name(code)}”，与{quoted(rest)}不一致，请改正其一"
            return Match(None, problem, self.label(code) if self.tree.is_complete(code) else "")
        return self._known(code)

    def _wrong_length(self, digits: str) -> Match:
        problem = f"行政区划代码应为六位数字，现为 {len(digits)} 位，请改正"
        if len(digits) > 6 and self.tree.is_complete(digits[:6]):
            return Match(None, problem, self.label(digits[:6]))
        return self._unknown(digits, problem)

    def _missing(self, text: str) -> Match:
        return self._unknown(text, f"《行政区划信息》中没有{quoted(text)}，请填写区县的六位代码或全称")

    def _unknown(self, text: str, problem: str) -> Match:
        near = self._nearest.to(key(text[:LONGEST]))
        codes = self._texts[near] if near else []
        if len(codes) > 1:
            return Match(None, f"{problem}；相近的有 {first_few([self.label(code) for code in codes])}")
        return Match(None, problem, self.label(codes[0]) if codes else "")


def _hung(row: KnownDivision, known: Mapping[str, KnownDivision]) -> Division:
    """A row below its prefecture or province, the nearest that is known."""
    parent = next((code for code in parent_codes(row.code)[1:] if code in known), None)
    return Division(row.code, row.name, level(row.code), parent)
