"""审计日志: who did what, when and from where; to be read, exported and verified, never changed."""

from datetime import date
from functools import partial
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db import audit_log, audit_words
from db.models import Role
from pages.parts import look, narrowing, paging, tables
from pages.parts.account import acting, looking, signed_in
from pages.parts.export import FORMATS

PLACE = "audit"
CHECKING = "正在逐条核对 …"
COLUMNS = {
    "at": "时间",
    "who": "操作者",
    "action": "动作",
    "subject": "对象",
    "outcome": "结果",
    "sentence": "变更",
    "address": "网络地址",
}
WIDTHS = {
    "at": 145,
    "who": 170,
    "action": 150,
    "subject": 220,
    "outcome": 80,
    "sentence": 420,
    "address": 120,
}
OUTCOMES = {"1": "只看被拒绝的"}


def day(name: str, label: str) -> date | None:
    """A box for a day, which the address may name."""
    try:
        start = date.fromisoformat(st.query_params.get(name, ""))
    except ValueError:
        start = None
    return st.date_input(
        label, start, format="YYYY-MM-DD", width=150, key=f"{name}?{narrowing.signature()}", max_value="today"
    )


def word(name: str, label: str, placeholder: str, width: int) -> str:
    """A box for a word, which the address may name."""
    start = st.query_params.get(name, "")[:60]
    key = f"{name}?{narrowing.signature()}"
    return st.text_input(label, start, max_chars=60, placeholder=placeholder, width=width, key=key).strip()


def filters() -> audit_log.Filters:
    """The filters over the list."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        since, until = day("since", "从"), day("until", "到")
        account = word("account", "操作者", "账号或姓名", 150)
        action = word("action", "动作", "如：登录、通过、修改", 170)
        subject = narrowing.choice("subject", "对象", audit_words.SUBJECTS, width=150)
        address = word("address", "网络地址", "如：10.0.0.7", 140)
        refused = narrowing.choice("is_refused", "结果", OUTCOMES, width=140)
    return audit_log.Filters(
        since=since,
        until=until,
        account=account,
        action=action,
        subject=subject or "",
        address=address,
        operation=st.query_params.get("operation", "")[:16],
        is_refused=refused == "1",
    )


def tools(wanted: audit_log.Filters) -> None:
    """导出 and 校验日志."""
    with st.container(horizontal=True):
        with st.popover("导出", icon=":material/download:"):
            st.caption("导出当前筛选出的全部记录。导出本身也记入审计日志。")
            for ending, label in FORMATS.items():
                query = urlencode(audit_log.query(wanted))
                st.link_button(label, f"/exports/audit.{ending}?{query}", icon=":material/download:")
        if st.button(
            "校验日志", icon=":material/verified:", help="逐条核对摘要链，检查记录是否被改动、删除或调换"
        ):
            bar = st.progress(0.0, CHECKING)
            with looking(Role.administrator) as (session, account):
                found = audit_log.verify(session, by=account, report=partial(advance, bar))
            # Not in one transaction: on SQLite nobody else could write meanwhile.
            with acting(Role.administrator) as (session, account):
                audit_log.note_verification(session, *found, by=account)
            st.session_state["verified"] = found
            st.rerun()
    if "verified" in st.session_state:
        report(*st.session_state.pop("verified"))


def advance(bar: DeltaGenerator, count: int, total: int) -> None:
    """Move the bar of a verification."""
    bar.progress(min(count / total, 1.0), f"{CHECKING} 已核对 {count:,} / {total:,} 条")


def report(count: int, faults: list[str]) -> None:
    """What a verification found."""
    if not faults:
        st.success(f"已核对 {count:,} 条记录，日志完好，没有被改动、删除或调换。", icon=":material/verified:")
        return
    st.error("日志不完整，请保留现场，导出日志并联系运维人员，与备份核对：", icon=":material/error:")
    for sentence in faults:
        st.text(sentence)


def detail(row: audit_log.Row) -> None:
    """One entry in full."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{look.plain(row.action)}** {look.mark(row.outcome)}", width="content")
            st.text(" · ".join(filter(None, (tables.text("at", row.at), row.subject))), width="content")
        who = " ".join(filter(None, (row.role, row.full_name, row.username))) or "未登录者或系统"
        where = " · ".join(filter(None, (who, row.address and f"地址 {row.address}", row.place)))
        st.caption(look.plain(where))
        for sentence in row.changes:
            st.text(sentence)
        if row.note:
            st.text(f"说明：{row.note}")
        st.caption(f"第 {row.id} 条 · 操作编号 {row.operation or '无'} · 摘要 {row.digest[:16]}…")
        if row.operation and st.button("同一次操作的全部记录", icon=":material/list:", type="tertiary"):
            narrowing.go({"operation": row.operation})
            st.rerun()


signed_in(Role.administrator)
look.header("审计日志", "记录谁在何时从哪里做了什么，包括被拒绝的操作。日志只增不改，至少保存六个月。")
wanted = filters()
before = st.query_params.to_dict()
asked = audit_log.query(wanted)
is_same = all(before.get(name, "") == asked.get(name, "") for name in audit_log.NAMES)
spot = paging.asked(PLACE) if is_same else paging.FIRST
with looking(Role.administrator) as (session, account):
    leaf, number, is_all = audit_log.read(session, wanted, spot, by=account)
narrowing.keep(asked | paging.named(leaf.spot))
tools(wanted)
if wanted.operation:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"只显示操作 {look.plain(wanted.operation)} 的记录", width="content")
        if st.button("显示全部", type="tertiary"):
            narrowing.go({})
            st.rerun()
total = paging.Total(number, is_all)
paging.tell(leaf, total, audit_log.SIZE)
if not leaf.rows:
    look.empty("没有符合条件的记录，请放宽筛选")
    st.stop()
listed = [
    {
        **row.__dict__,
        "who": " ".join(filter(None, (row.role, row.full_name))) or "系统",
        "outcome": look.mark(row.outcome),
        "sentence": "；".join(row.changes) or row.note,
        "row": row,
    }
    for row in leaf.rows
]
key = f"audit-{hash(tuple(row.id for row in leaf.rows))}"
picked = tables.choosing(listed, COLUMNS, key, "审计日志", is_many=False, widths=WIDTHS)
paging.draw(PLACE, leaf, total, audit_log.SIZE)
if picked:
    detail(picked[0]["row"])
else:
    st.caption("选中一条，查看变更前后的内容。")
