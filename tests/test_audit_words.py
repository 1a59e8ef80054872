"""What an entry of the audit log changed, in words."""

from types import SimpleNamespace

import pytest
from sqlmodel import SQLModel

from db import audit_words, workflow
from db.audit_changes import FOLLOWING, NOUNS, UNNOTED
from tests import make, spoken

# Tables whose rows the session notes, and those the workflow does.
NOTED = {name for name in SQLModel.metadata.tables if name not in UNNOTED} | {
    model.__tablename__ for model in workflow.MODELS.values()
}


def said(session, before, after, subject="institution"):
    """The sentences of one entry."""
    entry = SimpleNamespace(subject=subject, subject_id=None, before=before, after=after)
    return audit_words.changes(session, [entry])[0]


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        ({"contact_name": "张三"}, {"contact_name": "李四"}, ["联系人：张三 → 李四"]),
        ({"telephone": ""}, {"telephone": "0571-1"}, ["电话：（空） → 0571-1"]),
        ({"is_suspended": False}, {"is_suspended": True}, ["暂停业务：否 → 是"]),
        (None, {"name": "西湖区计量检定所"}, ["名称：西湖区计量检定所"]),
        ({"name": "西湖区计量检定所"}, None, ["名称：西湖区计量检定所"]),
        (
            {"division_code": "330106"},
            {"division_code": "330108"},
            ["行政区划：浙江省杭州市西湖区 → 浙江省杭州市滨江区"],
        ),
        ({"status": "在用"}, {"status": "报废", "ids": [1, 2]}, ["状态：在用 → 报废", "记录：2 条"]),
        (None, None, []),
    ],
)
def test_a_change_is_a_sentence_for_each_column(session, before, after, sentences):
    assert [one.replace("使用地点", "") for one in said(session, before, after)] == sentences


def test_keys_of_other_records_become_their_names(session):
    kept = make.make_institution(session)
    assert said(session, None, {"institution_id": kept.id}) == ["技术机构：西湖区计量检定所"]
    assert said(session, None, {"institution_id": 999}) == ["技术机构：999"]


def test_a_setting_goes_by_its_label(session):
    sentences = said(session, None, {"name": "review_days", "value": 3}, "setting")
    assert sentences == ["名称：注册审核时限（工作日）", "注册审核时限（工作日）：3"]


def test_a_record_is_called_by_what_it_is_and_its_name(session):
    kept = make.make_institution(session)
    asked = [
        SimpleNamespace(subject="institution", subject_id=kept.id),
        SimpleNamespace(subject="institution", subject_id=None),
        SimpleNamespace(subject="line", subject_id=7),
        SimpleNamespace(subject="", subject_id=None),
    ]
    assert audit_words.subjects(session, asked) == {
        ("institution", kept.id): "技术机构 西湖区计量检定所",
        ("institution", None): "技术机构",
        ("line", 7): "预约器具 7",
        ("", None): "",
    }


def test_every_table_of_the_log_has_a_chinese_name():
    assert NOTED - set(NOUNS) == set()
    assert {subject for subject, noun in audit_words.SUBJECTS.items() if noun.isascii()} == set()


@pytest.mark.parametrize("table", sorted(NOTED))
def test_every_column_of_the_log_has_a_chinese_name(table):
    columns = {column.key for column in SQLModel.metadata.tables[table].columns} - FOLLOWING
    assert columns - set(audit_words.LABELS) == set()
    assert {column for column in columns if audit_words.LABELS[column].isascii()} == set()


def test_what_has_no_name_any_more_is_not_shown_in_english(session):
    assert said(session, None, {"gone_column": "旧"}) == ["其他：旧"]
    gone = [SimpleNamespace(subject="gone_table", subject_id=None)]
    assert audit_words.subjects(session, gone) == {("gone_table", None): "其他"}


def test_an_english_word_in_an_entry_would_be_seen():
    assert spoken.unnamed("Export") == {"Export"}
    assert spoken.unnamed("导出", subject="ledger", after={"rows": 3, "totals": {"lost": 1}}) == {
        "ledger",
        "lost",
    }


def test_a_total_is_told_in_words(session):
    assert said(session, None, {"totals": {"rows": 3, "added": 2}}) == ["合计：行数 3，新增行数 2"]
