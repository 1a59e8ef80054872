"""更正申请 and 更正审批 on the screen, without a browser."""

from datetime import date

import pytest

from db import corrections, instruments
from db.engine import reading, transaction
from db.models import Conclusion, Correction, CorrectionStatus, Enterprise, Instrument, Role
from tests.make import make_account, make_instrument, make_link
from tests.screens import press, refusals, said, sound, tick, total, visit, write
from tests.test_corrections import NEW, OLD, PNG, ask

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow


@pytest.fixture
def owner(sqlite):
    """王芳 of a boiler works in 西湖区."""
    with transaction() as session:
        return make_account(session, full_name="王芳")


@pytest.fixture
def supervisor(sqlite):
    """沈越, who supervises 杭州."""
    with transaction() as session:
        return make_account(session, Role.supervisor, full_name="沈越")


@pytest.fixture
def gauge(owner):
    """A gauge with a certificate."""
    with transaction() as session:
        return make_instrument(session, owner, valid_until=OLD, serial_number="HY37")


@pytest.fixture
def asked(owner, gauge):
    """A request that waits."""
    with transaction() as session:
        return ask(session, session.get_one(Instrument, gauge.id), owner)


def stored(model, id):
    with reading() as session:
        return session.get_one(model, id)


def buttons(shown) -> dict[str, bool]:
    """The buttons, and whether each may be pressed."""
    return {one.label: not one.disabled for one in shown.button}


def open_dialog(shown):
    """Press 申请更正."""
    return sound(next(one for one in shown.button if one.label == "申请更正").click().run())


def test_an_owner_asks_with_a_proof(owner, gauge, monkeypatch):
    shown = open_dialog(visit(monkeypatch, owner, "instrument", id=str(gauge.id)))
    next(one for one in shown.date_input if one.label.startswith("更正后")).set_value(NEW)
    write(shown, "更正理由", "录入时看错了月份")
    shown.file_uploader[0].set_value(("证书.png", PNG, "image/png"))
    # Without a browser each run draws the dialog anew.
    next(one for one in shown.button if one.label == "申请更正").click()
    next(one for one in shown.button if one.label == "提交申请").click()
    shown = sound(shown.run())
    made = stored(Correction, 1)
    assert (made.before, made.valid_until, made.reason) == (OLD, NEW, "录入时看错了月份")
    shown = visit(monkeypatch, owner, "instrument", id=str(gauge.id))
    assert "待审批" in said(shown) and "2027\\-01\\-31 → 2027\\-07\\-31" in said(shown)
    assert not buttons(shown)["申请更正"]


def test_no_day_is_not_a_wish_to_remove_it(owner, gauge, monkeypatch):
    shown = open_dialog(visit(monkeypatch, owner, "instrument", id=str(gauge.id)))
    next(one for one in shown.button if one.label == "申请更正").click()
    next(one for one in shown.button if one.label == "提交申请").click()
    shown = sound(shown.run())
    assert refusals(shown) == ["请选择“更正后的有效期至”，或勾选“删去有效期至”"]


def test_without_a_date_or_for_others_there_is_nothing_to_ask(owner, supervisor, gauge, monkeypatch):
    with transaction() as session:
        blank = make_instrument(session, owner)
    assert not buttons(visit(monkeypatch, owner, "instrument", id=str(blank.id)))["申请更正"]
    assert "申请更正" not in buttons(visit(monkeypatch, supervisor, "instrument", id=str(gauge.id)))


def test_an_applicant_withdraws_and_may_ask_again(owner, gauge, asked, monkeypatch):
    shown = visit(monkeypatch, owner, "instrument", id=str(gauge.id))
    shown = press(shown, "确定撤回")
    assert stored(Correction, asked.id).status == CorrectionStatus.withdrawn
    shown = visit(monkeypatch, owner, "instrument", id=str(gauge.id))
    assert "申请人已撤回" in said(shown) and buttons(shown)["申请更正"]


def test_staff_have_nothing_to_withdraw(supervisor, gauge, asked, monkeypatch):
    assert "确定撤回" not in buttons(visit(monkeypatch, supervisor, "instrument", id=str(gauge.id)))


def test_the_list_of_an_owner_tells_state_and_answer(owner, asked, supervisor, monkeypatch):
    with transaction() as session:
        corrections.decline(session, asked.id, by=supervisor, reason="照片看不清")
        other = make_account(session)
        ask(session, make_instrument(session, other, valid_until=OLD), other)
        person = make_account(session, Role.personal)
        make_link(session, person, session.get_one(Enterprise, owner.enterprise_id))
    for account in (owner, person):
        shown = visit(monkeypatch, account, "corrections")
        assert total(shown) == 1
        assert list(shown.dataframe[0].value["审批意见"]) == ["照片看不清"]
        shown = tick(shown, 0)
        assert "审批意见：照片看不清" in said(shown)
        assert "打开器具详情，可再次申请" in [one.proto.label for one in shown.get("page_link")]


def test_an_owner_without_requests_is_told_where_to_ask(owner, monkeypatch):
    assert "还没有更正申请" in said(visit(monkeypatch, owner, "corrections"))


def test_the_supervisor_reads_the_proof_and_approves(owner, gauge, asked, supervisor, monkeypatch):
    shown = visit(monkeypatch, supervisor, "correction_review")
    assert "更正理由：录入时看错了月份" in said(shown)
    pictures = [one.proto.body for one in shown.get("html") if "<img" in one.proto.body]
    assert len(pictures) == 1 and f'src="/attachments/{asked.attachment_id}"' in pictures[0]
    press(shown, "同意更正")
    assert stored(Instrument, gauge.id).valid_until == NEW
    shown = visit(monkeypatch, owner, "instrument", id=str(gauge.id))
    assert "更正有效期" in said(shown) and "有效期至：2027-01-31 → 2027-07-31" in said(shown)


@pytest.mark.parametrize("picked", [0, 1])
def test_what_a_colleague_decided_meanwhile_opens_no_other(owner, asked, supervisor, monkeypatch, picked):
    with transaction() as session:
        other = ask(session, make_instrument(session, owner, valid_until=OLD, serial_number="HY38"), owner)
    shown = visit(monkeypatch, supervisor, "correction_review")
    shown = tick(shown, picked) if picked else shown
    with transaction() as session:
        decided, left = (other, asked) if picked else (asked, other)
        corrections.decline(session, decided.id, by=supervisor, reason="照片看不清")
    for _ in range(2):
        shown = press(shown, "同意更正") if "同意更正" in buttons(shown) else sound(shown.run())
        assert "请在上表中选中一条申请" in said(shown) and "同意更正" not in buttons(shown)
    assert stored(Correction, left.id).status == CorrectionStatus.requested
    press(tick(shown, 0), "同意更正")
    assert stored(Correction, left.id).status == CorrectionStatus.approved


def test_declining_asks_for_a_reason(asked, supervisor, monkeypatch):
    shown = press(visit(monkeypatch, supervisor, "correction_review"), "不予更正")
    assert refusals(shown) == ["请填写理由，对方将看到这段文字"]
    write(shown, "审批意见（不予更正时必填，申请人可见）", "照片看不清")
    shown = press(shown, "不予更正")
    assert stored(Correction, asked.id).status == CorrectionStatus.declined
    assert "没有待审批的更正申请" in said(shown)
    decided = visit(monkeypatch, supervisor, "correction_review", status="declined")
    assert list(decided.dataframe[0].value["审批意见"]) == ["照片看不清"]


def test_a_result_recorded_meanwhile_is_announced_and_blocks(asked, gauge, supervisor, monkeypatch):
    with transaction() as session:
        clerk = make_account(session, Role.institution)
        row = session.get_one(Instrument, gauge.id)
        day = date(2026, 11, 20)
        instruments.move_validity(session, row, date(2027, 5, 19), day, Conclusion.passed, clerk)
    shown = visit(monkeypatch, supervisor, "correction_review")
    assert "不能再同意" in said(shown)
    shown = press(shown, "同意更正")
    assert "请选择“不予更正”并说明" in refusals(shown)[0].replace("\\", "")


def test_the_home_page_counts_what_waits(asked, supervisor, monkeypatch):
    shown = visit(monkeypatch, supervisor, "bureau_home")
    assert next(one.value for one in shown.metric if one.label == "待审批的更正") == "1"


def test_a_supervisor_of_another_district_has_an_empty_queue(asked, monkeypatch):
    with transaction() as session:
        away = make_account(session, Role.supervisor, division_code="330108")
    assert "没有待审批的更正申请" in said(visit(monkeypatch, away, "correction_review"))


@pytest.mark.parametrize("role", [Role.reviewer, Role.enterprise, Role.institution])
def test_only_supervisors_find_the_review(sqlite, monkeypatch, role):
    with transaction() as session:
        account = make_account(session, role)
    with pytest.raises(ValueError, match="not"):
        visit(monkeypatch, account, "correction_review")
