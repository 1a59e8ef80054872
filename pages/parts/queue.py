"""A queue of applications, one of which is open beside the list."""

from collections.abc import Sequence

import streamlit as st

SHOWN = "queue_shown"


def open_one(ids: Sequence[int], picked: int | None, place: str) -> int:
    """Which application to show: the one picked at `place`, else the one shown before, else the first.

    Once that one has gone from the list, decided here or by somebody else, nothing opens by itself: the
    second click on its button would decide the next.
    """
    last, at = st.session_state.get(SHOWN, (None, ""))
    is_here = at == place
    if picked is None and is_here and last not in ids:
        st.info("刚才打开的申请不在这一页，可能已经办理。请在上表中选中一条申请", icon=":material/touch_app:")
        st.stop()
    shown = picked if picked is not None else last if is_here else ids[0]
    st.session_state[SHOWN] = (shown, place)
    return shown
