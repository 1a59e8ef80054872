"""Sign-ins: locks, tickets, tokens, and their ends."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pytest

from db import accounts, audit, passwords, settings, sign_ins
from db.engine import transaction
from db.errors import NotFound, Refused
from db.models import Account, Role, SignIn
from tests.conftest import NOW
from tests.make import PASSWORD_HASH, make_account, make_enterprise

HERE, ELSEWHERE = "10.1.2.3", "10.9.9.9"


@pytest.fixture
def later(monkeypatch):
    """Sets the clock so many minutes after the moment the tests start from."""

    def move(minutes: float):
        moment = datetime.fromisoformat(NOW) + timedelta(minutes=minutes)
        monkeypatch.setenv("YUEJIAN_NOW", moment.isoformat())

    return move


@pytest.fixture
def wang(session):
    return make_account(session, username="wang", full_name="王芳")


def signed_in(session, username="wang"):
    return sign_ins.redeem(session, sign_ins.begin(session, username, PASSWORD_HASH, HERE, "Chrome"))


def fail(session, times, username="wang", address=HERE):
    for _ in range(times):
        sign_ins.credential(session, username, address)


def test_a_known_name_gets_its_hash_however_it_is_typed(session, wang):
    for typed in ("wang", "WANG", " Wang ", "ｗａｎｇ"):
        assert sign_ins.credential(session, typed, HERE) == PASSWORD_HASH


def test_unknown_and_suspended_names_get_the_dummy_hash(session, wang):
    wang.is_active = False
    session.flush()
    for name in ("nobody", "wang", "王" * 100, "no\0body", "'; --"):
        assert sign_ins.credential(session, name, HERE) == passwords.DUMMY_HASH


def test_the_sixth_try_is_refused_with_the_minutes_to_wait(session, wang, later):
    fail(session, 5)
    later(5)
    with pytest.raises(Refused, match="请 10 分钟后再试"):
        sign_ins.credential(session, "wang", ELSEWHERE)


def test_an_unknown_name_is_locked_in_the_same_words(session, wang):
    sentences = []
    for name in ("wang", "nobody"):
        fail(session, 5, name)
        with pytest.raises(Refused) as refusal:
            sign_ins.credential(session, name, HERE)
        sentences.append(str(refusal.value))
    assert sentences[0] == sentences[1]


def test_a_lock_ends_after_a_quarter_of_an_hour_and_tries_meanwhile_do_not_prolong_it(session, wang, later):
    fail(session, 5)
    for minutes in (3, 6, 9, 14):
        later(minutes)
        with pytest.raises(Refused):
            sign_ins.credential(session, "wang", HERE)
    later(15)
    assert sign_ins.credential(session, "wang", HERE) == PASSWORD_HASH


def test_a_success_forgives_the_failures_of_the_name(session, wang):
    for _ in range(4):
        fail(session, 4)
        sign_ins.credential(session, "wang", HERE)
        signed_in(session)
    fail(session, 5)
    with pytest.raises(Refused):
        sign_ins.credential(session, "wang", HERE)


def test_one_success_does_not_forgive_another_name(session, wang):
    fail(session, 5, "chen")
    signed_in(session)
    with pytest.raises(Refused):
        sign_ins.credential(session, "chen", HERE)


def test_an_address_is_locked_after_thirty_names(session, wang):
    for number in range(30):
        fail(session, 1, f"guess{number}")
    with pytest.raises(Refused, match="分钟后再试"):
        sign_ins.credential(session, "wang", HERE)
    assert sign_ins.credential(session, "wang", ELSEWHERE) == PASSWORD_HASH


def test_successes_do_not_count_against_an_address(session, wang):
    for _ in range(40):
        sign_ins.credential(session, "wang", HERE)
        signed_in(session)
    assert sign_ins.credential(session, "wang", HERE) == PASSWORD_HASH


def test_visitors_without_an_address_are_not_taken_for_one(session, wang):
    for number in range(40):
        fail(session, 1, f"guess{number}", address="")
    assert sign_ins.credential(session, "wang", "") == PASSWORD_HASH


def test_many_guesses_at_once_do_not_pass_the_limit(database):
    def guess(_):
        try:
            with transaction() as session:
                return bool(sign_ins.credential(session, "wang", HERE))
        except Refused:
            return False

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(guess, range(64))) == 5


def test_a_failure_can_be_noted_by_itself(session, wang):
    for _ in range(5):
        sign_ins.note_failure(session, "Wang", HERE)
    with pytest.raises(Refused):
        sign_ins.credential(session, "wang", HERE)


def test_begin_refuses_who_has_no_active_account(session, wang):
    with pytest.raises(Refused, match="账号或密码不正确"):
        sign_ins.begin(session, "nobody", PASSWORD_HASH, HERE, "Chrome")
    wang.is_active = False
    session.flush()
    with pytest.raises(Refused, match="账号或密码不正确"):
        sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome")


def test_a_password_changed_while_it_was_checked_begins_nothing(session, wang):
    checked = sign_ins.credential(session, "wang", HERE)
    accounts.set_password(session, wang, "Another-2026!")
    with pytest.raises(Refused, match="账号或密码不正确"):
        sign_ins.begin(session, "wang", checked, HERE, "Chrome")
    assert sign_ins.of_account(session, wang.id) == []
    assert sign_ins.begin(session, "wang", wang.password_hash, HERE, "Chrome")


def test_a_password_changed_at_the_same_moment_leaves_no_sign_in(database):
    with transaction() as session:
        wang = make_account(session, username="wang")
    started = Event()

    def enter():
        with transaction() as session:
            started.set()
            return sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome")

    with ThreadPoolExecutor(1) as threads:
        with transaction() as session:
            accounts.set_password(session, session.get_one(Account, wang.id), "Another-2026!")
            entering = threads.submit(enter)
            started.wait(1)
            time.sleep(0.3)
        with pytest.raises(Refused, match="账号或密码不正确"):
            entering.result()


def test_a_ticket_becomes_a_token_once(session, wang):
    ticket = sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome")
    token = sign_ins.redeem(session, ticket)
    assert sign_ins.account_of(session, token).id == wang.id
    with pytest.raises(Refused, match="重新登录"):
        sign_ins.redeem(session, ticket)


def test_a_ticket_can_be_asked_about_without_using_it(session, wang, later):
    ticket, other = (sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome") for _ in range(2))
    assert sign_ins.is_ticket(session, ticket) and sign_ins.is_ticket(session, ticket)
    sign_ins.redeem(session, ticket)
    assert not any(sign_ins.is_ticket(session, one) for one in (ticket, "made-up", ""))
    later(30 / 60)
    assert not sign_ins.is_ticket(session, other)


def test_a_ticket_is_no_token_and_a_token_no_ticket(session, wang):
    ticket = sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome")
    assert sign_ins.account_of(session, ticket) is None
    with pytest.raises(Refused):
        sign_ins.redeem(session, signed_in(session))


def test_a_ticket_lasts_half_a_minute(session, wang, later):
    fresh, stale = (sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome") for _ in range(2))
    later(29 / 60)
    sign_ins.redeem(session, fresh)
    later(30 / 60)
    with pytest.raises(Refused):
        sign_ins.redeem(session, stale)


@pytest.mark.parametrize("ticket", ["", "made-up", "x" * 10_000])
def test_a_made_up_ticket_is_refused(session, wang, ticket):
    sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome")
    with pytest.raises(Refused):
        sign_ins.redeem(session, ticket)


def test_only_hashes_are_stored(session, wang):
    ticket = sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome")
    token = sign_ins.redeem(session, ticket)
    row = sign_ins.of_account(session, wang.id)[0]
    assert len(token) >= 43
    assert {ticket, token}.isdisjoint(str(value) for value in row.model_dump().values())


@pytest.mark.parametrize("token", ["", "made-up"])
def test_nobody_is_signed_in_with_a_made_up_token(session, wang, token):
    signed_in(session)
    assert sign_ins.account_of(session, token) is None


def test_a_sign_in_ends_when_idle_for_half_an_hour(session, wang, later):
    token = signed_in(session)
    later(29)
    assert sign_ins.account_of(session, token)
    later(30)
    assert sign_ins.account_of(session, token) is None


def test_use_keeps_a_sign_in_alive_for_twelve_hours_at_most(session, wang, later):
    token = signed_in(session)
    for minutes in range(20, 12 * 60, 20):
        later(minutes)
        sign_ins.touch(session, token)
        assert sign_ins.account_of(session, token)
    later(12 * 60)
    assert sign_ins.account_of(session, token) is None


def test_touch_does_not_revive_what_has_ended(session, wang, later):
    token = signed_in(session)
    later(31)
    sign_ins.touch(session, token)
    assert sign_ins.account_of(session, token) is None


def test_touch_writes_once_a_minute(session, wang, later):
    token = signed_in(session)
    seen = sign_ins.of_account(session, wang.id)[0].seen_at
    later(0.9)
    assert not sign_ins.standing(session, token)[1]
    sign_ins.touch(session, token)
    assert sign_ins.of_account(session, wang.id)[0].seen_at == seen
    later(1)
    assert sign_ins.standing(session, token)[1]
    sign_ins.touch(session, token)
    assert sign_ins.of_account(session, wang.id)[0].seen_at > seen


def test_a_suspended_account_is_signed_out_at_once(session, wang):
    token = signed_in(session)
    wang.is_active = False
    session.flush()
    assert sign_ins.account_of(session, token) is None


def test_signing_out_ends_one_browser_only(session, wang):
    office, phone = signed_in(session), signed_in(session)
    sign_ins.end(session, office)
    assert sign_ins.account_of(session, office) is None
    assert sign_ins.account_of(session, phone)
    sign_ins.end(session, "never signed in")


def test_one_of_ones_own_sign_ins_is_ended_and_nobody_elses(session, wang):
    chen = make_account(session, username="chen")
    office, phone = signed_in(session), signed_in(session)
    rows = {row.token_hash: row.id for row in sign_ins.of_account(session, wang.id)}
    with pytest.raises(NotFound):
        sign_ins.end_one(session, rows[sign_ins.digest(phone)], by=chen)
    sign_ins.end_one(session, rows[sign_ins.digest(phone)], by=wang)
    assert sign_ins.account_of(session, phone) is None
    assert sign_ins.account_of(session, office)
    with pytest.raises(NotFound):
        sign_ins.end_one(session, rows[sign_ins.digest(phone)], by=wang)


def test_ending_ones_own_sign_ins_is_in_the_audit_log(session, wang):
    signed_in(session), signed_in(session)
    audit.waiting(session).clear()
    sign_ins.end_one(session, sign_ins.of_account(session, wang.id)[0].id, by=wang)
    sign_ins.end_mine(session, by=wang)
    noted = [
        (one["action"], one["account_id"], one["subject_id"], one["note"]) for one in audit.waiting(session)
    ]
    assert noted == [
        ("退出登录", wang.id, wang.id, f"{HERE} 的登录"),
        ("退出登录", wang.id, wang.id, "全部退出"),
    ]


def test_the_figures_are_settings(session, wang, later):
    administrator = make_account(session, Role.administrator)
    figures = {"idle_minutes": 10, "signed_in_hours": 1, "sign_in_failures": 3, "lock_minutes": 60}
    settings.save(session, figures, by=administrator)
    idle, busy = signed_in(session), signed_in(session)
    fail(session, 3, "chen")
    for minutes in (8, 16, 24, 32, 40, 48, 56):
        later(minutes)
        sign_ins.touch(session, busy)
    assert sign_ins.account_of(session, idle) is None
    assert sign_ins.account_of(session, busy)
    with pytest.raises(Refused, match="请 4 分钟后再试"):
        sign_ins.credential(session, "chen", ELSEWHERE)
    later(60)
    assert sign_ins.account_of(session, busy) is None
    sign_ins.credential(session, "chen", ELSEWHERE)


def test_all_sign_ins_end_but_the_one_named(session, wang):
    other = make_account(session, username="chen")
    mine, phone = signed_in(session), signed_in(session)
    theirs = signed_in(session, "chen")
    ticket = sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome")
    sign_ins.end_all(session, wang.id, except_token=mine)
    assert sign_ins.account_of(session, mine)
    assert sign_ins.account_of(session, phone) is None
    assert sign_ins.account_of(session, theirs).id == other.id
    with pytest.raises(Refused):
        sign_ins.redeem(session, ticket)
    sign_ins.end_all(session, wang.id)
    assert sign_ins.account_of(session, mine) is None


def test_an_account_lists_the_sign_ins_that_hold(session, wang, later):
    first, second = signed_in(session), signed_in(session)
    sign_ins.end(session, signed_in(session))
    sign_ins.begin(session, "wang", PASSWORD_HASH, HERE, "Chrome")
    later(2)
    sign_ins.touch(session, first)
    listed = [row.token_hash for row in sign_ins.of_account(session, wang.id)]
    assert listed == [sign_ins.digest(first), sign_ins.digest(second)]


def test_very_long_names_of_browser_and_address_are_cut(session, wang):
    sign_ins.credential(session, "wang", "1" * 500)
    sign_ins.redeem(session, sign_ins.begin(session, "wang", PASSWORD_HASH, "1" * 500, "Mozilla" * 500))
    row: SignIn = sign_ins.of_account(session, wang.id)[0]
    assert len(row.agent) == 200
    assert len(row.address) == 60


def test_the_workplace_is_the_enterprise_or_institution(session, wang):
    enterprise = make_enterprise(session, name="杭州明达锅炉厂")
    wang.enterprise_id = enterprise.id
    assert sign_ins.workplace(session, wang) == "杭州明达锅炉厂"
    wang.enterprise_id = wang.institution_id = None
    assert sign_ins.workplace(session, wang) == ""
