"""表格编辑: one page of the ledger in a data editor, over a snapshot that stays still while it is edited.

Its edits are checked again by `instruments.edit_many`, each value and each version. Every edited cell is sent
at once and kept here and in a draft, because what a browser holds back is lost without a word when its
visitor opens another page, and what a session holds is lost with the server. That it is open stands in the
address: a link to another list leaves it, and the draft.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import streamlit as st

from db import drafts, instruments, ledger
from db.engine import Session
from db.instrument_fields import IDENTITY
from db.models import OWNERS, Account, InstrumentStatus
from pages.parts import entry, grid_cells, grid_conflicts, look, tables
from pages.parts.account import acting, looking
from pages.parts.grid_cells import Changes

MODE = "grid"
# Why nobody can change a row any more.
GONE, SCRAPPED = "已不在台账中", "已报废"
WRONG = {"instrument": "器具", "label": "列", "sentence": "需要改正", "typed": "填写的内容"}
# Pixels; what is refused is said below it, on the same screen.
HEIGHT = 400
DROPPED = "已放弃未保存的修改"
UNCONFIRMED = "“有效期至”保存后不可修改，请核对日期并勾选“已核对”"


def _state(enterprise_id: int) -> dict[str, Any]:
    """What is being edited for an enterprise: rows as they were loaded, and what has been typed by their id.

    `kept` was typed before the editor on the screen appeared, `typed` is all of it, `drafted` what of it the
    draft holds; `stale` are the rows as colleagues have changed them meanwhile, `wrong` the refused cells,
    `twins` the rows that would be like others, `lost` the names of rows whose edits were dropped, by reason.
    """
    empty = {"number": 0, "rows": [], "kept": {}, "typed": {}, "drafted": {}, "stale": {}, "wrong": []}
    empty |= {"twins": [], "lost": {}}
    state: dict[str, Any] = st.session_state.setdefault(f"grid-{enterprise_id}", empty)
    return state


def _place(enterprise_id: int) -> str:
    return f"grid-{enterprise_id}"


def _begin(
    state: dict[str, Any],
    rows: Sequence[Changes],
    typed: Mapping[int, Changes],
    drafted: Mapping[int, Changes],
) -> None:
    state |= {"rows": list(rows), "kept": dict(typed), "typed": dict(typed), "stale": {}, "wrong": []}
    state |= {"number": state["number"] + 1, "twins": [], "lost": {}, "drafted": deepcopy(dict(drafted))}


def open_with(enterprise_id: int, rows: Sequence[Any]) -> None:
    """Freeze these rows to be edited; scrapped ones stay as they are."""
    with looking(*OWNERS) as (session, account):
        is_kept = drafts.find(session, _place(enterprise_id), by=account) is not None
    if is_kept:
        look.flash("请先继续或放弃未保存的表格编辑", ":material/warning:")
        st.rerun()
    rows = [row for row in rows if row.status != InstrumentStatus.scrapped]
    _begin(_state(enterprise_id), [grid_cells.cells(row) for row in rows], {}, {})
    _show()


def _show() -> None:
    """To the editor, beside the filters of the list it came from."""
    st.query_params["mode"] = MODE
    st.rerun()


def is_open(enterprise_id: int) -> bool:
    """Whether the address asks for the editor, and rows of this enterprise are being edited."""
    state = _state(enterprise_id)
    return st.query_params.get("mode") == MODE and bool(state["rows"] or state["lost"])


def offer(session: Session, account: Account, enterprise_id: int) -> None:
    """Offer to go on with what was typed before the connection, the session or the server went."""
    draft = drafts.find(session, _place(enterprise_id), by=account)
    if draft is None:
        return
    rows, typed = grid_cells.restored(draft.content)
    cells = sum(len(changes) for changes in typed.values())
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        at = tables.text("changed_at", draft.changed_at)
        st.markdown(
            f":material/edit_note: 有未保存的表格编辑（{len(typed)} 台 {cells} 处，{at}）", width="content"
        )
        if st.button("继续编辑", type="primary", key=f"draft-resume-{enterprise_id}"):
            _resume(enterprise_id, rows, typed)
        if _is_dropped(typed, f"draft-drop-{enterprise_id}"):
            _forget(enterprise_id, DROPPED)


def _is_dropped(typed: Mapping[int, Changes], key: str) -> bool:
    """Whether what was typed is to be thrown away, which cannot be undone: hence the second click."""
    with st.popover("放弃修改"):
        st.text(f"{len(typed)} 台器具的修改将丢失，不能恢复")
        return st.button("确定放弃", key=key)


def _forget(enterprise_id: int, said: str) -> None:
    """Drop the draft, whichever window it is from."""
    with acting(*OWNERS) as (session, account):
        drafts.drop(session, _place(enterprise_id), by=account)
    _begin(_state(enterprise_id), [], {}, {})
    look.flash(said)
    st.rerun()


def _resume(enterprise_id: int, rows: Sequence[Changes], typed: Mapping[int, Changes]) -> None:
    """Go on from the rows as they were when they were edited."""
    state = _state(enterprise_id)
    if not typed:
        _forget(enterprise_id, "没有可以继续的编辑")
    _begin(state, rows, typed, typed)
    _check(state)
    _show()


def draw(enterprise_id: int) -> None:
    """The editor with 保存 and 放弃, or first the cells that colleagues have changed meanwhile."""
    state = _state(enterprise_id)
    key = f"grid-{enterprise_id}-{state['number']}"
    _say_lost(state["lost"])
    if state["stale"]:
        _settle(enterprise_id, state, key)
    elif state["rows"]:
        _edit(enterprise_id, state, key)
    elif st.button("返回台账", icon=":material/arrow_back:"):
        _leave(enterprise_id, "")
    # At the end: a draft that is refused must not keep anybody from saving.
    _keep(enterprise_id, state)


def _edit(enterprise_id: int, state: dict[str, Any], key: str) -> None:
    if key not in st.session_state:
        state["kept"] = dict(state["typed"])
    above, toolbar = st.container(), st.container(horizontal=True)
    st.data_editor(
        grid_cells.frame(state["rows"], state["kept"]),
        key=key,
        num_rows="fixed",
        hide_index=True,
        disabled=["status"],
        column_config=grid_cells.columns(),
        height=min(38 + 35 * len(state["rows"]), HEIGHT),
        alt="台账表格编辑",
    )
    state["typed"] = grid_cells.merged(state["rows"], state["kept"], st.session_state[key]["edited_rows"])
    with above:
        _say(state)
    with toolbar:
        _buttons(enterprise_id, state, key)


def _keep(enterprise_id: int, state: dict[str, Any]) -> None:
    """Let the draft hold what has been typed, beside what was typed in other windows."""
    if state["typed"] == state["drafted"]:
        return
    place = _place(enterprise_id)
    with acting(*OWNERS) as (session, account):
        draft = drafts.find(session, place, by=account)
        content = grid_cells.redrafted(
            draft and draft.content, state["rows"], state["drafted"], state["typed"]
        )
        if content["typed"]:
            drafts.save(session, place, content, by=account)
        else:
            drafts.drop(session, place, by=account)
    state["drafted"] = deepcopy(state["typed"])


def _buttons(enterprise_id: int, state: dict[str, Any], key: str) -> None:
    # Open also when nothing is typed yet: the click may end the edit of the first cell.
    is_saved = st.button("保存", type="primary", key=f"{key}-save")
    if state["typed"]:
        if _is_dropped(state["typed"], f"{key}-drop"):
            _leave(enterprise_id, DROPPED)
    elif st.button("关闭", key=f"{key}-drop"):
        _leave(enterprise_id, "")
    if is_saved:
        _save(enterprise_id, state)


def _save(enterprise_id: int, state: dict[str, Any]) -> None:
    """Save what was typed, unless a colleague was quicker or a cell is wrong: then say so, and keep it."""
    _check(state)
    if state["stale"] or state["lost"]:
        st.rerun()
    typed = state["typed"]
    versions = {row["id"]: row["version"] for row in state["rows"]}
    meant = {id: grid_cells.values(changes) for id, changes in typed.items()}
    edits = [(id, versions[id], values) for id, (values, _) in meant.items()]
    found = {(id, field): text for id, (_, wrong) in meant.items() for field, text in wrong.items()}
    with looking(*OWNERS) as (session, account):
        found = instruments.problems_of_many(session, edits, by=account) | found
    twins = {id: found.pop((id, "duplicate")) for id in typed if (id, "duplicate") in found}
    state["twins"] = [(id, _identity(typed[id]), text) for id, text in twins.items()]
    if not _is_validity_confirmed(state):
        found |= {
            (id, "valid_until"): UNCONFIRMED for id in _validities(state) if (id, "valid_until") not in found
        }
    state["wrong"] = [(id, field, typed[id].get(field), text) for (id, field), text in found.items()]
    if state["wrong"] or not _are_twins_confirmed(state):
        st.rerun()
    if edits:
        with acting(*OWNERS) as (session, account):
            instruments.edit_many(session, edits, by=account)
    _leave(enterprise_id, f"已保存 {len(edits)} 台器具的修改" if edits else "没有需要保存的修改")


def _leave(enterprise_id: int, said: str) -> None:
    """Back to the list; the draft keeps only what was typed in other windows."""
    state = _state(enterprise_id)
    _begin(state, [], {}, state["drafted"])
    _keep(enterprise_id, state)
    if said:
        look.flash(said)
    entry.back()


def _check(state: dict[str, Any]) -> None:
    """Look for rows that were changed meanwhile; what was typed in those that are fixed by now is dropped."""
    with looking(*OWNERS) as (session, account):
        now = {row.id: row for row in ledger.chosen(session, list(state["typed"]), by=account)}
    free = {id for id, row in now.items() if row.status != InstrumentStatus.scrapped}
    rows, typed = state["rows"], state["typed"]
    lost: dict[str, list[str]] = {}
    for row in rows:
        if row["id"] in typed and row["id"] not in free:
            lost.setdefault(SCRAPPED if row["id"] in now else GONE, []).append(grid_cells.name_of(row))
    if lost:
        left = [row for row in rows if row["id"] in free or row["id"] not in typed]
        typed = {id: changes for id, changes in typed.items() if id in free}
        _begin(state, left, typed, state["drafted"])
    state["lost"] = lost
    versions = {row["id"]: row["version"] for row in rows}
    state["stale"] = {id: grid_cells.cells(now[id]) for id in typed if now[id].version != versions[id]}


def _settle(enterprise_id: int, state: dict[str, Any], key: str) -> None:
    """Go on from the rows as they stand now, with the cells chosen over them."""
    chosen = grid_conflicts.draw(state, key)
    if chosen is None:
        return
    stale = state["stale"]
    typed = {id: changes for id, changes in state["typed"].items() if id not in stale} | chosen
    rows = [stale.get(row["id"], row) for row in state["rows"]]
    _begin(state, rows, typed, state["drafted"])
    _save(enterprise_id, state)


def _validities(state: Mapping[str, Any]) -> dict[int, str]:
    """The days typed into 有效期至 where it was empty, by id."""
    empty = {row["id"] for row in state["rows"] if not row["valid_until"]}
    typed = {id: changes.get("valid_until") for id, changes in state["typed"].items() if id in empty}
    return {id: day for id, day in typed.items() if day}


def _confirmation(state: Mapping[str, Any]) -> str:
    return f"grid-validity-{state['number']}-{hash(tuple(_validities(state).items()))}"


def _is_validity_confirmed(state: Mapping[str, Any]) -> bool:
    return not _validities(state) or bool(st.session_state.get(_confirmation(state)))


def _identity(changes: Changes) -> Changes:
    return {field: changes[field] for field in IDENTITY if field in changes}


def _twins(state: Mapping[str, Any]) -> list[str]:
    """What was found of twins, while their identities are typed as they were."""
    names = {row["id"]: grid_cells.name_of(row) for row in state["rows"]}
    return [
        f"{names[id]}：修改后{text}"
        for id, was, text in state["twins"]
        if _identity(state["typed"].get(id, {})) == was
    ]


def _duplicates(state: Mapping[str, Any]) -> str:
    return f"grid-twins-{state['number']}-{hash(tuple(_twins(state)))}"


def _are_twins_confirmed(state: Mapping[str, Any]) -> bool:
    return not state["twins"] or bool(st.session_state.get(_duplicates(state)))


def _say_twins(state: Mapping[str, Any]) -> None:
    """Ask whether what looks like a second entry of an instrument is none."""
    if not (twins := _twins(state)):
        return
    lines = [f"还没有保存，有 {len(twins)} 台器具与其他器具重复", *(f"- {look.plain(one)}" for one in twins)]
    st.warning("\n".join(lines), icon=":material/content_copy:")
    st.checkbox("确认不是重复录入，仍然保存", key=_duplicates(state))


def _say(state: dict[str, Any]) -> None:
    if typed := state["typed"]:
        cells = sum(len(changes) for changes in typed.values())
        st.warning(f"已改 {len(typed)} 台器具的 {cells} 处，尚未保存", icon=":material/edit_note:")
    else:
        st.info(
            f"共 {len(state['rows'])} 台器具，可直接修改单元格，也可从 Excel 粘贴，超出表格的行不会粘贴",
            icon=":material/edit:",
        )
    if days := _validities(state):
        listed = "、".join(dict.fromkeys(days.values()))
        st.checkbox(
            f"已核对：{len(days)} 台器具的“有效期至”（{look.plain(listed[:60])}）保存后不可修改",
            key=_confirmation(state),
        )
    _say_twins(state)
    _say_wrong(state)


def _say_lost(lost: Mapping[str, Sequence[str]]) -> None:
    """Whose edits were dropped, and why."""
    for why, names in lost.items():
        listed = look.plain("、".join(names))
        st.error(f"{listed} {why}，对这 {len(names)} 台器具的修改不能保存，已去掉", icon=":material/error:")


def _say_wrong(state: dict[str, Any]) -> None:
    """The refused cells by row and column, until they hold something else."""
    names = {row["id"]: grid_cells.name_of(row) for row in state["rows"]}
    rows = [
        {
            "instrument": names[id],
            "label": grid_cells.label(field),
            "typed": grid_cells.shown(field, was),
            "sentence": text,
        }
        for id, field, was, text in state["wrong"]
        if state["typed"].get(id, {}).get(field) == was
    ]
    if rows:
        st.error(f"还没有保存，有 {len(rows)} 处需要改正，填写的内容都还在", icon=":material/error:")
        tables.listing(rows, WRONG, "需要改正的单元格")
