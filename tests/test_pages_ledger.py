"""The two lists of instruments: pages, filters and views, as the address names them."""

import pytest

from db import ledger, saved_views
from db.engine import reading, transaction
from db.models import Account, InstrumentStatus, Role
from tests.make import make_account, make_enterprise, make_instrument, make_legacy_instrument
from tests.screens import address, choose, press, refusals, said, sound, tick, total, visit, write

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow


@pytest.fixture
def owner(sqlite) -> Account:
    """王芳 of a boiler works in 西湖区."""
    with transaction() as session:
        enterprise = make_enterprise(session, "杭州明达锅炉厂")
        return make_account(session, full_name="王芳", enterprise_id=enterprise.id)


@pytest.fixture
def supervisor(sqlite) -> Account:
    """Of 杭州市."""
    with transaction() as session:
        return make_account(session, Role.supervisor)


def stock(owner: Account, count: int, **values) -> None:
    """Gauges numbered G1, G2 ..., the last one the newest."""
    with transaction() as session:
        for number in range(1, count + 1):
            make_instrument(session, owner, **{"serial_number": f"G{number}", **values})


def numbers(shown) -> list[str]:
    """The serial numbers on the screen."""
    return list(shown.dataframe[0].value["出厂编号"]) if shown.dataframe else []


def go_to(shown, number: int):
    """Type the number of a page."""
    return sound(shown.number_input[0].set_value(number).run())


def unfold(shown, place: str, what: str):
    """Open a popover."""
    shown.session_state[f"{place}-{what}"] = True
    return sound(shown.run())


@pytest.mark.parametrize(("name", "who"), [("ledger", "owner"), ("instruments", "supervisor")])
def test_the_page_stands_in_the_address_and_a_reload_shows_it_again(owner, monkeypatch, name, who, request):
    stock(owner, 120)
    account = owner if who == "owner" else request.getfixturevalue(who)
    shown = visit(monkeypatch, account, name)
    assert (numbers(shown)[0], address(shown), total(shown)) == ("G120", {}, 120)
    shown = press(shown, "下一页")
    assert (numbers(shown)[0], address(shown)["page"]) == ("G70", "2")
    stock(owner, 1, serial_number="NEW")
    again = visit(monkeypatch, account, name, **address(shown))
    assert numbers(again) == numbers(shown)
    assert numbers(press(again, "下一页"))[0] == "G20"
    first = press(again, "首页")
    assert (numbers(first)[0], address(first)) == ("NEW", {})


def test_pages_are_reached_by_their_number_and_from_the_end(owner, monkeypatch):
    stock(owner, 120)
    shown = go_to(visit(monkeypatch, owner, "ledger"), 2)
    assert (numbers(shown)[0], "第 2 页，共 3 页" in said(shown)) == ("G70", True)
    shown = press(shown, "末页")
    assert (len(numbers(shown)), shown.number_input[0].value) == (20, 3)
    assert numbers(press(shown, "上一页"))[0] == "G70"
    shown = go_to(go_to(shown, 1), 9999)
    assert (numbers(shown)[0], shown.number_input[0].value) == ("G20", 3)
    shown = go_to(shown, 9999)
    assert (numbers(shown)[0], shown.number_input[0].value) == ("G20", 3)


@pytest.mark.parametrize(
    "query",
    [{"page": "x"}, {"page": "99"}, {"page": "-7"}, {"page": "²"}, {"page": "9" * 30}, {"before": "x"}],
)
def test_an_address_that_names_no_page_still_shows_one(owner, monkeypatch, query):
    stock(owner, 3)
    assert numbers(visit(monkeypatch, owner, "ledger", **query)) == ["G3", "G2", "G1"]


def test_another_filter_begins_with_the_first_page(owner, monkeypatch):
    stock(owner, 120)
    shown = press(visit(monkeypatch, owner, "ledger"), "末页")
    shown = choose(shown, "状态", "in_use")
    assert (numbers(shown)[0], address(shown)) == ("G120", {"status": "in_use"})
    write(shown, "搜索", "G1")
    shown = sound(shown.run())
    assert (total(shown), address(shown)) == (32, {"status": "in_use", "text": "G1"})
    again = visit(monkeypatch, owner, "ledger", **address(shown))
    assert total(again) == 32


@pytest.mark.parametrize(("name", "who"), [("ledger", "owner"), ("instruments", "supervisor")])
def test_the_hidden_filters_narrow_whether_they_are_open_or_not(owner, monkeypatch, name, who, request):
    stock(owner, 2)
    with transaction() as session:
        make_instrument(session, owner, serial_number="S1", purpose="贸易结算", origin="进口")
    account = owner if who == "owner" else request.getfixturevalue(who)
    shown = unfold(visit(monkeypatch, account, name), name, "more")
    shown = choose(choose(shown, "器具用途", "trade_settlement"), "预约", "no")
    assert numbers(shown) == ["S1"]
    assert address(shown) == {"purpose": "trade_settlement", "booked": "no"}
    again = visit(monkeypatch, account, name, **address(shown))
    assert numbers(again) == ["S1"]
    assert not [one for one in again.selectbox if one.label == "器具用途"]


def test_nonsense_in_the_address_narrows_nothing(owner, monkeypatch):
    stock(owner, 2)
    query = {"status": "在用", "kind": "x", "division": "33", "booked": "1", "purpose": "", "view": "999"}
    assert total(visit(monkeypatch, owner, "ledger", **query)) == 2


def test_staff_find_an_owner_by_initials_and_see_its_rows(owner, supervisor, monkeypatch):
    stock(owner, 1)
    with transaction() as session:
        other = make_account(session, enterprise_id=make_enterprise(session, "杭州安澜医院").id)
        make_instrument(session, other, serial_number="A1")
        far = make_enterprise(session, "宁波安澜医院", division_code="330203")
    shown = unfold(visit(monkeypatch, supervisor, "instruments"), "instruments", "more")
    write(shown, "查找使用单位", "alyy")
    shown = sound(shown.run())
    box = next(one for one in shown.selectbox if one.label == "使用单位")
    assert box.options == ["杭州安澜医院"]
    shown = choose(shown, "使用单位", str(other.enterprise_id))
    assert (numbers(shown), address(shown)) == (["A1"], {"enterprise": str(other.enterprise_id)})
    assert numbers(visit(monkeypatch, supervisor, "instruments", enterprise=str(far.id))) == []


def test_staff_of_a_province_choose_a_district_level_by_level(owner, monkeypatch):
    stock(owner, 1)
    with transaction() as session:
        make_legacy_instrument(session, owner, serial_number="N1", division_code=None)
        make_instrument(session, owner, serial_number="B1", division_code="330108")
        province = make_account(session, Role.supervisor, division_code="330000")
    shown = choose(visit(monkeypatch, province, "instruments"), "使用地点", "330100")
    assert numbers(shown) == ["B1", "G1"]
    shown = choose(shown, "其中", "330108")
    assert (numbers(shown), address(shown)) == (["B1"], {"division": "330108"})
    again = visit(monkeypatch, province, "instruments", division="330108")
    assert [one.value for one in again.selectbox if one.label in ("使用地点", "其中")] == ["330100", "330108"]
    assert numbers(choose(again, "使用地点", "none")) == ["N1"]


def place_box(shown):
    """The box of 使用地点."""
    return next(one for one in shown.selectbox if one.label == "使用地点")


def test_an_owner_chooses_the_city_above_several_districts_in_use(owner, monkeypatch):
    for code in ("330106", "330108", "330203"):
        stock(owner, 1, division_code=code, serial_number=code)
    shown = unfold(visit(monkeypatch, owner, "ledger"), "ledger", "more")
    assert place_box(shown).options == [
        "浙江省杭州市",
        "浙江省杭州市西湖区",
        "浙江省杭州市滨江区",
        "浙江省宁波市海曙区",
        "未填使用地点",
    ]
    choose(shown, "使用地点", "330100")
    assert (numbers(shown), address(shown)) == (["330108", "330106"], {"division": "330100"})


@pytest.mark.parametrize(("name", "who"), [("ledger", "owner"), ("instruments", "supervisor")])
def test_a_division_of_the_address_that_is_not_offered_stays_chosen(owner, monkeypatch, name, who, request):
    stock(owner, 1)
    account = request.getfixturevalue(who)
    shown = unfold(visit(monkeypatch, account, name, division="330200"), name, "more")
    assert (place_box(shown).value, place_box(shown).options[-2]) == ("330200", "浙江省宁波市")
    assert (total(shown), address(shown)) == (0, {"division": "330200"})


def test_columns_are_chosen_and_kept_for_the_account(owner, monkeypatch):
    stock(owner, 1)
    shown = unfold(visit(monkeypatch, owner, "ledger"), "ledger", "views")
    shown = sound(shown.multiselect[0].set_value(["serial_number", "name"]).run())
    assert list(shown.dataframe[0].value) == ["出厂编号", "器具名称"]
    assert list(visit(monkeypatch, owner, "ledger").dataframe[0].value) == ["出厂编号", "器具名称"]
    with transaction() as session:
        colleague = make_account(session, enterprise_id=owner.enterprise_id)
    assert len(list(visit(monkeypatch, colleague, "ledger").dataframe[0].value)) == 12


def test_a_view_is_saved_opened_changed_and_deleted(owner, monkeypatch):
    stock(owner, 2)
    shown = unfold(visit(monkeypatch, owner, "ledger", text="G2"), "ledger", "views")
    write(shown, "视图名称", "二号")
    shown = press(shown, "保存为视图")
    view = address(shown)["view"]
    assert (address(shown), numbers(shown)) == ({"text": "G2", "view": view}, ["G2"])
    write(shown, "搜索", "G1")
    shown = sound(shown.run())
    assert (numbers(shown), address(shown)) == (["G1"], {"text": "G1", "view": view})
    shown = press(shown, "保存改动")
    with reading() as session:
        (kept,) = saved_views.mine(session, "ledger", by=owner)[0]
    assert (kept.name, kept.filters) == ("二号", {"text": "G1"})
    shown = press(shown, "删除")
    assert address(shown) == {"text": "G1"}


def test_a_view_opens_by_itself_until_another_list_is_asked_for(owner, monkeypatch):
    stock(owner, 2)
    with transaction() as session:
        view = saved_views.add(session, "ledger", "二号", {"text": "G2"}, ["serial_number"], by=owner)
        saved_views.make_default(session, view.id, by=owner)
    shown = visit(monkeypatch, owner, "ledger")
    assert (numbers(shown), address(shown)) == (["G2"], {"text": "G2", "view": str(view.id)})
    assert list(shown.dataframe[0].value) == ["出厂编号"]
    shown = choose(unfold(shown, "ledger", "views"), "常用视图", "none")
    assert (numbers(shown), address(shown)) == (["G2", "G1"], {"view": "none"})
    assert numbers(visit(monkeypatch, owner, "ledger", status="in_use")) == ["G2", "G1"]


def test_a_colleagues_view_does_not_open(owner, monkeypatch):
    stock(owner, 2)
    with transaction() as session:
        colleague = make_account(session, enterprise_id=owner.enterprise_id)
        view = saved_views.add(session, "ledger", "二号", {"text": "G2"}, ["serial_number"], by=colleague)
        saved_views.make_default(session, view.id, by=colleague)
    shown = visit(monkeypatch, owner, "ledger", view=str(view.id))
    assert (numbers(shown), address(shown)) == (["G2", "G1"], {})


def test_a_view_whose_name_is_refused_says_so_beside_it_and_the_list_stays(owner, monkeypatch):
    stock(owner, 2)
    with transaction() as session:
        view = saved_views.add(session, "ledger", "二号", {"text": "G2"}, ["serial_number"], by=owner)
        saved_views.add(session, "ledger", "一号", {"text": "G1"}, ["serial_number"], by=owner)
    shown = unfold(visit(monkeypatch, owner, "ledger", text="G2"), "ledger", "views")
    shown = press(shown, "保存为视图")
    assert (refusals(shown), numbers(shown), address(shown)) == (["请填写视图名称"], ["G2"], {"text": "G2"})
    write(shown, "视图名称", "二号")
    assert refusals(press(shown, "保存为视图")) == ["已有名为“二号”的视图，请换一个名称"]
    assert numbers(shown) == ["G2"]
    shown = unfold(visit(monkeypatch, owner, "ledger", view=str(view.id)), "ledger", "views")
    write(shown, "视图名称", "一号")
    assert refusals(press(shown, "改名")) == ["已有名为“一号”的视图，请换一个名称"]
    assert total(shown) == 2


def test_a_picked_row_is_not_another_row_on_the_next_page(owner, monkeypatch):
    stock(owner, 120)
    shown = tick(visit(monkeypatch, owner, "ledger"), 0)
    assert not next(one for one in shown.button if one.label == "停用").disabled
    shown = press(shown, "下一页")
    assert next(one for one in shown.button if one.label == "停用").disabled
    with reading() as session:
        statuses = {row.status for row in ledger.page(session, by=owner, size=200)}
    assert statuses == {InstrumentStatus.in_use}
