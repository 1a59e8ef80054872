"""台账导入: from a file to the ledger, whole or not at all, and nothing that the preview did not say."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from sqlmodel import col, func, select, update

from catalog import workbook
from catalog.columns import COLUMNS, DIVISION, KIND, SYSTEM_ID
from catalog.export import write_csv
from catalog.marking import SUMMARY_SHEET
from db import appointments, attachments, batches, bulk, history, imports, instruments, ledger
from db import engine as engines
from db.engine import reading, transaction
from db.errors import Conflict, NotFound, Refused
from db.imports import steps, uploads
from db.imports.rows import HEADINGS
from db.instrument_fields import ELSEWHERE
from db.models import (
    Account,
    AppointmentLine,
    Attachment,
    AuditEntry,
    Batch,
    BatchStatus,
    DeliveryMode,
    Division,
    Enterprise,
    Instrument,
    InstrumentChange,
    LineStatus,
    Purpose,
    Role,
)
from tests import make, office

ROOT = Path(__file__).parent.parent
GAUGE = {
    "器具名称": "压力表",
    KIND: "91101",
    "型号规格": "(0-1) MPa",
    "测量范围": "(0-1) MPa",
    "准确度等级": "1.6",
    "出厂编号": "HY37",
    "生产厂家": "上海银普仪表有限公司",
    DIVISION: make.XIHU,
    "安装/使用地点": "锅炉房",
    "器具用途": "安全防护",
    "送检方式": "送检",
}


PLATE = {"serial_number": "HY37", "manufacturer": "上海银普仪表有限公司", "specification": "(0-1) MPa"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Uploaded files of this test lie here."""
    monkeypatch.setenv("YUEJIAN_FILES", str(tmp_path / "files"))


@pytest.fixture
def owner(database):
    """The committed account of a boiler works."""
    with transaction() as session:
        return make.make_account(session)


def book(*rows, headings=None):
    """The bytes of a workbook: headings, then a row for each dict: a gauge, but for what it says."""
    headings = headings or [column.heading for column in COLUMNS]
    made = openpyxl.Workbook()
    made.active.append(headings)
    for row in rows:
        made.active.append([(GAUGE | row).get(heading) for heading in headings])
    return saved(made)


def saved(made):
    """A workbook as bytes."""
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def upload(owner, content, name="台账.xlsx"):
    """The id of a batch that waits to be examined."""
    with transaction() as session:
        return imports.upload(session, owner.enterprise_id, name, content, by=owner).id


def examined(owner, content, name="台账.xlsx"):
    """The batch after its file has been examined."""
    batch_id = upload(owner, content, name)
    imports.examine(batch_id, owner.id)
    return kept(batch_id)


def kept(batch_id):
    """The batch as it stands."""
    with reading() as session:
        return session.get_one(Batch, batch_id)


def rows_of(owner):
    """The ledger, the oldest first."""
    with reading() as session:
        here = select(Instrument).where(Instrument.enterprise_id == owner.enterprise_id)
        return list(session.exec(here.order_by(col(Instrument.id))))


def counts(batch):
    """Rows by outcome, without those that are 0."""
    return {name: count for name, count in batch.totals.items() if count}


def problems(batch):
    """What is wrong, by row and heading."""
    return {(one["row"], one["heading"]): one["sentence"] for one in batch.findings["problems"]}


def enter(owner, **values):
    """A gauge that is in the ledger already."""
    with transaction() as session:
        return make.make_instrument(session, session.get_one(Account, owner.id), **values)


def returned(batch):
    """The workbook that comes back."""
    with reading() as session:
        row = session.get_one(attachments.Attachment, batch.returned_id)
        content = attachments.path(row).read_bytes()
    return openpyxl.load_workbook(io.BytesIO(content)), row.name


def test_a_wrong_cell_is_found_in_whatever_piece_of_the_file_it_stands(owner, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    rows = [{"出厂编号": str(number)} for number in range(7)]
    for at in (3, 5):
        rows[at]["器具数量"] = "很多"
    batch = examined(owner, book(*rows))
    assert counts(batch) == {"rows": 7, "added": 5, "invalid": 2}
    assert set(problems(batch)) == {(5, "器具数量"), (7, "器具数量")}


def test_the_gauge_of_the_guide_is_imported_as_it_is_written(owner):
    batch = examined(owner, book({"有效期至": date(2027, 1, 31), "购置时间": "2024年3月15日"}))
    assert (batch.status, counts(batch)) == (BatchStatus.previewed, {"rows": 1, "added": 1})
    assert rows_of(owner) == []
    outcome = imports.apply(batch.id, owner.id)
    (gauge,) = rows_of(owner)
    assert outcome.totals == batch.totals
    assert (gauge.name, gauge.serial_number, gauge.purpose) == ("压力表", "HY37", Purpose.safety_protection)
    assert (gauge.valid_until, gauge.purchased_on) == (date(2027, 1, 31), date(2024, 3, 15))
    assert (gauge.quantity, gauge.version, gauge.division_code) == (1, 1, make.XIHU)


def test_an_import_leaves_a_trace_a_batch_and_an_audit_entry(owner):
    batch = examined(owner, book({}))
    imports.apply(batch.id, owner.id)
    (gauge,) = rows_of(owner)
    with reading() as session:
        (change,) = history.of_instrument(session, gauge.id, by=owner)
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "导入台账")).one()
    assert (change.action, change.note, change.by_name) == ("导入", "第 2 行", owner.full_name)
    assert (entry.action, entry.subject, entry.subject_id) == ("导入台账", "batch", batch.id)
    assert entry.after["added"] == 1
    assert kept(batch.id).status == BatchStatus.applied


def test_what_was_imported_is_found_by_the_search_box(owner):
    imports.apply(examined(owner, book({"出厂编号": "00123"})).id, owner.id)
    with reading() as session:
        found = [
            ledger.count(session, ledger.Filters(text=text), by=owner)
            for text in ("压力", "012", "ylb", "虹膜")
        ]
    assert found == [1, 1, 1, 0]


def test_names_do_as_well_as_codes(owner):
    batch = examined(owner, book({KIND: "指示类压力表、显示类压力表", DIVISION: "浙江省杭州市西湖区"}))
    imports.apply(batch.id, owner.id)
    assert rows_of(owner)[0].division_code == make.XIHU


def test_an_address_in_three_columns_does_as_well(owner):
    headings = [column.heading for column in COLUMNS if column.heading != DIVISION] + ["省", "市", "区县"]
    batch = examined(owner, book({"省": "浙江省", "市": "杭州市", "区县": "西湖区"}, headings=headings))
    assert counts(batch) == {"rows": 1, "added": 1}


def test_everything_that_is_wrong_is_said_at_once(owner):
    bad = {
        "器具名称": None,
        KIND: "压力锅",
        "出厂编号": 6377020123456789,
        DIVISION: "330199",
        "购置时间": "2027-01-01",
        "器具数量": 3,
        "器具用途": "安全",
        "送检方式": "送捡",
    }
    batch = examined(owner, book({}, bad))
    assert counts(batch) == {"rows": 2, "added": 1, "invalid": 1}
    assert {heading for row, heading in problems(batch) if row == 3} == set(bad) - {"器具数量"}
    found = {one["heading"]: one["suggestion"] for one in batch.findings["problems"]}
    assert (found["器具用途"], found["送检方式"]) == ("安全防护", "送检")


def test_a_serial_number_names_one_instrument_here_too(owner):
    batch = examined(owner, book({"器具数量": 3}))
    assert problems(batch)[2, "器具数量"].startswith("填写了出厂编号的器具数量应为 1")


def test_a_row_that_repeats_an_earlier_one_is_named_with_it(owner):
    batch = examined(owner, book({}, {"出厂编号": "HY38"}, {}))
    assert counts(batch) == {"rows": 3, "added": 2, "duplicates": 1}
    assert problems(batch)[4, "出厂编号"] == "与原文件第 2 行是同一台器具，请删去其中一行"


def test_a_second_import_updates_instead_of_doubling(owner):
    imports.apply(examined(owner, book({}, {"出厂编号": "HY38"})).id, owner.id)
    batch = examined(owner, book({"安装/使用地点": "二号锅炉房", "送检方式": "现场检"}, {"出厂编号": "HY38"}))
    assert counts(batch) == {"rows": 2, "updated": 1, "unchanged": 1}
    (changed,) = batch.findings["changed"]
    assert changed["changes"] == {
        "location": ["锅炉房", "二号锅炉房"],
        "delivery_mode": ["brought_in", "on_site"],
    }
    imports.apply(batch.id, owner.id)
    first, second = rows_of(owner)
    assert (first.location, first.delivery_mode, first.version) == ("二号锅炉房", DeliveryMode.on_site, 2)
    assert second.version == 1


def test_a_column_that_is_not_in_the_file_changes_nothing(owner):
    gauge = enter(owner, serial_number="HY37", remark="备用")
    headings = [column.heading for column in COLUMNS if column.heading not in ("备注", "型号规格")]
    batch = examined(owner, book({"安装/使用地点": "门口"}, headings=headings))
    imports.apply(batch.id, owner.id)
    (row,) = rows_of(owner)
    assert (row.id, row.location, row.remark, row.specification) == (gauge.id, "门口", "备用", "(0-1) MPa")


def test_an_empty_cell_empties_a_text_and_leaves_what_has_a_default(owner):
    enter(owner, serial_number="HY37", remark="备用", valid_until=date(2027, 1, 31))
    batch = examined(owner, book({"备注": None, "有效期至": None, "器具数量": None}))
    assert batch.findings["changed"][0]["changes"] == {"remark": ["备用", ""]}


def test_a_locked_validity_is_not_changed_by_a_file(owner):
    enter(owner, serial_number="HY37", valid_until=date(2027, 1, 31))
    batch = examined(owner, book({"有效期至": date(2028, 1, 31)}))
    assert counts(batch) == {"rows": 1, "invalid": 1}
    assert "台账中为 2027-01-31，保存后不可修改" in problems(batch)[2, "有效期至"]


def test_a_scrapped_instrument_stays_as_it_is(owner):
    gauge = enter(owner, serial_number="HY37")
    with transaction() as session:
        instruments.change_status(session, [gauge.id], "scrap", by=owner, reason="损坏")
    assert "已报废" in problems(examined(owner, book({"安装/使用地点": "门口"})))[2, "器具名称"]


def test_the_system_number_finds_a_row_whose_number_was_mended(owner):
    gauge = enter(owner, serial_number="HY3T")
    headings = [SYSTEM_ID, *(column.heading for column in COLUMNS)]
    batch = examined(owner, book({SYSTEM_ID: gauge.id}, headings=headings))
    assert batch.findings["changed"][0]["changes"] == {"serial_number": ["HY3T", "HY37"]}


@pytest.mark.parametrize("claimed", ["abc", "99999999", "1e3"])
def test_a_system_number_that_is_not_this_ledgers_is_refused(owner, claimed):
    headings = [SYSTEM_ID, *(column.heading for column in COLUMNS)]
    batch = examined(owner, book({SYSTEM_ID: claimed}, headings=headings))
    assert (2, SYSTEM_ID) in problems(batch)


def test_the_system_number_of_another_ledger_is_not_found(owner):
    with transaction() as session:
        other = make.make_instrument(session)
    headings = [SYSTEM_ID, *(column.heading for column in COLUMNS)]
    batch = examined(owner, book({SYSTEM_ID: other.id}, headings=headings))
    assert "本单位台账中没有" in problems(batch)[2, SYSTEM_ID]


def test_a_row_that_could_mean_two_instruments_is_no_guess(owner):
    for specification in ("A", "B"):
        enter(owner, serial_number="HY37", specification=specification)
    headings = [column.heading for column in COLUMNS if column.heading != "型号规格"]
    batch = examined(owner, book({}, headings=headings))
    assert counts(batch) == {"rows": 1, "invalid": 1}
    assert "台账中有多台" in problems(batch)[2, "出厂编号"]


def test_one_bad_row_refuses_all_unless_only_the_good_ones_are_wanted(owner):
    batch = examined(owner, book({}, {"出厂编号": None}))
    with pytest.raises(Refused, match="有 1 行需要改正，本次没有导入任何数据"):
        imports.apply(batch.id, owner.id)
    assert rows_of(owner) == []
    imports.apply(batch.id, owner.id, is_partial=True)
    assert [row.serial_number for row in rows_of(owner)] == ["HY37"]
    assert kept(batch.id).options == {"is_partial": True}


def test_the_uploaded_workbook_comes_back_with_its_bad_cells_marked(owner):
    batch = examined(owner, book({}, {DIVISION: "浙江西湖"}, {"出厂编号": "HY39"}))
    back, name = returned(batch)
    assert name == "台账（检查结果）.xlsx"
    sheet = next(one for one in back.worksheets if one.title != SUMMARY_SHEET)
    marked = {cell.coordinate: cell.comment.text for row in sheet.rows for cell in row if cell.comment}
    assert list(marked) == ["J3"]
    assert "330106 浙江省杭州市西湖区" in marked["J3"] or "请填写" in marked["J3"]
    sheet["J3"] = make.XIHU
    sheet["G3"] = "HY38"
    again = examined(owner, saved(back))
    assert counts(again) == {"rows": 3, "added": 3}


def test_the_bad_rows_come_back_alone_once_the_good_ones_are_in(owner):
    batch = examined(owner, book({}, {"出厂编号": "HY38", "送检方式": "送捡"}))
    imports.apply(batch.id, owner.id, is_partial=True)
    back, _ = returned(kept(batch.id))
    sheet = next(one for one in back.worksheets if one.title != SUMMARY_SHEET)
    numbers = [cell.value for cell in sheet["G"][1:] if cell.value]
    assert numbers == ["HY38"]
    next(cell for cell in sheet["O"] if cell.value == "送捡").value = "送检"
    assert counts(examined(owner, saved(back))) == {"rows": 1, "added": 1}


def test_a_bad_row_that_comes_back_is_still_the_same_instrument(owner):
    with transaction() as session:
        known = make.make_instrument(session, session.get_one(Account, owner.id), **PLATE)
    headings = [*(column.heading for column in COLUMNS), SYSTEM_ID]
    bad = {"出厂编号": "HY39", "送检方式": "送捡", SYSTEM_ID: str(known.id)}
    batch = examined(owner, book({"出厂编号": "HY38"}, bad, headings=headings))
    imports.apply(batch.id, owner.id, is_partial=True)
    back, _ = returned(kept(batch.id))
    next(cell for cell in back[workbook.DATA_SHEET]["O"] if cell.value == "送捡").value = "送检"
    assert counts(examined(owner, saved(back))) == {"rows": 1, "updated": 1}


def test_a_bad_row_comes_back_with_its_division_from_three_cells(owner):
    headings = [column.heading for column in COLUMNS if column.heading != DIVISION] + ["省", "市", "区县"]
    address = {"省": "浙江省", "市": "杭州市", "区县": "西湖区"}
    bad = address | {"出厂编号": "HY38", "送检方式": "送捡"}
    batch = examined(owner, book(address, bad, headings=headings))
    imports.apply(batch.id, owner.id, is_partial=True)
    back, _ = returned(kept(batch.id))
    sheet = back[workbook.DATA_SHEET]
    assert [cell.value for cell in sheet["J"][1:] if cell.value] == ["浙江省杭州市西湖区"]
    next(cell for cell in sheet["O"] if cell.value == "送捡").value = "送检"
    assert counts(examined(owner, saved(back))) == {"rows": 1, "added": 1}


def test_bad_rows_come_back_with_the_lists_in_force(owner):
    with transaction() as session:
        session.get_one(Division, make.XIHU).name = "西子区"
    batch = examined(owner, book({}, {"出厂编号": "HY38", "送检方式": "送捡"}))
    imports.apply(batch.id, owner.id, is_partial=True)
    back, _ = returned(kept(batch.id))
    assert "西子区" in [cell.value for row in back["行政区划信息"] for cell in row]


def test_bad_rows_beyond_the_limit_are_not_dropped_silently(owner, monkeypatch):
    monkeypatch.setattr("db.imports.rows.MOST_PROBLEMS", 2)
    bad = [{"出厂编号": f"HY{number}", "送检方式": "送捡"} for number in range(3)]
    batch = examined(owner, book({}, *bad))
    imports.apply(batch.id, owner.id, is_partial=True)
    back, _ = returned(kept(batch.id))
    assert "只取回了前 2 行，另有 1 行" in back[SUMMARY_SHEET]["A3"].value


def test_a_file_that_cannot_be_read_ends_the_batch_with_the_reason(owner):
    batch = examined(owner, b"%PDF-1.7 ...", "台账.pdf")
    assert batch.status == BatchStatus.failed
    assert "PDF" in batch.note


def test_columns_that_are_not_recognized_are_asked_for(owner):
    headings = ["名目" if column.heading == "器具名称" else column.heading for column in COLUMNS]
    content = book({"名目": "压力表"}, headings=headings)
    batch = examined(owner, content)
    assert (batch.status, batch.findings["missing"]) == (BatchStatus.submitted, ["器具名称"])
    assert batch.findings["sample"][0][0] == "压力表"
    columns = {index: column.heading for index, column in enumerate(COLUMNS)}
    with transaction() as session:
        imports.choose_columns(session, batch.id, columns, by=owner)
    imports.examine(batch.id, owner.id)
    assert counts(kept(batch.id)) == {"rows": 1, "added": 1}


@pytest.mark.parametrize("heading", ["安装/使用地点", "测量范围", "准确度等级", "备注"])
def test_what_may_be_empty_may_be_empty(owner, heading):
    batch = examined(owner, book({heading: None}))
    imports.apply(batch.id, owner.id)
    assert counts(kept(batch.id)) == {"rows": 1, "added": 1}
    with reading() as session:
        assert ledger.count(session, ledger.Filters(text="HY37"), by=owner) == 1


@pytest.mark.parametrize("row", [{"型号规格": "Y-150"}, {"生产厂家": "红旗仪表"}, {"出厂编号": "hy37"}])
def test_a_new_row_that_may_be_in_the_ledger_already_is_pointed_out(owner, row):
    enter(owner, serial_number="HY37")
    batch = examined(owner, book({}, row, {"出厂编号": "HY38"}))
    assert counts(batch) == {"rows": 3, "unchanged": 1, "added": 2}
    assert "新增的行中有 1 行（第 3 行）的出厂编号台账中已有" in batch.findings["notes"][0]


@pytest.mark.parametrize("has_id", [True, False])
def test_zeros_that_a_spreadsheet_took_are_missed(owner, has_id):
    gauge = enter(owner, serial_number="000446")
    headings = [column.heading for column in COLUMNS] + [SYSTEM_ID] * has_id
    row = {"出厂编号": "446", SYSTEM_ID: gauge.id}
    batch = examined(owner, book(row, headings=headings))
    assert counts(batch) == {"rows": 1, "invalid": 1}
    assert problems(batch)[2, "出厂编号"].startswith("台账中为 000446，文件中少了 0")
    other = examined(owner, book(row | {"出厂编号": "447", "型号规格": "Y-150"}, headings=headings))
    assert counts(other) == {"rows": 1, "updated" if has_id else "added": 1}


@pytest.mark.parametrize(
    ("old", "new", "is_missed"), [("1.0", "1", True), ("1.0", "2", False), ("1", "1.0", False)]
)
def test_decimals_that_a_spreadsheet_took_are_missed(owner, old, new, is_missed):
    enter(owner, serial_number="HY37", accuracy_class=old)
    batch = examined(owner, book({"准确度等级": new}))
    assert counts(batch) == {"rows": 1, "invalid" if is_missed else "updated": 1}


def test_a_file_fills_in_the_division_that_a_row_taken_over_lacks(owner):
    with transaction() as session:
        number = make.make_legacy_instrument(session, owner, division_code=None).serial_number
    batch = examined(owner, book({"出厂编号": number}))
    assert counts(batch) == {"rows": 1, "updated": 1}


def test_a_number_beside_its_padded_one_has_lost_nothing(owner):
    enter(owner, serial_number="0446")
    batch = examined(owner, book({"出厂编号": "0446"}, {"出厂编号": "446"}))
    assert counts(batch) == {"rows": 2, "unchanged": 1, "added": 1}


def test_what_is_matched_again_while_it_is_written_is_not_written(owner, monkeypatch):
    batch = examined(owner, book({}))
    sheet = steps._sheet

    def meanwhile(*arguments):
        with transaction() as session:
            imports.match_again(session, batch.id, by=owner)
        return sheet(*arguments)

    monkeypatch.setattr(steps, "_sheet", meanwhile)
    with pytest.raises(Conflict, match="没有导入任何数据"):
        imports.apply(batch.id, owner.id)
    assert (rows_of(owner), kept(batch.id).started_at) == ([], None)


def test_columns_taken_for_others_are_matched_again_from_the_preview(owner):
    headings = ["车间" if column.heading == "安装/使用地点" else column.heading for column in COLUMNS]
    batch = examined(owner, book({"车间": "三号"}, headings=headings))
    assert "没有导入的列：车间" in batch.findings["notes"]
    with transaction() as session:
        imports.match_again(session, batch.id, by=owner)
    imports.examine(batch.id, owner.id)
    batch = kept(batch.id)
    assert (batch.status, batch.findings["missing"]) == (BatchStatus.submitted, [])
    columns = {index: name for index, name in enumerate(batch.findings["fields"]) if name}
    with transaction() as session:
        columns[headings.index("车间")] = "安装/使用地点"
        imports.choose_columns(session, batch.id, columns, by=owner)
    imports.examine(batch.id, owner.id)
    imports.apply(batch.id, owner.id)
    assert [row.location for row in rows_of(owner)] == ["三号"]


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [
        ({0: "密码"}, "模板中没有“密码”"),
        ({0: "备注", 1: "备注"}, "两列对应了同一个"),
        ({0: "备注"}, "必填项选择列"),
    ],
)
def test_columns_chosen_wrongly_are_refused(owner, columns, refusal):
    batch_id = upload(owner, book({}))
    with transaction() as session, pytest.raises(Refused, match=refusal):
        imports.choose_columns(session, batch_id, columns, by=owner)


def test_a_ledger_that_moved_after_the_preview_stops_the_import(owner):
    batch = examined(owner, book({}))
    enter(owner, serial_number="HY37")
    with pytest.raises(Conflict, match="检查之后台账有变动"):
        imports.apply(batch.id, owner.id)
    assert len(rows_of(owner)) == 1
    assert (kept(batch.id).status, kept(batch.id).started_at) == (BatchStatus.previewed, None)


def test_whoever_confirms_the_import_of_another_is_named(owner):
    batch = examined(owner, book({}))
    with transaction() as session:
        clerk = make.make_account(session, Role.supervisor, full_name="许衡")
    imports.apply(batch.id, clerk.id)
    with reading() as session:
        (change,) = history.of_instrument(session, rows_of(owner)[0].id, by=owner)
    assert change.by_name == "许衡"


def test_an_import_is_confirmed_once(owner):
    batch = examined(owner, book({}))
    imports.apply(batch.id, owner.id)
    with pytest.raises(Conflict, match="已是“已完成”"):
        imports.apply(batch.id, owner.id)
    assert len(rows_of(owner)) == 1


@pytest.fixture
def gap(owner):
    """A row taken over from elsewhere, without kind and place, as an export writes it."""
    with transaction() as session:
        by = session.get_one(Account, owner.id)
        lacks = {"kind_id": None, "division_code": None, "serial_number": "HY37"}
        id = make.make_legacy_instrument(session, by, **lacks).id
    return {SYSTEM_ID: id, KIND: None, DIVISION: None}


EXPORTED = [SYSTEM_ID, *(column.heading for column in COLUMNS)]


def test_a_gap_that_is_in_the_ledger_too_is_no_fault_of_the_file(owner, gap):
    batch = examined(owner, book(gap, headings=EXPORTED))
    assert counts(batch) == {"rows": 1, "unchanged": 1}


def test_a_row_with_a_gap_may_be_changed_elsewhere(owner, gap):
    batch = examined(owner, book(gap | {"安装/使用地点": "门口"}, headings=EXPORTED))
    assert [one["changes"] for one in batch.findings["changed"]] == [{"location": ["锅炉房", "门口"]}]
    imports.apply(batch.id, owner.id)
    assert (rows_of(owner)[0].location, rows_of(owner)[0].kind_id) == ("门口", None)


def test_a_gap_filled_in_wrongly_is_a_fault(owner, gap):
    batch = examined(owner, book(gap | {KIND: "压力锅"}, headings=EXPORTED))
    assert list(problems(batch)) == [(2, KIND)]


def test_an_import_may_be_dropped(owner):
    batch = examined(owner, book({}))
    with transaction() as session:
        imports.discard(session, batch.id, by=owner)
    with pytest.raises(Conflict):
        imports.apply(batch.id, owner.id)


def test_a_row_without_an_id_that_means_the_same_as_one_with_it_makes_no_double(owner):
    with transaction() as session:
        gauge = make.make_instrument(session, owner, **PLATE)
    headings = [SYSTEM_ID, *(column.heading for column in COLUMNS)]
    plate = {HEADINGS[name]: value for name, value in PLATE.items()}
    for rows in ([{SYSTEM_ID: gauge.id}, {}], [{}, {SYSTEM_ID: gauge.id}]):
        batch = examined(owner, book(*(plate | row for row in rows), headings=headings))
        assert (batch.totals["added"], batch.totals["duplicates"]) == (0, 1)


def test_what_a_colleague_changed_since_the_preview_is_not_overwritten(owner):
    with transaction() as session:
        gauge = make.make_instrument(session, owner, **PLATE, location="旧锅炉房")
    batch = examined(owner, book({HEADINGS[name]: value for name, value in PLATE.items()}))
    assert batch.findings["changed"][0]["changes"]["location"] == ["旧锅炉房", "锅炉房"]
    with transaction() as session:
        instruments.edit(session, gauge.id, gauge.version, {"location": "换热站"}, by=owner)
    with pytest.raises(Conflict, match="与预览不一致"):
        imports.apply(batch.id, owner.id)
    assert rows_of(owner)[0].location == "换热站"


def test_a_supervisor_changes_nothing_that_is_used_in_another_area(owner):
    with transaction() as session:
        make.make_instrument(session, owner, **PLATE, division_code="330108")
        supervisor = make.make_account(session, Role.supervisor, division_code=make.XIHU)
        enterprise_id = owner.enterprise_id
        content = book({HEADINGS[name]: value for name, value in PLATE.items()})
        batch = imports.upload(session, enterprise_id, "台账.xlsx", content, by=supervisor)
    imports.examine(batch.id, supervisor.id)
    assert problems(kept(batch.id)) == {(2, "器具名称"): "这台器具不在您的辖区内，请由使用单位修改"}


def test_a_supervisor_brings_in_nothing_for_another_area(owner):
    with transaction() as session:
        supervisor = make.make_account(session, Role.supervisor, division_code=make.XIHU)
        content = book({DIVISION: "330108", "出厂编号": "HY1"}, {"出厂编号": "HY2"})
        batch = imports.upload(session, owner.enterprise_id, "台账.xlsx", content, by=supervisor)
    imports.examine(batch.id, supervisor.id)
    assert problems(kept(batch.id)) == {(2, DIVISION): ELSEWHERE}
    imports.apply(batch.id, supervisor.id, is_partial=True)
    assert [row.serial_number for row in rows_of(owner)] == ["HY2"]


def test_long_cells_and_headings_do_not_flood_the_page(owner):
    long = "".join(chr(0x4E00 + at * 7919 % 20_000) for at in range(30_000))
    shown = [
        examined(owner, book({"备注": long})),
        examined(owner, book({}, headings=[*(column.heading for column in COLUMNS), long])),
        examined(owner, book({"器具名称": long}, headings=["器具名称", "出厂编号", long])),
    ]
    assert [batch.status.name for batch in shown] == ["previewed", "previewed", "submitted"]
    assert all(len(json.dumps(batch.findings, ensure_ascii=False)) < 3_000 for batch in shown)


def test_of_a_flood_of_problems_the_first_are_kept_and_all_counted(owner, monkeypatch):
    monkeypatch.setattr("db.imports.rows.MOST_PROBLEMS", 10)
    batch = examined(owner, book(*({"出厂编号": f"HY{n}", "送检方式": "送捡"} for n in range(30))))
    assert (len(batch.findings["problems"]), batch.findings["problem_count"]) == (10, 30)
    assert batch.totals["invalid"] == 30
    with reading() as session:
        returned = attachments.path(session.get_one(Attachment, batch.returned_id)).read_bytes()
    summary = openpyxl.load_workbook(io.BytesIO(returned))[SUMMARY_SHEET]
    assert "列出 10 个问题。另有 20 个问题没有列出" in summary["A3"].value


def test_one_ledger_leaves_the_others_their_turn_and_the_disk_its_room(owner, monkeypatch):
    first, *_ = [upload(owner, book({})) for _ in range(uploads.MOST_WAITING)]
    with pytest.raises(Refused, match="先在“导入记录”中逐个确认或放弃"):
        upload(owner, book({}))
    with transaction() as session:
        imports.discard(session, first, by=owner)
    upload(owner, book({}))
    monkeypatch.setattr(uploads, "MOST_WAITING", 1000)
    monkeypatch.setattr(uploads, "MOST_A_DAY", 11)
    with pytest.raises(Refused, match="24 小时内最多上传 11 个文件"):
        upload(owner, book({}))
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-24T09:31:00+08:00")
    upload(owner, book({}))


def test_an_import_is_undone_as_a_whole(owner):
    gauge = enter(owner, serial_number="HY37")
    batch = examined(owner, book({"安装/使用地点": "门口"}, {"出厂编号": "HY38"}))
    imports.apply(batch.id, owner.id)
    with transaction() as session:
        batches.undo(session, batch.id, by=owner)
    (row,) = rows_of(owner)
    assert (row.id, row.location) == (gauge.id, "锅炉房")
    assert kept(batch.id).status == BatchStatus.undone


def test_a_waiting_line_follows_an_imported_kind(owner):
    with transaction() as session:
        institution = make.make_institution(session)
        make.make_authorization(session, institution)
        by = session.get_one(Account, owner.id)
        gauge = make.make_legacy_instrument(session, by, kind_id=None, serial_number="HY37")
        appointments.submit(session, owner.enterprise_id, [gauge.id], by=by)
    imports.apply(examined(owner, book({})).id, owner.id)
    with reading() as session:
        line = session.exec(select(AppointmentLine)).one()
    assert (line.status, line.institution_id) == (LineStatus.assigned, institution.id)


def stranger(session, who):
    """An account that must not touch the ledger of the boiler works."""
    return make.make_account(session, who)


@pytest.mark.parametrize("who", [Role.enterprise, Role.personal, Role.institution, Role.administrator])
def test_strangers_can_neither_upload_nor_confirm(owner, who):
    batch = examined(owner, book({}))
    with transaction() as session:
        other = stranger(session, who)
    with transaction() as session, pytest.raises(NotFound):
        imports.upload(session, owner.enterprise_id, "a.xlsx", b"x", by=other)
    for step in (lambda: imports.apply(batch.id, other.id), lambda: imports.examine(batch.id, other.id)):
        with pytest.raises(NotFound):
            step()
    assert rows_of(owner) == []


def test_a_reviewer_may_look_and_not_import(owner):
    batch = examined(owner, book({}))
    with transaction() as session:
        reviewer = make.make_account(session, Role.reviewer)
    with pytest.raises(Refused):
        imports.apply(batch.id, reviewer.id)


def test_a_link_without_editing_imports_nothing(owner):
    with transaction() as session:
        person = make.make_account(session, Role.personal)
        enterprise = session.get_one(Enterprise, owner.enterprise_id)
        make.make_link(session, person, enterprise, can_edit=False)
        with pytest.raises(Refused, match="未授予您此项权限"):
            imports.upload(session, enterprise.id, "a.xlsx", b"x", by=person)


def test_an_account_suspended_meanwhile_imports_nothing(owner):
    batch = examined(owner, book({}))
    with transaction() as session:
        session.get_one(Account, owner.id).is_active = False
    with pytest.raises(Refused, match="已停用"):
        imports.apply(batch.id, owner.id)


def test_an_account_signed_out_for_a_new_password_imports_nothing_by_a_page(owner, tmp_path):
    batch = examined(owner, book({}))
    with transaction() as session:
        session.get_one(Account, owner.id).must_change_password = True
    with pytest.raises(Refused, match="登录已失效"):
        imports.apply(batch.id, owner.id)
    assert rows_of(owner) == []
    # The command line has no sign-in to end.
    path = tmp_path / "台账.xlsx"
    path.write_bytes(book({}))
    assert imports.import_file(path, owner.enterprise_id, owner.id)[1]


def test_an_account_signed_out_while_rows_are_written_keeps_none(owner, monkeypatch):
    batch = examined(owner, book({}))
    real = steps.run

    def slowly(session, *arguments, **more):
        outcome = real(session, *arguments, **more)
        session.exec(update(Account).where(Account.id == owner.id).values(must_change_password=True))
        return outcome

    monkeypatch.setattr(steps, "run", slowly)
    with pytest.raises(Refused, match="登录已失效"):
        imports.apply(batch.id, owner.id)
    assert rows_of(owner) == []


def run(*arguments):
    """`python -m db import-ledger` in a process of its own, on the database of this test."""
    return subprocess.Popen(
        [sys.executable, "-m", "db", "import-ledger", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": engines.database_url()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def code_of(owner):
    """The credit code of the boiler works."""
    with reading() as session:
        return session.get_one(Enterprise, owner.enterprise_id).credit_code


@pytest.mark.slow
def test_an_import_killed_in_the_middle_has_written_nothing_and_says_so(owner, tmp_path):
    path = tmp_path / "台账.csv"
    write_csv(path, GAUGE, ({**GAUGE, "出厂编号": f"HY{number:06}"}.values() for number in range(100_000)))
    process = run(path, "--enterprise", code_of(owner))
    try:
        batch = started(process)
        time.sleep(0.3)
        assert process.poll() is None, "the import was over before it could be killed"
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    wait_for_rollback(owner)
    assert rows_of(owner) == []
    batch = kept(batch.id)
    assert batch.status in (BatchStatus.submitted, BatchStatus.previewed)
    assert batch.started_at is not None
    assert imports.is_interrupted(batch)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(InstrumentChange)) == 0


def started(process):
    """The batch, once its rows are being written."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with reading() as session:
            batch = session.exec(select(Batch).where(col(Batch.started_at).is_not(None))).first()
        if batch:
            return batch
        time.sleep(0.02)
    pytest.fail(f"the import ended before it could be killed: {process.communicate()}")


def wait_for_rollback(owner):
    """PostgreSQL holds the dead client's locks until it notices that it is dead."""
    with transaction() as session:
        session.exec(select(Enterprise).where(Enterprise.id == owner.enterprise_id).with_for_update()).one()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_the_template_filled_in_with_libreoffice_is_imported(owner, tmp_path, kind):
    made = workbook.template()
    plate = GAUGE | {DIVISION: "330106 西湖区", KIND: "91101 指示类压力表、显示类压力表", "出厂编号": "00123"}
    plate |= {"购置时间": date(2024, 3, 15), "有效期至": date(2027, 3, 14), "器具数量": 1}
    for index, column in enumerate(COLUMNS, start=1):
        made[workbook.DATA_SHEET].cell(2, index, plate.get(column.heading))
    path = tmp_path / "填好.xlsx"
    made.save(path)
    back = office.saved(path, kind, tmp_path / "office")
    outcome, is_written = imports.import_file(back, owner.enterprise_id, owner.id)
    assert (is_written, outcome.totals["added"], outcome.refused) == (True, 1, 0)
    (gauge,) = rows_of(owner)
    assert (gauge.serial_number, gauge.division_code) == ("00123", make.XIHU)
    assert (gauge.purchased_on, gauge.valid_until) == (date(2024, 3, 15), date(2027, 3, 14))


def test_the_columns_an_export_adds_to_be_read_are_not_reported_as_lost(owner):
    headings = [*EXPORTED, "器具项别", "状态", "使用单位", "我们的备注"]
    batch = examined(owner, book({SYSTEM_ID: None}, headings=headings))
    assert "没有导入的列：我们的备注" in batch.findings["notes"]
