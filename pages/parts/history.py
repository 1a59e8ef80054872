"""变更历史: what changed in a record, by whom and when, in words; and 恢复 where the rules allow it."""

from collections.abc import Sequence

import streamlit as st

from db import history, workflow
from db.history import Change, Move
from db.models import OWNERS, Subject
from pages.parts import ledger_words, look, tables
from pages.parts.account import acting


def draw(changes: Sequence[Change], version: int | None) -> None:
    """The changes of an instrument, the newest first; with its `version`, a way back to each."""
    if not changes:
        st.caption("还没有变更记录")
    for change in changes:
        with st.container(border=True, gap="xxsmall"):
            _head(change, version)
            for sentence in ledger_words.changes(change.changes):
                st.text(sentence)
            if change.note:
                st.text(f"说明：{change.note}")


def _head(change: Change, version: int | None) -> None:
    who = " ".join(filter(None, (change.by_role or "系统", change.by_name)))
    at = tables.text("at", change.at)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{look.plain(change.action)}** · {at} · {look.plain(who)}", width="content")
        if version is None or change.id is None or not change.changes:
            return
        if st.button(
            "恢复",
            icon=":material/history:",
            type="tertiary",
            disabled=change.obstacle is not None,
            help=change.obstacle or "恢复到这次变更之前的内容",
            key=f"restore-{change.id}-{version}",
        ):
            _ask(change, change.id, version)


def _ask(change: Change, id: int, version: int) -> None:
    """Show what comes back before it does."""

    @st.dialog("恢复到变更之前")
    def dialog() -> None:
        st.caption("下列内容将改回这次变更之前的值，作为一次新的变更记入历史。")
        for field, (old, _) in change.changes.items():
            label = ledger_words.LABELS.get(field, field)
            st.text(f"{label}：改回 {ledger_words.value(field, old)}")
        if st.button("确定恢复", type="primary", key=f"restored-{id}"):
            with acting(*OWNERS) as (session, account):
                history.restore(session, id, version, by=account)
            look.flash("已恢复到变更之前的内容")
            st.rerun()

    dialog()


def moves(subject: Subject, found: Sequence[Move]) -> None:
    """办理经过: the moves of a registration or of an appointment's lines, oldest first, and why they stay."""
    for move in found:
        label = workflow.label_of(subject, move.action)
        status = workflow.STATUSES[subject][move.target].value
        many = f" {move.count} 台" if subject == Subject.line else ""
        nobody = "申请人" if subject == Subject.registration else "系统"
        who = " ".join(filter(None, (move.by_role or nobody, move.by_name, move.institution)))
        with st.container(border=True, gap="xxsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(look.badge(status), width="content")
                st.text(f"{label}{many} · {tables.text('at', move.at)} · {who}", width="content")
            for sentence in move.changes:
                st.text(sentence)
            if move.note:
                st.text(f"说明：{move.note}")
    st.caption(history.STAYS[subject])
