"""Many rows at once in a real browser: a conflict by cell, one value for all with its undo, a draft."""

import re
from datetime import date

from playwright.sync_api import expect
from sqlmodel import select

from db import instruments
from db.engine import reading, transaction
from db.models import Account, Instrument
from tests import browser, make


def stock(username, count=1, **values):
    """Instruments in the ledger of that account."""
    with transaction() as session:
        owner = session.exec(select(Account).where(Account.username == username)).one()
        return [make.make_instrument(session, owner, **values).id for _ in range(count)]


def change(username, id, **values):
    """A colleague is quicker."""
    with transaction() as session:
        by = session.exec(select(Account).where(Account.username == username)).one()
        instruments.edit(session, id, session.get_one(Instrument, id).version, values, by=by)


def scrap(username, id):
    """A colleague scraps it."""
    with transaction() as session:
        by = session.exec(select(Account).where(Account.username == username)).one()
        instruments.change_status(session, [id], "scrap", by=by, reason="表壳破损")


def stored(id):
    """An instrument as it stands."""
    with reading() as session:
        return session.get_one(Instrument, id)


def opens_grid(owner):
    """To 表格编辑 from anywhere."""
    owner.opens("强检器具台账维护")
    owner.presses("批量操作")
    owner.presses("表格编辑")


def test_a_conflict_in_the_grid_is_settled_cell_by_cell(visit, bureau):
    (id,) = stock(bureau["enterprise"])
    owner = visit(bureau["enterprise"])
    opens_grid(owner)
    owner.writes_cell(0, "双针压力表")
    owner.reads("已改 1 台器具的 1 处，尚未保存")
    change(bureau["enterprise"], id, name="电接点压力表", accuracy_class="4")
    owner.presses("保存")
    owner.reads("1 台器具已被他人修改")
    owner.reads("还有 1 处双方都改过，请选择")
    assert owner.button("按以上选择保存").is_disabled()
    owner.page.get_by_text("我的：双针压力表").click()
    browser.settled(owner.page)
    owner.presses("按以上选择保存")
    owner.reads("已保存 1 台器具的修改")
    assert (stored(id).name, stored(id).accuracy_class) == ("双针压力表", "4")


def test_a_text_that_is_too_long_is_refused_not_cut(visit, bureau):
    (id,) = stock(bureau["enterprise"])
    owner = visit(bureau["enterprise"])
    opens_grid(owner)
    owner.writes_cell(0, "表" * 130)
    owner.reads("已改 1 台器具的 1 处，尚未保存")
    owner.presses("保存")
    owner.reads("还没有保存，有 1 处需要改正")
    owner.cell("最多 120 个字，现有 130 个")
    assert stored(id).name == "压力表"


def test_the_menu_and_a_tile_lead_out_of_the_grid_and_what_was_typed_waits(visit, bureau):
    (id,) = stock(bureau["enterprise"])
    owner = visit(bureau["enterprise"])
    opens_grid(owner)
    owner.opens("首页")
    owner.opens("强检器具台账维护")
    owner.reads("共 1 条")
    owner.presses("批量操作")
    owner.presses("表格编辑")
    owner.writes_cell(0, "双针压力表")
    owner.reads("已改 1 台器具的 1 处，尚未保存")
    owner.opens("首页")
    owner.page.locator("a[href^='ledger?due=missing']").click()
    owner.reads("有未保存的表格编辑（1 台 1 处")
    owner.reads("共 1 条")
    expect(owner.page).to_have_url(re.compile("due=missing"))
    owner.presses("继续编辑")
    scrap(bureau["enterprise"], id)
    owner.presses("保存")
    owner.reads("已报废，对这 1 台器具的修改不能保存，已去掉")
    owner.presses("返回台账")
    owner.reads("没有符合条件的器具")


def test_all_filtered_rows_are_set_together_and_taken_back(visit, bureau):
    ids = stock(bureau["enterprise"], 55, location="水泵房", valid_until=date(2027, 1, 31))
    (other,) = stock(bureau["enterprise"], location="锅炉房")
    owner = visit(bureau["enterprise"])
    owner.goes_to("/ledger?text=水泵")
    owner.presses("批量操作")
    owner.presses("批量修改")
    owner.chooses("改为", "现场检")
    owner.presses("预览")
    owner.presses("确定修改 55 台")
    owner.reads("已修改 55 台器具的“送检方式”")
    assert {stored(id).delivery_mode.value for id in ids} == {"现场检"}
    assert stored(other).version == 1
    owner.presses("批量操作")
    owner.presses("批次")
    owner.cell("送检方式 → 现场检")
    owner.ticks(0)
    owner.presses("整批撤回")
    owner.presses("确定整批撤回")
    owner.reads("55 台器具已恢复原来的内容")
    assert {stored(id).delivery_mode.value for id in ids} == {"送检"}


def test_what_was_typed_survives_the_end_of_the_server_and_of_the_sign_in(anew, bureau):
    (id,) = stock(bureau["enterprise"])
    with anew(bureau["enterprise"]) as owner:
        opens_grid(owner)
        owner.writes_cell(0, "双针压力表")
        owner.reads("尚未保存")
    assert stored(id).version == 1
    with anew(bureau["enterprise"]) as owner:
        owner.opens("强检器具台账维护")
        owner.reads("有未保存的表格编辑（1 台 1 处")
        owner.presses("继续编辑")
        owner.reads("已改 1 台器具的 1 处，尚未保存")
        owner.presses("保存")
        owner.reads("已保存 1 台器具的修改")
    assert stored(id).name == "双针压力表"
