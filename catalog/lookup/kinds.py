"""The kind a cell means."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from catalog.columns import KIND
from catalog.identifiers import fold
from catalog.lookup.names import LONGEST, Match, Names, Nearest, first_few, key, quoted, replaced_by


class KnownKind(NamedTuple):
    """A kind in the words of a catalog; `successor` is the code that took the place of a retired one."""

    code: str
    name: str
    category: str
    is_retired: bool = False
    successor: str | None = None


CODE_AND_NAME = re.compile(r"([0-9A-Z]+)\W*(.*)|(.*?)\W*([0-9A-Z]+)\W*", re.DOTALL)


class KindIndex:
    """What the cells of 强检器具种别代码 mean: a code, a name, both, or 项别 and 种别."""

    def __init__(self, rows: Iterable[KnownKind]) -> None:
        """Index `rows`, the retired ones too."""
        self.rows = {row.code: row for row in rows}
        self._names, self._longer, self._categories = Names(), Names(), Names()
        # Kinds in force come first: a name that was used again means the new one.
        for row in sorted(self.rows.values(), key=lambda row: row.is_retired):
            if row.is_retired and self._names.find(key(row.name)):
                continue
            self._names.add(key(row.name), row.code)
            self._longer.add(key(row.category + row.name), row.code)
            self._categories.add(key(row.category), row.code)
        in_force = [row for row in self.rows.values() if not row.is_retired]
        # Of several names joined in one, each may be what is like a text.
        self._texts = {
            key(text): row.code for row in in_force for text in (*row.name.split("、"), row.name, row.code)
        }
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
            if codes := names.find(key(folded)):
                return self._one_of(codes, text)
        return self._in_both(folded) or self._category(text) or self._unknown(text)

    def _known(self, code: str) -> Match:
        row = self.rows[code]
        if not row.is_retired:
            return Match(code)
        successor = replaced_by(self.rows, row)
        advice = f"请改用 {self.label(successor)}" if successor else "请改用《强检器具目录》中的现行种别"
        return Match(
            None, f"种别 {self.label(code)} 已停用，{advice}", self.label(successor) if successor else ""
        )

    def _one_of(self, codes: list[str], text: str) -> Match:
        if len(codes) == 1:
            return self._known(codes[0])
        listed = first_few([self.label(code) for code in codes])
        return Match(None, f"{quoted(text)}可指 {len(codes)} 个种别，请填写代码：{listed}")

    def _in_both(self, text: str) -> Match | None:
        """A code and a name in one cell, which must agree."""
        found = CODE_AND_NAME.fullmatch(text.upper())
        code, name = (found[1] or found[4], found[2] or found[3]) if found else ("", "")
        if code not in self.rows or not name:
            return None
        row = self.rows[code]
        if key(name) in {key(row.name), key(row.category), key(row.category + row.name)}:
            return self._known(code)
        return Match(
            None, f"代码 {code} 是“{row.name}”，与{quoted(name)}不一致，请改正其一", self.label(code)
        )

    def _category(self, text: str) -> Match | None:
        codes = [code for code in self._categories.find(key(text)) if not self.rows[code].is_retired]
        if not codes:
            return None
        listed = first_few([self.label(code) for code in codes])
        suggestion = self.label(codes[0]) if len(codes) == 1 else ""
        return Match(None, f"{quoted(text)}是项别，请填写其中的种别：{listed}", suggestion)

    def _unknown(self, text: str) -> Match:
        near = self._nearest.to(key(text[:LONGEST]))
        suggestion = self.label(self._texts[near]) if near else ""
        return Match(None, f"《强检器具目录》中没有{quoted(text)}，请填写目录中的种别代码或名称", suggestion)
