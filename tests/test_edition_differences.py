"""What a new edition would change, before it does."""

import copy

import pytest

from catalog.list_files import ListFile
from db import edition_differences
from db.errors import Refused
from db.models import Dataset, Role
from tests.make import XIHU, kind, make_account, make_authorization, make_institution, make_line

SCALE = "91401"


def same(session, dataset=Dataset.catalog):
    """The list in force, as a file would hold it."""
    return ListFile(rows=copy.deepcopy(edition_differences.in_force(session, dataset)))


def changed_catalog(session):
    """The catalog with one kind less, one more, and another interval for pressure gauges."""
    listed = same(session)
    gone = listed.rows.pop(SCALE)
    listed.rows["91499"] = gone | {"code": "91499"}
    listed.rows["91101"]["interval_months"] = 12
    return listed


@pytest.fixture
def administrator(session):
    return make_account(session, Role.administrator)


def test_the_list_in_force_has_no_differences(session, administrator):
    for dataset in Dataset:
        found = edition_differences.find(session, dataset, same(session, dataset), by=administrator)
        assert found.is_empty and found.unchanged == len(same(session, dataset).rows)


def test_changes_are_told_cell_by_cell(session, administrator):
    found = edition_differences.find(session, Dataset.catalog, changed_catalog(session), by=administrator)
    (change,) = found.changed
    assert (change.code, change.label, change.before, change.after) == ("91101", "检定周期（月）", "6", "12")
    assert [code for code, _ in found.added] == ["91499"]
    assert [row.code for row in found.retired] == [SCALE]


def test_a_retired_kind_says_what_depends_on_it(session, administrator):
    line = make_line(session)
    make_authorization(session, make_institution(session), kind_id=kind(session).id)
    listed = same(session)
    del listed.rows["91101"]
    (row,) = edition_differences.find(session, Dataset.catalog, listed, by=administrator).retired
    assert line.kind_id == kind(session).id
    assert (row.instrument_count, row.authorization_count, row.line_count) == (1, 1, 1)


def test_a_retired_division_says_what_depends_on_it(session, administrator):
    make_line(session)
    listed = same(session, Dataset.divisions)
    del listed.rows[XIHU]
    (row,) = edition_differences.find(session, Dataset.divisions, listed, by=administrator).retired
    assert (row.instrument_count, row.authorization_count, row.line_count) == (1, 1, 1)


def test_the_same_name_is_suggested_as_successor(session, administrator):
    found = edition_differences.find(session, Dataset.catalog, changed_catalog(session), by=administrator)
    assert found.retired[0].suggestion == "91499"


def test_the_successor_of_the_file_goes_before_the_same_name(session, administrator):
    listed = changed_catalog(session)
    listed.successors[SCALE] = "91101"
    found = edition_differences.find(session, Dataset.catalog, listed, by=administrator)
    assert found.retired[0].suggestion == "91101"


def test_values_are_told_in_words():
    assert edition_differences.shown("verification_mode", "periodic") == "周期检定"
    assert edition_differences.shown("supervision", "P+V") == "型式批准、强制检定"
    assert edition_differences.shown("interval_months", None) == ""


def test_differences_are_for_administrators(session):
    with pytest.raises(Refused):
        edition_differences.find(
            session, Dataset.catalog, same(session), by=make_account(session, Role.supervisor)
        )
