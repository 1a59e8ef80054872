"""附录一: a clerk's workbook, from the template to the ledger, in a real browser."""

import io

import openpyxl
import pytest

from catalog.columns import COLUMNS
from tests.test_imports import book


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Uploaded files of this test lie here, the server's too."""
    monkeypatch.setenv("YUEJIAN_FILES", str(tmp_path / "files"))


def send(clerk, content, name="台账.xlsx"):
    """Choose a file and press 提交."""
    clerk.goes_to("/imports")
    clerk.page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )
    clerk.reads(name)
    clerk.presses("提交")


def downloaded(clerk, label):
    """The workbook behind a button."""
    with clerk.page.expect_download() as waiting:
        clerk.page.get_by_role("link", name=label).click()
    with open(waiting.value.path(), "rb") as file:
        return openpyxl.load_workbook(io.BytesIO(file.read()))


def test_the_template_is_filled_in_and_imported(visit, bureau):
    clerk = visit(bureau["enterprise"])
    clerk.opens("强检器具台账维护")
    clerk.presses("导入")
    template = downloaded(clerk, "《强制检定器具信息导入模板》下载")
    sheet = template["器具信息"]
    assert [cell.value for cell in sheet[1]][:17] == [column.heading for column in COLUMNS]
    plate = ["压力表", None, "91101", "(0-1) MPa", None, "1.6", "00123", "上海银普仪表有限公司", None]
    sheet.append([*plate, "330106", "锅炉房", None, None, "安全防护", "送检"])
    out = io.BytesIO()
    template.save(out)
    send(clerk, out.getvalue())
    clerk.presses("确认导入 1 行")
    clerk.reads("已导入 1 行：新增 1 台。")
    clerk.presses("查看台账")
    clerk.cell("00123")


def test_a_bad_cell_is_marked_mended_and_sent_again(visit, bureau):
    clerk = visit(bureau["enterprise"])
    send(clerk, book({}, {"出厂编号": "HY38", "送检方式": "送捡"}))
    clerk.reads("1 行需要改正。")
    clerk.cell("送捡")
    back = downloaded(clerk, "下载标注后的文件")
    sheet = next(one for one in back.worksheets if one["A1"].value == "器具名称")
    (marked,) = [cell for row in sheet.rows for cell in row if cell.comment]
    assert marked.value == "送捡"
    marked.value = "送检"
    out = io.BytesIO()
    back.save(out)
    send(clerk, out.getvalue())
    clerk.presses("确认导入 2 行")
    clerk.reads("已导入 2 行：新增 2 台。")


def test_an_import_is_undone(visit, bureau):
    clerk = visit(bureau["enterprise"])
    send(clerk, book({}))
    clerk.presses("确认导入 1 行")
    clerk.reads("已导入 1 行")
    clerk.presses("整批撤回")
    clerk.presses("确定整批撤回")
    clerk.reads("已撤回")
    clerk.opens("强检器具台账维护")
    clerk.reads("台账还是空的")


def test_a_clerk_may_close_the_browser_while_the_file_is_checked_and_come_back(visit, bureau):
    clerk = visit(bureau["enterprise"])
    send(clerk, book(*({"出厂编号": f"HY{number:05}"} for number in range(3000))))
    clerk.opens("首页")
    clerk.page.close()
    clerk = visit(bureau["enterprise"])
    clerk.goes_to("/imports")
    clerk.cell("台账.xlsx")
    clerk.ticks(0)
    clerk.presses("确认导入 3,000 行")
    clerk.reads("已导入 3,000 行")


def test_a_file_of_another_kind_is_refused_in_a_sentence(visit, bureau):
    clerk = visit(bureau["enterprise"])
    send(clerk, b"%PDF-1.7\n%...", "台账.xlsx")
    clerk.reads("PDF")
    clerk.opens("强检器具台账维护")
    clerk.reads("台账还是空的")


def test_the_name_of_a_file_is_no_markdown(visit, bureau):
    clerk = visit(bureau["enterprise"])
    send(clerk, book({}), "[登](www.a.cn).xlsx")
    clerk.presses("确认导入 1 行")
    clerk.reads("已导入 1 行")
    assert clerk.page.get_by_role("link", name="下载原文件").count() == 1
    assert clerk.page.locator("a[href*='www.a.cn']").count() == 0
