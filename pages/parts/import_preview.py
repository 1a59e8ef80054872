"""The last steps of an import: what it would do, the decision, and what became of it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from db import batches, imports, workflow
from db.instrument_fields import LABELS
from db.models import OWNERS, Batch, BatchStatus, Subject
from pages.parts import import_start, ledger_words, look, tables
from pages.parts.account import looking
from pages.parts.batches import ask_to_undo
from pages.parts.navigation import page

PROBLEMS = {"row": "行", "heading": "列", "value": "填写的内容", "suggestion": "建议", "sentence": "问题"}
CHANGES = {"row": "行", "instrument": "器具", "label": "项目", "before": "台账中", "after": "改为"}
WIDE = {"row": 60, "sentence": 610, "suggestion": 240, "instrument": 200}
EMPTY = "文件中没有填写器具。请在表头下面每行填写一台，保存后重新上传。"
LOCKED = "文件中填写了“有效期至”。导入后不可修改，此后只随检定结果变动；请确认日期与检定证书一致，再导入。"


def draw(batch: Batch) -> None:
    """The totals, the decision, and below it each problem and each changed cell."""
    totals, found = batch.totals, batch.findings
    if imports.is_interrupted(batch):
        st.warning("上次导入在中途中断，没有写入任何数据，可以重新导入。", icon=":material/pause_circle:")
    _totals(totals)
    for note in found["notes"]:
        st.caption(look.plain(note))
    _decide(batch)
    _problems(batch)
    _changes(found["changed"], totals["updated"], "将要修改")


def _totals(totals: Mapping[str, int]) -> None:
    with st.grid(6, min_column_width=96, gap="small"):
        for name, label in {"rows": "文件行数", **import_start.OUTCOMES}.items():
            with st.container(border=True, gap="xxsmall"):
                st.metric(label, f"{totals[name]:,}")


def _decide(batch: Batch) -> None:
    """The buttons that fit what was found."""
    totals = batch.totals
    refused, good = totals["invalid"] + totals["duplicates"], totals["added"] + totals["updated"]
    if good and batch.findings["has_validity"]:
        st.warning(LOCKED, icon=":material/lock:")
    if not totals["rows"]:
        st.warning(EMPTY, icon=":material/inbox:")
    elif refused:
        other = f"；也可以先导入正确的 {good:,} 行，取回有问题的行" if good else ""
        st.error(
            f"{refused:,} 行需要改正。可以下载标注后的文件，改好再上传{other}。", icon=":material/error:"
        )
    elif not good:
        st.info("文件与台账一致，没有需要新增或修改的器具。", icon=":material/check_circle:")
    with st.container(horizontal=True):
        if refused:
            _returned(batch, "下载标注后的文件")
        if good and st.button(
            f"只导入正确的 {good:,} 行" if refused else f"确认导入 {good:,} 行",
            type="secondary" if refused else "primary",
            icon=":material/check:",
            key=f"apply-{batch.id}",
        ):
            _apply(batch, is_partial=bool(refused))
        import_start.match_again(batch)
        import_start.discard(batch)


def _returned(batch: Batch, label: str) -> None:
    if batch.returned_id:
        address = f"/attachments/{batch.returned_id}"
        st.link_button(label, address, type="primary", icon=":material/download:")
    else:
        st.caption("标注后的文件未能生成，请按下面列出的问题修改原文件。")


def _apply(batch: Batch, is_partial: bool) -> None:
    import_start.start(batch.id, partial(imports.apply, is_partial=is_partial))
    st.rerun()


def _problems(batch: Batch) -> None:
    found, count = batch.findings["problems"], batch.findings["problem_count"]
    if not found:
        return
    st.subheader(f"需要改正的 {count:,} 处", anchor=False)
    if count > len(found):
        st.caption(f"这里列出前 {len(found)} 处，更多的标注在下载的文件中。")
    tables.listing(found, PROBLEMS, "需要改正的内容", height=min(38 + 35 * len(found), 420), widths=WIDE)


def _changes(changed: Sequence[Mapping[str, Any]], count: int, done: str) -> None:
    if not changed:
        return
    st.subheader(f"{done}的 {count:,} 台器具", anchor=False)
    if count > len(changed):
        st.caption(f"这里列出前 {len(changed):,} 台；导入后每台器具的“变更历史”中都有记录。")
    rows = [
        {
            "row": one["row"],
            "instrument": f"{one['name']} {one['serial_number']}",
            "label": LABELS[field],
            "before": ledger_words.value(field, old),
            "after": ledger_words.value(field, new),
        }
        for one in changed
        for field, (old, new) in one["changes"].items()
    ]
    tables.listing(rows, CHANGES, f"{done}的内容", height=min(38 + 35 * len(rows), 420), widths=WIDE)


def ended(batch: Batch) -> None:
    """What became of an import that is over."""
    st.markdown(look.badge(batch.status.value))
    if batch.status == BatchStatus.failed:
        st.error(look.plain(batch.note), icon=":material/error:")
    elif batch.status == BatchStatus.applied:
        _applied(batch)
    elif batch.totals:
        st.text(f"共 {batch.totals['rows']:,} 行：{import_start.summary(batch.totals)}")
    if batch.status != BatchStatus.applied:
        with st.container(horizontal=True):
            st.page_link(page("ledger"), label="查看台账", icon=":material/inventory_2:")
            _upload(batch)
    for note in batch.findings.get("notes", []):
        st.caption(look.plain(note))
    if batch.status in (BatchStatus.applied, BatchStatus.undone):
        _changes(batch.findings.get("changed", []), batch.totals["updated"], "修改")


def _upload(batch: Batch) -> None:
    st.link_button("下载原文件", f"/attachments/{batch.attachment_id}", icon=":material/description:")


def _applied(batch: Batch) -> None:
    totals = batch.totals
    st.success(_told(totals), icon=":material/task_alt:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("查看台账", type="primary", icon=":material/inventory_2:", key=f"ledger-{batch.id}"):
            st.switch_page(page("ledger"))
        if totals["invalid"] + totals["duplicates"]:
            _returned(batch, "取回有问题的行")
        _upload(batch)
        label = workflow.label_of(Subject.batch, "undo")
        if st.button(label, icon=":material/undo:", key=f"ask-{batch.id}"):
            with looking(*OWNERS) as (session, account):
                row = batches.find(session, batch.id, by=account)
            ask_to_undo(row, label)


def _told(totals: Mapping[str, int]) -> str:
    """What went in, and what did not."""
    written = {"added": "新增 {:,} 台", "updated": "修改 {:,} 台"}
    done = [words.format(totals[name]) for name, words in written.items() if totals[name]]
    count = totals["added"] + totals["updated"]
    rest = {name: number for name, number in totals.items() if name not in ("rows", *written)}
    left = (
        f"其余 {sum(rest.values()):,} 行没有写入：{import_start.summary(rest)}。"
        if any(rest.values())
        else ""
    )
    return f"已导入 {count:,} 行：{'，'.join(done)}。{left}"
