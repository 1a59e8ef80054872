"""流程状态: the history of a line or a registration, in words."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from db import workflow
from db.models import Subject
from pages.parts import look, tables


def draw(subject: Subject, moves: Iterable[Any], is_public: bool = False) -> None:
    """The moves, oldest first: status, act, who, when, and why; the public reads no names of staff."""
    nobody = "申请人" if subject == Subject.registration else "系统"
    for move in moves:
        status = workflow.STATUSES[subject][move.target]
        label = workflow.label_of(subject, move.action)
        who = " ".join(
            filter(None, (move.by_role or nobody, "" if is_public else move.by_name, move.institution))
        )
        with st.container(border=True, gap="xxsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(look.badge(status.value), width="content")
                st.text(f"{label} · {tables.text('at', move.at)}", width="content")
            st.caption(look.plain(who))
            if move.note:
                st.text(move.note)
