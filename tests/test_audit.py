"""The audit log: entries that name who did what, each chained to the one before."""

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from db import audit, clock
from db.models import AuditEntry, Role
from tests import make


def test_an_entry_says_who_did_what_and_when(session):
    clerk = make.make_account(session, Role.supervisor)
    entry = audit.record(
        session, "导出台账", by=clerk, subject="强检器具", after={"rows": 3}, address="10.0.0.7"
    )
    assert (entry.account_id, entry.role, entry.at) == (clerk.id, Role.supervisor, clock.now())
    assert (entry.after, entry.address) == ({"rows": 3}, "10.0.0.7")


def test_each_entry_is_chained_to_the_one_before(session):
    clerk = make.make_account(session)
    first, second = (audit.record(session, action, by=clerk) for action in ("导入", "导出"))
    assert (first.previous_digest, second.previous_digest) == ("", first.digest)
    assert second.digest != first.digest


def test_a_digest_holds_everything_an_entry_says(session):
    entry = audit.record(session, "导入", by=make.make_account(session), note="12 行")
    session.commit()
    session.expire_all()
    kept = session.exec(select(AuditEntry).where(AuditEntry.id == entry.id)).one()
    assert audit.digest(kept) == kept.digest
    kept.note = "13 行"
    assert audit.digest(kept) != kept.digest


def test_two_entries_cannot_be_the_same(session):
    entry = audit.record(session, "导入", by=None)
    session.add(AuditEntry(**entry.model_dump(exclude={"id"})))
    with pytest.raises(IntegrityError):
        session.flush()
