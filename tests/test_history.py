"""The history of one record, and going back to what the ledger held before a change."""

from datetime import date

import pytest

from db import (
    appointments,
    batches,
    bulk_edits,
    history,
    instruments,
    ledger,
    passwords,
    registrations,
    reviews,
)
from db.engine import reading, transaction
from db.errors import Conflict, NotFound, Refused
from db.models import Account, Purpose, Role, Subject
from tests import make
from tests.test_registrations import KEY, TYPED


@pytest.fixture
def owner(session):
    """An enterprise."""
    return make.make_account(session)


def changed(session, owner, **typed):
    """A gauge after one edit."""
    gauge = make.make_instrument(session, owner)
    return instruments.edit(session, gauge.id, gauge.version, typed, by=owner)


def newest(session, gauge, owner):
    """The latest change of the gauge."""
    return history.of_instrument(session, gauge.id, by=owner)[0]


def test_a_change_says_what_when_and_who(session, owner):
    gauge = changed(session, owner, location="水泵房")
    last, first = history.of_instrument(session, gauge.id, by=owner)
    assert (last.action, last.by_name, last.changes) == (
        "修改",
        owner.full_name,
        {"location": ["锅炉房", "水泵房"]},
    )
    assert (first.action, last.obstacle, first.obstacle) == ("新增", None, history.NO_VALUES)


def test_the_values_before_a_change_come_back_as_a_change_of_their_own(session, owner):
    gauge = changed(session, owner, location="水泵房", purpose=Purpose.trade_settlement)
    instruments.edit(session, gauge.id, gauge.version, {"remark": "新表"}, by=owner)
    change = history.of_instrument(session, gauge.id, by=owner)[1]
    restored = history.restore(session, change.id, gauge.version, by=owner)
    assert (restored.location, restored.purpose, restored.remark) == (
        "锅炉房",
        Purpose.safety_protection,
        "新表",
    )
    last = newest(session, gauge, owner)
    assert (last.action, last.changes["location"]) == ("恢复", ["水泵房", "锅炉房"])
    assert ledger.count(session, ledger.Filters(text="锅炉房"), by=owner) == 1


def test_what_stands_already_is_not_restored(session, owner):
    gauge = changed(session, owner, location="水泵房")
    change = newest(session, gauge, owner)
    history.restore(session, change.id, gauge.version, by=owner)
    with pytest.raises(Refused, match="变更前的内容"):
        history.restore(session, change.id, gauge.version, by=owner)


def test_a_locked_date_stays(session, owner):
    gauge = changed(session, owner, valid_until=date(2027, 1, 31))
    with pytest.raises(Refused, match="申请更正"):
        history.restore(session, newest(session, gauge, owner).id, gauge.version, by=owner)


def test_a_status_is_changed_by_its_own_buttons(session, owner):
    gauge = changed(session, owner, location="水泵房")
    edit = newest(session, gauge, owner)
    instruments.change_status(session, [gauge.id], "scrap", by=owner, reason="失准")
    with pytest.raises(Refused, match="停用"):
        history.restore(session, newest(session, gauge, owner).id, gauge.version, by=owner)
    with pytest.raises(Refused, match="已报废"):
        history.restore(session, edit.id, gauge.version, by=owner)


def batched(session, owner):
    """A gauge after a bulk edit, and the batch."""
    gauge = make.make_instrument(session, owner)
    outcome = bulk_edits.set_together(
        session, owner.enterprise_id, "location", "三号车间", [gauge.id], by=owner
    )
    session.refresh(gauge)
    return gauge, outcome.batch_id


def test_one_row_of_a_batch_comes_back_alone(session, owner):
    gauge, _ = batched(session, owner)
    change = newest(session, gauge, owner)
    assert history.restore(session, change.id, gauge.version, by=owner).location == "锅炉房"


def test_a_row_of_a_batch_that_was_undone_is_back_already(session, owner):
    gauge, batch_id = batched(session, owner)
    change = newest(session, gauge, owner)
    batches.undo(session, batch_id, by=owner)
    session.refresh(gauge)
    with pytest.raises(Refused, match="整批撤回"):
        history.restore(session, change.id, gauge.version, by=owner)


def test_what_was_changed_meanwhile_is_not_overwritten(session, owner):
    gauge = changed(session, owner, location="水泵房")
    with pytest.raises(Conflict, match="已被他人修改"):
        history.restore(session, newest(session, gauge, owner).id, gauge.version - 1, by=owner)


def test_strangers_see_and_restore_nothing(session, owner):
    gauge = changed(session, owner, location="水泵房")
    change = newest(session, gauge, owner)
    stranger = make.make_account(session)
    for ask in (
        lambda: history.of_instrument(session, gauge.id, by=stranger),
        lambda: history.restore(session, change.id, gauge.version, by=stranger),
        lambda: history.restore(session, 9999, 1, by=owner),
    ):
        with pytest.raises(NotFound):
            ask()


def test_whoever_only_reads_the_ledger_restores_nothing(session, owner):
    gauge = changed(session, owner, location="水泵房")
    with pytest.raises(Refused):
        history.restore(
            session,
            newest(session, gauge, owner).id,
            gauge.version,
            by=make.make_account(session, Role.reviewer),
        )


def test_lines_that_moved_together_are_one_move(session, owner):
    clerk = make.make_account(session, Role.institution)
    line = make.make_line(session, clerk, owner)
    found = history.of_appointment(session, line.appointment_id, by=owner)
    assert [(move.action, move.count) for move in found] == [("submit", 1), ("assign", 1)]
    assert history.of_appointment(session, line.appointment_id, by=make.make_account(session)) == []
    appointments.cancel(session, [line.id], by=owner, reason="停产")
    last = history.of_appointment(session, line.appointment_id, by=owner)[-1]
    assert (last.action, last.note, last.by_name) == ("cancel", "停产", owner.full_name)
    assert Subject.line in history.STAYS


def test_a_registration_shows_what_its_applicant_corrected(database, monkeypatch):
    monkeypatch.setattr(passwords, "COST", 4)
    with transaction() as session:
        reviewer = make.make_account(session, Role.reviewer)
        made = make.make_registration(session)
        reviews.send_back(session, made.id, by=reviewer, reason="名称与执照不符")
    with transaction() as session:
        corrected = TYPED | {"name": "杭州明达热能有限公司", "contact_name": "李思源"}
        registrations.resubmit(session, KEY, TYPED["password"], corrected, "")
    with reading() as session:
        by = session.get_one(Account, reviewer.id)
        found = history.of_registration(session, made.id, by=by)
    assert [move.action for move in found] == ["submit", "send_back", "resubmit"]
    assert {f"名称：{TYPED['name']} → 杭州明达热能有限公司", "联系人：陈** → 李**"} <= set(found[-1].changes)
