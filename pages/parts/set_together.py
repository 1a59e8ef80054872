"""批量修改: one field, one value, for the rows picked or for all that match the filters. Previewed first."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from db import bulk_edits, clock, fields, instrument_fields
from db.bulk_edits import Outcome, Scope
from db.ledger import Filters
from db.models import OWNERS
from pages.parts import choices, ledger_words, look, tables
from pages.parts.account import acting
from pages.parts.grid_cells import name_of

PICKED, MATCHING = "picked", "matching"
SAMPLE = {"instrument": "器具", "before": "原来", "after": "改为"}
REFUSED = {"count": "台数", "why": "不能修改的原因", "examples": "例如"}
# Twins named over the button.
MOST = 5
OUTCOME = "set_together_preview"


def button(enterprise_id: int, wanted: Filters, picked: Sequence[Any], is_open: bool = True) -> None:
    """Opens the dialog; `wanted` are the filters of the list, `picked` the rows ticked in it."""
    if st.button("批量修改", disabled=not is_open, icon=":material/checklist:", width="stretch"):
        _ask(enterprise_id, wanted, [row.id for row in picked])


def _ask(enterprise_id: int, wanted: Filters, ids: Sequence[int]) -> None:
    @st.dialog("批量修改", width="large")
    def dialog() -> None:
        scope = _scope(wanted, ids)
        field = st.selectbox(
            "修改哪一项",
            bulk_edits.SETTABLE,
            format_func=lambda one: instrument_fields.LABELS[one],
            key="together-field",
        )
        value = _value(field)
        asked = (enterprise_id, field, value, tuple(scope) if isinstance(scope, Sequence) else scope)
        # What was shown for something else is not what would be done.
        outcome = _shown(asked)
        toolbar = st.container(horizontal=True)
        if toolbar.button("预览", key="together-preview"):
            with acting(*OWNERS) as (session, account):
                outcome = bulk_edits.preview(session, enterprise_id, field, value, scope, by=account)
            st.session_state[OUTCOME] = (asked, outcome)
        if outcome:
            is_sure = _is_sure(outcome)
            with toolbar:
                confirm(enterprise_id, field, value, scope, outcome, is_sure)
            tell(field, outcome)

    dialog()


def _shown(asked: tuple[Any, ...]) -> Outcome | None:
    kept, outcome = st.session_state.get(OUTCOME, (None, None))
    return outcome if kept == asked else None


def _scope(wanted: Filters, ids: Sequence[int]) -> Scope:
    is_all = wanted == Filters(enterprise_id=wanted.enterprise_id)
    words = {
        PICKED: f"选中的 {len(ids)} 台",
        MATCHING: "台账中的全部器具" if is_all else "符合当前筛选的全部器具（包括其他页）",
    }
    options = [PICKED, MATCHING] if ids else [MATCHING]
    chosen = st.radio(
        "修改哪些器具", options, format_func=lambda one: words[one], horizontal=True, key="together-scope"
    )
    return ids if chosen == PICKED else wanted


def _value(field: str) -> Any:
    label, key = "改为", f"together-value-{field}"
    if field == "kind_id":
        return choices.kind(key)
    if field == "division_code":
        return choices.division(key, label)
    if field in instrument_fields.CHOICES:
        options = list(instrument_fields.CHOICES[field])
        return st.selectbox(
            label, options, index=None, placeholder="请选择", format_func=lambda one: one.value, key=key
        )
    if field in instrument_fields.DAYS:
        return st.date_input(
            label,
            None,
            min_value=fields.EARLIEST,
            max_value=clock.today(),
            format="YYYY-MM-DD",
            key=key,
        )
    hint = None if field in instrument_fields.REQUIRED else "留空则清除原来的内容"
    return st.text_input(label, max_chars=instrument_fields.TEXTS[field], placeholder=hint, key=key)


def tell(field: str, outcome: Outcome) -> None:
    """What would change, what would not and why, and the first rows that change."""
    refused = sum(one.count for one in outcome.refused)
    with st.container(horizontal=True):
        st.metric("将修改", f"{outcome.changed:,} 台", width="stretch")
        st.metric("已是这个值", f"{outcome.unchanged:,} 台", width="stretch")
        st.metric("不能修改", f"{refused:,} 台", width="stretch")
    if outcome.sample:
        rows = [
            {
                "instrument": name_of(vars(one)),
                "before": ledger_words.value(field, one.before),
                "after": ledger_words.value(field, outcome.value),
            }
            for one in outcome.sample
        ]
        more = f"，以下是其中 {len(rows)} 台" if outcome.changed > len(rows) else ""
        st.caption(f"修改前后对照{more}")
        tables.listing(rows, SAMPLE, "修改前后对照", height=min(38 + 35 * len(rows), 213))
    if outcome.refused:
        rows = [vars(one) | {"examples": "、".join(one.examples[:3])} for one in outcome.refused]
        tables.listing(rows, REFUSED, "不能修改的器具")


def _is_sure(outcome: Outcome) -> bool:
    """Ask whether what would be like other instruments is no second entry of them, if there is any."""
    if not (twins := outcome.twins):
        return True
    more = f" 等 {twins.count:,} 台" if twins.count > MOST else ""
    listed = look.plain("、".join(twins.examples[:MOST]) + more)
    st.warning(f"{listed} {twins.why}", icon=":material/content_copy:")
    return st.checkbox("确认不是重复录入，仍然修改", key=f"together-twins-{outcome.seal}")


def confirm(
    enterprise_id: int, field: str, value: Any, scope: Scope, outcome: Outcome, is_sure: bool = True
) -> None:
    """The button that does what `outcome` foretells, and only that."""
    is_open = outcome.changed > 0
    label = f"确定修改 {outcome.changed:,} 台" if is_open else "没有需要修改的器具"
    if st.button(label, type="primary", disabled=not (is_open and is_sure), key="together-confirm"):
        with acting(*OWNERS) as (session, account):
            done = bulk_edits.set_together(
                session, enterprise_id, field, value, scope, by=account, expected=outcome.seal
            )
        st.session_state.pop(OUTCOME, None)
        look.flash(f"已修改 {done.changed:,} 台器具的“{instrument_fields.LABELS[field]}”，可在“批次”中撤回")
        st.rerun()
