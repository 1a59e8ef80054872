"""A number for each request: in the answer, in every line of the log, in the number of an error."""

import logging
import secrets
from contextvars import ContextVar

import streamlit as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.scriptrunner import get_script_run_ctx

HEADER = "X-Request-Id"
KEY = HEADER.lower().encode()

_number: ContextVar[str] = ContextVar("request", default="")


def number() -> str:
    """Of the request under way; of the page's connection while its script runs; empty outside of both."""
    if found := _number.get():
        return found
    # A run has a thread of its own, which knows nothing of the connection but its headers.
    if get_script_run_ctx(suppress_warning=True) is None:
        return ""
    header = st.context.headers.get(HEADER)
    return header if isinstance(header, str) else ""


def add(record: logging.LogRecord) -> bool:
    """A filter of the log that refuses nothing and adds the number."""
    record.request = number() or "-"
    return True


class Requests:
    """Gives each request its number; one that comes with it is ignored, since anyone can write it."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        mine = secrets.token_hex(4).upper()
        headers = [pair for pair in scope["headers"] if pair[0] != KEY] + [(KEY, mine.encode())]

        async def tell(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message = {**message, "headers": [*message.get("headers", []), (KEY, mine.encode())]}
            await send(message)

        before = _number.set(mine)
        try:
            await self.app({**scope, "headers": headers}, receive, tell)
        finally:
            _number.reset(before)
