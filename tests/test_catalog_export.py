"""Writing lists: every value comes back exactly, no text becomes a formula, no list is held in memory."""

import csv
import subprocess
import tracemalloc
from datetime import date, datetime
from enum import StrEnum
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from python_calamine import load_workbook as calamine_workbook

from catalog import export

HEADINGS = ["器具名称", "出厂编号", "购置时间", "器具数量"]
FORMATS = ["@", "@", "yyyy-mm-dd", "0"]
ROWS = [("压力表", "00123", date(2024, 3, 15), 1), ("电能表", "HY37", None, None)]
RISKY = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+86 571",
    "-5",
    "@SUM(A1)",
    "'quoted",
    "''=1",
    "\t=1",
    "\r=1",
    "http://example.com",
    'a&b<c>"d"',
    " 两端有空格 ",
    "两行\n文字",
    "_x0041_",
    "００１",
    "1E5",
    "2024-03-15",
    "TRUE",
    "𠮷",
    "<r>一段</r>",
    "<r></row></r>",
    "{=1+1}",
    "",
]


@pytest.fixture
def listed(tmp_path):
    """Write a workbook of rows and read it back with openpyxl."""

    def write(rows, **more):
        path = tmp_path / "ledger.xlsx"
        export.write_xlsx(path, "台账", HEADINGS, rows, **more)
        return load_workbook(path)

    return write


def test_a_list_comes_back_with_its_headings(listed):
    values = [list(row) for row in listed(ROWS)["台账"].values]
    assert values == [
        HEADINGS,
        ["压力表", "00123", datetime(2024, 3, 15), 1],
        ["电能表", "HY37", None, None],
    ]


def test_texts_days_and_numbers_have_their_formats(listed):
    sheet = listed(ROWS)["台账"]
    assert [cell.number_format for cell in sheet[2]] == ["@", "@", "yyyy-mm-dd", "0"]
    assert [cell.data_type for cell in sheet[2]] == ["s", "s", "d", "n"]


def test_an_empty_row_below_the_list_is_formatted_for_what_is_typed_there(listed):
    sheet = listed(ROWS, formats=FORMATS)["台账"]
    assert [sheet.column_dimensions[letter].number_format for letter in "ACD"] == ["@", "yyyy-mm-dd", "0"]


def test_headings_are_frozen_filtered_styled_and_wide_enough(listed):
    sheet = listed(ROWS, widths=[30])["台账"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:D3"
    assert sheet["A1"].font.b and sheet["A1"].fill.fgColor.rgb == "FF5F6B7A"
    # Excel adds some room at the edges.
    assert [round(sheet.column_dimensions[letter].width - 0.7) for letter in "AB"] == [30, 12]


def test_title_and_edition_are_properties_of_the_file(listed):
    book = listed(ROWS, title="强检器具台账", edition="目录 2020 <试>")
    assert book.properties.title == "强检器具台账"
    assert book.custom_doc_props["edition"].value == "目录 2020 <试>"


def test_an_empty_list_still_has_its_headings(listed):
    assert list(listed([])["台账"].values) == [tuple(HEADINGS)]


def test_no_text_becomes_a_formula_and_every_text_comes_back(tmp_path):
    path = tmp_path / "risky.xlsx"
    export.write_xlsx(path, "台账", ["备注"], [[text] for text in RISKY])
    with ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet and "<f " not in sheet and "hyperlink" not in sheet
        assert not [name for name in archive.namelist() if "sheets/_rels" in name or "external" in name]
    found = [row[0] for row in calamine_workbook(path).get_sheet_by_index(0).to_python()[1:]]
    assert found == RISKY[:-1]  # the last is empty: no cell


def test_characters_no_workbook_can_hold_are_left_out(listed):
    rows = [("压\x00力\x0b表\x1f", "\ud800A\ufffe", None, None)]
    assert [cell.value for cell in listed(rows)["台账"][2]] == ["压力表", "A", None, None]


def test_a_choice_of_a_list_is_written_as_its_text(listed):
    class Origin(StrEnum):
        domestic = "国产"

    assert listed([(Origin.domestic, "国产", None, 1)])["台账"]["A2"].value == "国产"


@pytest.mark.parametrize("value", [datetime(2024, 3, 15, 8), 1.5, b"x"])
def test_a_value_of_another_type_is_a_defect(tmp_path, value):
    with pytest.raises(TypeError, match=type(value).__name__):
        export.write_xlsx(tmp_path / "a.xlsx", "台账", ["备注"], [[value]])


def test_a_row_of_another_length_is_a_defect(tmp_path):
    with pytest.raises(ValueError, match="row 2 has 1 values for 4 headings"):
        export.write_xlsx(tmp_path / "a.xlsx", "台账", HEADINGS, [("压力表",)])


def test_a_text_too_long_for_a_cell_is_not_cut(tmp_path):
    with pytest.raises(ValueError, match="row 2 has a text of more than 32767 characters"):
        export.write_xlsx(tmp_path / "a.xlsx", "台账", ["备注"], [["长" * 32_768]])


def test_a_place_that_cannot_be_written_to_is_said_before_any_row_is_read(tmp_path):
    rows = iter(ROWS)
    with pytest.raises(OSError):
        export.write_xlsx(tmp_path / "none" / "a.xlsx", "台账", HEADINGS, rows)
    assert next(rows) == ROWS[0]


def test_nothing_is_left_in_the_temporary_folder_when_a_row_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(TypeError):
        export.write_xlsx(tmp_path / "a.xlsx", "台账", ["备注"], [["好"], [1.5]])
    assert list(tmp_path.iterdir()) == []


def test_rows_beyond_the_end_of_a_sheet_go_on_in_another(listed, monkeypatch, tmp_path):
    monkeypatch.setattr(export, "MOST_ROWS", 3)
    book = listed([(str(number), "", None, number) for number in range(7)])
    assert book.sheetnames == ["台账", "台账 (2)", "台账 (3)"]
    assert [sheet["A1"].value for sheet in book] == ["器具名称"] * 3
    assert [sheet.auto_filter.ref for sheet in book] == ["A1:D4", "A1:D4", "A1:D2"]
    numbers = [row[3] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert numbers == list(range(7))


def test_a_list_that_just_fills_a_sheet_needs_no_other(listed, monkeypatch):
    monkeypatch.setattr(export, "MOST_ROWS", 2)
    assert listed(ROWS).sheetnames == ["台账"]


def test_the_number_of_rows_is_given(tmp_path):
    assert export.write_xlsx(tmp_path / "a.xlsx", "台账", HEADINGS, iter(ROWS)) == 2
    assert export.write_csv(tmp_path / "a.csv", HEADINGS, iter(ROWS)) == 2
    assert export.write_csv(tmp_path / "b.csv", HEADINGS, []) == 0


@pytest.mark.parametrize("write", ["xlsx", "csv"])
def test_a_long_list_is_never_held_in_memory(tmp_path, write):
    rows = ((f"器具 {number} " + "长" * 400, "", None, number) for number in range(20_000))
    tracemalloc.start()
    if write == "xlsx":
        export.write_xlsx(tmp_path / "a.xlsx", "台账", HEADINGS, rows)
    else:
        export.write_csv(tmp_path / "a.csv", HEADINGS, rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000  # the texts alone are 16 MB


def csv_cells(path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_a_csv_has_a_byte_order_mark_and_plain_days(tmp_path):
    export.write_csv(tmp_path / "a.csv", HEADINGS, ROWS)
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert csv_cells(tmp_path / "a.csv")[1:] == [
        ["压力表", "00123", "2024-03-15", "1"],
        ["电能表", "HY37", "", ""],
    ]


@pytest.mark.parametrize("text", RISKY)
def test_no_cell_of_a_csv_begins_like_a_formula_and_the_value_can_be_had_again(tmp_path, text):
    export.write_csv(tmp_path / "a.csv", [text], [[text, "x"]])
    for row in csv_cells(tmp_path / "a.csv"):
        assert row[0][:1] not in tuple("=+-@\t\r")
        assert export.unshielded(row[0]) == text


@pytest.mark.parametrize("text", ["'", "'abc", "it's", "O'Neil"])
def test_an_apostrophe_before_another_letter_stays(text):
    assert export.unshielded(text) == text


@pytest.mark.slow
def test_libreoffice_reads_what_was_written(tmp_path):
    path = tmp_path / "ledger.xlsx"
    texts = [text for text in RISKY if text.strip() and "\r" not in text]
    export.write_xlsx(path, "台账", HEADINGS, [(text, "00123", date(2024, 3, 15), 1) for text in texts])
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to"]
    subprocess.run([*command, "xlsx", "--outdir", tmp_path / "out", path], check=True, capture_output=True)
    sheet = load_workbook(tmp_path / "out" / "ledger.xlsx")["台账"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert rows == [(text, "00123", datetime(2024, 3, 15), 1) for text in texts]
    assert sheet.auto_filter.ref == f"A1:D{len(texts) + 1}"
