"""The outbox: written with its cause, once, read and passed on by those it concerns, secrets wiped."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from db import audit, notifications
from db.engine import reading, transaction
from db.errors import NotFound, Refused
from db.models import Cause, Notification, Role
from db.notifications import NotificationState
from tests import make
from tests.conftest import NOW

MOBILE = "13900001234"
WAITING = NotificationState.waiting


@pytest.fixture(autouse=True)
def no_gateway(monkeypatch):
    """As in a pilot."""
    monkeypatch.delenv("YUEJIAN_SMS_URL", raising=False)
    monkeypatch.delenv("YUEJIAN_SMTP_HOST", raising=False)


@pytest.fixture
def reviewer(session):
    """A reviewer of 杭州."""
    return make.make_account(session, Role.reviewer)


def write(session, key="code-1", recipient=MOBILE, secret="493817", **values):
    """A code for somebody in 西湖区."""
    values.setdefault("division_code", make.XIHU)
    text = "验证码 {secret}，5 分钟内有效。"
    return notifications.queue(session, key, Cause.code, recipient, text, secret=secret, **values)


def stored(session, key="code-1"):
    session.expire_all()
    return session.exec(select(Notification).where(Notification.key == key)).one()


def later(patch, minutes):
    patch.setenv("YUEJIAN_NOW", (datetime.fromisoformat(NOW) + timedelta(minutes=minutes)).isoformat())


def test_one_cause_writes_one_message(session):
    assert write(session)
    assert not write(session, secret="000000")
    assert stored(session).secret == "493817"


def test_a_message_falls_with_the_transaction_of_its_cause(database):
    with pytest.raises(ZeroDivisionError), transaction() as session:
        write(session)
        raise ZeroDivisionError
    with reading() as session:
        assert session.exec(select(Notification)).all() == []


def test_two_messages_of_one_cause_have_references_of_their_own(session):
    write(session)
    write(session, "code-2")
    assert stored(session).reference != stored(session, "code-2").reference


def test_lists_show_neither_the_number_nor_the_code(session, reviewer):
    write(session)
    write(session, "code-2", "chen@example.cn")
    rows = notifications.page(session, by=reviewer, state=WAITING)
    assert [row["recipient"] for row in rows] == ["139****1234", "c***@example.cn"]
    assert "493817" not in str(rows) and MOBILE not in str(rows)
    assert notifications.counts(session, by=reviewer)[WAITING] == 2


def test_whoever_passes_it_on_reads_it_whole_and_is_noted_twice(session, reviewer):
    write(session)
    (row,) = notifications.page(session, by=reviewer, state=WAITING)
    recipient, text, _ = notifications.read(session, row["id"], by=reviewer)
    assert (recipient, text) == (MOBILE, "【约检台】验证码 493817，5 分钟内有效。")
    notifications.pass_on(session, row["id"], by=reviewer)
    acts = [(act["action"], act["account_id"]) for act in audit.waiting(session)]
    assert acts[-2:] == [("查看待发消息", reviewer.id), ("转告待发消息", reviewer.id)]
    assert "493817" not in str(audit.waiting(session))
    (told,) = notifications.page(session, by=reviewer, state=NotificationState.passed_on)
    assert (told["passed_on_by"], stored(session).secret) == (reviewer.full_name, "")
    for act in (notifications.read, notifications.pass_on):
        with pytest.raises(Refused, match="不需要再转告"):
            act(session, row["id"], by=reviewer)


def test_a_message_on_its_way_by_a_gateway_is_not_told_until_it_has_failed(session, reviewer, monkeypatch):
    monkeypatch.setenv("YUEJIAN_SMS_URL", "https://gateway.example.cn")
    write(session)
    row = stored(session)
    with pytest.raises(Refused, match="正由网关发送"):
        notifications.read(session, row.id, by=reviewer)
    row.given_up_at = row.created_at
    session.flush()
    assert notifications.counts(session, by=reviewer)[NotificationState.failed] == 1
    notifications.pass_on(session, row.id, by=reviewer)


def test_an_expired_code_is_neither_read_nor_kept(session, reviewer, monkeypatch):
    write(session, lasts=timedelta(minutes=5))
    later(monkeypatch, 5)
    with pytest.raises(Refused, match="已过期"):
        notifications.read(session, stored(session).id, by=reviewer)
    assert notifications.counts(session, by=reviewer)[NotificationState.expired] == 1
    notifications.forget_secrets(session)
    assert stored(session).secret == ""


def test_a_replaced_code_is_not_told_any_more(session, reviewer):
    write(session)
    notifications.cancel(session, "code-1")
    assert stored(session).secret == ""
    with pytest.raises(Refused, match="已过期"):
        notifications.read(session, stored(session).id, by=reviewer)


def test_administrators_see_all_and_reviewers_their_area(session, reviewer):
    write(session)
    write(session, "code-2", division_code=None)
    away = make.make_account(session, Role.reviewer, division_code="330108")
    everywhere = make.make_account(session, Role.reviewer, division_code=None)
    boss = make.make_account(session, Role.administrator)
    seen = [notifications.counts(session, by=by)[WAITING] for by in (reviewer, everywhere, boss)]
    assert seen == [1, 2, 2]
    assert notifications.page(session, by=away, state=WAITING) == []
    for act in (notifications.read, notifications.pass_on):
        with pytest.raises(NotFound):
            act(session, stored(session).id, by=away)


def test_a_code_for_staff_is_for_administrators_only(session):
    boss = make.make_account(session, Role.administrator)
    write(session, account_id=boss.id)
    everywhere = make.make_account(session, Role.reviewer, division_code=None)
    assert notifications.page(session, by=everywhere, state=WAITING) == []
    with pytest.raises(NotFound):
        notifications.read(session, stored(session).id, by=everywhere)
    assert notifications.read(session, stored(session).id, by=boss)[0] == MOBILE


@pytest.mark.parametrize("role", [Role.enterprise, Role.personal, Role.institution, Role.supervisor])
def test_nobody_else_sees_the_outbox(session, role):
    write(session)
    stranger = make.make_account(session, role)
    with pytest.raises(Refused, match="不能执行"):
        notifications.page(session, by=stranger, state=WAITING)
    with pytest.raises(Refused, match="不能执行"):
        notifications.counts(session, by=stranger)
    for act in (notifications.read, notifications.pass_on):
        with pytest.raises(Refused, match="不能执行"):
            act(session, stored(session).id, by=stranger)


def test_masks_hide_what_is_not_a_number_too():
    assert [notifications.masked(text) for text in ("12345678", "@b.cn")] == ["12****78", "***@b.cn"]
