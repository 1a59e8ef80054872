"""Cells as the ledger means them: what is folded, what is kept, and what is not believed."""

import math
import unicodedata
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.reading import Fault, cells
from catalog.reading.cells import code, day, text, whole

DAYS = st.dates(cells.FIRST_DAY, cells.LAST_DAY)
FORMS = ["{0:%Y-%m-%d}", "{0:%Y/%m/%d}", "{0:%Y.%m.%d}", "{0:%Y}年{0.month}月{0.day}日", "{0:%Y%m%d}"]


def sentence(found) -> str:
    assert isinstance(found, Fault), found
    return found.sentence


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("00123", "00123"),
        ("  锅炉房\u00a0", "锅炉房"),
        ("\ufeff压力\u200b表\u3000二", "压力表 二"),
        ("东楼\r\n3 层\t机房", "东楼 3 层 机房"),
        ("a  b", "a  b"),
        ("0.5㎥ 20℃ m³ ①", "0.5㎥ 20℃ m³ ①"),
        ("（0～1）ＭＰａ", "（0～1）ＭＰａ"),
        ("\u3000 \u200b", None),
        ("", None),
        (None, None),
        (1.0, "1"),
        (1.6, "1.6"),
        (0.1 + 0.2, "0.3"),
        (0.00001, "0.00001"),
        (-2.50, "-2.5"),
        (123456789012345, "123456789012345"),
        (13800138000.0, "13800138000"),
        (True, "TRUE"),
        ("1E5", "1E5"),
        ("NA", "NA"),
        ("null", "null"),
        ("#3 锅炉", "#3 锅炉"),
    ],
)
def test_text_is_kept_as_typed_but_for_what_cannot_be_seen(written, read):
    assert text(written) == read


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (1e15, cells.DAMAGED),
        (12345678901234567890, cells.DAMAGED),
        (6.37702e15, cells.DAMAGED),
        ("6.37702E+15", cells.DAMAGED),
        ("６.37702e+15", None),
        (math.inf, cells.DAMAGED),
        (math.nan, cells.DAMAGED),
        ("#N/A", cells.ERROR),
        ("########", cells.NARROW_COLUMN),
        ("HY\x0037", cells.BROKEN),
        ("HY\ufffd", cells.BROKEN),
        ("\ud800", cells.BROKEN),
        ("x" * 32_768, cells.TOO_LONG),
        (date(2026, 1, 2), cells.BECAME_DAY),
        (datetime(2026, 1, 2, 3), cells.BECAME_DAY),
        (time(1, 2), cells.BECAME_TIME),
        (timedelta(hours=30), cells.BECAME_TIME),
    ],
)
def test_text_that_is_no_longer_what_was_typed_is_a_fault(written, told):
    assert told is None or sentence(text(written)) == told
    if told is None:
        assert sentence(code(written)) == cells.DAMAGED


def test_a_fault_shows_what_was_seen_without_what_cannot_be_stored():
    assert text("HY\x0037") == Fault(cells.BROKEN, "HY\ufffd37")
    assert text(6.37702e15) == Fault(cells.DAMAGED, "6.37702E+15")
    assert len(text("x" * 40_000).shown) == 200
    assert text(datetime(2026, 1, 2)).shown == "2026-01-02"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ＨＹ－００３７", "HY-0037"),
        ("９１１０１", "91101"),
        ("ｈｙ／３．７＿＃", "hy/3.7_#"),
        ("（京）制\u00a000000123号", "（京）制 00000123号"),
        ("浙江省，杭州市", "浙江省，杭州市"),
        (91101.0, "91101"),
        ("00", "00"),
    ],
)
def test_a_code_is_folded_in_width_alone(written, read):
    assert code(written) == read


@given(st.text())
def test_text_keeps_every_character_that_can_be_seen(written):
    read = text(written)
    if isinstance(read, Fault):
        return
    seen = [c for c in written if not c.isspace() and unicodedata.category(c) != "Cf"]
    kept = [c for c in read or "" if not c.isspace() and unicodedata.category(c) != "Cf"]
    assert kept == seen


@given(st.text())
def test_reading_again_what_was_read_changes_nothing(written):
    for reader in (text, code):
        read = reader(written)
        assert isinstance(read, Fault) or reader(read) == read


@given(st.text())
def test_a_code_differs_from_the_text_by_narrow_twins_only(written):
    read, plain = code(written), text(written)
    if isinstance(read, str) and isinstance(plain, str):
        assert len(read) == len(plain)
        for narrow, char in zip(read, plain, strict=True):
            assert narrow == char or unicodedata.normalize("NFKC", char) == narrow


@given(st.text())
def test_what_is_read_can_be_stored_by_every_database(written):
    for reader in (text, code, day, whole):
        read = reader(written)
        stored = read.shown if isinstance(read, Fault) else str(read)
        assert "\x00" not in stored
        stored.encode()


@given(st.floats(-9.9e14, 9.9e14, allow_nan=False))
def test_a_number_reads_as_the_digits_excel_shows(number):
    read = text(number)
    assert isinstance(read, str) and "e" not in read.lower()
    assert float(read) == float(f"{number:.15g}")


@given(DAYS, st.sampled_from(FORMS), st.sampled_from(["", " 00:00:00", " 0:00"]))
def test_a_day_is_read_in_each_of_its_forms(when, form, midnight):
    assert day(form.format(when) + midnight) == when


@given(DAYS)
def test_a_serial_number_is_counted_by_the_books_date_system(when):
    assert day(float((when - date(1899, 12, 30)).days)) == when
    assert day((when - date(1904, 1, 1)).days, is_1904=True) == when
    assert day(float(f"{when:%Y%m%d}")) == when


@pytest.mark.parametrize(
    "written",
    ["2026年11月23日", "２０２６年１１月２３日", "2026 年 11 月 23 日", "2026年11月23", "2026/11/23 00:00:00",
     "2026-11-23T00:00:00.000", "2026．11．23", "\u00a02026-11-23\u200b", date(2026, 11, 23),
     datetime(2026, 11, 23), 46349, 46349.0, "20261123"],
)  # fmt: skip
def test_a_day_is_believed_when_it_can_only_be_one(written):
    assert day(written) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("11/23/2026", cells.DAY_WANTED),
        ("23.11.2026", cells.DAY_WANTED),
        ("01/02/2026", cells.DAY_WANTED),
        ("2026-11/23", cells.DAY_WANTED),
        ("26-11-23", cells.DAY_WANTED),
        ("2026年11月", cells.DAY_WANTED),
        ("长期", cells.DAY_WANTED),
        ("2026112", cells.DAY_WANTED),
        ("2026-11-23 08:30", cells.DAY_WANTED),
        ("2026-11-22T16:00:00Z", cells.DAY_WANTED),
        ("2026-11-2300:00", cells.DAY_WANTED),
        (True, cells.DAY_WANTED),
        (time(0), cells.DAY_WANTED),
        ("2026-02-29", cells.NO_SUCH_DAY),
        ("20261323", cells.NO_SUCH_DAY),
        ("46349", cells.SERIAL_TEXT),
        (46349.5, cells.WITH_TIME),
        (datetime(2026, 11, 23, 8, 30), cells.WITH_TIME),
        (60, cells.OUT_OF_RANGE),
        (-1, cells.OUT_OF_RANGE),
        (0, cells.OUT_OF_RANGE),
        (1e9, cells.OUT_OF_RANGE),
        (99999, cells.OUT_OF_RANGE),
        (math.nan, cells.OUT_OF_RANGE),
        (date(1900, 2, 28), cells.OUT_OF_RANGE),
        ("1026-11-23", cells.OUT_OF_RANGE),
        ("HY\x00", cells.BROKEN),
    ],
)
def test_a_day_is_never_guessed(written, told):
    assert sentence(day(written)) == told


@given(st.integers(-(10**14), 10**14))
def test_a_whole_number_is_read_from_numbers_and_digits(number):
    wide = str(number).translate({ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789-"})
    assert whole(float(number)) == whole(str(number)) == whole(wide) == whole(f"{number}.0") == number


@pytest.mark.parametrize(
    "written", ["1台", "1.5", 1.5, "一", "1,000", True, "1e3", 1e15, date(2026, 1, 1), math.inf]
)
def test_a_quantity_that_is_no_whole_number_is_a_fault(written):
    assert sentence(whole(written)) == cells.WHOLE_WANTED


@pytest.mark.parametrize("reader", [text, code, day, whole])
def test_nothing_and_faults_stay_what_they_are(reader):
    broken = Fault(cells.ERROR, "#N/A")
    assert reader(broken) is broken
    assert reader(None) is None and reader("") is None and reader(" \u3000") is None
