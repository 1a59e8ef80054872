"""约检台 Yuejian: what the server starts, and the script that runs for every visitor."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:  # imported by the server
    from pages.edge.server import build

    app = st.App(__file__, **build())
else:
    from db.errors import Refused
    from pages.parts import look, navigation, preview
    from pages.parts.account import current, is_previewed, note

    account, workplace = current()
    page = navigation.open_for(account)
    st.session_state["place"] = page.title
    look.frame(page.title, account, workplace)
    look.show_flashes()
    preview.banner(account, is_previewed())
    try:
        page.run()
    except Refused as refusal:
        note(refusal)
        look.refusal(refusal)
        # An end like this keeps what was typed into widgets that this run did not reach.
        st.stop()
