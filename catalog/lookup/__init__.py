"""What a cell means by a kind or a division: its code, or what is wrong and what was probably meant.

The indexes are made from rows, because a database may hold another edition than the shipped one.
"""

from catalog.lookup.divisions import DivisionIndex, KnownDivision
from catalog.lookup.kinds import KindIndex, KnownKind
from catalog.lookup.names import Match

__all__ = ["DivisionIndex", "KindIndex", "KnownDivision", "KnownKind", "Match"]
