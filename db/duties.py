"""Duties: what an account must do in 个人中心 before it may do anything else."""

from datetime import timedelta

from sqlmodel import Session

from db import clock, settings, sign_ins
from db.models import STAFF, Account

CHANGE_PASSWORD = "请先在“个人中心”修改初始密码，再办理业务"
OLD_PASSWORD = "密码已使用超过 {days} 天，请先在“个人中心”修改密码，再办理业务"
BIND = "请先在“个人中心”绑定动态口令，再办理业务"


def obstacle(session: Session, account: Account) -> str | None:
    """The sentence that says what stands in the way, or None; the figures for staff are settings."""
    if account.must_change_password:
        return CHANGE_PASSWORD
    if account.role not in STAFF:
        return None
    days = settings.value(session, "staff_password_days")
    if days and account.password_changed_at < clock.now() - timedelta(days=days):
        return OLD_PASSWORD.format(days=days)
    if settings.value(session, "staff_code") and not sign_ins.has_authenticator(session, account.id):
        return BIND
    return None
