"""The workbook that comes back: what is wrong is marked in the person's own file.

Files are hostile until proven otherwise, so the work is done in a process of its own with limits.
"""

from catalog.marking.problems import SUMMARY_SHEET, MarkingFailed, Problem, Summary
from catalog.marking.process import bad_rows, mark

__all__ = ["SUMMARY_SHEET", "MarkingFailed", "Problem", "Summary", "bad_rows", "mark"]
