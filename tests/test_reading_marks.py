"""What number formats add to a number, and texts that come back from our own csv as they were."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.columns import COLUMNS
from catalog.reading import cells, delimited
from catalog.reading.contents import Fault
from catalog.reading.marks import UNCLEAR, number_format
from catalog.reading.xlsx import column_index, column_letters


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("000000", 1234, "001234"),
        ("000000", -5, "-000005"),
        ("000000", 12345678, "12345678"),
        ("000000_ ", 1234, "001234"),
        ("[Red]0000;[Blue]-0000", 7, "0007"),
        ('"HY"0000', 37, "HY0037"),
        ("\\H\\Y000", 37, "HY037"),
        ("00.00", 1.5, "01.50"),
        ("000000", 1.5, "000001.5"),
        ("0%", 0.5, "50%"),
        ("0.00%", 0.005, "0.50%"),
        ("0.0%", 0.00125, "0.125%"),
        ('0.0"MPa"', 1.6, "1.6MPa"),
        ("General级", 2.5, "2.5级"),
        ('#"号"', 3, "3号"),
    ],
)
def test_a_number_is_shown_with_what_its_format_adds(code, number, shown):
    assert number_format(code).show(number) == shown


@pytest.mark.parametrize(
    "code",
    ["General", "0", "0.00", "#,##0.00", "@", "yyyy-mm-dd", 'yyyy"年"m"月"d"日"', "",
     "h:mm", "0_);(0)", "0_ ", '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', r"0_ ;[Red]\-0\ ",
     r"#,##0\ ;\(#,##0\)", "[$-804]0", "G/通用格式", "General;-General;0"],
)  # fmt: skip
def test_an_ordinary_format_adds_nothing(code):
    assert number_format(code) is None


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("0.00E+00", 1200000),
        ("# ?/?", 0.5),
        ("000-000", 7),
        ("0,", 12345),
        ('"A"#,##0', 12),
        ('"A"@', 5),
        ("[$¥-804]#,##0.00", 5),
        ("[DBNum1][$-804]General", 5),
        ("[$-804]aaaa", 45000),
        ('[>10]"B"0;"C"0', 5),
        ('"A"0;"B"0', -5),
        ('0;-0;"无"', 0),
        (";;;", 5),
    ],
)
def test_a_number_that_is_shown_as_something_else_is_not_believed(code, number):
    assert number_format(code).show(number) == Fault(UNCLEAR, str(number))


@pytest.mark.parametrize(("number", "shown"), [(5, "5"), (-5, "-5"), (0.5, "0.5")])
def test_a_format_that_hides_zeros_leaves_other_numbers_alone(number, shown):
    assert number_format("0;-0;;@").show(number) == shown


@given(st.integers(0, 10**14), st.integers(2, 20))
def test_padding_keeps_every_digit(number, width):
    shown = number_format("0" * width).show(number)
    assert int(shown) == number and len(shown) == max(width, len(str(number)))


@given(st.integers(0, 20_000))
def test_columns_are_lettered_as_in_excel(index):
    assert column_index(column_letters(index).encode()) == index


def test_the_last_column_of_excel_is_xfd():
    assert column_letters(16383) == "XFD" and column_letters(26) == "AA"


def guarded(cell: str) -> str:
    """A cell as our own csv files have it: ' before what a spreadsheet would run."""
    return "'" + cell if cell[:1] in tuple("=+-@'\t\r") else cell


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=2, max_size=6))
def test_every_text_comes_back_from_our_own_csv(tmp_path_factory, texts):
    buffer = io.StringIO(newline="")
    # Under headings as in every file of ours: which sign parts the cells is told by the first line.
    csv.writer(buffer).writerows([[column.heading for column in COLUMNS[: len(texts)]], map(guarded, texts)])
    path = tmp_path_factory.mktemp("csv") / "ledger.csv"
    path.write_bytes(buffer.getvalue().encode("utf-8-sig"))
    _, back = delimited.rows(path)
    assert back == texts
    assert [cells.text(cell) for cell in back] == [cells.text(cell) for cell in texts]
