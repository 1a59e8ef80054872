"""注册审核: the queue with its clock, and the reviewer's decision."""

import streamlit as st

from db import registrations, workflow
from db.models import RegistrationStatus, Role, Subject
from pages.parts import choices, look, progress, tables
from pages.parts.account import acting, looking, signed_in

COLUMNS = {
    "clock": "时限",
    "name": "企业名称",
    "credit_code": "统一社会信用代码",
    "division": "所在地",
    "submitted_at": "提交时间",
    "contact_name": "联系人",
    "urgent": "加急",
    "number": "申请编号",
}
TEMPLATES = (
    "企业名称与统一社会信用代码登记的名称不一致，请核对营业执照后更正。",
    "所在地与企业登记住所不一致，请选择企业实际所在的区县。",
    "手机号无法接通，请填写经办人本人使用的手机号。",
    "该单位不在本辖区，请向所在地主管部门申请注册。",
)
FACTS = {
    "name": "企业名称",
    "credit_code": "统一社会信用代码/组织机构代码",
    "mobile": "手机号",
    "contact_name": "联系人",
    "address": "详细地址",
    "username": "账号名",
}
OPERATIONS = {
    "send_back": registrations.send_back,
    "decline": registrations.decline,
}


def clock_of(row: registrations.QueueRow) -> str:
    """The working-day clock in words."""
    if row.status != RegistrationStatus.submitted:
        return ""
    days = row.working_days_left
    left = (
        look.mark("已超期") + f" {-days} 个工作日"
        if days < 0
        else f"剩 {days} 个工作日"
        if days
        else "今天到期"
    )
    return left + ("（估算）" if row.deadline.is_estimated else "")


signed_in(Role.reviewer)
look.header("注册审核", "加急在前，先到先审；通常两个工作日内审核完成。每个决定的理由申请人都能看到。")

with looking(Role.reviewer) as (session, reviewer):
    counts = registrations.counts(session, by=reviewer)
    status = st.segmented_control(
        "状态",
        list(RegistrationStatus),
        default=RegistrationStatus.submitted,
        format_func=lambda one: f"{one.value} {counts[one]}",
        key="registrations-status",
        label_visibility="collapsed",
    )
    status = status or RegistrationStatus.submitted
    rows = registrations.queue(session, by=reviewer, status=status)
if not rows:
    look.empty(
        "没有待审核的注册申请" if status == RegistrationStatus.submitted else f"没有{status}的注册申请"
    )
    st.stop()

shown = [
    {**row.__dict__, "clock": clock_of(row), "urgent": "● 加急" if row.is_urgent else ""} for row in rows
]
key = f"queue-{status.name}-{rows[0].id}-{len(rows)}"
picked = tables.choosing(shown, COLUMNS, key, "注册申请", is_many=False)
if not picked:
    st.info("请选中一份申请查看并办理", icon=":material/touch_app:")
    st.stop()

with looking(Role.reviewer) as (session, reviewer):
    found = registrations.find(session, picked[0]["id"], by=reviewer)
    alike = registrations.alike(session, found.id, by=reviewer)
    moves = registrations.history(session, found)

left, right = st.columns([3, 2], gap="large")
with left, st.container(border=True):
    st.subheader("注册信息", anchor=False)
    for field, label in FACTS.items():
        st.caption(label)
        st.text(getattr(found, field) or "—")
    st.caption("所在地")
    place = choices.tree().rows.get(found.division_code)
    st.text(place.full_name if place else found.division_code)
    for sentence in alike:
        st.warning(look.plain(sentence), icon=":material/content_copy:")
    if not alike:
        st.caption(":green[:material/check_circle: 没有同名或同手机号的已注册单位；代码校验码正确]")
with right:
    st.subheader("办理经过", anchor=False)
    progress.draw(Subject.registration, moves)

steps = workflow.open_steps(Subject.registration, found.status, Role.reviewer)
if not steps:
    st.stop()
with st.container(border=True):
    st.subheader("审核意见", anchor=False)
    template = st.selectbox(
        "常用理由", TEMPLATES, index=None, placeholder="选择后填入下方", key=f"template-{found.id}"
    )
    reason = st.text_area(
        "理由（退回补正、不予通过时必填）",
        template or "",
        max_chars=500,
        key=f"reason-{found.id}-{TEMPLATES.index(template) if template else ''}",
    )
    with st.container(horizontal=True):
        pressed = [
            step.action
            for step in steps
            if st.button(
                step.label,
                type="primary" if step.action == "approve" else "secondary",
                key=f"{step.action}-{found.id}",
            )
        ]

if pressed:
    with acting(Role.reviewer) as (session, reviewer):
        if pressed[0] == "approve":
            registrations.approve(session, found.id, by=reviewer, note=reason)
        else:
            OPERATIONS[pressed[0]](session, found.id, by=reviewer, reason=reason)
    look.flash(f"{found.name}：{workflow.label_of(Subject.registration, pressed[0])}")
    st.rerun()
