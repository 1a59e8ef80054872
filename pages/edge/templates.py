"""《强制检定器具信息导入模板》 and the two lists that go with it, for anyone to download."""

from collections.abc import Callable
from functools import lru_cache
from threading import Lock

from openpyxl import Workbook
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from catalog.columns import VERSION
from catalog.list_books import DIVISION_SHEET, KIND_SHEET, content, division_book, kind_book
from catalog.lists import Lists
from catalog.spreadsheets import XLSX
from catalog.workbook import TITLE, template
from db import reference
from db.engine import reading
from db.models import Dataset
from pages.edge.files import disposition

BOOKS: dict[str, tuple[str, Callable[[Lists], Workbook]]] = {
    "template.xlsx": (TITLE, template),
    "kinds.xlsx": (KIND_SHEET, kind_book),
    "divisions.xlsx": (DIVISION_SHEET, division_book),
}
BUILDING = Lock()


def download(request: Request) -> Response:
    """One of the three workbooks, with what the database has in force."""
    name = request.path_params["name"]
    if name not in BOOKS:
        return PlainTextResponse("没有这个文件，请从约检台的页面下载", 404)
    with reading() as session:
        editions = tuple(reference.edition(session, dataset).id for dataset in Dataset)
    etag = f'"{"-".join(map(str, (VERSION, *editions)))}"'
    # The browser asks each time, because a new edition may be in force.
    headers = {"Cache-Control": "no-cache", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    headers |= disposition(f"{BOOKS[name][0]}.xlsx", name)
    return Response(_built(name, editions), media_type=XLSX, headers=headers)


def _built(name: str, editions: tuple[int, ...]) -> bytes:
    """The workbook's bytes, made once for each edition; who asks meanwhile waits for the same."""
    with BUILDING:
        return _build(name, editions)


@lru_cache(maxsize=2 * len(BOOKS))
def _build(name: str, editions: tuple[int, ...]) -> bytes:
    with reading() as session:
        return content(BOOKS[name][1](reference.lists(session)))


ROUTES = [Route("/template/{name}", download, methods=["GET"])]
