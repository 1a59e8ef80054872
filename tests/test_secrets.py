"""Secrets stay out of the repository, of the log and of what a visitor sees when something fails."""

import logging
import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from db.engine import transaction
from db.models import Account, Role
from tests.make import PASSWORD_HASH, make_account

ROOT = Path(__file__).parent.parent
# Keys and tokens by how they begin; what a password variable is set to.
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|xox[abp]-[A-Za-z0-9-]{10,}|(?i:secret|passw(?:or)?d|api_?key)\s*=\s*['\"][A-Za-z0-9+/]{24,}['\"]"
)


def kept():
    """The files that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        "AKIA" + "ABCDEFGHIJ234567",
        "ghp" + "_" + "a" * 36,
        'PASSWORD = "' + "q9" * 14 + '"',
    ],
)
def test_a_secret_in_a_file_would_be_seen(text):
    assert SECRETS.search(text)


def test_the_repository_holds_no_secret_and_no_database():
    names = [path for path in kept() if path.suffix in (".db", ".sqlite", ".pem", ".key", ".env")]
    assert names == []
    texts = ((path, path.read_text(encoding="utf-8", errors="replace")) for path in kept() if path.is_file())
    assert [str(path) for path, text in texts if SECRETS.search(text)] == []


def test_a_failing_statement_tells_no_values(database, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(IntegrityError) as failure, transaction() as session:
        make_account(session, Role.reviewer, username="same", mobile="13812345678")
        session.add(
            Account(
                username="same",
                password_hash=PASSWORD_HASH,
                role=Role.reviewer,
                full_name="沈越",
                mobile="13812345678",
            )
        )
        session.flush()
    told = str(failure.value) + caplog.text
    assert PASSWORD_HASH not in told and "13812345678" not in told
