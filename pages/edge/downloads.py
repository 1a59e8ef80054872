"""Files of records: given out by a route, to whoever may see the record, and noted in the audit log."""

import json

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from db import attachments, audit, clock, duties, personal_data, previews, sign_ins
from db.engine import Session, note_refusal, reading, transaction
from db.errors import NotFound, Refused
from db.models import Account, Attachment
from pages.edge.files import disposition
from pages.edge.visitor import COOKIE

# Shown by the browser itself; anything else is only saved.
SHOWN = ("image/jpeg", "image/png", "application/pdf")
# Nothing in a picture may run or load anything. Viewers of PDFs are boxes of their own; not all start in one.
BOX = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; sandbox"


def attachment(request: Request) -> Response:
    """The file of that number; the same 404 without a sign-in, without the right, and without the record."""
    try:
        # Looked for first without a turn to write, which a stranger could otherwise take from everybody.
        with reading() as session:
            _found(session, request)
        with transaction() as session:
            found = _found(session, request)
            path = attachments.path(found)
            audit.record(session, "下载附件", subject="attachment", subject_id=found.id, note=found.name)
    except Refused as refusal:
        note_refusal(session, refusal)
        return _missing() if isinstance(refusal, NotFound) else _refused(str(refusal))
    return Response(path.read_bytes(), 200, _headers(found.name, found.media_type), found.media_type)


def mine(request: Request) -> Response:
    """One's own personal data as one JSON file, also with a password that must be changed."""
    try:
        # As above: a stranger gets no turn to write.
        with reading() as session:
            _asker(session, request, "个人中心")
        with transaction() as session:
            account = _asker(session, request, "个人中心")
            content = personal_data.of(session, by=account)
    except Refused as refusal:
        note_refusal(session, refusal)
        return _refused("请先登录约检台" if isinstance(refusal, NotFound) else str(refusal))
    name = f"我的个人信息 {clock.today()}.json"
    headers = {"Cache-Control": "no-store", **disposition(name, "personal-data.json")}
    return Response(json.dumps(content, ensure_ascii=False, indent=2), 200, headers, "application/json")


def _found(session: Session, request: Request) -> Attachment:
    account = _asker(session, request, "附件")
    number = request.path_params["id"]
    if duties.obstacle(session, account) or number >= 1 << 31:
        raise NotFound("附件")
    return attachments.readable(session, number, by=account)


def _asker(session: Session, request: Request, place: str) -> Account:
    token = request.cookies.get(COOKIE, "")
    account = sign_ins.account_of(session, token)
    if account is None:
        raise NotFound("附件")
    host = request.client.host if request.client else ""
    audit.attribute(session, by=account, address=host, place=place)
    # Otherwise the page of another account would give out what the administrator may see.
    previews.refuse(session, token)
    return account


def _headers(name: str, media_type: str) -> dict[str, str]:
    way = "inline" if media_type in SHOWN else "attachment"
    headers = {"Cache-Control": "no-store", **disposition(name, way=way)}
    return headers if media_type == "application/pdf" else headers | {"Content-Security-Policy": BOX}


def _missing() -> Response:
    return PlainTextResponse("附件不存在，或不在您的权限范围内", 404, {"Cache-Control": "no-store"})


def _refused(sentence: str) -> Response:
    return PlainTextResponse(sentence, 403, {"Cache-Control": "no-store"})


ROUTES = [
    Route("/attachments/{id:int}", attachment, methods=["GET"]),
    Route("/personal-data.json", mine, methods=["GET"]),
]
