"""Ledgers in .ods files: what calamine or the format loses of a cell is right again, or a fault."""

from datetime import date, timedelta
from typing import Any

import pytest

from catalog.reading import Fault, archive, cells, read
from catalog.reading.marks import UNCLEAR
from catalog.reading.ods import Document
from tests.workbooks import GAUGE, book, converted, open_cell, open_document, packed, row

ANNOTATION = "<office:annotation><text:p>旧的</text:p></office:annotation>"
DRAWING = "<draw:frame><draw:text-box><text:p>图</text:p></draw:text-box><text:p>示</text:p></draw:frame>"
TRUE = open_cell("TRUE", "float", "1", ' table:formula="of:=TRUE()"')
SINCE_1904 = '<table:null-date table:date-value="1904-01-01"/>'


@pytest.fixture
def gauge(tmp_path):
    """Reads bytes as an .ods file and gives the cells of its first row by their headings."""

    def gauge(data: bytes) -> dict[str | None, Any]:
        path = tmp_path / "台账.ods"
        path.write_bytes(data)
        contents = read(path, path.name)
        return dict(zip(contents.fields, next(contents.rows)[1], strict=True))

    return gauge


# A number, as it is shown, and what a column of text has of it.
NUMBERS = {
    "zeros in front": ("float", "42", "000042", "000042"),
    "zeros in front of a negative number": ("float", "-5", "-000005", "-000005"),
    "words": ("float", "7", "HY007", "HY007"),
    "words with a number of their own": ("float", "7", "Y2-007", "Y2-007"),
    "groups of digits": ("float", "7", "000-007", "000-007"),
    "a percentage": ("percentage", "0.005", "0.50%", "0.50%"),
    "a percentage with a binary fraction": ("percentage", "0.07", "7%", "7%"),
    "a space behind": ("float", "7", "7 ", "7"),
    "rounded, a space behind": ("float", "1.6", "2 ", "1.6"),
    "rounded, thousands parted": ("float", "12345.6", "12,346", "12345.6"),
    "below zero in brackets": ("float", "-1.6", "(2)", "-1.6"),
    "below zero as in accounts": ("float", "-1.6", "- 2 ", "-1.6"),
    "hidden": ("float", "0", "", "0"),
    "rounded, zeros in front": ("float", "1.6", "000002", Fault(UNCLEAR, "1.6")),
    "rounded, with words": ("float", "2.6", "3台", Fault(UNCLEAR, "2.6")),
    "a rounded percentage": ("percentage", "0.016", "2%", Fault(UNCLEAR, "0.016")),
    "a fraction": ("float", "0.5", "1/2", Fault(UNCLEAR, "0.5")),
    "a power of ten": ("float", "1200000", "1.20E+06", Fault(UNCLEAR, "1200000")),
    "a word instead": ("float", "0", "无", Fault(UNCLEAR, "0")),
    "below zero without a sign": ("float", "-5", "B5", Fault(UNCLEAR, "-5")),
}


@pytest.mark.parametrize(("type_", "value", "shown", "found"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_is_what_is_shown_with_every_digit_it_has(gauge, type_, value, shown, found):
    assert gauge(open_document(出厂编号=open_cell(shown, type_, value))) == {**GAUGE, "出厂编号": found}


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a<text:tab/>b", "a b"),
        ("a<text:line-break/>b", "a b"),
        ('a<text:s text:c="2"/>b', "a  b"),
        ("a</text:p><text:p>b", "a b"),
        ('a<text:s/><text:span>b</text:span><text:tab></text:tab>c</text:p><text:p>d', "a b c d"),
        (f"</text:p>{ANNOTATION}<text:p>a<text:tab/>b", "a b"),
        (f"</text:p>{DRAWING}<text:p>a", "a"),
    ],
)  # fmt: skip
def test_spaces_of_a_text_stay_and_words_beside_it_stay_out(gauge, markup, text):
    assert gauge(open_document(备注=open_cell(markup)))["备注"] == text


def test_a_remark_beside_a_number_is_no_part_of_it(gauge):
    cell = open_cell(f"</text:p>{ANNOTATION}<text:p>007", "float", "7")
    assert gauge(open_document(出厂编号=cell))["出厂编号"] == "007"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("PT03H04M00S", "03:04:00"),
        ("PT30H01M00S", "1 day, 6:01:00"),
        ("-PT01H00M00.500000000S", str(-timedelta(hours=1, seconds=0.5))),
        ("P1DT2H", "1 day, 2:00:00"),
        ("PT9999999999999H", "PT9999999999999H"),
    ],
)
def test_a_time_or_a_duration_is_no_text(gauge, written, shown):
    cell = open_cell("30:01", "time", written)
    assert gauge(open_document(备注=cell))["备注"] == Fault(cells.BECAME_TIME, shown)


def test_a_truth_value_is_no_number(gauge):
    found = gauge(open_document(器具数量=TRUE, 备注=TRUE))
    assert (found["器具数量"], found["备注"]) == (Fault(cells.WHOLE_WANTED, "TRUE"), "TRUE")


@pytest.mark.parametrize(("settings", "day"), [("", date(2023, 3, 15)), (SINCE_1904, date(2027, 3, 16))])
def test_a_serial_number_is_a_day_of_the_files_own_date_system(gauge, settings, day):
    cell = open_cell("45000", "float", "45000")
    assert gauge(open_document(settings, 购置时间=cell))["购置时间"] == day


@pytest.mark.parametrize("size", [64, 100, 301, 2**20])
def test_cells_are_counted_wherever_a_piece_of_the_file_ends(tmp_path, monkeypatch, size):
    monkeypatch.setattr(archive, "PIECE", size)
    path = tmp_path / "台账.ods"
    path.write_bytes(open_document(出厂编号=open_cell("007", "float", "7"), 备注=open_cell("a<text:tab/>b")))
    document = Document(path)
    document.inspect()
    found = document.marks("器具信息")
    assert (found.shown, found.values) == ({1: {6: "007"}}, {1: {16: "a\tb"}})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "code", "found"),
    [
        (42, "000000", "000042"),
        (7, '"HY"000', "HY007"),
        (1.6, "0_ ", "1.6"),
        (0.016, "0%", Fault(UNCLEAR, "0.016")),
        ("a\tb", "@", "a b"),
        (timedelta(hours=30, minutes=1), "[h]:mm:ss", Fault(cells.BECAME_TIME, "1 day, 6:01:00")),
    ],
)
def test_libreoffice_writes_what_is_read_again(gauge, value, code, found):
    made = book(row(出厂编号=value, 器具数量=True))
    made.active["G2"].number_format = code
    read_ = gauge(converted(packed(made), "xlsx", "ods"))
    assert (read_["出厂编号"], read_["器具数量"]) == (found, Fault(cells.WHOLE_WANTED, "TRUE"))
