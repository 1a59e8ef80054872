"""What the template offers: the kinds and divisions of one edition each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from catalog import divisions, kinds
from catalog.columns import VERSION
from catalog.divisions import Division, Tree
from catalog.files import Edition
from catalog.kinds import Kind


@dataclass(frozen=True)
class Lists:
    """What is in force: the kinds, the divisions sorted by code, and the editions they are from.

    The shipped ones, or those of a database, where an official catalog may have been loaded.
    """

    kinds: Sequence[Kind]
    divisions: Sequence[Division]
    kind_edition: Edition
    division_edition: Edition

    @property
    def stamp(self) -> str:
        """Which template and which editions of the two lists a file was made from, as one line of text."""
        return f"模板 {VERSION} · 目录 {self.kind_edition.name} · 行政区划 {self.division_edition.name}"

    @cached_property
    def tree(self) -> Tree:
        """How the divisions hang together."""
        return Tree(self.divisions)


def shipped() -> Lists:
    """The lists that come with the product."""
    return Lists(kinds.kinds(), divisions.divisions(), kinds.EDITION, divisions.EDITION)
