"""The pages of 技术机构: what waits, acceptance, verification, records."""

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from db import appointments, verifications
from db.engine import reading, transaction
from db.models import (
    AppointmentLine,
    Conclusion,
    DeliveryMode,
    Institution,
    Instrument,
    Kind,
    LineStatus,
    Role,
    Verification,
    VerificationType,
)
from tests.conftest import NOW
from tests.make import (
    kind,
    make_account,
    make_appointment,
    make_authorization,
    make_enterprise,
    make_institution,
)
from tests.screens import choose, press, refusals, said, sound, tick, total, visit, write

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow

PAGES = ("institution_home", "acceptance", "verification", "certificates")
TODAY = date(2026, 11, 23)


@pytest.fixture
def station(sqlite):
    """The id of an institution in 西湖区 that is authorized for pressure gauges."""
    with transaction() as session:
        institution = make_institution(session, code="XHJL")
        make_authorization(session, institution)
        return institution.id


@pytest.fixture
def clerk(station):
    """李敏, who works there."""
    with transaction() as session:
        return make_account(session, Role.institution, institution_id=station, full_name="李敏")


@pytest.fixture
def owner(station):
    """The account of an enterprise in 西湖区."""
    with transaction() as session:
        return make_account(session, enterprise_id=make_enterprise(session, "杭州明达锅炉厂").id)


def booked(owner, count=1, **values) -> list[int]:
    """The ids of fresh lines, assigned to the institution."""
    with transaction() as session:
        appointment = make_appointment(session, owner, count, **values)
        here = select(AppointmentLine.id).where(AppointmentLine.appointment_id == appointment.id)
        return list(session.exec(here.order_by(col(AppointmentLine.id))))


def accepted(clerk, owner, count=1, first=TODAY, last=TODAY, **values) -> list[int]:
    """The ids of lines that were accepted for these days."""
    ids = booked(owner, count, **values)
    with transaction() as session:
        appointments.accept(session, ids, by=clerk, planned_from=first, planned_until=last)
    return ids


def begun(clerk, owner, count=1, **values) -> list[int]:
    """The ids of lines in verification since today."""
    ids = accepted(clerk, owner, count, **values)
    with transaction() as session:
        appointments.begin(session, ids, by=clerk)
    return ids


def statuses(ids) -> list[LineStatus]:
    with reading() as session:
        return [session.get(AppointmentLine, id).status for id in ids]


def days_later(monkeypatch, days):
    moment = datetime.fromisoformat(NOW) + timedelta(days)
    monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_is_not_let_onto_the_pages(owner, monkeypatch, name):
    with pytest.raises(ValueError, match="not"):
        visit(monkeypatch, owner, name)


@pytest.mark.parametrize("name", PAGES)
def test_an_institution_without_work_is_told_so(clerk, monkeypatch, name):
    assert "没有" in said(visit(monkeypatch, clerk, name))


def tiles(shown) -> dict[str, str]:
    return {metric.label: metric.value for metric in shown.metric}


def test_the_home_page_counts_what_waits_today(clerk, owner, monkeypatch):
    booked(owner, 3)
    accepted(clerk, owner, 2)
    begun(clerk, owner, 1)
    counts = tiles(visit(monkeypatch, clerk, "institution_home"))
    assert {label: counts[label] for label in ("待受理", "约定今天", "已受理", "检定中")} == {
        "待受理": "3",
        "约定今天": "2",
        "已受理": "2",
        "检定中": "1",
    }


def test_the_home_page_counts_what_is_late(clerk, owner, monkeypatch):
    booked(owner)
    accepted(clerk, owner)
    begun(clerk, owner)
    days_later(monkeypatch, 40)
    shown = visit(monkeypatch, clerk, "institution_home")
    counts = tiles(shown)
    assert [counts[label] for label in ("受理超时", "约定日期已过", "检定超期")] == ["1", "1", "1"]
    assert "已超期" in shown.dataframe[0].value["剩余"][0]


def test_the_home_page_names_authorizations_that_run_out(clerk, monkeypatch):
    shown = visit(monkeypatch, clerk, "institution_home")
    assert list(shown.dataframe[0].value["有效期止"]) == ["2026-12-31"]


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("acceptance", {}),
        ("acceptance", {"late": "answer"}),
        ("verification", {"late": "today"}),
        ("verification", {"late": "visit"}),
        ("verification", {"tab": "begun"}),
        ("verification", {"tab": "begun", "late": "verification"}),
    ],
)
def test_each_number_opens_a_list_of_that_many(clerk, owner, monkeypatch, name, query):
    booked(owner, 4)
    accepted(clerk, owner, 3)
    accepted(clerk, owner, 2, date(2026, 12, 21), date(2026, 12, 22))
    begun(clerk, owner, 1)
    days_later(monkeypatch, 28)
    booked(owner, 2)
    expected = {
        "": 6,
        "late=answer": 4,
        "late=today": 2,
        "late=visit": 3,
        "tab=begun": 1,
        "tab=begun late=verification": 0,
    }
    key = " ".join(f"{one}={query[one]}" for one in sorted(query, reverse=True))
    assert total(visit(monkeypatch, clerk, name, **query)) == expected[key]


def test_a_clerk_accepts_a_whole_appointment_with_a_receipt(clerk, owner, monkeypatch):
    ids, others = booked(owner, 3), booked(owner, 2)
    shown = visit(monkeypatch, clerk, "acceptance")
    with reading() as session:
        wanted = session.get(AppointmentLine, ids[0]).appointment_id
    shown = choose(shown, "预约单", str(wanted))
    assert total(shown) == 3
    sound(shown.checkbox[0].check().run())
    shown = press(shown, "受理")
    assert "已受理 3 台，回执 HZ20261123" in shown.toast[0].value.replace("\\", "")
    assert statuses(ids + others) == [LineStatus.accepted] * 3 + [LineStatus.assigned] * 2


def test_a_visit_is_agreed_for_one_day(clerk, owner, monkeypatch):
    (line_id,) = booked(owner, delivery_mode=DeliveryMode.on_site)
    shown = tick(visit(monkeypatch, clerk, "acceptance"), 0)
    assert shown.date_input[0].label == "上门日期 *"
    shown.date_input[0].set_value(date(2026, 11, 27))
    press(shown, "受理")
    with reading() as session:
        line = session.get(AppointmentLine, line_id)
        assert (line.planned_from, line.planned_until) == (date(2026, 11, 27), date(2026, 11, 27))


def test_half_a_range_of_dates_is_refused_and_nothing_typed_is_lost(clerk, owner, monkeypatch):
    ids = booked(owner)
    shown = tick(visit(monkeypatch, clerk, "acceptance"), 0)
    write(shown, "意见或理由", "请携带上次证书")
    shown.date_input[0].set_value([date(2026, 11, 27)])
    shown = press(shown, "受理")
    assert refusals(shown) == ["请选择“约定日期”的日期"]
    assert shown.text_area[0].value == "请携带上次证书"
    assert statuses(ids) == [LineStatus.assigned]


@pytest.mark.parametrize("label", ["不予受理", "退回"])
def test_an_answer_in_the_negative_needs_a_reason(clerk, owner, monkeypatch, label):
    ids = booked(owner)
    shown = tick(visit(monkeypatch, clerk, "acceptance"), 0)
    assert refusals(press(shown, label)) == ["请填写理由，对方将看到这段文字"]
    assert statuses(ids) == [LineStatus.assigned]


def test_what_is_declined_leaves_the_list(clerk, owner, monkeypatch):
    ids = booked(owner)
    shown = tick(visit(monkeypatch, clerk, "acceptance"), 0)
    write(shown, "意见或理由", "超出测量范围")
    assert "没有待受理的器具" in said(press(shown, "不予受理"))
    assert statuses(ids) == [LineStatus.declined]


def test_what_is_handed_back_goes_to_another_institution(clerk, owner, monkeypatch):
    ids = booked(owner)
    with transaction() as session:
        other = make_institution(session, "杭州市计量院")
        make_authorization(session, other, "330100")
    shown = tick(visit(monkeypatch, clerk, "acceptance"), 0)
    write(shown, "意见或理由", "标准装置送检中")
    assert "其中 1 台已指派给其他机构" in press(shown, "退回").toast[0].value
    with reading() as session:
        assert session.get(AppointmentLine, ids[0]).institution_id == other.id


def test_of_two_clerks_the_slower_one_is_told(clerk, owner, monkeypatch):
    ids = booked(owner, 2)
    shown = tick(visit(monkeypatch, clerk, "acceptance"), 0)
    with transaction() as session:
        appointments.decline(session, ids[:1], by=clerk, reason="超出授权项目")
    shown = press(shown, "受理")
    assert statuses(ids) == [LineStatus.declined, LineStatus.assigned]
    assert total(shown) == 1


def test_one_line_is_shown_with_its_instrument_and_history(clerk, owner, monkeypatch):
    booked(owner)
    page = said(tick(visit(monkeypatch, clerk, "acceptance"), 0))
    for words in ("上海银普仪表有限公司", "锅炉房", "138****8000", "任务指派"):
        assert words in page


def test_the_legal_clock_starts_with_the_verification(clerk, owner, monkeypatch):
    (line_id,) = accepted(clerk, owner)
    shown = press(tick(visit(monkeypatch, clerk, "verification"), 0), "开始检定")
    assert statuses([line_id]) == [LineStatus.in_verification]
    with reading() as session:
        assert session.get(AppointmentLine, line_id).due_on == date(2026, 12, 21)
    assert "没有已受理" in said(shown)


def test_a_deadline_in_a_year_without_holidays_says_it_is_estimated(clerk, owner, monkeypatch):
    days_later(monkeypatch, 20)
    with transaction() as session:
        ids = booked(owner)
        day = TODAY + timedelta(20)
        appointments.accept(session, ids, by=clerk, planned_from=day, planned_until=day)
        appointments.begin(session, ids, by=clerk)
    shown = visit(monkeypatch, clerk, "verification", tab="begun")
    assert "估算" in shown.dataframe[0].value["检定时限"][0]
    assert "节假日安排未公布，按周一至周五估算" in said(shown)


def test_agreed_dates_can_change_until_the_verification_begins(clerk, owner, monkeypatch):
    (line_id,) = accepted(clerk, owner)
    shown = tick(visit(monkeypatch, clerk, "verification"), 0)
    shown.date_input[1].set_value([date(2026, 12, 1), date(2026, 12, 3)])
    press(shown, "改期")
    with reading() as session:
        assert session.get(AppointmentLine, line_id).planned_until == date(2026, 12, 3)


def test_what_was_accepted_is_ended_with_a_reason(clerk, owner, monkeypatch):
    ids = accepted(clerk, owner)
    shown = tick(visit(monkeypatch, clerk, "verification"), 0)
    shown = press(shown, "终止")
    assert refusals(shown) == ["请填写理由，对方将看到这段文字"]
    write(shown, "终止理由", "器具已损坏")
    press(shown, "终止")
    assert statuses(ids) == [LineStatus.canceled]


def result_of(clerk, monkeypatch, *rows):
    """The form for the lines of these places."""
    shown = tick(visit(monkeypatch, clerk, "verification", tab="begun"), *rows)
    write(shown, "检定员", "李敏")
    write(shown, "核验员", "王强")
    return sound(shown.run())


def test_a_pass_issues_a_certificate_and_moves_the_validity(clerk, owner, monkeypatch):
    (line_id,) = begun(clerk, owner)
    shown = result_of(clerk, monkeypatch, 0)
    assert "检定日期 + 检定周期 6 个月 − 1 天" in said(shown)
    shown = press(shown, "登记结果")
    assert "检定证书编号 XHJL-2026-000001" in shown.toast[0].value.replace("\\", "")
    with reading() as session:
        line = session.get(AppointmentLine, line_id)
        assert line.status == LineStatus.completed
        assert session.get(Instrument, line.instrument_id).valid_until == date(2027, 5, 22)


def test_the_regulation_and_the_people_need_not_be_typed_again(clerk, owner, monkeypatch):
    begun(clerk, owner, 2)
    shown = press(result_of(clerk, monkeypatch, 0), "登记结果")
    shown = tick(shown, 0)
    fields = {field.label: field.value for field in shown.text_input}
    assert (fields["检定员 *"], fields["核验员 *"]) == ("李敏", "王强")
    assert fields["检定依据 *"].startswith("JJG")


def test_several_instruments_of_a_kind_pass_together(clerk, owner, monkeypatch):
    ids = begun(clerk, owner, 3)
    shown = press(result_of(clerk, monkeypatch, 0, 1, 2), "登记结果")
    assert "已登记 3 台合格" in shown.toast[0].value
    with reading() as session:
        numbers = session.exec(select(Verification.certificate_number)).all()
    assert len(set(numbers)) == 3
    assert statuses(ids) == [LineStatus.completed] * 3


def test_a_rejection_issues_a_notice_and_asks_for_no_validity(clerk, owner, monkeypatch):
    begun(clerk, owner)
    shown = result_of(clerk, monkeypatch, 0)
    conclusion = next(one for one in shown.get("button_group") if one.label == "结论 *")
    shown = sound(conclusion.set_value(Conclusion.rejected).run())
    assert "有效期至 *" not in [field.label for field in shown.date_input]
    shown = press(shown, "登记结果")
    assert "检定结果通知书编号 XHJL-T2026-000001" in shown.toast[0].value.replace("\\", "")


def test_kinds_are_recorded_apart(clerk, owner, station, monkeypatch):
    with transaction() as session:
        other = session.exec(select(Kind).where(Kind.category_id != kind(session).category_id)).first()
        institution = session.get(Institution, station)
        make_authorization(session, institution, kind_id=other.id)
    begun(clerk, owner)
    begun(clerk, owner, kind_id=other.id)
    shown = tick(visit(monkeypatch, clerk, "verification", tab="begun"), 0, 1)
    assert "请按种别分开登记" in said(shown)
    assert "登记结果" not in [button.label for button in shown.button]


def test_a_refused_result_keeps_what_was_typed(clerk, owner, monkeypatch):
    ids = begun(clerk, owner)
    shown = result_of(clerk, monkeypatch, 0)
    write(shown, "核验员", "李敏")
    write(shown, "备注", "指针偏转正常")
    shown = press(sound(shown.run()), "登记结果")
    assert refusals(shown) == ["核验员不能与检定员是同一人"]
    assert {field.label: field.value for field in shown.text_input}["备注"] == "指针偏转正常"
    assert statuses(ids) == [LineStatus.in_verification]


def recorded(clerk, owner, conclusion=Conclusion.passed) -> str:
    """The number of a fresh result."""
    ids = begun(clerk, owner)
    result = verifications.Result(
        VerificationType.subsequent, TODAY, conclusion, "JJG 52-2013", "李敏", "王强"
    )
    with transaction() as session:
        return verifications.record(session, ids, result, by=clerk)[0].certificate_number


def test_records_are_found_by_number_and_conclusion(clerk, owner, monkeypatch):
    passed, rejected = recorded(clerk, owner), recorded(clerk, owner, Conclusion.rejected)
    shown = visit(monkeypatch, clerk, "certificates")
    assert list(shown.dataframe[0].value["证书（通知书）编号"]) == [rejected, passed]
    assert total(choose(shown, "结论", "passed")) == 1
    shown = visit(monkeypatch, clerk, "certificates", text=rejected)
    assert list(shown.dataframe[0].value["结论"]) == ["✕ 不合格"]


def test_a_record_opens_with_everything_that_was_recorded(clerk, owner, monkeypatch):
    recorded(clerk, owner)
    page = said(tick(visit(monkeypatch, clerk, "certificates"), 0))
    for words in ("JJG 52-2013", "李敏", "王强", "(0-1) MPa"):
        assert words in page


def test_another_institution_sees_none_of_it(clerk, owner, monkeypatch):
    booked(owner)
    accepted(clerk, owner)
    begun(clerk, owner)
    recorded(clerk, owner)
    with transaction() as session:
        stranger = make_account(session, Role.institution)
    for name, query in (
        ("acceptance", {}),
        ("verification", {}),
        ("verification", {"tab": "begun"}),
        ("certificates", {}),
    ):
        assert not visit(monkeypatch, stranger, name, **query).dataframe
