"""How things look the same on every page: the frame, statuses, messages, empty states."""

import re
from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from db.errors import Refused
from db.models import Account

NAME = "约检台"
PICTURES = Path(__file__).parent.parent / "edge" / "assets"
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")
# Addresses become links even where every sign is escaped, unless something that nobody sees divides them.
ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
DIVIDER = "\u2060"

# Color, icon and a sign for tables: a status never differs by its color alone.
STATUSES = {
    "待预约": ("orange", "hourglass_empty", "○"),
    "待受理": ("blue", "inbox", "◔"),
    "已受理": ("violet", "event_available", "◑"),
    "检定中": ("violet", "fact_check", "◕"),
    "已完成": ("green", "task_alt", "●"),
    "不予受理": ("red", "block", "✕"),
    "已取消": ("gray", "cancel", "－"),
    "待审核": ("blue", "hourglass_empty", "○"),
    "退回补正": ("orange", "undo", "↩"),
    "已通过": ("green", "task_alt", "●"),
    "不予通过": ("red", "block", "✕"),
    "待授权": ("blue", "hourglass_empty", "○"),
    "已授权": ("green", "task_alt", "●"),
    "已拒绝": ("red", "block", "✕"),
    "已撤销": ("gray", "cancel", "－"),
    "已解除": ("gray", "logout", "－"),
    "待审批": ("blue", "hourglass_empty", "○"),
    "已更正": ("green", "task_alt", "●"),
    "不予更正": ("red", "block", "✕"),
    "待核实": ("blue", "hourglass_empty", "○"),
    "已办理": ("green", "task_alt", "●"),
    "不予办理": ("red", "block", "✕"),
    "待检查": ("blue", "hourglass_empty", "○"),
    "排队中": ("blue", "hourglass_empty", "○"),
    "检查中": ("blue", "hourglass_top", "◔"),
    "待对应列": ("orange", "table", "○"),
    "检查中断": ("orange", "pause_circle", "○"),
    "待确认": ("blue", "pending_actions", "◔"),
    "已撤回": ("gray", "undo", "↩"),
    "无法读取": ("red", "error", "✕"),
    "已放弃": ("gray", "cancel", "－"),
    "在用": ("green", "play_circle", "●"),
    "成功": ("green", "task_alt", "●"),
    "拒绝": ("red", "block", "✕"),
    "停用": ("orange", "pause_circle", "○"),
    "封存": ("gray", "inventory", "◇"),
    "报废": ("gray", "delete", "✕"),
    "合格": ("green", "verified", "●"),
    "不合格": ("red", "dangerous", "✕"),
    "有效": ("green", "verified", "●"),
    "即将到期": ("orange", "schedule", "◔"),
    "已超期": ("red", "warning", "✕"),
}
UNKNOWN = ("gray", "label", "·")


def frame(title: str, account: Account | None, workplace: str) -> None:
    """What surrounds every page: the browser's title, the name of the product, who is signed in."""
    st.set_page_config(page_title=f"{title} · {NAME}", layout="wide")
    st.logo(PICTURES / "logo.svg", size="large")
    st.html(PICTURES / "frame.css")
    if account:
        with st.sidebar:
            _card(account, workplace)


def _card(account: Account, workplace: str) -> None:
    with st.container(border=True, gap="xxsmall"):
        st.markdown(f"**{plain(account.full_name)}** :gray-badge[{account.role}]")
        if workplace:
            st.caption(plain(workplace))
        # A plain link: it works even when the page has lost its connection.
        st.html('<a href="/auth/end" style="color: #14538a">退出登录</a>')


def header(title: str, note: str = "") -> None:
    """The name of the page, and in a sentence what is done here; both may name what visitors typed."""
    st.header(plain(title), anchor=False)
    if note:
        st.caption(plain(note))


def badge(status: str) -> str:
    """A status as Markdown, by color, icon and word: for `st.markdown` and labels."""
    color, icon, _sign = STATUSES.get(status, UNKNOWN)
    return f":{color}-badge[:material/{icon}: {status}]"


def mark(status: str) -> str:
    """A status as text, by sign and word: for the cells of a table."""
    return f"{STATUSES.get(status, UNKNOWN)[2]} {status}"


def empty(sentence: str, page: Page | None = None, label: str = "") -> None:
    """Say that there is nothing here yet, and offer the page where it begins."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.markdown(":gray[:material/inbox:]", width="content")
        st.text(sentence)
        if page:
            st.page_link(page, label=label or page.title, icon=":material/arrow_forward:")


def refusal(refused: Refused) -> None:
    """Say why it was refused, with the problem of each field below."""
    sentence, found = str(refused), list(refused.problems.values())
    if len(found) > 1 and sentence == "；".join(found):
        sentence = "有几处需要改正"
    lines = [plain(sentence), *(f"- {plain(problem)}" for problem in found if problem != sentence)]
    st.error("\n".join(lines), icon=":material/error:")


def problems(found: Mapping[str, str]) -> None:
    """Say over a form all that is wrong in it, if anything is."""
    if found:
        lines = [
            "请改正以下内容后再保存，已填写的内容都还在：",
            *(f"- {plain(one)}" for one in found.values()),
        ]
        st.error("\n".join(lines), icon=":material/error:")


def flash(text: str, icon: str = ":material/check_circle:") -> None:
    """A short message for the next run: one given right before `st.rerun()` would never appear."""
    st.session_state.setdefault("flashes", []).append((text, icon))


def show_flashes() -> None:
    """Show what `flash` has kept, once."""
    for text, icon in st.session_state.pop("flashes", []):
        st.toast(plain(text), icon=icon)


def plain(text: str) -> str:
    """Text that visitors typed, for a place that would read it as Markdown: no links, no looks of its own."""
    return MARKDOWN.sub(r"\\\1", ADDRESS.sub(DIVIDER, text))


def welcome(sentence: str) -> None:
    """The product by icon and name, over what a visitor does first."""
    st.html(PICTURES / "welcome.css")
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.image(PICTURES / "icon.svg", width=52)
        st.title(NAME, anchor=False, width="content")
    st.caption(sentence, text_alignment="center")


def showcase(people: tuple[tuple[str, str, str], ...], password: str) -> None:
    """The accounts of the demo, for everybody to try."""
    with st.container(border=True, key="showcase"):
        st.markdown(f"**演示账号**，密码都是 `{password}`")
        rows = [f"| `{username}` | {role} | {what} |" for username, role, what in people]
        st.markdown("\n".join(["| 账号 | 身份 | 可以试什么 |", "|---|---|---|", *rows]))
