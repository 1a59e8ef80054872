"""A new edition before it is confirmed: what is wrong in its file, or what it would change."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from catalog.list_files import ListFile
from db import clock, edition_differences, editions
from db.edition_differences import Difference, Retirement
from db.models import Dataset, Role
from pages.parts import look, tables
from pages.parts.account import acting, looking

PROBLEMS = {"row": "行", "heading": "列", "value": "填写的内容", "sentence": "问题"}
CHANGED = {"code": "代码", "name": "名称", "label": "项目", "before": "现行", "after": "改为"}
ADDED = {"code": "代码", "name": "名称"}
MOST = 500
NONE = "（无）"


def draw(dataset: Dataset, file_name: str, listed: ListFile) -> None:
    """The problems, or the differences and the form that confirms them."""
    st.subheader(f"{dataset}：{look.plain(file_name)}", anchor=False)
    for note in listed.notes:
        st.caption(look.plain(note))
    if listed.problems:
        return _problems(listed)
    with looking(Role.administrator) as (session, administrator):
        found = edition_differences.find(session, dataset, listed, by=administrator)
    _totals(found)
    if found.is_empty:
        st.info("文件与现行版本没有差别，不需要载入。", icon=":material/check_circle:")
        return
    successors = _retired(dataset, listed, found.retired)
    _listed("修改", [one.__dict__ for one in found.changed], CHANGED)
    _listed("新增", [{"code": code, "name": name} for code, name in found.added], ADDED)
    _confirm(dataset, listed, successors)


def _problems(listed: ListFile) -> None:
    count = len(listed.problems)
    st.error(f"有 {count:,} 处需要改正，没有载入任何内容。改好后请重新上传。", icon=":material/error:")
    rows = [one.__dict__ | {"row": str(one.row or "全表")} for one in listed.problems[:MOST]]
    tables.listing(rows, PROBLEMS, "需要改正的内容", height=min(38 + 35 * len(rows), 420))


def _totals(found: Difference) -> None:
    changed = len({one.code for one in found.changed})
    counts = {"新增": len(found.added), "修改": changed, "撤销": len(found.retired), "不变": found.unchanged}
    with st.grid(4, min_column_width=96, gap="small"):
        for label, count in counts.items():
            with st.container(border=True, gap="xxsmall"):
                st.metric(label, f"{count:,}")


def _listed(title: str, rows: list[dict[str, Any]], columns: Mapping[str, str]) -> None:
    if not rows:
        return
    st.markdown(f"**{title}** {len(rows):,} 处" if title == "修改" else f"**{title}** {len(rows):,} 条")
    if len(rows) > MOST:
        st.caption(f"这里列出前 {MOST} 条。")
    shown = rows[:MOST]
    tables.listing(shown, columns, title, height=min(38 + 35 * len(shown), 320))


def _retired(dataset: Dataset, listed: ListFile, retired: list[Retirement]) -> dict[str, str]:
    """The codes that go, what depends on them, and the successors chosen for them."""
    if not retired:
        return {}
    st.markdown(f"**撤销** {len(retired):,} 条")
    st.caption(
        "撤销的代码不删除，已有的器具仍然保留它。选好后继代码，使用单位可以在“数据质量”中点击“改为后继项”一次改完。"
    )
    options = _options(dataset, listed, retired)
    labels = {option.split(" ")[0]: option for option in options}
    frame = pd.DataFrame(
        {
            "代码": [one.code for one in retired],
            "名称": [one.name for one in retired],
            "器具": [one.instrument_count for one in retired],
            "授权": [one.authorization_count for one in retired],
            "在办预约": [one.line_count for one in retired],
            "后继代码": [labels.get(one.suggestion or "", NONE) for one in retired],
        }
    )
    edited = st.data_editor(
        frame,
        key=f"successors-{hash(tuple(one.code for one in retired))}",
        hide_index=True,
        disabled=["代码", "名称", "器具", "授权", "在办预约"],
        column_config={"后继代码": st.column_config.SelectboxColumn(options=[NONE, *options], width=320)},
        height=min(38 + 35 * len(retired), 320),
        alt="撤销的代码",
        placeholder="",
    )
    # The codes from what was shown, never from the edited frame.
    chosen = dict(zip((one.code for one in retired), edited["后继代码"], strict=False))
    return {old: new.split(" ")[0] for old, new in chosen.items() if isinstance(new, str) and new != NONE}


def _options(dataset: Dataset, listed: ListFile, retired: list[Retirement]) -> list[str]:
    """The codes that may follow: of divisions, those of the same provinces."""
    near = {one.code[:2] for one in retired}
    return [
        f"{code} {edition_differences.name_of(dataset, row)}"
        for code, row in listed.rows.items()
        if dataset == Dataset.catalog or code[:2] in near
    ]


def _confirm(dataset: Dataset, listed: ListFile, successors: Mapping[str, str]) -> None:
    with st.form("edition-confirm", border=True):
        left, right = st.columns(2)
        name = left.text_input(
            "版本名称 *", max_chars=120, placeholder="例如 市场监管总局 2020 年第 42 号公告"
        )
        day: date | None = right.date_input(
            "生效日期 *", value=clock.today(), min_value=clock.today(), format="YYYY-MM-DD"
        )
        is_official = st.checkbox("这是官方发布的版本", value=True)
        st.caption("生效日期是今天的立即生效；以后的到那一天自动生效，生效前可以取消。")
        with st.container(horizontal=True):
            is_confirmed = st.form_submit_button("确认载入", type="primary", icon=":material/check:")
            is_dropped = st.form_submit_button("放弃")
    if is_dropped:
        _leave("没有载入任何内容")
    if is_confirmed:
        with acting(Role.administrator) as (session, administrator):
            edition = editions.stage(
                session,
                dataset,
                listed,
                by=administrator,
                name=name,
                effective_on=day,
                is_official=is_official,
                successors=successors,
            )
        when = "已经生效" if edition.applied_at else f"将于 {edition.effective_on:%Y-%m-%d} 生效"
        _leave(f"{dataset} {edition.name} {when}")


def _leave(sentence: str) -> None:
    st.session_state.pop("edition", None)
    look.flash(sentence)
    st.rerun()
