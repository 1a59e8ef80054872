"""An edition of reference data, and how far it may be trusted."""

import streamlit as st

from db.models import Edition
from pages.parts import look, tables


def draw(edition: Edition) -> None:
    """Its name, whether it is official, since when it holds, and the note that says what it is."""
    mark = (
        ":green-badge[:material/verified: 官方]"
        if edition.is_official
        else ":orange-badge[:material/info: 非官方]"
    )
    with st.container(gap="xxsmall"):
        st.markdown(f"**{edition.dataset}** · {look.plain(edition.name)} {mark}")
        st.caption(f"生效日期 {tables.text('effective_on', edition.effective_on)}")
        st.text(edition.note)
