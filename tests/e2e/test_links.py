"""关联企业账户, the guide's second appendix: two people at two browsers."""

import pytest
from sqlmodel import select

from db.engine import reading, transaction
from db.models import Account, Instrument, InstrumentChange, Role
from tests import make


@pytest.fixture
def person(bureau, sqlite) -> str:
    """The user name of 王伟, who works for nobody yet."""
    with transaction() as session:
        return make.make_account(session, Role.personal, full_name="王伟", mobile="13900139000").username


@pytest.fixture
def gauge(bureau, sqlite) -> tuple[str, int]:
    """The code of the small bureau's enterprise, and a gauge of its."""
    with transaction() as session:
        owner = session.exec(select(Account).where(Account.username == bureau["enterprise"])).one()
        row = make.make_instrument(session, owner, serial_number="HY37", location="锅炉房")
        return session.get_one(make.Enterprise, owner.enterprise_id).credit_code, row.id


def test_a_person_asks_edits_and_is_refused_once_the_enterprise_has_revoked(visit, bureau, person, gauge):
    code, id = gauge
    helper = visit(person)
    helper.opens("个人中心")
    helper.types("统一社会信用代码", code)
    helper.types("申请说明", "设备科王伟")
    helper.presses("申请关联")
    helper.reads("待授权")

    owner = visit(bureau["enterprise"])
    owner.page.get_by_role("link", name="1 个关联申请等待您授权").click()
    owner.reads("申请说明：设备科王伟")
    owner.reads("139****9000")
    owner.presses("通过")
    owner.reads("权限：查看、编辑台账、预约检定")

    helper.goes_to(f"/ledger?mode=edit&id={id}")
    helper.reads("正在办理：杭州明达锅炉厂")
    helper.types("安装/使用地点", "二号锅炉房")
    helper.presses("确定")
    helper.cell("二号锅炉房")
    owner.goes_to(f"/instrument?id={id}")
    owner.reads("王伟")

    helper.goes_to(f"/ledger?mode=edit&id={id}")
    helper.types("安装/使用地点", "三号锅炉房")
    owner.goes_to("/profile?tab=links")
    owner.presses("撤销")
    owner.types("理由", "已调离本岗位")
    owner.presses("确认撤销")
    owner.reads("还没有授权给个人用户")
    helper.presses("确定")
    helper.reads("还没有关联企业")
    helper.opens("个人中心")
    helper.page.get_by_text("已结束的关联").click()
    helper.cell("已调离本岗位")

    with reading() as session:
        assert session.get_one(Instrument, id).location == "二号锅炉房"
        changed = session.exec(select(InstrumentChange).where(InstrumentChange.instrument_id == id)).all()
        names = [session.get_one(Account, one.by_id).full_name for one in changed]
    assert names[-1] == "王伟"
