"""导出: the list a page shows as a file, for whoever may see it, made by a process of its own.

A long export takes a processor for half a minute. In the server it would hold up every page.
"""

import asyncio
import json
import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from catalog.spreadsheets import XLSX
from db import audit, audit_exports, audit_log, clock, duties, exports, ledger_filters, previews, sign_ins
from db.engine import note_refusal, reading
from db.errors import NotFound, Refused
from pages.edge.files import disposition
from pages.edge.visitor import COOKIE

ROOT = Path(__file__).parent.parent.parent
TYPES = {"xlsx": XLSX, "csv": "text/csv; charset=utf-8"}
AT_ONCE = 2
# Seconds: the longest an export may take, and how often its visitor is looked for.
PATIENCE, GLANCE = 900, 1
NOBODY = "请先登录约检台，再从台账页面导出"
BUSY = "上一次导出还没有完成，请等它下载后再导出"
FAILED = "导出没有完成，请稍后重试；如仍出现，请把错误编号 {number} 告知管理员"

log = logging.getLogger("yuejian")
_turns = asyncio.Semaphore(AT_ONCE)
_under_way: set[int] = set()


class Failed(Exception):
    """The process that makes an export ended without one, or nobody waits for it any more."""


class Kind(NamedTuple):
    """A list that is given out as a file: how its filters are read and written, who may have it, and by which
    command it is made."""

    title: str
    command: str
    read: Callable[[Mapping[str, str]], Any]
    query: Callable[[Any], dict[str, str]]
    check: Callable[..., None]


KINDS = {
    "ledger": Kind(exports.TITLE, "export-ledger", ledger_filters.read, ledger_filters.query, exports.check),
    "audit": Kind(
        audit_exports.TITLE, "export-audit", audit_log.read_filters, audit_log.query, audit_exports.check
    ),
}


@dataclass(frozen=True)
class Order:
    """Who wants which rows in which format."""

    account_id: int
    username: str
    kind: str
    filters: Any
    ending: str
    address: str


class Sent(FileResponse):
    """A file that is removed, with its folder, once it is sent or its visitor has gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, then remove it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            shutil.rmtree(Path(self.path).parent, ignore_errors=True)


async def given(request: Request) -> Response:
    """The rows of the address's filters; a sentence where there is no right to them, or a failure."""
    kind = request.path_params["kind"]
    if kind not in KINDS:
        return _said(str(NotFound("文件")), 404)
    try:
        filters = KINDS[kind].read(request.query_params)
    except Refused as refusal:
        return _said(str(refusal), 400)
    try:
        order = await run_in_threadpool(_order, request, filters)
    except Refused as refusal:
        return _said(str(refusal), 404 if isinstance(refusal, NotFound) else 403)
    if order.account_id in _under_way:
        return _said(BUSY, 429)
    folder = tempfile.mkdtemp(prefix="yuejian-")
    path = Path(folder) / f"{kind}.{order.ending}"
    try:
        with _noted(order.account_id):
            async with _turns:
                await _make(request, order, path)
    except BaseException as problem:
        shutil.rmtree(folder, ignore_errors=True)
        if not isinstance(problem, Failed | OSError):
            raise
        number = secrets.token_hex(3).upper()
        log.error("错误编号 %s", number, exc_info=problem)
        return _said(FAILED.format(number=number), 500)
    return Sent(path, headers=_headers(order), media_type=TYPES[order.ending])


def _order(request: Request, filters: Any) -> Order:
    """What is asked for, if it may be; raises Refused."""
    host = request.client.host if request.client else ""
    token = request.cookies.get(COOKIE, "")
    kind, ending = (request.path_params[name] for name in ("kind", "ending"))
    if ending not in TYPES:
        raise NotFound("文件")
    with reading() as session:
        account = sign_ins.account_of(session, token)
        if account is None or duties.obstacle(session, account):
            raise Refused(NOBODY)
        audit.attribute(session, by=account, address=host, place=f"导出{KINDS[kind].title}")
        try:
            previews.refuse(session, token)
            KINDS[kind].check(session, filters, by=account)
        except Refused as refusal:
            note_refusal(session, refusal)
            raise
    return Order(account.id, account.username, kind, filters, ending, host)


@contextmanager
def _noted(account_id: int) -> Iterator[None]:
    """While an export of this account is under way, from whichever browser."""
    _under_way.add(account_id)
    try:
        yield
    finally:
        _under_way.discard(account_id)


async def _make(request: Request, order: Order, path: Path) -> None:
    """Have the command write the file; raises Failed."""
    process = await asyncio.create_subprocess_exec(
        *_command(order, path),
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    told = asyncio.ensure_future(process.communicate())
    try:
        async with asyncio.timeout(PATIENCE):
            while not (await asyncio.wait([told], timeout=GLANCE))[0]:
                if await request.is_disconnected():
                    raise Failed("the visitor has gone")
    except TimeoutError as error:
        raise Failed(f"not done in {PATIENCE} s") from error
    finally:
        if process.returncode is None:
            process.kill()
        _, errors = await told
    if process.returncode:
        raise Failed(f"exit code {process.returncode}: {errors.decode('utf-8', 'replace')[-2_000:]}")


def _command(order: Order, path: Path) -> list[str]:
    kind = KINDS[order.kind]
    # -P: not whatever lies in the folder the server was started from.
    command = [sys.executable, "-P", "-m", "db", kind.command, str(path), f"--by={order.username}"]
    command.append(f"--address={order.address}")
    return [*command, f"--filters={json.dumps(kind.query(order.filters))}"]


def _headers(order: Order) -> dict[str, str]:
    name = f"{KINDS[order.kind].title} {clock.today()}.{order.ending}"
    return {"Cache-Control": "no-store", **disposition(name, f"{order.kind}.{order.ending}")}


def _said(sentence: str, status: int) -> Response:
    return PlainTextResponse(sentence, status, {"Cache-Control": "no-store"})


ROUTES = [Route("/exports/{kind}.{ending}", given, methods=["GET"])]
