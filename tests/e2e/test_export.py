"""导出: what a list is narrowed to comes down as a file with exactly those rows."""

import csv
import re

import openpyxl
from playwright.sync_api import expect
from sqlmodel import select

from db.engine import transaction
from db.models import Account
from tests import make


def enter(username, *names):
    """Instruments in the ledger of that account."""
    with transaction() as session:
        owner = session.exec(select(Account).where(Account.username == username)).one()
        for name in names:
            make.make_instrument(session, owner, name=name)


def downloaded(person, label):
    """The file behind a link of the popover, and its name."""
    with person.page.expect_download(timeout=60_000) as waiting:
        person.page.get_by_role("link", name=label).click()
    return waiting.value.path(), waiting.value.suggested_filename


def test_a_clerk_narrows_the_ledger_and_exports_exactly_that(visit, bureau):
    enter(bureau["enterprise"], "压力表", "电能表", "压力变送器")
    clerk = visit(bureau["enterprise"])
    clerk.goes_to("/ledger?text=压力")
    clerk.presses("导出")
    path, name = downloaded(clerk, "Excel 工作簿")
    assert name.startswith("强检器具台账 ") and name.endswith(".xlsx")
    with open(path, "rb") as file:
        rows = openpyxl.load_workbook(file).active.iter_rows(min_row=2, max_col=2, values_only=True)
        assert [title for _, title in rows] == ["压力变送器", "压力表"]


def test_a_supervisor_exports_the_area_with_its_owners(visit, bureau):
    enter(bureau["enterprise"], "压力表")
    supervisor = visit(bureau["supervisor"])
    supervisor.opens("器具台账")
    supervisor.presses("导出")
    path, name = downloaded(supervisor, "纯文本表格")
    assert name.endswith(".csv")
    with open(path, encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["器具名称"], row["使用单位"]) == ("压力表", "杭州明达锅炉厂")


def test_the_route_is_for_people_who_have_signed_in_and_its_answer_is_kept_nowhere(visit, bureau):
    stranger, clerk = visit(), visit(bureau["enterprise"])
    answer = stranger.page.request.get(stranger.address + "/exports/ledger.csv")
    assert (answer.status, answer.text()) == (403, "请先登录约检台，再从台账页面导出")
    answer = clerk.page.request.get(clerk.address + "/exports/ledger.csv")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_grid_offers_a_way_out_past_the_export(visit, bureau):
    enter(bureau["enterprise"], "压力表")
    supervisor, clerk = visit(bureau["supervisor"]), visit(bureau["enterprise"])
    supervisor.opens("技术机构")
    clerk.opens("强检器具台账维护")
    clerk.presses("批量操作")
    clerk.presses("表格编辑")
    for person in (supervisor, clerk):
        person.page.get_by_test_id("stDataFrame").first.hover()
        tools = person.page.get_by_test_id("stElementToolbar").get_by_role("button")
        expect(tools.and_(person.page.get_by_label("查找")).first).to_be_visible()
        assert tools.and_(person.page.get_by_label(re.compile("下载|Download"))).count() == 0
