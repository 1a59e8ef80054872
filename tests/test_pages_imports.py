"""强制检定器具信息导入: what the page shows at each step, and what it does when it is told to."""

import io
import time

import openpyxl
import pytest

from catalog.columns import COLUMNS
from db import batches, imports, jobs, previews
from db.engine import reading, transaction
from db.imports import uploads
from db.models import Account, Batch, BatchStatus, Instrument
from pages.parts import account, import_preview, import_start, look, navigation
from tests import make, screens
from tests.test_imports import GAUGE, book

pytestmark = pytest.mark.usefixtures("sqlite")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Uploaded files of this test lie here."""
    monkeypatch.setenv("YUEJIAN_FILES", str(tmp_path / "files"))


@pytest.fixture
def owner():
    """The account of a boiler works."""
    with transaction() as session:
        return make.make_account(session)


def uploaded(owner, *rows, **options):
    """The id of a batch of such a workbook, examined."""
    with transaction() as session:
        batch = imports.upload(session, owner.enterprise_id, "台账.xlsx", book(*rows, **options), by=owner)
    imports.examine(batch.id, owner.id)
    return batch.id


def status_of(batch_id):
    """Where the batch stands."""
    with reading() as session:
        return session.get_one(Batch, batch_id).status


def finished(batch_id):
    """Wait until nobody works on the batch any more."""
    deadline = time.monotonic() + 60
    while not (job := jobs.find(import_start.key(batch_id))) or not job.is_over:
        assert time.monotonic() < deadline, "the job never ended"
        time.sleep(0.02)
    return job


def count():
    """How many instruments there are."""
    with reading() as session:
        return len(session.exec(Instrument.__table__.select()).all())


def test_the_page_offers_the_three_files_of_the_guide(owner, monkeypatch):
    shown = screens.visit(monkeypatch, owner, "imports")
    links = [element.proto.url for element in shown.get("link_button")]
    assert links == ["/template/template.xlsx", "/template/divisions.xlsx", "/template/kinds.xlsx"]
    assert "还没有导入过文件" in screens.said(shown)


def test_a_file_that_is_sent_is_examined_and_previewed(owner, monkeypatch):
    shown = screens.visit(monkeypatch, owner, "imports")
    shown.file_uploader[0].upload("台账.xlsx", book({}))
    screens.press(shown, "提交")
    (batch_id,) = map(int, shown.query_params["batch"])
    assert finished(batch_id).refusal == ""
    screens.sound(shown.run())
    assert status_of(batch_id) == BatchStatus.previewed
    assert any(one.label == "确认导入 1 行" for one in shown.button)


def test_sending_nothing_says_what_to_do(owner, monkeypatch):
    shown = screens.visit(monkeypatch, owner, "imports")
    screens.press(shown, "提交")
    assert screens.refusals(shown) == ["请先选择要导入的文件，再点击“提交”"]


def test_a_preview_is_confirmed(owner, monkeypatch):
    batch_id = uploaded(owner, {})
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    screens.press(shown, "确认导入 1 行")
    assert finished(batch_id).refusal == ""
    screens.sound(shown.run())
    assert "已导入 1 行：新增 1 台" in "".join(one.value for one in shown.success)
    assert count() == 1


def test_bad_rows_are_listed_and_the_good_ones_go_in_alone(owner, monkeypatch):
    batch_id = uploaded(owner, {}, {"出厂编号": "HY38", "送检方式": "送捡"})
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    table = shown.dataframe[0].value
    assert list(table["建议"]) == ["送检"]
    assert shown.get("link_button")[0].proto.label == "下载标注后的文件"
    screens.press(shown, "只导入正确的 1 行")
    finished(batch_id)
    screens.sound(shown.run())
    assert "取回有问题的行" in [one.proto.label for one in shown.get("link_button")]
    assert count() == 1


def test_a_validity_in_the_file_is_warned_of_before_it_is_locked(owner, monkeypatch):
    batch_id = uploaded(owner, {"有效期至": "2027-01-31"})
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    assert any("导入后不可修改" in one.value for one in shown.warning)


def test_a_validity_column_without_a_day_warns_of_nothing(owner, monkeypatch):
    batch_id = uploaded(
        owner, {"有效期至": None}, {"出厂编号": "HY38", "送检方式": "送捡", "有效期至": "2027-01-31"}
    )
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    assert not shown.warning


def test_a_file_without_rows_says_so(owner, monkeypatch):
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(uploaded(owner)))
    assert [one.value for one in shown.warning] == [import_preview.EMPTY]
    assert not shown.info


def test_an_import_says_what_it_did_not_write(owner, monkeypatch):
    with transaction() as session:
        make.make_instrument(session, session.get_one(Account, owner.id), serial_number="HY37")
    batch_id = uploaded(owner, {"安装/使用地点": "门口"}, {"出厂编号": "HY38", "送检方式": "送捡"})
    imports.apply(batch_id, owner.id, is_partial=True)
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    assert [one.value for one in shown.success] == ["已导入 1 行：修改 1 台。其余 1 行没有写入：错误 1。"]


def test_a_change_is_shown_cell_by_cell(owner, monkeypatch):
    with transaction() as session:
        make.make_instrument(session, session.get_one(Account, owner.id), serial_number="HY37")
    batch_id = uploaded(owner, {"安装/使用地点": "门口"})
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    (row,) = shown.dataframe[0].value.to_dict("records")
    assert (row["项目"], row["台账中"], row["改为"]) == ("安装/使用地点", "锅炉房", "门口")


def test_unknown_columns_are_matched_by_hand(owner, monkeypatch):
    headings = ["名目" if column.heading == "器具名称" else column.heading for column in COLUMNS]
    batch_id = uploaded(owner, GAUGE | {"名目": "压力表"}, headings=headings)
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    assert "例如：压力表" in screens.said(shown)
    assert next(one for one in shown.button if one.label == "继续检查").disabled
    shown = shown.selectbox(key=f"column-{batch_id}-0").select("器具名称").run()
    screens.press(shown, "继续检查")
    assert finished(batch_id).refusal == ""
    assert status_of(batch_id) == BatchStatus.previewed


def test_columns_are_matched_again_from_the_preview(owner, monkeypatch):
    headings = ["车间" if column.heading == "安装/使用地点" else column.heading for column in COLUMNS]
    batch_id = uploaded(owner, GAUGE | {"车间": "三号"}, headings=headings)
    screens.press(screens.visit(monkeypatch, owner, "imports", batch=str(batch_id)), "重新对应列")
    assert finished(batch_id).refusal == ""
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    assert "请核对每一列对应的项目" in screens.said(shown)
    place = headings.index("车间")
    shown = shown.selectbox(key=f"column-{batch_id}-{place}").select("安装/使用地点").run()
    screens.press(shown, "继续检查")
    assert finished(batch_id).refusal == ""
    assert status_of(batch_id) == BatchStatus.previewed


def test_where_too_many_files_wait_the_list_of_them_stays(owner, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_WAITING", 1)
    uploaded(owner, {})
    shown = screens.visit(monkeypatch, owner, "imports")
    shown.file_uploader[0].set_value(("台账.xlsx", book({}), "application/octet-stream"))
    shown = screens.press(shown, "提交")
    assert "请先在“导入记录”中逐个确认或放弃" in screens.refusals(shown)[0]
    assert list(shown.dataframe[0].value["文件"]) == ["台账.xlsx"]


def test_an_import_that_is_over_says_who_did_what(owner, monkeypatch):
    with transaction() as session:
        make.make_instrument(session, session.get_one(Account, owner.id), serial_number="HY37")
    batch_id = uploaded(owner, {"安装/使用地点": "门口"})
    screens.press(screens.visit(monkeypatch, owner, "imports", batch=str(batch_id)), "确认导入 1 行")
    assert finished(batch_id).refusal == ""
    for status in ("已完成", "已撤回"):
        shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
        said = screens.said(shown)
        assert status in said and owner.full_name in said and "09\\:30 上传" in said
        (row,) = shown.dataframe[0].value.to_dict("records")
        assert (row["项目"], row["台账中"], row["改为"]) == ("安装/使用地点", "锅炉房", "门口")
        assert "下载原文件" in [one.proto.label for one in shown.get("link_button")]
        if status == "已完成":
            with transaction() as session:
                batches.undo(session, batch_id, by=session.get_one(Account, owner.id))


def test_the_imports_are_listed_by_pages(owner, monkeypatch):
    monkeypatch.setattr(import_start, "SIZE", 1)
    for number in ("HY37", "HY38"):
        uploaded(owner, {"出厂编号": number})
    shown = screens.visit(monkeypatch, owner, "imports")
    assert (len(shown.dataframe[-1].value), "共 2 条" in screens.said(shown)) == (1, True)


def test_columns_under_another_name_are_told(owner, monkeypatch):
    headings = ["序列号" if column.heading == "出厂编号" else column.heading for column in COLUMNS]
    batch_id = uploaded(owner, {"序列号": "HY37"}, headings=headings)
    assert "序列号 → 出厂编号" in screens.said(
        screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    )


def test_a_column_called_only_number_is_asked_for(owner, monkeypatch):
    headings = ["编号" if column.heading == "出厂编号" else column.heading for column in COLUMNS]
    batch_id = uploaded(owner, {"编号": "1"}, headings=headings)
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    assert next(one for one in shown.button if one.label == "继续检查").disabled


@pytest.mark.parametrize(
    ("is_examined", "label"), [(True, "确认导入 1 行"), (False, "重新检查")], ids=["confirm", "check"]
)
def test_who_previews_another_account_begins_no_work(owner, monkeypatch, is_examined, label):
    with transaction() as session:
        administrator = make.make_account(session, make.Role.administrator)
        batch = imports.upload(session, owner.enterprise_id, "台账.xlsx", book({}), by=owner)
    if is_examined:
        imports.examine(batch.id, owner.id)
    monkeypatch.setattr(jobs, "_jobs", {})
    shown = screens.visit(monkeypatch, administrator, "profile")
    with transaction() as session:
        previews.begin(session, account.token(), owner.id, by=administrator)
    shown.run().switch_page(str(navigation.FOLDER / navigation.BY_NAME["imports"].file))
    shown.query_params["batch"] = str(batch.id)
    before = status_of(batch.id)
    screens.press(screens.sound(shown.run()), label)
    assert screens.refusals(shown) == [previews.REFUSED]
    assert jobs.find(import_start.key(batch.id)) is None
    assert (status_of(batch.id), count()) == (before, 0)


def test_what_an_upload_waits_for_is_told_apart(owner, monkeypatch):
    with transaction() as session:
        imports.upload(session, owner.enterprise_id, "台账.xlsx", b"x", by=owner)
    uploaded(owner, GAUGE, headings=["名目"])
    listed = screens.visit(monkeypatch, owner, "imports").dataframe[-1].value
    assert list(listed["状态"]) == [look.mark(import_start.MATCHING), look.mark(import_start.STOPPED)]
    one, other = jobs.Job(), jobs.Job()
    other.report("读取", 5)
    kept = {f"import-{id}": job for id, job in ((1, one), (2, other))}
    monkeypatch.setattr(jobs, "_jobs", kept)
    listed = screens.visit(monkeypatch, owner, "imports").dataframe[-1].value
    assert list(listed["状态"]) == [look.mark(import_start.CHECKING), look.mark(import_start.QUEUED)]


def test_a_file_that_cannot_be_read_says_why(owner, monkeypatch):
    with transaction() as session:
        batch = imports.upload(session, owner.enterprise_id, "台账.xlsx", b"PK\x03\x04", by=owner)
    imports.examine(batch.id, owner.id)
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch.id))
    assert len(screens.refusals(shown)) == 1
    assert "无法读取" in screens.said(shown)


def test_a_check_that_was_interrupted_may_be_done_again(owner, monkeypatch):
    with transaction() as session:
        batch = imports.upload(session, owner.enterprise_id, "台账.xlsx", book({}), by=owner)
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch.id))
    assert any("还没有检查完，没有写入任何数据" in one.value for one in shown.warning)
    screens.press(shown, "重新检查")
    assert finished(batch.id).refusal == ""
    assert status_of(batch.id) == BatchStatus.previewed


def test_an_import_is_dropped_without_a_trace_in_the_ledger(owner, monkeypatch):
    batch_id = uploaded(owner, {})
    shown = screens.visit(monkeypatch, owner, "imports", batch=str(batch_id))
    screens.press(shown, "放弃")
    assert (status_of(batch_id), count()) == (BatchStatus.discarded, 0)
    assert "台账.xlsx" in list(shown.dataframe[0].value["文件"])


def test_the_import_of_another_enterprise_is_not_found(owner, monkeypatch):
    batch_id = uploaded(owner, {})
    with transaction() as session:
        stranger = make.make_account(session)
    shown = screens.visit(monkeypatch, stranger, "imports", batch=str(batch_id))
    assert "导入批次不存在" in screens.refusals(shown)[0]


def test_a_supervisor_has_no_page_to_import(owner, monkeypatch):
    with transaction() as session:
        account = make.make_account(session, make.Role.supervisor)
    with pytest.raises(ValueError):
        screens.visit(monkeypatch, account, "imports")


def test_a_workbook_of_the_tests_is_a_real_one():
    sheet = openpyxl.load_workbook(io.BytesIO(book({}))).active
    assert [cell.value for cell in sheet[1]] == [column.heading for column in COLUMNS]
