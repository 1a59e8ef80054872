"""Between the network and the pages: routes, middleware and what surrounds a start, all plain ASGI."""

from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager

from pages.edge import downloads, exports, failures, files, health, session, start, templates
from pages.edge.document import ChineseDocument
from pages.edge.failures import Failures
from pages.edge.gate import Gate
from pages.edge.headers import SecurityHeaders
from pages.edge.provider import Provider
from pages.edge.requests import Requests
from pages.edge.sockets import Sockets
from pages.edge.visitor import Visitors

PARTS = (session, health, files, templates, downloads, exports)


def build() -> dict[str, Any]:
    """The arguments of `st.App`."""
    # Until a first visitor's run calls st.navigation, Streamlit would offer files under pages/ unasked.
    PagesManager.uses_pages_directory = False
    # Streamlit itself looks at the name only when a page connects.
    hosts = config.get_option("server.allowedHosts")
    return {
        "routes": [route for part in PARTS for route in part.ROUTES],
        # From the outside to the inside.
        "middleware": [
            Middleware(Requests),
            Middleware(SecurityHeaders),
            Middleware(Failures),
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts or ["*"], www_redirect=False),
            Middleware(Visitors),
            Middleware(Gate),
            Middleware(Provider),
            Middleware(Sockets),
            Middleware(ChineseDocument),
        ],
        "lifespan": start.lifespan,
        "on_script_error": failures.show,
    }
