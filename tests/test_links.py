"""关联企业: asking, granting, changing, refusing, revoking, and what of it the other side learns."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from db import checks, history, links, reach
from db.errors import Conflict, NotFound, Refused
from db.models import Enterprise, LinkStatus, Notification, Role
from tests.conftest import NOW
from tests.make import make_account, make_enterprise, make_link

UNKNOWN = "91110108551385082Q"
KNOWN = "91110000600037341L"


@pytest.fixture
def owner(session):
    """The account of an enterprise with a well-known code."""
    return make_account(session, enterprise_id=make_enterprise(session, credit_code=KNOWN).id)


@pytest.fixture
def person(session):
    return make_account(session, Role.personal, full_name="王伟", mobile="13900139000")


@pytest.fixture
def asked(session, owner, person):
    """A request that waits for the owner."""
    return links.request(session, KNOWN, by=person, note="设备科王伟")


def granted(session, link, owner, can_edit=True, can_book=True):
    return links.grant(session, link.id, by=owner, can_edit=can_edit, can_book=can_book)


def shown(session, account):
    (row,) = links.page(session, by=account)
    return row


def test_a_person_asks_and_the_enterprise_reads_who(session, owner, person, asked):
    row = shown(session, owner)
    assert (row.status, row.person, row.username) == (LinkStatus.requested, "王伟", person.username)
    assert (row.note, row.mobile) == ("设备科王伟", "139****9000")
    assert links.waiting_count(session, by=owner) == links.waiting_count(session, by=person) == 1


@pytest.mark.parametrize("code", ["91110000600037341l", "60003734-1", "６０００３７３４１"])
def test_either_code_of_the_organization_will_do(session, owner, person, code):
    assert links.request(session, code, by=person).enterprise_id == owner.enterprise_id


def test_an_enterprise_registered_by_its_organization_code_is_found_by_the_other(session, person):
    enterprise = make_enterprise(session, credit_code="60003734-1")
    assert links.request(session, KNOWN, by=person).enterprise_id == enterprise.id


def test_a_malformed_code_says_what_is_wrong(session, person):
    with pytest.raises(Refused, match="校验位不对"):
        links.request(session, "91110000600037341X", by=person)


@pytest.mark.parametrize("code", [KNOWN, UNKNOWN])
def test_a_code_that_nobody_registered_looks_like_one_that_waits(session, owner, person, code):
    links.request(session, code, by=person)
    row = shown(session, person)
    assert (row.status, row.enterprise, row.credit_code) == (LinkStatus.requested, "", code)
    assert links.waiting_count(session, by=person) == 1
    with pytest.raises(Conflict, match="不需要重复申请"):
        links.request(session, code, by=person)
    assert links.withdraw(session, row.id, by=person).status == LinkStatus.withdrawn


def test_the_other_code_of_the_same_organization_is_the_same_request(session, person):
    links.request(session, KNOWN, by=person)
    with pytest.raises(Conflict, match="不需要重复申请"):
        links.request(session, "60003734-1", by=person)


def test_who_is_linked_already_does_not_ask_again(session, owner, person, asked):
    granted(session, asked, owner)
    with pytest.raises(Conflict, match="不需要重复申请"):
        links.request(session, KNOWN, by=person)


def test_ten_requests_a_day_known_or_not(session, owner, person, monkeypatch):
    for _ in range(5):
        for code in (KNOWN, UNKNOWN):
            links.withdraw(session, links.request(session, code, by=person).id, by=person)
    with pytest.raises(Refused, match="24 小时内最多申请关联 10 次"):
        links.request(session, KNOWN, by=person)
    links.request(session, KNOWN, by=make_account(session, Role.personal))
    tomorrow = datetime.fromisoformat(NOW) + timedelta(days=1, minutes=1)
    monkeypatch.setenv("YUEJIAN_NOW", tomorrow.isoformat())
    assert links.request(session, KNOWN, by=person).status == LinkStatus.requested


@pytest.mark.parametrize("role", [role for role in Role if role != Role.personal])
def test_only_personal_accounts_ask(session, role):
    with pytest.raises(Refused, match="不能执行此操作"):
        links.request(session, KNOWN, by=make_account(session, role))


def test_a_request_waits_for_an_enterprise_that_registers_later(session, person):
    other = make_account(session, Role.personal)
    links.request(session, "60003734-1", by=person)
    links.request(session, UNKNOWN, by=other)
    withdrawn = links.request(session, KNOWN, by=other)
    links.withdraw(session, withdrawn.id, by=other)
    enterprise = make_enterprise(session, credit_code=KNOWN)
    links.attach(session, enterprise)
    owner = make_account(session, enterprise_id=enterprise.id)
    assert shown(session, owner).person == "王伟"
    granted(session, shown(session, owner), owner)
    assert shown(session, person).enterprise == enterprise.name


def test_granting_gives_the_rights_chosen_and_the_name(session, owner, person, asked):
    granted(session, asked, owner, can_edit=True, can_book=False)
    row = shown(session, person)
    assert (row.status, row.can_edit, row.can_book) == (LinkStatus.granted, True, False)
    assert (row.enterprise, row.note) == ("杭州明达锅炉厂", "查看、编辑台账")
    assert reach.enterprise(session, owner.enterprise_id, person, to="edit")
    with pytest.raises(Refused, match="企业未授予您此项权限"):
        reach.enterprise(session, owner.enterprise_id, person, to="book")
    assert links.waiting_count(session, by=owner) == 0
    assert checks.findings(session) == []


def test_what_is_not_a_plain_yes_gives_no_right(session, owner, asked):
    link = granted(session, asked, owner, can_edit="false", can_book=1)
    assert (link.can_edit, link.can_book) == (False, False)


def test_rights_are_changed_at_once_and_the_history_tells_it(session, owner, person, asked):
    granted(session, asked, owner)
    links.change_rights(session, asked.id, by=owner, can_edit=False, can_book=True)
    with pytest.raises(Refused, match="企业未授予您此项权限"):
        reach.enterprise(session, owner.enterprise_id, person, to="edit")
    told = [(move.action, move.note) for move in history.of_link(session, asked.id, by=person)]
    assert told == [
        ("request", "设备科王伟"),
        ("grant", "查看、编辑台账、预约检定"),
        ("change_rights", "查看、预约检定"),
    ]


def test_rights_of_a_request_not_granted_are_not_changed(session, owner, asked):
    with pytest.raises(Refused, match="当前状态为“待授权”"):
        links.change_rights(session, asked.id, by=owner, can_edit=True, can_book=True)


def test_refusing_says_why_and_not_who(session, owner, person, asked):
    with pytest.raises(Refused, match="请填写理由"):
        links.refuse(session, asked.id, by=owner, reason=" ")
    links.refuse(session, asked.id, by=owner, reason="不是本单位员工")
    row = shown(session, person)
    assert (row.status, row.note, row.enterprise) == (LinkStatus.refused, "不是本单位员工", "")
    assert links.request(session, KNOWN, by=person).status == LinkStatus.requested


def test_a_revoked_link_is_out_of_reach_at_once(session, owner, person, asked):
    granted(session, asked, owner)
    with pytest.raises(Refused, match="请填写理由"):
        links.revoke(session, asked.id, by=owner, reason="")
    links.revoke(session, asked.id, by=owner, reason="已调离")
    with pytest.raises(NotFound):
        reach.enterprise(session, owner.enterprise_id, person)
    assert links.standing(session, owner.enterprise_id, by=person) is None
    assert (shown(session, person).note, shown(session, person).enterprise) == ("已调离", "杭州明达锅炉厂")
    with pytest.raises(Refused, match="当前状态为“已撤销”"):
        links.revoke(session, asked.id, by=owner, reason="已调离")


def test_a_person_leaves(session, owner, person, asked):
    granted(session, asked, owner)
    assert links.leave(session, asked.id, by=person).status == LinkStatus.left
    with pytest.raises(NotFound):
        reach.enterprise(session, owner.enterprise_id, person)


def test_each_side_takes_its_own_steps_only(session, owner, person, asked):
    for act in (links.withdraw, links.leave):
        with pytest.raises(Refused):
            act(session, asked.id, by=owner)
    with pytest.raises(Refused, match="个人用户不能执行“通过”"):
        granted(session, asked, person)
    with pytest.raises(Refused, match="个人用户不能执行“拒绝”"):
        links.refuse(session, asked.id, by=person, reason="不")


@pytest.mark.parametrize("role", list(Role))
def test_the_link_of_others_does_not_exist(session, owner, asked, role):
    stranger = make_account(session, role)
    for act in (links.withdraw, links.leave, history.of_link):
        with pytest.raises(Refused):
            act(session, asked.id, by=stranger)
    for act in (links.refuse, links.revoke):
        with pytest.raises(Refused):
            act(session, asked.id, by=stranger, reason="不是本单位员工")
    for act in (links.grant, links.change_rights):
        with pytest.raises(Refused):
            act(session, asked.id, by=stranger, can_edit=True, can_book=True)
    assert shown(session, owner).status == LinkStatus.requested


def test_open_links_come_first_and_then_the_latest(session, owner):
    enterprise = session.get_one(Enterprise, owner.enterprise_id)
    people = [make_account(session, Role.personal) for _ in range(3)]
    left, kept = (make_link(session, one, enterprise) for one in people[:2])
    links.leave(session, left.id, by=people[0])
    waiting = links.request(session, KNOWN, by=people[2])
    assert [row.id for row in links.page(session, by=owner)] == [waiting.id, kept.id, left.id]
    assert links.page(session, by=make_account(session)) == []


def test_the_link_one_works_by_is_ones_own(session, owner, person, asked):
    granted(session, asked, owner, can_edit=False)
    assert not links.standing(session, owner.enterprise_id, by=person).can_edit
    assert links.standing(session, owner.enterprise_id, by=owner) is None
    assert links.standing(session, owner.enterprise_id, by=make_account(session, Role.personal)) is None


def told(session):
    """Who was told what, in order."""
    rows = session.exec(select(Notification).order_by(Notification.id)).all()
    return [(row.recipient, row.text) for row in rows]


def test_both_sides_are_told_by_message_when_it_is_their_turn(session, owner, person, asked):
    granted(session, asked, owner)
    links.revoke(session, asked.id, by=owner, reason="已离职")
    enterprise = session.get_one(Enterprise, owner.enterprise_id)
    requested, given, taken = told(session)
    assert requested[0] == enterprise.mobile and "】有个人用户申请关联杭州明达锅炉厂，" in requested[1]
    assert "王伟" not in requested[1]
    assert {given[0], taken[0]} == {person.mobile}
    assert "已通过您的关联申请" in given[1] and "已撤销对您的授权" in taken[1]


def test_a_person_who_is_refused_is_not_told_the_name(session, owner, person, asked):
    links.refuse(session, asked.id, by=owner, reason="不认识")
    enterprise = session.get_one(Enterprise, owner.enterprise_id)
    recipient, text = told(session)[-1]
    assert recipient == person.mobile
    assert KNOWN in text and enterprise.name not in text


def test_a_request_for_an_unknown_code_tells_nobody(session, person):
    links.request(session, UNKNOWN, by=person)
    assert told(session) == []
