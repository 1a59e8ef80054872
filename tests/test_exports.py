"""Export: what may be seen, exactly; edited and imported again, nothing else changes."""

import csv
from datetime import date
from zipfile import ZipFile

import openpyxl
import pytest
from sqlmodel import col, select

from catalog.columns import COLUMNS, DIVISION, KIND, SYSTEM_ID, match
from db import exports, imports
from db.engine import reading, transaction
from db.errors import NotFound, Refused
from db.ledger import Filters
from db.models import (
    Account,
    AuditEntry,
    Conclusion,
    Enterprise,
    Instrument,
    InstrumentStatus,
    Role,
)
from tests import make, office

TEMPLATE = [column.heading for column in COLUMNS]
# What a clerk may type, or an older system has left behind.
NASTY = [
    "=1+1",
    "+86 571",
    "-",
    "@SUM(A1)",
    "'=x",
    "''",
    '="00123"',
    "00123",
    "12345678901234567890",
    "m³/h ℃ Ω",
    '他说"好", 又, 说; 行',
    "第一行\n第二行",
    "两个  空格",
    "不间断\u00a0空格\u3000全角",
    "零\u200b宽",
    "🔧𠮷",
    "<r>x</r>",
    "_x0041_",
    "（０～１）MPa",
    "1E5",
    "2024/3/15",
    "TRUE",
    "A" * 60,
]


@pytest.fixture
def owner(database):
    """The committed account of a boiler works."""
    with transaction() as session:
        return make.make_account(session)


@pytest.fixture
def nasty(owner):
    """Instruments of its ledger with everything in their texts that goes wrong elsewhere."""
    with transaction() as session:
        by = session.get_one(Account, owner.id)
        for number, text in enumerate(NASTY):
            make.make_instrument(
                session,
                by,
                name=text,
                serial_number=f"{text[:57]}·{number}",
                manufacturer=text,
                specification=text,
                location=text,
                remark=text,
                purchased_on=date(2024, 3, 15),
                valid_until=date(2027, 1, 31) if number % 2 else None,
            )
    return owner


def another(role=Role.enterprise, **values):
    """A further committed account."""
    with transaction() as session:
        return make.make_account(session, role, **values)


def enter(owner, **values):
    """The id of a gauge that is in the ledger."""
    with transaction() as session:
        return make.make_instrument(session, session.get_one(Account, owner.id), **values).id


def ids(path):
    """The ids in a workbook, in the order of its rows."""
    return [row[0] for row in openpyxl.load_workbook(path).active.iter_rows(min_row=2, values_only=True)]


def cells(path, row=2):
    """One row of a workbook by heading."""
    sheet = openpyxl.load_workbook(path).active
    return {head.value: cell.value for head, cell in zip(sheet[1], sheet[row], strict=True)}


def state(owner):
    """Every value of the ledger that a person may set, by id."""
    with reading() as session:
        here = select(Instrument).where(Instrument.enterprise_id == owner.enterprise_id)
        return {row.id: row.model_dump(exclude={"created_at"}) for row in session.exec(here)}


def imported(path, owner):
    """The totals of an import, without what is 0."""
    outcome, _ = imports.import_file(path, owner.enterprise_id, owner.id)
    return {name: count for name, count in outcome.totals.items() if count}


def test_an_export_has_the_template_s_columns_with_codes(owner, tmp_path):
    id = enter(owner, serial_number="00123", valid_until=date(2027, 1, 31))
    assert exports.save(tmp_path / "a.xlsx", Filters(), account_id=owner.id) == 1
    found = cells(tmp_path / "a.xlsx")
    assert list(found) == [SYSTEM_ID, *TEMPLATE, *exports.READING]
    assert (found[SYSTEM_ID], found["出厂编号"], found["器具数量"]) == (id, "00123", 1)
    assert (found[KIND], found[DIVISION]) == (make.PRESSURE_GAUGE, make.XIHU)
    assert (found["有效期至"].date(), found["器具用途"]) == (date(2027, 1, 31), "安全防护")
    assert (found["状态"], found["行政区划名称"]) == ("在用", "浙江省杭州市西湖区")


def test_a_row_without_kind_and_place_is_exported_too(owner, tmp_path):
    with transaction() as session:
        by = session.get_one(Account, owner.id)
        row = make.make_legacy_instrument(session, by, kind_id=None, division_code=None)
        row.conclusion, row.verified_on = Conclusion.rejected, date(2026, 11, 2)
    exports.save(tmp_path / "a.xlsx", Filters(), account_id=owner.id)
    found = cells(tmp_path / "a.xlsx")
    assert (found[KIND], found[DIVISION], found["器具项别"]) == (None, None, None)
    assert (found["结论"], found["检定日期"].date()) == ("不合格", date(2026, 11, 2))


def test_the_columns_to_read_are_no_columns_of_the_template():
    headings = [SYSTEM_ID, *TEMPLATE, *exports.READING, *exports.OWNER]
    assert match(headings) == [SYSTEM_ID, *TEMPLATE, *[None] * (len(exports.READING) + len(exports.OWNER))]


def test_the_newest_row_comes_first_and_only_what_the_filters_hold(owner, tmp_path):
    first, second, third = (enter(owner, name=name) for name in ("压力表", "电能表", "压力表"))
    exports.save(tmp_path / "a.xlsx", Filters(), account_id=owner.id)
    exports.save(tmp_path / "b.xlsx", Filters(text="压力"), account_id=owner.id)
    assert ids(tmp_path / "a.xlsx") == [third, second, first]
    assert ids(tmp_path / "b.xlsx") == [third, first]


def test_staff_also_read_whose_it_is(owner, tmp_path):
    enter(owner)
    supervisor = another(Role.supervisor)
    exports.save(tmp_path / "a.xlsx", Filters(), account_id=supervisor.id)
    with reading() as session:
        works = session.get_one(Enterprise, owner.enterprise_id)
    found = cells(tmp_path / "a.xlsx")
    assert (found["使用单位"], found["统一社会信用代码"]) == (works.name, works.credit_code)


def test_nobody_exports_what_is_not_theirs(owner, tmp_path):
    enter(owner)
    stranger, far = another(), another(Role.supervisor, division_code="110000")
    linked = another(Role.personal)
    for account in (stranger, far, linked):
        assert exports.save(tmp_path / "a.xlsx", Filters(), account_id=account.id) == 0
    for account in (stranger, linked):
        with pytest.raises(NotFound):
            exports.save(
                tmp_path / "b.xlsx", Filters(enterprise_id=owner.enterprise_id), account_id=account.id
            )
    assert not (tmp_path / "b.xlsx").exists()


def test_a_linked_person_exports_what_it_works_for(owner, tmp_path):
    enter(owner)
    with transaction() as session:
        person = make.make_account(session, Role.personal)
        make.make_link(session, person, session.get_one(Enterprise, owner.enterprise_id))
    assert exports.save(tmp_path / "a.xlsx", Filters(), account_id=person.id) == 1


@pytest.mark.parametrize("role", [Role.institution, Role.administrator])
def test_who_has_no_ledger_exports_none(sqlite, tmp_path, role):
    account = another(role)
    with pytest.raises(Refused, match="不能执行此操作"):
        exports.save(tmp_path / "a.xlsx", Filters(), account_id=account.id)
    with reading() as session:
        assert not session.exec(select(AuditEntry).where(AuditEntry.action == "导出台账")).all()


def test_an_account_that_was_closed_exports_nothing(owner, tmp_path):
    with transaction() as session:
        session.get_one(Account, owner.id).is_active = False
    with pytest.raises(Refused):
        exports.save(tmp_path / "a.xlsx", Filters(), account_id=owner.id)


def test_the_operator_of_the_server_exports_everything(owner, tmp_path):
    enter(owner)
    other = another()
    enter(other)
    assert exports.save(tmp_path / "a.csv", Filters(), account_id=None) == 2
    only = Filters(enterprise_id=other.enterprise_id)
    assert exports.save(tmp_path / "b.csv", only, account_id=None) == 1


def test_an_export_is_in_the_audit_log_with_its_filters_in_words(owner, tmp_path):
    enter(owner)
    filters = Filters(
        enterprise_id=owner.enterprise_id,
        status=InstrumentStatus.in_use,
        due="overdue",
        is_placeless=True,
        is_booked=False,
    )
    exports.save(tmp_path / "a.xlsx", filters, account_id=owner.id)
    with reading() as session:
        entry = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first()
    assert (entry.action, entry.account_id) == ("导出台账", owner.id)
    assert entry.after == {"rows": 0, "format": "xlsx"}
    assert entry.note == "使用单位 杭州明达锅炉厂；状态 在用；未填使用地点；到期 已超期；预约中 否"


def test_a_file_of_another_kind_is_not_written(owner, tmp_path):
    with pytest.raises(Refused, match=r"\.xlsx 或 \.csv"):
        exports.save(tmp_path / "a.pdf", Filters(), account_id=owner.id)


def test_progress_is_told_while_rows_are_written(owner, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 2)
    for _ in range(5):
        enter(owner)
    heard = []
    exports.save(tmp_path / "a.csv", Filters(), account_id=owner.id, progress=heard.append)
    assert heard == [2, 4]


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_an_export_imported_unchanged_changes_nothing(nasty, tmp_path, ending):
    before, path = state(nasty), tmp_path / f"台账.{ending}"
    exports.save(path, Filters(), account_id=nasty.id)
    assert imported(path, nasty) == {"rows": len(NASTY), "unchanged": len(NASTY)}
    assert state(nasty) == before


def test_without_the_ids_the_same_instruments_are_found(nasty, tmp_path):
    path = tmp_path / "台账.xlsx"
    exports.save(path, Filters(), account_id=nasty.id)
    book = openpyxl.load_workbook(path)
    book.active.delete_cols(1)
    book.save(path)
    assert imported(path, nasty) == {"rows": len(NASTY), "unchanged": len(NASTY)}


def test_only_the_cells_that_were_edited_change(nasty, tmp_path):
    before, path = state(nasty), tmp_path / "台账.xlsx"
    exports.save(path, Filters(), account_id=nasty.id)
    book = openpyxl.load_workbook(path)
    sheet = book.active
    column = {cell.value: cell.column for cell in sheet[1]}
    edits = {
        3: ("安装/使用地点", "location", "新锅炉房"),
        5: ("备注", "remark", None),
        7: ("准确度等级", "accuracy_class", "0.4"),
    }
    expected = {id: dict(row) for id, row in before.items()}
    for row, (heading, field, value) in edits.items():
        sheet.cell(row, column[heading]).value = value
        expected[sheet.cell(row, 1).value][field] = value or ""
    sheet.cell(4, column["状态"]).value = "报废"  # to be read only
    book.save(path)
    assert imported(path, nasty) == {"rows": len(NASTY), "updated": 3, "unchanged": len(NASTY) - 3}
    volatile = {"version", "search_text"}
    for id, row in state(nasty).items():
        assert {k: v for k, v in row.items() if k not in volatile} == {
            k: v for k, v in expected[id].items() if k not in volatile
        }


def test_no_cell_of_an_export_is_live(nasty, tmp_path):
    exports.save(tmp_path / "a.xlsx", Filters(), account_id=nasty.id)
    exports.save(tmp_path / "a.csv", Filters(), account_id=nasty.id)
    with ZipFile(tmp_path / "a.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet and "<f " not in sheet and "hyperlink" not in sheet
        assert not [name for name in archive.namelist() if "external" in name or "sheets/_rels" in name]
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            assert not [cell for cell in row if cell[:1] in tuple("=+-@\t\r")]


@pytest.mark.slow
def test_libreoffice_opens_an_export_and_its_copy_imports_unchanged(nasty, tmp_path):
    exports.save(tmp_path / "台账.xlsx", Filters(), account_id=nasty.id)
    copy = office.saved(tmp_path / "台账.xlsx", "xlsx", tmp_path / "out")
    assert imported(copy, nasty) == {"rows": len(NASTY), "unchanged": len(NASTY)}
