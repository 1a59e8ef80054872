"""The process that reads a file: it binds itself to limits and writes what it finds as lines of JSON."""

import gc
import json
import os
import resource
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalog.reading import limits
from catalog.reading.contents import Unreadable
from catalog.reading.formats import Format, recognized
from catalog.reading.headers import Header
from catalog.reading.tables import batches, kind

Message = dict[str, Any]


def main() -> None:
    """Answer the request in the arguments within the limits; whatever happens, one last line says so."""
    limits.impose(int(sys.argv[1]))
    # A short life with millions of cells and no circles: counting references is enough.
    gc.disable()
    try:
        left = limits.TEXT
        for message in answer(**json.loads(sys.argv[2])):
            left -= _say(message)
            if left < 0:
                raise Unreadable(limits.TOO_BIG)
        _say({"end": _cost()})
    except Unreadable as refusal:
        _say({"refused": str(refusal)})
    except MemoryError:
        os.abort()
    except Exception:
        _say({"refused": limits.DIED, "trace": traceback.format_exc()})


def _cost() -> str:
    """What the file took, for the log."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return f"{usage.ru_utime + usage.ru_stime:.2f} s of processor, {_peak() // 1024} MB"


def _peak() -> int:
    """Most memory this process has had, in KiB; 0 where the kernel has no such file."""
    # ru_maxrss also counts what the parent had when it started this process.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _say(message: Message) -> int:
    line = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    return len(line)


def answer(path: str, name: str, chosen: dict[str, str] | None, careful: bool = False) -> Iterator[Message]:
    """First what the sheet is, then its rows, a batch at a time. Raises Unreadable."""
    from catalog.reading import books
    from catalog.reading.xlsx import column_letters

    form = recognized(Path(path), name)
    if careful and form != Format.xlsx:
        raise Unreadable(limits.TOO_BIG)
    opened = books.careful(Path(path)) if careful else books.opened(Path(path), form)
    header = _chosen(opened.header, chosen)
    kinds = [kind(field) for field in header.fields]
    yield {
        "sheet": opened.sheet,
        "header_row": header.row + 1,
        "headings": header.headings,
        "fields": header.fields,
        "edition": opened.edition,
        "notes": opened.notes,
        "kinds": kinds,
    }
    yield from batches(opened.rows, header, kinds, opened.marks, opened.is_1904)
    if nameless := sorted(opened.marks.nameless):
        yield {"notes": [f"没有表头的列（{'、'.join(map(column_letters, nameless))}）没有读取"]}


def _chosen(header: Header, chosen: dict[str, str] | None) -> Header:
    """The header as the person says it is, where she has been asked."""
    if len(header.headings) > limits.COLUMNS:
        raise Unreadable(f"超过 {limits.COLUMNS} 列，请只保留台账的列后重新上传")
    if not header.headings:
        raise Unreadable("文件里没有任何内容，请确认上传的是填好的台账")
    if chosen is None:
        return header
    fields = tuple(chosen.get(str(index)) for index in range(len(header.headings)))
    return Header(header.row, header.headings, fields)


if __name__ == "__main__":
    main()
