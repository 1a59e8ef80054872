"""导出我的个人信息: one's own data, all of it, and nobody else's."""

import json

import pytest
from sqlmodel import select

from db import personal_data, sign_ins
from db.engine import reading, transaction
from db.errors import Refused
from db.models import AuditEntry, Role
from tests import make


def test_a_person_gets_their_own_data_without_secrets(database):
    with transaction() as session:
        owner = make.make_account(session, mobile="13900139000", full_name="王芳")
        make.make_account(session, full_name="别人")
        sign_ins.redeem(
            session, sign_ins.begin(session, owner.username, owner.password_hash, "10.0.0.7", "Firefox")
        )
    with transaction() as session:
        found = personal_data.of(session, by=owner)
    text = json.dumps(found, ensure_ascii=False)
    assert (found["账号"]["mobile"], found["账号"]["role"]) == ("13900139000", "使用单位")
    assert (len(found["登录"]), found["登录"][0]["address"]) == (1, "10.0.0.7")
    assert [one["action"] for one in found["操作记录"]] == ["登录"]
    assert found["所属企业"][0]["mobile"] == "13800138000"
    assert "别人" not in text and "$2b$" not in text and "hash" not in text


def test_it_is_noted(database):
    with transaction() as session:
        owner = make.make_account(session)
        personal_data.of(session, by=owner)
    with reading() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "导出我的个人信息")).one()
    assert (entry.account_id, entry.subject_id) == (owner.id, owner.id)


def test_registrations_of_others_are_not_among_it(database):
    with transaction() as session:
        make.make_registration(session)
        clerk = make.make_account(session, Role.reviewer)
        found = personal_data.of(session, by=clerk)
    assert found["企业注册"] == []


def test_a_suspended_account_gets_nothing(database):
    with transaction() as session:
        owner = make.make_account(session, is_active=False)
    with pytest.raises(Refused, match="不能执行"), transaction() as session:
        personal_data.of(session, by=owner)
