"""Results: certificates and notices, their numbers, and 有效期至 in the ledger."""

from dataclasses import replace
from datetime import date

import pytest

from db import appointment_lines, appointments, assignment, instruments, verifications
from db.errors import Conflict, NotFound, Refused
from db.models import (
    Conclusion,
    Counter,
    Institution,
    Instrument,
    Kind,
    LineStatus,
    Role,
    VerificationMode,
    VerificationType,
)
from tests import make

TODAY = date(2026, 11, 23)
PASS = verifications.Result(
    VerificationType.subsequent, TODAY, Conclusion.passed, "JJG 52-2013", "李敏", "周强"
)
REJECTION = replace(PASS, conclusion=Conclusion.rejected)


@pytest.fixture
def clerk(session):
    """A clerk of the institution with the mark XH."""
    institution = make.make_institution(session, code="XH")
    return make.make_account(session, Role.institution, institution_id=institution.id)


def line_of(session, clerk, owner, **values):
    """A line in verification since this morning."""
    if "kind_id" in values:
        institution = session.get(Institution, clerk.institution_id)
        make.make_authorization(session, institution, kind_id=values["kind_id"])
    line = make.make_line(session, clerk, owner, **values)
    appointments.accept(session, [line.id], by=clerk, planned_from=TODAY, planned_until=TODAY)
    appointments.begin(session, [line.id], by=clerk)
    session.refresh(line)
    return line


def problems_of(session, line, clerk, **values):
    """What is wrong with a pass that has these values."""
    with pytest.raises(Refused) as refusal:
        verifications.record(session, [line.id], replace(PASS, **values), by=clerk)
    return refusal.value.problems


@pytest.mark.parametrize(
    ("mode", "interval", "limit", "verified_on", "expected"),
    [
        (VerificationMode.periodic, 12, None, date(2026, 11, 23), date(2027, 11, 22)),
        (VerificationMode.periodic, 6, None, date(2026, 8, 31), date(2027, 2, 27)),
        (VerificationMode.periodic, 12, None, date(2024, 2, 29), date(2025, 2, 27)),
        (VerificationMode.periodic, 36, 72, date(2026, 1, 1), date(2028, 12, 31)),
        (VerificationMode.first_only_rotate, None, 72, date(2026, 11, 23), date(2032, 11, 22)),
        (VerificationMode.first_only_rotate, 12, None, date(2026, 11, 23), None),
        (VerificationMode.first_only_scrap, None, None, date(2026, 11, 23), None),
        (VerificationMode.periodic, None, None, date(2026, 11, 23), None),
        (None, 12, None, date(2026, 11, 23), date(2027, 11, 22)),
    ],
)
def test_a_certificate_runs_until_the_day_before_the_interval_ends(
    mode, interval, limit, verified_on, expected
):
    kind = Kind(
        code="1", name="1", category_id=1, edition_id=1, verification_mode=mode,
        interval_months=interval, limit_of_use_months=limit,
    )  # fmt: skip
    assert verifications.default_valid_until(kind, verified_on) == expected


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2023, 12, 31), 2, date(2024, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
    ],
)
def test_months_later_keeps_to_the_end_of_a_shorter_month(day, months, expected):
    assert verifications.months_later(day, months) == expected


def test_a_pass_issues_a_certificate_and_moves_the_validity(session, owner, clerk):
    line = line_of(session, clerk, owner, valid_until=date(2026, 12, 1))
    (made,) = verifications.record(session, [line.id], PASS, by=clerk)
    gauge = session.get(Instrument, line.instrument_id, populate_existing=True)
    assert made.certificate_number == "XH-2026-000001"
    assert gauge.valid_until == made.valid_until == date(2027, 5, 22)
    assert (gauge.verified_on, gauge.conclusion) == (TODAY, Conclusion.passed)
    (row,) = appointment_lines.page(session, by=owner)
    assert (row.status, row.certificate_number) == (LineStatus.completed, "XH-2026-000001")


def test_a_rejection_issues_a_notice_and_leaves_the_validity(session, owner, clerk):
    line = line_of(session, clerk, owner, valid_until=date(2026, 12, 1))
    result = replace(REJECTION, valid_until=date(2027, 5, 22))
    (made,) = verifications.record(session, [line.id], result, by=clerk)
    gauge = session.get(Instrument, line.instrument_id, populate_existing=True)
    assert (made.certificate_number, made.valid_until) == ("XH-T2026-000001", None)
    assert (gauge.valid_until, gauge.conclusion) == (date(2026, 12, 1), Conclusion.rejected)
    assert instruments.booked(session, [gauge.id]) == {}


def test_an_institution_may_shorten_the_validity(session, owner, clerk):
    line = line_of(session, clerk, owner)
    result = replace(PASS, valid_until=date(2027, 1, 31), certificate_number="浙XH-2026-88")
    (made,) = verifications.record(session, [line.id], result, by=clerk)
    assert (made.certificate_number, made.valid_until) == ("浙XH-2026-88", date(2027, 1, 31))
    assert session.get(Instrument, line.instrument_id).valid_until == date(2027, 1, 31)


def test_several_lines_get_numbers_in_a_row(session, owner, clerk):
    lines = [line_of(session, clerk, owner) for _ in range(3)]
    made = verifications.record(session, [line.id for line in lines], PASS, by=clerk)
    assert [one.certificate_number[-6:] for one in made] == ["000001", "000002", "000003"]
    assert [one.line_id for one in made] == [line.id for line in lines]


def test_kinds_of_different_intervals_keep_their_own(session, owner, clerk):
    gauge = line_of(session, clerk, owner)
    pile = line_of(session, clerk, owner, kind_id=make.kind(session, "91201").id)
    made = verifications.record(session, [gauge.id, pile.id], PASS, by=clerk)
    assert [one.valid_until for one in made] == [date(2027, 5, 22), date(2029, 11, 22)]


def test_a_kind_verified_once_until_scrapped_needs_no_validity(session, owner, clerk):
    line = line_of(session, clerk, owner, kind_id=make.kind(session, "90101").id)
    (made,) = verifications.record(session, [line.id], PASS, by=clerk)
    assert (made.conclusion, made.valid_until) == (Conclusion.passed, None)


def test_a_water_meter_is_valid_until_it_is_rotated_out(session, owner, clerk):
    line = line_of(session, clerk, owner, kind_id=make.kind(session, "91301").id)
    (made,) = verifications.record(session, [line.id], PASS, by=clerk)
    assert made.valid_until == date(2032, 11, 22)


def test_a_kind_without_interval_asks_for_the_validity(session, owner, clerk):
    line = line_of(session, clerk, owner, kind_id=make.kind(session, "90301").id)
    assert "请按检定规程填写“有效期至”" in problems_of(session, line, clerk)["valid_until"]
    result = replace(PASS, valid_until=date(2027, 11, 22))
    (made,) = verifications.record(session, [line.id], result, by=clerk)
    assert made.valid_until == date(2027, 11, 22)


def test_an_instrument_without_a_kind_asks_for_the_validity(session, owner, clerk):
    row = make.make_legacy_instrument(session, owner, kind_id=None)
    appointments.submit(session, owner.enterprise_id, [row.id], by=owner)
    (line,) = appointment_lines.page(session, by=owner)
    supervisor = make.make_account(session, Role.supervisor)
    assignment.assign_by_hand(session, [line.id], clerk.institution_id, by=supervisor, reason="就近")
    appointments.accept(session, [line.id], by=clerk, planned_from=TODAY, planned_until=TODAY)
    appointments.begin(session, [line.id], by=clerk)
    assert list(problems_of(session, line, clerk)) == ["valid_until"]
    result = replace(PASS, valid_until=date(2027, 11, 22))
    (made,) = verifications.record(session, [line.id], result, by=clerk)
    assert made.valid_until == date(2027, 11, 22)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verification_type", "抽检"),
        ("conclusion", None),
        ("verified_on", None),
        ("verified_on", date(2026, 11, 24)),
        ("verified_on", date(2026, 11, 22)),
        ("regulation", " "),
        ("verifier", ""),
        ("checker", ""),
        ("checker", "李敏"),
        ("valid_until", date(2026, 11, 22)),
        ("certificate_number", "1" * 61),
        ("remark", "注" * 501),
    ],
)
def test_a_wrong_field_of_a_result_is_named(session, owner, clerk, field, value):
    line = line_of(session, clerk, owner)
    assert list(problems_of(session, line, clerk, **{field: value})) == [field]
    session.refresh(line)
    assert line.status == LineStatus.in_verification


def test_a_typed_number_is_for_one_line(session, owner, clerk):
    ids = [line_of(session, clerk, owner).id for _ in range(2)]
    with pytest.raises(Refused, match="证书编号由系统逐台编号，请留空"):
        verifications.record(session, ids, replace(PASS, certificate_number="A1"), by=clerk)


def test_a_certificate_number_is_used_once(session, owner, clerk):
    first, second = line_of(session, clerk, owner), line_of(session, clerk, owner)
    typed = replace(PASS, certificate_number="浙XH-2026-88")
    verifications.record(session, [first.id], typed, by=clerk)
    with pytest.raises(Conflict, match="该证书编号已被使用") as refusal, session.begin_nested():
        verifications.record(session, [second.id], typed, by=clerk)
    assert list(refusal.value.problems) == ["certificate_number"]


def test_a_number_of_the_series_that_was_typed_before_is_passed_over(session, owner, clerk):
    first, second, third = (line_of(session, clerk, owner) for _ in range(3))
    typed = replace(PASS, certificate_number="XH-2026-000002")
    verifications.record(session, [first.id], typed, by=clerk)
    made = verifications.record(session, [second.id, third.id], PASS, by=clerk)
    assert [one.certificate_number[-6:] for one in made] == ["000001", "000003"]
    assert session.get(Counter, "XH-2026").value == 3


def test_institutions_and_years_have_series_of_their_own(session, owner, clerk, monkeypatch):
    other = make.make_institution(session, "滨江区计量所", code="BJ")
    colleague = make.make_account(session, Role.institution, institution_id=other.id)
    make.make_authorization(session, other, "330108")
    mine = line_of(session, clerk, owner)
    theirs = line_of(session, colleague, owner, division_code="330108")
    later = line_of(session, clerk, owner)
    monkeypatch.setenv("YUEJIAN_NOW", "2027-01-04T09:00:00+08:00")
    next_year = replace(PASS, verified_on=date(2027, 1, 4))
    numbers = [
        verifications.record(session, [line.id], result, by=by)[0].certificate_number
        for line, result, by in ((mine, PASS, clerk), (theirs, PASS, colleague), (later, next_year, clerk))
    ]
    assert numbers == ["XH-2026-000001", "BJ-2026-000001", "XH-2027-000001"]


def test_a_line_is_recorded_once(session, owner, clerk):
    line = line_of(session, clerk, owner)
    verifications.record(session, [line.id], PASS, by=clerk)
    with pytest.raises(Refused, match="当前状态为“已完成”，不能执行“登记结果”，请刷新"):
        verifications.record(session, [line.id], PASS, by=clerk)


def test_a_line_that_has_not_begun_has_no_result(session, owner, clerk):
    line = make.make_line(session, clerk, owner)
    with pytest.raises(Refused, match="当前状态为“待受理”"):
        verifications.record(session, [line.id], PASS, by=clerk)


def test_only_the_institution_of_a_line_records_its_result(session, owner, clerk):
    line = line_of(session, clerk, owner)
    with pytest.raises(NotFound, match="预约器具"):
        verifications.record(session, [line.id], PASS, by=make.make_account(session, Role.institution))
    for role in (Role.enterprise, Role.supervisor, Role.administrator):
        with pytest.raises(Refused, match="不能执行此操作"):
            verifications.record(session, [line.id], PASS, by=make.make_account(session, role))


def test_the_list_of_results_narrows_and_counts(session, owner, clerk):
    passed, rejected = line_of(session, clerk, owner, serial_number="Q-37"), line_of(session, clerk, owner)
    verifications.record(session, [passed.id], PASS, by=clerk)
    verifications.record(session, [rejected.id], REJECTION, by=clerk)
    for narrowed, expected in (
        ({}, ["XH-T2026-000001", "XH-2026-000001"]),
        ({"conclusion": Conclusion.rejected}, ["XH-T2026-000001"]),
        ({"instrument_id": passed.instrument_id}, ["XH-2026-000001"]),
        ({"text": "XH-2026"}, ["XH-2026-000001"]),
        ({"text": "q-37"}, ["XH-2026-000001"]),
        ({"text": "%"}, []),
        ({"size": 1}, ["XH-T2026-000001"]),
        ({"size": 1, "number": 2}, ["XH-2026-000001"]),
    ):
        rows, total = verifications.page(session, by=owner, **narrowed)
        assert [row.certificate_number for row in rows] == expected, narrowed
        assert total == (2 if "size" in narrowed else len(expected)), narrowed


def test_a_row_of_the_list_names_owner_institution_and_appointment(session, owner, clerk):
    line = line_of(session, clerk, owner)
    verifications.record(session, [line.id], PASS, by=clerk)
    (row,), _ = verifications.page(session, by=clerk)
    assert (row.enterprise, row.institution, row.number) == (
        "杭州明达锅炉厂",
        "西湖区计量检定所",
        "YJ20261123-0001",
    )
    assert (row.verifier, row.checker, row.regulation) == ("李敏", "周强", "JJG 52-2013")


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.administrator])
def test_strangers_see_no_results(session, owner, clerk, role):
    line = line_of(session, clerk, owner)
    verifications.record(session, [line.id], PASS, by=clerk)
    assert verifications.page(session, by=make.make_account(session, role)) == ([], 0)


def test_the_bureau_sees_the_results_of_its_area(session, owner, clerk):
    line = line_of(session, clerk, owner)
    verifications.record(session, [line.id], PASS, by=clerk)
    counts = [
        verifications.page(session, by=make.make_account(session, Role.reviewer, division_code=code))[1]
        for code in (make.XIHU, make.HANGZHOU, "330108", None)
    ]
    assert counts == [1, 1, 0, 1]
