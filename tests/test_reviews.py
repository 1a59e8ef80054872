"""注册审核: the queue, the decision, the share in time."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from db import attachments, checks, likeness, links, passwords, registrations, reviews
from db.engine import transaction
from db.errors import NotFound, Refused
from db.models import Enterprise, Notification, RegistrationStatus, Role
from tests.conftest import NOW
from tests.make import PERSON, XIHU, make_account, make_enterprise, make_link, make_registration
from tests.test_registrations import CODE, OTHER_CODE, TYPED, resubmit, sent_back, submitted

pytestmark = pytest.mark.usefixtures("quick")


def test_the_queue_has_urgent_ones_first_then_the_oldest(session, reviewer, later):
    first = submitted(session)
    later(1)
    second = submitted(session, credit_code=OTHER_CODE, username="haitian")
    later(2)
    third = submitted(session, credit_code="60003734-1", username="kangtai", is_urgent=True)
    rows, total = reviews.page(session, by=reviewer)
    assert [row.id for row in rows] == [third.id, first.id, second.id]
    assert total == 3
    assert rows[1].division == "浙江省杭州市西湖区"


@pytest.mark.parametrize(("hours", "left"), [(0, 2), (24, 1), (48, 0), (72, -1), (24 * 5, -2), (24 * 7, -3)])
def test_the_clock_counts_working_days(session, reviewer, later, hours, left):
    submitted(session)
    later(hours)
    assert reviews.page(session, by=reviewer)[0][0].working_days_left == left


def test_what_was_decided_comes_latest_first(session, reviewer, later):
    first = submitted(session)
    second = submitted(session, credit_code=OTHER_CODE, username="haitian", is_urgent=True)
    reviews.decline(session, second.id, by=reviewer, reason="该单位不在本辖区")
    later(1)
    reviews.decline(session, first.id, by=reviewer, reason="该单位不在本辖区")
    rows, _ = reviews.page(session, by=reviewer, status=RegistrationStatus.declined)
    assert [row.id for row in rows] == [first.id, second.id]
    assert rows[0].decided_at == datetime.fromisoformat(NOW) + timedelta(hours=1)


def test_the_queue_is_read_page_by_page(session, reviewer, later):
    ids = []
    for number in range(5):
        ids.append(make_registration(session, PERSON, username=f"wangwei{number}").id)
        later(number + 1)
    pages = [reviews.page(session, by=reviewer, number=number, size=2) for number in (1, 2, 3)]
    assert [row.id for rows, _ in pages for row in rows] == ids
    assert {total for _, total in pages} == {5}
    assert reviews.page(session, by=reviewer, number=9, size=2) == pages[2]
    assert reviews.page(session, by=reviewer, number=-1, size=2) == pages[0]


def test_the_queue_is_searched_by_name_code_and_number(session, reviewer):
    first = submitted(session)
    second = submitted(session, name="杭州100%电器厂", credit_code=OTHER_CODE, username="haitian")
    for text, found in ((" 明达", first), (CODE[4:], first), (second.number, second), ("0%", second)):
        rows, total = reviews.page(session, by=reviewer, text=text)
        assert ([row.id for row in rows], total) == ([found.id], 1)
    assert reviews.page(session, by=reviewer, text="西湖") == ([], 0)


@pytest.mark.parametrize(("hours", "late"), [(24 * 2, 0), (24 * 3, 1), (24 * 4, 2), (24 * 10, 3)])
def test_what_waits_is_counted_beyond_any_page(session, reviewer, later, hours, late):
    assert reviews.waiting(session, by=reviewer) == reviews.Waiting(0, 0, None)
    oldest = make_registration(session, PERSON)
    later(24)
    make_registration(session, PERSON, username="wangwei2", is_urgent=True)
    later(24 * 2)
    make_registration(session, PERSON, username="wangwei3")
    later(hours)
    waiting = reviews.waiting(session, by=reviewer)
    rows, _ = reviews.page(session, by=reviewer)
    assert (waiting.urgent, waiting.oldest.id) == (1, oldest.id)
    assert waiting.late == late == sum(row.working_days_left < 0 for row in rows)
    stranger = make_account(session, Role.reviewer, division_code="330200")
    assert reviews.waiting(session, by=stranger) == reviews.Waiting(0, 0, None)


def test_the_queue_and_the_counts_end_at_the_area(session, reviewer):
    submitted(session)
    stranger = make_account(session, Role.reviewer, division_code="330200")
    assert reviews.counts(session, by=reviewer)[RegistrationStatus.submitted] == 1
    assert reviews.counts(session, by=stranger)[RegistrationStatus.submitted] == 0
    assert reviews.page(session, by=stranger) == ([], 0)


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.administrator])
def test_the_queue_is_for_the_bureau_alone(session, role):
    account = make_account(session, role)
    for query in (reviews.page, reviews.counts, reviews.waiting):
        with pytest.raises(Refused, match="不能执行此操作"):
            query(session, by=account)


def test_a_registration_of_another_area_does_not_exist(session):
    registration = submitted(session)
    stranger = make_account(session, Role.reviewer, division_code="330200")
    for act in (reviews.find, likeness.alike, reviews.approve):
        with pytest.raises(NotFound):
            act(session, registration.id, by=stranger)


def test_approving_makes_the_enterprise_and_its_account(session, reviewer):
    registration = submitted(session)
    owner = reviews.approve(session, registration.id, by=reviewer)
    enterprise = session.get_one(Enterprise, owner.enterprise_id)
    assert owner.username == "mingda"
    assert (enterprise.credit_code, enterprise.division_code) == (CODE, XIHU)
    assert (owner.role, owner.enterprise_id, owner.full_name) == (Role.enterprise, enterprise.id, "陈建国")
    assert passwords.matches(TYPED["password"], owner.password_hash)
    session.refresh(registration)
    assert registration.status == RegistrationStatus.approved
    assert registration.enterprise_id == enterprise.id
    assert checks.findings(session) == []


def test_links_asked_for_before_wait_for_the_new_enterprise(session, reviewer):
    person = make_account(session, Role.personal)
    links.request(session, CODE, by=person)
    owner = reviews.approve(session, submitted(session).id, by=reviewer)
    assert links.waiting_count(session, by=owner) == 1


def test_a_registration_from_before_scans_may_be_approved(session, reviewer):
    registration = submitted(session)
    registration.licence_id = None
    session.flush()
    assert reviews.approve(session, registration.id, by=reviewer)


def test_the_scan_is_seen_by_the_reviewer_of_the_area_and_the_enterprise_alone(session, reviewer):
    registration = submitted(session)
    scan = registration.licence_id
    owner = reviews.approve(session, registration.id, by=reviewer)
    for account in (reviewer, owner):
        assert attachments.readable(session, scan, by=account).id == scan
    strangers = [make_account(session, role) for role in Role if role != Role.reviewer]
    strangers.append(make_account(session, Role.reviewer, division_code="330200"))
    make_link(session, strangers[1], session.get_one(Enterprise, owner.enterprise_id))
    for account in strangers:
        with pytest.raises(NotFound):
            attachments.readable(session, scan, by=account)


def test_nobody_but_a_reviewer_decides(session):
    registration = submitted(session)
    supervisor = make_account(session, Role.supervisor)
    with pytest.raises(Refused, match="监管人员不能执行“通过”"):
        reviews.approve(session, registration.id, by=supervisor)


def test_a_code_registered_meanwhile_cannot_be_approved(session, reviewer):
    registration = submitted(session)
    make_enterprise(session, credit_code=CODE)
    with pytest.raises(Refused, match="已注册"):
        reviews.approve(session, registration.id, by=reviewer)


def test_a_user_name_taken_meanwhile_is_sent_back_to_be_changed(session, reviewer):
    registration = submitted(session)
    make_account(session, username="mingda")
    with pytest.raises(Refused, match="请退回补正"):
        reviews.approve(session, registration.id, by=reviewer)
    reviews.send_back(session, registration.id, by=reviewer, reason="账号名已被他人使用，请换一个")
    session.refresh(registration)
    resubmit(session, username="mingda.gl")
    assert reviews.approve(session, registration.id, by=reviewer).username == "mingda.gl"


@pytest.mark.parametrize("decide", [reviews.send_back, reviews.decline])
def test_sending_back_and_declining_need_a_reason(session, reviewer, decide):
    registration = submitted(session)
    with pytest.raises(Refused, match="请填写理由"):
        decide(session, registration.id, by=reviewer, reason=" ")
    with pytest.raises(Refused, match="最多 500 个字"):
        decide(session, registration.id, by=reviewer, reason="错" * 501)


def test_a_reason_stays_for_the_applicant_to_read(session, reviewer):
    registration = sent_back(session, reviewer)
    last = registrations.history(session, registration)[-1]
    assert (last.action, last.note, last.by_name) == ("send_back", "请填写营业执照上的全称", "周晓雯")


def test_what_is_decided_is_not_decided_again(session, reviewer):
    registration = submitted(session)
    reviews.decline(session, registration.id, by=reviewer, reason="该单位不在本辖区")
    session.refresh(registration)
    with pytest.raises(Refused, match="当前状态为“不予通过”"):
        reviews.approve(session, registration.id, by=reviewer)


def test_what_is_not_corrected_is_declined_and_frees_its_code(session, reviewer):
    stuck = sent_back(session, reviewer)
    with pytest.raises(Refused, match="请联系主管部门"):
        submitted(session, username="mingda2")
    with pytest.raises(Refused, match="请填写理由"):
        reviews.decline(session, stuck.id, by=reviewer, reason="")
    reviews.decline(session, stuck.id, by=reviewer, reason="不是本单位提交的")
    session.refresh(stuck)
    assert stuck.status == RegistrationStatus.declined
    assert submitted(session, username="mingda2").status == RegistrationStatus.submitted
    assert share(session, reviewer) == (1, 1, 1.0)


@pytest.mark.usefixtures("database")
def test_the_second_of_two_reviewers_is_told_so(session, reviewer):
    registration = submitted(session)
    session.commit()
    with transaction() as other:
        reviews.decline(other, registration.id, by=reviewer, reason="该单位不在本辖区")
    with pytest.raises(Refused, match="当前状态为“不予通过”"):
        reviews.approve(session, registration.id, by=reviewer)
    session.rollback()
    assert session.exec(select(Enterprise)).all() == []


def test_what_is_approved_is_not_approved_again(session, reviewer):
    registration = submitted(session)
    reviews.approve(session, registration.id, by=reviewer)
    with pytest.raises(Refused, match="当前状态为“已通过”"):
        reviews.approve(session, registration.id, by=reviewer)


def share(session, reviewer):
    found = reviews.share(session, by=reviewer)
    return found.in_time, found.due, found.rate


def test_the_share_counts_each_time_a_registration_was_handed_in(session, reviewer, later):
    assert share(session, reviewer) == (0, 0, None)
    registration = sent_back(session, reviewer)
    assert share(session, reviewer) == (1, 1, 1.0)
    later(24)
    resubmit(session)
    assert share(session, reviewer) == (1, 1, 1.0)
    later(24 * 7)
    session.refresh(registration)
    reviews.approve(session, registration.id, by=reviewer)
    assert share(session, reviewer) == (1, 2, 0.5)


def test_what_waits_too_long_counts_before_it_is_answered(session, reviewer, later):
    submitted(session)
    later(48)
    assert share(session, reviewer) == (0, 0, None)
    later(72)
    assert share(session, reviewer) == (0, 1, 0.0)


def test_the_share_is_of_the_last_90_days_and_of_the_area(session, reviewer, later):
    sent_back(session, reviewer)
    assert reviews.share(session, by=make_account(session, Role.reviewer, division_code="330200")).due == 0
    later(24 * 91)
    assert share(session, reviewer) == (0, 0, None)
    with pytest.raises(Refused, match="不能执行此操作"):
        reviews.share(session, by=make_account(session))


def test_every_decision_is_told_to_the_applicant_by_message(session, reviewer):
    registration = sent_back(session, reviewer)
    resubmit(session)
    reviews.approve(session, registration.id, by=reviewer)
    rows = session.exec(select(Notification).order_by(Notification.id)).all()
    assert {(row.recipient, row.division_code) for row in rows} == {("13800138000", XIHU)}
    assert {registration.name in row.text for row in rows} == {False}
    assert ["被退回补正" in rows[0].text, "请用账号“mingda”登录" in rows[1].text] == [True, True]


def test_a_decision_that_fails_tells_nobody(database):
    with transaction() as session:
        reviewer, registration = make_account(session, Role.reviewer), submitted(session)
    with pytest.raises(Refused), transaction() as session:
        reviews.decline(session, registration.id, by=reviewer, reason=" ")
    with transaction() as session:
        assert session.exec(select(Notification)).all() == []


def test_approving_a_person_makes_an_account_without_an_enterprise(session, reviewer):
    person = make_registration(session, PERSON)
    account = reviews.approve(session, person.id, by=reviewer)
    assert (account.role, account.username, account.full_name) == (Role.personal, "wangwei", "王伟")
    assert (account.enterprise_id, session.exec(select(Enterprise)).all()) == (None, [])
    assert passwords.matches(PERSON["password"], account.password_hash)
    assert likeness.alike(session, person.id, by=reviewer) == []
    assert checks.findings(session) == []
