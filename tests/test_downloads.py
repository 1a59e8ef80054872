"""Files of records through the route: to whoever may see the record, the same 404 to everybody else."""

from urllib.parse import quote

import pytest
from sqlmodel import select
from starlette.requests import Request

from db import attachments, corrections, previews, sign_ins
from db.engine import reading, transaction
from db.models import Account, AuditEntry, Correction, Role
from pages.edge import downloads
from pages.edge.visitor import COOKIE
from tests import make
from tests.test_corrections import OLD, PNG, ask


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of this test's own."""
    monkeypatch.setenv("YUEJIAN_FILES", str(tmp_path / "files"))
    return tmp_path / "files"


@pytest.fixture
def owner(sqlite) -> Account:
    """The account of the boiler works."""
    with transaction() as session:
        return make.make_account(session)


def requested(owner, **proof) -> int:
    """The number of the proof of a fresh request."""
    with transaction() as session:
        gauge = make.make_instrument(session, owner, valid_until=OLD)
        return ask(session, gauge, owner, **proof).attachment_id


def new_account(role, **values) -> Account:
    with transaction() as session:
        return make.make_account(session, role, **values)


def signed_in(account) -> str:
    """The secret of a browser of that account."""
    with transaction() as session:
        return sign_ins.redeem(
            session, sign_ins.begin(session, account.username, account.password_hash, "", "test")
        )


def get(number, token=""):
    """What the route answers to a browser with that cookie."""
    headers = [(b"cookie", f"{COOKIE}={token}".encode())] if token else []
    scope = {"type": "http", "method": "GET", "headers": headers, "path_params": {"id": number}}
    return downloads.attachment(Request(scope))


def fetch(account, number):
    """What the route answers to the browser of `account`, None for a visitor."""
    return get(number, signed_in(account) if account else "")


def test_the_owner_and_the_supervisor_get_the_bytes_and_the_log_says_so(owner):
    number = requested(owner)
    supervisor = new_account(Role.supervisor)
    for account in (owner, supervisor):
        answer = fetch(account, number)
        assert (answer.status_code, answer.body) == (200, PNG)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "no-store"
    with reading() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "下载附件")).all()
    assert [(one.account_id, one.subject_id) for one in entries] == [
        (owner.id, number),
        (supervisor.id, number),
    ]


def test_the_name_goes_along_as_rfc_5987_writes_it_and_breaks_no_header(owner):
    name = '证书"; x=\r\n.png'
    given = fetch(owner, requested(owner, file_name=name)).headers["content-disposition"]
    # Line breaks have become a space when the file was kept.
    kept = quote('证书"; x= .png', safe="")
    assert given == f"inline; filename*=UTF-8''{kept}"


def test_a_picture_runs_nothing_and_a_pdf_is_a_pdf(owner):
    picture = fetch(owner, requested(owner, file_name="证书.html"))
    assert "sandbox" in picture.headers["content-security-policy"]
    paper = fetch(owner, requested(owner, content=b"%PDF-1.7 <script>alert(1)</script>"))
    assert paper.headers["content-type"] == "application/pdf"


def test_what_is_neither_is_saved_and_not_shown(owner):
    number = requested(owner)
    with transaction() as session:
        kept = attachments.readable(session, number, by=owner)
        kept.media_type = "image/svg+xml"
        session.add(kept)
    assert fetch(owner, number).headers["content-disposition"].startswith("attachment;")


def test_everybody_else_gets_the_same_404(owner, folder):
    number = requested(owner)
    strangers = [new_account(role) for role in (Role.enterprise, Role.personal, Role.institution)]
    strangers += [new_account(role) for role in (Role.reviewer, Role.administrator)]
    strangers += [new_account(Role.supervisor, division_code="330108"), None]
    first_day = new_account(Role.supervisor, must_change_password=True)
    with transaction() as session:
        lonely = attachments.add(session, "证书.png", PNG + b"1", "image/png", by=owner).id
    answers = [fetch(one, number) for one in [*strangers, first_day]]
    answers += [fetch(owner, wrong) for wrong in (lonely, 0, 999, 1 << 31, 10**30)]
    seen = {(one.status_code, one.body, tuple(sorted(one.headers.items()))) for one in answers}
    assert len(seen) == 1 and answers[0].status_code == 404
    with reading() as session:
        assert not session.exec(select(AuditEntry).where(AuditEntry.action == "下载附件")).all()


def test_a_file_missing_from_the_disk_is_told_to_whom_it_belongs(owner, folder):
    number = requested(owner)
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    answer = fetch(owner, number)
    assert answer.status_code == 403 and "从备份恢复" in answer.body.decode()
    assert fetch(new_account(Role.enterprise), number).status_code == 404


def test_after_signing_out_the_file_is_out_of_reach(owner):
    number, token = requested(owner), signed_in(owner)
    assert get(number, token).status_code == 200
    with transaction() as session:
        sign_ins.end(session, token)
    assert get(number, token).status_code == 404


def test_the_side_of_the_applicant_keeps_the_file_after_the_decision(owner):
    number = requested(owner)
    supervisor = new_account(Role.supervisor)
    with transaction() as session:
        asked = session.exec(select(Correction)).one()
        corrections.decline(session, asked.id, by=supervisor, reason="照片看不清")
    assert fetch(owner, number).status_code == 200


def test_a_preview_of_the_owner_gives_out_no_file_and_no_personal_data(owner):
    administrator = new_account(Role.administrator)
    number, token = requested(owner), signed_in(administrator)
    with transaction() as session:
        previews.begin(session, token, owner.id, by=administrator)
    scope = {"type": "http", "method": "GET", "headers": [(b"cookie", f"{COOKIE}={token}".encode())]}
    for answer in (get(number, token), downloads.mine(Request(scope))):
        assert (answer.status_code, answer.body.decode()) == (403, previews.REFUSED)
    with transaction() as session:
        previews.end(session, token)
    assert (get(number, token).status_code, downloads.mine(Request(scope)).status_code) == (404, 200)
