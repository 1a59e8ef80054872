"""Between the network and the pages: routes, middleware and what surrounds a start, all plain ASGI."""

from typing import Any

from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from pages.edge import downloads, exports, failures, files, health, session, start, templates
from pages.edge.document import ChineseDocument
from pages.edge.headers import SecurityHeaders

PARTS = (session, health, files, templates, downloads, exports)


def build() -> dict[str, Any]:
    """The arguments of `st.App`."""
    # Until a first visitor's run calls st.navigation, Streamlit would offer files under pages/ unasked.
    PagesManager.uses_pages_directory = False
    return {
        "routes": [route for part in PARTS for route in part.ROUTES],
        "middleware": [Middleware(SecurityHeaders), Middleware(ChineseDocument)],
        "lifespan": start.lifespan,
        "on_script_error": failures.show,
    }
