"""台账导入: a workbook is uploaded, read, checked row by row, previewed, then written or taken back.

The page and the command line go through the same steps; each says in `db.imports.steps` which transactions
it takes, since a file is never read while one is open.
"""

from db.imports.rows import missing
from db.imports.run import Outcome
from db.imports.steps import apply, examine, import_file
from db.imports.uploads import choose_columns, discard, find, is_interrupted, match_again, upload

__all__ = [
    "Outcome",
    "apply",
    "choose_columns",
    "discard",
    "examine",
    "find",
    "import_file",
    "is_interrupted",
    "match_again",
    "missing",
    "upload",
]
