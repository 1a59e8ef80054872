"""关联企业信息 of a person and 我的企业授权 of an enterprise, on 个人中心."""

from collections.abc import Sequence

import streamlit as st

from db import history, links, workflow
from db.links import LinkRow
from db.models import OWNERS, LinkStatus, Role, Subject
from pages.parts import look, tables
from pages.parts.account import acting, looking
from pages.parts.history import moves
from pages.parts.navigation import page

PAST = {"requested_at": "申请时间", "changed_at": "办理时间", "note": "理由"}
ENDED = {"status": "状态", "person": "姓名", "username": "账号", **PAST}
ASKED = {"status": "状态", "named": "企业", **PAST}
WIDTHS = {"note": 260, "named": 240, "requested_at": 145, "changed_at": 145}
CODE = "统一社会信用代码/组织机构代码"


def announce() -> None:
    """On the home page: how many requests wait, as a way to them."""
    with looking(*OWNERS) as (session, account):
        count = links.waiting_count(session, by=account)
    if count:
        owner = f"{count} 个关联申请等待您授权，去办理"
        person = f"您有 {count} 个关联申请等待企业授权"
        label = owner if account.role == Role.enterprise else person
        st.page_link(
            page("profile"), label=label, icon=":material/person_add:", query_params={"tab": "links"}
        )


def of_person() -> None:
    """关联企业信息: ask for a link, and see how each one stands."""
    st.subheader("关联企业信息", anchor=False)
    _ask()
    with looking(Role.personal) as (session, person):
        rows = links.page(session, by=person)
    if not rows:
        look.empty("还没有关联企业。输入企业的代码，点击“申请关联”，企业通过后即可为它办理业务")
    for row in rows:
        if row.status in links.OPEN:
            _mine(row)


def past_of_person() -> None:
    """The links of a person that have ended, with the reasons."""
    with looking(Role.personal) as (session, person):
        rows = links.page(session, by=person)
    _ended(rows, ASKED, "已结束的关联")


def _ask() -> None:
    number = st.session_state.setdefault("links-asked", 0)
    with st.form(f"ask-link-{number}", clear_on_submit=False):
        with st.grid(2, min_column_width=240, gap="medium"):
            code = st.text_input(f"{CODE} *", max_chars=30, key=f"link-code-{number}")
            note = st.text_input(
                "申请说明",
                max_chars=100,
                placeholder="选填，告诉企业您是谁，例如：设备科王伟",
                key=f"link-note-{number}",
            )
        st.caption("企业会看到您的姓名、账号和手机号的前三位、后四位。需要企业通过申请，才能获得企业授权。")
        is_asked = st.form_submit_button("申请关联", type="primary", icon=":material/add_link:")
    if is_asked:
        with acting(Role.personal) as (session, person):
            links.request(session, code, by=person, note=note)
        st.session_state["links-asked"] += 1
        look.flash("申请成功，需要企业通过申请，才能获得企业授权")
        st.rerun()


def _mine(row: LinkRow) -> None:
    """One open link: how it stands, and the way out of it."""
    is_granted = row.status == LinkStatus.granted
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{look.plain(row.enterprise or row.credit_code)}**", width="content")
            st.markdown(look.badge(row.status.value), width="content")
        if is_granted:
            st.text(f"权限：{links.rights(row.can_edit, row.can_book)}")
            st.caption(f"{row.credit_code} · {tables.text('at', row.changed_at)} 更新")
        else:
            st.caption(f"{tables.text('at', row.requested_at)} 申请，等待企业在“我的企业授权”中通过。")
            st.caption("久未办理的，请与企业核对代码，并请企业确认已在本系统注册。")
        with st.container(horizontal=True):
            is_over = _way_out(row)
            _course(row)
    if is_over:
        with acting(Role.personal) as (session, person):
            (links.leave if is_granted else links.withdraw)(session, row.id, by=person)
        look.flash("已解除关联" if is_granted else "已撤回")
        st.rerun()


def _way_out(row: LinkRow) -> bool:
    """撤回 or 解除关联, once it is confirmed."""
    (step,) = workflow.open_steps(Subject.link, row.status, Role.personal)
    with st.popover(step.label, key=f"link-{row.id}-{step.action}"):
        st.text(
            "解除后，您立即不能再办理该企业的业务。"
            if row.status == LinkStatus.granted
            else "撤回后企业不再看到这份申请，可以重新申请。"
        )
        return st.button(f"确认{step.label}", type="primary", key=f"link-{row.id}-{step.action}-sure")


def of_enterprise() -> None:
    """我的企业授权: who asks to work for the enterprise, and who does."""
    with looking(Role.enterprise) as (session, owner):
        rows = links.page(session, by=owner)
    st.caption("通过后，个人用户以自己的姓名为本单位办理业务；修改权限和撤销立即生效。")
    waiting = [row for row in rows if row.status == LinkStatus.requested]
    granted = [row for row in rows if row.status == LinkStatus.granted]
    st.subheader(f"待授权 {len(waiting)}", anchor=False)
    if not waiting:
        look.empty("没有等待授权的申请。个人用户用本单位的代码申请关联后，显示在这里")
    for row in waiting:
        _answer(row)
    st.subheader(f"已授权 {len(granted)}", anchor=False)
    if not granted:
        look.empty("还没有授权给个人用户")
    for row in granted:
        _keep(row)
    _ended(rows, ENDED, "已结束的授权")


def _ended(rows: Sequence[LinkRow], columns: dict[str, str], title: str) -> None:
    """The links that are over; the one picked tells how it went."""
    ended = [row for row in rows if row.status not in links.OPEN]
    if not ended:
        return
    with st.expander(f"{title}（{len(ended)}）"):
        named = [{**row.__dict__, "named": row.enterprise or row.credit_code} for row in ended]
        key = f"ended-{hash(tuple(row.id for row in ended))}"
        picked = tables.choosing(named, columns, key, title, is_many=False, widths=WIDTHS)
        if picked:
            _tell(picked[0]["id"])
        else:
            st.caption("选中一条，查看办理经过。")


def _course(row: LinkRow) -> None:
    """办理经过 of an open link, on demand."""
    if st.button("办理经过", icon=":material/history:", type="tertiary", key=f"link-{row.id}-course"):
        st.dialog("办理经过")(_tell)(row.id)


def _tell(link_id: int) -> None:
    with looking(*OWNERS) as (session, account):
        found = history.of_link(session, link_id, by=account)
    moves(Subject.link, found)


def _answer(row: LinkRow) -> None:
    """A request, the rights to give, and the two answers."""
    with st.container(border=True, gap="xsmall"):
        _who(row)
        st.caption(f"{tables.text('at', row.requested_at)} 申请")
        if row.note:
            st.text(f"申请说明：{row.note}")
        can_edit, can_book = _rights(row, f"link-{row.id}-grant", True, True)
        with st.container(horizontal=True):
            is_granted = st.button(
                "通过", type="primary", icon=":material/task_alt:", key=f"link-{row.id}-grant"
            )
            reason = _reason(row, "refuse", "拒绝", "例如：不是本单位人员")
            _course(row)
    if is_granted:
        with acting(Role.enterprise) as (session, owner):
            links.grant(session, row.id, by=owner, can_edit=can_edit, can_book=can_book)
        look.flash(f"{row.person}：企业授权成功")
        st.rerun()
    if reason is not None:
        with acting(Role.enterprise) as (session, owner):
            links.refuse(session, row.id, by=owner, reason=reason)
        look.flash(f"{row.person}：已拒绝")
        st.rerun()


def _keep(row: LinkRow) -> None:
    """A link in force: change its rights, or end it."""
    # Under a new key the popover is closed again.
    key = f"link-{row.id}-{row.changed_at.timestamp()}-{row.can_edit}-{row.can_book}"
    with st.container(border=True, gap="xsmall"):
        _who(row)
        st.text(f"权限：{links.rights(row.can_edit, row.can_book)}")
        st.caption(f"{tables.text('at', row.changed_at)} 更新")
        with st.container(horizontal=True):
            with st.popover("修改权限", icon=":material/tune:", key=f"{key}-rights"):
                can_edit, can_book = _rights(row, key, row.can_edit, row.can_book)
                is_changed = st.button("保存权限", type="primary", key=f"{key}-save")
            reason = _reason(row, "revoke", "撤销", "例如：已调离本岗位")
            _course(row)
    if is_changed:
        with acting(Role.enterprise) as (session, owner):
            links.change_rights(session, row.id, by=owner, can_edit=can_edit, can_book=can_book)
        look.flash(f"{row.person}：权限已修改")
        st.rerun()
    if reason is not None:
        with acting(Role.enterprise) as (session, owner):
            links.revoke(session, row.id, by=owner, reason=reason)
        look.flash(f"{row.person}：授权已撤销，立即生效")
        st.rerun()


def _who(row: LinkRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{look.plain(row.person)}**", width="content")
        st.markdown(look.badge(row.status.value), width="content")
        mobile = f" · 手机号 {row.mobile}" if row.mobile else ""
        st.text(f"账号 {row.username}{mobile}", width="content")


def _rights(row: LinkRow, key: str, can_edit: bool, can_book: bool) -> tuple[bool, bool]:
    with st.container(horizontal=True):
        st.checkbox("查看", True, disabled=True, key=f"{key}-view", width="content")
        edits = st.checkbox("编辑台账", can_edit, key=f"{key}-edit", width="content")
        books = st.checkbox("预约检定", can_book, key=f"{key}-book", width="content")
    return edits, books


def _reason(row: LinkRow, action: str, label: str, example: str) -> str | None:
    """The reason for an end, once it is confirmed."""
    key = f"link-{row.id}-{action}"
    with st.popover(label, icon=":material/block:", key=f"{key}-popover"):
        reason = st.text_input("理由 *", max_chars=200, placeholder=example, key=f"{key}-reason")
        st.caption("对方会看到这段文字。")
        is_sure = st.button(f"确认{label}", type="primary", key=f"{key}-sure")
    return reason if is_sure else None
