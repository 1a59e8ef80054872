"""Batches: acts on many instruments at once, listed, and taken back as a whole."""

from datetime import date

import pytest
from sqlmodel import col, select

from db import (
    appointments,
    audit,
    batches,
    bulk,
    bulk_edits,
    checks,
    clock,
    corrections,
    history,
    instruments,
    ledger,
    workflow,
)
from db.errors import NotFound, Refused
from db.instrument_fields import plain
from db.models import (
    AppointmentLine,
    Batch,
    BatchAction,
    BatchStatus,
    Correction,
    CorrectionStatus,
    DeliveryMode,
    Enterprise,
    Instrument,
    InstrumentChange,
    Role,
    Subject,
)
from tests import make
from tests.test_bulk_edits import gauges, run, snapshot, values_of
from tests.test_corrections import ask

PUMP, METER, OTHER_METER = "91701", "91301", "91302"


def imported(session, owner, added=(), changed=()):
    """A batch as an import leaves it: `added` are its new rows, `changed` are (row, field, new value)."""
    batch = Batch(
        enterprise_id=owner.enterprise_id,
        action=BatchAction.imported,
        status=BatchStatus.submitted,
        created_by_id=owner.id,
    )
    session.add(batch)
    session.flush()
    workflow.start(session, Subject.batch, [batch.id], "upload", owner)
    workflow.move(session, Subject.batch, [batch], "preview", owner)
    session.refresh(batch)
    workflow.move(session, Subject.batch, [batch], "apply", owner)
    session.refresh(batch)
    for row in added:
        row.batch_id = batch.id
    for row, field, new in changed:
        kept = {field: [plain(getattr(row, field)), plain(new)]}
        bulk.update(session, Instrument, (field, "version"), [(row.id, new, row.version + 1)])
        session.refresh(row)
        note(session, batch, row.id, kept, row.version)
    return batch


def note(session, batch, instrument_id, changes, version):
    """One change an import writes."""
    columns = ("instrument_id", "at", "action", "changes", "note", "batch_id", "version")
    row = (instrument_id, clock.now(), "导入", changes, "", batch.id, version)
    bulk.insert(session, InstrumentChange, columns, [row])


def test_strangers_neither_set_nor_preview_nor_see(session, owner):
    rows, stranger = gauges(session, owner), make.make_account(session)
    with pytest.raises(NotFound):
        bulk_edits.set_together(session, owner.enterprise_id, "remark", "x", ledger.Filters(), by=stranger)
    with pytest.raises(NotFound, match="所选器具"):
        run(session, stranger, "remark", "x", [rows[0].id])
    outcome = run(session, owner)
    for look in (batches.find, batches.undo):
        with pytest.raises(NotFound):
            look(session, outcome.batch_id, by=stranger)
    for look in (batches.page, batches.count):
        with pytest.raises(NotFound):
            look(session, owner.enterprise_id, by=stranger)


def test_a_link_without_editing_and_a_reviewer_only_look(session, owner):
    gauges(session, owner)
    outcome = run(session, owner)
    person, reviewer = make.make_account(session, Role.personal), make.make_account(session, Role.reviewer)
    enterprise = make.make_account(session, enterprise_id=owner.enterprise_id)
    make.make_link(session, person, session.get_one(Enterprise, owner.enterprise_id), can_edit=False)
    for asker in (person, reviewer):
        assert len(batches.page(session, owner.enterprise_id, by=asker)) == 1
        with pytest.raises(Refused):
            bulk_edits.set_together(session, owner.enterprise_id, "remark", "x", ledger.Filters(), by=asker)
        with pytest.raises(Refused):
            batches.undo(session, outcome.batch_id, by=asker)
    assert batches.undo(session, outcome.batch_id, by=enterprise).restored == 3


def test_undo_gives_back_every_kind_of_value(session, owner):
    (gauge,) = gauges(session, owner, 1, location="", kind_id=make.kind(session, METER).id)
    before = gauge.model_dump(exclude={"version"})
    values = {
        "delivery_mode": DeliveryMode.on_site,
        "kind_id": make.kind(session, OTHER_METER).id,
        "purchased_on": date(2024, 5, 6),
        "location": "三号车间",
    }
    made = [run(session, owner, field, value).batch_id for field, value in values.items()]
    for batch_id in reversed(made):
        assert batches.undo(session, batch_id, by=owner) == batches.Undone(1, 0)
    session.refresh(gauge)
    assert gauge.model_dump(exclude={"version"}) == before
    assert gauge.version == 1 + 2 * len(values)
    entry = history.of_instrument(session, gauge.id, by=owner)[0]
    assert (entry.action, entry.changes) == ("撤回", {"delivery_mode": ["on_site", "brought_in"]})
    assert checks.findings(session) == []


def test_an_undone_batch_is_found_by_its_old_words_and_noted_once(session, owner):
    gauges(session, owner)
    outcome = run(session, owner, "location", "三号车间")
    batches.undo(session, outcome.batch_id, by=owner)
    assert ledger.count(session, ledger.Filters(text="三号车间"), by=owner) == 0
    assert ledger.count(session, ledger.Filters(text="锅炉房"), by=owner) == 3
    assert batches.find(session, outcome.batch_id, by=owner).status == BatchStatus.undone
    assert [entry["action"] for entry in audit.waiting(session)] == ["批量修改", "整批撤回"]


def test_a_batch_is_undone_once(session, owner):
    gauges(session, owner)
    outcome = run(session, owner)
    batches.undo(session, outcome.batch_id, by=owner)
    with pytest.raises(Refused, match="已撤回"):
        batches.undo(session, outcome.batch_id, by=owner)


def test_an_instrument_that_moved_since_stands_in_the_way_by_name(session, owner):
    first, second, third = gauges(session, owner)
    outcome = run(session, owner)
    instruments.edit(session, second.id, 2, {"remark": "换了表盘"}, by=owner)
    instruments.change_status(session, [third.id], "store", by=owner)
    before = snapshot(session)
    with pytest.raises(Refused, match="有 2 台器具此后又有变动") as refusal:
        batches.undo(session, outcome.batch_id, by=owner)
    assert refusal.value.problems == {
        str(second.id): f"压力表 {second.serial_number}：此后已“修改”",
        str(third.id): f"压力表 {third.serial_number}：此后已“封存”",
    }
    assert snapshot(session) == before
    assert values_of(session, [first], "delivery_mode") == [DeliveryMode.on_site]


def test_at_most_twenty_are_named(session, owner):
    rows = gauges(session, owner, 22)
    outcome = run(session, owner)
    run(session, owner, "location", "三号车间")
    with pytest.raises(Refused, match="有 22 台器具此后又有变动（以下为前 20 台），整批不能撤回") as refusal:
        batches.undo(session, outcome.batch_id, by=owner)
    assert list(refusal.value.problems) == [str(row.id) for row in rows[:20]]


def test_an_import_is_undone_with_the_rows_it_added(session, owner):
    new, old = gauges(session, owner, 2, location="新厂房"), gauges(session, owner, 1)
    changed = [(old[0], "valid_until", date(2027, 1, 31))]
    batch = imported(session, owner, new, changed)
    assert batches.undo(session, batch.id, by=owner) == batches.Undone(restored=1, removed=2)
    assert values_of(session, [*new, *old], "valid_until") == [None, None, None]
    assert ledger.count(session, by=owner) == 1
    assert ledger.count(session, ledger.Filters(text="新厂房"), by=owner) == 0
    gone = select(InstrumentChange).where(col(InstrumentChange.instrument_id).in_([row.id for row in new]))
    assert session.exec(gone).all() == []
    assert checks.findings(session) == []


def test_an_added_row_that_was_booked_or_corrected_since_stays(session, owner):
    booked, corrected, free = gauges(session, owner)
    batch = imported(session, owner, [booked, corrected, free])
    appointments.submit(session, owner.enterprise_id, [booked.id], by=owner)
    session.add(
        Correction(
            instrument_id=corrected.id,
            status=CorrectionStatus.requested,
            reason="日期填错",
            requested_by_id=owner.id,
        )
    )
    session.flush()
    with pytest.raises(Refused) as refusal:
        batches.undo(session, batch.id, by=owner)
    assert {id: text.split("：")[1] for id, text in refusal.value.problems.items()} == {
        str(booked.id): "已预约",
        str(corrected.id): "已申请更正",
    }
    assert ledger.count(session, by=owner) == 3


def test_a_changed_row_that_was_booked_or_corrected_since_stands_in_the_way(
    session, owner, clerk, monkeypatch
):
    booked, corrected, _ = gauges(session, owner, 3, valid_until=date(2027, 1, 31))
    outcome = run(session, owner, "location", "三号车间")
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-23T09:31:00+08:00")
    (made,) = appointments.submit(session, owner.enterprise_id, [booked.id], by=owner)
    asked = ask(session, corrected, owner)
    with pytest.raises(Refused) as refusal:
        batches.undo(session, outcome.batch_id, by=owner)
    assert {id: text.split("：")[1] for id, text in refusal.value.problems.items()} == {
        str(booked.id): "已预约",
        str(corrected.id): "已申请更正",
    }
    (line,) = session.exec(select(AppointmentLine).where(AppointmentLine.appointment_id == made.id))
    appointments.cancel(session, [line.id], by=owner, reason="停产检修")
    corrections.withdraw(session, asked.id, by=owner)
    assert batches.undo(session, outcome.batch_id, by=owner) == batches.Undone(3, 0)


def test_what_was_booked_before_a_batch_does_not_stand_in_its_way(session, owner):
    booked, _ = gauges(session, owner, 2)
    appointments.submit(session, owner.enterprise_id, [booked.id], by=owner)
    outcome = run(session, owner, "location", "三号车间")
    assert batches.undo(session, outcome.batch_id, by=owner) == batches.Undone(2, 0)


def test_an_import_is_undone_after_a_later_batch_over_its_rows_was(session, owner):
    rows = gauges(session, owner, 2)
    batch = imported(session, owner, rows)
    later = run(session, owner, "location", "三号车间")
    with pytest.raises(Refused, match="有 2 台"):
        batches.undo(session, batch.id, by=owner)
    batches.undo(session, later.batch_id, by=owner)
    assert batches.undo(session, batch.id, by=owner) == batches.Undone(restored=0, removed=2)
    assert ledger.count(session, by=owner) == 0


def test_an_edit_before_a_batch_that_was_undone_still_stands_in_the_way(session, owner):
    (gauge,) = gauges(session, owner, 1)
    first = run(session, owner)
    instruments.edit(session, gauge.id, 2, {"remark": "换了表盘"}, by=owner)
    later = run(session, owner, "location", "三号车间")
    batches.undo(session, later.batch_id, by=owner)
    with pytest.raises(Refused, match="有 1 台"):
        batches.undo(session, first.batch_id, by=owner)


def test_a_supervisor_does_not_undo_what_is_used_in_another_area(session, owner):
    here, gone = gauges(session, owner, 2)
    outcome = run(session, owner)
    bulk.update(session, Instrument, ("division_code",), [(gone.id, "330203")])
    with pytest.raises(Refused, match="有 1 台器具不在您的辖区内"):
        batches.undo(session, outcome.batch_id, by=make.make_account(session, Role.supervisor))
    assert values_of(session, [here], "delivery_mode") == [DeliveryMode.on_site]


def test_batches_are_listed_newest_first_by_pages(session, owner):
    gauges(session, owner, 1)
    made = [run(session, owner, "location", place).batch_id for place in ("一号", "二号", "三号")]
    assert batches.count(session, owner.enterprise_id, by=owner) == 3
    rows = batches.page(session, owner.enterprise_id, by=owner, size=2)
    assert [row.id for row in rows] == [made[2], made[1]]
    assert rows[0].options == {"field": "location", "value": "三号"}
    (last,) = batches.page(session, owner.enterprise_id, by=owner, number=2, size=2)
    assert last.id == made[0]


def test_the_imports_are_listed_however_many_other_batches_followed(session, owner):
    row = gauges(session, owner, 1)[0]
    first = imported(session, owner, changed=[(row, "location", "旧址")])
    for number in range(3):
        run(session, owner, "location", f"{number} 号车间")
    listed = batches.page(session, owner.enterprise_id, by=owner, action=BatchAction.imported, size=2)
    assert [row.id for row in listed] == [first.id]
