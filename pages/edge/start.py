"""What surrounds a start of the server: settings that must hold, sockets, the log."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from streamlit import config

from db import deliveries, edition_application, gateway, schema, tidying
from db.engine import engine
from pages.edge import failures, provider, requests, visitor

# With any other value a visitor would see or send what the rules of this product forbid.
REQUIRED: dict[str, Any] = {
    "client.showErrorDetails": "none",
    "client.allowedOrigins": [],
    "client.disableDataExport": True,
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.maxWidgetStateSize": 2,
    "server.trustedUserHeaders": {visitor.HEADER: "visitor"},
    "browser.gatherUsageStats": False,
}


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Before the first visitor."""
    number_log_lines()
    refuse_unsafe_settings()
    provider.refuse_half_a_provider()
    refuse_an_old_database()
    answer_at_once()
    logging.getLogger("streamlit.error_util").addFilter(failures.is_news)
    edition_application.apply_due()
    with (
        delivering(),
        beside("editions", edition_application.keep_applied),
        beside("tidying", tidying.keep_tidy),
    ):
        yield


@contextmanager
def beside(name: str, work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do `work` in a thread of its own, until the server ends."""
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(stop,), name=name, daemon=True)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(3)


@contextmanager
def delivering() -> Iterator[None]:
    """Deliver messages from a thread beside the pages, if a gateway is configured."""
    if not gateway.channels():
        yield
        return
    # A gateway that keeps silent must not hold up the end: what it has in hand is due again later.
    with beside("deliveries", deliveries.run):
        yield


def number_log_lines() -> None:
    """Write the log with the number of the request that each line is about."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(request)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(requests.add)


def refuse_unsafe_settings() -> None:
    """Raise RuntimeError when a setting of Streamlit is not what security needs."""
    wrong = [name for name, value in REQUIRED.items() if config.get_option(name) != value]
    if wrong:
        needed = ", ".join(f"{name} = {REQUIRED[name]}" for name in wrong)
        raise RuntimeError(f"Unsafe settings, refusing to start. Needed in .streamlit/config.toml: {needed}")


def refuse_an_old_database() -> None:
    """Raise RuntimeError unless the tables are those this code expects."""
    with engine().connect() as connection:
        found = schema.revision(connection)
    if found != schema.head():
        raise RuntimeError(
            f"The database stands at {found}, this code needs {schema.head()}: run python -m db upgrade"
        )


def answer_at_once() -> None:
    """Switch Nagle's algorithm off for every connection accepted from now on.

    asyncio does so itself, but only for sockets made with IPPROTO_TCP. Streamlit makes its own with the
    default protocol 0, and then a small answer may wait 40 ms for the browser's delayed acknowledgment.
    """
    asyncio.base_events._set_nodelay = _set_nodelay  # type: ignore[attr-defined]


def _set_nodelay(sock: socket.socket) -> None:
    if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.type == socket.SOCK_STREAM:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
