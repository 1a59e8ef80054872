"""待发消息 on the screen, without a browser."""

import pytest

from db import notifications
from db.engine import reading, transaction
from db.models import Cause, Notification, Role
from tests.make import XIHU, make_account
from tests.screens import press, said, tick, visit

# Whole runs of pages take longer than a quick check may.
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_gateway(monkeypatch):
    """As in a pilot."""
    monkeypatch.delenv("YUEJIAN_SMS_URL", raising=False)
    monkeypatch.delenv("YUEJIAN_SMTP_HOST", raising=False)


@pytest.fixture
def reviewer(sqlite):
    """周晓雯, who reviews 杭州, with a code that waits to be told."""
    with transaction() as session:
        text = "验证码 {secret}，请勿告诉他人。"
        notifications.queue(
            session, "code-1", Cause.code, "13900001234", text, secret="493817", division_code=XIHU
        )
        return make_account(session, Role.reviewer, full_name="周晓雯")


def stored():
    with reading() as session:
        return session.get_one(Notification, 1)


def test_a_message_is_read_on_purpose_and_told(reviewer, monkeypatch):
    shown = visit(monkeypatch, reviewer, "outbox")
    assert "没有配置短信、邮件网关" in said(shown)
    assert list(shown.dataframe[0].value["收信人"]) == ["139****1234"]
    shown = tick(shown, 0)
    assert "493817" not in said(shown)
    shown = press(shown, "查看内容")
    assert "13900001234" in said(shown) and "验证码 493817" in said(shown)
    shown = press(shown, "已转告")
    assert stored().passed_on_by_id == reviewer.id
    assert "没有“待发送”的消息" in said(shown)
    told = visit(monkeypatch, reviewer, "outbox", state="passed_on")
    assert list(told.dataframe[0].value["转告人"]) == ["周晓雯"]
    assert "493817" not in str(told.dataframe[0].value)


def test_with_a_gateway_there_is_nothing_to_tell(reviewer, monkeypatch):
    monkeypatch.setenv("YUEJIAN_SMS_URL", "https://gateway.example.cn")
    shown = tick(visit(monkeypatch, reviewer, "outbox"), 0)
    assert "没有配置邮件网关" in said(shown)
    assert "正由网关发送" in said(shown)
    assert "查看内容" not in [one.label for one in shown.button]


@pytest.mark.parametrize("role", [Role.enterprise, Role.institution, Role.supervisor])
def test_only_reviewers_and_administrators_find_the_outbox(sqlite, monkeypatch, role):
    with transaction() as session:
        account = make_account(session, role)
    with pytest.raises(ValueError, match="not"):
        visit(monkeypatch, account, "outbox")
