"""The process that reads a file, as its parent sees it: it is started, listened to, and outlived."""

import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from catalog.reading import limits
from catalog.reading.contents import Cell, Contents, Fault, Unreadable
from catalog.reading.limits import DIED, FILE_SIZE, SECONDS, SILENCE, TEXT, TOO_BIG, TOO_SLOW

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).parent.parent.parent
# Nothing of the server's environment but what the interpreter itself may need; no secrets.
ENVIRONMENT = {"LANG": "C.UTF-8", "PYTHONUTF8": "1", "MALLOC_ARENA_MAX": "1"} | {
    name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ
}
PIECE = 2**20

log = logging.getLogger(__name__)

Message = dict[str, Any]
Process = subprocess.Popen[bytes]


class Died(Unreadable):
    """The reading process ended before it had given its answer, after `seconds` of processor time."""

    def __init__(self, sentence: str, seconds: float) -> None:
        """Say why, to a person."""
        super().__init__(sentence)
        self.seconds = seconds


class Begun(NamedTuple):
    """A process that has begun to read a file, and what told the file from others then."""

    process: Process
    mark: tuple[int, ...]


@contextmanager
def begin(path: Path | None) -> Iterator[Begun | None]:
    """Have a process read the file at `path` already, for `read` to take over; it ends with the block.

    None without a path, and for a file that `read` will refuse unread or cannot get at: it says why.
    """
    begun = None
    with suppress(OSError):
        if path and limits.CAN_LIMIT and path.is_file() and path.stat().st_size <= FILE_SIZE:
            mark = _mark(path)
            begun = Begun(_started(_request(path, path.name, None), SECONDS), mark)
    try:
        yield begun
    finally:
        if begun:
            _end(begun.process)


def _mark(path: Path) -> tuple[int, ...]:
    """What tells a file from another one that has been put in its place, or has been written since."""
    now = path.stat()
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns


def read(
    path: Path,
    name: str,
    chosen: Mapping[int, str] | None = None,
    progress: Callable[[int], None] | None = None,
    begun: Begun | None = None,
) -> Contents:
    """Read the ledger in the file at `path`, which a person calls `name`, or raise Unreadable.

    `chosen` is the person's own answer to what the columns mean: column index (0 is A) to heading of
    `catalog.columns`; columns it does not name are not used. `progress` hears how many rows have come.
    `begun` is what `begin` has given for `path`, which has that name, with nothing chosen; where another
    file stands there by now, this one is read.
    """
    if not limits.CAN_LIMIT:
        raise Unreadable(limits.UNLIMITED)
    if path.stat().st_size > FILE_SIZE:
        raise Unreadable(f"文件超过 {FILE_SIZE // 2**20} MB，请拆分成几个文件后分别上传")
    request = _request(path, name, chosen)
    try:
        messages = _answer(request, process=begun.process if begun and begun.mark == _mark(path) else None)
        head = next(messages)
    except Died as death:
        # A stray cell far outside the table makes calamine ask for too much; openpyxl reads row by row.
        left = int(SECONDS - death.seconds)
        if str(death) == TOO_SLOW or left < 1:
            raise
        messages = _answer({**request, "careful": True}, left)
        head = next(messages)
    days = {index for index, kind in enumerate(head["kinds"]) if kind == "day"}
    notes = list(head["notes"])
    return Contents(
        head["sheet"],
        head["header_row"],
        tuple(head["headings"]),
        tuple(head["fields"]),
        head["edition"],
        notes,
        _rows(messages, days, notes, progress or (lambda count: None)),
    )


def _rows(
    messages: Iterator[Message], days: set[int], notes: list[str], progress: Callable[[int], None]
) -> Iterator[tuple[int, list[Cell]]]:
    """The rows out of the messages, days and faults made again; what is said at the end joins the notes."""
    calendar = _Calendar()
    count = 0
    for message in messages:
        if "notes" in message:
            notes += message["notes"]
            continue
        columns = message["columns"]
        for index in days:
            columns[index] = [calendar[cell] if type(cell) is str else cell for cell in columns[index]]
        for index in message["faulty"]:
            columns[index] = [Fault(*cell) if type(cell) is list else cell for cell in columns[index]]
        count += len(message["numbers"])
        progress(count)
        yield from zip(message["numbers"], map(list, zip(*columns, strict=True)), strict=True)


class _Calendar(dict[str, date]):
    """Each day once, however many rows have it."""

    def __missing__(self, written: str) -> date:
        return self.setdefault(written, date.fromisoformat(written))


def _request(path: Path, name: str, chosen: Mapping[int, str] | None) -> Message:
    named = dict(chosen) if chosen is not None else None
    # The process stands in another folder.
    return {"path": str(path.absolute()), "name": name, "chosen": named}


def _started(request: Message, seconds: int) -> Process:
    """A fresh process that is at work on a request."""
    process = subprocess.Popen(
        [sys.executable, "-E", "-s", "-m", "catalog.reading.child", str(seconds), json.dumps(request)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=ENVIRONMENT,
    )
    _widen(process)
    return process


def _end(process: Process) -> None:
    process.kill()
    process.wait()
    _pipe(process).close()


def _answer(request: Message, seconds: int = SECONDS, process: Process | None = None) -> Iterator[Message]:
    """What a process says about the file; when it is no longer listened to, it is ended."""
    process = process or _started(request, seconds)
    try:
        for line in _lines(process):
            message = _understood(line)
            if "trace" in message:
                log.error("%s", message["trace"])
            if "refused" in message:
                raise Unreadable(message["refused"])
            if "end" in message:
                log.info("%r: %s", request["name"], message["end"])
                return
            yield message
        raise _death(process)
    finally:
        _end(process)


def _understood(line: bytes) -> Message:
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError) as error:
        raise Unreadable(DIED) from error


def _pipe(process: Process) -> Any:
    assert process.stdout is not None
    return process.stdout


def _widen(process: Process) -> None:
    """Let it write on while its parent works on what it has said, where the system allows that."""
    # Only Linux has it.
    if size := getattr(fcntl, "F_SETPIPE_SZ", None):
        with suppress(OSError):
            fcntl.fcntl(_pipe(process), size, PIECE)


def _lines(process: Process) -> Iterator[bytes]:
    """The lines the process writes; raises Unreadable when it is silent for too long or says too much."""
    pipe = _pipe(process).fileno()
    pending, total = bytearray(), 0
    while True:
        if not select.select([pipe], [], [], SILENCE)[0]:
            raise Unreadable(TOO_SLOW)
        piece = os.read(pipe, PIECE)
        if not piece:
            return
        total += len(piece)
        if total > TEXT + PIECE:
            raise Unreadable(TOO_BIG)
        pending += piece
        *lines, rest = pending.split(b"\n") if b"\n" in piece else [pending]
        yield from map(bytes, lines)
        pending = rest


def _death(process: Process) -> Died:
    """Why the process ended, from what the kernel says of it."""
    until = time.monotonic() + SILENCE
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > until:
            return Died(TOO_SLOW, SECONDS)
        time.sleep(0.005)
    process.returncode = os.waitstatus_to_exitcode(status)
    reasons = {-signal.SIGXCPU: TOO_SLOW, -signal.SIGABRT: TOO_BIG, -signal.SIGKILL: TOO_BIG}
    return Died(reasons.get(process.returncode, DIED), usage.ru_utime + usage.ru_stime)
