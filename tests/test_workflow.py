"""The one function that takes the steps of the table, and the history it writes."""

from datetime import datetime

import pytest

from db import appointments, workflow
from db.errors import Conflict, Refused
from db.models import (
    AppointmentLine,
    Institution,
    InstrumentStatus,
    LineStatus,
    RegistrationStatus,
    Role,
    StatusChange,
    Subject,
)
from tests import make


@pytest.fixture
def clerk(session):
    """A clerk of an institution authorized for pressure gauges."""
    return make.make_account(session, Role.institution)


@pytest.mark.parametrize(
    ("status", "role", "actions"),
    [
        (LineStatus.assigned, Role.institution, ["accept", "decline", "hand_back"]),
        (LineStatus.assigned, Role.supervisor, ["reassign", "cancel"]),
        (LineStatus.assigned, Role.enterprise, ["cancel"]),
        (LineStatus.unassigned, Role.enterprise, []),
        (LineStatus.unassigned, Role.supervisor, ["assign_by_hand"]),
        (LineStatus.accepted, Role.institution, ["terminate", "begin"]),
        (LineStatus.accepted, Role.enterprise, []),
        (LineStatus.in_verification, Role.institution, ["complete"]),
        (LineStatus.completed, Role.institution, []),
        (LineStatus.assigned, Role.reviewer, []),
        (LineStatus.assigned, Role.administrator, []),
    ],
)
def test_open_steps_are_the_buttons_of_a_role(status, role, actions):
    steps = workflow.open_steps(Subject.line, status, role)
    assert [step.action for step in steps] == actions


def test_no_arrow_leads_away_from_the_end():
    ends = {
        Subject.registration: {RegistrationStatus.approved, RegistrationStatus.declined},
        Subject.instrument: {InstrumentStatus.scrapped},
        Subject.line: {LineStatus.completed, LineStatus.declined, LineStatus.canceled},
    }
    for subject, statuses in ends.items():
        sources = {step.source for step in workflow.STEPS if step.subject == subject}
        assert set(workflow.STATUSES[subject]) - sources == statuses


def test_an_action_has_one_chinese_name():
    assert workflow.label_of(Subject.line, "hand_back") == "退回"
    assert workflow.label_of(Subject.registration, "send_back") == "退回补正"


def test_starting_writes_the_first_row(session):
    owner = make.make_account(session)
    workflow.start(session, Subject.line, [7, 8], "submit", owner, " 请尽快 ")
    rows = [workflow.history(session, Subject.line, id) for id in (7, 8)]
    assert [(row.action, row.source, row.target, row.note) for (row,) in rows] == [
        ("submit", None, "unassigned", "请尽快")
    ] * 2


def test_starting_is_for_the_roles_of_the_table(session, clerk):
    with pytest.raises(Refused, match="技术机构不能执行“提交申请”"):
        workflow.start(session, Subject.line, [7], "submit", clerk)
    with pytest.raises(Refused, match="未登录者不能执行“申请关联”"):
        workflow.start(session, Subject.link, [7], "request", None)


def test_the_system_needs_no_account_and_an_account_is_not_the_system(session, clerk):
    workflow.start(session, Subject.registration, [7], "submit", None)
    (row,) = workflow.history(session, Subject.registration, 7)
    assert (row.by_name, row.by_role) == (None, None)
    with pytest.raises(Refused, match="不能执行“提交注册”"):
        workflow.start(session, Subject.registration, [8], "submit", clerk)


def test_a_move_sets_the_status_its_values_and_the_history(session, clerk):
    line = make.make_line(session, clerk)
    workflow.move(
        session,
        Subject.line,
        [line],
        "decline",
        clerk,
        "量程不符",
        concerning_id=clerk.institution_id,
        institution_id=None,
    )
    session.refresh(line)
    assert (line.status, line.institution_id) == (LineStatus.declined, None)
    row = workflow.history(session, Subject.line, line.id)[-1]
    assert (row.action, row.by_name, row.by_role) == ("decline", "沈越", Role.institution)
    assert row.institution == session.get(Institution, clerk.institution_id).name


def test_a_line_remembers_when_it_moved(session, clerk, monkeypatch):
    line = make.make_line(session, clerk)
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-25T15:00:00+08:00")
    workflow.move(session, Subject.line, [line], "decline", clerk, "量程不符")
    session.refresh(line)
    assert line.moved_at == datetime.fromisoformat("2026-11-25T15:00:00+08:00")


def test_a_step_the_table_does_not_have_is_refused(session, clerk):
    line = make.make_line(session, clerk)
    with pytest.raises(Refused, match="当前状态为“待受理”，不能执行“登记结果”，请刷新后查看"):
        workflow.move(session, Subject.line, [line], "complete", clerk)
    with pytest.raises(Refused, match="当前状态为“未选择”"):
        workflow.move(session, Subject.line, [], "accept", clerk)


def test_a_step_is_for_the_roles_of_the_table(session, clerk):
    line = make.make_line(session, clerk)
    with pytest.raises(Refused, match="监管人员不能执行“受理”"):
        workflow.move(session, Subject.line, [line], "accept", make.make_account(session, Role.supervisor))
    with pytest.raises(Refused, match="未登录者不能执行“受理”"):
        workflow.move(session, Subject.line, [line], "accept", None)


def test_a_step_that_disappoints_needs_a_reason(session, clerk):
    line = make.make_line(session, clerk)
    with pytest.raises(Refused, match="请填写理由，对方将看到这段文字"):
        workflow.move(session, Subject.line, [line], "decline", clerk, " \n ")


def test_a_record_that_moved_meanwhile_is_a_conflict_and_leaves_no_trace(session, clerk):
    line = make.make_line(session, clerk)
    seen = AppointmentLine(**line.model_dump())
    appointments.decline(session, [line.id], by=clerk, reason="量程不符")
    with pytest.raises(Conflict, match="记录已被他人处理，请刷新后重试"):
        workflow.move(session, Subject.line, [seen], "accept", clerk)
    assert workflow.history(session, Subject.line, line.id)[-1].action == "decline"


def test_of_several_records_all_move_or_none_is_said_to(session, clerk):
    first, second = make.make_line(session, clerk), make.make_line(session, clerk)
    seen = [AppointmentLine(**line.model_dump()) for line in (first, second)]
    appointments.decline(session, [first.id], by=clerk, reason="量程不符")
    with pytest.raises(Conflict), session.begin_nested():
        workflow.move(session, Subject.line, seen, "accept", clerk)
    session.refresh(second)
    assert second.status == LineStatus.assigned


def test_the_latest_move_of_each_record_is_found(session, clerk):
    first, second = make.make_line(session, clerk), make.make_line(session, clerk)
    workflow.move(session, Subject.line, [first], "decline", clerk, "量程不符")
    latest = workflow.latest(session, Subject.line, [first.id, second.id, 999])
    assert {id: (row.action, row.target, row.note) for id, row in latest.items()} == {
        first.id: ("decline", "declined", "量程不符"),
        second.id: ("assign", "assigned", ""),
    }


def test_the_history_of_one_subject_is_not_that_of_another(session):
    owner = make.make_account(session)
    workflow.start(session, Subject.line, [7], "submit", owner)
    session.add(StatusChange(subject=Subject.instrument, subject_id=7, action="store", target="stored"))
    session.flush()
    assert [row.action for row in workflow.history(session, Subject.line, 7)] == ["submit"]
    assert [row.action for row in workflow.history(session, Subject.instrument, 7)] == ["store"]
