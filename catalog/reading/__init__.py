"""Ledger files from anywhere, read in a process of their own that may fail without harm."""

from catalog.reading.contents import Cell, Contents, Fault, Unreadable
from catalog.reading.process import Begun, begin, read

__all__ = ["Begun", "Cell", "Contents", "Fault", "Unreadable", "begin", "read"]
