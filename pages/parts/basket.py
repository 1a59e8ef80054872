"""The instruments gathered for the next appointment of an enterprise, until they are submitted."""

from collections.abc import Iterable

import streamlit as st


def ids(enterprise_id: int) -> list[int]:
    """What has been gathered, in the order it was picked."""
    kept: list[int] = st.session_state.setdefault(f"basket-{enterprise_id}", [])
    return kept


def add(enterprise_id: int, more: Iterable[int]) -> None:
    """Put instruments to the others, each once."""
    kept = ids(enterprise_id)
    kept += [id for id in dict.fromkeys(more) if id not in kept]


def keep(enterprise_id: int, wanted: Iterable[int] = ()) -> None:
    """Keep only these."""
    st.session_state[f"basket-{enterprise_id}"] = list(wanted)
