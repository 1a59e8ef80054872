"""草稿: what an account has typed and not saved yet, kept so that a lost connection loses nothing.

A draft is its account's alone: nobody else can ask for it, and it grants nothing. Whoever goes on from one
checks what it holds as if it came from the browser again.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from db import clock, reach
from db.errors import Refused
from db.models import Account, Draft, Role

# Characters as JSON; a hundred rows of the ledger with every field filled as far as it may be are fewer.
LIMIT = 500_000
PLACE = 60


def save(session: Session, place: str, content: Mapping[str, Any], *, by: Account) -> None:
    """Keep `content`, plain values only, as the one draft of the asker at `place`.

    Raises Refused for a draft that is too long, or holds what JSON cannot.
    """
    reach.allow(by, *Role)
    if not 0 < len(place) <= PLACE or not _fits(content):
        raise Refused("未保存的内容过多，无法暂存，请先保存或分批修改")
    values = {"account_id": by.id, "place": place, "content": dict(content), "changed_at": clock.now()}
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert: Any = sqlite.insert if is_sqlite else postgresql.insert
    kept = {"content": values["content"], "changed_at": values["changed_at"]}
    session.execute(
        insert(Draft).values(values).on_conflict_do_update(index_elements=["account_id", "place"], set_=kept)
    )


def _fits(content: Mapping[str, Any]) -> bool:
    try:
        return len(json.dumps(content, ensure_ascii=False, allow_nan=False)) <= LIMIT
    except (TypeError, ValueError):
        return False


def find(session: Session, place: str, *, by: Account) -> Draft | None:
    """The asker's draft at `place`, if there is one."""
    reach.allow(by, *Role)
    here = select(Draft).where(Draft.account_id == by.id, Draft.place == place)
    return session.exec(here.execution_options(populate_existing=True)).first()


def drop(session: Session, place: str, *, by: Account) -> None:
    """Forget the asker's draft at `place`."""
    reach.allow(by, *Role)
    session.exec(delete(Draft).where(col(Draft.account_id) == by.id, col(Draft.place) == place))
