"""Reading a reference file: rows with their lines, and complaints that name the place."""

import pytest

from catalog.files import CatalogError, records

COLUMNS = ("code", "name")


def complaint(path) -> str:
    with pytest.raises(CatalogError) as refused:
        list(records(path, COLUMNS))
    return str(refused.value)


@pytest.fixture
def written(tmp_path):
    """Write a file `list.csv` and give its path."""

    def write(content: str | bytes):
        path = tmp_path / "list.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_rows_come_with_their_line_and_stripped_cells(written):
    rows = list(records(written("code,name\n1, 水表 \n2,\n"), COLUMNS))
    assert rows == [(2, {"code": "1", "name": "水表"}), (3, {"code": "2", "name": ""})]


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(written):
    assert list(records(written("\ufeffcode,name\r\n1,水表\r\n"), COLUMNS)) == [
        (2, {"code": "1", "name": "水表"})
    ]


def test_a_line_separator_inside_a_cell_does_not_break_the_row(written):
    assert list(records(written("code,name\n1,水\u2028表\n"), COLUMNS)) == [
        (2, {"code": "1", "name": "水\u2028表"})
    ]


def test_a_missing_file_is_named(tmp_path):
    assert complaint(tmp_path / "absent.csv") == "absent.csv：文件不存在或无法读取"


def test_a_file_in_another_encoding_is_refused(written):
    assert complaint(written("code,name\n1,水表\n".encode("gb18030"))) == "list.csv：文件不是 UTF-8 编码"


@pytest.mark.parametrize("content", ["", "name,code\n1,水表\n", "code\n1\n"])
def test_another_heading_is_refused(written, content):
    assert complaint(written(content)) == "list.csv 第 1 行：表头应为 code,name"


@pytest.mark.parametrize(("row", "count"), [("1", 1), ("1,水表,x", 3), ("", 0)])
def test_a_row_with_another_number_of_cells_is_refused_by_its_line(written, row, count):
    assert (
        complaint(written(f"code,name\n1,水表\n{row}\n")) == f"list.csv 第 3 行：应有 2 列，实有 {count} 列"
    )


def test_an_open_quote_is_refused(written):
    assert "请检查引号" in complaint(written('code,name\n1,"水表\n'))


def test_a_complaint_is_a_value_error_that_knows_its_line(written):
    with pytest.raises(ValueError, match="第 2 行") as refused:
        list(records(written("code,name\n1\n"), COLUMNS))
    assert refused.value.line == 2
