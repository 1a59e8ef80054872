"""审计日志 on the screen, 变更历史 with 恢复, and 查看完整信息."""

import pytest
from sqlmodel import select

from db import audit, instruments
from db.engine import reading, transaction
from db.models import AuditEntry, Instrument, Role
from tests.make import make_account, make_institution, make_instrument
from tests.screens import press, refusals, said, sound, tick, visit, write

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow


@pytest.fixture
def administrator(sqlite):
    with transaction() as session:
        return make_account(session, Role.administrator, full_name="俞志明")


def entries(action):
    """The entries of that action."""
    with reading() as session:
        return session.exec(select(AuditEntry).where(AuditEntry.action == action)).all()


def test_the_log_shows_what_was_done_and_is_narrowed(administrator, monkeypatch):
    with transaction() as session:
        audit.attribute(session, by=administrator, address="10.0.0.7")
        make_institution(session, "西湖区计量检定所")
        audit.record(session, "导出台账")
    shown = sound(visit(monkeypatch, administrator, "audit"))
    assert "新增技术机构" in list(shown.dataframe[0].value["动作"])
    write(shown, "动作", "导出")
    assert list(sound(shown.run()).dataframe[0].value["动作"]) == ["导出台账"]
    write(shown, "动作", "没有这样的")
    assert "没有符合条件的记录" in said(sound(shown.run()))


def test_a_verification_says_that_the_log_is_whole(administrator, monkeypatch):
    shown = sound(press(visit(monkeypatch, administrator, "audit"), "校验日志"))
    assert "日志完好" in shown.success[0].value
    assert len(entries("校验日志")) == 1


def test_a_change_of_the_ledger_is_restored_after_a_second_look(sqlite, monkeypatch):
    with transaction() as session:
        owner = make_account(session)
        gauge = make_instrument(session, owner)
        instruments.edit(session, gauge.id, gauge.version, {"location": "水泵房"}, by=owner)
    shown = sound(visit(monkeypatch, owner, "instrument", id=str(gauge.id)))
    press(shown, "恢复")
    assert "安装/使用地点：改回 锅炉房" in said(shown)
    # Without a browser each run draws the dialog anew.
    for label in ("恢复", "确定恢复"):
        next(one for one in shown.button if one.label == label).click()
    sound(shown.run())
    with reading() as session:
        assert session.get_one(Instrument, gauge.id).location == "锅炉房"
    (entry,) = entries("恢复")
    assert (entry.account_id, entry.place) == (owner.id, "器具详情")


def test_a_hidden_number_is_shown_for_a_reason(administrator, monkeypatch):
    with transaction() as session:
        clerk = make_account(session, Role.reviewer, full_name="李敏", mobile="13900139000")
    shown = sound(visit(monkeypatch, administrator, "accounts"))
    numbers = list(shown.dataframe[0].value["手机号"])
    assert "139****9000" in numbers
    tick(shown, numbers.index("139****9000"))
    assert "13900139000" not in said(shown)
    assert refusals(press(shown, "查看")) == ["请填写“查看理由”"]
    write(shown, "查看理由", "电话核实账号")
    assert "手机号：13900139000" in said(press(shown, "查看"))
    assert "13900139000" not in said(sound(shown.run()))
    (entry,) = entries("查看完整信息")
    assert (entry.subject_id, entry.note) == (clerk.id, "电话核实账号")
