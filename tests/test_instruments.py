"""The ledger: what may be entered, who sees it, and what every change leaves behind."""

from datetime import date

import pytest

from db import history, instruments, ledger
from db.errors import Conflict, NotFound, Refused
from db.instrument_fields import ELSEWHERE
from db.models import (
    Conclusion,
    InstrumentStatus,
    Origin,
    Role,
)
from tests import make

TOMORROW = date(2026, 11, 24)


def problems_of(session, owner, **values):
    """What the form says about a gauge with these values."""
    with pytest.raises(Refused) as refusal:
        instruments.add(session, owner.enterprise_id, make.typed(session, **values), by=owner)
    return refusal.value.problems


def test_the_gauge_of_the_guide_enters_the_ledger_as_typed(session, owner):
    typed = make.typed(session, serial_number="HY37", purchased_on=date(2024, 5, 6))
    gauge = instruments.add(session, owner.enterprise_id, typed, by=owner)
    row = ledger.find(session, gauge.id, by=owner)
    assert (row.name, row.category, row.kind) == ("压力表", "压力仪表", "指示类压力表、显示类压力表")
    assert (row.serial_number, row.division, row.origin) == ("HY37", "浙江省杭州市西湖区", Origin.domestic)
    assert (row.quantity, row.status, row.valid_until) == (1, InstrumentStatus.in_use, None)


@pytest.mark.parametrize("number", ["00123", "12345678901234567890"])
def test_a_serial_number_keeps_its_zeros_and_its_last_digit(session, owner, number):
    gauge = make.make_instrument(session, owner, serial_number=number)
    session.expire_all()
    assert ledger.find(session, gauge.id, by=owner).serial_number == number


def test_a_second_instrument_of_one_number_is_kept_only_when_confirmed(session, owner):
    typed = make.typed(session, serial_number="HY37")
    instruments.add(session, owner.enterprise_id, typed, by=owner)
    with pytest.raises(Refused, match="确认不是重复录入") as refusal:
        instruments.add(session, owner.enterprise_id, typed, by=owner)
    assert list(refusal.value.problems) == ["duplicate"]
    instruments.add(session, owner.enterprise_id, typed, by=owner, is_duplicate_confirmed=True)
    assert ledger.count(session, by=owner) == 2


def test_another_enterprise_may_have_the_same_number(session, owner):
    make.make_instrument(session, owner, serial_number="HY37")
    assert make.make_instrument(session, make.make_account(session), serial_number="HY37").id


def test_a_copy_says_what_it_was_copied_from(session, owner):
    gauge = make.make_instrument(session, owner)
    copy = instruments.add(session, owner.enterprise_id, make.typed(session), by=owner, copied_from=gauge.id)
    (entry,) = history.of_instrument(session, copy.id, by=owner)
    assert (entry.action, entry.note) == ("复制", f"复制自器具 {gauge.id}")


def test_strangers_cannot_add_to_a_ledger(session, owner):
    stranger = make.make_account(session)
    with pytest.raises(NotFound, match="使用单位不存在，或不在您的权限范围内"):
        instruments.add(session, owner.enterprise_id, make.typed(session), by=stranger)


@pytest.mark.parametrize("role", [Role.institution, Role.administrator])
def test_institutions_and_administrators_have_no_ledger(session, owner, role):
    with pytest.raises(NotFound):
        instruments.add(
            session, owner.enterprise_id, make.typed(session), by=make.make_account(session, role)
        )


def test_a_reviewer_sees_a_ledger_and_a_supervisor_may_enter_for_it(session, owner):
    reviewer = make.make_account(session, Role.reviewer)
    with pytest.raises(Refused, match="审核人员不能执行此操作"):
        instruments.add(session, owner.enterprise_id, make.typed(session), by=reviewer)
    supervisor = make.make_account(session, Role.supervisor)
    gauge = instruments.add(session, owner.enterprise_id, make.typed(session), by=supervisor)
    assert ledger.find(session, gauge.id, by=reviewer).enterprise_id == owner.enterprise_id


def test_a_supervisor_cannot_enter_for_an_enterprise_of_another_district(session, owner):
    elsewhere = make.make_account(session, Role.supervisor, division_code="330108")
    with pytest.raises(NotFound):
        instruments.add(session, owner.enterprise_id, make.typed(session), by=elsewhere)


def test_a_supervisor_moves_no_instrument_out_of_the_own_area(session, owner):
    here = make.make_account(session, Role.supervisor, division_code=make.XIHU)
    everywhere = make.make_account(session, Role.supervisor, division_code=None)
    gauge, away = make.make_instrument(session, owner), {"division_code": "330108"}
    enterprise_id = owner.enterprise_id
    with pytest.raises(Refused, match=ELSEWHERE):
        instruments.edit(session, gauge.id, 1, away, by=here)
    with pytest.raises(Refused, match=ELSEWHERE):
        instruments.add(session, enterprise_id, make.typed(session, **away), by=here)
    found = instruments.problems(session, enterprise_id, away, by=here, instrument_id=gauge.id)
    assert found == {"division_code": ELSEWHERE}
    assert instruments.edit(session, gauge.id, 1, away, by=everywhere).version == 2
    assert instruments.edit(session, gauge.id, 2, {"division_code": "330203"}, by=owner).version == 3


def test_problems_says_beforehand_what_adding_would_refuse(session, owner):
    typed = make.typed(session, quantity=3, location="锅炉房" * 80)
    found = instruments.problems(session, owner.enterprise_id, typed, by=owner)
    assert set(found) == {"quantity", "location"}
    fine = make.typed(session)
    assert instruments.problems(session, owner.enterprise_id, fine, by=owner) == {}


def test_problems_warns_of_an_edit_that_makes_a_twin(session, owner):
    make.make_instrument(session, owner, serial_number="HY37")
    gauge = make.make_instrument(session, owner)
    typed = {"serial_number": "HY37"}
    look = {"by": owner, "instrument_id": gauge.id}
    assert list(instruments.problems(session, owner.enterprise_id, typed, **look)) == ["duplicate"]
    assert (
        instruments.problems(session, owner.enterprise_id, typed, **look, is_duplicate_confirmed=True) == {}
    )


def test_edits_of_many_warn_of_twins_in_the_ledger_and_among_themselves(session, owner):
    own = {"manufacturer": "银普", "specification": "1.6MPa"}
    make.make_instrument(session, owner, name="标准表", serial_number="A1", **own)
    stranger = make.make_account(session)
    make.make_instrument(session, stranger, serial_number="C1", **own)
    rows = [make.make_instrument(session, owner, serial_number=f"B{n}", **own) for n in range(4)]
    numbers = ("A1", "C1", "C1", "B0")
    edits = [(row.id, 1, {"serial_number": new}) for row, new in zip(rows, numbers, strict=True)]
    found = instruments.problems_of_many(session, edits, by=owner)
    assert found == {
        (rows[0].id, "duplicate"): "与“标准表”的出厂编号、生产厂家、型号规格相同",
        (rows[1].id, "duplicate"): "与“压力表”的出厂编号、生产厂家、型号规格相同",
        (rows[2].id, "duplicate"): "与“压力表”的出厂编号、生产厂家、型号规格相同",
    }
    assert instruments.problems_of_many(session, edits[3:], by=owner) != {}
    assert instruments.problems_of_many(session, [(rows[0].id, 1, {"remark": "新表"})], by=owner) == {}


def test_problems_tells_strangers_nothing(session, owner):
    gauge = make.make_instrument(session, owner)
    stranger = make.make_account(session)
    with pytest.raises(NotFound):
        instruments.problems(session, owner.enterprise_id, {}, by=stranger)
    with pytest.raises(NotFound, match="器具"):
        instruments.problems(session, stranger.enterprise_id, {}, by=stranger, instrument_id=gauge.id)


def test_an_edit_changes_the_fields_and_the_version(session, owner):
    gauge = make.make_instrument(session, owner, location="锅炉房")
    changed = instruments.edit(session, gauge.id, 1, {"location": "二号锅炉房"}, by=owner)
    assert (changed.location, changed.version) == ("二号锅炉房", 2)
    assert ledger.count(session, ledger.Filters(text="二号锅炉"), by=owner) == 1
    entry = history.of_instrument(session, gauge.id, by=owner)[0]
    assert (entry.action, entry.changes) == ("修改", {"location": ["锅炉房", "二号锅炉房"]})


def test_an_edit_that_changes_nothing_leaves_no_trace(session, owner):
    gauge = make.make_instrument(session, owner)
    instruments.edit(session, gauge.id, 1, {"location": gauge.location, "name": " 压力表 "}, by=owner)
    assert gauge.version == 1 and len(history.of_instrument(session, gauge.id, by=owner)) == 1


def test_an_edit_of_a_stale_version_is_a_conflict_that_names_the_row(session, owner):
    gauge, other = make.make_instrument(session, owner), make.make_instrument(session, owner)
    instruments.edit(session, gauge.id, 1, {"location": "车间"}, by=owner)
    edits = [(other.id, 1, {"location": "仓库"}), (gauge.id, 1, {"location": "食堂"})]
    with pytest.raises(Conflict, match=f"{gauge.serial_number} 已被他人修改，请刷新") as refusal:
        instruments.edit_many(session, edits, by=owner)
    assert list(refusal.value.problems) == [str(gauge.id)]
    assert (gauge.location, other.location) == ("车间", "锅炉房")


def test_edits_of_many_rows_are_all_made_or_none(session, owner):
    first, second = make.make_instrument(session, owner), make.make_instrument(session, owner)
    edits = [(first.id, 1, {"location": "车间"}), (second.id, 1, {"manufacturer": ""})]
    with pytest.raises(Refused) as refusal:
        instruments.edit_many(session, edits, by=owner)
    sentence = f"{second.serial_number}：请填写“生产厂家”"
    assert refusal.value.problems == {f"{second.id}.manufacturer": sentence}
    assert (first.version, first.location) == (1, "锅炉房")


def test_valid_until_may_be_filled_in_once(session, owner):
    gauge = make.make_instrument(session, owner)
    instruments.edit(session, gauge.id, 1, {"valid_until": date(2027, 3, 1)}, by=owner)
    for later in (date(2028, 3, 1), None):
        with pytest.raises(Refused, match="“有效期至”保存后不可修改"):
            instruments.edit(session, gauge.id, 2, {"valid_until": later}, by=owner)
    assert gauge.valid_until == date(2027, 3, 1)


def test_valid_until_stays_locked_for_staff_and_in_the_grid(session, owner):
    gauge = make.make_instrument(session, owner, valid_until=date(2027, 3, 1))
    supervisor = make.make_account(session, Role.supervisor)
    edits = [(gauge.id, 1, {"valid_until": date(2028, 3, 1), "remark": "补录"})]
    with pytest.raises(Refused) as refusal:
        instruments.edit_many(session, edits, by=supervisor)
    assert list(refusal.value.problems) == [f"{gauge.id}.valid_until"]
    assert gauge.remark == ""


def test_an_edit_may_repeat_the_locked_value(session, owner):
    gauge = make.make_instrument(session, owner, valid_until=date(2027, 3, 1))
    typed = {"valid_until": date(2027, 3, 1), "remark": "已核对"}
    assert instruments.edit(session, gauge.id, 1, typed, by=owner).remark == "已核对"


def test_a_row_taken_over_with_gaps_can_be_edited_elsewhere(session, owner):
    row = make.make_legacy_instrument(session, owner, kind_id=None, division_code=None)
    assert instruments.edit(session, row.id, 1, {"location": "食堂"}, by=owner).location == "食堂"


def test_strangers_cannot_edit(session, owner):
    gauge = make.make_instrument(session, owner)
    with pytest.raises(NotFound, match="器具不存在，或不在您的权限范围内"):
        instruments.edit(session, gauge.id, 1, {"location": "车间"}, by=make.make_account(session))


def test_a_link_without_editing_lets_one_look_only(session, owner):
    gauge = make.make_instrument(session, owner)
    person = make.make_account(session, Role.personal)
    enterprise = session.get(make.Enterprise, owner.enterprise_id)
    make.make_link(session, person, enterprise, can_edit=False)
    assert ledger.find(session, gauge.id, by=person).id == gauge.id
    with pytest.raises(Refused, match="企业未授予您此项权限"):
        instruments.edit(session, gauge.id, 1, {"location": "车间"}, by=person)


def test_an_instrument_is_taken_out_of_use_and_comes_back(session, owner):
    gauge = make.make_instrument(session, owner)
    instruments.change_status(session, [gauge.id], "take_out_of_use", by=owner)
    assert gauge.status == InstrumentStatus.out_of_use
    instruments.change_status(session, [gauge.id], "resume", by=owner)
    assert (gauge.status, gauge.version) == (InstrumentStatus.in_use, 3)
    actions = [entry.action for entry in history.of_instrument(session, gauge.id, by=owner)]
    assert actions == ["恢复在用", "停用", "新增"]


def test_several_are_stored_and_scrapped_from_different_statuses(session, owner):
    first, second = make.make_instrument(session, owner), make.make_instrument(session, owner)
    instruments.change_status(session, [first.id], "store", by=owner)
    both = [first.id, second.id]
    instruments.change_status(session, both, "scrap", by=owner, reason="锅炉拆除")
    assert {first.status, second.status} == {InstrumentStatus.scrapped}
    assert history.of_instrument(session, first.id, by=owner)[0].note == "锅炉拆除"


def test_scrapping_needs_a_reason_that_fits(session, owner):
    gauge = make.make_instrument(session, owner)
    with pytest.raises(Refused, match="请填写理由"):
        instruments.change_status(session, [gauge.id], "scrap", by=owner, reason=" ")
    with pytest.raises(Refused, match="最多 500 个字"):
        instruments.change_status(session, [gauge.id], "scrap", by=owner, reason="拆" * 501)


def test_a_scrapped_instrument_neither_changes_nor_comes_back(session, owner):
    gauge = make.make_instrument(session, owner)
    instruments.change_status(session, [gauge.id], "scrap", by=owner, reason="锅炉拆除")
    with pytest.raises(Refused, match="已报废的器具不能修改"):
        instruments.edit(session, gauge.id, gauge.version, {"location": "车间"}, by=owner)
    with pytest.raises(Refused, match="当前状态为“报废”，不能执行“恢复在用”"):
        instruments.change_status(session, [gauge.id], "resume", by=owner)


def test_a_booked_instrument_stays_in_use(session, owner):
    line = make.make_line(session, by=owner)
    with pytest.raises(Refused, match=r"（YJ20261123-0001） 有未办结的预约"):
        instruments.change_status(session, [line.instrument_id], "scrap", by=owner, reason="拆除")


def test_strangers_cannot_scrap(session, owner):
    gauge = make.make_instrument(session, owner)
    with pytest.raises(NotFound):
        instruments.change_status(session, [gauge.id], "scrap", by=make.make_account(session), reason="拆除")


def test_booked_names_the_open_appointment(session, owner):
    line, idle = make.make_line(session, by=owner), make.make_instrument(session, owner)
    ids = [line.instrument_id, idle.id]
    assert instruments.booked(session, ids) == {line.instrument_id: "YJ20261123-0001"}


def test_a_pass_moves_the_validity_and_a_rejection_does_not(session, owner):
    gauge = make.make_instrument(session, owner, valid_until=date(2026, 12, 1))
    clerk = make.make_account(session, Role.institution)
    day, until = date(2026, 11, 20), date(2027, 5, 19)
    instruments.move_validity(session, gauge, until, day, Conclusion.passed, clerk)
    assert (gauge.valid_until, gauge.conclusion, gauge.version) == (until, Conclusion.passed, 2)
    instruments.move_validity(session, gauge, None, day, Conclusion.rejected, clerk)
    assert (gauge.valid_until, gauge.conclusion) == (until, Conclusion.rejected)
    entry = history.of_instrument(session, gauge.id, by=owner)[1]
    assert entry.action == "登记检定结果"
    assert entry.changes["valid_until"] == ["2026-12-01", "2027-05-19"]
