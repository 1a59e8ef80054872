"""Editions whose day has come: applied once, whoever looks first."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlmodel import select

from db import edition_application, editions, reference
from db import engine as engines
from db.models import (
    AppointmentLine,
    AuditEntry,
    Dataset,
    Division,
    Edition,
    Kind,
    LineStatus,
    Role,
    UnassignedReason,
)
from tests.make import XIHU, kind, make_account, make_appointment, make_authorization, make_institution
from tests.test_edition_differences import SCALE, changed_catalog, same

TODAY, LATER = date(2026, 11, 23), date(2027, 1, 1)


def staged(session, dataset, listed, effective_on=TODAY, **values):
    by = make_account(session, Role.administrator)
    return editions.stage(
        session, dataset, listed, by=by, name="2027 年版", effective_on=effective_on, **values
    )


def test_what_is_gone_is_retired_and_names_its_successor(session):
    old = kind(session, SCALE)
    staged(session, Dataset.catalog, changed_catalog(session), successors={SCALE: "91499"})
    session.expire_all()
    new = kind(session, "91499")
    assert (old.retired_on, old.successor_id) == (TODAY, new.id)
    assert (new.name, new.category_id, new.retired_on) == (old.name, old.category_id, None)
    assert (new.source_grade, new.source) == ("A", "2027 年版")
    assert kind(session).interval_months == 12


def test_a_successor_that_is_retired_in_its_turn_is_followed(session):
    older = Kind(
        code="91400",
        name="旧秤",
        category_id=kind(session).category_id,
        edition_id=reference.edition(session, Dataset.catalog).id,
        retired_on=date(2025, 1, 1),
        successor_id=kind(session, SCALE).id,
    )
    session.add(older)
    session.flush()
    staged(session, Dataset.catalog, changed_catalog(session), successors={SCALE: "91499"})
    session.expire_all()
    assert older.successor_id == kind(session, "91499").id


def test_divisions_are_added_renamed_and_retired(session):
    listed = same(session, Dataset.divisions)
    gone = listed.rows.pop("330105")
    listed.rows["330115"] = gone | {"code": "330115", "full_name": "浙江省杭州市拱墅区"}
    listed.rows[XIHU] |= {"name": "西湖新区", "full_name": "浙江省杭州市西湖新区"}
    staged(session, Dataset.divisions, listed, successors={"330105": "330115"})
    session.expire_all()
    old = session.get_one(Division, "330105")
    assert (old.retired_on, old.successor_code) == (TODAY, "330115")
    assert session.get_one(Division, XIHU).name == "西湖新区"
    assert session.get_one(Division, "330115").parent_code == "330100"


def test_a_code_that_comes_back_is_in_force_again(session):
    first, second = changed_catalog(session), same(session)
    staged(session, Dataset.catalog, first, successors={SCALE: "91499"})
    staged(session, Dataset.catalog, second)
    session.expire_all()
    old = kind(session, SCALE)
    assert (old.retired_on, old.successor_id) == (None, None)


def test_lines_without_an_institution_are_tried_again(session):
    institution = make_institution(session)
    make_appointment(session)
    line = session.exec(select(AppointmentLine)).one()
    assert line.unassigned_reason == UnassignedReason.no_institution
    make_authorization(session, institution)
    staged(session, Dataset.catalog, changed_catalog(session))
    session.expire_all()
    assert line.status == LineStatus.assigned


def test_an_edition_is_applied_on_its_day_and_once(database, monkeypatch):
    with engines.transaction() as session:
        edition = staged(session, Dataset.catalog, changed_catalog(session), effective_on=LATER)
    assert edition_application.apply_due() == 0
    monkeypatch.setenv("YUEJIAN_NOW", "2027-01-01T00:05:00+08:00")
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: edition_application.apply_due(), range(4)))
    assert sum(applied) == 1
    assert edition_application.apply_due() == 0
    with engines.reading() as session:
        assert reference.edition(session, Dataset.catalog).id == edition.id
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "基础数据版本生效")).all()
    assert [entry.after for entry in entries] == [{"added": 1, "changed": 1, "retired": 1}]


def test_a_canceled_edition_is_not_applied(session):
    edition = staged(session, Dataset.catalog, changed_catalog(session), effective_on=LATER)
    editions.cancel(session, edition.id, by=make_account(session, Role.administrator))
    assert not edition_application.apply(session, edition.id)
    assert kind(session).interval_months == 6


def test_the_earliest_day_comes_first(session):
    divisions = same(session, Dataset.divisions)
    divisions.rows[XIHU]["name"] = "西湖新区"
    late = staged(session, Dataset.catalog, changed_catalog(session), effective_on=LATER)
    early = staged(session, Dataset.divisions, divisions, effective_on=date(2026, 12, 1))
    assert [one.id for one in session.exec(edition_application.waiting())] == [early.id, late.id]
    assert session.exec(select(Edition.id).where(edition_application.is_waiting())).all() == [
        late.id,
        early.id,
    ]


@pytest.mark.parametrize("trouble", [False, True])
def test_the_look_each_minute_goes_on_whatever_happens(monkeypatch, trouble):
    stop, looks = threading.Event(), []

    def look():
        looks.append(1)
        if len(looks) == 2:
            stop.set()
        if trouble:
            raise OSError("disk full")
        return 0

    monkeypatch.setattr(edition_application, "EVERY", 0.001)
    monkeypatch.setattr(edition_application, "apply_due", look)
    edition_application.keep_applied(stop)
    assert len(looks) == 2
