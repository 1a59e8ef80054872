"""视图与列: which columns a list has, in which order, and the views an account keeps of it.

Which view is open stands in the address, beside its filters.
"""

from collections.abc import Mapping, Sequence

import streamlit as st

from db import saved_views
from db.engine import Session
from db.models import Account, SavedView
from pages.parts import ledger_words, look, narrowing
from pages.parts.account import acting, looking

NONE = narrowing.NONE
VIEW = "view"


class Views:
    """The views of a list, the one that is open, and the columns on the screen."""

    def __init__(self, session: Session, place: str, account: Account):
        """Read them; a view that opens by itself does so where the address asks for nothing."""
        self.place = place
        self.roles = saved_views.PLACES[place]
        mine, usual_columns = saved_views.mine(session, place, by=account)
        self.mine = {str(one.id): one for one in mine}
        usual = next((id for id, one in self.mine.items() if one.is_default), None)
        if usual and not st.query_params.to_dict():
            narrowing.go(self.mine[usual].filters | {VIEW: usual})
        self.open = self.mine.get(st.query_params.get(VIEW, ""))
        self.has_usual = usual is not None
        kept = self.open.columns if self.open else usual_columns
        self.columns: list[str] = st.session_state.get(self._key("chosen")) or kept

    def _key(self, what: str) -> str:
        return f"{self.place}-view-{self.open.id if self.open else 0}-{what}"

    def named(self) -> dict[str, str]:
        """The view as the address names it; where one would open by itself, that none is open."""
        if self.open:
            return {VIEW: str(self.open.id)}
        return {VIEW: NONE} if self.has_usual else {}

    def draw(self, asked: Mapping[str, str]) -> None:
        """The popover; `asked` are the filters on the screen, by their names in the address."""
        # Another label would be another button, and a closed one.
        box = st.popover(
            "视图与列", icon=":material/view_column:", on_change="rerun", key=f"{self.place}-views"
        )
        if self.open:
            color, note = ("orange", "（已改动）") if self._is_changed(self.open, asked) else ("blue", "")
            st.markdown(f":{color}-badge[{look.plain(self.open.name)}{note}]", width="content")
        if box.open:
            with box:
                self._choose()
                self._columns()
                if self.open:
                    self._keep(self.open, asked)
                self._add(asked)

    def _is_changed(self, view: SavedView, asked: Mapping[str, str]) -> bool:
        return view.filters != asked or view.columns != self.columns

    def _choose(self) -> None:
        if not self.mine:
            return
        options = [NONE, *self.mine]
        now = str(self.open.id) if self.open else NONE
        chosen = st.selectbox(
            "常用视图",
            options,
            index=options.index(now),
            format_func=self._label,
            width=320,
            key=self._key("open"),
        )
        if chosen != now:
            view = self.mine.get(chosen)
            narrowing.go(view.filters | {VIEW: chosen} if view else {VIEW: NONE})
            st.rerun()

    def _label(self, id: str) -> str:
        if id == NONE:
            return "不用视图"
        return self.mine[id].name + ("（默认）" if self.mine[id].is_default else "")

    def _columns(self) -> None:
        chosen = st.multiselect(
            "显示的列（按选择的先后排列）",
            _offered(self.place),
            default=self.columns,
            format_func=ledger_words.COLUMNS.__getitem__,
            placeholder="请至少选择一列",
            width=320,
            key=self._key("columns"),
        )
        if chosen and chosen != self.columns:
            if self.open:
                st.session_state[self._key("chosen")] = chosen
            else:
                with acting(*self.roles) as (session, account):
                    saved_views.keep_columns(session, self.place, chosen, by=account)
            st.rerun()

    def _keep(self, view: SavedView, asked: Mapping[str, str]) -> None:
        """What may be done with the view that is open."""
        with st.container(horizontal=True, gap="xsmall"):
            if st.button("保存改动", disabled=not self._is_changed(view, asked), key=self._key("change")):
                with acting(*self.roles) as (session, account):
                    saved_views.change(session, view.id, asked, self.columns, by=account)
                self._done(f"已保存视图“{view.name}”")
            if st.button("取消默认" if view.is_default else "设为默认视图", key=self._key("default")):
                with acting(*self.roles) as (session, account):
                    saved_views.make_default(session, view.id, not view.is_default, by=account)
                self._done("已取消默认视图" if view.is_default else "已设为默认视图，下次进入时打开")
            if st.button("删除", key=self._key("delete")):
                with acting(*self.roles) as (session, account):
                    saved_views.delete(session, view.id, by=account)
                self._done(f"已删除视图“{view.name}”")

    def _add(self, asked: Mapping[str, str]) -> None:
        with st.form(self._key("form"), border=False):
            name = st.text_input(
                "视图名称", max_chars=saved_views.NAME, placeholder="例如：快到期的压力表", width=320
            )
            with st.container(horizontal=True, gap="xsmall"):
                is_added = st.form_submit_button("另存为新视图" if self.open else "保存为视图")
                is_renamed = bool(self.open) and st.form_submit_button("改名")
        if is_added and not self._is_refused(name):
            with acting(*self.roles) as (session, account):
                view = saved_views.add(session, self.place, name, asked, self.columns, by=account)
            narrowing.go(view.filters | {VIEW: str(view.id)})
            self._done(f"已保存视图“{view.name}”")
        if is_renamed and self.open and not self._is_refused(name, self.open.id):
            with acting(*self.roles) as (session, account):
                view = saved_views.rename(session, self.open.id, name, by=account)
            self._done(f"已改名为“{view.name}”")

    def _is_refused(self, name: str, view_id: int | None = None) -> bool:
        """Say under the field what is wrong with the name, if anything is."""
        with looking(*self.roles) as (session, account):
            sentence = saved_views.problem(session, self.place, name, by=account, view_id=view_id)
        if sentence:
            st.error(look.plain(sentence), icon=":material/error:")
        return bool(sentence)

    def _done(self, said: str) -> None:
        st.session_state.pop(self._key("chosen"), None)
        look.flash(said)
        st.rerun()


def _offered(place: str) -> Sequence[str]:
    return [one for one in saved_views.COLUMNS if one != "enterprise" or place == "instruments"]
