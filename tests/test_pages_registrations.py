"""注册审核: the queue, the checks beside it, the decision."""

import pytest

from db import passwords, registrations, reviews
from db.engine import reading, transaction
from db.models import Registration, RegistrationStatus, Role
from tests.make import PERSON, make_account, make_enterprise, make_registration
from tests.screens import press, refusals, said, sound, tick, total, visit, write
from tests.test_registrations import KEY, OTHER_CODE, TYPED

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow

REASON = "理由（退回补正、不予通过时必填）"
FIRST, SECOND = "杭州明达锅炉有限公司", "杭州海天机械厂"


@pytest.fixture(autouse=True)
def quick(sqlite, monkeypatch):
    """Hashing as fast as bcrypt goes."""
    monkeypatch.setattr(passwords, "COST", 4)


@pytest.fixture
def reviewer():
    with transaction() as session:
        return make_account(session, Role.reviewer, full_name="周晓雯")


@pytest.fixture
def waiting():
    """Two applications, the first one older."""
    with transaction() as session:
        first = make_registration(session)
        second = make_registration(
            session, name=SECOND, credit_code=OTHER_CODE, username="haitian", mobile="13900139000"
        )
        return first.id, second.id


def status(registration_id):
    with reading() as session:
        return session.get(Registration, registration_id).status


def opened(shown):
    """The name on the card of the application that is open."""
    return next(name for name in (FIRST, SECOND) if f"**{name}**" in said(shown))


def test_an_empty_queue_says_so(reviewer, monkeypatch):
    assert "没有待审核的注册申请" in said(visit(monkeypatch, reviewer, "registrations"))


def test_the_oldest_is_open_with_its_clock_and_its_checks(reviewer, waiting, monkeypatch):
    shown = visit(monkeypatch, reviewer, "registrations")
    assert opened(shown) == FIRST
    assert list(shown.dataframe[0].value["审核时限"]) == ["剩 2 个工作日", "剩 2 个工作日"]
    assert "应在 2026-11-25 前审核完成" in said(shown)
    assert "统一社会信用代码的校验位正确" in said(shown)
    assert "代码中的区划是北京市" in said(shown)


def test_what_is_late_or_urgent_says_so(reviewer, monkeypatch):
    with transaction() as session:
        make_registration(session, is_urgent=True)
    monkeypatch.setenv("YUEJIAN_NOW", "2026-11-27T09:30:00+08:00")
    shown = visit(monkeypatch, reviewer, "registrations")
    assert list(shown.dataframe[0].value["审核时限"]) == ["● 加急 · ✕ 已超 2 个工作日"]


def test_a_clock_beyond_the_published_years_is_an_estimate(reviewer, monkeypatch):
    monkeypatch.setenv("YUEJIAN_NOW", "2026-12-31T09:30:00+08:00")
    with transaction() as session:
        make_registration(session)
    shown = visit(monkeypatch, reviewer, "registrations")
    assert list(shown.dataframe[0].value["审核时限"]) == ["剩 2 个工作日（估算）"]
    assert "节假日安排未公布，按周一至周五估算" in said(shown)


def test_a_namesake_is_pointed_out(reviewer, waiting, monkeypatch):
    with transaction() as session:
        make_enterprise(session, FIRST, mobile="13700137000")
    assert "名称相同：已注册单位 杭州明达锅炉有限公司" in said(visit(monkeypatch, reviewer, "registrations"))


def test_approving_goes_on_to_the_next(reviewer, waiting, monkeypatch):
    shown = press(visit(monkeypatch, reviewer, "registrations"), "通过")
    assert status(waiting[0]) == RegistrationStatus.approved
    assert opened(shown) == SECOND
    assert f"{FIRST}：通过" in said(shown)


def test_sending_back_needs_a_reason_and_keeps_the_application_open(reviewer, waiting, monkeypatch):
    shown = press(visit(monkeypatch, reviewer, "registrations"), "退回补正")
    assert "请填写理由" in refusals(shown)[0]
    assert [button.label for button in shown.button] == ["通过", "退回补正", "不予通过"]
    assert opened(shown) == FIRST
    write(shown, REASON, "请填写营业执照上的全称")
    press(shown, "退回补正")
    assert status(waiting[0]) == RegistrationStatus.sent_back


def test_what_was_sent_back_can_be_declined(reviewer, waiting, monkeypatch):
    with transaction() as session:
        reviews.send_back(session, waiting[1], by=reviewer, reason="请填写全称")
    shown = visit(monkeypatch, reviewer, "registrations", status="sent_back")
    assert opened(shown) == SECOND
    write(shown, REASON, "不是本单位提交的")
    press(shown, "不予通过")
    assert status(waiting[1]) == RegistrationStatus.declined


def test_usual_reasons_are_added_to_what_was_typed(reviewer, waiting, monkeypatch):
    shown = visit(monkeypatch, reviewer, "registrations")
    write(shown, REASON, "您好。")
    for reason in ("名称不一致", "手机号不通"):
        shown = sound(shown.button_group[1].select(reason).run())
    lines = shown.text_area[0].value.splitlines()
    assert lines[0] == "您好。"
    assert lines[1].startswith("企业名称与营业执照不一致")
    assert lines[2].startswith("所留手机号无法接通")
    press(shown, "不予通过")
    assert status(waiting[0]) == RegistrationStatus.declined


def test_a_picked_row_opens_and_the_other_stays_in_the_queue(reviewer, waiting, monkeypatch):
    shown = tick(visit(monkeypatch, reviewer, "registrations"), 1)
    assert opened(shown) == SECOND
    shown = press(shown, "通过")
    assert status(waiting[0]) == RegistrationStatus.submitted
    assert opened(shown) == FIRST


def test_who_comes_second_is_told_and_decides_nothing_by_mistake(reviewer, waiting, monkeypatch):
    shown = visit(monkeypatch, reviewer, "registrations")
    write(shown, REASON, "请填写营业执照上的全称")
    with transaction() as session:
        reviews.decline(session, waiting[0], by=reviewer, reason="该单位不在本辖区")
    shown = press(shown, "退回补正")
    assert "刚刚已由他人办理" in said(shown)
    assert status(waiting[0]) == RegistrationStatus.declined
    assert status(waiting[1]) == RegistrationStatus.submitted


def test_a_correction_made_meanwhile_is_read_before_it_is_approved(reviewer, waiting, monkeypatch):
    shown = visit(monkeypatch, reviewer, "registrations")
    with transaction() as session:
        reviews.send_back(session, waiting[0], by=reviewer, reason="请填写全称")
    with transaction() as session:
        typed = TYPED | {"name": "杭州明达集团"}
        registrations.resubmit(session, KEY, TYPED["password"], typed, "已改")
    shown = press(shown, "通过")
    assert status(waiting[0]) == RegistrationStatus.submitted
    assert "**杭州明达集团**" in said(shown)


def test_decided_ones_are_read_with_their_history(reviewer, waiting, monkeypatch):
    with transaction() as session:
        reviews.decline(session, waiting[1], by=reviewer, reason="该单位不在本辖区")
    shown = visit(monkeypatch, reviewer, "registrations", status="declined")
    assert opened(shown) == SECOND
    assert "该单位不在本辖区" in said(shown)
    assert "周晓雯" in said(shown)
    assert [one.label for one in shown.button] == ["查看"]


@pytest.fixture
def many():
    """More applications than a page holds."""
    with transaction() as session:
        for number in range(53):
            name, mobile = f"王{chr(0x4E00 + number)}", f"139001390{number:02}"
            make_registration(session, PERSON, username=f"wangwei{number:02}", name=name, mobile=mobile)


def test_a_long_queue_has_pages_and_a_decision_stays_on_its_page(reviewer, many, monkeypatch):
    shown = visit(monkeypatch, reviewer, "registrations")
    assert (total(shown), len(shown.dataframe[0].value)) == (53, 50)
    shown.session_state["registrations-pages-submitted-"] = 2
    shown = sound(shown.run())
    assert list(shown.dataframe[0].value["名称（姓名）"]) == ["王串", "王丳", "王临"]
    assert "**王串**" in said(shown)
    shown = press(shown, "通过")
    assert list(shown.dataframe[0].value["名称（姓名）"]) == ["王丳", "王临"]
    assert "**王丳**" in said(shown)


def test_the_queue_is_searched(reviewer, many, monkeypatch):
    shown = visit(monkeypatch, reviewer, "registrations")
    write(shown, "搜索", "王丳")
    shown = sound(shown.run())
    assert (total(shown), "**王丳**" in said(shown)) == (1, True)
    write(shown, "搜索", "海天")
    assert "没有符合条件的注册申请" in said(sound(shown.run()))


def test_a_supervisor_reads_and_does_not_decide(waiting, monkeypatch):
    with transaction() as session:
        supervisor = make_account(session, Role.supervisor)
    shown = visit(monkeypatch, supervisor, "registrations")
    assert opened(shown) == FIRST
    assert [one.label for one in shown.button] == ["查看"]


def test_a_reviewer_of_another_area_sees_nothing(waiting, monkeypatch):
    with transaction() as session:
        stranger = make_account(session, Role.reviewer, division_code="330200")
    assert "没有待审核的注册申请" in said(visit(monkeypatch, stranger, "registrations"))


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.administrator])
def test_the_page_is_for_the_bureau(sqlite, monkeypatch, role):
    with transaction() as session:
        stranger = make_account(session, role)
    with pytest.raises(ValueError, match="not"):
        visit(monkeypatch, stranger, "registrations")


def test_the_scan_stands_beside_the_form(reviewer, waiting, monkeypatch):
    shown = visit(monkeypatch, reviewer, "registrations")
    pictures = [element.proto.body for element in shown.get("html")]
    assert any('<img src="/attachments/1" alt="扫描件"' in body for body in pictures)
    assert [one.proto.url for one in shown.get("link_button")] == ["/attachments/1"]


def test_a_pdf_is_a_link_and_its_name_is_plain_text(reviewer, monkeypatch):
    with transaction() as session:
        make_registration(session, licence=b"%PDF-1.7", licence_name="执照*1*.pdf")
    shown = visit(monkeypatch, reviewer, "registrations")
    assert not [one for one in shown.get("html") if "<img" in one.proto.body]
    assert "执照\\*1\\*\\.pdf" in shown.get("link_button")[0].proto.label


def test_a_supervisor_does_not_see_the_scan(waiting, monkeypatch):
    with transaction() as session:
        supervisor = make_account(session, Role.supervisor)
    assert not visit(monkeypatch, supervisor, "registrations").get("link_button")


def test_a_person_is_reviewed_like_an_enterprise(reviewer, monkeypatch):
    with transaction() as session:
        person = make_registration(session, PERSON).id
    shown = visit(monkeypatch, reviewer, "registrations")
    assert list(shown.dataframe[0].value["类别"]) == ["个人注册"]
    assert "营业执照" not in said(shown)
    press(shown, "通过")
    assert status(person) == RegistrationStatus.approved


def test_a_supervisor_reads_no_whole_name_of_a_person(monkeypatch):
    with transaction() as session:
        supervisor = make_account(session, Role.supervisor)
        make_registration(session, PERSON)
    shown = visit(monkeypatch, supervisor, "registrations")
    assert list(shown.dataframe[0].value["名称（姓名）"]) == ["王*"]
    assert "王伟" not in said(shown)


def test_the_share_in_time_is_told(reviewer, waiting, monkeypatch):
    with transaction() as session:
        reviews.approve(session, waiting[0], by=reviewer)
    told = said(visit(monkeypatch, reviewer, "registrations"))
    assert "近 90 天有 100\\.0% 在 2 个工作日内审核（1/1）" in told
