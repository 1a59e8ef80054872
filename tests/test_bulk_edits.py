"""One value for many instruments, exactly as previewed."""

from datetime import date

import pytest
from sqlmodel import col, select

from db import appointments, audit, batches, bulk, bulk_edits, checks, history, instruments, ledger
from db.errors import Conflict, Refused
from db.instrument_fields import ELSEWHERE, LABELS, SCRAPPED
from db.models import (
    AppointmentLine,
    Batch,
    BatchStatus,
    DeliveryMode,
    Instrument,
    InstrumentChange,
    LineStatus,
    Origin,
    Purpose,
    Role,
    StatusChange,
)
from tests import make

PUMP, METER, OTHER_METER = "91701", "91301", "91302"


def gauges(session, owner, count=3, **values):
    """That many gauges of the ledger."""
    return [make.make_instrument(session, owner, **values) for _ in range(count)]


def run(session, owner, field="delivery_mode", value=DeliveryMode.on_site, scope=None, **more):
    """Set a field together, in the whole ledger unless said otherwise."""
    scope = ledger.Filters() if scope is None else scope
    return bulk_edits.set_together(session, owner.enterprise_id, field, value, scope, by=owner, **more)


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
    noted = [len(session.exec(select(model)).all()) for model in (InstrumentChange, StatusChange, Batch)]
    return rows, noted


def test_a_preview_names_the_twins_that_it_would_make(session, owner):
    own = {"manufacturer": "银普", "specification": "1.6MPa"}
    make.make_instrument(session, owner, serial_number="A1", **own)
    rows = [
        make.make_legacy_instrument(
            session, owner, serial_number=number, manufacturer="红旗", specification="1.6MPa"
        )
        for number in ("A1", "B1", "C1", "C1", "", "")
    ]
    make.make_instrument(session, make.make_account(session), serial_number="B1", **own)
    asked = (owner.enterprise_id, "manufacturer", "银普", [row.id for row in rows])
    outcome = bulk_edits.preview(session, *asked, by=owner)
    assert outcome.twins.examples == ("压力表 A1", "压力表 C1", "压力表 C1")
    assert bulk_edits.preview(session, *asked[:3], [rows[1].id], by=owner).twins is None
    make.make_instrument(session, owner, serial_number="B1", **own)
    with pytest.raises(Conflict, match="重新预览"):
        bulk_edits.set_together(session, *asked, by=owner, expected=outcome.seal)


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
        entry = history.of_instrument(session, row.id, by=owner)[0]
        assert (entry.action, entry.by_name) == ("批量修改", owner.full_name)
        assert entry.changes == {"purpose": ["safety_protection", "trade_settlement"]}
    (audited,) = audit.waiting(session)
    assert (audited["action"], audited["subject"]) == ("批量修改", "batch")
    assert audited["after"]["purpose"] == "贸易结算"
    assert audited["subject_id"] == outcome.batch_id
    assert audited["after"]["updated"] == 3


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
    assert audit.waiting(session) == []


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
        bulk_edits.OTHER_CATEGORY: (1, (f"压力表 {other.serial_number}",)),
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
    assert set(bulk_edits.SETTABLE) < set(LABELS)
    (gauge,) = gauges(session, owner, 1, kind_id=make.kind(session, METER).id)
    for field in bulk_edits.SETTABLE:
        value = values.get(field, "新的内容")
        assert run(session, owner, field, value).changed == 1, field
        assert values_of(session, [gauge], field) == [value]


def test_the_preview_is_the_run_and_leaves_nothing(session, owner):
    gauges(session, owner)
    before = snapshot(session)
    shown = bulk_edits.preview(
        session, owner.enterprise_id, "location", "三号车间", ledger.Filters(), by=owner
    )
    assert snapshot(session) == before
    assert ledger.count(session, ledger.Filters(text="三号车间"), by=owner) == 0
    assert (shown.changed, shown.batch_id, shown.sample[0].before) == (3, None, "锅炉房")
    done = run(session, owner, "location", "三号车间", expected=shown.seal)
    assert (done.changed, done.sample, done.seal) == (shown.changed, shown.sample, shown.seal)


def test_a_run_that_would_do_something_else_than_previewed_is_refused(session, owner):
    rows = gauges(session, owner)
    look = (session, owner.enterprise_id, "location", "三号车间", ledger.Filters())
    shown = bulk_edits.preview(*look, by=owner)
    instruments.edit(session, rows[0].id, 1, {"location": "水泵房"}, by=owner)
    before = snapshot(session)
    with pytest.raises(Conflict, match="重新预览"):
        bulk_edits.set_together(*look, by=owner, expected=shown.seal)
    assert snapshot(session) == before


def test_a_refused_preview_leaves_the_session_usable(session, owner):
    gauges(session, owner)
    with pytest.raises(Refused):
        bulk_edits.preview(session, owner.enterprise_id, "location", "锅" * 201, ledger.Filters(), by=owner)
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


def test_a_supervisor_gives_no_rows_a_place_outside_the_own_area(session, owner):
    rows = gauges(session, owner, 2)
    supervisor = make.make_account(session, Role.supervisor, division_code=make.XIHU)
    scope = [row.id for row in rows]
    with pytest.raises(Refused, match=ELSEWHERE):
        bulk_edits.set_together(session, owner.enterprise_id, "division_code", "330108", scope, by=supervisor)
    assert run(session, owner, "division_code", "330108", scope).changed == 2


def test_filters_that_name_another_enterprise_stay_within_this_one(session, owner):
    other = make.make_account(session)
    (theirs,) = gauges(session, other, 1)
    supervisor = make.make_account(session, Role.supervisor)
    gauges(session, owner, 1)
    scope = ledger.Filters(enterprise_id=other.enterprise_id)
    outcome = bulk_edits.set_together(session, owner.enterprise_id, "remark", "已核对", scope, by=supervisor)
    assert outcome.changed == 1 and values_of(session, [theirs], "remark") == [""]
