"""数据质量 on the screen: every number opens the list with exactly its rows."""

from datetime import date
from urllib.parse import parse_qsl

import pytest
from sqlmodel import select

from db import batches, quality
from db.engine import reading, transaction
from db.models import Batch, Division, Kind, Role
from tests.make import kind, make_account, make_instrument, make_legacy_instrument
from tests.screens import press, said, sound, total, visit

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow


@pytest.fixture
def owner(sqlite):
    """The account of a boiler works with a sound instrument."""
    with transaction() as session:
        account = make_account(session)
        make_instrument(session, account)
        return account


@pytest.fixture
def messy(owner):
    """A ledger with rows of most findings, among them a retired kind and division with successors."""
    with transaction() as session:
        scale = kind(session, "90201")
        for values in (
            {"kind_id": None},
            {"kind_id": scale.id},
            {"division_code": None},
            {"division_code": "330108"},
            {"division_code": "330108"},
            {"division_code": "330100"},
            {"serial_number": "HY-A"},
            {"serial_number": "HY-A"},
            {"quantity": 3},
            {"valid_until": date(2028, 1, 1)},
            {"serial_number": "6.37702E+15"},
        ):
            make_legacy_instrument(session, owner, **values)
        retired = {"retired_on": date(2026, 1, 1)}
        session.get_one(Kind, scale.id).sqlmodel_update(retired | {"successor_id": kind(session).id})
        session.get_one(Division, "330108").sqlmodel_update(retired | {"successor_code": "330106"})
    return owner


def links(shown) -> list[tuple[str, str, dict[str, str]]]:
    """What each link says, and the page and query behind it."""
    found = [element.proto for element in shown.get("page_link")]
    return [(one.label, one.page, dict(parse_qsl(one.query_string))) for one in found if one.query_string]


@pytest.mark.parametrize(
    ("role", "name", "listed"),
    [
        (Role.enterprise, "ledger_quality", "ledger"),
        (Role.supervisor, "quality", "instruments"),
        (Role.reviewer, "quality", "instruments"),
    ],
)
def test_each_number_opens_exactly_its_rows(messy, monkeypatch, role, name, listed):
    with transaction() as session:
        account = messy if role == Role.enterprise else make_account(session, role)
    with reading() as session:
        expected = {key: number for key, number in quality.counts(session, by=account).items() if number}
    assert len(expected) == 9
    found = [link for link in links(visit(monkeypatch, account, name)) if "quality" in link[2]]
    opened = {
        query["quality"]: total(visit(monkeypatch, account, page, **query))
        for _, page, query in found
        if set(query) == {"quality"}
    }
    assert {page for _, page, _ in found} == {listed}
    assert opened == expected


def test_what_is_retired_names_its_successor_and_opens_its_rows(messy, monkeypatch):
    shown = visit(monkeypatch, messy, "ledger_quality")
    detailed = {label: query for label, _, query in links(shown) if len(query) == 2}
    assert len(detailed) == 2
    for label, query in detailed.items():
        number = 2 if "division" in query else 1
        assert label.startswith(f"{number} 台") and "→ 改为" in label
        assert total(visit(monkeypatch, messy, "ledger", **query)) == number


def test_a_retired_value_gives_way_to_its_successor_in_one_step_that_can_be_undone(messy, monkeypatch):
    shown = visit(monkeypatch, messy, "ledger_quality")
    sound(shown.button(key="successor-330108").click().run())
    assert [one.value for one in shown.metric] == ["2 台", "0 台", "0 台"]
    assert "2 台 · 浙江省杭州市滨江区 → 改为 浙江省杭州市西湖区" in said(shown)
    # Without a browser the dialog closes after each run: both buttons go in one.
    shown.button(key="successor-330108").click()
    press(shown, "确定修改 2 台")
    with reading() as session:
        assert quality.counts(session, by=messy)["retired_division"] == 0
        (batch,) = session.exec(select(Batch)).all()
        assert batch.options == {"field": "division_code", "value": "330106"}
    with transaction() as session:
        assert batches.undo(session, batch.id, by=messy).restored == 2
        assert quality.counts(session, by=messy)["retired_division"] == 2


def test_only_the_owner_is_offered_successors(messy, monkeypatch):
    with transaction() as session:
        supervisor = make_account(session, Role.supervisor)
    offered = []
    for account, name in ((messy, "ledger_quality"), (supervisor, "quality")):
        offered.append(
            [button.label for button in visit(monkeypatch, account, name).button].count("改为后继项")
        )
    assert offered == [2, 0]


def test_the_owner_is_told_how_to_mend_it(messy, monkeypatch):
    shown = said(visit(monkeypatch, messy, "ledger_quality"))
    assert "怎样改：改为现行种别" in shown
    assert "其余 2 项检查没有发现问题" in shown
    assert "改为现行种别" in said(visit(monkeypatch, messy, "ledger", quality="retired_kind"))


def test_a_sound_ledger_has_no_findings_and_home_is_silent(owner, messy, monkeypatch):
    with transaction() as session:
        other = make_account(session)
        make_instrument(session, other)
    assert "没有发现问题" in said(visit(monkeypatch, other, "ledger_quality"))
    silent, warned = (visit(monkeypatch, one, "enterprise_home") for one in (other, messy))
    assert not [label for label, page, _ in links(silent) if "可能有误" in label]
    labels = [element.proto.label for element in warned.get("page_link")]
    assert "台账中有 11 处信息可能有误，请核对" in labels


def test_an_area_without_findings_says_so(owner, monkeypatch):
    with transaction() as session:
        supervisor = make_account(session, Role.supervisor)
    assert "没有发现问题" in said(visit(monkeypatch, supervisor, "quality"))
