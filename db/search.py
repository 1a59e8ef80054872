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
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db import bulk
from db.errors import HIDDEN
from db.models import Enterprise, Instrument

FIELDS = ("name", "specification", "serial_number", "manufacturer", "location")
LIMIT = 1000
WORDS = 5
RUN = re.compile(r"[0-9a-z]+|[^\W0-9a-z_]+")
TABLE = "instrument_search"
# The key of an instrument, in a way no planner takes for the primary key.
HIDDEN_KEY: Any = sa.literal_column("+instruments.id", sa.Integer)


def fold(text: str) -> str:
    """Text as it is compared: NFKC, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def name_key(name: str) -> str:
    """What names of units have in common that differ only in width, case, spaces, brackets and marks, and in
    有限公司 for 有限责任公司: at most 120 characters."""
    bare = "".join(character for character in fold(name) if character.isalnum())
    return bare.replace("有限责任公司", "有限公司")[:120]


@lru_cache(maxsize=50_000)
def initials(text: str) -> str:
    """The first letters of the pinyin of Chinese text, 'ylb' for 压力表; what is not Chinese is left out."""
    # Its dictionary takes half a second to load, which most commands do not need.
    from pypinyin import Style, lazy_pinyin

    letters = lazy_pinyin(text, style=Style.FIRST_LETTER, errors="ignore")
    return "".join(letter[0] for letter in letters if letter).lower()


@lru_cache(maxsize=50_000)
def _remembered(text: str) -> tuple[str, str]:
    """A text folded, and its pieces."""
    folded = fold(text)
    return folded, pieces(folded)


@lru_cache(maxsize=50_000)
def _named(name: str) -> tuple[str, str]:
    """A name, found by its initials too."""
    folded = fold(f"{name} {initials(name)}")
    return folded, pieces(folded)


def text_of(values: Mapping[str, Any], owner: str) -> str:
    """What the search box looks through for an instrument with `values` of the enterprise called `owner`.

    At most 1000 characters: a line of the particulars of FIELDS, and one of the owner's name; folded, with
    the initials of both names.
    """
    return _text([values[field] or "" for field in FIELDS], _named(owner)[0])


def texts(rows: Iterable[Sequence[str]], owner: str) -> Iterator[str]:
    """The text of `text_of` for many instruments of one owner, each given by its FIELDS."""
    owned = _named(owner)[0]
    return (_text(row, owned) for row in rows)


def pieces_of(rows: Iterable[Sequence[str]], owner: str) -> Iterator[str]:
    """The pieces of these texts; what many have in common, all but the numbers, is cut once."""
    owned, cut = _named(owner)
    most = LIMIT - len(owned) - len(FIELDS)
    for row in rows:
        name, specification, number, maker, place = row
        number = fold(number)
        (name, a), (specification, b) = _named(name), _remembered(specification)
        (maker, c), (place, d) = _remembered(maker), _remembered(place)
        if len(name) + len(specification) + len(number) + len(maker) + len(place) < most:
            yield " ".join(filter(None, (a, b, pieces(number), c, d, cut)))
        else:
            # A text that is cut off may end within a particular.
            yield pieces(_text(row, owned))


def _text(row: Sequence[str], owned: str) -> str:
    name, specification, number, maker, place = row
    kept = f"{_named(name)[0]} {_remembered(specification)[0]} {fold(number)}"
    return f"{kept} {_remembered(maker)[0]} {_remembered(place)[0]}\n{owned}"[:LIMIT]


def _runs(text: str) -> Iterator[tuple[str, int]]:
    """The runs of letters and digits, or of other characters, each with the length of its pieces."""
    for run in RUN.findall(text):
        yield run, 3 if run.isascii() else 2


def pieces(text: str) -> str:
    """The pieces of a text, separated by spaces."""
    found = {run[at : at + size] for run, size in _runs(text) for at in range(len(run))}
    return " ".join(found)


def add(session: Session, rows: Iterable[tuple[int, str]]) -> None:
    """Note the texts of new instruments, each (id, text)."""
    add_pieces(session, ((id, pieces(text)) for id, text in rows))


def add_pieces(session: Session, rows: Iterable[tuple[int, str]]) -> None:
    """Note new instruments, each (id, the pieces of its text as `pieces_of` gives them)."""
    if _is_sqlite(session):
        return _write(session, f"INSERT INTO {TABLE} (rowid, pieces) VALUES (?, ?)", rows)
    cursor: Any = session.connection().connection.cursor()
    with cursor, cursor.copy(f"COPY {TABLE} (instrument_id, pieces) FROM STDIN") as copy:
        for id, held in rows:
            # Pieces hold no quotes, so they are lexemes as they stand.
            copy.write_row((id, "'" + held.replace(" ", "' '") + "'"))


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


def _write(session: Session, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for chunk in bulk.chunks(rows):
        session.connection().exec_driver_sql(statement, chunk)


def words(typed: str) -> tuple[list[str], list[str]]:
    """The words of what was typed into the box: those that are looked for, WORDS at most, and the rest."""
    found = list(dict.fromkeys(fold(HIDDEN.sub(" ", typed)).split()))
    return found[:WORDS], found[WORDS:]


class Words:
    """What was typed into the box; false when it is nothing.

    `has_owner` looks into the owner's name too: to the owner itself it would say nothing.
    """

    def __init__(self, session: Session, typed: str, has_owner: bool):
        self._session = session
        self._words, _ = words(typed)
        self._has_owner = has_owner
        self._is_sqlite = _is_sqlite(session)
        self._pieces = _query(self._words, self._is_sqlite)
        # Whether what is typed is shorter than a piece: many of them may begin with it.
        self.is_short = "*" in self._pieces
        # Whether `rows` begins at once, instead of reading the whole index first.
        self.is_ordered = self._is_sqlite and self._pieces != "" and not self.is_short

    def __bool__(self) -> bool:
        return bool(self._words)

    def held(self, text: Any = Instrument.search_text) -> list[sa.ColumnElement[bool]]:
        """That every word is part of the text."""
        find = sa.func.instr if self._is_sqlite else sa.func.strpos
        if not self._has_owner:
            text = sa.func.substr(text, 1, find(text, "\n"))
        return [find(text, word) > 0 for word in self._words]

    def rows(self, *conditions: Any) -> tuple[Any, Any]:
        """The ids the index finds, for instruments under `conditions`, and the key to order them by.

        SQLite reads its index along the key, either way, and stops when there are enough. PostgreSQL reads
        all of the index and then row by row; left to itself it would often read the whole table instead.
        """
        conditions = (*self.held(), *conditions)
        if not self._pieces:
            return sa.select(HIDDEN_KEY).select_from(Instrument).where(*conditions), HIDDEN_KEY
        if self._is_sqlite:
            key: Any = sa.table(TABLE, sa.column("rowid")).c.rowid
            # With the sign, the one way to join is from the index to the instruments.
            here = col(Instrument.id) == sa.literal_column(f"+{TABLE}.rowid")
            return sa.select(key).join(Instrument, here).where(self._matching(), *conditions), key
        # It takes an unknown word for a frequent one, and starting helpers takes longer than finding nothing.
        self._session.execute(sa.text("SET LOCAL max_parallel_workers_per_gather = 0"))
        key = sa.table(TABLE, sa.column("instrument_id")).c.instrument_id
        found = sa.select(key).where(self._matching()).cte("found").prefix_with("MATERIALIZED")
        here = col(Instrument.id) == found.c.instrument_id
        row = sa.select(Instrument.id).where(here, *conditions).offset(0).lateral("row")
        return sa.select(found.c.instrument_id).join(row, sa.true()), found.c.instrument_id

    def condition(self) -> sa.ColumnElement[bool]:
        """That an instrument holds every word."""
        return sa.and_(sa.true(), *([self._indexed()] if self._pieces else []), *self.held())

    def _indexed(self) -> sa.ColumnElement[bool]:
        column: Any = sa.column("rowid" if self._is_sqlite else "instrument_id")
        return col(Instrument.id).in_(sa.select(column).select_from(sa.table(TABLE)).where(self._matching()))

    def _matching(self) -> Any:
        where = f"{TABLE} MATCH :pieces" if self._is_sqlite else "pieces @@ CAST(:pieces AS tsquery)"
        return sa.text(where).bindparams(pieces=self._pieces)


def condition(session: Session, typed: str, has_owner: bool) -> sa.ColumnElement[bool]:
    """The instruments that hold every word of what was typed, as `Words` says."""
    return Words(session, typed, has_owner).condition()


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
    for owner in session.exec(select(Enterprise).where(Enterprise.initials == "")):
        owner.initials = initials(owner.name)
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
        .limit(bulk.CHUNK)
    )
    return session.execute(rows).all()
