"""Our own few files (scripts that the policy allows, the icon), and how a browser is given any file."""

from pathlib import Path
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "assets"


class Assets(StaticFiles):
    """Files that a browser asks for again each time, and gets only when they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def disposition(name: str, plain: str = "", way: str = "attachment") -> dict[str, str]:
    """The header that names a file, shown (`inline`) or saved; `plain` is for who cannot read its name.

    RFC 6266, with the name as RFC 5987 writes what is not ASCII.
    """
    simple = f'; filename="{plain}"' if plain else ""
    return {"Content-Disposition": f"{way}{simple}; filename*=UTF-8''{quote(name, safe='')}"}


ROUTES = [Mount("/assets", Assets(directory=FOLDER))]
