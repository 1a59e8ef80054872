"""What is typed in the form of an instrument, kept as a draft while it is open and found again after a loss.

The fields do not rerun the page, because a rerun closes the list that somebody has just opened. A fragment
beside them does so every few seconds: it draws nothing, so nothing closes.
"""

from typing import Any

import streamlit as st

from db import drafts
from db.engine import Session
from db.instrument_fields import plain, stored
from db.models import OWNERS, Account
from pages.parts import look, tables
from pages.parts.account import acting, is_previewed
from pages.parts.instrument_form import Form

EVERY = "3s"


def place(mode: str, enterprise_id: int, instrument_id: int) -> str:
    """The name of the draft of one form."""
    return f"entry-{mode}-{enterprise_id}-{instrument_id}"


def found(session: Session, place: str, account: Account) -> dict[str, Any]:
    """What a form was opened with and what was typed in it, as `keep` has left it; empty without a draft."""
    draft = drafts.find(session, place, by=account)
    if draft is None:
        return {}
    start, typed = (
        {field: stored(field, value) for field, value in draft.content[part].items()}
        for part in ("start", "typed")
    )
    at = tables.text("changed_at", draft.changed_at)
    return {"start": start, "typed": typed, "version": draft.content["version"], "kept_at": at}


def keep(form: Form, begun: dict[str, Any], place: str) -> None:
    """Let the draft hold what is typed, again and again until the form is left."""
    begun.setdefault("drafted", dict(form.typed))
    # Who only looks as somebody else leaves nothing behind.
    if is_previewed():
        return

    @st.fragment(run_every=EVERY)
    def watch() -> None:
        typed = form.now()
        if typed != begun["drafted"]:
            _save(place, begun, typed)
            begun["drafted"] = typed

    watch()


def _save(place: str, begun: dict[str, Any], typed: dict[str, Any]) -> None:
    parts = {"start": begun["start"], "typed": typed}
    content = {part: {field: plain(one) for field, one in all.items()} for part, all in parts.items()}
    with acting(*OWNERS) as (session, account):
        drafts.save(session, place, content | {"version": begun["version"]}, by=account)


def drop(place: str) -> None:
    """Forget what was typed."""
    with acting(*OWNERS) as (session, account):
        drafts.drop(session, place, by=account)


def is_given_up(begun: dict[str, Any], key: str) -> bool:
    """Say that the form shows what was typed before, if it does; whether that is to be thrown away."""
    if "kept_at" not in begun:
        return False
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        at = look.plain(begun["kept_at"])
        st.markdown(f":material/history: 已恢复未保存的内容（{at}），请核对后点击“确定”", width="content")
        return st.button("放弃", key=f"{key}-give-up")
