"""The guide, chapter by chapter, in a real browser: two to six."""

import re

from playwright.sync_api import expect
from sqlmodel import select

from db.engine import reading
from db.models import AppointmentLine, Instrument, LineStatus
from tests import make

CODE = "91110000600037341L"
PASSWORD = "Guolu-2026"


def fills_in_the_registration(person, name):
    person.types("企业名称", name)
    person.types("统一社会信用代码", CODE)
    person.chooses("省（自治区、直辖市）", "浙江省")
    person.chooses("市（州、盟）", "杭州市")
    person.chooses("区县", "西湖区")
    person.types("手机号", "138 0013 8000")
    person.types("联系人", "陈建国")
    person.uploads("营业执照.png", make.PNG, "image/png")
    person.types("账号名", "mingda")
    person.types("密码", PASSWORD)
    person.types("再输一次密码", PASSWORD)


def fills_in_the_gauge(person, serial_number):
    person.types("器具名称", "压力表")
    person.chooses("器具项别", "压力仪表")
    person.types("型号规格", "(0-1) MPa")
    person.types("测量范围", "(0-1) MPa")
    person.types("准确度等级", "1.6")
    person.types("出厂编号", serial_number)
    person.types("生产厂家", "上海银普仪表有限公司")
    person.types("安装/使用地点", "锅炉房")
    person.chooses("器具用途", "安全防护")
    person.chooses("送检方式", "送检")


def test_chapter_2_an_enterprise_registers_is_sent_back_corrects_and_is_approved(visit, bureau):
    applicant, reviewer = visit(), visit(bureau["reviewer"])

    applicant.goes_to("/register")
    applicant.types("统一社会信用代码", "91110000600037341X")
    applicant.reads("校验")
    fills_in_the_registration(applicant, "明达锅炉")
    applicant.presses("注册")
    applicant.reads("注册申请已提交")

    reviewer.opens("注册审核")
    reviewer.ticks(0)
    reviewer.types("理由", "请填写营业执照上的全称")
    reviewer.presses("退回补正")
    reviewer.reads("没有待审核的注册申请")

    applicant.goes_to("/follow")
    applicant.types("统一社会信用代码", CODE)
    applicant.types("手机号", "13800138000")
    applicant.presses("查询")
    applicant.reads("请填写营业执照上的全称")
    applicant.types("企业名称", "杭州明达锅炉制造有限公司")
    applicant.types("补正说明", "已改为全称")
    applicant.types("注册时设置的密码", PASSWORD)
    applicant.presses("补正后重新提交")
    applicant.reads("已改为全称")

    reviewer.opens("首页")
    reviewer.opens("注册审核")
    reviewer.ticks(0)
    reviewer.reads("杭州明达锅炉制造有限公司")
    reviewer.presses("通过")
    reviewer.reads("没有待审核的注册申请")

    applicant.sign_in("mingda", PASSWORD)
    applicant.reads("台账还是空的")


def test_chapters_3_to_5_ledger_appointment_receipt_acceptance_and_certificate(visit, bureau):
    owner, clerk = visit(bureau["enterprise"]), visit(bureau["institution"])

    owner.opens("强检器具台账维护")
    owner.presses("新增")
    fills_in_the_gauge(owner, "HY37")
    owner.presses("确定")
    owner.cell("HY37")

    owner.opens("强检器具预约申请")
    owner.presses("新增")
    owner.presses("选择器具")
    owner.ticks(0)
    owner.presses("选择（1 台）")
    owner.presses("提交申请")
    owner.reads("回执信息")
    owner.cell("待受理")
    owner.cell("杭州市西湖区计量检定所")
    owner.ticks(0)
    owner.reads("任务指派")

    clerk.opens("预约受理")
    clerk.ticks(0)
    clerk.presses("受理")
    clerk.reads("没有待受理的器具")
    clerk.opens("检定与结果")
    clerk.ticks(0)
    clerk.presses("开始检定")
    clerk.page.get_by_role("radio", name="检定中").click()
    clerk.ticks(0)
    clerk.types("检定员", "李敏")
    clerk.types("核验员", "周强")
    clerk.presses("登记结果")
    clerk.reads("没有检定中的器具")
    clerk.opens("检定记录")
    clerk.cell("HY37")

    owner.opens("强检器具台账维护")
    owner.cell("2027-05-22")
    with reading() as session:
        assert session.exec(select(AppointmentLine.status)).one() == LineStatus.completed


def test_chapter_6_cancel_before_and_after_assignment(visit, bureau):
    owner, supervisor = visit(bureau["enterprise"]), visit(bureau["supervisor"])

    owner.goes_to("/ledger?mode=new")
    fills_in_the_gauge(owner, "HY38")
    owner.presses("确定")
    owner.cell("HY38")
    book_all(owner)
    owner.cell("待受理")
    cancels(owner)
    owner.cell("已取消")

    owner.goes_to("/ledger?mode=new")
    owner.types("器具名称", "电子计价秤")
    owner.chooses("器具项别", "非自动衡器")
    owner.types("出厂编号", "C-001")
    owner.types("生产厂家", "上海衡器厂")
    owner.chooses("器具用途", "贸易结算")
    owner.chooses("送检方式", "现场检")
    owner.presses("确定")
    owner.cell("C-001")
    book_all(owner, "C-001")
    owner.cell("待预约")
    owner.cell("均无已授权的技术机构")
    cancels(owner)
    owner.reads("未成功分配的器具无法取消，等器具分配成功后再取消")

    supervisor.opens("待指派")
    supervisor.cell("C-001")
    with reading() as session:
        statuses = session.exec(select(AppointmentLine.status).order_by(AppointmentLine.id)).all()
    assert statuses == [LineStatus.canceled, LineStatus.unassigned]


def book_all(owner, text=""):
    """预约 whatever the picker offers for `text`."""
    owner.goes_to("/new_appointment")
    owner.presses("选择器具")
    if text:
        owner.page.get_by_test_id("stDialog").get_by_label("搜索").fill(text)
        owner.page.get_by_test_id("stDialog").get_by_label("搜索").press("Enter")
    owner.page.get_by_test_id("stDialog").get_by_text("全选这 1 台").click()
    owner.presses("选择（1 台）")
    owner.presses("提交申请")
    owner.reads("回执信息")


def cancels(owner):
    """取消预约 of the first line on the screen."""
    owner.ticks(0)
    owner.presses("取消预约")
    owner.presses("确定取消")


def test_a_wrong_form_says_what_to_do_and_loses_nothing(visit, bureau):
    owner = visit(bureau["enterprise"])
    owner.goes_to("/ledger?mode=new")
    owner.types("器具名称", "压力表")
    owner.types("出厂编号", "00123")
    owner.presses("确定")
    owner.reads("请填写“生产厂家”")
    expect(owner.field("出厂编号")).to_have_value("00123")
    with reading() as session:
        assert session.exec(select(Instrument)).all() == []


def test_valid_until_is_warned_about_and_locked_once_saved(visit, bureau):
    owner = visit(bureau["enterprise"])
    owner.goes_to("/ledger?mode=new")
    fills_in_the_gauge(owner, "00123")
    owner.picks_day("有效期至", "2027-01-31")
    owner.presses("确定")
    owner.reads("“有效期至”保存后不可修改")
    owner.page.get_by_test_id("stCheckbox").filter(has_text="已核对").click()
    owner.page.wait_for_timeout(400)
    owner.presses("确定")
    owner.cell("00123")
    owner.ticks(0)
    owner.presses("修改")
    kept = owner.page.get_by_test_id("stDateInput").filter(has_text="有效期至")
    expect(kept).to_contain_text("2027")
    expect(kept.get_by_role("spinbutton").first).to_have_attribute("aria-disabled", "true")


def test_a_page_of_another_role_does_not_open_by_its_address(visit, bureau):
    owner = visit(bureau["enterprise"])
    for path in ("/board", "/registrations", "/accounts", "/acceptance"):
        owner.page.goto(owner.address + path)
        owner.page.wait_for_timeout(1500)
        expect(owner.page.get_by_role("heading", name=re.compile("看板|审核|账户|受理"))).to_have_count(0)


def test_a_stranger_finds_the_door_at_every_address(visit, bureau):
    stranger = visit()
    for path in ("/", "/ledger", "/board", "/accounts"):
        stranger.goes_to(path)
        expect(stranger.field("账号")).to_be_visible()
    assert make.PASSWORD not in stranger.page.content()
