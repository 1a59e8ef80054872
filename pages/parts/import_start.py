"""The first steps of an import: templates, the file, its progress, and columns under other names."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from catalog.columns import COLUMNS, EXTRAS
from db import attachments, batches, imports, jobs
from db.models import OWNERS, Batch, BatchAction, BatchStatus, Enterprise
from pages.parts import look, tables
from pages.parts.account import acting, address, looking

TYPES = ["xlsx", "xls", "ods", "csv", "txt"]
TEMPLATES = {
    "《强制检定器具信息导入模板》下载": "/template/template.xlsx",
    "《行政区划信息》": "/template/divisions.xlsx",
    "《强检器具目录》": "/template/kinds.xlsx",
}
RECENT = {"created_at": "时间", "file_name": "文件", "status": "状态", "summary": "结果", "by_name": "操作人"}
OUTCOMES = {"added": "新增", "updated": "修改", "unchanged": "未变", "invalid": "错误", "duplicates": "重复"}
# What an upload that is not previewed yet waits for.
QUEUED, CHECKING, MATCHING, STOPPED = "排队中", "检查中", "待对应列", "检查中断"
NOT_USED = "不导入这一列"
SIZE = 10
# Letters of the first values of a column, about a line of it.
MOST_SAMPLE = 24


def key(batch_id: int) -> str:
    """The job that works on a batch."""
    return f"import-{batch_id}"


def templates() -> None:
    """The three files of the guide."""
    with st.container(border=True):
        st.markdown("**下载模板**")
        st.caption("种别和行政区划可填代码，也可填名称；在模板中可以直接从下拉列表选择。")
        with st.container(horizontal=True):
            for label, address in TEMPLATES.items():
                st.link_button(label, address, icon=":material/download:")


def box(enterprise: Enterprise) -> None:
    """Take a file, and begin to examine it."""
    with st.container(border=True), st.form(f"import-{enterprise.id}", border=False, clear_on_submit=True):
        st.markdown("**导入模板**")
        file = st.file_uploader(
            "选择要导入的文件",
            type=TYPES,
            max_upload_size=attachments.MOST_BYTES >> 20,
            help="支持 Excel、WPS、LibreOffice 的工作簿和 CSV；也可以是自己的表格，导入时再对应各列。",
        )
        is_sent = st.form_submit_button("提交", type="primary", icon=":material/upload:")
    if not is_sent:
        return
    if file is None:
        st.error("请先选择要导入的文件，再点击“提交”", icon=":material/error:")
        return
    with acting(*OWNERS) as (session, account):
        batch = imports.upload(session, enterprise.id, file.name, file.getvalue(), by=account)
    examine(batch.id)


def examine(batch_id: int) -> None:
    """Begin the check in the background, and show it."""
    start(batch_id, imports.examine)
    st.query_params["batch"] = str(batch_id)
    st.rerun()


def start(batch_id: int, step: Callable[..., object]) -> None:
    """Begin a step of an import in the background, on behalf of who is signed in and may act."""
    with acting(*OWNERS) as (_, account):
        account_id = account.id
    jobs.start(key(batch_id), lambda report: step(batch_id, account_id, report=report), address())


def progress(batch_id: int) -> None:
    """How far the work has come, until it is over."""

    @st.fragment(run_every="1s")
    def watch() -> None:
        job = jobs.find(key(batch_id))
        if job is None or job.is_over:
            st.rerun()
        of = f"，共 {job.total:,} 行" if job.total else ""
        done = f"，已处理 {job.count:,} 行{of}" if job.count else ""
        with st.container(border=True):
            st.markdown(f":material/hourglass_top: 正在{job.phase}{done} …")
            if job.total:
                st.progress(job.count / job.total)
            st.caption("可以离开本页去办别的事，稍后从“导入记录”回来查看。")

    watch()


def interrupted(batch: Batch) -> None:
    """A check that nobody is at work on."""
    st.warning("这个文件还没有检查完，没有写入任何数据。", icon=":material/pause_circle:")
    with st.container(horizontal=True):
        if st.button("重新检查", type="primary", key=f"again-{batch.id}"):
            examine(batch.id)
        discard(batch)


def discard(batch: Batch) -> None:
    """The way out without writing anything."""
    if st.button("放弃", key=f"discard-{batch.id}"):
        with acting(*OWNERS) as (session, account):
            imports.discard(session, batch.id, by=account)
        jobs.forget(key(batch.id))
        look.flash("已放弃这次导入，台账没有改动")
        del st.query_params["batch"]
        st.rerun()


def match_again(batch: Batch) -> None:
    """The way back to the columns, from a preview in which one was taken for another or left out."""
    if st.button("重新对应列", icon=":material/table:", key=f"match-again-{batch.id}"):
        if (job := jobs.find(key(batch.id))) and not job.is_over:
            st.rerun()  # Written in another window just now: its progress shows.
        with acting(*OWNERS) as (session, account):
            imports.match_again(session, batch.id, by=account)
        examine(batch.id)


def match(batch: Batch) -> None:
    """Ask which column is which, beside the first values of each."""
    found = batch.findings
    if found["missing"]:
        st.warning("有的必填列没有认出来，请为下面的列选择对应的项目。", icon=":material/table:")
    else:
        st.info("请核对每一列对应的项目，改正后继续检查。", icon=":material/table:")
    with st.container(border=True):
        told = st.container(horizontal=True, gap="xxsmall")
        chosen = _columns(batch, found)
        lacking = _say_required(told, list(chosen.values()))
        is_sent = st.button("继续检查", type="primary", disabled=bool(lacking), key=f"match-{batch.id}")
    if is_sent:
        with acting(*OWNERS) as (session, account):
            imports.choose_columns(session, batch.id, chosen, by=account)
        examine(batch.id)
    discard(batch)


def _say_required(place: Any, chosen: Sequence[str]) -> list[str]:
    """Every required heading with a mark, green where a column stands for it; those that have none."""
    lacking = imports.missing(chosen)
    with place:
        st.markdown("必填项：", width="content")
        for heading in (column.heading for column in COLUMNS if column.is_required):
            color, icon = ("orange", "error") if heading in lacking else ("green", "check")
            st.markdown(f":{color}-badge[:material/{icon}: {look.plain(heading)}]", width="content")
    return lacking


def _columns(batch: Batch, found: dict[str, Any]) -> dict[int, str]:
    options = [NOT_USED, *(column.heading for column in COLUMNS), *EXTRAS]
    chosen = {}
    with st.grid(3, min_column_width=220):
        for index, (heading, guess) in enumerate(zip(found["headings"], found["fields"], strict=True)):
            values = [row[index] for row in found["sample"] if index < len(row) and row[index]]
            if not heading and not values:
                continue
            with st.container(gap="xxsmall"):
                answer = st.selectbox(
                    look.plain(heading or f"第 {index + 1} 列"),
                    options,
                    index=options.index(guess) if guess in options else 0,
                    key=f"column-{batch.id}-{index}",
                )
                st.caption(look.plain(_sample(values)))
            if answer != NOT_USED:
                chosen[index] = answer
    return chosen


def _sample(values: Sequence[str]) -> str:
    """The first values of a column in one short line."""
    told = "、".join(dict.fromkeys(values))
    return f"例如：{told[:MOST_SAMPLE]}{'…' * (len(told) > MOST_SAMPLE)}" if told else "这一列前几行为空"


def recent(enterprise: Enterprise) -> None:
    """The imports so far; one that is picked opens."""
    st.subheader("导入记录", anchor=False)
    with looking(*OWNERS) as (session, account):
        total = batches.count(session, enterprise.id, by=account, action=BatchAction.imported)
        if not total:
            return look.empty("还没有导入过文件")
        place = st.container()
        number = tables.pager(total, SIZE, f"imports-pages-{enterprise.id}")
        rows = batches.page(
            session, enterprise.id, by=account, action=BatchAction.imported, number=number, size=SIZE
        )
    shown = [
        row._asdict() | {"status": look.mark(standing(row)), "summary": summary(row.totals) or row.note}
        for row in rows
    ]
    with place:
        picked = tables.choosing(shown, RECENT, f"imports-{rows[0].id}", "导入记录", is_many=False)
    for row in picked:
        st.query_params["batch"] = str(row["id"])
        st.rerun()


def standing(row: Any) -> str:
    """Where an import stands, and before its preview what it waits for: its turn, the check, or a person."""
    if row.status != BatchStatus.submitted:
        return str(row.status)
    job = jobs.find(key(row.id))
    if job and not job.is_over:
        return QUEUED if job.phase == jobs.QUEUED else CHECKING
    return MATCHING if "headings" in (row.findings or {}) else STOPPED


def summary(totals: dict[str, int]) -> str:
    """Rows by outcome in one line, without those there are none of."""
    return "，".join(f"{label} {totals[name]:,}" for name, label in OUTCOMES.items() if totals.get(name))
