"""更正申请: who may ask and decide, what is refused, and what the ledger says afterwards."""

from datetime import date

import pytest
from sqlmodel import select

from db import attachments, audit, corrections, history, instruments, workflow
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Conclusion,
    Correction,
    CorrectionStatus,
    Enterprise,
    Instrument,
    Role,
    Subject,
)
from tests import make

OLD, NEW = date(2027, 1, 31), date(2027, 7, 31)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.fixture
def owner(session):
    """王芳 of the boiler works."""
    return make.make_account(session, full_name="王芳")


@pytest.fixture
def gauge(session, owner):
    """A gauge of the boiler works with a certificate."""
    return make.make_instrument(session, owner, valid_until=OLD, serial_number="HY37")


@pytest.fixture
def supervisor(session):
    """沈越, who supervises 杭州."""
    return make.make_account(session, Role.supervisor)


def ask(session, gauge, by, valid_until=NEW, **values):
    """A request with a photograph of the certificate."""
    proof = {"reason": "录入时看错了月份", "file_name": "证书.png", "content": PNG, **values}
    return corrections.request(session, gauge.id, valid_until, by=by, **proof)


def linked(session, owner, **rights):
    """A person linked to the enterprise of `owner`."""
    person = make.make_account(session, Role.personal)
    make.make_link(session, person, session.get_one(Enterprise, owner.enterprise_id), **rights)
    return person


def test_a_request_keeps_what_the_ledger_says_and_leaves_it_alone(session, owner, gauge):
    asked = ask(session, gauge, owner)
    assert (asked.status, asked.before, asked.valid_until) == (CorrectionStatus.requested, OLD, NEW)
    assert session.get_one(Instrument, gauge.id).valid_until == OLD
    (move,) = workflow.history(session, Subject.correction, asked.id)
    assert (move.action, move.by_name, move.note) == ("request", "王芳", "录入时看错了月份")


def test_the_kind_of_the_proof_is_read_from_its_bytes(session, owner, gauge):
    asked = ask(session, gauge, owner, file_name="证书.txt", content=b"%PDF-1.7 ...")
    kept = attachments.readable(session, asked.attachment_id, by=owner)
    assert (kept.media_type, kept.name) == ("application/pdf", "证书.txt")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<svg xmlns='x'/>", b"MZ", b" %PDF-1.7"])
def test_anything_but_a_picture_or_pdf_is_refused(session, owner, gauge, content):
    with pytest.raises(Refused) as refusal:
        ask(session, gauge, owner, file_name="证书.png", content=content)
    assert set(refusal.value.problems) == {"attachment"}


def test_a_proof_beyond_10_mb_is_refused(session, owner, gauge, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_PROOF_BYTES", 1 << 20)
    with pytest.raises(Refused, match="不能超过 1 MB"):
        ask(session, gauge, owner, content=PNG + b"\0" * (1 << 20))


@pytest.mark.parametrize(
    ("valid_until", "sentence"),
    [
        (OLD, "与现在的相同"),
        (date(2026, 11, 19), "最近一次检定"),
        (date(2046, 11, 24), "20 年"),
        (date(2127, 1, 1), "2099"),
        ("2027-07-31", "请选择"),
    ],
)
def test_a_day_that_cannot_be_meant_is_refused(session, owner, gauge, valid_until, sentence):
    clerk = make.make_account(session, Role.institution)
    instruments.move_validity(session, gauge, OLD, date(2026, 11, 20), Conclusion.passed, clerk)
    with pytest.raises(Refused, match=sentence) as refusal:
        ask(session, gauge, owner, valid_until)
    assert set(refusal.value.problems) == {"valid_until"}


def test_a_day_before_the_purchase_is_refused(session, owner):
    bought = make.make_instrument(session, owner, valid_until=OLD, purchased_on=date(2026, 5, 1))
    with pytest.raises(Refused, match="购置时间"):
        ask(session, bought, owner, date(2026, 4, 30))


def test_all_that_is_wrong_is_said_at_once(session, owner, gauge):
    with pytest.raises(Refused) as refusal:
        ask(session, gauge, owner, OLD, reason=" ", content=b"")
    assert set(refusal.value.problems) == {"valid_until", "reason", "attachment"}


def test_without_a_date_there_is_nothing_to_correct(session, owner):
    blank = make.make_instrument(session, owner)
    with pytest.raises(Refused, match="直接用“修改”填写"):
        ask(session, blank, owner)


def test_a_scrapped_instrument_is_left_as_it_is(session, owner, gauge):
    instruments.change_status(session, [gauge.id], "scrap", by=owner, reason="损坏")
    with pytest.raises(Refused, match="已报废"):
        ask(session, gauge, owner)


def test_one_request_waits_at_a_time(session, owner, gauge):
    ask(session, gauge, owner)
    with pytest.raises(Conflict, match="待审批"):
        ask(session, gauge, owner, date(2027, 8, 31))


def test_the_database_itself_holds_one_open_request(session, owner, gauge, monkeypatch):
    ask(session, gauge, owner)
    monkeypatch.setattr(corrections, "_waits", lambda id: select(Correction.id).where(False).exists())
    with pytest.raises(Conflict, match="待审批"):
        ask(session, gauge, owner, date(2027, 8, 31))


def test_a_colleague_and_a_person_with_the_right_to_edit_may_ask(session, owner, gauge, supervisor):
    for by in (
        make.make_account(session, enterprise_id=owner.enterprise_id),
        linked(session, owner, can_edit=True),
    ):
        asked = ask(session, gauge, by)
        corrections.decline(session, asked.id, by=supervisor, reason="照片看不清")


def test_a_person_without_the_right_to_edit_may_not(session, owner, gauge):
    with pytest.raises(Refused, match="未授予"):
        ask(session, gauge, linked(session, owner, can_edit=False, can_book=True))


@pytest.mark.parametrize(
    "role", [Role.enterprise, Role.personal, Role.institution, Role.reviewer, Role.supervisor]
)
def test_strangers_and_staff_cannot_ask(session, gauge, role):
    with pytest.raises(Refused):
        ask(session, gauge, make.make_account(session, role))


def test_a_request_withdrawn_leaves_the_ledger_alone_and_the_way_open(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner)
    corrections.withdraw(session, asked.id, by=owner)
    assert session.get_one(Instrument, gauge.id).valid_until == OLD
    assert [one["action"] for one in audit.waiting(session) if "撤回" in one["action"]] == ["撤回"]
    (row,) = corrections.page(session, by=supervisor, status=CorrectionStatus.withdrawn)
    assert (row.id, row.answer) == (asked.id, "")
    with pytest.raises(Refused, match="已撤回"):
        corrections.approve(session, asked.id, by=supervisor)
    assert ask(session, gauge, owner).status == CorrectionStatus.requested


def test_a_request_answered_is_not_withdrawn(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner)
    corrections.decline(session, asked.id, by=supervisor, reason="照片看不清")
    with pytest.raises(Refused, match="不予更正"):
        corrections.withdraw(session, asked.id, by=owner)


def test_the_enterprise_withdraws_what_a_person_asked_and_nobody_else_does(session, owner, gauge, supervisor):
    person, colleague = (linked(session, owner, can_edit=True) for _ in range(2))
    asked = ask(session, gauge, person)
    for by in (colleague, supervisor):
        with pytest.raises(Refused):
            corrections.withdraw(session, asked.id, by=by)
    with pytest.raises(NotFound):
        corrections.withdraw(session, asked.id, by=make.make_account(session))
    corrections.withdraw(session, asked.id, by=owner)
    *_, last = (one for one in audit.waiting(session) if one["subject"] == "correction")
    assert (last["action"], last["account_id"]) == ("撤回", owner.id)


def test_approval_writes_the_ledger_its_history_and_the_audit_log(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner)
    version = gauge.version
    changed = corrections.approve(session, asked.id, by=supervisor, reason="证书属实")
    assert (changed.valid_until, changed.version) == (NEW, version + 1)
    newest = history.of_instrument(session, gauge.id, by=owner)[0]
    assert (newest.action, newest.changes) == ("更正有效期", {"valid_until": ["2027-01-31", "2027-07-31"]})
    assert newest.note == "使用单位 王芳 申请：录入时看错了月份；审批意见：证书属实"
    asked, agreed = (one for one in audit.waiting(session) if one["subject"] == "correction")
    assert (asked["action"], asked["account_id"]) == ("申请更正", owner.id)
    assert (agreed["action"], agreed["account_id"]) == ("同意更正", supervisor.id)
    assert (agreed["before"], agreed["after"]["valid_until"]) == (
        {"valid_until": "2027-01-31"},
        "2027-07-31",
    )


def test_a_date_may_be_taken_away(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner, None)
    assert corrections.approve(session, asked.id, by=supervisor).valid_until is None


def test_after_a_result_the_request_can_only_be_declined(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner)
    clerk = make.make_account(session, Role.institution)
    instruments.move_validity(session, gauge, date(2027, 5, 20), date(2026, 11, 21), Conclusion.passed, clerk)
    with pytest.raises(Refused, match=r"2027-01-31 变为 2027-05-20.*不予更正"):
        corrections.approve(session, asked.id, by=supervisor)
    corrections.decline(session, asked.id, by=supervisor, reason="已登记新的检定结果")
    assert session.get_one(Instrument, gauge.id).valid_until == date(2027, 5, 20)


def test_a_rejection_recorded_meanwhile_makes_an_earlier_day_impossible(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner, date(2026, 11, 20))
    clerk = make.make_account(session, Role.institution)
    instruments.move_validity(session, gauge, None, date(2026, 11, 21), Conclusion.rejected, clerk)
    with pytest.raises(Refused, match="最近一次检定"):
        corrections.approve(session, asked.id, by=supervisor)


def test_an_instrument_scrapped_meanwhile_is_not_corrected(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner)
    instruments.change_status(session, [gauge.id], "scrap", by=owner, reason="损坏")
    with pytest.raises(Refused, match="已报废"):
        corrections.approve(session, asked.id, by=supervisor)


def test_a_refusal_needs_a_reason_and_opens_the_way_to_ask_again(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner)
    with pytest.raises(Refused, match="请填写理由"):
        corrections.decline(session, asked.id, by=supervisor, reason=" ")
    corrections.decline(session, asked.id, by=supervisor, reason="照片看不清")
    again = ask(session, gauge, owner)
    rows = corrections.page(session, by=owner, instrument_id=gauge.id)
    assert [(row.id, row.status, row.answer) for row in rows] == [
        (again.id, CorrectionStatus.requested, None),
        (asked.id, CorrectionStatus.declined, "照片看不清"),
    ]


def test_a_request_is_decided_once(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner)
    corrections.approve(session, asked.id, by=supervisor)
    for act in (corrections.approve, corrections.decline):
        with pytest.raises(Refused):
            act(session, asked.id, by=supervisor, reason="再来一次")


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.reviewer])
def test_nobody_but_a_supervisor_decides(session, owner, gauge, role):
    asked = ask(session, gauge, owner)
    by = owner if role == Role.enterprise else make.make_account(session, role)
    for act in (corrections.approve, corrections.decline):
        with pytest.raises(Refused, match="不能执行"):
            act(session, asked.id, by=by, reason="同意")


def test_a_supervisor_of_another_district_sees_and_decides_nothing(session, owner, gauge):
    asked = ask(session, gauge, owner)
    stranger = make.make_account(session, Role.supervisor, division_code="330108")
    assert corrections.page(session, by=stranger) == []
    assert corrections.counts(session, by=stranger)[CorrectionStatus.requested] == 0
    for act in (corrections.approve, corrections.decline):
        with pytest.raises(NotFound):
            act(session, asked.id, by=stranger, reason="同意")


def test_the_queue_is_oldest_first_and_what_was_decided_latest_first(session, owner, supervisor, monkeypatch):
    asked = []
    for hour in (10, 9, 11):
        monkeypatch.setenv("YUEJIAN_NOW", f"2026-11-24T{hour:02}:00:00+08:00")
        gauge = make.make_instrument(session, owner, valid_until=OLD)
        asked.append(ask(session, gauge, owner).id)
    first, second, third = asked
    queue = corrections.page(session, by=supervisor, status=CorrectionStatus.requested)
    assert [row.id for row in queue] == [second, first, third]
    assert [row.id for row in corrections.page(session, by=owner)] == [third, first, second]
    pages = [corrections.page(session, by=owner, number=n, size=2) for n in (1, 2)]
    assert [row.id for rows in pages for row in rows] == [third, first, second]


def test_lists_follow_enterprise_and_status(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner)
    other = make.make_account(session)
    theirs = ask(session, make.make_instrument(session, other, valid_until=OLD), other)
    corrections.approve(session, theirs.id, by=supervisor)
    (row,) = corrections.page(session, by=supervisor, enterprise_id=owner.enterprise_id)
    assert (row.id, row.current, row.applicant, row.file_name) == (asked.id, OLD, "王芳", "证书.png")
    assert corrections.counts(session, by=supervisor) == {
        CorrectionStatus.requested: 1,
        CorrectionStatus.approved: 1,
        CorrectionStatus.declined: 0,
        CorrectionStatus.withdrawn: 0,
    }
    assert [one.id for one in corrections.page(session, by=owner)] == [asked.id]


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.reviewer])
def test_strangers_see_no_requests_and_no_proof(session, owner, gauge, role):
    asked = ask(session, gauge, owner)
    stranger = make.make_account(session, role)
    assert corrections.page(session, by=stranger) == []
    with pytest.raises(NotFound):
        attachments.readable(session, asked.attachment_id, by=stranger)


def test_owners_side_and_supervisors_of_the_place_see_the_proof(session, owner, gauge, supervisor):
    asked = ask(session, gauge, owner)
    for by in (owner, linked(session, owner), supervisor):
        assert attachments.readable(session, asked.attachment_id, by=by).id == asked.attachment_id
    away = make.make_account(session, Role.supervisor, division_code="330108")
    with pytest.raises(NotFound):
        attachments.readable(session, asked.attachment_id, by=away)


def test_a_file_of_no_record_is_nobodys(session, owner):
    lonely = attachments.add(session, "证书.png", PNG, "image/png", by=owner)
    with pytest.raises(NotFound):
        attachments.readable(session, lonely.id, by=owner)
