"""改为后继项: a retired kind or division gives way to its successor, in all rows of one ledger at once."""

import streamlit as st

from db import bulk_edits, quality
from db.bulk_edits import Outcome
from db.models import OWNERS
from pages.parts import set_together
from pages.parts.account import acting


def button(enterprise_id: int, field: str, retired: int | str, successor: int | str, label: str) -> None:
    """Shows what would change, which `label` says in short, then asks whether to do it."""
    if st.button("改为后继项", icon=":material/find_replace:", key=f"successor-{retired}"):
        with acting(*OWNERS) as (session, account):
            ids = quality.holding(session, field, retired, by=account, enterprise_id=enterprise_id)
            outcome = bulk_edits.preview(session, enterprise_id, field, successor, ids, by=account)
        _ask(enterprise_id, field, ids, outcome, label)


def _ask(enterprise_id: int, field: str, ids: list[int], outcome: Outcome, label: str) -> None:
    @st.dialog("改为后继项", width="large")
    def dialog() -> None:
        st.text(label)
        set_together.tell(field, outcome)
        set_together.confirm(enterprise_id, field, outcome.value, ids, outcome)

    dialog()
