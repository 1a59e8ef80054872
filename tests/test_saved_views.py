"""Saved views: whose they are, and what may stand in them."""

import pytest

from db import saved_views
from db.errors import NotFound, Refused
from db.ledger import Filters
from db.models import InstrumentStatus, Role
from tests import make

COLUMNS = ["serial_number", "name"]


@pytest.fixture
def owner(session):
    """王芳 of the boiler works."""
    return make.make_account(session)


def add(session, owner, name="快到期的", filters=None, columns=COLUMNS, place="ledger"):
    """A view of what is due."""
    return saved_views.add(session, place, name, filters or {"due": "30"}, columns, by=owner)


def test_a_view_keeps_filters_and_the_order_of_columns(session, owner):
    add(session, owner, "  快到期的   压力表 ", {"due": "30", "text": "压力表", "status": ""})
    (view,) = saved_views.mine(session, "ledger", by=owner)[0]
    assert (view.name, view.columns) == ("快到期的 压力表", COLUMNS)
    assert view.filters == {"due": "30", "text": "压力表"}


def test_a_view_is_its_owners_alone(session, owner):
    view = add(session, owner)
    colleague = make.make_account(session, enterprise_id=owner.enterprise_id)
    for other in (colleague, make.make_account(session)):
        assert saved_views.mine(session, "ledger", by=other)[0] == []
        for act in (
            lambda by: saved_views.change(session, view.id, {}, COLUMNS, by=by),
            lambda by: saved_views.rename(session, view.id, "我的", by=by),
            lambda by: saved_views.delete(session, view.id, by=by),
            lambda by: saved_views.make_default(session, view.id, by=by),
        ):
            with pytest.raises(NotFound):
                act(other)
    assert add(session, colleague).id != view.id


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.institution, "ledger"),
        (Role.administrator, "instruments"),
        (Role.supervisor, "ledger"),
        (Role.enterprise, "instruments"),
    ],
)
def test_a_list_one_may_not_see_has_no_views(session, role, place):
    stranger = make.make_account(session, role)
    with pytest.raises(Refused, match="不能执行此操作"):
        add(session, stranger, place=place)
    with pytest.raises(Refused, match="不能执行此操作"):
        saved_views.mine(session, place, by=stranger)


def test_there_are_no_other_lists(session, owner):
    with pytest.raises(NotFound):
        add(session, owner, place="accounts")


@pytest.mark.parametrize(
    "filters",
    [
        {"password_hash": "x"},
        {"enterprise": "1"},
        {"status": "在用"},
        {"due": "31"},
        {"kind": "x"},
        {"kind": "1" * 10},
        {"kind": "²"},
        {"division": "33"},
        {"division": "000000"},
        {"booked": "maybe"},
        {"quality": "all"},
        {"text": "压" * 101},
        {"text": ["压力"]},
    ],
)
def test_a_filter_that_does_not_exist_is_refused(session, owner, filters):
    with pytest.raises(Refused, match="筛选条件有误"):
        add(session, owner, filters=filters)


@pytest.mark.parametrize("columns", [["search_text"], ["name", "name"], ["name", "enterprise_id"]])
def test_a_column_that_does_not_exist_is_refused(session, owner, columns):
    with pytest.raises(Refused, match="所选的列有误"):
        add(session, owner, columns=columns)
    with pytest.raises(Refused, match="所选的列有误"):
        saved_views.keep_columns(session, "ledger", columns, by=owner)


def test_a_list_has_at_least_one_column(session, owner):
    with pytest.raises(Refused, match="至少选择一列"):
        add(session, owner, columns=[])


@pytest.mark.parametrize(
    ("name", "why"),
    [("  ", "请填写视图名称"), ("长" * 41, "最多 40 个字"), ("在用\0的", "不可见的控制字符")],
)
def test_a_name_is_short_and_there(session, owner, name, why):
    with pytest.raises(Refused, match=why):
        add(session, owner, name)
    view = add(session, owner)
    with pytest.raises(Refused, match=why):
        saved_views.rename(session, view.id, name, by=owner)


def test_a_problem_is_known_before_a_view_is_kept(session, owner):
    view = add(session, owner, "在用的")
    assert "已有名为“在用的”" in saved_views.problem(session, "ledger", " 在用的 ", by=owner)
    assert saved_views.problem(session, "ledger", "在用的", by=owner, view_id=view.id) == ""
    assert saved_views.problem(session, "ledger", "停用的", by=owner) == ""
    for number in range(saved_views.MOST - 1):
        add(session, owner, str(number))
    assert "最多 20 个" in saved_views.problem(session, "ledger", "停用的", by=owner)


def test_two_views_have_two_names(session, owner):
    add(session, owner, "在用的")
    view = add(session, owner)
    with pytest.raises(Refused, match="已有名为“在用的”的视图"):
        add(session, owner, "在用的")
    with pytest.raises(Refused, match="已有名为“在用的”的视图"):
        saved_views.rename(session, view.id, "在用的", by=owner)
    assert len(saved_views.mine(session, "ledger", by=owner)[0]) == 2


def test_nobody_has_more_than_twenty(session, owner):
    for number in range(saved_views.MOST):
        add(session, owner, f"视图 {number}")
    with pytest.raises(Refused, match="最多 20 个"):
        add(session, owner)


def test_a_view_is_changed_renamed_and_deleted(session, owner):
    view = add(session, owner)
    saved_views.change(session, view.id, {"status": "in_use"}, ["name"], by=owner)
    saved_views.rename(session, view.id, "在用的", by=owner)
    (kept,) = saved_views.mine(session, "ledger", by=owner)[0]
    assert (kept.name, kept.filters, kept.columns) == ("在用的", {"status": "in_use"}, ["name"])
    saved_views.delete(session, view.id, by=owner)
    assert saved_views.mine(session, "ledger", by=owner)[0] == []


def test_one_view_at_most_opens_by_itself(session, owner):
    first, second = add(session, owner, "甲"), add(session, owner, "乙")
    for chosen in (first, second):
        saved_views.make_default(session, chosen.id, by=owner)
        session.expire_all()
        assert [one.id for one in saved_views.mine(session, "ledger", by=owner)[0] if one.is_default] == [
            chosen.id
        ]
    saved_views.make_default(session, second.id, False, by=owner)
    assert not any(one.is_default for one in saved_views.mine(session, "ledger", by=owner)[0])


def test_columns_are_kept_without_a_view_too(session, owner):
    assert saved_views.mine(session, "ledger", by=owner)[1] == list(saved_views.USUAL["ledger"])
    for chosen in (["name"], COLUMNS):
        saved_views.keep_columns(session, "ledger", chosen, by=owner)
        assert saved_views.mine(session, "ledger", by=owner)[1] == chosen
    assert saved_views.mine(session, "ledger", by=owner)[0] == []


def test_an_address_is_read_as_far_as_it_makes_sense():
    asked = {
        "due": "30",
        "status": "in_use",
        "kind": "c7",
        "division": "none",
        "booked": "no",
        "text": "压力",
    }
    assert saved_views.read_filters("ledger", asked) == Filters(
        text="压力",
        due="30",
        status=InstrumentStatus.in_use,
        category_id=7,
        is_placeless=True,
        is_booked=False,
    )
    nonsense = {"due": "31", "status": "在用", "kind": "-1", "page": "7", "division": "33"}
    nonsense |= {"enterprise": "3"}
    assert saved_views.read_filters("ledger", nonsense) == Filters()
    assert saved_views.read_filters("instruments", nonsense) == Filters(enterprise_id=3)
