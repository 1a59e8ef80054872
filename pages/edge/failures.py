"""What a visitor sees when a run fails: a refusal in its own words, a defect by its number."""

import logging
import secrets

import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.errors import Refused
from pages.edge import requests
from pages.parts import account, look

FAILED = "系统出现错误，本次操作没有完成。请稍后重试；如仍出现，请把错误编号 {number} 告知管理员"

log = logging.getLogger("yuejian")


def show(problem: Exception) -> bool:
    """Draw it; True tells Streamlit that nothing is left to show. Fragments and callbacks end here too."""
    if isinstance(problem, Refused):
        account.note(problem)
        look.refusal(problem)
        return True
    # The page's connection, then two letters because a page may fail twice.
    number = f"{requests.number() or secrets.token_hex(4).upper()}-{secrets.token_hex(1).upper()}"
    log.error("错误编号 %s", number, exc_info=problem)
    st.error(FAILED.format(number=number), icon=":material/error:")
    return True


class Failures:
    """Answers a request that failed with a sentence, unless an answer was under way."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def tell(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, tell)
        except Exception:
            if scope["type"] != "http" or has_begun:
                raise
            number = requests.number()
            log.exception("错误编号 %s", number)
            said = PlainTextResponse(FAILED.format(number=number), 500, {"Cache-Control": "no-store"})
            await said(scope, receive, send)


def is_news(record: logging.LogRecord) -> bool:
    """False for Streamlit's own note of the same failure, which has no number."""
    return record.msg != "Uncaught app execution"
