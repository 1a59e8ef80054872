"""强制检定器具信息导入: a workbook goes in, is checked row by row, previewed, then written or given back."""

import streamlit as st

from db import batches, imports, jobs
from db.models import OWNERS, BatchStatus, Enterprise
from pages.parts import import_preview, import_start, look, tables, workplace
from pages.parts.account import looking, signed_in
from pages.parts.navigation import page


def started(enterprise: Enterprise) -> None:
    """Nothing chosen yet: the template, the box for a file, and the imports so far."""
    look.header("强制检定器具信息导入", f"{enterprise.name}：下载模板，填写后上传；确认之前不会改动台账。")
    st.page_link(page("ledger"), label="返回台账", icon=":material/arrow_back:")
    import_start.templates()
    above = st.container()
    import_start.recent(enterprise)
    # Last, so that the list stands there when the file is refused for what waits in it.
    with above:
        import_start.box(enterprise)


def shown(batch_id: int) -> None:
    """One import, at whatever step it stands."""
    with looking(*OWNERS) as (session, account):
        batch = imports.find(session, batch_id, by=account)
        row = batches.find(session, batch_id, by=account)
    who = f"{row.by_name} 于 {tables.text('', row.created_at)} 上传"
    look.header("强制检定器具信息导入", f"《{row.file_name}》，{row.enterprise}，{who}")
    st.page_link(page("imports"), label="返回导入页", icon=":material/arrow_back:")
    job = jobs.find(import_start.key(batch.id))
    if job and not job.is_over:
        return import_start.progress(batch.id)
    if job and job.refusal:
        st.error(look.plain(job.refusal), icon=":material/error:")
    if batch.status == BatchStatus.submitted and "headings" in batch.findings:
        import_start.match(batch)
    elif batch.status == BatchStatus.submitted:
        import_start.interrupted(batch)
    elif batch.status == BatchStatus.previewed:
        import_preview.draw(batch)
    else:
        import_preview.ended(batch)


signed_in(*OWNERS)
asked = st.query_params.get("batch", "")
if asked.isdecimal() and len(asked) < 10:
    shown(int(asked))
else:
    started(workplace.chosen())
