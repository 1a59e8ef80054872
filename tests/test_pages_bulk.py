"""Many rows at once: 表格编辑 with its drafts and conflicts, 批量修改, and taking a batch back."""

from datetime import date

import pytest
import sqlalchemy as sa
from sqlmodel import select

from db import bulk_edits, drafts, instruments, ledger
from db.engine import reading, transaction
from db.models import (
    Account,
    Batch,
    BatchStatus,
    DeliveryMode,
    Enterprise,
    Instrument,
    InstrumentChange,
    Purpose,
    Role,
)
from pages.parts import grid_cells, grid_conflicts
from tests.make import make_account, make_enterprise, make_instrument, make_link
from tests.screens import address, press, refusals, said, sound, total, visit

# Whole runs of pages take longer than a quick check may.
slow = pytest.mark.slow


@pytest.fixture
def owner(sqlite) -> Account:
    """王芳 of a boiler works in 西湖区."""
    with transaction() as session:
        enterprise = make_enterprise(session, "杭州明达锅炉厂")
        return make_account(session, full_name="王芳", enterprise_id=enterprise.id)


def stock(owner: Account, count: int = 1, **values) -> list[Instrument]:
    """Fresh instruments in the ledger of `owner`."""
    with transaction() as session:
        return [make_instrument(session, owner, **values) for _ in range(count)]


def stored(id: int) -> Instrument:
    """An instrument as it stands."""
    with reading() as session:
        return session.get_one(Instrument, id)


def draft_of(owner: Account):
    """What is kept of the grid, or None."""
    with reading() as session:
        found = drafts.find(session, f"grid-{owner.enterprise_id}", by=owner)
        return found and found.content


def change(owner: Account, row: Instrument, **values) -> None:
    """A colleague is quicker."""
    with transaction() as session:
        instruments.edit(session, row.id, stored(row.id).version, values, by=owner)


def delete(row: Instrument) -> None:
    """A colleague takes back the batch that added it."""
    with transaction() as session:
        session.exec(sa.delete(InstrumentChange).where(InstrumentChange.instrument_id == row.id))
        session.delete(session.get_one(Instrument, row.id))


def scrap(owner: Account, row: Instrument) -> None:
    """A colleague scraps it."""
    with transaction() as session:
        instruments.change_status(session, [row.id], "scrap", by=owner, reason="表壳破损")


def opened(monkeypatch, owner: Account):
    """The ledger with its grid open."""
    return press(visit(monkeypatch, owner, "ledger"), "表格编辑")


def come_by(shown, **query: str) -> None:
    """Follow a link to the ledger, or the menu."""
    shown.switch_page("pages/enterprise/ledger.py")
    shown.query_params.clear()
    shown.query_params.update(query)
    sound(shown.run())


def edit(shown, owner: Account, edited: dict) -> None:
    """What the browser sends after cells were edited, by position."""
    number = shown.session_state[f"grid-{owner.enterprise_id}"]["number"]
    key = f"grid-{owner.enterprise_id}-{number}"
    shown.session_state[key] = {"edited_rows": edited, "added_rows": [], "deleted_rows": []}
    sound(shown.run())


def wrong(shown) -> list[tuple[str, str]]:
    """Column and sentence of each cell that is named as wrong."""
    table = next(one.value for one in shown.dataframe if "需要改正" in one.value)
    return list(zip(table["列"], table["需要改正"], strict=True))


def decide(shown, label: str, choice: str):
    """Choose for one cell of a conflict."""
    radio = next(one for one in shown.radio if one.label.startswith(label))
    return sound(radio.set_value(choice).run())


def click_all(shown, *labels: str):
    """Press buttons in one run: without a browser, a dialog closes after each."""
    for label in labels:
        next(one for one in shown.button if one.label == label).click()
    return sound(shown.run())


@slow
def test_the_grid_saves_the_right_row_though_others_came_between(owner, monkeypatch):
    first, second = stock(owner, 2)
    shown = opened(monkeypatch, owner)
    stock(owner)
    edit(shown, owner, {1: {"location": "空压机房", "purpose": "贸易结算"}})
    assert "已改 1 台器具的 2 处，尚未保存" in said(shown)
    press(shown, "保存")
    assert stored(first.id).purpose == Purpose.trade_settlement
    assert stored(second.id).location == "锅炉房"


@slow
def test_kinds_divisions_days_and_the_quantity_are_edited_too(owner, monkeypatch):
    (row,) = stock(owner)
    shown = opened(monkeypatch, owner)
    cells = {"kind_id": "91701", "division_code": "浙江省杭州市滨江区", "purchased_on": "2024-05-06"}
    edit(shown, owner, {0: cells | {"quantity": 1}})
    press(shown, "保存")
    saved = stored(row.id)
    assert (saved.division_code, saved.purchased_on) == ("330108", date(2024, 5, 6))
    assert saved.kind_id == grid_cells.kind("燃油加油机")[0]


@slow
def test_edits_of_the_grid_outlive_a_visit_to_another_page(owner, monkeypatch):
    (row,) = stock(owner)
    shown = opened(monkeypatch, owner)
    edit(shown, owner, {0: {"location": "空压机房"}})
    sound(shown.switch_page("pages/public/profile.py").run())
    come_by(shown)
    assert "有未保存的表格编辑（1 台 1 处" in said(shown)
    press(shown, "继续编辑")
    press(shown, "保存")
    assert stored(row.id).location == "空压机房"


@slow
def test_a_link_to_a_list_leads_to_it_and_not_to_the_open_grid(owner, monkeypatch):
    first, _ = stock(owner, 2)
    (other,) = stock(owner, division_code="330108")
    shown = opened(monkeypatch, owner)
    come_by(shown, division="330108")
    assert "未保存的表格编辑" not in said(shown)
    assert (total(shown), address(shown)) == (1, {"division": "330108"})
    press(shown, "表格编辑")
    edit(shown, owner, {0: {"location": "空压机房"}})
    come_by(shown, division="330106")
    assert "有未保存的表格编辑（1 台 1 处" in said(shown)
    assert total(shown) == 2
    press(press(shown, "继续编辑"), "保存")
    assert (stored(other.id).location, stored(first.id).version) == ("空压机房", 1)


@slow
def test_leaving_the_grid_leads_back_to_the_list_it_came_from(owner, monkeypatch):
    stock(owner)
    shown = press(visit(monkeypatch, owner, "ledger", division="330106"), "表格编辑")
    press(shown, "关闭")
    assert address(shown) == {"division": "330106"}


@slow
def test_edits_of_the_grid_can_be_dropped(owner, monkeypatch):
    (row,) = stock(owner)
    shown = opened(monkeypatch, owner)
    edit(shown, owner, {0: {"location": "空压机房"}})
    press(shown, "确定放弃")
    assert stored(row.id).version == 1
    assert draft_of(owner) is None
    assert "未保存的表格编辑" not in said(shown)


@slow
def test_wrong_cells_are_named_and_nothing_typed_is_lost(owner, monkeypatch):
    first, second = stock(owner, 2)
    shown = opened(monkeypatch, owner)
    typed = {"location": "空压机房", "division_code": "西湖镇", "manufacturer": "", "quantity": 3}
    typed["accuracy_class"] = "1.6" * 30
    edit(shown, owner, {0: typed, 1: {"remark": "换了表盘"}})
    press(shown, "保存")
    assert "还没有保存，有 4 处需要改正" in said(shown)
    assert {label for label, _ in wrong(shown)} == {"使用地点行政区划", "生产厂家", "准确度等级", "器具数量"}
    assert all(sentence for _, sentence in wrong(shown))
    assert draft_of(owner)["typed"][str(second.id)] == typed
    mended = typed | {"division_code": "330108", "quantity": 1, "manufacturer": "银普"}
    mended |= {"accuracy_class": "1.6"}
    edit(shown, owner, {0: mended, 1: {"remark": "换了表盘"}})
    press(shown, "保存")
    assert (stored(second.id).division_code, stored(second.id).location) == ("330108", "空压机房")
    assert stored(first.id).remark == "换了表盘"


@slow
def test_valid_until_is_confirmed_before_it_is_saved_and_never_changed(owner, monkeypatch):
    locked, empty = stock(owner, 1, valid_until=date(2027, 1, 31)) + stock(owner)
    shown = opened(monkeypatch, owner)
    edit(shown, owner, {0: {"valid_until": "2027-05-31"}})
    press(shown, "保存")
    assert wrong(shown) == [("有效期至", "“有效期至”保存后不可修改，请核对日期并勾选“已核对”")]
    (box,) = [one for one in shown.checkbox if one.label.startswith("已核对：1 台")]
    sound(box.check().run())
    edit(shown, owner, {0: {"valid_until": "2027-05-31"}, 1: {"valid_until": "2030-01-01"}})
    press(shown, "保存")
    assert wrong(shown) == [("有效期至", instruments.LOCKED)]
    edit(shown, owner, {0: {"valid_until": "2027-05-31"}})
    press(shown, "保存")
    assert (stored(empty.id).valid_until, stored(locked.id).valid_until) == (
        date(2027, 5, 31),
        date(2027, 1, 31),
    )


@slow
def test_a_conflict_is_settled_cell_by_cell(owner, monkeypatch):
    (row,) = stock(owner, location="锅炉房")
    shown = opened(monkeypatch, owner)
    change(owner, row, accuracy_class="4", location="水泵房", manufacturer="红旗仪表厂")
    edit(shown, owner, {0: {"location": "空压机房", "manufacturer": "长城仪表厂", "remark": "新表"}})
    press(shown, "保存")
    assert "1 台器具已被他人修改" in said(shown)
    assert "还有 2 处双方都改过" in said(shown)
    defaults = {one.label.split("（")[0]: one.value for one in shown.radio}
    assert defaults == {
        "准确度等级": "theirs",
        "安装/使用地点": None,
        "生产厂家": None,
        "备注": "mine",
    }
    decide(shown, "安装/使用地点", "mine")
    decide(shown, "生产厂家", "theirs")
    press(shown, "按以上选择保存")
    saved = stored(row.id)
    assert (saved.accuracy_class, saved.location, saved.manufacturer, saved.remark) == (
        "4",
        "空压机房",
        "红旗仪表厂",
        "新表",
    )
    assert draft_of(owner) is None


@slow
def test_what_a_colleague_changed_alone_can_be_taken_back_in_a_conflict(owner, monkeypatch):
    (row,) = stock(owner)
    shown = opened(monkeypatch, owner)
    change(owner, row, accuracy_class="4")
    edit(shown, owner, {0: {"location": "空压机房"}})
    press(shown, "保存")
    decide(shown, "准确度等级", "mine")
    press(shown, "按以上选择保存")
    assert (stored(row.id).accuracy_class, stored(row.id).location) == ("1.6", "空压机房")


@slow
def test_a_second_conflict_while_the_first_is_settled_is_asked_about_too(owner, monkeypatch):
    (row,) = stock(owner)
    shown = opened(monkeypatch, owner)
    change(owner, row, accuracy_class="4")
    edit(shown, owner, {0: {"location": "空压机房"}})
    press(shown, "保存")
    change(owner, row, location="水泵房")
    press(shown, "按以上选择保存")
    assert stored(row.id).location == "水泵房"
    decide(shown, "安装/使用地点", "mine")
    press(shown, "按以上选择保存")
    assert (stored(row.id).accuracy_class, stored(row.id).location) == ("4", "空压机房")


@slow
def test_edits_of_rows_that_are_gone_or_scrapped_are_dropped_by_name(owner, monkeypatch):
    rest, scrapped = stock(owner, serial_number="Z1") + stock(owner, serial_number="Z2")
    (gone,) = stock(owner, serial_number="Z3")
    shown = opened(monkeypatch, owner)
    edit(shown, owner, {place: {"location": "空压机房"} for place in range(3)})
    delete(gone)
    scrap(owner, scrapped)
    press(shown, "保存")
    assert refusals(shown) == [
        "压力表 Z3 已不在台账中，对这 1 台器具的修改不能保存，已去掉",
        "压力表 Z2 已报废，对这 1 台器具的修改不能保存，已去掉",
    ]
    assert "已改 1 台器具的 1 处，尚未保存" in said(shown)
    assert draft_of(owner)["typed"] == {str(rest.id): {"location": "空压机房"}}
    press(shown, "保存")
    assert (stored(rest.id).location, stored(scrapped.id).location) == ("空压机房", "锅炉房")
    assert draft_of(owner) is None


@slow
def test_a_draft_whose_rows_are_all_gone_says_so_and_leads_back(owner, monkeypatch):
    (row,) = stock(owner, serial_number="Z1")
    edit(opened(monkeypatch, owner), owner, {0: {"location": "空压机房"}})
    delete(row)
    shown = press(visit(monkeypatch, owner, "ledger"), "继续编辑")
    assert refusals(shown) == ["压力表 Z1 已不在台账中，对这 1 台器具的修改不能保存，已去掉"]
    assert draft_of(owner) is None
    press(shown, "返回台账")
    assert total(shown) == 0


@slow
def test_a_row_scrapped_beside_a_conflict_is_named_and_the_rest_is_settled(owner, monkeypatch):
    changed, scrapped = stock(owner, serial_number="Z1") + stock(owner, serial_number="Z2")
    shown = opened(monkeypatch, owner)
    edit(shown, owner, {place: {"location": "空压机房"} for place in range(2)})
    change(owner, changed, remark="新表")
    scrap(owner, scrapped)
    press(shown, "保存")
    assert "压力表 Z2 已报废" in said(shown)
    assert "1 台器具已被他人修改" in said(shown)
    press(shown, "按以上选择保存")
    assert (stored(changed.id).location, stored(changed.id).remark) == ("空压机房", "新表")


@slow
def test_the_grid_asks_once_before_it_makes_a_twin(owner, monkeypatch):
    (row,) = stock(owner, serial_number="B2")
    stock(owner, serial_number="A1", name="标准表")
    shown = opened(monkeypatch, owner)
    edit(shown, owner, {1: {"serial_number": "A1"}})
    press(shown, "保存")
    assert "压力表 B2：修改后与“标准表”的出厂编号、生产厂家、型号规格相同" in said(shown)
    press(shown, "保存")
    assert stored(row.id).version == 1
    (box,) = [one for one in shown.checkbox if one.label == "确认不是重复录入，仍然保存"]
    sound(box.check().run())
    press(shown, "保存")
    assert stored(row.id).serial_number == "A1"


@slow
def test_another_identity_than_the_confirmed_one_is_asked_about_anew(owner, monkeypatch):
    (row,) = stock(owner, serial_number="B2")
    stock(owner, serial_number="A1")
    stock(owner, serial_number="A2")
    shown = opened(monkeypatch, owner)
    edit(shown, owner, {2: {"serial_number": "A1"}})
    press(shown, "保存")
    sound(shown.checkbox[0].check().run())
    edit(shown, owner, {2: {"serial_number": "A2"}})
    assert "重复" not in said(shown)
    press(shown, "保存")
    assert "有 1 台器具与其他器具重复" in said(shown)
    assert stored(row.id).version == 1


@slow
def test_a_new_session_is_offered_the_draft_and_goes_on(owner, monkeypatch):
    (row,) = stock(owner)
    edit(opened(monkeypatch, owner), owner, {0: {"location": "空压机房", "purchased_on": "2024-05-06"}})
    shown = visit(monkeypatch, owner, "ledger")
    assert "有未保存的表格编辑（1 台 2 处，2026-11-23 09:30）" in said(shown)
    press(shown, "继续编辑")
    assert "已改 1 台器具的 2 处，尚未保存" in said(shown)
    press(shown, "保存")
    assert (stored(row.id).location, stored(row.id).purchased_on) == ("空压机房", date(2024, 5, 6))
    assert draft_of(owner) is None


@slow
def test_a_draft_over_rows_that_changed_meanwhile_is_a_conflict(owner, monkeypatch):
    (row,) = stock(owner)
    edit(opened(monkeypatch, owner), owner, {0: {"location": "空压机房"}})
    change(owner, row, location="水泵房")
    shown = press(visit(monkeypatch, owner, "ledger"), "继续编辑")
    assert "1 台器具已被他人修改" in said(shown)
    decide(shown, "安装/使用地点", "mine")
    press(shown, "按以上选择保存")
    assert stored(row.id).location == "空压机房"


@slow
def test_a_draft_can_be_dropped_and_is_not_written_over(owner, monkeypatch):
    stock(owner)
    edit(opened(monkeypatch, owner), owner, {0: {"location": "空压机房"}})
    shown = press(visit(monkeypatch, owner, "ledger"), "表格编辑")
    assert "请先继续或放弃未保存的表格编辑" in said(shown).replace("\\", "")
    assert [toast.icon for toast in shown.toast] == [":material/warning:"]
    press(shown, "确定放弃")
    assert draft_of(owner) is None
    assert "未保存的表格编辑" not in said(shown)


@slow
def test_what_is_typed_in_a_second_window_leaves_the_draft_of_the_first_alone(owner, monkeypatch):
    first, second = stock(owner, 2)
    one, two = opened(monkeypatch, owner), opened(monkeypatch, owner)
    edit(one, owner, {1: {"location": "空压机房"}})
    edit(two, owner, {0: {"location": "水泵房"}})
    assert draft_of(owner)["typed"] == {
        str(first.id): {"location": "空压机房"},
        str(second.id): {"location": "水泵房"},
    }
    press(two, "保存")
    assert "有未保存的表格编辑（1 台 1 处" in said(two)
    edit(one, owner, {1: {"location": "空压机房", "remark": "新表"}})
    press(visit(monkeypatch, owner, "ledger"), "继续编辑")
    assert draft_of(owner)["typed"] == {str(first.id): {"location": "空压机房", "remark": "新表"}}
    press(one, "确定放弃")
    assert draft_of(owner) is None
    assert (stored(first.id).location, stored(second.id).location) == ("锅炉房", "水泵房")


@slow
def test_a_draft_is_not_shown_to_a_colleague(owner, monkeypatch):
    stock(owner)
    edit(opened(monkeypatch, owner), owner, {0: {"location": "空压机房"}})
    with transaction() as session:
        colleague = make_account(session, enterprise_id=owner.enterprise_id)
    assert "未保存的表格编辑" not in said(visit(monkeypatch, colleague, "ledger"))


@slow
def test_a_draft_that_is_none_does_no_harm(owner, monkeypatch):
    stock(owner)
    with transaction() as session:
        drafts.save(session, f"grid-{owner.enterprise_id}", {"rows": [{"id": 1}], "typed": 7}, by=owner)
    shown = press(visit(monkeypatch, owner, "ledger"), "继续编辑")
    assert draft_of(owner) is None
    assert "未保存的表格编辑" not in said(shown)


@slow
def test_a_forged_choice_in_the_grid_is_refused_and_stays_on_the_screen(owner, monkeypatch):
    (row,) = stock(owner)
    shown = opened(monkeypatch, owner)
    edit(shown, owner, {0: {"purpose": "研究"}})
    press(shown, "保存")
    assert refusals(shown) and wrong(shown)
    assert "尚未保存" in said(shown)
    assert stored(row.id).version == 1


@slow
@pytest.mark.parametrize("forged", [{"status": "封存"}, {"name": 7}, {"quantity": True}])
def test_a_forged_cell_of_the_grid_changes_nothing(owner, monkeypatch, forged):
    (row,) = stock(owner)
    shown = opened(monkeypatch, owner)
    edit(shown, owner, {0: forged})
    press(shown, "保存")
    assert stored(row.id).version == 1


def cells(**values) -> dict:
    """A row as the grid keeps it."""
    return {"id": 5, "version": 1} | dict.fromkeys(grid_cells.ORDER, "") | {"quantity": 1} | values


@pytest.mark.parametrize(
    "delta",
    [
        {3: {"name": "天平"}},
        {-1: {"name": "天平"}},
        {"0x0": {"name": "天平"}},
        {0: {"name": "压力表"}},
        {0: {"status": "封存"}},
        {0: {"id": 6, "version": 9, "enterprise_id": 99}},
        {0: {"name": 7}},
        {0: {"name": ["天平"]}},
        {0: {"quantity": float("nan")}},
        {0: {"quantity": "3"}},
        {0: {"quantity": True}},
        {0: {"purchased_on": "昨天"}},
        {0: {"purchased_on": 20240506}},
        {0: "name"},
    ],
)
def test_what_no_honest_editor_sends_is_no_edit(delta):
    assert grid_cells.merged([cells(name="压力表", valid_until=None)], {}, delta) == {}


def test_what_is_typed_is_kept_over_what_was_kept():
    kept = {5: {"name": "天平"}}
    delta = {0: {"remark": None, "location": None, "purchased_on": "2024-05-06T00:00:00.000Z"}}
    typed = grid_cells.merged([cells(name="压力表", remark="旧")], kept, delta)
    assert typed == {5: {"name": "天平", "remark": "", "purchased_on": "2024-05-06"}}


def test_a_draft_of_two_windows_keeps_the_older_row_and_drops_only_what_was_typed_here():
    old, new = cells(name="压力表"), cells(name="压力表", location="水泵房") | {"version": 2}
    content = grid_cells.redrafted(None, [old], {}, {5: {"name": "天平"}})
    content = grid_cells.redrafted(content, [new], {}, {5: {"remark": "新表"}})
    assert content == {"rows": [old], "typed": {"5": {"name": "天平", "remark": "新表"}}}
    content = grid_cells.redrafted(content, [new], {5: {"name": "电子秤", "remark": "新表"}}, {})
    assert content == {"rows": [old], "typed": {"5": {"name": "天平"}}}
    assert grid_cells.redrafted(content, [], {5: {"name": "天平"}}, {}) == {"rows": [], "typed": {}}


def test_cells_both_have_changed_alike_are_no_conflict():
    before, theirs = cells(location="锅炉房"), cells(location="水泵房")
    assert grid_conflicts.differences(before, theirs, {"location": "水泵房"}) == []


@slow
def test_all_filtered_rows_are_set_together_after_a_preview(owner, monkeypatch):
    far, near = stock(owner, 60, location="水泵房"), stock(owner)
    shown = visit(monkeypatch, owner, "ledger", text="水泵")
    press(shown, "批量修改")
    next(one for one in shown.selectbox if one.label == "改为").select(DeliveryMode.on_site)
    click_all(shown, "批量修改", "预览")
    assert [one.value for one in shown.metric] == ["60 台", "0 台", "0 台"]
    assert {stored(row.id).version for row in far} == {1}
    next(one for one in shown.selectbox if one.label == "改为").select(DeliveryMode.on_site)
    click_all(shown, "批量修改", "确定修改 60 台")
    assert {stored(row.id).delivery_mode for row in far} == {DeliveryMode.on_site}
    assert stored(near[0].id).version == 1


@slow
def test_setting_together_asks_before_it_makes_twins(owner, monkeypatch):
    stock(owner, serial_number="A1", specification="YB-150", location="锅炉房")
    (row,) = stock(owner, serial_number="A1", specification="YB-100", location="水泵房")
    shown = visit(monkeypatch, owner, "ledger", text="水泵")
    press(shown, "批量修改")
    next(one for one in shown.selectbox if one.label == "修改哪一项").select("specification")
    click_all(shown, "批量修改")
    next(one for one in shown.text_input if one.label == "改为").input("YB-150")
    click_all(shown, "批量修改", "预览")
    assert "压力表 A1 修改后与其他器具的出厂编号、生产厂家、型号规格相同" in said(shown).replace("\\", "")
    (button,) = [one for one in shown.button if one.label == "确定修改 1 台"]
    assert button.disabled
    next(one for one in shown.text_input if one.label == "改为").input("YB-150")
    shown.checkbox[0].check()
    click_all(shown, "批量修改")
    click_all(shown, "批量修改", "确定修改 1 台")
    assert stored(row.id).specification == "YB-150"


@slow
def test_a_batch_is_taken_back_from_the_list(owner, monkeypatch):
    (row,) = stock(owner)
    with transaction() as session:
        bulk_edits.set_together(
            session, owner.enterprise_id, "location", "空压机房", ledger.Filters(), by=owner
        )
    shown = press(visit(monkeypatch, owner, "ledger"), "批次")
    (table,) = shown.dataframe
    assert table.value["内容"].tolist() == ["安装/使用地点 → 空压机房"]
    assert table.value["结果"].tolist() == ["修改 1"]
    key = table.proto.id.split("-", 2)[2]
    shown.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    sound(shown.run())
    press(shown, "整批撤回")
    shown.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    click_all(shown, "整批撤回", "确定整批撤回")
    assert stored(row.id).location == "锅炉房"
    with reading() as session:
        assert session.exec(select(Batch)).one().status == BatchStatus.undone


@slow
def test_without_the_right_to_edit_setting_together_is_refused(owner, monkeypatch, caplog):
    stock(owner)
    with transaction() as session:
        person = make_account(session, Role.personal)
        enterprise = session.get_one(Enterprise, owner.enterprise_id)
        make_link(session, person, enterprise, can_edit=False)
    shown = press(visit(monkeypatch, person, "ledger"), "批量修改")
    next(one for one in shown.selectbox if one.label == "改为").select(DeliveryMode.on_site)
    for label in ("批量修改", "预览"):
        next(one for one in shown.button if one.label == label).click()
    shown.run()
    said_no = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert any("企业未授予您此项权限" in text for text in said_no + refusals(shown))
