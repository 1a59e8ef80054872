"""The pages: who sees which, under what name and address."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st
from streamlit.navigation.page import Page

from db import accounts
from db.engine import reading
from db.models import OWNERS, Account, Role

FOLDER = Path(__file__).parent.parent
EVERYBODY = tuple(Role)
INSTITUTION = (Role.institution,)
WATCHERS = (Role.supervisor, Role.reviewer)
SUPERVISOR = (Role.supervisor,)
ADMINISTRATOR = (Role.administrator,)
RECOVERERS = (Role.reviewer, Role.administrator)
READERS = (*OWNERS, *WATCHERS)
VISITORS: tuple[Role, ...] = ()


class Entry(NamedTuple):
    """A page; `name` is also its address. The first one in a role's menu is its home page."""

    name: str
    file: str
    title: str
    icon: str
    roles: tuple[Role, ...]
    section: str = ""
    is_hidden: bool = False


PAGES = (
    Entry("sign_in", "public/sign_in.py", "登录", "login", VISITORS),
    Entry("register", "public/register.py", "企业注册", "domain_add", VISITORS, "注册"),
    Entry("register_person", "public/register_person.py", "个人注册", "person_add", VISITORS, "注册"),
    Entry("follow", "public/follow.py", "注册进度查询", "manage_search", VISITORS, "注册"),
    Entry("recover", "public/recover.py", "忘记密码", "lock_reset", VISITORS, "", True),
    Entry("enterprise_home", "enterprise/home.py", "首页", "home", OWNERS),
    Entry("ledger", "enterprise/ledger.py", "强检器具台账维护", "inventory_2", OWNERS, "强检业务"),
    Entry("instrument", "enterprise/instrument.py", "器具详情", "straighten", READERS, "强检业务", True),
    Entry(
        "imports", "enterprise/imports.py", "强制检定器具信息导入", "upload_file", OWNERS, "强检业务", True
    ),
    Entry("ledger_quality", "enterprise/quality.py", "数据质量", "rule", OWNERS, "强检业务", True),
    Entry("appointments", "enterprise/appointments.py", "强检器具预约申请", "event_note", OWNERS, "强检业务"),
    Entry(
        "new_appointment", "enterprise/new_appointment.py", "新增预约单", "add_task", OWNERS, "强检业务", True
    ),
    Entry(
        "receipt",
        "enterprise/receipt.py",
        "预约单详情",
        "receipt_long",
        (*OWNERS, Role.supervisor),
        "强检业务",
        True,
    ),
    Entry("corrections", "enterprise/corrections.py", "更正申请", "edit_calendar", OWNERS, "强检业务"),
    Entry("institution_home", "institution/home.py", "首页", "home", INSTITUTION),
    Entry("acceptance", "institution/acceptance.py", "预约受理", "inbox", INSTITUTION, "检定业务"),
    Entry("verification", "institution/verification.py", "检定与结果", "fact_check", INSTITUTION, "检定业务"),
    Entry(
        "certificates",
        "institution/certificates.py",
        "检定记录",
        "workspace_premium",
        INSTITUTION,
        "检定业务",
    ),
    Entry("bureau_home", "bureau/home.py", "首页", "home", WATCHERS),
    # Before the pages that administrators share with reviewers.
    Entry("admin_home", "admin/home.py", "首页", "home", ADMINISTRATOR),
    Entry("registrations", "bureau/registrations.py", "注册审核", "how_to_reg", WATCHERS, "业务办理"),
    Entry("recoveries", "bureau/recoveries.py", "找回申请", "key", RECOVERERS, "业务办理"),
    Entry("outbox", "bureau/outbox.py", "待发消息", "outbox", RECOVERERS, "业务办理"),
    Entry("unassigned", "bureau/unassigned.py", "待指派", "assignment_late", SUPERVISOR, "业务办理"),
    Entry("correction_review", "bureau/corrections.py", "更正审批", "edit_calendar", SUPERVISOR, "业务办理"),
    Entry("on_behalf", "bureau/on_behalf.py", "代办预约", "support_agent", SUPERVISOR, "业务办理"),
    Entry("board", "bureau/board.py", "状态看板", "monitoring", WATCHERS, "监督"),
    Entry("lines", "bureau/lines.py", "预约明细", "list_alt", WATCHERS, "监督"),
    Entry("instruments", "bureau/instruments.py", "器具台账", "inventory_2", WATCHERS, "监督"),
    Entry("quality", "bureau/quality.py", "数据质量", "rule", WATCHERS, "监督"),
    Entry("authorizations", "bureau/authorizations.py", "授权管理", "verified_user", SUPERVISOR, "机构"),
    Entry("institutions", "bureau/institutions.py", "技术机构", "apartment", SUPERVISOR, "机构"),
    Entry("accounts", "admin/accounts.py", "账户管理", "group", ADMINISTRATOR, "系统管理"),
    Entry("calendar", "admin/calendar.py", "工作日", "calendar_month", ADMINISTRATOR, "系统管理"),
    Entry("reference", "admin/reference.py", "基础数据", "database", ADMINISTRATOR, "系统管理"),
    Entry("editions", "admin/editions.py", "基础数据版本", "upload_file", ADMINISTRATOR, "系统管理", True),
    Entry("audit", "admin/audit.py", "审计日志", "policy", ADMINISTRATOR, "系统管理"),
    Entry("settings", "admin/settings.py", "系统设置", "settings", ADMINISTRATOR, "系统管理"),
    Entry("profile", "public/profile.py", "个人中心", "person", EVERYBODY, "我的"),
)
FIRST_ACCOUNT = Entry("first_account", "admin/first_account.py", "首次使用", "admin_panel_settings", VISITORS)
BY_NAME = {entry.name: entry for entry in PAGES}


def page(name: str) -> Page:
    """A page of the table by its name, for `st.switch_page` and `st.page_link`."""
    return _shown(BY_NAME[name])


def open_for(account: Account | None) -> Page:
    """The page this visitor has asked for, among those they may see; call it in every run."""
    if account is None:
        return st.navigation(_for_visitors(), position="top")
    return st.navigation(_for_account(account))


def public() -> list[Entry]:
    """The pages that need no sign-in, the sign-in page first."""
    return [entry for entry in BY_NAME.values() if not entry.roles]


def _for_visitors() -> dict[str, list[Page]]:
    with reading() as session:
        is_first_start = accounts.is_empty(session)
    listed = [FIRST_ACCOUNT] if is_first_start else public()
    sections = _sections(listed)
    # At the address of any other page a visitor finds the door, and is shown in there afterwards.
    away = [entry for entry in BY_NAME.values() if entry not in listed]
    sections[""] += [_shown(listed[0], url_path=entry.name, visibility="hidden") for entry in away]
    return sections


def _for_account(account: Account) -> dict[str, list[Page]]:
    if account.must_change_password:
        return _sections([BY_NAME["profile"]])
    return _sections([entry for entry in BY_NAME.values() if account.role in entry.roles])


def _sections(entries: list[Entry]) -> dict[str, list[Page]]:
    home = next(entry for entry in entries if not entry.is_hidden)
    sections: dict[str, list[Page]] = {"": []}
    for entry in entries:
        visibility = "hidden" if entry.is_hidden else "visible"
        shown = _shown(entry, default=entry is home, visibility=visibility)
        sections.setdefault(entry.section, []).append(shown)
    return sections


def _shown(entry: Entry, **options) -> Page:
    options.setdefault("url_path", entry.name)
    icon = f":material/{entry.icon}:"
    return st.Page(FOLDER / entry.file, title=entry.title, icon=icon, **options)
