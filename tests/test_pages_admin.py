"""The pages of 管理员: home, accounts, working days, reference data, settings."""

from datetime import date

import pytest
from sqlmodel import select

from db import passwords, settings, workdays
from db.engine import reading, transaction
from db.models import Account, Division, Level, Role
from pages.edge import provider
from pages.parts import navigation
from tests.make import HANGZHOU, PASSWORD, make_account, make_enterprise, make_institution
from tests.screens import choose, press, refusals, said, sound, tick, total, visit, write

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow

PAGES = ("admin_home", "accounts", "audit", "calendar", "reference", "settings")


@pytest.fixture(autouse=True)
def quick(sqlite, monkeypatch):
    """Hashing as fast as bcrypt goes."""
    monkeypatch.setattr(passwords, "COST", 4)


@pytest.fixture
def administrator():
    with transaction() as session:
        return make_account(session, Role.administrator, username="gly", full_name="俞志明")


@pytest.fixture
def clerk():
    """李敏 of an institution."""
    with transaction() as session:
        institution = make_institution(session, "西湖区计量检定所")
        return make_account(
            session, Role.institution, username="limin", full_name="李敏", institution_id=institution.id
        )


def stored(username):
    with reading() as session:
        return session.exec(select(Account).where(Account.username == username)).one()


def named(shown, table=0):
    return list(shown.dataframe[table].value.iloc[:, 0])


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", [role for role in Role if role != Role.administrator])
def test_nobody_else_finds_these_pages(monkeypatch, role, name):
    with transaction() as session:
        stranger = make_account(session, role)
    with pytest.raises(ValueError, match="not"):
        visit(monkeypatch, stranger, name)


def test_home_says_what_the_system_stands_on(administrator, clerk, monkeypatch):
    with transaction() as session:
        make_account(session, Role.personal, is_active=False)
    shown = visit(monkeypatch, administrator, "admin_home")
    assert [metric.value for metric in shown.metric] == ["0", "0", "1", "0", "0", "1"]
    assert "另有 1 个已停用" in said(shown)
    assert "只有一位管理员" in said(shown)
    assert "2026 年的节假日安排" in said(shown)
    assert "2027 年节假日安排未公布" in said(shown)
    assert "非官方《强检器具目录》" in said(shown)
    assert "（最新）" in said(shown)


def test_a_new_account_gets_a_password_that_is_shown_once(administrator, monkeypatch):
    shown = press(visit(monkeypatch, administrator, "accounts"), "新增账号")
    shown = choose(shown, "身份 *", Role.reviewer)
    shown = choose(shown, "管辖区域 · 省（自治区、直辖市）", "330000")
    shown = choose(shown, "管辖区域 · 市（州、盟）", HANGZHOU)
    write(shown, "账号", "zhou")
    write(shown, "姓名", "周晓雯")
    shown = press(shown, "确定")
    made = stored("zhou")
    assert (made.role, made.division_code, made.must_change_password) == (Role.reviewer, HANGZHOU, True)
    assert passwords.matches(shown.code[0].value, made.password_hash)
    assert named(shown) == ["gly", "zhou"]


def test_a_clerk_needs_an_institution_and_nothing_typed_is_lost(administrator, clerk, monkeypatch):
    shown = press(visit(monkeypatch, administrator, "accounts"), "新增账号")
    shown = choose(shown, "身份 *", Role.institution)
    shown = sound(next(one for one in shown.radio if one.label == "初始密码").set_value("自己填写").run())
    for label, text in {"账号": "zhang", "姓名": "张伟", "手机号": "138", "初始密码": "kurz"}.items():
        write(shown, label, text)
    shown = press(shown, "确定")
    for sentence in ("请选择账号所属的技术机构", "手机号应为 11 位", "密码须为 8 至 64 个字符"):
        assert sentence in refusals(shown)[0]
    assert {"zhang", "张伟", "138"} <= {field.value for field in shown.text_input}


def test_an_enterprise_account_cannot_be_made_here(administrator, monkeypatch):
    shown = press(visit(monkeypatch, administrator, "accounts"), "新增账号")
    roles = next(box for box in shown.selectbox if box.label == "身份 *").options
    assert "使用单位" not in roles and len(roles) == 5


def test_a_canceled_account_leaves_nothing_behind(administrator, monkeypatch):
    shown = press(visit(monkeypatch, administrator, "accounts"), "新增账号")
    shown = choose(shown, "身份 *", Role.personal)
    write(shown, "账号", "zhou")
    shown = press(press(shown, "取消"), "新增账号")
    assert "zhou" not in {field.value for field in shown.text_input}
    assert named(shown) == ["gly"]


def test_accounts_are_searched_and_narrowed(administrator, clerk, monkeypatch):
    shown = visit(monkeypatch, administrator, "accounts", role="institution")
    assert named(shown) == ["limin"]
    shown = visit(monkeypatch, administrator, "accounts", text="西湖区计量")
    assert named(shown) == ["limin"]
    shown = visit(monkeypatch, administrator, "accounts", text="没有这个人")
    assert "没有符合条件的账号" in said(shown)


def test_an_account_is_connected_with_an_identity_and_disconnected(administrator, clerk, monkeypatch):
    monkeypatch.setattr(provider, "is_configured", lambda: True)
    monkeypatch.setattr(provider, "issuer", lambda: "https://id.example.gov.cn")
    shown = tick(visit(monkeypatch, administrator, "accounts", text="limin"), 0)
    write(shown, "统一身份标识", "u1001")
    shown = press(shown, "关联")
    assert stored("limin").oidc_subject == "https://id.example.gov.cn u1001"
    shown = tick(visit(monkeypatch, administrator, "accounts", text="limin"), 0)
    assert "已关联：https://id.example.gov.cn u1001" in said(shown)
    press(shown, "解除关联")
    assert stored("limin").oidc_subject is None


def test_without_a_provider_accounts_offer_no_identity(administrator, clerk, monkeypatch):
    shown = tick(visit(monkeypatch, administrator, "accounts", text="limin"), 0)
    assert "关联" not in {button.label for button in shown.button}


def test_many_accounts_come_by_pages(administrator, monkeypatch):
    with transaction() as session:
        for number in range(60):
            make_account(session, Role.personal, username=f"person{number:02}")
    shown = visit(monkeypatch, administrator, "accounts")
    assert total(shown) == 61 and len(named(shown)) == 50


def test_a_reset_password_is_shown_once_and_holds(administrator, clerk, monkeypatch):
    shown = tick(visit(monkeypatch, administrator, "accounts"), 1)
    shown = press(shown, "确认重置")
    assert passwords.matches(shown.code[0].value, stored("limin").password_hash)
    assert stored("limin").must_change_password
    assert "待改初始密码" in "".join(shown.dataframe[0].value["状态"])


def test_a_weak_password_is_refused(administrator, clerk, monkeypatch):
    shown = tick(visit(monkeypatch, administrator, "accounts"), 1)
    shown = sound(shown.radio[0].set_value("自己填写").run())
    write(shown, "初始密码", "limin")
    shown = press(shown, "确认重置")
    assert "密码须为 8 至 64 个字符" in refusals(shown)[0]
    assert passwords.matches(PASSWORD, stored("limin").password_hash)


def test_an_account_is_suspended_and_resumed(administrator, clerk, monkeypatch):
    shown = tick(visit(monkeypatch, administrator, "accounts"), 1)
    shown = press(shown, "确认停用")
    assert not stored("limin").is_active
    assert "停用" in shown.dataframe[0].value["状态"][1]
    press(shown, "恢复")
    assert stored("limin").is_active


def test_nothing_is_done_to_ones_own_account(administrator, monkeypatch):
    shown = tick(visit(monkeypatch, administrator, "accounts"), 0)
    assert "这是您自己的账号" in said(shown)
    assert [button.label for button in shown.button] == ["新增账号", "开始预览"]


def test_an_account_made_meanwhile_does_not_move_the_pick(administrator, clerk, monkeypatch):
    shown = tick(visit(monkeypatch, administrator, "accounts"), 1)
    assert "李敏" in said(shown)
    with transaction() as session:
        make_account(session, Role.institution, username="aaa", full_name="赵婷")
    shown = sound(shown.run())
    assert "赵婷" not in said(shown)


def edit(shown, **changes):
    """Edit the table of a year: `added`, `edited` by position, `deleted` positions."""
    state = {
        "added_rows": changes.get("added", []),
        "edited_rows": changes.get("edited", {}),
        "deleted_rows": changes.get("deleted", []),
    }
    key = f"calendar-{shown.session_state['calendar-number']}"
    shown.session_state[key] = state
    return shown


def kept(year):
    with reading() as session:
        return [(row.day, row.is_working, row.name) for row in workdays.of_year(session, year)]


def test_a_year_says_whether_it_is_published(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "calendar")
    assert "未公布" not in said(shown)
    shown = sound(shown.button_group[0].select(2027).run())
    assert "2027 年节假日安排未公布，按周一至周五估算" in said(shown)


def test_a_year_is_entered_and_saved_as_a_whole(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "calendar")
    shown = sound(shown.button_group[0].select(2027).run())
    added = [
        {"日期": "2027-01-02", "安排": "上班", "名称": "元旦调休上班"},
        {"日期": "2027-01-01", "安排": "休息", "名称": "元旦"},
        {},
    ]
    shown = press(edit(shown, added=added), "保存")
    assert refusals(shown) == []
    assert kept(2027) == [(date(2027, 1, 1), False, "元旦"), (date(2027, 1, 2), True, "元旦调休上班")]
    assert "2027 年的 2 个特殊日期已保存" in said(shown)
    assert "未公布" not in said(shown)


def test_a_wrong_row_is_named_and_what_was_typed_stays(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "calendar")
    before = kept(2026)
    added = [{"日期": "2026-11-22", "安排": "休息"}, {"日期": "2026-11-23"}]
    shown = press(edit(shown, added=added), "保存")
    count = len(before)
    assert f"第 {count + 1} 行：2026-11-22（星期日）本来就是休息日" in refusals(shown)[0].replace("\\", "")
    assert f"第 {count + 2} 行：请选择“上班”或“休息”" in refusals(shown)[0]
    assert kept(2026) == before
    kept_edits = shown.session_state[f"calendar-{shown.session_state['calendar-number']}"]
    assert kept_edits["added_rows"] == added


def test_rows_are_changed_and_deleted(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "calendar")
    first, _deleted, *rest = kept(2026)
    shown = press(edit(shown, edited={0: {"名称": "元旦节"}}, deleted=[1]), "保存")
    assert refusals(shown) == []
    assert kept(2026) == [(first[0], first[1], "元旦节"), *rest]


def test_forged_cells_are_refused(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "calendar")
    before = kept(2026)
    shown = press(edit(shown, edited={0: {"安排": "加班"}}), "保存")
    assert "请选择“上班”或“休息”" in refusals(shown)[0]
    assert kept(2026) == before


def test_another_year_waits_until_edits_are_saved_or_dropped(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "calendar")
    shown = sound(edit(shown, edited={0: {"名称": "元旦节"}}).run())
    shown = sound(shown.button_group[0].select(2025).run())
    assert "2026 年有未保存的修改" in said(shown)
    shown = press(shown, "重新载入")
    shown = sound(shown.button_group[0].select(2025).run())
    assert "未保存" not in said(shown)


def test_what_another_administrator_saved_is_not_overwritten(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "calendar")
    with transaction() as session:
        workdays.save_year(session, 2026, kept(2026)[1:], by=administrator)
    shown = press(edit(shown, deleted=[5]), "保存")
    assert "已被他人修改" in refusals(shown)[0]


def test_the_editions_say_how_far_they_may_be_trusted(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "reference")
    assert "起步目录" in said(shown)
    assert said(shown).count("非官方]") == 2
    kinds = shown.dataframe[0].value
    assert len(kinds) == 29
    gauge = kinds[kinds["种别代码"] == "91101"].iloc[0]
    assert (gauge["检定周期"], gauge["检定方式"], gauge["状态"]) == ("6 个月", "周期检定", "● 现行")


def test_the_catalog_is_narrowed_by_category(administrator, monkeypatch):
    shown = choose(visit(monkeypatch, administrator, "reference"), "项别", "压力仪表")
    assert set(shown.dataframe[0].value["项别"]) == {"压力仪表"}


def test_divisions_are_searched_and_retired_ones_marked(administrator, monkeypatch):
    with transaction() as session:
        session.add(
            Division(
                code="330103",
                name="下城区",
                full_name="浙江省杭州市下城区",
                level=Level.county,
                parent_code=HANGZHOU,
                retired_on=date(2021, 4, 9),
                successor_code="330105",
            )
        )
    shown = visit(monkeypatch, administrator, "reference")
    shown = sound(shown.button_group[0].select("行政区划").run())
    assert total(shown) > 3000
    write(shown, "查找", "城区")
    shown = choose(sound(shown.run()), "所属 · 省（自治区、直辖市）", "330000")
    table = shown.dataframe[0].value
    retired = table[table["代码"] == "330103"].iloc[0]
    assert (retired["状态"], retired["现名称"]) == ("✕ 已撤销（2021-04-09）", "浙江省杭州市拱墅区")
    assert set(table["代码"].str[:2]) == {"33"}
    write(shown, "查找", "没有这个地方")
    assert "没有符合条件的行政区划" in said(sound(shown.run()))


def test_settings_are_saved_and_tell_what_differs(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "settings")
    assert "与默认不同" not in said(shown)
    number = next(field for field in shown.number_input if field.label == "送检的检定时限（天）")
    number.set_value(7)
    write(shown, "主管部门联系方式", "杭州市市场监督管理局计量处")
    shown = press(shown, "确定")
    with reading() as session:
        assert settings.value(session, "brought_in_days") == 7
    assert "已保存：主管部门联系方式、送检的检定时限（天）" in said(shown)
    assert said(shown).count("与默认不同") == 2
    assert "由俞志明修改" in said(shown)


def test_settings_that_stay_the_same_are_not_saved(administrator, monkeypatch):
    assert "没有需要保存的修改" in said(press(visit(monkeypatch, administrator, "settings"), "确定"))


def test_a_setting_is_refused_with_its_sentence(administrator, monkeypatch):
    shown = visit(monkeypatch, administrator, "settings")
    write(shown, "主管部门联系方式", "计量处\u202e")
    shown = press(shown, "确定")
    assert "控制字符" in refusals(shown)[0]


def test_an_administrator_sees_the_pages_of_another_account_and_changes_nothing(
    administrator, clerk, monkeypatch
):
    shown = visit(monkeypatch, administrator, "accounts")
    names = named(shown)
    shown = press(tick(shown, names.index("limin")), "以该身份预览")
    assert "正在以 **李敏**" in said(shown) and "检定业务" not in refusals(shown)
    with transaction() as session:
        assert session.get(Account, clerk.id).full_name == "李敏"
    shown.switch_page("pages/public/profile.py")
    shown = sound(shown.run())
    write(shown, "姓名", "别人")
    shown = press(shown, "保存")
    assert "只能查看" in refusals(shown)[0]
    assert stored("limin").full_name == "李敏"
    shown = press(shown, "结束预览")
    assert "正在以" not in said(shown)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.administrator])
def test_an_administrator_sees_the_pages_of_a_role_nobody_has(administrator, clerk, role, monkeypatch):
    with transaction() as session:
        make_enterprise(session, "杭州西溪人民医院")
    shown = visit(monkeypatch, administrator, "accounts")
    choose(shown, "预览的身份 *", role)
    if role == Role.enterprise:
        write(shown, "企业全称或统一社会信用代码", "杭州西溪人民医院")
    if role == Role.institution:
        next(one for one in shown.selectbox if one.key == "previewed-institution").select_index(0)
    shown = press(shown, "开始预览")
    for entry in navigation.PAGES:
        if role in entry.roles:
            shown.switch_page(str(navigation.FOLDER / entry.file))
            shown = sound(shown.run())
            assert f"（{role}，示例账号）的身份查看" in said(shown), entry.name
    write(shown, "姓名", "别人")
    assert "只能查看" in refusals(press(shown, "保存"))[0]
    assert "正在以" not in said(press(shown, "结束预览"))


def test_an_account_gets_another_name_and_role(administrator, monkeypatch):
    with transaction() as session:
        make_account(session, Role.reviewer, username="shenyue", full_name="沈越")
    shown = visit(monkeypatch, administrator, "accounts")
    tick(shown, named(shown).index("shenyue"))
    write(shown, "姓名", "沈越华")
    next(one for one in shown.selectbox if one.label == "身份 *").select(Role.supervisor)
    shown = press(shown, "确定")
    assert (stored("shenyue").full_name, stored("shenyue").role) == ("沈越华", Role.supervisor)


def test_a_setting_goes_back_to_its_default_by_one_click(administrator, monkeypatch):
    with transaction() as session:
        settings.save(session, {"review_days": 3}, by=administrator)
    shown = press(visit(monkeypatch, administrator, "settings"), "注册审核时限（工作日）：2")
    with reading() as session:
        assert settings.value(session, "review_days") == 2
    assert shown.dataframe[0].value["改为"].tolist() == ["2", "3"]
