"""Exports through the route: the rows of the filters to whoever sees them, a sentence to everybody else."""

import asyncio
import csv
import io
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlencode

import pytest
from sqlmodel import select
from starlette.requests import Request

from db import previews, sign_ins
from db.engine import reading, transaction
from db.models import Account, AuditEntry, Role
from pages.edge import exports
from pages.edge.visitor import COOKIE
from pages.parts import export
from tests import make


@pytest.fixture(autouse=True)
def turns(monkeypatch, tmp_path):
    """Turns, and a folder for temporary files, of this test's own."""
    monkeypatch.setattr(exports, "_turns", asyncio.Semaphore(exports.AT_ONCE))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()


@pytest.fixture
def owner(sqlite) -> Account:
    """The account of the boiler works, with a pressure gauge and an electricity meter."""
    with transaction() as session:
        owner = make.make_account(session)
        make.make_instrument(session, owner, name="压力表")
        make.make_instrument(session, owner, name="电能表")
        return owner


def new_account(role, **values) -> Account:
    with transaction() as session:
        return make.make_account(session, role, **values)


def signed_in(account) -> str:
    """The secret of a browser of that account."""
    with transaction() as session:
        return sign_ins.redeem(
            session, sign_ins.begin(session, account.username, account.password_hash, "", "test")
        )


class Answer:
    """What came over the wire: status, headers, body."""

    def __init__(self):
        self.status, self.headers, self.body = 0, {}, b""

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        self.body += message.get("body", b"")

    @property
    def text(self):
        return self.body.decode("utf-8-sig")


async def asked(token, ending="csv", which="ledger", gone=False, **query) -> Answer:
    """What the route answers to a browser with that cookie, which may leave meanwhile."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/exports/{which}.{ending}",
        "headers": [(b"cookie", f"{COOKIE}={token}".encode())] if token else [],
        "query_string": urlencode(query).encode(),
        "path_params": {"kind": which, "ending": ending},
    }

    async def receive():
        if not gone:
            await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    answer = Answer()
    response = await exports.given(Request(scope, receive))
    await response(scope, receive, answer.send)
    return answer


def get(account, **options) -> Answer:
    """The answer to the browser of `account`, None for a visitor."""
    return asyncio.run(asked(signed_in(account) if account else "", **options))


def names(answer):
    """The first column of the template in a csv."""
    return [row["器具名称"] for row in csv.DictReader(io.StringIO(answer.text))]


def left_over():
    """What lies in the folder for temporary files."""
    return list(Path(tempfile.gettempdir()).iterdir())


def test_the_owner_gets_the_rows_of_the_filters_and_nothing_stays_behind(owner):
    assert names(get(owner)) == ["电能表", "压力表"]
    answer = get(owner, text="压力", enterprise=owner.enterprise_id)
    assert (answer.status, names(answer)) == (200, ["压力表"])
    assert answer.headers["cache-control"] == "no-store"
    assert left_over() == []
    with reading() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "导出台账")).all()
    assert [(one.account_id, one.after["rows"]) for one in entries] == [(owner.id, 2), (owner.id, 1)]


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_the_file_is_saved_under_a_chinese_name_with_the_day(owner, ending):
    answer = get(owner, ending=ending)
    way, plain, name = answer.headers["content-disposition"].split("; ")
    assert (way, plain) == ("attachment", f'filename="ledger.{ending}"')
    assert unquote(name.removeprefix("filename*=UTF-8''")) == f"强检器具台账 2026-11-23.{ending}"
    assert answer.headers["content-type"] == exports.TYPES[ending]
    assert answer.body.startswith({"xlsx": b"PK", "csv": b"\xef\xbb\xbf"}[ending])


def test_the_link_of_the_page_leads_to_the_same_rows(owner):
    filters = exports.ledger_filters.read({"text": "压力 ", "status": "in_use"})
    address = export.address("csv", filters)
    assert address == "/exports/ledger.csv?text=%E5%8E%8B%E5%8A%9B+&status=in_use"
    assert export.address("xlsx", exports.exports.Filters()) == "/exports/ledger.xlsx"


def test_without_a_sign_in_there_is_a_sentence_and_no_file(owner):
    for answer in (get(None), asyncio.run(asked("forged"))):
        assert (answer.status, answer.text) == (403, exports.NOBODY)
        assert answer.headers["cache-control"] == "no-store"


def test_who_must_first_change_the_password_gets_nothing(owner):
    with transaction() as session:
        session.get_one(Account, owner.id).must_change_password = True
    assert get(owner).status == 403


@pytest.mark.parametrize("which", ["ledger", "audit"])
def test_a_preview_gives_out_no_file_and_the_audit_log_says_who_asked(owner, which):
    administrator = new_account(Role.administrator)
    token = signed_in(administrator)
    with transaction() as session:
        previews.begin(session, token, owner.id, by=administrator)
    answer = asyncio.run(asked(token, which=which))
    assert (answer.status, answer.text) == (403, previews.REFUSED)
    assert left_over() == []
    with reading() as session:
        refusals = session.exec(select(AuditEntry).where(AuditEntry.note == previews.REFUSED)).all()
    assert [one.account_id for one in refusals] == [administrator.id]


@pytest.mark.parametrize("role", [Role.institution, Role.administrator])
def test_a_role_without_a_ledger_is_refused(sqlite, role):
    answer = get(new_account(role))
    assert answer.status == 403 and "不能执行此操作" in answer.text


def test_a_stranger_s_ledger_does_not_exist(owner):
    stranger = new_account(Role.enterprise)
    answer = get(stranger, enterprise=owner.enterprise_id)
    assert answer.status == 404 and "不在您的权限范围内" in answer.text
    assert names(get(stranger)) == []
    assert names(get(new_account(Role.supervisor, division_code="110000"))) == []


@pytest.mark.parametrize(
    "query",
    [{"status": "forged"}, {"division": "330106' OR 1"}, {"by": "root"}, {"kind": "c"}, {"due": "31"}],
)
def test_forged_filters_get_one_sentence(owner, query):
    answer = get(owner, **query)
    assert (answer.status, answer.text) == (400, exports.ledger_filters.WRONG)


def test_another_format_does_not_exist(owner):
    assert get(owner, ending="pdf").status == 404


def test_a_failure_has_a_number_and_leaves_nothing(owner, monkeypatch, caplog):
    command = ["python3", "-c", "import sys; sys.exit('geheim')"]
    monkeypatch.setattr(exports, "_command", lambda order, path: command)
    answer = get(owner)
    assert answer.status == 500 and "geheim" not in answer.text
    number = answer.text.partition("错误编号 ")[2][:6]
    assert number in caplog.text and "geheim" in caplog.text
    assert (left_over(), exports._under_way) == ([], set())


def test_an_export_that_takes_too_long_is_ended(owner, monkeypatch):
    sleep = ["python3", "-c", "import time; time.sleep(600)"]
    monkeypatch.setattr(exports, "_command", lambda order, path: sleep)
    monkeypatch.setattr(exports, "PATIENCE", 0.2)
    monkeypatch.setattr(exports, "GLANCE", 0.05)
    assert get(owner).status == 500
    assert left_over() == []


def test_an_export_nobody_waits_for_is_ended(owner, monkeypatch):
    sleep = ["python3", "-c", "import time; time.sleep(600)"]
    monkeypatch.setattr(exports, "_command", lambda order, path: sleep)
    monkeypatch.setattr(exports, "GLANCE", 0.05)
    assert get(owner, gone=True).status == 500
    assert (left_over(), exports._under_way) == ([], set())


def test_a_second_export_of_one_account_is_asked_to_wait(owner, monkeypatch):
    async def both():
        return await asyncio.gather(asked(signed_in(owner)), asked(signed_in(owner)))

    first, second = sorted(asyncio.run(both()), key=lambda answer: answer.status)
    assert (first.status, second.status, second.text) == (200, 429, exports.BUSY)


def test_two_are_made_at_once_and_the_others_wait(owner, monkeypatch):
    running, most = 0, 0

    async def make_slowly(request, order, path):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        path.write_text("器具名称\n")
        running -= 1

    async def many():
        tokens = [signed_in(account) for account in owners]
        return await asyncio.gather(*(asked(token) for token in tokens))

    with transaction() as session:
        owners = [make.make_account(session) for _ in range(5)]
    monkeypatch.setattr(exports, "_make", make_slowly)
    assert [answer.status for answer in asyncio.run(many())] == [200] * 5
    assert most == exports.AT_ONCE
