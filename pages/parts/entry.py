"""From an empty form to a saved instrument: 新增, 复制 and 修改 of one row of the ledger.

Which form is open stands in the address, so that a reload opens it again. What the row held when the form
was opened is kept while it is open: only what was changed is saved, and a colleague's change is noticed.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from db import drafts, instruments, ledger, reach
from db.instrument_fields import LABELS
from db.models import OWNERS, Enterprise, InstrumentType, Origin
from pages.parts import entry_draft, ledger_words, look, tables
from pages.parts.account import acting, looking
from pages.parts.instrument_form import Form, start_of

TITLES = {"new": "器具新增", "copy": "器具复制", "edit": "器具修改"}
BACK = "ledger_query"
STALE = "version"
DIFFERENCES = {"label": "项目", "before": "原来", "theirs": "他人改为", "mine": "我填写的"}


def asked() -> tuple[str, int] | None:
    """The form the address asks for: what to do, and with which instrument (0 for none)."""
    mode, id = st.query_params.get("mode"), st.query_params.get("id", "")
    if mode == "new":
        return mode, 0
    return (mode, int(id)) if mode in TITLES and id.isdecimal() and len(id) < 10 else None


def go(mode: str, instrument_id: int = 0) -> None:
    """To the form."""
    st.query_params.from_dict({"mode": mode} | ({"id": str(instrument_id)} if instrument_id else {}))
    st.rerun()


def back(is_new: bool = False) -> None:
    """To the list as it was left, or to its beginning, where a new instrument stands."""
    # A view of the visitor's, which might not show the new one, does not open by itself.
    st.query_params.from_dict({"view": "none"} if is_new else st.session_state.get(BACK, {}))
    st.rerun()


def draw(mode: str, instrument_id: int, enterprise: Enterprise) -> None:
    """The form, until 确定 or 关闭."""
    key = f"{mode}-{enterprise.id}-{instrument_id}-{st.session_state.get('entries', 0)}"
    begun = _begun(key, mode, instrument_id, enterprise)
    look.header(TITLES[mode], enterprise.name)
    above = st.container()
    is_locked = mode == "edit" and begun["start"].get("valid_until") is not None
    form = Form(key, begun["start"], begun["typed"], is_locked)
    form.draw()
    asking = st.container()
    with st.container(horizontal=True):
        is_saved = st.button("确定", type="primary", key=f"{key}-save")
        is_closed = st.button("关闭", key=f"{key}-close")
    place = entry_draft.place(mode, enterprise.id, instrument_id)
    if is_closed:
        entry_draft.drop(place)
        back()
    if is_saved:
        begun["problems"] = _problems(form, mode, instrument_id, enterprise, begun)
        if not begun["problems"]:
            _save(form, mode, instrument_id, enterprise, begun)
    _say(form, begun, place, above, asking)
    with above:
        if entry_draft.is_given_up(begun, key):
            _reopen(place)
    entry_draft.keep(form, begun, place)


def _reopen(place: str) -> None:
    """The form as it is without what was typed."""
    entry_draft.drop(place)
    # Another key: widgets would keep what was typed.
    st.session_state["entries"] = st.session_state.get("entries", 0) + 1
    st.rerun()


def _begun(key: str, mode: str, instrument_id: int, enterprise: Enterprise) -> dict[str, Any]:
    """What the form was opened with, read anew whenever its fields are not on the screen yet."""
    kept: dict[str, Any] = st.session_state.get("entry", {})
    if kept.get("key") == key and f"{key}-name" in st.session_state:
        return kept
    start: dict[str, Any] = {"instrument_type": InstrumentType.working, "origin": Origin.domestic}
    start |= {"division_code": enterprise.division_code}
    version = 0
    with looking(*OWNERS) as (session, account):
        reach.enterprise(session, enterprise.id, account, to="edit")
        if instrument_id:
            row = ledger.find(session, instrument_id, by=account)
            start, version = start_of(row, is_copy=mode == "copy"), row.version
        kept = entry_draft.found(session, entry_draft.place(mode, enterprise.id, instrument_id), account)
    st.session_state["entry"] = {
        "key": key,
        "start": start,
        "typed": {},
        "version": version,
        "problems": {},
        **kept,
    }
    return st.session_state["entry"]


def _mine(form: Form) -> dict[str, Any]:
    """What was typed and is not what the form began with."""
    return {field: value for field, value in form.typed.items() if value != form.start.get(field)}


def _problems(
    form: Form, mode: str, instrument_id: int, enterprise: Enterprise, begun: Mapping[str, Any]
) -> dict[str, Any]:
    with looking(*OWNERS) as (session, account):
        found: dict[str, Any] = instruments.problems(
            session,
            enterprise.id,
            _mine(form) if mode == "edit" else form.typed,
            by=account,
            instrument_id=instrument_id if mode == "edit" else None,
            is_duplicate_confirmed=st.session_state.get(f"{form.key}-duplicate", False),
        )
        if mode == "edit":
            row = ledger.find(session, instrument_id, by=account)
            if row.version != begun["version"]:
                found[STALE] = row
    if not form.is_validity_confirmed:
        found.setdefault("valid_until", "“有效期至”保存后不可修改，请核对日期并勾选“已核对”")
    return found


def _save(
    form: Form, mode: str, instrument_id: int, enterprise: Enterprise, begun: Mapping[str, Any]
) -> None:
    typed = form.typed
    with acting(*OWNERS) as (session, account):
        if mode == "edit":
            instruments.edit(session, instrument_id, begun["version"], _mine(form), by=account)
        else:
            instruments.add(
                session,
                enterprise.id,
                typed,
                by=account,
                is_duplicate_confirmed=st.session_state.get(f"{form.key}-duplicate", False),
                copied_from=instrument_id or None,
            )
        drafts.drop(session, entry_draft.place(mode, enterprise.id, instrument_id), by=account)
    look.flash(f"已保存 {typed['name']} {typed['serial_number']}")
    back(is_new=mode != "edit")


def _say(form: Form, begun: dict[str, Any], place: str, above: Any, asking: Any) -> None:
    """What stands in the way: all of it over the form, each under its field, and by name at the buttons."""
    problems = {field: text for field, text in begun["problems"].items() if field != STALE}
    form.say(problems)
    with above:
        look.problems(problems)
        if row := begun["problems"].get(STALE):
            _settle(form, begun, row, place)
    with asking:
        if wrong := [LABELS[field] for field in problems if field in LABELS]:
            st.error(f"还没有保存，请改正：{'、'.join(wrong)}", icon=":material/error:")
        if begun["problems"].get(STALE):
            st.error("还没有保存，他人已修改这台器具，请看页首的对照", icon=":material/group:")
        if "duplicate" in problems:
            st.warning(look.plain(problems["duplicate"]), icon=":material/content_copy:")
            st.checkbox("确认不是重复录入，仍然保存", key=f"{form.key}-duplicate")


def _settle(form: Form, begun: dict[str, Any], row: Any, place: str) -> None:
    """Show what a colleague has changed meanwhile beside what was typed here, and ask which holds."""
    theirs = start_of(row, is_copy=False)
    mine = _mine(form)
    changed = {field for field in theirs if theirs[field] != form.start.get(field)} | mine.keys()
    st.warning("您打开这台器具之后，他人已修改并保存。请核对下表，再决定怎样保存", icon=":material/group:")
    rows = [
        {
            "label": LABELS[field],
            "before": ledger_words.value(field, form.start.get(field)),
            "theirs": ledger_words.value(field, theirs[field]),
            "mine": ledger_words.value(field, mine[field]) if field in mine else ledger_words.UNTOUCHED,
        }
        for field in LABELS
        if field in changed
    ]
    tables.listing(rows, DIFFERENCES, "他人的修改与我填写的对照")
    with st.container(horizontal=True):
        if st.button("保留他人的修改，只保存我改过的项目", key=f"{form.key}-merge"):
            begun |= {"version": row.version, "problems": {}}
            look.flash("请点击“确定”，保存您改过的项目", ":material/info:")
            st.rerun()
        if st.button("放弃我填写的，重新打开", key=f"{form.key}-reopen"):
            _reopen(place)
