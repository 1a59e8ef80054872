"""The pages of 使用单位: ledger, form, grid, appointments, receipt, and everybody's 个人中心."""

from datetime import date

import pytest
from sqlmodel import col, select

from db import appointment_lines, appointments, history, instruments, ledger, sign_ins, verifications
from db.engine import reading, transaction
from db.models import (
    Account,
    Appointment,
    AppointmentLine,
    Conclusion,
    DeliveryMode,
    Draft,
    Instrument,
    InstrumentStatus,
    LineStatus,
    Purpose,
    Role,
    VerificationType,
)
from pages.parts import booked, look
from tests.make import (
    PASSWORD,
    kind,
    make_account,
    make_appointment,
    make_authorization,
    make_enterprise,
    make_institution,
    make_instrument,
    make_legacy_instrument,
    make_link,
)
from tests.screens import choose, press, refusals, said, sound, tick, total, visit, write

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow

OWNED = ("enterprise_home", "ledger", "instrument", "appointments", "new_appointment", "receipt")
TODAY = date(2026, 11, 23)
RESULT = verifications.Result(
    VerificationType.subsequent, TODAY, Conclusion.passed, "JJG 52-2013", "李敏", "王强"
)


@pytest.fixture
def owner(sqlite) -> Account:
    """王芳 of a boiler works in 西湖区."""
    with transaction() as session:
        enterprise = make_enterprise(session, "杭州明达锅炉厂")
        return make_account(session, full_name="王芳", enterprise_id=enterprise.id)


@pytest.fixture
def clerk(sqlite) -> Account:
    """李敏 of the institution in 西湖区, authorized for pressure gauges."""
    with transaction() as session:
        institution = make_institution(session, "西湖区计量检定所", code="XHJL")
        make_authorization(session, institution)
        return make_account(session, Role.institution, institution_id=institution.id)


def stock(owner: Account, count: int = 1, **values) -> list[Instrument]:
    """Fresh instruments in the ledger of `owner`."""
    with transaction() as session:
        return [make_instrument(session, owner, **values) for _ in range(count)]


def booking(owner: Account, count: int = 1, **values) -> list[AppointmentLine]:
    """The lines of a fresh appointment."""
    with transaction() as session:
        appointment = make_appointment(session, owner, count, **values)
        here = select(AppointmentLine).where(AppointmentLine.appointment_id == appointment.id)
        return list(session.exec(here.order_by(col(AppointmentLine.id))))


def stored(model, id: int):
    """A record as it stands."""
    with reading() as session:
        return session.get_one(model, id)


def columns(shown, label: str, table: int = 0) -> list[str]:
    """What stands in a column of a table."""
    return list(shown.dataframe[table].value[label])


def fill_in(shown, serial_number: str = "HY37", manufacturer: str = "上海银普仪表有限公司") -> None:
    """The guide's example, but for what the form begins with."""
    write(shown, "器具名称", "压力表")
    choose(shown, "器具项别 *", "压力仪表")
    write(shown, "型号规格", "(0-1) MPa")
    write(shown, "出厂编号", serial_number)
    write(shown, "生产厂家", manufacturer)
    choose(shown, "器具用途 *", Purpose.safety_protection)
    choose(shown, "送检方式 *", DeliveryMode.brought_in)


@pytest.mark.parametrize("name", OWNED)
@pytest.mark.parametrize("role", [Role.institution, Role.administrator])
def test_another_role_gets_nothing(sqlite, monkeypatch, name, role):
    with transaction() as session:
        stranger = make_account(session, role)
    with pytest.raises(ValueError, match="not"):
        visit(monkeypatch, stranger, name)


@pytest.mark.parametrize("name", OWNED)
def test_a_person_without_an_enterprise_is_told_what_to_do(sqlite, monkeypatch, name):
    with transaction() as session:
        person = make_account(session, Role.personal)
    shown = visit(monkeypatch, person, name, id="1")
    assert "的“关联企业信息”中申请关联" in said(shown) or "不在您的权限范围内" in said(shown)


def test_an_empty_ledger_leads_to_the_first_instrument(owner, monkeypatch):
    assert "先登记在用的强检器具" in said(visit(monkeypatch, owner, "enterprise_home"))
    assert "点击“新增”" in said(visit(monkeypatch, owner, "ledger"))


def test_the_home_page_counts_what_waits_and_says_why(owner, clerk, monkeypatch):
    stock(owner, valid_until=date(2026, 11, 1))
    (line,) = booking(owner)
    with transaction() as session:
        appointments.decline(session, [line.id], by=clerk, reason="超出授权测量范围")
        make_appointment(session, owner, kind_id=kind(session, "90801").id)
    shown = visit(monkeypatch, owner, "enterprise_home")
    numbers = {metric.label: metric.value for metric in shown.metric}
    assert (numbers["已超期"], numbers["待预约"], numbers["需重新预约"]) == ("1", "1", "1")
    reasons = columns(shown, "原因和办法")
    assert reasons[0] == "超出授权测量范围（可重新预约）"
    assert reasons[1].startswith("使用地点及上级均无已授权的技术机构；")


def test_the_home_page_shows_the_dates_agreed(owner, clerk, monkeypatch):
    (line,) = booking(owner, serial_number="HY37")
    with transaction() as session:
        appointments.accept(
            session, [line.id], by=clerk, planned_from=TODAY, planned_until=date(2026, 11, 25)
        )
    shown = visit(monkeypatch, owner, "enterprise_home")
    assert columns(shown, "约定日期") == ["2026-11-23 至 2026-11-25"]


def test_what_is_due_can_be_booked_from_the_home_page(owner, monkeypatch):
    stock(owner, valid_until=date(2028, 1, 1), serial_number="LATER")
    stock(owner, valid_until=date(2026, 12, 1), serial_number="SOON")
    shown = visit(monkeypatch, owner, "enterprise_home")
    assert columns(shown, "出厂编号") == ["SOON"]
    press(tick(shown, 0), "预约所选")
    assert columns(shown, "出厂编号") == ["SOON"]
    assert "将提交勾选的 1 台" in said(shown)


def test_the_ledger_is_narrowed_by_its_address_and_by_its_search(owner, monkeypatch):
    stock(owner, valid_until=date(2026, 11, 1), serial_number="OLD", location="锅炉房")
    stock(owner, valid_until=date(2026, 11, 2), serial_number="ALSO", location="车间")
    stock(owner, valid_until=date(2028, 1, 1), serial_number="NEW")
    shown = visit(monkeypatch, owner, "ledger", due="overdue", status="in_use")
    assert total(shown) == 2
    write(shown, "搜索", "锅炉房")
    sound(shown.run())
    assert columns(shown, "出厂编号") == ["OLD"]
    assert columns(shown, "有效期至") == ["2026-11-01 ✕ 已超期"]


def test_the_ledger_of_others_is_not_there(owner, monkeypatch):
    with transaction() as session:
        theirs = make_instrument(session)
    assert "台账还是空的" in said(visit(monkeypatch, owner, "ledger"))
    for query in ({"mode": "edit"}, {"mode": "copy"}):
        shown = visit(monkeypatch, owner, "ledger", id=str(theirs.id), **query)
        assert refusals(shown) == ["器具不存在，或不在您的权限范围内，请返回列表刷新后重试"]
    assert "不在您的权限范围内" in said(visit(monkeypatch, owner, "instrument", id=str(theirs.id)))


def test_a_new_instrument_stands_first_in_the_ledger(owner, monkeypatch):
    stock(owner)
    shown = visit(monkeypatch, owner, "ledger", mode="new")
    fill_in(shown, "00123")
    press(shown, "确定")
    assert columns(shown, "出厂编号")[0] == "00123"
    with reading() as session:
        made = session.exec(select(Instrument).where(Instrument.serial_number == "00123")).one()
    assert (made.purpose, made.division_code) == (Purpose.safety_protection, "330106")


def test_the_form_has_the_fields_of_the_guide_in_its_order(owner, monkeypatch):
    shown = visit(monkeypatch, owner, "ledger", mode="new")
    labels = [
        element.label.removesuffix(" *")
        for element in shown.main
        if element.type in ("text_input", "selectbox", "date_input", "number_input")
    ]
    assert [label.split(" · ")[0] for label in labels] == [
        *("器具名称", "器具类型", "器具项别", "器具种别", "型号规格", "测量范围", "准确度等级", "出厂编号"),
        *("生产厂家", "器具产地"),
        *["使用地点行政区划 *"] * 3,
        *("安装/使用地点", "购置时间", "器具数量", "器具用途", "送检方式", "有效期至", "备注"),
    ]
    assert "系统将据此进行检定任务指派" in said(shown)
    assert "一旦保存不可修改" in said(shown)
    assert "非官方《强检器具目录》" in said(shown)


def test_a_wrong_form_names_every_problem_and_loses_nothing(owner, monkeypatch):
    shown = visit(monkeypatch, owner, "ledger", mode="new")
    write(shown, "出厂编号", "00123")
    press(shown, "确定")
    assert "请填写“器具名称”" in refusals(shown)[0]
    assert refusals(shown)[1] == "还没有保存，请改正：器具名称、器具种别、生产厂家、器具用途、送检方式"
    assert [one.value for one in shown.markdown if "请填写“生产厂家”" in one.value]
    shown.run()
    assert next(one for one in shown.text_input if one.label == "出厂编号 *").value == "00123"
    with reading() as session:
        assert session.exec(select(Instrument)).all() == []


def test_a_day_of_validity_must_be_confirmed_before_it_is_saved(owner, monkeypatch):
    shown = visit(monkeypatch, owner, "ledger", mode="new")
    fill_in(shown)
    day = next(one for one in shown.date_input if one.label == "有效期至")
    sound(day.set_value(date(2027, 5, 1)).run())
    press(shown, "确定")
    assert "勾选“已核对”" in refusals(shown)[0]
    next(one for one in shown.checkbox if "2027-05-01" in one.label).check()
    press(shown, "确定")
    assert columns(shown, "有效期至") == ["2027-05-01"]


def test_a_day_of_validity_is_locked_once_saved(owner, monkeypatch):
    (row,) = stock(owner, valid_until=date(2027, 5, 1))
    shown = visit(monkeypatch, owner, "ledger", mode="edit", id=str(row.id))
    assert next(one for one in shown.date_input if one.label == "有效期至").disabled
    write(shown, "安装/使用地点", "二号锅炉房")
    press(shown, "确定")
    assert stored(Instrument, row.id).location == "二号锅炉房"
    assert stored(Instrument, row.id).valid_until == date(2027, 5, 1)


def test_a_copy_begins_without_number_and_validity(owner, monkeypatch):
    (row,) = stock(owner, serial_number="HY37", valid_until=date(2027, 5, 1))
    shown = visit(monkeypatch, owner, "ledger", mode="copy", id=str(row.id))
    assert next(one for one in shown.text_input if one.label == "出厂编号 *").value == ""
    assert next(one for one in shown.date_input if one.label == "有效期至").value is None
    write(shown, "出厂编号", "HY38")
    press(shown, "确定")
    assert columns(shown, "出厂编号") == ["HY38", "HY37"]
    with reading() as session:
        copied = session.exec(select(Instrument).where(Instrument.serial_number == "HY38")).one()
        (change,) = history.of_instrument(session, copied.id, by=owner)
    assert (change.action, change.note) == ("复制", f"复制自器具 {row.id}")


def test_a_twin_is_saved_only_when_confirmed(owner, monkeypatch):
    (row,) = stock(owner, serial_number="HY37")
    shown = visit(monkeypatch, owner, "ledger", mode="copy", id=str(row.id))
    write(shown, "出厂编号", "HY37")
    press(shown, "确定")
    assert "确认不是重复录入" in said(shown)
    next(one for one in shown.checkbox if one.label.startswith("确认不是重复录入")).check()
    press(shown, "确定")
    assert columns(shown, "出厂编号") == ["HY37", "HY37"]


def test_what_a_colleague_changed_meanwhile_is_shown_and_kept(owner, monkeypatch):
    (row,) = stock(owner, location="锅炉房", accuracy_class="1.6")
    shown = visit(monkeypatch, owner, "ledger", mode="edit", id=str(row.id))
    with transaction() as session:
        instruments.edit(session, row.id, row.version, {"location": "空压机房"}, by=owner)
    write(shown, "准确度等级", "2.5")
    press(shown, "确定")
    assert "他人已修改并保存" in said(shown)
    assert columns(shown, "我填写的") == ["2.5", "（未改）"]
    assert columns(shown, "他人改为") == ["1.6", "空压机房"]
    press(shown, "保留他人的修改，只保存我改过的项目")
    press(shown, "确定")
    saved = stored(Instrument, row.id)
    assert (saved.location, saved.accuracy_class) == ("空压机房", "2.5")


def test_a_form_reopened_after_a_conflict_holds_what_is_stored(owner, monkeypatch):
    (row,) = stock(owner, accuracy_class="1.6")
    shown = visit(monkeypatch, owner, "ledger", mode="edit", id=str(row.id))
    with transaction() as session:
        instruments.edit(session, row.id, row.version, {"accuracy_class": "4"}, by=owner)
    write(shown, "准确度等级", "2.5")
    press(shown, "确定")
    press(shown, "放弃我填写的，重新打开")
    assert next(one for one in shown.text_input if one.label == "准确度等级").value == "4"


def test_what_was_typed_and_not_saved_is_found_again_beside_a_colleagues_change(owner, monkeypatch):
    (row,) = stock(owner, location="锅炉房", accuracy_class="1.6")
    lost = visit(monkeypatch, owner, "ledger", mode="edit", id=str(row.id))
    write(lost, "准确度等级", "2.5")
    next(one for one in lost.date_input if one.label == "购置时间").set_value(date(2020, 5, 1))
    lost.run()
    with transaction() as session:
        instruments.edit(session, row.id, row.version, {"location": "空压机房"}, by=owner)
    shown = visit(monkeypatch, owner, "ledger", mode="edit", id=str(row.id))
    assert "已恢复未保存的内容" in said(shown)
    press(shown, "确定")
    assert "他人已修改并保存" in said(shown)
    press(shown, "保留他人的修改，只保存我改过的项目")
    press(shown, "确定")
    saved = stored(Instrument, row.id)
    assert (saved.location, saved.accuracy_class) == ("空压机房", "2.5")
    assert saved.purchased_on == date(2020, 5, 1)
    with reading() as session:
        assert session.exec(select(Draft)).all() == []


def test_a_form_that_is_closed_keeps_nothing(owner, monkeypatch):
    shown = visit(monkeypatch, owner, "ledger", mode="new")
    write(shown, "出厂编号", "00123")
    shown.run()
    press(shown, "关闭")
    again = visit(monkeypatch, owner, "ledger", mode="new")
    assert next(one for one in again.text_input if one.label == "出厂编号 *").value == ""
    assert "已恢复" not in said(again)


def test_a_person_without_the_right_to_edit_is_told_before_typing(sqlite, monkeypatch):
    with transaction() as session:
        enterprise = make_enterprise(session)
        person = make_account(session, Role.personal)
        make_link(session, person, enterprise, can_edit=False)
    shown = visit(monkeypatch, person, "ledger", mode="new")
    assert "企业未授予您此项权限" in refusals(shown)[0]
    assert not shown.text_input


def test_a_person_of_two_enterprises_chooses(sqlite, monkeypatch):
    with transaction() as session:
        person = make_account(session, Role.personal)
        for name in ("杭州明达锅炉厂", "杭州西溪人民医院"):
            enterprise = make_enterprise(session, name)
            make_link(session, person, enterprise)
            make_instrument(
                session, make_account(session, enterprise_id=enterprise.id), location=name, serial_number=name
            )
    shown = visit(monkeypatch, person, "ledger")
    first = columns(shown, "出厂编号")
    other = next(one for one in shown.selectbox if one.label == "正在办理的企业")
    sound(other.select_index(1).run())
    assert sorted(first + columns(shown, "出厂编号")) == ["杭州明达锅炉厂", "杭州西溪人民医院"]


def test_the_toolbar_offers_the_steps_of_the_status(owner, monkeypatch):
    _, second = stock(owner, 2)
    with transaction() as session:
        instruments.change_status(session, [second.id], "scrap", by=owner, reason="破损")
    shown = visit(monkeypatch, owner, "ledger")
    tick(shown, 0)
    steps = ("复制", "修改", "停用", "封存", "恢复在用", "报废")
    assert [one.label for one in shown.button if one.label in steps and not one.disabled] == ["复制"]
    tick(shown, 1)
    labels = [one.label for one in shown.button if one.label in steps and not one.disabled]
    assert labels == ["复制", "修改", "停用", "封存", "报废"]


def confirm(log, shown, opening: str, label: str) -> list[str]:
    """Press the button that opens a dialog and the one in it; what is refused there.

    Without a browser each run draws both anew, and what a dialog raises is not turned into words.
    """
    press(shown, opening)
    for name in (opening, label):
        next(one for one in shown.button if one.label == name).click()
    log.clear()
    shown.run()
    return [str(record.exc_info[1]) for record in log.records if record.exc_info]


def test_an_instrument_is_taken_out_of_use_with_a_reason(owner, monkeypatch):
    (row,) = stock(owner)
    shown = visit(monkeypatch, owner, "ledger")
    press(tick(shown, 0), "停用")
    write(shown, "理由", "设备检修")
    next(one for one in shown.button if one.label == "停用").click()
    press(shown, "确定停用")
    assert stored(Instrument, row.id).status == InstrumentStatus.out_of_use
    assert columns(shown, "状态") == ["○ 停用"]


def test_scrapping_asks_for_a_reason(owner, monkeypatch, caplog):
    (row,) = stock(owner)
    shown = tick(visit(monkeypatch, owner, "ledger"), 0)
    assert confirm(caplog, shown, "报废", "确定报废") == ["请填写理由，对方将看到这段文字"]
    assert stored(Instrument, row.id).status == InstrumentStatus.in_use


def test_an_instrument_tells_its_whole_story(owner, clerk, monkeypatch):
    (line,) = booking(owner, serial_number="HY37")
    with transaction() as session:
        appointments.accept(session, [line.id], by=clerk, planned_from=TODAY, planned_until=TODAY)
        appointments.begin(session, [line.id], by=clerk)
        verifications.record(session, [line.id], RESULT, by=clerk)
        row = session.get_one(Instrument, line.instrument_id)
        instruments.edit(session, row.id, row.version, {"purpose": Purpose.trade_settlement}, by=owner)
    shown = visit(monkeypatch, owner, "instrument", id=str(line.instrument_id))
    story = said(shown)
    assert "器具用途：安全防护 → 贸易结算" in story
    assert "使用单位 王芳" in story
    assert columns(shown, "结论") == ["● 合格"]
    assert columns(shown, "流程状态", table=1) == ["● 已完成"]
    assert "2027-05-22" in story


def test_an_instrument_leads_to_its_form(owner, monkeypatch):
    (row,) = stock(owner)
    shown = visit(monkeypatch, owner, "instrument", id=str(row.id))
    press(shown, "修改")
    assert "器具修改" in said(shown)


def test_without_an_appointment_one_is_told_how_to_begin(owner, monkeypatch):
    assert "点击“新增”选择要预约的器具" in said(visit(monkeypatch, owner, "appointments"))
    for name in ("receipt", "instrument"):
        assert "请先在" in said(visit(monkeypatch, owner, name))


def test_the_list_opens_the_receipt_of_the_one_picked(owner, clerk, monkeypatch):
    booking(owner)
    booking(owner, 2)
    shown = visit(monkeypatch, owner, "appointments")
    assert columns(shown, "流程状态") == ["待受理 2", "待受理 1"]
    number = columns(shown, "预约单号")[1]
    press(tick(shown, 1), "预约单详情")
    assert f"预约单 {look.plain(number)}" in said(shown)


def test_the_list_by_instrument_is_what_a_number_of_the_home_page_counts(owner, clerk, monkeypatch):
    lines = booking(owner, 3)
    with transaction() as session:
        appointments.decline(session, [lines[0].id], by=clerk, reason="超出授权")
    assert total(visit(monkeypatch, owner, "appointments", status="assigned")) == 2
    shown = visit(monkeypatch, owner, "appointments", status="rebook")
    assert columns(shown, "说明") == ["超出授权（可重新预约）"]
    with transaction() as session:
        appointments.submit(session, owner.enterprise_id, [lines[0].instrument_id], by=owner)
    assert total(visit(monkeypatch, owner, "appointments", status="rebook")) == 0


def test_instruments_are_gathered_and_those_ticked_submitted(owner, clerk, monkeypatch):
    _, second = stock(owner, 2)
    shown = visit(monkeypatch, owner, "new_appointment")
    assert "还没有选择器具" in said(shown)
    press(shown, "选择器具")
    next(one for one in shown.checkbox if one.label == "全选这 2 台").check()
    next(one for one in shown.button if one.label == "选择器具").click()
    sound(shown.run())
    next(one for one in shown.button if one.label == "选择器具").click()
    press(shown, "选择（2 台）")
    assert "将提交勾选的 2 台" in said(shown)
    tick(shown, 0)
    press(shown, "提交申请")
    assert "已提交 1 张预约单。1 台 西湖区计量检定所" in said(shown)
    assert columns(shown, "出厂编号") == [second.serial_number]
    assert "选择器具" not in said(shown)


def book_picked(shown, *rows: int):
    """预约所选, and on to the page it leads to, which a test has to name."""
    press(tick(shown, *rows), "预约所选")
    return sound(shown.switch_page("pages/enterprise/new_appointment.py").run())


def test_instruments_picked_in_the_ledger_are_submitted(owner, monkeypatch):
    stock(owner, 2)
    shown = book_picked(visit(monkeypatch, owner, "ledger"), 0, 1)
    press(shown, "提交申请")
    assert "2 台 待预约：使用地点及上级均无已授权的技术机构" in said(shown)
    assert "2 台待预约：使用地点及上级均无已授权的技术机构" in said(shown)


def test_more_than_a_hundred_become_several_appointments(owner, clerk, monkeypatch):
    ids = [row.id for row in stock(owner, 101)]
    shown = visit(monkeypatch, owner, "new_appointment")
    shown.session_state[f"basket-{owner.enterprise_id}"] = ids
    sound(shown.run())
    assert "超过 100 台，自动分成 2 张预约单" in said(shown)
    press(shown, "提交申请")
    assert sorted(columns(shown, "器具数")) == [1, 100]


def test_what_was_booked_by_a_colleague_meanwhile_is_left_out(owner, monkeypatch):
    first, second = stock(owner, 2)
    shown = book_picked(visit(monkeypatch, owner, "ledger"), 0, 1)
    with transaction() as session:
        appointments.submit(session, owner.enterprise_id, [first.id], by=owner)
    sound(shown.run())
    assert f"{first.serial_number} 不在用，或已在办理中" in said(shown).replace("\\", "")
    assert columns(shown, "出厂编号") == [second.serial_number]


def test_a_refused_submission_keeps_what_was_gathered(owner, monkeypatch):
    (row,) = stock(owner)
    shown = book_picked(visit(monkeypatch, owner, "ledger"), 0)
    write(shown, "备注", "急\u202e")
    press(shown, "提交申请")
    assert "控制字符" in refusals(shown)[0]
    sound(shown.run())
    assert columns(shown, "出厂编号") == [row.serial_number]


def test_the_picker_goes_on_after_the_first_hundred(owner):
    rows = stock(owner, 3)
    with reading() as session:
        offered = ledger.bookable(
            session, owner.enterprise_id, by=owner, size=2, without=[rows[0].id, rows[1].id]
        )
    assert [row.id for row in offered] == [rows[2].id]


def test_the_receipt_says_who_has_each_instrument_and_what_to_do(owner, clerk, monkeypatch):
    lines = booking(owner, 2)
    with transaction() as session:
        appointments.accept(
            session, [lines[0].id], by=clerk, planned_from=TODAY, planned_until=TODAY, note="带说明书"
        )
    shown = visit(monkeypatch, owner, "receipt", id=str(lines[0].appointment_id))
    assert columns(shown, "流程状态") == ["◑ 已受理", "◔ 待受理"]
    assert columns(shown, "约定日期") == ["2026-11-23", ""]
    assert columns(shown, "说明")[0] == "请按约定日期送检"
    assert "电话：0571-87654321" in said(shown)
    assert "受理意见：带说明书" in said(shown)


def test_a_picked_line_shows_its_history(owner, clerk, monkeypatch):
    (line,) = booking(owner)
    shown = tick(visit(monkeypatch, owner, "receipt", id=str(line.appointment_id)), 0)
    assert "提交申请" in said(shown)
    assert "任务指派" in said(shown)


def test_an_assigned_instrument_is_canceled(owner, clerk, monkeypatch, caplog):
    first, second = booking(owner, 2)
    shown = visit(monkeypatch, owner, "receipt", id=str(first.appointment_id))
    assert confirm(caplog, tick(shown, 0), "取消预约", "确定取消") == []
    assert columns(shown, "流程状态") == ["－ 已取消", "◔ 待受理"]
    assert stored(AppointmentLine, second.id).status == LineStatus.assigned


def test_an_unassigned_instrument_cannot_be_canceled(owner, monkeypatch, caplog):
    (line,) = booking(owner)
    shown = visit(monkeypatch, owner, "receipt", id=str(line.appointment_id))
    refused = confirm(caplog, tick(shown, 0), "取消预约", "确定取消")
    assert refused == ["未成功分配的器具无法取消，等器具分配成功后再取消"]
    assert stored(AppointmentLine, line.id).status == LineStatus.unassigned


def test_the_receipt_of_others_is_not_there(owner, monkeypatch):
    with transaction() as session:
        theirs = make_appointment(session)
    shown = visit(monkeypatch, owner, "receipt", id=str(theirs.id))
    assert refusals(shown) == ["预约单不存在，或不在您的权限范围内，请返回列表刷新后重试"]
    assert not shown.dataframe


@pytest.mark.parametrize("id", ["x", "99999999999999999999", "-1", ""])
def test_an_address_that_names_nothing_is_answered_in_words(owner, monkeypatch, id):
    for name in ("receipt", "instrument"):
        assert "请先在" in said(visit(monkeypatch, owner, name, id=id))


def test_a_line_without_a_kind_says_that_the_owner_can_help(owner):
    with transaction() as session:
        legacy = make_legacy_instrument(session, owner, kind_id=None)
        (made,) = appointments.submit(session, owner.enterprise_id, [legacy.id], by=owner)
    with reading() as session:
        (row,) = booked.found(session, appointment_lines.Filters(appointment_id=made.id), by=owner)
    assert row["advice"] == "器具未填写种别；请在台账中补填器具种别，补填后自动指派"


def test_everybody_has_a_personal_page(sqlite, monkeypatch):
    for role in Role:
        with transaction() as session:
            account = make_account(session, role, full_name="沈越")
        assert f"身份：{role}" in said(visit(monkeypatch, account, "profile"))


def test_the_personal_page_shows_the_unit_and_the_sign_ins(owner, clerk, monkeypatch):
    shown = visit(monkeypatch, owner, "profile")
    assert "杭州明达锅炉厂" in said(shown)
    assert look.plain("最近使用 2026-11-23 09:30") in said(shown)
    assert "XHJL" in said(visit(monkeypatch, clerk, "profile"))


def test_a_name_is_changed_by_oneself_and_a_number_that_is_set_is_not(owner, monkeypatch):
    shown = visit(monkeypatch, owner, "profile")
    write(shown, "姓名", "王芳芳")
    write(shown, "手机号", "138 0013 8001")
    press(shown, "保存")
    saved = stored(Account, owner.id)
    assert (saved.full_name, saved.mobile) == ("王芳芳", "13800138001")
    assert "手机号" not in [one.label for one in shown.text_input]


def change_password(shown, current: str, new: str, again: str):
    write(shown, "当前密码", current)
    write(shown, "新密码", new)
    write(shown, "再次输入新密码", again)
    return press(shown, "修改密码")


def test_a_password_is_changed_and_other_sign_ins_end(owner, monkeypatch):
    with transaction() as session:
        other = sign_ins.redeem(
            session, sign_ins.begin(session, owner.username, owner.password_hash, "", "other")
        )
    shown = visit(monkeypatch, owner, "profile")
    change_password(shown, PASSWORD, "Guolu-20261", "Guolu-20262")
    assert refusals(shown) == ["两次输入的新密码不一致，请重新输入"]
    change_password(shown, "falsch", "Guolu-20261", "Guolu-20261")
    assert "当前密码不正确" in refusals(shown)[0]
    change_password(shown, PASSWORD, "Guolu-20261", "Guolu-20261")
    assert "密码已修改" in said(shown)
    assert [one.value for one in shown.text_input if one.label == "当前密码 *"] == [""]
    with reading() as session:
        assert sign_ins.account_of(session, other) is None


def test_one_sign_in_is_ended_and_then_all(owner, monkeypatch):
    with transaction() as session:
        other = sign_ins.redeem(
            session, sign_ins.begin(session, owner.username, owner.password_hash, "10.1.2.3", "Firefox/142")
        )
    shown = visit(monkeypatch, owner, "profile")
    assert "（当前登录）" in said(shown)
    (end,) = [button for button in shown.button if button.label == "结束"]
    sound(end.click().run())
    with reading() as session:
        assert sign_ins.account_of(session, other) is None
        assert len(sign_ins.of_account(session, owner.id)) == 1
    press(shown, "全部退出")
    with reading() as session:
        assert sign_ins.of_account(session, owner.id) == []


def test_an_initial_password_leads_to_the_personal_page_and_away_from_it(owner, monkeypatch):
    with transaction() as session:
        session.get_one(Account, owner.id).must_change_password = True
    shown = visit(monkeypatch, owner, "profile")
    assert "请先在“个人中心”修改初始密码" in said(shown)
    change_password(shown, PASSWORD, "Guolu-20261", "Guolu-20261")
    assert "请先在“个人中心”修改初始密码" not in said(shown)
    sound(shown.switch_page("pages/enterprise/ledger.py").run())
    assert "强检器具台账维护" in said(shown)


def test_an_appointment_submitted_by_mistake_of_another_enterprise_is_refused(owner, monkeypatch):
    with transaction() as session:
        theirs = make_instrument(session)
    shown = visit(monkeypatch, owner, "new_appointment")
    shown.session_state[f"basket-{owner.enterprise_id}"] = [theirs.id]
    sound(shown.run())
    assert "还没有选择器具" in said(shown)
    with reading() as session:
        assert session.exec(select(Appointment)).all() == []
