"""How the reference files are read: rows with their line numbers, and one kind of complaint."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

DATA = Path(__file__).parent / "data"

Record = dict[str, str]


class CatalogError(ValueError):
    """A reference file or a code in it is wrong; the message names file, line and fault in Chinese."""

    def __init__(self, what: str, path: Path | None = None, line: int | None = None) -> None:
        """Complain about `what`, in `path` at `line` (the first line is 1) where they are known."""
        self.line = line
        place = path.name if path else ""
        place += f" 第 {line} 行" if line else ""
        super().__init__(f"{place}：{what}" if place else what)


@dataclass(frozen=True, slots=True)
class Edition:
    """Which edition of a reference file this is, for the screen.

    `name` is short and goes into stamps, `dated_on` is the day of the data (None where its source gives
    none), `note` is the Chinese sentence a visitor reads.
    """

    name: str
    dated_on: date | None
    note: str


def records(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Record]]:
    """Give (line, row) for each row of a UTF-8 csv whose header is exactly `columns`, cells stripped.

    Raises CatalogError when the file is missing, is not UTF-8 csv, or a row has too few or too many cells.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CatalogError("文件不存在或无法读取", path) from error
    except UnicodeDecodeError as error:
        raise CatalogError("文件不是 UTF-8 编码", path) from error
    yield from _rows(path, text, columns)


def _rows(path: Path, text: str, columns: tuple[str, ...]) -> Iterator[tuple[int, Record]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(next(reader, [])) != columns:
            raise CatalogError(f"表头应为 {','.join(columns)}", path, 1)
        for cells in reader:
            if len(cells) != len(columns):
                raise CatalogError(f"应有 {len(columns)} 列，实有 {len(cells)} 列", path, reader.line_num)
            yield reader.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        raise CatalogError("不是合法的 csv，请检查引号", path, reader.line_num) from error
