"""The connection of each open page: who may open one, how many, and what it may send how fast."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from db import sign_ins
from db.engine import reading
from pages.edge import limits, offers, visitor
from pages.edge.limits import Buckets

log = logging.getLogger("yuejian")

# What our pages send. Left out: emptying everybody's caches, stopping a run half-way, tools of developers.
MESSAGES = ("rerun_script", "file_urls_request", "app_heartbeat")
OPERATIONS = ("deferred_file", "dataframe_chunk")
# RFC 6455, 7.4.1: against the rules of this server.
AGAINST_THE_RULES = 1008


def is_from_here(scope: Scope) -> bool:
    """Whether a page of this server sends the request: browsers name its origin, and programs must too."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host")


async def is_signed_in(token: str) -> bool:
    """Whether a sign-in with this token holds."""
    return bool(token) and await run_in_threadpool(_holds, token)


def _holds(token: str) -> bool:
    with reading() as session:
        return sign_ins.account_of(session, token) is not None


def read(data: bytes | None) -> BackMsg | None:
    """The message in a frame, if it is one; pages send no text."""
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except (DecodeError, TypeError):
        return None
    return message


def is_welcome(message: BackMsg) -> bool:
    """Whether a message is one that our pages send."""
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in OPERATIONS
    if kind == "file_urls_request":
        return len(message.file_urls_request.file_names) <= limits.NAMES
    return kind in MESSAGES


class Sockets:
    """Counts by the sign-in, or by the address of who is not signed in: an office may share one address."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self.open: Counter[str] = Counter()
        self.openings = Buckets(limits.OPENINGS)
        self.messages = Buckets(limits.MESSAGES_TOGETHER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        found = visitor.of(scope)
        if not is_from_here(scope):
            return await _refuse(send, found, "another origin")
        is_known = await is_signed_in(found.token)
        payer = found.token if is_known else found.network
        if self.open[payer] >= limits.PAGES or not self.openings.take(payer):
            return await _refuse(send, found, "too many pages")
        with self._counted(payer), offers.page(found.holder(is_known)) as offered:
            await self._let_through(scope, receive, send, payer, offered)

    @contextmanager
    def _counted(self, payer: str) -> Iterator[None]:
        self.open[payer] += 1
        try:
            yield
        finally:
            self.open[payer] -= 1
            if not self.open[payer]:
                del self.open[payer]

    async def _let_through(
        self, scope: Scope, receive: Receive, send: Send, payer: str, offered: dict[str, None]
    ) -> None:
        mine = Buckets(limits.MESSAGES)

        async def listen() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                if not (mine.take("") and self.messages.take(payer)):
                    await _refuse(send, visitor.of(scope), "too many messages")
                    return {"type": "websocket.disconnect", "code": AGAINST_THE_RULES}
                sent = read(message.get("bytes"))
                if sent is None:
                    await _refuse(send, visitor.of(scope), "no message")
                    return {"type": "websocket.disconnect", "code": AGAINST_THE_RULES}
                if is_welcome(sent):
                    return message

        async def speak(message: Message) -> None:
            if message["type"] == "websocket.send":
                offers.note(offered, message.get("bytes") or b"")
            await send(message)

        await self.app(scope, listen, speak)


async def _refuse(send: Send, found: visitor.Visitor, why: str) -> None:
    log.warning("Connection from %s closed: %s", found.network or "nowhere", why)
    await send({"type": "websocket.close", "code": AGAINST_THE_RULES})
