"""The search box: words of two characters, the middle of a number, initials."""

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from db import instruments, search
from db.models import Instrument
from tests import make


@pytest.fixture
def owner(session):
    """The account of a boiler works."""
    return make.make_account(session)


def found(session, typed, has_owner=True):
    """The serial numbers of what the box finds."""
    rows = select(Instrument.serial_number).where(search.condition(session, typed, has_owner))
    return list(session.exec(rows.order_by(col(Instrument.id))))


# The dictionary of initials takes long to load.
@settings(deadline=None)
@given(st.lists(st.tuples(*[st.text(max_size=300)] * len(search.FIELDS))), st.text(max_size=60))
def test_many_texts_and_their_pieces_are_those_of_each(rows, owner):
    each = [search.text_of(dict(zip(search.FIELDS, row, strict=True)), owner) for row in rows]
    assert list(search.texts(rows, owner)) == each
    for text, pieces in zip(each, search.pieces_of(rows, owner), strict=True):
        # One space apart: PostgreSQL takes no piece without a letter.
        assert pieces == " ".join(pieces.split())
        assert set(pieces.split()) == set(search.pieces(text).split())


def test_initials_are_the_first_letters_of_chinese_characters():
    assert search.initials("压力表") == "ylb"
    assert search.initials("CNG加气机（双枪）") == "jqjsq"


def test_pieces_are_pairs_of_chinese_and_triples_of_digits():
    assert set(search.pieces("压力表 hy3704").split()) == {
        "压力",
        "力表",
        "表",
        "hy3",
        "y37",
        "370",
        "704",
        "04",
        "4",
    }


PARTS = [
    "压力",
    "压力表",
    "ylb",
    "yl",
    "0417",
    "HY2604",
    "ｈｙ２６",
    "(0-1) MPa",
    "锅炉房",
    "明达 锅炉房",
    "银普 ylb 417",
]


@pytest.mark.parametrize("typed", PARTS)
def test_the_box_finds_a_gauge_by_any_part_of_it(session, owner, typed):
    make.make_instrument(session, owner, serial_number="HY260417")
    other = {"serial_number": "DN9", "specification": "DTS", "manufacturer": "华立", "location": "门口"}
    make.make_instrument(session, owner, name="电能表", **other)
    assert found(session, typed) == ["HY260417"]


def test_no_more_than_five_words_are_looked_for():
    assert search.words("压力  表 1.6 HY 上海 银普 三楼") == (
        ["压力", "表", "1.6", "hy", "上海"],
        ["银普", "三楼"],
    )
    assert search.words("表 表 ＨＹ hy a b c 表") == (["表", "hy", "a", "b", "c"], [])
    assert search.words(" ") == ([], [])


def test_a_word_finds_everything_that_holds_it(session, owner):
    for number, name in (("1", "压力表"), ("2", "电能表"), ("3", "表")):
        make.make_instrument(session, owner, serial_number=number, name=name)
    assert found(session, "表") == ["1", "2", "3"]


def test_the_owners_name_counts_for_those_who_see_several(session, owner):
    make.make_instrument(session, owner, serial_number="HY1")
    assert found(session, "明达") == found(session, "hzmd") == ["HY1"]
    assert found(session, "明达", has_owner=False) == []
    assert found(session, "压力", has_owner=False) == ["HY1"]


@pytest.mark.parametrize("typed", ["虹膜", "力压", "2604171", "%", "压力表压力", "blz", "明达 门口"])
def test_the_box_does_not_find_what_is_not_there(session, owner, typed):
    make.make_instrument(session, owner, serial_number="HY260417")
    assert found(session, typed) == []


def test_an_empty_box_finds_everything(session, owner):
    make.make_instrument(session, owner, serial_number="HY1")
    assert found(session, "   ") == ["HY1"]


@pytest.mark.parametrize("typed", ['"', "' OR 1", "压力* NOT 表", "表)", ":*", "\\"])
def test_signs_of_the_engines_language_are_only_text(session, owner, typed):
    make.make_instrument(session, owner, remark=typed)
    assert found(session, typed) == []


def test_what_no_database_can_hold_divides_words(session, owner):
    make.make_instrument(session, owner, serial_number="HY1")
    assert found(session, "压力表\0HY1\ud800") == ["HY1"]


def test_an_edit_moves_an_instrument_in_the_index(session, owner):
    gauge = make.make_instrument(session, owner, serial_number="HY1")
    instruments.edit(session, gauge.id, gauge.version, {"name": "真空表"}, by=owner)
    assert found(session, "真空") == ["HY1"]
    assert found(session, "压力表") == []
    assert found(session, "zkb") == ["HY1"]


def test_what_is_removed_is_not_found_and_may_come_back(session, owner):
    gauge = make.make_instrument(session, owner, serial_number="HY1")
    search.remove(session, [(gauge.id, gauge.search_text)])
    assert found(session, "压力") == []
    search.add(session, [(gauge.id, gauge.search_text)])
    assert found(session, "压力") == ["HY1"]


def test_a_ledger_without_an_index_gets_one(session, owner):
    gauge = make.make_instrument(session, owner, serial_number="HY1")
    search.remove(session, [(gauge.id, gauge.search_text)])
    session.execute(sa.update(Instrument).values(search_text="压力表"))
    search.load(session)
    assert found(session, "明达") == found(session, "ylb") == ["HY1"]


@given(st.text("压力表电能hy0123 -(）", max_size=30), st.integers(0, 30), st.integers(1, 8))
def test_every_part_of_a_text_is_held_by_its_pieces(text, start, length):
    word = text[start : start + length].strip()
    held = set(search.pieces(text).split())
    for run, size in search._runs(word):
        ends = range(max(1, len(run) - size + 1))
        assert all(any(piece.startswith(run[at : at + size]) for piece in held) for at in ends)
