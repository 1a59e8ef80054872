"""An administrator at a browser: the audit log of a change, and a list that LibreOffice has changed."""

from io import BytesIO
from urllib.parse import unquote

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from db import reference
from db.engine import reading, transaction
from db.models import Dataset, Instrument, Role
from tests import make, office
from tests.e2e.test_bulk import stock

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def administrator(bureau) -> str:
    """The user name of one."""
    with transaction() as session:
        return make.make_account(session, Role.administrator, full_name="俞志明").username


def location(id):
    """Where an instrument stands, as it is stored."""
    with reading() as session:
        return session.get_one(Instrument, id).location


def test_a_change_is_in_the_audit_log_and_is_taken_back(visit, bureau, administrator):
    (id,) = stock(bureau["enterprise"], location="锅炉房")
    owner, auditor = visit(bureau["enterprise"]), visit(administrator)
    owner.goes_to(f"/ledger?mode=edit&id={id}")
    owner.types("安装/使用地点", "二号水泵房")
    owner.presses("确定")
    owner.reads("已保存")
    assert location(id) == "二号水泵房"

    auditor.goes_to("/audit?subject=instrument")
    auditor.cell("安装/使用地点：锅炉房 → 二号水泵房")
    auditor.cell("沈越")

    owner.goes_to(f"/instrument?id={id}")
    owner.presses("恢复")
    owner.reads("安装/使用地点：改回 锅炉房")
    owner.presses("确定恢复")
    owner.reads("已恢复到变更之前的内容")
    assert location(id) == "锅炉房"

    auditor.goes_to("/audit?subject=instrument")
    auditor.cell("安装/使用地点：二号水泵房 → 锅炉房")
    auditor.presses("校验日志")
    auditor.reads("日志完好")


def test_a_list_that_libreoffice_has_changed_takes_effect(visit, administrator, tmp_path):
    person = visit(administrator)
    person.opens("基础数据")
    person.goes_to("/editions")
    downloaded = person.page.request.get(f"{person.address}/template/kinds.xlsx")
    assert "强检器具目录" in unquote(downloaded.headers["content-disposition"])
    book = load_workbook(BytesIO(downloaded.body()))
    row = next(row for row in book.active.iter_rows(min_row=2) if row[0].value == "91101")
    row[7].value = 12
    book.save(tmp_path / "目录.xlsx")
    changed = office.saved(tmp_path / "目录.xlsx", "xlsx", tmp_path / "changed")

    person.uploads("目录.xlsx", changed.read_bytes(), XLSX)
    person.presses("检查文件")
    person.reads("修改 1 处")
    person.cell("指示类压力表、显示类压力表")
    person.types("版本名称", "官方目录 2027")
    person.presses("确认载入")
    person.reads("已经生效")
    expect(person.page.get_by_text("确认载入")).to_have_count(0)
    with reading() as session:
        assert reference.edition(session, Dataset.catalog).name == "官方目录 2027"
        assert make.kind(session).interval_months == 12
