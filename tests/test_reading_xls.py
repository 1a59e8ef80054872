"""What the records of an .xls file say of its formulas."""

import struct

import pytest

from catalog.reading.cells import ERROR, NO_VALUE
from catalog.reading.xls import Records
from tests.workbooks import compound

BOOK, SHEET = (struct.pack("<HHH", 0x809, 16, 0x600) + bytes([kind, 0]) + bytes(12) for kind in (5, 16))
END = b"\x0a\x00\x00\x00"
IN_A2, EMPTY_TEXT = b"\x24\x01\x00\x00\xc0", b"\x17\x00\x00"


def record(kind, body):
    return struct.pack("<HH", kind, len(body)) + body


def formula(result, tokens=IN_A2):
    """A formula in A1 with those 8 bytes of result."""
    return record(
        0x06, struct.pack("<HHH", 0, 0, 0) + result + bytes(6) + struct.pack("<H", len(tokens)) + tokens
    )


def result(kind, value=0):
    """A result that is no number: a text (0), an error (2), nothing (3)."""
    return bytes([kind, 0, value, 0, 0, 0, 0xFF, 0xFF])


TEXT = record(0x207, b"\x02\x00\x00HY")


def marks(tmp_path, records):
    """What is noted of a sheet with these records."""
    head = record(0x85, struct.pack("<IBBBB", 0, 0, 0, 4, 0) + b"data")
    start = len(BOOK + head + END)
    head = record(0x85, struct.pack("<IBBBB", start, 0, 0, 4, 0) + b"data")
    path = tmp_path / "台账.xls"
    path.write_bytes(compound(Workbook=BOOK + head + END + SHEET + records + END))
    return Records(path).marks("data")


@pytest.mark.parametrize(
    "records",
    [
        formula(struct.pack("<d", 1.6)),
        formula(result(0)) + TEXT,
        # The formula is one of several that share their tokens.
        formula(result(0)) + record(0x4BC, bytes(10)) + TEXT,
        formula(result(3), EMPTY_TEXT),
    ],
)
def test_a_result_that_was_kept_is_believed(tmp_path, records):
    assert marks(tmp_path, records).faults == {}


@pytest.mark.parametrize(
    "records", [formula(result(0)), formula(result(0)) + formula(result(3)), formula(result(3))]
)
def test_a_formula_without_its_result_is_said(tmp_path, records):
    assert marks(tmp_path, records).faults[0][0].sentence == NO_VALUE


def test_an_error_is_said_as_one(tmp_path):
    found = marks(tmp_path, formula(result(2, 42))).faults[0][0]
    assert (found.sentence, found.shown) == (ERROR, "#N/A")
