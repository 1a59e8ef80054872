"""有效期: where an instrument stands with its certificate, in a word and as the cell of a table."""

from typing import Any

from db import clock
from db.models import Conclusion
from pages.parts import look

# The first window of the board: from here on it is time to book.
SOON = 30


def state(row: Any) -> str:
    """The word for the ledger row `row`; an instrument that failed has no certificate that holds."""
    if row.conclusion == Conclusion.rejected:
        return "不合格"
    if row.valid_until is None:
        return "未填有效期"
    days = (row.valid_until - clock.today()).days
    return "已超期" if days < 0 else "即将到期" if days <= SOON else "有效"


def cell(row: Any) -> str:
    """The last day of validity, with the word where something has to be done."""
    word = state(row)
    day = f"{row.valid_until:%Y-%m-%d}" if row.valid_until else ""
    return day if word in ("有效", "未填有效期") else f"{day} {look.mark(word)}".strip()
