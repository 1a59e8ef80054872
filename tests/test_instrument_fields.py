"""The fields of a ledger row: what may be entered, and what is said about the rest."""

import json
from datetime import date

import pytest

from db import instrument_fields, instruments
from db.errors import Refused
from db.instrument_fields import LABELS, plain, stored
from db.models import Division, InstrumentType, Origin
from tests import make

TOMORROW = date(2026, 11, 24)


def problems_of(session, owner, **values):
    """What the form says about a gauge with these values."""
    with pytest.raises(Refused) as refusal:
        instruments.add(session, owner.enterprise_id, make.typed(session, **values), by=owner)
    return refusal.value.problems


@pytest.mark.parametrize("field", instrument_fields.REQUIRED)
def test_a_required_field_left_empty_is_named(session, owner, field):
    assert list(problems_of(session, owner, **{field: None})) == [field]


def test_all_that_is_wrong_is_said_at_once(session, owner):
    found = problems_of(session, owner, name=" ", purpose="取暖", quantity=0, purchased_on=TOMORROW)
    assert set(found) == {"name", "purpose", "quantity", "purchased_on"}
    assert found["purchased_on"] == "“购置时间”不能晚于今天"


@pytest.mark.parametrize("value", ["压力表" * 41, "压力\u202e表", "压力\x07表", 12])
def test_a_text_too_long_or_with_hidden_characters_is_refused(session, owner, value):
    assert list(problems_of(session, owner, name=value)) == ["name"]


def test_a_kind_that_was_retired_is_refused_by_name(session, owner):
    make.kind(session).retired_on = date(2026, 6, 1)
    session.flush()
    assert "已停用，请选择现行种别" in problems_of(session, owner)["kind_id"]


@pytest.mark.parametrize("code", ["330000", "330100"])
def test_a_place_of_use_must_be_a_county(session, owner, code):
    assert problems_of(session, owner, division_code=code)["division_code"].endswith("请选到区县一级")


def test_a_place_that_was_dissolved_names_its_successor(session, owner):
    division = session.get(Division, make.XIHU)
    division.retired_on, division.successor_code = date(2026, 1, 1), "330108"
    session.flush()
    assert "已撤销，请改用 330108" in problems_of(session, owner)["division_code"]


def test_a_serial_number_names_one_instrument(session, owner):
    assert "请用“复制”逐台录入" in problems_of(session, owner, quantity=2)["quantity"]


def test_a_field_that_is_not_the_ledgers_cannot_be_set(session, owner):
    with pytest.raises(Refused, match="不能修改“enterprise_id、status”"):
        make.make_instrument(session, owner, status="报废", enterprise_id=1)


def test_the_reader_answers_a_value_it_has_seen_from_memory(session, owner, monkeypatch):
    reader = instrument_fields.FieldReader(session, owner)
    first = reader.read("division_code", make.XIHU)
    monkeypatch.setattr(session, "get", lambda *_: pytest.fail("asked the database again"))
    assert reader.read("division_code", make.XIHU) == first == (make.XIHU, None)


def test_the_reader_tells_true_from_one(session, owner):
    reader = instrument_fields.FieldReader(session, owner)
    assert reader.read("quantity", 1) == (1, None)
    assert reader.read("quantity", True)[1] == "“器具数量”请填 1 至 100000 的整数"


def test_the_reader_takes_what_a_forged_client_may_send(session, owner):
    reader = instrument_fields.FieldReader(session, owner)
    assert reader.read("name", ["压力表"]) == ("", "“器具名称”应为文字")


@pytest.mark.parametrize("field", LABELS)
def test_what_the_trace_keeps_of_a_value_gives_it_back(session, field):
    row = make.typed(session, instrument_type=InstrumentType.standard, origin=Origin.imported)
    row |= {"purchased_on": date(2024, 2, 29), "valid_until": None, "quantity": 1, "remark": ""}
    kept = json.loads(json.dumps(plain(row[field])))
    assert stored(field, kept) == row[field]
    assert type(stored(field, kept)) is type(row[field])
