"""Files of records: kept whole, found again, never under the name the client sent."""

import hashlib

import pytest

from db import attachments
from db.errors import Refused
from tests import make


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of this test's own."""
    monkeypatch.setenv("YUEJIAN_FILES", str(tmp_path / "files"))
    return tmp_path / "files"


def keep(session, name="台账.xlsx", content=b"PK"):
    """One file of a clerk."""
    return attachments.add(session, name, content, "application/zip", by=make.make_account(session))


def test_a_file_is_found_again_byte_for_byte(session):
    row = keep(session, content=b"\x00\xff" * 1000)
    assert attachments.path(row).read_bytes() == b"\x00\xff" * 1000
    assert (row.size, row.digest) == (2000, hashlib.sha256(b"\x00\xff" * 1000).hexdigest())


def test_the_same_bytes_lie_on_the_disk_once(session, folder):
    assert attachments.path(keep(session, "一.xlsx")) == attachments.path(keep(session, "二.xlsx"))
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("name", ["../../etc/cron.d/台账.xlsx", "C:\\表\\台账.xlsx", "/台账.xlsx"])
def test_a_path_in_the_name_leads_nowhere(session, folder, name):
    row = keep(session, name)
    assert row.name == "台账.xlsx"
    assert folder in attachments.path(row).parents


def test_a_name_does_not_look_like_another(session):
    assert keep(session, "台账\u202exslx\r\n.\ud800exe").name == "台账xslx .exe"


def test_an_empty_file_and_one_too_large_are_refused(session, monkeypatch):
    with pytest.raises(Refused, match="空的"):
        keep(session, content=b"")
    monkeypatch.setattr(attachments, "MOST_BYTES", 1 << 20)
    with pytest.raises(Refused, match="不能超过 1 MB"):
        keep(session, content=b"x" * ((1 << 20) + 1))


def test_a_file_that_is_gone_is_said_to_be_gone(session):
    row = keep(session)
    attachments.path(row).unlink()
    with pytest.raises(Refused, match="从备份恢复"):
        attachments.path(row)


def test_files_lie_beside_the_database_unless_told_otherwise(sqlite, monkeypatch):
    monkeypatch.delenv("YUEJIAN_FILES")
    assert str(attachments.folder()) == sqlite.removeprefix("sqlite:///").replace("test.db", "attachments")
