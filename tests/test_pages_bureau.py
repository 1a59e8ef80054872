"""The pages of 监管人员 and 审核人员: home, board, the lists behind it, assignment, authorizations."""

from datetime import date, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from sqlmodel import col, select

from db import appointments, authorizations, verifications
from db.engine import reading, transaction
from db.models import (
    Account,
    Appointment,
    AppointmentLine,
    Authorization,
    Conclusion,
    Division,
    Institution,
    Instrument,
    Kind,
    Level,
    LineStatus,
    Role,
    VerificationType,
)
from tests.conftest import NOW
from tests.make import (
    HANGZHOU,
    XIHU,
    kind,
    make_account,
    make_appointment,
    make_authorization,
    make_enterprise,
    make_institution,
    make_instrument,
    make_legacy_instrument,
    make_registration,
)
from tests.screens import choose, click, press, refusals, said, sound, tick, total, visit, write

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow

SUPERVISED = ("unassigned", "on_behalf", "authorizations", "institutions")
WATCHED = ("bureau_home", "board", "lines", "instruments")
TODAY = date(2026, 11, 23)
SHANGCHENG = "330102"
RESULT = verifications.Result(
    VerificationType.subsequent, TODAY, Conclusion.rejected, "JJG 52-2013", "李敏", "王强"
)


@pytest.fixture
def supervisor(sqlite):
    """沈越, who supervises 杭州."""
    with transaction() as session:
        return make_account(session, Role.supervisor, full_name="沈越")


@pytest.fixture
def owner(sqlite):
    """The account of an enterprise in 西湖区."""
    with transaction() as session:
        return make_account(session, enterprise_id=make_enterprise(session, "杭州明达锅炉厂").id)


@pytest.fixture
def clerk(sqlite):
    """李敏 of the institution in 西湖区, authorized for pressure gauges."""
    with transaction() as session:
        institution = make_institution(session, "西湖区计量检定所", code="XHJL")
        make_authorization(session, institution)
        return make_account(session, Role.institution, institution_id=institution.id)


def booked(owner, count=1, **values) -> list[int]:
    """The ids of fresh lines."""
    with transaction() as session:
        appointment = make_appointment(session, owner, count, **values)
        here = select(AppointmentLine.id).where(AppointmentLine.appointment_id == appointment.id)
        return list(session.exec(here.order_by(col(AppointmentLine.id))))


def later(monkeypatch, days) -> None:
    """Move the clock."""
    moment = datetime.fromisoformat(NOW) + timedelta(days)
    monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())


@pytest.fixture
def busy(supervisor, owner, clerk, monkeypatch):
    """A bureau four weeks on, with something to count in every place."""
    with transaction() as session:
        for days in (-10, 5, 50, 80, 300, None):
            until = TODAY + timedelta(28 + days) if days is not None else None
            make_instrument(session, owner, valid_until=until)
        legacy = make_legacy_instrument(session, owner, division_code=None)
        appointments.submit(session, owner.enterprise_id, [legacy.id], by=owner)
    booked(owner, 2, division_code=SHANGCHENG)
    ids = booked(owner, 9)
    with transaction() as session:
        appointments.cancel(session, ids[:1], by=owner)
        appointments.decline(session, ids[1:2], by=clerk, reason="超出测量范围")
        appointments.accept(session, ids[2:7], by=clerk, planned_from=TODAY, planned_until=TODAY)
        appointments.begin(session, ids[3:7], by=clerk)
        verifications.record(session, ids[5:7], RESULT, by=clerk)
    later(monkeypatch, 28)
    booked(owner, 1)


@pytest.mark.parametrize("name", SUPERVISED)
def test_a_reviewer_is_not_let_onto_the_supervisors_pages(sqlite, monkeypatch, name):
    with transaction() as session:
        reviewer = make_account(session, Role.reviewer)
    with pytest.raises(ValueError, match="not"):
        visit(monkeypatch, reviewer, name)


@pytest.mark.parametrize("name", [*SUPERVISED, *WATCHED])
def test_a_stranger_is_not_let_onto_the_pages(clerk, monkeypatch, name):
    with pytest.raises(ValueError, match="not"):
        visit(monkeypatch, clerk, name)


@pytest.mark.parametrize("name", [*SUPERVISED, *WATCHED])
def test_an_empty_bureau_finds_every_page_in_order(supervisor, monkeypatch, name):
    shown = visit(monkeypatch, supervisor, name)
    assert shown.header[0].value
    assert not refusals(shown)


def links(shown) -> list[tuple[str, str, dict[str, str]]]:
    """The tiles: what each counts, the number, and the page and query behind it."""
    metrics = {metric.label: metric.value for metric in shown.metric}
    found = []
    for element in shown.get("page_link"):
        proto = element.proto
        if proto.label in metrics:
            found.append((metrics[proto.label], proto.page, dict(parse_qsl(proto.query_string))))
    return found


def number(shown, label) -> str:
    return next(metric.value for metric in shown.metric if metric.label == label)


@pytest.mark.parametrize("role", [Role.supervisor, Role.reviewer])
def test_each_tile_of_the_board_opens_exactly_what_it_counts(busy, monkeypatch, role):
    with transaction() as session:
        watcher = make_account(session, role)
    found = links(visit(monkeypatch, watcher, "board"))
    assert len(found) == 3 + 7 + 3 + 2 + 8
    for value, page, query in found:
        # Shares are no counts.
        if value.isdecimal():
            assert total(visit(monkeypatch, watcher, page, **query)) == int(value), (page, query)


def test_the_board_counts_every_status_and_window(busy, supervisor, monkeypatch):
    shown = visit(monkeypatch, supervisor, "board")
    counts = {metric.label: metric.value for metric in shown.metric}
    assert {status.value: counts[status.value] for status in LineStatus} == {
        "待预约": "3",
        "待受理": "3",
        "已受理": "1",
        "不予受理": "1",
        "已取消": "1",
        "检定中": "2",
        "已完成": "2",
    }
    windows = ("已超期", "30 天内到期", "60 天内到期", "90 天内到期", "检定不合格")
    assert [counts[window] for window in windows] == ["1", "1", "2", "3", "2"]
    assert (counts["受理超时"], counts["约定日期已过"], counts["检定超期"]) == ("2", "1", "0")


def opened(monkeypatch, account, row, column, table) -> tuple[int, int]:
    """The number in a cell of the board, and how many rows the list behind it has."""
    shown = visit(monkeypatch, account, "board")
    frame = shown.dataframe[table].value
    shown = click(shown, row, column, table)
    return frame[column][row], total(shown)


@pytest.mark.parametrize("table", [0, 1, 2])
def test_each_cell_of_the_board_opens_exactly_what_it_counts(busy, supervisor, monkeypatch, table):
    frame = visit(monkeypatch, supervisor, "board").dataframe[table].value
    cells = [(row, column) for row in range(len(frame)) for column in frame.columns[1:] if column != "受检率"]
    for row, column in cells:
        counted, listed = opened(monkeypatch, supervisor, row, column, table)
        assert counted == listed, (frame.iloc[row, 0], column)


def test_the_board_names_places_from_the_area_down(busy, supervisor, monkeypatch):
    places = list(visit(monkeypatch, supervisor, "board").dataframe[0].value["使用地点"])
    assert places == ["上城区", "西湖区", "未填使用地点"]


def test_the_board_holds_the_supervisors_area_only(busy, monkeypatch):
    with transaction() as session:
        there = make_account(session, Role.supervisor, division_code=SHANGCHENG)
    shown = visit(monkeypatch, there, "board")
    assert (number(shown, "待预约"), number(shown, "在用")) == ("2", "2")
    assert list(shown.dataframe[0].value["使用地点"]) == ["浙江省杭州市上城区"]
    assert opened(monkeypatch, there, 0, "在用", 0) == (2, 2)


def test_the_home_of_a_supervisor_says_what_waits(busy, supervisor, monkeypatch):
    shown = visit(monkeypatch, supervisor, "bureau_home")
    assert number(shown, "受理超时") == "2"
    assert number(shown, "使用地点及上级均无已授权的技术机构") == "2"
    assert number(shown, "90 天内到期的授权") == "1"
    for value, page, query in links(shown):
        assert total(visit(monkeypatch, supervisor, page, **query)) == int(value), (page, query)


def test_the_home_of_a_reviewer_names_the_oldest_registration(sqlite, monkeypatch):
    with transaction() as session:
        reviewer = make_account(session, Role.reviewer)
        make_registration(session, name="杭州富阳热力有限公司")
    later(monkeypatch, 4)
    shown = visit(monkeypatch, reviewer, "bureau_home")
    assert number(shown, "待审核") == "1"
    assert number(shown, "审核超期") == "1"
    assert "杭州富阳热力有限公司" in said(shown)
    assert "应在 2026-11-25 前审核，已超期 2 个工作日" in said(shown)


def test_a_retired_division_in_an_address_still_finds_its_lines(supervisor, owner, monkeypatch):
    (line_id,) = booked(owner)
    retired = {"code": "330103", "name": "下城区", "full_name": "浙江省杭州市下城区"}
    with transaction() as session:
        session.add(Division(**retired, level=Level.county, parent_code=HANGZHOU, retired_on=TODAY))
        session.flush()
        session.get(AppointmentLine, line_id).division_code = "330103"
    assert total(visit(monkeypatch, supervisor, "lines", division="330103")) == 1
    assert total(visit(monkeypatch, supervisor, "lines", division=XIHU)) == 0


def test_lines_are_narrowed_by_what_is_chosen(busy, supervisor, clerk, monkeypatch):
    shown = visit(monkeypatch, supervisor, "lines")
    assert total(shown) == 13
    shown = choose(shown, "流程状态", "open")
    assert total(shown) == 9
    shown = choose(shown, "技术机构", str(clerk.institution_id))
    assert total(shown) == 6
    shown = choose(shown, "使用地点", SHANGCHENG)
    assert "请放宽筛选" in said(shown)


def test_a_line_is_found_by_its_instruments_number(busy, supervisor, monkeypatch):
    with reading() as session:
        line = session.exec(select(AppointmentLine)).first()
        serial = line.snapshot["serial_number"]
    shown = visit(monkeypatch, supervisor, "lines")
    write(shown, "搜索", serial)
    assert total(sound(shown.run())) == 1


def test_one_line_shows_its_history(supervisor, owner, clerk, monkeypatch):
    booked(owner)
    page = said(tick(visit(monkeypatch, supervisor, "lines"), 0))
    assert "提交申请" in page
    assert "任务指派" in page


def test_a_supervisor_reassigns_with_a_reason(supervisor, owner, clerk, monkeypatch):
    ids = booked(owner)
    with transaction() as session:
        other = make_institution(session, "杭州市计量院")
        make_authorization(session, other, HANGZHOU)
    shown = press(tick(visit(monkeypatch, supervisor, "lines", status="assigned"), 0), "转派")
    assert refusals(shown) == ["请填写理由，对方将看到这段文字"]
    write(shown, "理由", "该所设备检修")
    assert "其中 1 台已指派给其他机构" in press(shown, "转派").toast[0].value
    with reading() as session:
        assert session.get(AppointmentLine, ids[0]).institution_id == other.id


def test_a_reviewer_may_look_at_lines_and_not_act(owner, clerk, monkeypatch):
    booked(owner)
    with transaction() as session:
        reviewer = make_account(session, Role.reviewer)
    shown = tick(visit(monkeypatch, reviewer, "lines", status="assigned"), 0)
    assert "任务指派" in said(shown)
    assert not {"转派", "取消预约"} & {button.label for button in shown.button}


def test_the_queue_names_each_reason_with_its_count(busy, supervisor, monkeypatch):
    shown = visit(monkeypatch, supervisor, "unassigned")
    pills = next(one for one in shown.get("button_group") if one.label == "原因")
    assert [option.content for option in pills.proto.options] == [
        "未填写使用地点行政区划 1",
        "使用地点及上级均无已授权的技术机构 2",
    ]
    assert total(shown) == 3
    assert total(visit(monkeypatch, supervisor, "unassigned", reason="no_institution")) == 2
    assert "28 天" in list(shown.dataframe[0].value["已等待"])


def test_lines_are_assigned_by_hand_with_a_reason(supervisor, owner, clerk, monkeypatch):
    ids = booked(owner, 2, division_code=SHANGCHENG)
    shown = tick(visit(monkeypatch, supervisor, "unassigned"), 0, 1)
    shown = tick(shown, 0, table=1)
    assert list(shown.dataframe[1].value["授权情况"]) == ["无此项授权，指派前请确认"]
    shown = press(shown, "人工指派")
    assert refusals(shown) == ["请填写理由，对方将看到这段文字"]
    write(shown, "指派理由", "就近办理")
    assert "已将 2 台指派给 西湖区计量检定所" in press(shown, "人工指派").toast[0].value
    with reading() as session:
        placed = {session.get(AppointmentLine, id).institution_id for id in ids}
    assert placed == {clerk.institution_id}


def test_candidates_for_several_lines_say_how_many_they_may_verify(supervisor, owner, clerk, monkeypatch):
    booked(owner, division_code=SHANGCHENG)
    booked(owner, division_code="330105")
    with transaction() as session:
        make_authorization(session, make_institution(session, "上城区计量所", SHANGCHENG), SHANGCHENG)
        make_authorization(session, make_institution(session, "杭州市计量院", HANGZHOU), HANGZHOU)
    shown = tick(visit(monkeypatch, supervisor, "unassigned"), 0, 1)
    offered = shown.dataframe[1].value
    assert dict(zip(offered["技术机构"], offered["授权情况"], strict=True)) == {
        "杭州市计量院": "授权范围内",
        "西湖区计量检定所": "无此项授权，指派前请确认",
        "上城区计量所": "只有 1 台在授权范围内，指派前请确认",
    }
    assert offered["技术机构"][0] == "杭州市计量院"


def test_a_gap_leads_to_an_authorization_that_closes_it(supervisor, owner, clerk, monkeypatch):
    ids = booked(owner, 2, division_code=SHANGCHENG)
    shown = tick(visit(monkeypatch, supervisor, "unassigned", view="gaps"), 0)
    assert shown.dataframe[0].value["在用器具"][0] == 2
    link = next(one.proto for one in shown.get("page_link") if "新增授权" in one.proto.label)
    shown = visit(monkeypatch, supervisor, link.page, **dict(parse_qsl(link.query_string)))
    shown = choose(shown, "技术机构 *", clerk.institution_id)
    assert press(shown, "新增授权").toast[0].value == "授权已保存，又有 2 台器具分配成功"
    with reading() as session:
        made = session.exec(select(Authorization).order_by(col(Authorization.id).desc())).first()
        assert (made.division_code, made.kind_id) == (SHANGCHENG, kind(session).id)
        assert {session.get(AppointmentLine, id).status for id in ids} == {LineStatus.assigned}
    assert "没有授权缺口" in said(visit(monkeypatch, supervisor, "unassigned", view="gaps"))


def test_an_authorization_without_an_institution_is_refused(supervisor, clerk, monkeypatch):
    shown = visit(monkeypatch, supervisor, "authorizations")
    write(shown, "备注", "浙市监量〔2026〕12 号")
    shown = press(shown, "新增授权")
    assert "请选择技术机构" in refusals(shown)[0]
    assert "请选择一个项别" in refusals(shown)[0]
    assert {field.label: field.value for field in shown.text_input}["备注"] == "浙市监量〔2026〕12 号"


def test_authorizations_that_run_out_are_listed(supervisor, clerk, monkeypatch):
    with transaction() as session:
        station = session.get(Institution, clerk.institution_id)
        make_authorization(session, station, HANGZHOU, valid_until=date(2029, 1, 1))
        make_authorization(session, station, SHANGCHENG, valid_until=date(2026, 11, 1))
    assert total(visit(monkeypatch, supervisor, "authorizations")) == 3
    shown = visit(monkeypatch, supervisor, "authorizations", within="90")
    assert list(shown.dataframe[0].value["剩余"]) == ["✕ 已超期", "◔ 38 天"]


def test_a_renewed_authorization_places_what_waited(supervisor, owner, clerk, monkeypatch):
    with transaction() as session:
        row = session.exec(select(Authorization)).one()
        row.valid_until = date(2026, 10, 31)
    booked(owner, 2)
    shown = tick(visit(monkeypatch, supervisor, "authorizations"), 0)
    shown.date_input[1].set_value(date(2027, 12, 31))
    assert press(shown, "保存有效期").toast[0].value == "授权有效期已保存，又有 2 台器具分配成功"


def test_an_authorization_is_revoked_after_a_second_look(supervisor, owner, clerk, monkeypatch):
    booked(owner, 2)
    shown = tick(visit(monkeypatch, supervisor, "authorizations"), 0)
    assert "该机构现有 2 台未办结器具" in said(shown)
    assert next(one for one in shown.button if one.label == "撤销授权").disabled
    sound(shown.checkbox[0].check().run())
    shown = press(shown, "撤销授权")
    assert shown.toast[0].value == "授权已撤销；该机构还有 2 台未办结器具"
    with reading() as session:
        assert session.exec(select(Authorization)).one().revoked_at


def test_a_stale_authorization_is_not_overwritten(supervisor, clerk, monkeypatch):
    shown = tick(visit(monkeypatch, supervisor, "authorizations"), 0)
    with transaction() as session:
        row = session.exec(select(Authorization)).one()
        by = session.get(Account, supervisor.id)
        authorizations.change_validity(
            session, row.id, 1, by=by, valid_from=row.valid_from, valid_until=date(2028, 1, 1)
        )
    shown.date_input[1].set_value(date(2027, 1, 1))
    press(shown, "保存有效期")
    with reading() as session:
        assert session.exec(select(Authorization)).one().valid_until == date(2028, 1, 1)


def test_an_institution_is_added(supervisor, monkeypatch):
    shown = visit(monkeypatch, supervisor, "institutions")
    write(shown, "机构名称", "桐庐县计量检定所")
    shown = press(shown, "确定")
    assert "机构代号" in refusals(shown)[0]
    for label, text in (("机构代号", "TLJL"), ("地址", "迎春南路 1 号"), ("电话", "0571-64212345")):
        write(shown, label, text)
    assert press(shown, "确定").toast[0].value == "已保存 桐庐县计量检定所"
    with reading() as session:
        assert session.exec(select(Institution.code)).one() == "TLJL"


def test_an_institution_stops_and_takes_up_work(supervisor, owner, clerk, monkeypatch):
    shown = tick(visit(monkeypatch, supervisor, "institutions"), 0)
    shown = press(shown, "暂停业务")
    assert "已暂停业务" in shown.toast[0].value
    booked(owner)
    shown = visit(monkeypatch, supervisor, "unassigned")
    assert list(shown.dataframe[0].value["原因"]) == ["已授权的技术机构暂停业务"]
    shown = tick(visit(monkeypatch, supervisor, "institutions"), 0)
    assert "又有 1 台待预约器具分配成功" in press(shown, "恢复业务").toast[0].value


def test_the_ledger_of_the_area_is_searched_by_owner_too(busy, supervisor, monkeypatch):
    with transaction() as session:
        other = make_account(session, enterprise_id=make_enterprise(session, "浙江大学医院").id)
        make_instrument(session, other)
    assert total(visit(monkeypatch, supervisor, "instruments")) == 20
    assert total(visit(monkeypatch, supervisor, "instruments", text="浙江大学")) == 1
    shown = tick(visit(monkeypatch, supervisor, "instruments", text="浙江大学"), 0)
    link = next(one.proto for one in shown.get("page_link") if "的详情" in one.proto.label)
    assert "浙江大学医院" in said(
        visit(monkeypatch, supervisor, link.page, **dict(parse_qsl(link.query_string)))
    )


@pytest.mark.parametrize("page", ["instruments", "ledger"])
def test_words_beyond_the_fifth_are_told(busy, supervisor, owner, monkeypatch, page):
    viewer = owner if page == "ledger" else supervisor
    shown = visit(monkeypatch, viewer, page, text="压 力 表 锅 炉 房 *间*")
    assert "搜索最多用 5 个词，没有用到：房、\\*间\\*" in said(shown)
    assert "没有用到" not in said(visit(monkeypatch, viewer, page, text="压力 表"))


def test_the_ledger_is_narrowed_by_kind_and_place(busy, supervisor, monkeypatch):
    with reading() as session:
        known = kind(session)
        other = session.exec(select(Kind).where(Kind.category_id != known.category_id)).first()
    assert total(visit(monkeypatch, supervisor, "instruments", kind=f"c{known.category_id}")) == 19
    assert total(visit(monkeypatch, supervisor, "instruments", kind=str(other.id))) == 0
    assert total(visit(monkeypatch, supervisor, "instruments", division="none")) == 1


@pytest.mark.parametrize("division", ["abc", "000000", "３３０１０６", "33010"])
def test_an_unknown_address_narrows_nothing(busy, supervisor, monkeypatch, division):
    query = {"status": "gone", "due": "x", "division": division, "kind": "c"}
    assert total(visit(monkeypatch, supervisor, "instruments", **query)) == 19


def test_a_long_search_in_an_address_is_cut(busy, supervisor, monkeypatch):
    shown = visit(monkeypatch, supervisor, "lines", text="表" * 5000)
    assert len(shown.text_input[0].value) == 100
    assert "请放宽筛选" in said(shown)


def test_a_supervisor_books_for_an_enterprise(supervisor, owner, clerk, monkeypatch):
    with transaction() as session:
        make_instrument(session, owner)
        make_enterprise(session, "浙江大学医院")
    shown = visit(monkeypatch, supervisor, "on_behalf", text="明达")
    shown = tick(shown, 0)
    shown = tick(shown, 0, table=1)
    press(shown, "提交申请")
    with reading() as session:
        appointment = session.exec(select(Appointment)).one()
        assert (appointment.is_on_behalf, appointment.submitted_by_id) == (True, supervisor.id)


def test_what_somebody_booked_meanwhile_is_not_booked_twice(supervisor, owner, clerk, monkeypatch):
    with transaction() as session:
        instrument = make_instrument(session, owner)
    shown = tick(visit(monkeypatch, supervisor, "on_behalf"), 0)
    shown = tick(shown, 0, table=1)
    with transaction() as session:
        appointments.submit(session, owner.enterprise_id, [instrument.id], by=owner)
    press(shown, "提交申请")
    with reading() as session:
        assert len(session.exec(select(Appointment)).all()) == 1
        assert session.get(Instrument, instrument.id)


def test_an_enterprise_elsewhere_is_not_offered(owner, monkeypatch):
    with transaction() as session:
        there = make_account(session, Role.supervisor, division_code="330200")
    assert "没有找到使用单位" in said(visit(monkeypatch, there, "on_behalf"))


@pytest.mark.parametrize("name", ["institutions", "authorizations"])
def test_what_belongs_to_a_wider_area_is_only_shown(supervisor, clerk, monkeypatch, name):
    with transaction() as session:
        make_authorization(session, make_institution(session, "杭州市计量院", HANGZHOU), HANGZHOU)
        there = make_account(session, Role.supervisor, division_code=XIHU)
    shown = visit(monkeypatch, there, name)
    position = list(shown.dataframe[0].value.iloc[:, 0]).index("杭州市计量院")
    shown = tick(shown, position)
    assert "监管部门维护" in said(shown)
    assert not shown.button
