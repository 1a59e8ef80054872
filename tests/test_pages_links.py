"""关联企业信息, 我的企业授权 and the enterprise a person works for, on the screen, without a browser."""

import pytest

from db import links
from db.engine import reading, transaction
from db.models import Enterprise, Link, LinkStatus, Role
from tests.make import make_account, make_enterprise, make_instrument, make_link
from tests.screens import press, refusals, said, sound, visit, write
from tests.screens import tick as tick_rows
from tests.test_links import KNOWN, UNKNOWN

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow

CODE = "统一社会信用代码/组织机构代码"
ASKED = "申请成功，需要企业通过申请，才能获得企业授权"


@pytest.fixture
def owner(sqlite):
    """The account of 杭州明达锅炉厂."""
    with transaction() as session:
        enterprise = make_enterprise(session, "杭州明达锅炉厂", credit_code=KNOWN)
        return make_account(session, enterprise_id=enterprise.id)


@pytest.fixture
def person(sqlite):
    """王伟, who works for nobody yet."""
    with transaction() as session:
        return make_account(session, Role.personal, full_name="王伟", mobile="13900139000")


@pytest.fixture
def asked(owner, person):
    """A request that waits."""
    with transaction() as session:
        return links.request(session, KNOWN, by=person, note="设备科王伟")


@pytest.fixture
def granted(owner, person):
    """A link with every right."""
    with transaction() as session:
        return make_link(session, person, session.get_one(Enterprise, owner.enterprise_id))


def stored(link) -> Link:
    with reading() as session:
        return session.get_one(Link, link.id)


def tick(shown, label, value):
    """Set the checkbox of that label."""
    box = next(one for one in shown.checkbox if one.label == label)
    (box.check if value else box.uncheck)()


@pytest.mark.parametrize("code", [KNOWN, UNKNOWN])
def test_asking_says_the_same_for_every_code(owner, person, code, monkeypatch):
    shown = visit(monkeypatch, person, "profile")
    write(shown, CODE, code)
    write(shown, "申请说明", "设备科*王伟*")
    shown = press(shown, "申请关联")
    assert ASKED in said(shown)
    assert f"**{code}**" in said(shown) and "待授权" in said(shown)
    assert "明达" not in said(shown)


def test_a_malformed_code_is_told_and_stays(person, monkeypatch):
    shown = visit(monkeypatch, person, "profile")
    write(shown, CODE, "91110000600037341X")
    shown = press(shown, "申请关联")
    assert "校验位不对" in refusals(shown)[0]
    assert "91110000600037341X" in [field.value for field in shown.text_input]


def test_the_enterprise_grants_the_rights_it_chooses(owner, person, asked, monkeypatch):
    shown = visit(monkeypatch, owner, "profile", tab="links")
    assert "申请说明：设备科王伟" in said(shown)
    assert "手机号 139****9000" in said(shown) and "13900139000" not in said(shown)
    tick(shown, "预约检定", False)
    shown = press(shown, "通过")
    assert "企业授权成功" in said(shown)
    link = stored(asked)
    assert (link.status, link.can_edit, link.can_book) == (LinkStatus.granted, True, False)
    mine = said(visit(monkeypatch, person, "profile"))
    assert "**杭州明达锅炉厂**" in mine and "权限：查看、编辑台账" in mine


def test_the_enterprise_refuses_with_a_reason(owner, person, asked, monkeypatch):
    shown = visit(monkeypatch, owner, "profile", tab="links")
    assert "请填写理由" in refusals(press(shown, "确认拒绝"))[0]
    write(shown, "理由", "不是本单位人员")
    press(shown, "确认拒绝")
    assert stored(asked).status == LinkStatus.refused
    table = visit(monkeypatch, person, "profile").dataframe[0].value
    assert (list(table["理由"]), list(table["企业"])) == (["不是本单位人员"], [KNOWN])


def test_rights_are_changed(owner, granted, monkeypatch):
    shown = visit(monkeypatch, owner, "profile", tab="links")
    tick(shown, "编辑台账", False)
    shown = press(shown, "保存权限")
    assert "权限：查看、预约检定" in said(shown)
    assert (stored(granted).can_edit, stored(granted).can_book) == (False, True)


def test_a_grant_is_revoked_with_a_reason(owner, granted, monkeypatch):
    shown = visit(monkeypatch, owner, "profile", tab="links")
    write(shown, "理由", "已调离本岗位")
    shown = press(shown, "确认撤销")
    assert stored(granted).status == LinkStatus.revoked
    assert list(shown.dataframe[0].value["理由"]) == ["已调离本岗位"]


def test_a_person_withdraws_and_leaves(owner, person, asked, monkeypatch):
    shown = press(visit(monkeypatch, person, "profile"), "确认撤回")
    assert stored(asked).status == LinkStatus.withdrawn
    with transaction() as session:
        link = make_link(session, person, session.get_one(Enterprise, owner.enterprise_id))
    shown = press(visit(monkeypatch, person, "profile"), "确认解除关联")
    assert stored(link).status == LinkStatus.left
    assert "还没有关联企业" not in said(shown)


def test_both_home_pages_count_what_waits(owner, person, asked, monkeypatch):
    labels = [one.proto.label for one in visit(monkeypatch, owner, "enterprise_home").get("page_link")]
    assert "1 个关联申请等待您授权，去办理" in labels
    shown = visit(monkeypatch, person, "enterprise_home")
    assert "您有 1 个关联申请等待企业授权" in [one.proto.label for one in shown.get("page_link")]
    assert "还没有关联企业" in said(shown)


def test_a_person_reads_for_whom_and_with_which_rights(person, granted, monkeypatch):
    shown = visit(monkeypatch, person, "ledger")
    assert "正在办理：**杭州明达锅炉厂**" in said(shown)
    assert "权限：查看、编辑台账、预约检定" in said(shown)


def test_an_enterprise_needs_no_such_line(owner, monkeypatch):
    assert "正在办理" not in said(visit(monkeypatch, owner, "ledger"))


def test_what_was_typed_for_one_enterprise_never_reaches_another(owner, person, granted, monkeypatch):
    with transaction() as session:
        other = make_enterprise(session, "杭州西溪人民医院")
        make_link(session, person, other)
        make_instrument(session, make_account(session, enterprise_id=other.id), serial_number="XX1")
    shown = visit(monkeypatch, person, "enterprise_home")
    box = next(one for one in shown.selectbox if one.label == "正在办理的企业")
    shown = sound(box.select(owner.enterprise_id).run())
    with transaction() as session:
        links.revoke(session, granted.id, by=owner, reason="已调离")
    shown = sound(shown.run())
    assert "“杭州明达锅炉厂”已不再授权您办理业务" in said(shown)
    assert not shown.button
    box = next(one for one in shown.selectbox if one.label == "正在办理的企业")
    assert box.value is None
    shown = sound(box.select(other.id).run())
    assert "杭州西溪人民医院" in [one.value for one in shown.header]
    assert "已不再授权" not in said(shown)


def test_the_last_enterprise_lost_leaves_a_way_to_ask(owner, person, granted, monkeypatch):
    shown = visit(monkeypatch, person, "ledger", mode="new")
    with transaction() as session:
        links.revoke(session, granted.id, by=owner, reason="已调离")
    shown = sound(shown.run())
    assert "还没有关联企业" in said(shown)
    assert not shown.button


def test_both_sides_read_how_a_link_went(owner, person, granted, monkeypatch):
    with transaction() as session:
        links.change_rights(session, granted.id, by=owner, can_edit=False, can_book=True)
    for account, tab in ((owner, "links"), (person, "")):
        shown = press(visit(monkeypatch, account, "profile", tab=tab), "办理经过")
        told = said(shown)
        assert "修改权限" in told and "说明：查看、预约检定" in told
        # A person reads no name of whoever answered for the enterprise.
        assert ("使用单位 沈越" in told) == (account is owner)
    with transaction() as session:
        links.revoke(session, granted.id, by=owner, reason="已调离")
    shown = tick_rows(visit(monkeypatch, person, "profile"), 0)
    assert "说明：已调离" in said(shown)
