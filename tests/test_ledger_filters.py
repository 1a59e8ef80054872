"""Filters in an address: written and read back the same, and nothing forged gets through."""

from dataclasses import fields

import pytest

from db import ledger_filters, saved_views
from db.errors import Refused
from db.ledger import Filters
from db.models import Conclusion, DeliveryMode, InstrumentStatus, Origin, Purpose
from pages.parts import narrowing
from tests import make

FULL = [
    Filters(),
    Filters(enterprise_id=7, text="压力 & 表=?", status=InstrumentStatus.stored, due="30"),
    Filters(kind_id=12, purpose=Purpose.medical_care, delivery_mode=DeliveryMode.on_site),
    Filters(category_id=3, division_code=make.XIHU, quality="no_kind"),
    Filters(is_placeless=True, origin=Origin.imported, is_booked=False),
    Filters(conclusion=Conclusion.rejected, is_booked=True),
]
FORGED = [
    {"status": "在用"},
    {"status": "__class__"},
    {"kind": "c"},
    {"kind": "1 OR 1=1"},
    {"kind": "１２"},
    {"kind": "9999999999"},
    {"division": "3301"},
    {"division": "ABCDEF"},
    {"due": "31"},
    {"quality": "all"},
    {"enterprise": "-1"},
    {"text": "长" * 101},
    {"text": "压力\0表"},
    {"purpose": 3},
    {"enterprise_id": "1"},
    {"by": "root"},
]


@pytest.mark.parametrize("filters", FULL)
def test_filters_come_back_from_their_address(filters):
    assert ledger_filters.read(ledger_filters.query(filters)) == filters


def test_every_filter_can_be_in_an_address_and_has_a_name():
    tried = {field.name for one in FULL for field in fields(one) if getattr(one, field.name)}
    assert tried == {field.name for field in fields(Filters)} == set(ledger_filters.LABELS)


@pytest.mark.parametrize("filters", FULL)
def test_a_page_reads_the_same_address_as_the_same_list(filters):
    assert saved_views.read_filters("instruments", ledger_filters.query(filters)) == filters


def test_an_empty_value_narrows_nothing():
    assert ledger_filters.read({"text": "", "status": ""}) == Filters()


@pytest.mark.parametrize("asked", FORGED)
def test_what_no_list_offers_is_refused(asked):
    with pytest.raises(Refused, match="筛选条件有误"):
        ledger_filters.read(asked)


def test_the_pages_say_none_and_cut_at_the_same_length():
    assert (narrowing.NONE, narrowing.MOST) == (ledger_filters.PLACELESS, ledger_filters.MOST)
