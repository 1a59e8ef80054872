"""Ledger files from anywhere, read in a process of their own that may fail without harm."""

from catalog.reading.contents import Cell, Contents, Fault, Unreadable
from catalog.reading.process import Process, begun, read

__all__ = ["Cell", "Contents", "Fault", "Process", "Unreadable", "begun", "read"]
