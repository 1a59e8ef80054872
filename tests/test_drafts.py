"""Drafts: one for each account and place, kept until it is dropped, and nobody else's business."""

import pytest

from db import drafts
from db.errors import Refused
from tests import make
from tests.conftest import NOW


def content_of(session, account, place="grid-1"):
    """What is kept, or None."""
    draft = drafts.find(session, place, by=account)
    return draft and draft.content


def test_a_draft_is_kept_until_it_is_dropped(session, owner, monkeypatch):
    drafts.save(session, "grid-1", {"typed": {"5": {"name": "压力表"}}}, by=owner)
    monkeypatch.setenv("YUEJIAN_NOW", NOW.replace("09:30", "09:45"))
    drafts.save(session, "grid-1", {"typed": {"5": {"name": "天平"}}}, by=owner)
    draft = drafts.find(session, "grid-1", by=owner)
    assert (draft.content, draft.changed_at.minute) == ({"typed": {"5": {"name": "天平"}}}, 45)
    drafts.drop(session, "grid-1", by=owner)
    assert content_of(session, owner) is None


def test_drafts_of_other_places_and_people_are_apart(session, owner):
    colleague = make.make_account(session, enterprise_id=owner.enterprise_id)
    drafts.save(session, "grid-1", {"a": 1}, by=owner)
    drafts.save(session, "grid-2", {"a": 2}, by=owner)
    drafts.save(session, "grid-1", {"a": 3}, by=colleague)
    drafts.drop(session, "grid-1", by=colleague)
    assert (content_of(session, owner), content_of(session, owner, "grid-2")) == ({"a": 1}, {"a": 2})
    assert content_of(session, colleague) is None


@pytest.mark.parametrize(
    "content", [{"a": "字" * drafts.LIMIT}, {"a": float("nan")}, {"a": float("inf")}, {"a": object()}]
)
def test_a_draft_too_long_or_not_plain_is_refused_and_the_last_one_stays(session, owner, content):
    drafts.save(session, "grid-1", {"a": 1}, by=owner)
    with pytest.raises(Refused, match="无法暂存"):
        drafts.save(session, "grid-1", content, by=owner)
    assert content_of(session, owner) == {"a": 1}


@pytest.mark.parametrize("place", ["", "x" * 61])
def test_a_place_has_a_name_that_fits(session, owner, place):
    with pytest.raises(Refused):
        drafts.save(session, place, {}, by=owner)
