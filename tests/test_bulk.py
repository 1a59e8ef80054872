"""Many rows at once, written as one by one."""

from datetime import date

import pytest
import sqlalchemy as sa
from sqlmodel import select

from db import bulk, clock
from db.models import (
    DeliveryMode,
    Instrument,
    InstrumentChange,
    InstrumentStatus,
    InstrumentType,
    Origin,
    Purpose,
)
from tests import make

FIXED = {
    "version": 1,
    "instrument_type": InstrumentType.working,
    "origin": Origin.domestic,
    "purpose": Purpose.safety_protection,
    "delivery_mode": DeliveryMode.on_site,
    "status": InstrumentStatus.in_use,
    "quantity": 1,
    "specification": "",
    "measuring_range": "",
    "accuracy_class": "",
    "location": "",
    "remark": "",
    "search_text": "",
}


def insert(session, enterprise_id, serial_numbers):
    """Bare instruments of these numbers; their ids."""
    ids = bulk.ids(session, Instrument, len(serial_numbers))
    names = (
        "id",
        "enterprise_id",
        "name",
        "serial_number",
        "manufacturer",
        "valid_until",
        "created_at",
        *FIXED,
    )
    plate = (enterprise_id, "压力表\t\\N")
    rest = ("银普", date(2027, 1, 31), clock.now(), *FIXED.values())
    rows = [(id, *plate, number, *rest) for id, number in zip(ids, serial_numbers, strict=True)]
    bulk.insert(session, Instrument, names, rows)
    return ids


def test_values_come_back_as_they_went_in(session):
    owner = make.make_account(session)
    (id,) = insert(session, owner.enterprise_id, ["00123"])
    row = session.get_one(Instrument, id)
    assert (row.serial_number, row.name, row.valid_until) == ("00123", "压力表\t\\N", date(2027, 1, 31))
    assert (row.purpose, row.status, row.kind_id) == (
        Purpose.safety_protection,
        InstrumentStatus.in_use,
        None,
    )
    assert row.created_at == clock.now()


def test_json_is_kept_for_each_row(session):
    owner = make.make_account(session)
    ids = insert(session, owner.enterprise_id, ["1", "2"])
    names = ("instrument_id", "at", "action", "changes", "note")
    rows = [(id, clock.now(), "导入", {"name": [None, f"表{id}"]}, "") for id in ids]
    bulk.insert(session, InstrumentChange, names, rows)
    kept = session.exec(select(InstrumentChange).where(InstrumentChange.action == "导入")).all()
    assert [row.changes for row in kept] == [{"name": [None, f"表{id}"]} for id in ids]


def test_ids_go_on_after_those_given_out_and_never_come_again(session):
    owner = make.make_account(session)
    first = make.make_instrument(session, owner)
    ids = insert(session, owner.enterprise_id, ["1", "2"])
    assert ids[0] > first.id
    session.delete(session.get_one(Instrument, ids[-1]))
    session.flush()
    assert make.make_instrument(session, owner).id > ids[-1]


def test_more_rows_than_one_statement_takes_are_all_there(session, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    owner = make.make_account(session)
    numbers = [str(number) for number in range(5)]
    ids = insert(session, owner.enterprise_id, numbers)
    kept = select(Instrument.serial_number).where(bulk.among(session, Instrument.id, ids))
    assert session.exec(kept.order_by(Instrument.id)).all() == numbers


def test_no_rows_are_no_work(session):
    bulk.insert(session, Instrument, ("id",), [])


def test_rows_get_values_of_their_own_together(session):
    owner = make.make_account(session)
    ids = insert(session, owner.enterprise_id, ["1", "2", "3"])
    days = [date(2027, 1, 31), None]
    rows = [(id, day, Purpose.medical_care) for id, day in zip(ids[:2], days, strict=True)]
    bulk.update(session, Instrument, ("valid_until", "purpose"), rows)
    bulk.update(session, Instrument, ("remark",), [(ids[2], "\\N\t备注")])
    bulk.update(session, Instrument, ("remark",), [])
    kept = session.exec(select(Instrument).order_by(Instrument.id)).all()
    assert [(row.valid_until, row.purpose.name, row.remark) for row in kept] == [
        (days[0], "medical_care", ""),
        (None, "medical_care", ""),
        (date(2027, 1, 31), "safety_protection", "\\N\t备注"),
    ]


def test_a_hundred_thousand_ids_are_asked_for_at_once(session):
    owner = make.make_account(session)
    ids = insert(session, owner.enterprise_id, ["1", "2"])
    many = [ids[1], *range(1_000_000, 1_100_000)]
    assert (
        session.exec(select(Instrument.id).where(bulk.among(session, Instrument.id, many))).all() == ids[1:]
    )
    assert session.exec(select(Instrument.id).where(bulk.among(session, Instrument.id, []))).all() == []


def test_room_is_given_back_after_a_failure_too(session):
    usual = room_of(session)
    with pytest.raises(ZeroDivisionError), bulk.room(session):
        assert room_of(session) != usual
        _ = 1 / 0
    if session.get_bind().dialect.name == "sqlite":
        assert room_of(session) == usual


def room_of(session):
    """How much the engine may keep in memory."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return session.scalar(sa.text("PRAGMA cache_size" if is_sqlite else "SHOW gin_pending_list_limit"))
