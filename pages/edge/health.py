"""Whether the server and its database answer, for a proxy or a monitor to ask."""

import logging
import time

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from db import accounts
from db.engine import reading

log = logging.getLogger("yuejian")


def health(_request: Request) -> JSONResponse:
    """200 with the milliseconds the database took for a small question, or 503."""
    start = time.perf_counter()
    try:
        with reading() as session:
            accounts.is_empty(session)
    except Exception:
        log.exception("The database does not answer")
        return _answer(503, {"status": "error", "database": "error"})
    took = round(1000 * (time.perf_counter() - start), 1)
    return _answer(200, {"status": "ok", "database": "ok", "database_ms": took})


def _answer(status: int, content: dict[str, object]) -> JSONResponse:
    return JSONResponse(content, status, {"Cache-Control": "no-store"})


ROUTES = [Route("/health", health, methods=["GET"])]
