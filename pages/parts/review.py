"""The review of a registration: its clock, what it says beside what was found, and the decision."""

from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st

from db import likeness, reviews
from db.engine import Session
from db.models import Account, Attachment, Registration, RegistrationStatus, Role, Subject
from db.reviews import QueueRow, Share
from db.workdays import Deadline
from db.workflow import Step
from pages.parts import choices, history, look, unmasking
from pages.parts.tiles import Tile

IMAGES = ("image/jpeg", "image/png")
KINDS = {Role.enterprise: "企业注册", Role.personal: "个人注册"}
REASONS = {
    "扫描件不清": "营业执照扫描件看不清或不完整，请重新拍照或扫描后上传。",
    "名称不一致": "企业名称与营业执照不一致，请按营业执照填写全称。",
    "代码不一致": "统一社会信用代码与企业名称登记的不一致，请对照营业执照改正。",
    "所在地不对": "所在地与企业住所不一致，请选择企业住所所在的区县。",
    "手机号不通": "所留手机号无法接通，请填写经办人本人正在使用的手机号。",
    "不在本辖区": "该单位不在本辖区，请按所在地重新注册。",
    "重复注册": "该单位已有账号，请直接登录；忘记密码请使用“忘记密码”。",
}
COLORS = {"task_alt": "green", "warning": "orange", "info": "gray"}
ICONS = {"approve": "task_alt", "send_back": "undo", "decline": "block"}


def clock(row: QueueRow) -> str:
    """The working-day clock in words, with a sign when it is urgent."""
    if row.status != RegistrationStatus.submitted:
        return ""
    urgent = "● 加急 · " if row.is_urgent else ""
    left = row.working_days_left
    said = f"剩 {left} 个工作日" if left > 0 else f"✕ 已超 {-left} 个工作日" if left else "◔ 今天到期"
    return urgent + said + ("（估算）" if row.deadline.is_estimated else "")


def in_time(share: Share) -> Tile:
    """The share of registrations answered in time, as a number that opens the queue."""
    shown = f"{share.rate:.1%}" if share.rate is not None else "—"
    note = f"近 {reviews.PERIOD} 天，时限内 {share.in_time}/{share.due}"
    return Tile("按时审核", shown, "registrations", note=note)


def checks(session: Session, found: Registration, by: Account) -> list[tuple[str, str]]:
    """What was checked, as an icon and a sentence each."""
    alike = likeness.alike(session, found.id, by=by)
    others = [("warning", sentence) for sentence in alike]
    if found.role == Role.personal:
        nobody = "没有同手机号的账号、单位和待审核的注册申请"
        return [("task_alt", "手机号格式正确"), *(others or [("task_alt", nobody)])]
    kind = "统一社会信用代码" if len(found.credit_code) == 18 else "组织机构代码"
    said = [("task_alt", f"{kind}的校验位正确，手机号格式正确")]
    said += others or [("task_alt", "没有同代码、同名、同手机号的单位、账号和注册申请")]
    if place := likeness.place_in_code(session, found.credit_code):
        said.append(("info", f"代码中的区划是{place}（登记机关所在地，可以与所在地不同）"))
    return said


def show(found: Registration, deadline: Deadline, moves: Sequence[Any], contact: tuple[str, str]) -> None:
    """What was handed in, with `contact` as the asker may see it, and what has happened."""
    name = contact[0] if found.role == Role.personal else found.name
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{look.plain(name)}**", width="content")
            st.markdown(f":gray-badge[{KINDS[found.role]}]", width="content")
            st.markdown(look.badge(found.status.value), width="content")
            if found.is_urgent:
                st.markdown(":red-badge[:material/priority_high: 加急]", width="content")
        if found.status == RegistrationStatus.submitted:
            st.caption(f"应在 {deadline} 前审核完成")
        _facts(found, contact)
        if "*" in contact[1]:
            unmasking.popover("registration", found.id)
    with st.expander(f"办理经过（{len(moves)}）", expanded=len(moves) > 1):
        history.moves(Subject.registration, moves)


def show_checks(checks: list[tuple[str, str]]) -> None:
    """What was found, each with its sign."""
    with st.container(border=True, gap="xsmall"):
        st.markdown("**自动核对**")
        for icon, sentence in checks:
            st.markdown(f":{COLORS[icon]}[:material/{icon}:] {look.plain(sentence)}")


def show_licence(scan: Attachment | None) -> None:
    """The scan beside the form, a picture in place and a PDF to open."""
    with st.container(border=True, gap="xsmall"):
        st.markdown("**营业执照扫描件**")
        if scan is None:
            st.caption("没有上传扫描件，可以退回补正，请申请人上传。")
            return
        source = f"/attachments/{int(scan.id)}"
        if scan.media_type in IMAGES:
            style = "max-width: 100%; max-height: 460px; border: 1px solid #d3dbe3"
            st.html(
                f'<a href="{source}" target="_blank"><img src="{source}" alt="扫描件" style="{style}"></a>'
            )
        size = f"{max(1, scan.size >> 10):,} KB"
        st.link_button(f"打开 {look.plain(scan.name)}（{size}）", source, icon=":material/attach_file:")


def _facts(found: Registration, contact: tuple[str, str]) -> None:
    name, mobile = contact
    place = choices.tree().rows.get(found.division_code)
    facts = {
        "统一社会信用代码/组织机构代码": found.credit_code,
        "所在地": place.full_name if place else found.division_code,
        "详细地址": found.address or "（未填）",
        "手机号": mobile,
        "联系人": name,
        "账号名": found.username,
        "申请编号": found.number,
    }
    if found.role == Role.personal:
        facts = {label: facts[label] for label in ("所在地", "手机号", "账号名", "申请编号")}
    with st.grid(2, min_column_width=200, gap="small"):
        for label, value in facts.items():
            with st.container(gap=None):
                st.caption(label)
                st.text(value)


def decide(found: Registration, steps: list[Step]) -> tuple[Step, str] | None:
    """The reason, with some to insert, and a button for each step; the step that was pressed."""
    # The version in the keys: after a correction the applicant made meanwhile, nothing pressed before counts.
    key = f"review-{found.id}-{found.version}"
    with st.container(border=True):
        st.markdown("**审核意见**")
        _insert(key)
        reason = st.text_area(
            "理由（退回补正、不予通过时必填）", max_chars=500, key=f"{key}-reason", height=100
        )
        with st.container(horizontal=True):
            pressed = [step for step in steps if _button(key, step)]
    return (pressed[0], reason) if pressed else None


def _button(key: str, step: Step) -> bool:
    kind: Literal["primary", "secondary"] = "primary" if step.action == "approve" else "secondary"
    icon = f":material/{ICONS[step.action]}:"
    return st.button(step.label, type=kind, icon=icon, key=f"{key}-{step.action}")


def _insert(key: str) -> None:
    number = st.session_state.setdefault(f"{key}-inserted", 0)
    chosen = st.pills("点击插入常用理由", list(REASONS), key=f"{key}-template-{number}")
    if chosen:
        typed = st.session_state.get(f"{key}-reason", "")
        st.session_state[f"{key}-reason"] = f"{typed}\n{REASONS[chosen]}".strip()
        # Under a new key nothing is chosen, so that the same one may be inserted again.
        st.session_state[f"{key}-inserted"] += 1
        st.rerun()
