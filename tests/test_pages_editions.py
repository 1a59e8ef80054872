"""The page of editions: a file is checked, its differences are shown, it is confirmed, or canceled."""

import pytest

from catalog import list_books
from db import editions, reference
from db.engine import reading, transaction
from db.models import Dataset, Role
from tests.make import kind, make_account
from tests.screens import press, refusals, said, visit, write

pytestmark = pytest.mark.slow

HEADINGS = "种别代码,项别代码,器具项别,器具种别,检定周期（月）\n"


@pytest.fixture
def administrator(sqlite):
    with transaction() as session:
        return make_account(session, Role.administrator, full_name="俞志明")


def book(change):
    """Our own catalog as a workbook, changed by a function of its first sheet."""
    with reading() as session:
        made = list_books.kind_book(reference.lists(session))
    change(made.active)
    return list_books.content(made)


def longer_interval(sheet):
    """Twelve months for pressure gauges, and no second kind."""
    row = next(row for row in sheet.iter_rows(min_row=3) if row[0].value == "91101")
    row[7].value = 12
    sheet.delete_rows(next(row[0].row for row in sheet.iter_rows(min_row=3) if row[0].value == "91401"))


def checked(monkeypatch, account, name, content):
    shown = visit(monkeypatch, account, "editions")
    shown.file_uploader[0].upload(name, content)
    return press(shown, "检查文件")


def test_a_changed_catalog_shows_its_differences_and_takes_effect(administrator, monkeypatch):
    shown = checked(monkeypatch, administrator, "目录.xlsx", book(longer_interval))
    assert {one.label: one.value for one in shown.metric} == {
        "新增": "0",
        "修改": "1",
        "撤销": "1",
        "不变": "27",
    }
    write(shown, "版本名称", "官方目录 2027")
    shown = press(shown, "确认载入")
    assert "已经生效" in said(shown)
    with reading() as session:
        assert reference.edition(session, Dataset.catalog).name == "官方目录 2027"
        assert kind(session).interval_months == 12
    assert shown.dataframe[0].value["状态"].tolist()[0] == "● 现行"


def test_our_own_download_says_that_nothing_differs(administrator, monkeypatch):
    shown = checked(monkeypatch, administrator, "目录.xlsx", book(lambda sheet: None))
    assert "没有差别" in said(shown)
    assert "确认载入" not in [one.label for one in shown.button]


def test_what_is_wrong_is_listed_row_by_row(administrator, monkeypatch):
    rows = "9110A,911,压力仪表,压力表,6\n91102,911,压力仪表,压力表,半年\n"
    shown = checked(monkeypatch, administrator, "目录.csv", (HEADINGS + rows).encode())
    assert "2 处需要改正" in refusals(shown)[0]
    assert shown.dataframe[0].value["行"].tolist() == ["2", "3"]
    shown = press(shown, "换一个文件")
    assert shown.file_uploader


def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(administrator, monkeypatch):
    shown = checked(monkeypatch, administrator, "目录.csv", "姓名,电话,地址\n沈越,1,2\n".encode())
    assert "没有找到列" in refusals(shown)[0]


def test_nothing_chosen_is_said(administrator, monkeypatch):
    shown = press(visit(monkeypatch, administrator, "editions"), "检查文件")
    assert "请先选择" in refusals(shown)[0]


def test_an_edition_that_waits_can_be_canceled(administrator, monkeypatch):
    with transaction() as session:
        listed = editions.read(Dataset.catalog, "目录.xlsx", book(longer_interval))
        day = editions.clock.today().replace(year=2027)
        editions.stage(session, Dataset.catalog, listed, by=administrator, name="明年版", effective_on=day)
    shown = visit(monkeypatch, administrator, "editions")
    assert "将于 2027-11-23 自动生效" in said(shown)
    shown = press(shown, "确认取消")
    assert shown.dataframe[0].value["状态"].tolist()[0] == "✕ 已取消"


def test_what_is_wrong_with_a_row_and_with_the_whole_is_listed_together(administrator, monkeypatch):
    rows = "行政区划代码,全称\n33000,浙江省\n330100,浙江省杭州市\n"
    shown = visit(monkeypatch, administrator, "editions")
    shown.radio[0].set_value(Dataset.divisions)
    shown.file_uploader[0].upload("区划.csv", rows.encode())
    shown = press(shown, "检查文件")
    assert {"2", "全表"} <= set(shown.dataframe[0].value["行"])
