"""Names and what they may mean: what is compared of them, and the one most like a text."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import takewhile
from typing import Protocol

from catalog.identifiers import fold


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


def key(text: str) -> str:
    """What is compared of a name: no spaces and punctuation, no difference of width or case."""
    folded = fold(text).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] not in "PZC")


def quoted(text: str) -> str:
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
        if text[:1].isdecimal():  # Of codes, which are trees, the one that branches off last.
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


class Known(Protocol):
    """A row of a list, which another code may have taken the place of."""

    @property
    def code(self) -> str:
        """What names it."""

    @property
    def is_retired(self) -> bool:
        """Whether it may not be used any more."""

    @property
    def successor(self) -> str | None:
        """The code that took its place."""


def replaced_by(rows: Mapping[str, Known], row: Known) -> str | None:
    """The code in force that took the place of a retired row, over several steps if need be."""
    seen = set()
    while row.is_retired:
        seen.add(row.code)
        if not row.successor or row.successor in seen or row.successor not in rows:
            return None
        row = rows[row.successor]
    return row.code


def first_few(labels: list[str]) -> str:
    """The first labels, and how many there are in all."""
    more = f" 等 {len(labels)} 个" if len(labels) > NAMED else ""
    return "、".join(labels[:NAMED]) + more
