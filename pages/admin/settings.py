"""系统设置: what no public source fixes."""

from typing import Any

import streamlit as st

from db import settings
from db.models import Role
from pages.parts import look, tables
from pages.parts.account import acting, looking, signed_in

HISTORY = {"at": "时间", "by_name": "修改人", "label": "项目", "before": "原来", "after": "改为"}


def field(row: settings.SettingRow) -> Any:
    """The widget for one setting; what it says now."""
    definition = row.definition
    # The value in the key: after another administrator's change the field shows it.
    key = f"set-{row.name}-{row.value}"
    if isinstance(definition.default, bool):
        return st.toggle(definition.label, row.value, key=key)
    if isinstance(definition.default, str):
        return st.text_input(definition.label, row.value, max_chars=definition.high, key=key)
    return st.number_input(definition.label, definition.low, definition.high, row.value, key=key)


def remarks(row: settings.SettingRow) -> None:
    """What the setting means, its range and default, and who changed it last."""
    definition = row.definition
    said = [definition.help] if definition.help else []
    if type(definition.default) is int:
        said.append(f"可填 {definition.low} 至 {definition.high}")
    said.append(f"默认：{definition.describe(definition.default)}")
    st.caption("；".join(said))
    if row.value != definition.default:
        st.markdown(":orange-badge[:material/edit: 与默认不同]")
    if row.changed_at:
        st.caption(look.plain(f"{tables.text('at', row.changed_at)} 由{row.changed_by}修改"))


def save(typed: dict[str, Any]) -> None:
    """Save, and say what has changed."""
    with acting(Role.administrator) as (session, administrator):
        changed = settings.save(session, typed, by=administrator)
    look.flash(f"已保存：{'、'.join(changed)}" if changed else "没有需要保存的修改")
    st.rerun()


signed_in(Role.administrator)
look.header("系统设置", "法律没有统一规定、或由各省规定的时限和数量，以及主管部门的联系方式。")

with looking(Role.administrator) as (session, administrator):
    rows = settings.rows(session, by=administrator)

typed = {}
with st.form("settings", clear_on_submit=False):
    with st.grid(2, min_column_width=300, gap="medium"):
        for row in rows:
            with st.container(gap="xxsmall"):
                typed[row.name] = field(row)
                remarks(row)
    st.caption("检定时限用于此后开始的检定，以及工作日重新保存后重新计算的期限。")
    is_saved = st.form_submit_button("确定", type="primary")

if is_saved:
    save(typed)
if different := [row for row in rows if row.value != row.definition.default]:
    st.markdown("**恢复默认**")
    with st.container(horizontal=True):
        for row in different:
            label = f"{row.definition.label}：{row.definition.describe(row.definition.default)}"
            if st.button(label, icon=":material/restart_alt:", key=f"default-{row.name}"):
                save({row.name: row.definition.default})
with looking(Role.administrator) as (session, administrator):
    changes = settings.history(session, by=administrator)
if changes:
    st.subheader("修改记录", anchor=False)
    tables.listing(changes, HISTORY, "修改记录", height=min(38 + 35 * len(changes), 320))
