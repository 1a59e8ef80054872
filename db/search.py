"""The search box: which instruments hold a word, a part of a number or the initials of a name.

The text of each instrument is cut into overlapping pieces: pairs of Chinese characters, triples of letters
and digits, and what is left of them at the end of a run. An inverted index over the pieces (FTS5 on SQLite,
GIN on PostgreSQL) narrows a search to the rows that hold all pieces of a word; LIKE on the text decides.
Neither engine's own index of triples would find a Chinese word of two characters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

import sqlalchemy as sa
from pypinyin import Style, lazy_pinyin
from sqlmodel import Session, col, select

from db.models import Enterprise, Instrument

FIELDS = ("name", "specification", "serial_number", "manufacturer", "location")
LIMIT = 1000
WORDS = 5
CHUNK = 5_000
RUN = re.compile(r"[0-9a-z]+|[^\W0-9a-z_]+")
TABLE = "instrument_search"


def fold(text: str) -> str:
    """Text as it is compared: NFKC, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


@lru_cache(maxsize=50_000)
def initials(text: str) -> str:
    """The first letters of the pinyin of Chinese text, 'ylb' for 压力表; what is not Chinese is left out."""
    letters = lazy_pinyin(text, style=Style.FIRST_LETTER, errors="ignore")
    return "".join(letter[0] for letter in letters if letter).lower()


@lru_cache(maxsize=50_000)
def _described(text: str, has_initials: bool) -> str:
    return f"{fold(text)} {initials(text)}" if has_initials else fold(text)


def text_of(values: Mapping[str, Any], owner: str) -> str:
    """What the search box looks through for an instrument with `values` of the enterprise called `owner`.

    At most 1000 characters: a line of the particulars of FIELDS, and one of the owner's name; folded, with
    the initials of both names.
    """
    parts = (_described(values[field] or "", field == "name") for field in FIELDS)
    return f"{' '.join(parts)}\n{_described(owner, True)}"[:LIMIT]


def _runs(text: str) -> Iterator[tuple[str, int]]:
    """The runs of letters and digits, or of other characters, each with the length of its pieces."""
    for run in RUN.findall(text):
        yield run, 3 if run.isascii() else 2


@lru_cache(maxsize=50_000)
def _cut(part: str) -> str:
    found = {run[at : at + size] for run, size in _runs(part) for at in range(len(run))}
    return " ".join(sorted(found))


def pieces(text: str) -> str:
    """The pieces of a text, separated by spaces; a piece that occurs twice may be given twice."""
    return " ".join(_cut(part) for part in text.split())


def add(session: Session, rows: Iterable[tuple[int, str]]) -> None:
    """Note the texts of new instruments, each (id, text)."""
    is_sqlite = _is_sqlite(session)
    statement = f"INSERT INTO {TABLE} (rowid, pieces) VALUES (?, ?)"
    if not is_sqlite:
        statement = f"INSERT INTO {TABLE} (instrument_id, pieces) VALUES (%s, %s::tsvector)"
    _write(session, statement, ((id, _stored(text, is_sqlite)) for id, text in rows))


def remove(session: Session, rows: Iterable[tuple[int, str]]) -> None:
    """Forget instruments, each (id, text as it was noted)."""
    if _is_sqlite(session):
        statement = f"INSERT INTO {TABLE} ({TABLE}, rowid, pieces) VALUES ('delete', ?, ?)"
        return _write(session, statement, ((id, pieces(text)) for id, text in rows))
    _write(session, f"DELETE FROM {TABLE} WHERE instrument_id = %s", ((id,) for id, _ in rows))


def replace(session: Session, rows: Sequence[tuple[int, str, str]]) -> None:
    """Note texts that have changed, each (id, text as it was noted, new text)."""
    changed = [row for row in rows if row[1] != row[2]]
    remove(session, ((id, old) for id, old, _ in changed))
    add(session, ((id, new) for id, _, new in changed))


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _stored(text: str, is_sqlite: bool) -> str:
    # Pieces hold no quotes, so they are lexemes as they stand.
    return pieces(text) if is_sqlite else " ".join(f"'{piece}'" for piece in pieces(text).split())


def _write(session: Session, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        session.connection().exec_driver_sql(statement, chunk)


def condition(session: Session, typed: str, has_owner: bool) -> sa.ColumnElement[bool]:
    """The instruments that hold every word of what was typed, five words at most.

    `has_owner` looks into the owner's name too: to the owner itself it would say nothing.
    """
    words = fold(typed).split()[:WORDS]
    text: Any = col(Instrument.search_text)
    if not has_owner:
        find = sa.func.instr if _is_sqlite(session) else sa.func.strpos
        text = sa.func.substr(text, 1, find(text, "\n"))
    found = [text.contains(word, autoescape=True) for word in words]
    if query := _query(words, _is_sqlite(session)):
        found.insert(0, col(Instrument.id).in_(_matching(query, _is_sqlite(session))))
    return sa.and_(sa.true(), *found)


def _matching(query: str, is_sqlite: bool) -> Any:
    if is_sqlite:
        return sa.text(f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH :pieces").bindparams(pieces=query)
    where = f"SELECT instrument_id FROM {TABLE} WHERE pieces @@ CAST(:pieces AS tsquery)"
    return sa.text(where).bindparams(pieces=query)


def _query(words: Iterable[str], is_sqlite: bool) -> str:
    """All pieces of the words, in the engine's language; a run shorter than a piece is how one begins."""
    quote, prefix, both = ('"', "*", " AND ") if is_sqlite else ("'", ":*", " & ")
    found = []
    for word in words:
        for run, size in _runs(word):
            ends = range(max(1, len(run) - size + 1))
            found += [
                f"{quote}{run[at : at + size]}{quote}{prefix if len(run) < size else ''}" for at in ends
            ]
    return both.join(dict.fromkeys(found))


def load(session: Session) -> None:
    """Index a ledger that is not indexed yet, as an upgrade finds it; every text is written anew."""
    if session.scalar(select(sa.exists().select_from(Instrument))) and not _has_any(session):
        last = 0
        while rows := _unindexed(session, last):
            last = rows[-1].id
            texts = [(row.id, text_of(row._asdict(), row.owner)) for row in rows]
            update = sa.update(Instrument).where(col(Instrument.id) == sa.bindparam("at"))
            session.connection().execute(
                update.values(search_text=sa.bindparam("text")), [{"at": id, "text": t} for id, t in texts]
            )
            add(session, texts)


def _has_any(session: Session) -> bool:
    column = "rowid" if _is_sqlite(session) else "instrument_id"
    return session.execute(sa.text(f"SELECT {column} FROM {TABLE} LIMIT 1")).first() is not None


def _unindexed(session: Session, last: int) -> Sequence[sa.Row[Any]]:
    fields = (getattr(Instrument, field) for field in FIELDS)
    rows = (
        sa.select(Instrument.id, col(Enterprise.name).label("owner"), *fields)
        .join(Enterprise, col(Instrument.enterprise_id) == Enterprise.id)
        .where(col(Instrument.id) > last)
        .order_by(col(Instrument.id))
        .limit(CHUNK)
    )
    return session.execute(rows).all()
