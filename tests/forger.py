"""What somebody without a browser can send: requests and pages' messages made by hand."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.util import calc_hash
from websockets import ConnectionClosed, Subprotocol
from websockets.sync.client import connect

from db import sign_ins
from db.engine import transaction
from tests.make import PASSWORD_HASH

# A browser's cookie, as the server gives it with the first page.
BROWSER = "a-browser-of-its-own"


class Answer:
    """What came back: status, headers by lower-case name and as they were given, body."""

    def __init__(self, response: http.client.HTTPResponse):
        self.status = response.status
        self.given = [(name.lower(), value) for name, value in response.getheaders()]
        self.headers = dict(self.given)
        self.body = response.read()


def ask(
    url: str, path: str, method: str = "GET", body: bytes | None = None, source: str = "", **headers: str
) -> Answer:
    """Send one request, from the address `source`; underscores in the names of headers stand for hyphens."""
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.netloc, timeout=20, source_address=(source, 0))
    try:
        connection.request(method, path, body, {name.replace("_", "-"): headers[name] for name in headers})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def token_for(username: str) -> str:
    """The secret of a fresh sign-in."""
    with transaction() as session:
        return sign_ins.redeem(session, sign_ins.begin(session, username, PASSWORD_HASH, "", "test"))


def cookies(token: str = "", browser: str = BROWSER, prefix: str = "") -> str:
    """The Cookie header of a browser; behind TLS the names begin with `__Host-`."""
    pairs = {"yuejian-browser": browser, "yuejian": token}
    return "; ".join(f"{prefix}{name}={value}" for name, value in pairs.items() if value)


class Page:
    """An open page whose every message is made by hand; `shown` is what its last run drew."""

    def __init__(self, connection: Any):
        self.connection = connection
        self.session_id = ""
        self.shown: list[ForwardMsg] = []
        self.widgets: dict[str, WidgetState] = {}

    def send(self, message: BackMsg) -> None:
        self.connection.send(message.SerializeToString())

    def receive(self, timeout: float = 30) -> ForwardMsg:
        return ForwardMsg.FromString(self.connection.recv(timeout=timeout))

    def run(self, page: str = "", query: str = "", **triggers: Any) -> list[ForwardMsg]:
        """Run a page by its name, with the widgets as `put` left them, until nothing more comes of it."""
        state = ClientState(query_string=query, page_script_hash=calc_hash(page) if page else "")
        state.widget_states.widgets.extend(self.widgets.values())
        state.widget_states.widgets.extend(WidgetState(id=id, trigger_value=True) for id in triggers.values())
        self.send(BackMsg(rerun_script=state))
        self.shown = list(self._until_finished())
        return self.shown

    def _until_finished(self) -> Iterator[ForwardMsg]:
        while True:
            message = self.receive()
            if message.HasField("new_session"):
                self.session_id = message.new_session.initialize.session_id
            yield message
            # A run that ended in a rerun is followed by another.
            if message.WhichOneof("type") == "script_finished" and message.script_finished == 0:
                return

    def put(self, id: str, **value: Any) -> None:
        """Give a widget a value by its field of the message, such as `string_value`."""
        self.widgets[id] = WidgetState(id=id, **value)

    def elements(self) -> Iterator[Any]:
        """All that is drawn, element by element."""
        for message in self.shown:
            if message.HasField("delta") and message.delta.HasField("new_element"):
                element = message.delta.new_element
                if kind := element.WhichOneof("type"):
                    yield getattr(element, kind)

    def id_of(self, label: str) -> str:
        """The id of the widget with this label."""
        return next(one.id for one in self.elements() if getattr(one, "label", None) == label)

    def headings(self) -> list[str]:
        """The headings on the screen."""
        return [one.body for one in self.elements() if type(one).__name__ == "Heading"]

    def places(self, *names: str) -> list[str]:
        """The addresses to send files of these names to."""
        wanted = BackMsg()
        wanted.file_urls_request.request_id = "1"
        wanted.file_urls_request.session_id = self.session_id
        wanted.file_urls_request.file_names.extend(names)
        self.send(wanted)
        while True:
            message = self.receive()
            if message.WhichOneof("type") == "file_urls_response":
                return [one.upload_url for one in message.file_urls_response.file_urls]

    def close_code(self, timeout: float = 20) -> int:
        """Read until the server closes the page; the code it gives."""
        try:
            while True:
                self.connection.recv(timeout=timeout)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0


@contextmanager
def page(
    url: str, token: str = "", resumed: str = "", browser: str = BROWSER, source: str = "", **headers: str
) -> Iterator[Page]:
    """Open a page, or take one up by its number; `Origin=""` leaves the origin out."""
    protocols = ["streamlit", "none", resumed] if resumed else ["streamlit"]
    wanted = {"Origin": url, "Cookie": cookies(token, browser), **headers}
    with connect(
        url.replace("http", "ws") + "/_stcore/stream",
        subprotocols=[Subprotocol(name) for name in protocols],
        additional_headers={name.replace("_", "-"): value for name, value in wanted.items() if value},
        max_size=None,
        proxy=None,
        source_address=(source, 0),
    ) as connection:
        yield Page(connection)


def upload(url: str, path: str, content: bytes, cookie: str, name: str = "a.pdf", **headers: str) -> Answer:
    """Send a file to an address as Streamlit's uploader does."""
    given = ask(url, "/_stcore/health", Cookie=cookie).headers["set-cookie"].split(";")[0]
    body = (
        f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    ).encode()
    body += content + b"\r\n--cut--\r\n"
    wanted = {
        "Cookie": f"{cookie}; {given}",
        "Origin": url,
        "Content_Type": "multipart/form-data; boundary=cut",
        "X_Xsrftoken": given.split("=", 1)[1],
        **headers,
    }
    return ask(url, path, "PUT", body, **{name: value for name, value in wanted.items() if value})


def editor(edited: dict[int, dict[str, Any]], **more: Any) -> str:
    """The state of a data editor as its browser would send it."""
    rows = {str(position): changes for position, changes in edited.items()}
    return json.dumps({"edited_rows": rows, "added_rows": [], "deleted_rows": [], **more})
