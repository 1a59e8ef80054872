"""使用单位: those an account works for, or watches over."""

from typing import Any

from sqlmodel import Session, col, func, select

from catalog.identifiers import organization_part
from db import reach, search
from db.models import Account, Enterprise


def page(session: Session, *, by: Account, text: str = "", size: int = 50) -> list[Enterprise]:
    """The enterprises within the asker's reach, by name, at most `size`.

    `text` looks in the name, in its initials and in the credit code.
    """
    conditions = [reach.enterprises(by)]
    if word := text.strip():
        conditions.append(
            col(Enterprise.name).contains(word, autoescape=True)
            | col(Enterprise.initials).contains(search.fold(word), autoescape=True)
            | col(Enterprise.credit_code).contains(word.upper(), autoescape=True)
        )
    rows = select(Enterprise).where(*conditions).order_by(col(Enterprise.name), col(Enterprise.id))
    return list(session.exec(rows.limit(min(size, 200))))


def has_code(column: Any, code: str) -> Any:
    """Whether a column of clean codes holds `code`, or the other of the two an organization may have."""
    bare = organization_part(code)
    return (func.substr(column, 9, 9) == bare) | (col(column) == f"{bare[:8]}-{bare[8:]}")


def named(session: Session, id: str, *, by: Account) -> list[Enterprise]:
    """The enterprise whose id an address names, if the asker sees it."""
    if not (id.isascii() and id.isdecimal() and len(id) < 10):
        return []
    return list(session.exec(select(Enterprise).where(Enterprise.id == int(id), reach.enterprises(by))))
