"""The ledger in a real browser: search, pages, a view, a reload and the way back."""

import re

from playwright.sync_api import expect
from sqlmodel import select

from db.engine import reading, transaction
from db.models import Account, Draft
from tests import browser, make


def stock(username: str, count: int) -> None:
    """Gauges and scales by turns, the last one the newest."""
    with transaction() as session:
        owner = session.exec(select(Account).where(Account.username == username)).one()
        for number in range(1, count + 1):
            name = "电子秤" if number % 2 else "压力表"
            make.make_instrument(session, owner, name=name, serial_number=f"G{number:03}")


def kept() -> str:
    """The serial number that the one draft of a form holds."""
    with reading() as session:
        draft = session.exec(select(Draft)).first()
        return str(draft.content["typed"]["serial_number"]) if draft else ""


def wait_until_kept(page, serial_number: str) -> None:
    """Wait until the draft of the form has it."""
    for _ in range(100):
        if kept() == serial_number:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{serial_number} was never kept")


def test_a_list_comes_back_after_a_reload_and_by_the_browsers_own_button(visit, bureau):
    stock(bureau["enterprise"], 120)
    person = visit(bureau["enterprise"])
    person.opens("强检器具台账维护")
    person.reads("共 120 条")
    person.types("搜索", "yl")
    person.reads("共 60 条")
    person.presses("下一页")
    person.cell("G020")
    person.page.reload()
    browser.settled(person.page)
    person.reads("第 2 页，共 2 页")
    person.cell("G020")
    expect(person.field("搜索")).to_have_value("yl")

    person.page.go_back()
    browser.settled(person.page)
    person.reads("第 1 页，共 2 页")
    person.cell("G120")
    expect(person.field("搜索")).to_have_value("yl")


def test_a_view_without_a_name_is_refused_in_its_popover(visit, bureau):
    stock(bureau["enterprise"], 2)
    person = visit(bureau["enterprise"])
    person.opens("强检器具台账维护")
    person.presses("视图与列")
    person.presses("保存为视图")
    popover = person.page.get_by_test_id("stPopoverBody")
    expect(popover.get_by_text("请填写视图名称")).to_be_visible()
    person.reads("共 2 条")


def test_a_view_opens_where_it_was_saved_and_anywhere_else(visit, bureau):
    stock(bureau["enterprise"], 6)
    person = visit(bureau["enterprise"])
    person.goes_to("/ledger?text=秤")
    person.reads("共 3 条")
    person.presses("视图与列")
    person.types("视图名称", "秤")
    person.presses("保存为视图")
    person.reads("已保存视图“秤”")
    person.presses("设为默认视图")
    person.reads("下次进入时打开")

    elsewhere = visit(bureau["enterprise"])
    elsewhere.opens("强检器具台账维护")
    elsewhere.reads("共 3 条")
    expect(elsewhere.page).to_have_url(re.compile(r"view=\d+"))
    elsewhere.page.reload()
    browser.settled(elsewhere.page)
    elsewhere.reads("共 3 条")


def test_what_is_typed_in_the_form_outlives_the_server_and_closes_no_list(anew, bureau):
    with anew(bureau["enterprise"]) as clerk:
        clerk.goes_to("/ledger?mode=new")
        clerk.types("器具名称", "双针压力表")
        clerk.chooses("送检方式", "现场检")
        clerk.types("出厂编号", "00123")
        clerk.box("送检方式").click()
        wait_until_kept(clerk.page, "00123")
        expect(clerk.page.get_by_role("option", name="送检", exact=True)).to_be_visible()
    with anew(bureau["enterprise"]) as clerk:
        clerk.opens("强检器具台账维护")
        clerk.presses("新增")
        clerk.reads("已恢复未保存的内容")
        expect(clerk.field("器具名称")).to_have_value("双针压力表")
        expect(clerk.field("出厂编号")).to_have_value("00123")
        expect(clerk.box("送检方式")).to_have_value("现场检")
        clerk.presses("放弃")
        expect(clerk.field("出厂编号")).to_have_value("")
        assert kept() == ""
