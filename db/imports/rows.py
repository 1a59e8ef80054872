"""From the cells of a file to rows of the ledger: every cell read by the rules of the form."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from catalog import columns as template
from catalog.columns import DIVISION, KIND, PLACES, SYSTEM_ID
from catalog.lookup import DivisionIndex, KindIndex, KnownDivision, KnownKind, Match
from catalog.marking import Problem
from catalog.reading import Cell, Contents, Fault
from db import bulk
from db.instrument_fields import CHOICES, DEFAULTS, LABELS, TEXTS, FieldReader, together
from db.models import Account, Category, Division, Kind

# The template calls two columns by their codes, the form by their names.
FIELDS = {label: name for name, label in LABELS.items()} | {KIND: "kind_id", DIVISION: "division_code"}
HEADINGS = {name: heading for heading, name in FIELDS.items()}
REQUIRED = tuple(column.heading for column in template.COLUMNS if column.is_required)
# Empty in a file, what has a default and a day that is locked stay as they are in the ledger.
KEPT_WHEN_EMPTY = (*DEFAULTS, "valid_until")
# What an empty cell means for a new instrument.
EMPTY: dict[str, Any] = dict.fromkeys(LABELS) | dict.fromkeys(TEXTS, "") | DEFAULTS
MOST_REMEMBERED = 20_000
# Problems kept of one file, and characters of a text that is quoted in one or on a page.
MOST_PROBLEMS, QUOTED = 20_000, 200

Read = tuple[Any, str, str]  # the value, what is wrong with it, what was probably meant


@dataclass(frozen=True, slots=True)
class Wrong:
    """What stands for the value of a cell that cannot be taken, unless the ledger says the same.

    A ledger taken over from elsewhere has rows that the rules would not let in: exported and not touched,
    they are no fault of the file.
    """

    heading: str
    shown: str
    sentence: str
    suggestion: str


@dataclass(slots=True)
class Row:
    """One row of a file: its number, the id it claims, and a value for each field of the sheet.

    Only a row that claims an id may hold a value that is Wrong.
    """

    number: int
    id: int | None
    values: tuple[Any, ...]


@dataclass
class Sheet:
    """The rows that may be written, and the problems of those that may not.

    `fields` names the values of each row; a value is None where an empty cell leaves a field as it is or at
    its default. `codes` are those of the kinds, by id. `invalid` are the numbers of the rows refused; `size`
    counts all. `alike` are the numbers of new rows that may be an instrument of the ledger all the same. Of
    the problems no more than MOST_PROBLEMS are kept; `problem_count` counts all.
    """

    fields: tuple[str, ...]
    columns: dict[str, int]
    codes: Mapping[int, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    invalid: set[int] = field(default_factory=set)
    problem_count: int = 0
    size: int = 0
    alike: list[int] = field(default_factory=list)

    def refuse(self, number: int, heading: str, shown: str, sentence: str, suggestion: str = "") -> None:
        """Note what is wrong in a row, at the column of that heading where the file has it."""
        self.invalid.add(number)
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            place = self.columns.get(heading)
            self.problems.append(Problem(number, place, heading, quoted(shown), sentence, suggestion))


def missing(fields: Sequence[str | None]) -> list[str]:
    """The required headings that no column of a file stands for."""
    found = {heading for heading in fields if heading}
    if set(PLACES) <= found:
        found.add(DIVISION)
    return [heading for heading in REQUIRED if heading not in found]


class Lists:
    """The catalog and the divisions in force, as a file may name them."""

    def __init__(self, session: Session):
        successor = aliased(Kind)
        kinds = session.execute(
            sa.select(
                Kind.id,
                Kind.code,
                Kind.name,
                col(Category.name).label("category"),
                col(Kind.retired_on).is_not(None).label("is_retired"),
                col(successor.code).label("successor"),
            )
            .join(Category, col(Kind.category_id) == Category.id)
            .join(successor, col(Kind.successor_id) == successor.id, isouter=True)
        ).all()
        self.kind_ids = {row.code: row.id for row in kinds}
        self.kinds = KindIndex(KnownKind(*row[1:]) for row in kinds)
        places = select(Division.code, Division.name, col(Division.retired_on).is_not(None))
        rows = session.execute(places.add_columns(col(Division.successor_code)))
        self.divisions = DivisionIndex(KnownDivision(*row) for row in rows)

    def kind(self, text: str) -> tuple[Match, int | None]:
        """What a cell of the kind means, and the id of the kind."""
        match = self.kinds.find(text)
        return match, self.kind_ids[match.code] if match.code else None


class Meanings(dict[Cell, Any]):
    """What the cells of a column mean, a value or Wrong, each found once: most columns repeat few."""

    def __init__(self, heading: str, find: Callable[[Cell], Read]):
        super().__init__()
        self._heading, self._find = heading, find
        self.has_wrong = False

    def __missing__(self, cell: Cell) -> Any:
        if len(self) > MOST_REMEMBERED:
            self.clear()
        value, sentence, suggestion = self._find(cell)
        if sentence:
            self.has_wrong = True
            value = Wrong(self._heading, shown(cell), sentence, suggestion)
        self[cell] = value
        return value


class CellReader:
    """Reads the cells of each field by `FieldReader`'s rules; a cell seen before is answered from memory."""

    def __init__(self, session: Session, lists: Lists, by: Account):
        self._fields, self._lists = FieldReader(session, by), lists

    def of(self, name: str) -> Meanings:
        """What each cell of one field means."""
        return Meanings(HEADINGS[name], lambda cell: self._read(name, cell))

    def _read(self, name: str, cell: Cell) -> Read:
        if isinstance(cell, Fault):
            return None, cell.sentence, ""
        if cell in (None, "") and name in DEFAULTS:
            return None, "", ""
        if name == "kind_id":
            match, cell = self._lists.kind(_text(cell))
            return self._matched(name, match, cell)
        if name == "division_code":
            match = self._lists.divisions.find(_text(cell))
            return self._matched(name, match, match.code)
        if name in CHOICES:
            return self._choice(name, _text(cell))
        stored, problem = self._fields.read_once(name, cell if cell != "" else None)
        return stored, problem or "", ""

    def _matched(self, name: str, match: Match, value: Any) -> Read:
        if value is None:
            return None, match.problem, match.suggestion
        stored, problem = self._fields.read_once(name, value)
        return stored, problem or "", ""

    def _choice(self, name: str, text: str) -> Read:
        stored, problem = self._fields.read_once(name, text.strip())
        near = get_close_matches(text, list(CHOICES[name]), n=1, cutoff=0.4) if problem and text else []
        return stored, problem or "", near[0] if near else ""


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def shown(cell: Cell) -> str:
    """A cell as a person sees it."""
    return cell.shown if isinstance(cell, Fault) else _text(cell)


def quoted(text: str) -> str:
    """A text of a file as it is shown on a page, which a long one would flood."""
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"


def read(session: Session, contents: Contents, lists: Lists, by: Account) -> Sheet:
    """Every row of a file that `by` brings in, read and checked by itself.

    Many rows are taken at a time, column by column, which is several times as fast as cell by cell.
    Raises `catalog.reading.Unreadable` half-way too.
    """
    places = {heading: index for index, heading in enumerate(contents.fields) if heading}
    names = tuple(name for name in LABELS if HEADINGS[name] in places)
    if set(PLACES) <= set(places) and "division_code" not in names:
        names = (*names, "division_code")
    sheet = Sheet(names, places, {id: code for code, id in lists.kind_ids.items()})
    cells = CellReader(session, lists, by)
    plan = [(places.get(HEADINGS[name], -1), cells.of(name)) for name in names]
    for piece in bulk.chunks(addressed(contents, places)):
        numbers, rows = zip(*piece, strict=True)
        _take(sheet, numbers, list(zip(*rows, strict=True)), plan)
    return sheet


def addressed(contents: Contents, places: Mapping[str, int]) -> Iterator[tuple[int, list[Cell]]]:
    """The rows of a file; an address in three cells stands for the code that is not there.

    `places` are the columns by what they stand for. Where no column is for the code, it is the last cell.
    """
    if not set(PLACES) <= set(places):
        yield from contents.rows
        return
    for number, row in contents.rows:
        whole = "".join(shown(row[places[part]]) for part in PLACES)
        if DIVISION not in places:
            row.append(whole)
        elif row[places[DIVISION]] in (None, ""):
            row[places[DIVISION]] = whole
        yield number, row


def _take(
    sheet: Sheet,
    numbers: Sequence[int],
    columns: Sequence[Sequence[Cell]],
    plan: Sequence[tuple[int, Meanings]],
) -> None:
    """Add the rows of these numbers to the sheet; `plan` says which column means what, field by field."""
    read = [list(map(meanings.__getitem__, columns[place])) for place, meanings in plan]
    has_wrong = any(meanings.has_wrong for _, meanings in plan)
    claims = columns[sheet.columns[SYSTEM_ID]] if SYSTEM_ID in sheet.columns else [None] * len(numbers)
    sheet.size += len(numbers)
    for number, claim, values in zip(numbers, claims, zip(*read, strict=True), strict=True):
        id, problem = _claimed(claim)
        wrong = [value for value in values if isinstance(value, Wrong)] if has_wrong else []
        if problem:
            sheet.refuse(number, SYSTEM_ID, shown(claim), problem)
        if problem or (wrong and not id):
            for one in wrong:
                sheet.refuse(number, one.heading, one.shown, one.sentence, one.suggestion)
        else:
            sheet.rows.append(Row(number, id, values))


def _claimed(cell: Cell) -> tuple[int | None, str]:
    """The id that a cell of 系统编号 names, and what is wrong with it."""
    text = _text(cell).strip()
    if not text:
        return None, ""
    if not text.isdecimal() or len(text) > 9:
        return None, f"“{SYSTEM_ID}”应为导出文件中的数字；新增的器具请留空"
    return int(text), ""


def problems_together(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a whole row, of which `values` has the fields TOGETHER: one sentence by heading."""
    return {HEADINGS[name]: sentence for name, sentence in together(values).items()}
