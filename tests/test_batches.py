"""Batches: one value for many instruments, exactly as previewed, and taken back as a whole."""

from datetime import date

import pytest
from sqlmodel import col, select

from db import appointments, batches, bulk, checks, clock, instruments, ledger, workflow
from db.errors import Conflict, NotFound, Refused
from db.instrument_fields import LABELS, SCRAPPED
from db.models import (
    Account,
    AppointmentLine,
    AuditEntry,
    Batch,
    BatchAction,
    BatchStatus,
    Correction,
    CorrectionStatus,
    DeliveryMode,
    Instrument,
    InstrumentChange,
    LineStatus,
    Origin,
    Purpose,
    Role,
    Subject,
)
from tests import make

PUMP, METER, OTHER_METER = "91701", "91301", "91302"


@pytest.fixture
def owner(session) -> Account:
    """The account of the boiler works."""
    return make.make_account(session)


def gauges(session, owner, count=3, **values):
    """That many gauges of the ledger."""
    return [make.make_instrument(session, owner, **values) for _ in range(count)]


def run(session, owner, field="delivery_mode", value=DeliveryMode.on_site, scope=None, **more):
    """Set a field together, in the whole ledger unless said otherwise."""
    scope = ledger.Filters() if scope is None else scope
    return batches.set_together(session, owner.enterprise_id, field, value, scope, by=owner, **more)


def values_of(session, rows, field):
    """A field of the rows, as the database has it now."""
    found = session.execute(
        select(Instrument.id, getattr(Instrument, field)).where(col(Instrument.id).in_([r.id for r in rows]))
    )
    kept = dict(found.all())
    return [kept.get(row.id) for row in rows]


def snapshot(session):
    """Everything the ledger says, and how often anything was noted."""
    session.expire_all()
    rows = [row.model_dump() for row in session.exec(select(Instrument).order_by(Instrument.id))]
    noted = [len(session.exec(select(model)).all()) for model in (InstrumentChange, AuditEntry, Batch)]
    return rows, noted


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
        session.exec(select(InstrumentChange).where(InstrumentChange.instrument_id == row.id)).one()
        note(session, batch, row.id, {}, 1)
    for row, field, new in changed:
        kept = {field: [batches.plain(getattr(row, field)), batches.plain(new)]}
        bulk.update(session, Instrument, (field, "version"), [(row.id, new, row.version + 1)])
        session.refresh(row)
        note(session, batch, row.id, kept, row.version)
    return batch


def note(session, batch, instrument_id, changes, version):
    """One change an import writes."""
    columns = ("instrument_id", "at", "action", "changes", "note", "batch_id", "version")
    row = (instrument_id, clock.now(), "导入", changes, "", batch.id, version)
    bulk.insert(session, InstrumentChange, columns, [row])


def test_a_value_is_set_for_all_rows_that_match_and_leaves_one_batch(session, owner):
    far = gauges(session, owner, 2, location="水泵房")
    near = gauges(session, owner, 1)
    outcome = run(session, owner, scope=ledger.Filters(text="水泵"))
    assert (outcome.changed, outcome.unchanged, outcome.refused) == (2, 0, [])
    assert set(values_of(session, far, "delivery_mode")) == {DeliveryMode.on_site}
    assert values_of(session, near, "delivery_mode") == [DeliveryMode.brought_in]
    assert set(values_of(session, far, "version")) == {2}
    batch = batches.find(session, outcome.batch_id, by=owner)
    assert (batch.action, batch.status, batch.by_name) == ("批量修改", BatchStatus.applied, owner.full_name)
    assert batch.totals == {"updated": 2, "unchanged": 0, "refused": 0}
    assert checks.findings(session) == []


def test_every_instrument_notes_the_change_and_the_audit_log_says_it_once(session, owner):
    rows = gauges(session, owner)
    outcome = run(session, owner, "purpose", Purpose.trade_settlement, [row.id for row in rows])
    for row in rows:
        entry = ledger.history(session, row.id, by=owner)[0]
        assert (entry.action, entry.by_name) == ("批量修改", owner.full_name)
        assert entry.changes == {"purpose": ["safety_protection", "trade_settlement"]}
    (audited,) = session.exec(select(AuditEntry)).all()
    assert (audited.action, audited.subject) == ("批量修改", "batch")
    assert audited.subject_id == outcome.batch_id
    assert audited.after["updated"] == 3


def test_the_audit_log_is_left_to_others_until_everything_is_written(session, owner, monkeypatch):
    gauges(session, owner)
    ways = []
    monkeypatch.setattr(batches, "change", lambda *args: ways.append("change"))
    monkeypatch.setattr(batches.audit, "record", lambda *args, **more: ways.append("record"))
    run(session, owner)
    assert ways == ["change", "record"]


def test_rows_that_have_the_value_already_stay_as_they_are(session, owner):
    same = gauges(session, owner, 2, location="水泵房")
    gauges(session, owner, 1)
    outcome = run(session, owner, "location", "水泵房")
    assert (outcome.changed, outcome.unchanged) == (1, 2)
    assert values_of(session, same, "version") == [1, 1]


def test_nothing_to_change_leaves_no_batch(session, owner):
    gauges(session, owner)
    outcome = run(session, owner, "location", "锅炉房")
    assert (outcome.changed, outcome.batch_id) == (0, None)
    assert batches.page(session, owner.enterprise_id, by=owner) == []
    assert session.exec(select(AuditEntry)).all() == []


def test_the_search_box_finds_the_new_words_and_not_the_old(session, owner):
    gauges(session, owner)
    run(session, owner, "location", "三号车间")
    assert ledger.count(session, ledger.Filters(text="三号车间"), by=owner) == 3
    assert ledger.count(session, ledger.Filters(text="锅炉房"), by=owner) == 0


def test_what_cannot_change_is_counted_by_reason(session, owner):
    scrapped, many, other, fine = gauges(session, owner, 4, kind_id=make.kind(session, METER).id)
    instruments.change_status(session, [scrapped.id], "scrap", by=owner, reason="表盘损坏")
    bulk.update(session, Instrument, ("quantity",), [(many.id, 3)])
    bulk.update(session, Instrument, ("kind_id",), [(other.id, make.kind(session, PUMP).id)])
    outcome = run(session, owner, "kind_id", make.kind(session, OTHER_METER).id)
    assert outcome.changed == 1 and [row.id for row in outcome.sample] == [fine.id]
    reasons = {one.why: (one.count, one.examples) for one in outcome.refused}
    assert reasons == {
        SCRAPPED: (1, (f"压力表 {scrapped.serial_number}",)),
        batches.OTHER_CATEGORY: (1, (f"压力表 {other.serial_number}",)),
        "填写了出厂编号的器具数量应为 1，多台请用“复制”逐台录入": (1, (f"压力表 {many.serial_number}",)),
    }


@pytest.mark.parametrize("field", ["valid_until", "serial_number", "status", "quantity", "search_text", "id"])
def test_some_fields_are_never_set_together(session, owner, field):
    gauges(session, owner)
    with pytest.raises(Refused, match="不能批量修改"):
        run(session, owner, field, "x")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("delivery_mode", "邮寄"),
        ("location", "锅" * 201),
        ("manufacturer", " "),
        ("location", float("nan")),
        ("division_code", "330000"),
        ("kind_id", 0),
        ("purchased_on", date(2026, 11, 24)),
    ],
)
def test_a_wrong_value_is_refused_under_its_field(session, owner, field, value):
    gauges(session, owner)
    with pytest.raises(Refused) as refusal:
        run(session, owner, field, value)
    assert list(refusal.value.problems) == [field]


def test_a_retired_kind_cannot_be_set(session, owner):
    gauges(session, owner)
    kind = make.kind(session, OTHER_METER)
    kind.retired_on = date(2026, 1, 1)
    session.add(kind)
    with pytest.raises(Refused, match="已停用"):
        run(session, owner, "kind_id", kind.id)


def test_every_settable_field_is_one_of_the_ledger_and_can_be_set(session, owner):
    values = {
        "delivery_mode": DeliveryMode.on_site,
        "purpose": Purpose.medical_care,
        "origin": Origin.imported,
        "division_code": "330108",
        "kind_id": make.kind(session, OTHER_METER).id,
        "purchased_on": date(2024, 5, 6),
    }
    assert set(batches.SETTABLE) < set(LABELS)
    (gauge,) = gauges(session, owner, 1, kind_id=make.kind(session, METER).id)
    for field in batches.SETTABLE:
        value = values.get(field, "新的内容")
        assert run(session, owner, field, value).changed == 1, field
        assert values_of(session, [gauge], field) == [value]


def test_the_preview_is_the_run_and_leaves_nothing(session, owner):
    gauges(session, owner)
    before = snapshot(session)
    shown = batches.preview(session, owner.enterprise_id, "location", "三号车间", ledger.Filters(), by=owner)
    assert snapshot(session) == before
    assert ledger.count(session, ledger.Filters(text="三号车间"), by=owner) == 0
    assert (shown.changed, shown.batch_id, shown.sample[0].before) == (3, None, "锅炉房")
    done = run(session, owner, "location", "三号车间", expected=shown.seal)
    assert (done.changed, done.sample, done.seal) == (shown.changed, shown.sample, shown.seal)


def test_a_run_that_would_do_something_else_than_previewed_is_refused(session, owner):
    rows = gauges(session, owner)
    look = (session, owner.enterprise_id, "location", "三号车间", ledger.Filters())
    shown = batches.preview(*look, by=owner)
    instruments.edit(session, rows[0].id, 1, {"location": "水泵房"}, by=owner)
    before = snapshot(session)
    with pytest.raises(Conflict, match="重新预览"):
        batches.set_together(*look, by=owner, expected=shown.seal)
    assert snapshot(session) == before


def test_a_refused_preview_leaves_the_session_usable(session, owner):
    gauges(session, owner)
    with pytest.raises(Refused):
        batches.preview(session, owner.enterprise_id, "location", "锅" * 201, ledger.Filters(), by=owner)
    assert run(session, owner).changed == 3


def test_a_line_without_an_institution_follows_and_is_assigned(session, owner):
    make.make_authorization(session, make.make_institution(session), "330108")
    (gauge, placed) = gauges(session, owner, 2)
    appointments.submit(session, owner.enterprise_id, [gauge.id], by=owner)
    line = session.exec(select(AppointmentLine)).one()
    assert line.status == LineStatus.unassigned
    outcome = run(session, owner, "division_code", "330108")
    session.refresh(line)
    assert (line.status, line.division_code) == (LineStatus.assigned, "330108")
    batches.undo(session, outcome.batch_id, by=owner)
    session.refresh(line)
    assert (line.status, line.division_code) == (LineStatus.assigned, "330108")
    assert values_of(session, [gauge, placed], "division_code") == [make.XIHU, make.XIHU]


def test_strangers_neither_set_nor_preview_nor_see(session, owner):
    rows, stranger = gauges(session, owner), make.make_account(session)
    with pytest.raises(NotFound):
        batches.set_together(session, owner.enterprise_id, "remark", "x", ledger.Filters(), by=stranger)
    with pytest.raises(NotFound, match="所选器具"):
        run(session, stranger, "remark", "x", [rows[0].id])
    outcome = run(session, owner)
    for look in (batches.find, batches.undo):
        with pytest.raises(NotFound):
            look(session, outcome.batch_id, by=stranger)
    for look in (batches.page, batches.count):
        with pytest.raises(NotFound):
            look(session, owner.enterprise_id, by=stranger)


def test_filters_that_name_another_enterprise_stay_within_this_one(session, owner):
    other = make.make_account(session)
    (theirs,) = gauges(session, other, 1)
    supervisor = make.make_account(session, Role.supervisor)
    gauges(session, owner, 1)
    scope = ledger.Filters(enterprise_id=other.enterprise_id)
    outcome = batches.set_together(session, owner.enterprise_id, "remark", "已核对", scope, by=supervisor)
    assert outcome.changed == 1 and values_of(session, [theirs], "remark") == [""]


def test_a_link_without_editing_and_a_reviewer_only_look(session, owner):
    gauges(session, owner)
    outcome = run(session, owner)
    person, reviewer = make.make_account(session, Role.personal), make.make_account(session, Role.reviewer)
    enterprise = make.make_account(session, enterprise_id=owner.enterprise_id)
    make.make_link(session, person, session.get_one(batches.Enterprise, owner.enterprise_id), can_edit=False)
    for asker in (person, reviewer):
        assert len(batches.page(session, owner.enterprise_id, by=asker)) == 1
        with pytest.raises(Refused):
            batches.set_together(session, owner.enterprise_id, "remark", "x", ledger.Filters(), by=asker)
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
    entry = ledger.history(session, gauge.id, by=owner)[0]
    assert (entry.action, entry.changes) == ("撤回", {"delivery_mode": ["on_site", "brought_in"]})
    assert checks.findings(session) == []


def test_an_undone_batch_is_found_by_its_old_words_and_noted_once(session, owner):
    gauges(session, owner)
    outcome = run(session, owner, "location", "三号车间")
    batches.undo(session, outcome.batch_id, by=owner)
    assert ledger.count(session, ledger.Filters(text="三号车间"), by=owner) == 0
    assert ledger.count(session, ledger.Filters(text="锅炉房"), by=owner) == 3
    assert batches.find(session, outcome.batch_id, by=owner).status == BatchStatus.undone
    actions = [entry.action for entry in session.exec(select(AuditEntry).order_by(AuditEntry.id))]
    assert actions == ["批量修改", "整批撤回"]


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
    with pytest.raises(Refused, match="有 22 台") as refusal:
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
