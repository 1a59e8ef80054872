"""The starter set of kinds: what it holds, what it leaves empty, and what a bad file is told."""

import csv
import hashlib
from pathlib import Path

import pytest

from catalog import kinds
from catalog.files import CatalogError
from catalog.kinds import Category, VerificationMode

GOOD = {
    "code": "91301",
    "category": "水表",
    "kind": "水表（DN≤25）",
    "best_source_grade": "A",
    "source": "notice",
}


@pytest.fixture
def written(tmp_path):
    """Write rows, each GOOD with changes, as a catalog file and give its path."""

    def write(*changes: dict[str, str]) -> Path:
        path = tmp_path / "catalog.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, kinds.COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(GOOD | change for change in changes)
        return path

    return write


def test_the_starter_set_has_29_kinds_in_28_categories():
    assert len(kinds.kinds()) == 29
    assert len(kinds.categories()) == 28
    assert Category("913", "水表") in kinds.categories()


def test_the_shipped_file_is_the_one_the_readme_describes():
    readme = (Path(kinds.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(kinds.PATH.read_bytes()).hexdigest() in readme


def test_the_sentence_on_screen_says_what_the_set_is_not():
    assert f"{len(kinds.kinds())} 个种别" in kinds.EDITION.note
    assert "非官方《强检器具目录》" in kinds.EDITION.note
    assert kinds.EDITION.note.startswith(kinds.EDITION.name)


def test_every_code_is_our_own_and_none_pretends_to_be_official():
    assert all(kind.code.startswith("9") for kind in kinds.kinds())
    assert {kind.official_code for kind in kinds.kinds()} == {None}


def test_a_row_is_typed():
    gauge = kinds.find("91101")
    assert gauge.category == Category("911", "压力仪表")
    assert gauge.name == "指示类压力表、显示类压力表"
    assert gauge.verification_mode is VerificationMode.periodic
    assert gauge.interval_months == 6
    assert gauge.limit_of_use_months is None
    assert gauge.regulations == ("JJG 52-2013",)
    assert kinds.find("91201").regulations == ("JJG 1148-2022", "JJG 1149-2022")
    assert kinds.find("91101x") is None


def test_an_instrument_that_is_rotated_out_has_a_limit_of_use_and_no_interval():
    meter = kinds.find("91302")
    assert meter.verification_mode is VerificationMode.first_only_rotate
    assert (meter.interval_months, meter.limit_of_use_months) == (None, 48)


def test_what_no_source_gave_stays_empty():
    sound_level_meter = kinds.find("90701")
    assert sound_level_meter.verification_mode is None
    assert sound_level_meter.interval_months is None
    assert sound_level_meter.regulations == ()
    assert sound_level_meter.supervision == sound_level_meter.scope == ""


def test_every_cell_of_the_file_arrives_unchanged():
    with kinds.PATH.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, kind in zip(rows, kinds.kinds(), strict=True):
        mode = kind.verification_mode.name if kind.verification_mode else ""
        assert row == {
            "code": kind.code,
            "official_code": kind.official_code or "",
            "category": kind.category.name,
            "kind": kind.name,
            "supervision": kind.supervision,
            "verification_mode": mode,
            "verification_mode_text": kind.verification_mode_text,
            "scope": kind.scope,
            "interval_months": str(kind.interval_months or ""),
            "limit_of_use_months": str(kind.limit_of_use_months or ""),
            "regulations": ";".join(kind.regulations),
            "kind_wording": kind.kind_wording,
            "best_source_grade": kind.best_source_grade,
            "source": kind.source,
        }


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"code": "9130"}, "code 应为五位数字，实为“9130”"),
        ({"code": "９１３０２"}, "code 应为五位数字，实为“９１３０２”"),
        ({"code": "91301"}, "种别代码 91301 重复"),
        ({"code": "91302", "category": "燃气表"}, "项别代码 913 有两个名称"),
        ({"code": "91302", "category": ""}, "category 不能为空"),
        ({"code": "91302", "kind": ""}, "kind 不能为空"),
        ({"code": "91302", "source": ""}, "source 不能为空"),
        ({"code": "91302", "supervision": "Q"}, "supervision 应为 P、V、P+V 或空，实为“Q”"),
        (
            {"code": "91302", "verification_mode": "yearly"},
            "verification_mode 应为 periodic、first_only_scrap、first_only_rotate 或空，实为“yearly”",
        ),
        ({"code": "91302", "interval_months": "0"}, "interval_months 应为正整数月数，实为“0”"),
        ({"code": "91302", "limit_of_use_months": "6年"}, "limit_of_use_months 应为正整数月数，实为“6年”"),
        ({"code": "91302", "best_source_grade": ""}, "best_source_grade 应为A、B 或 C，实为“”"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(written, change, fault):
    with pytest.raises(CatalogError) as refused:
        kinds.read_kinds(written({}, change))
    assert str(refused.value) == f"catalog.csv 第 3 行：{fault}"
    assert refused.value.line == 3
