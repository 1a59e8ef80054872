"""新增授权, and the validity or the end of one: each act runs assignment again."""

from collections.abc import Mapping
from datetime import timedelta

import streamlit as st

from db import authorizations, clock, verifications
from db.authorizations import AuthorizationRow
from db.models import Role
from pages.parts import choices, look, narrowing
from pages.parts.account import acting

WHOLE, SINGLE = "整个项别", "一个种别"
YEARS = 3


def left(days: int) -> str:
    """How long an authorization still runs."""
    if days < 0:
        return look.mark("已超期")
    sign = f"{look.STATUSES['即将到期'][2]} " if days <= 90 else ""
    return f"{sign}{days} 天"


def change(row: AuthorizationRow, open_count: int) -> None:
    """Renew, shorten or revoke one authorization."""
    key = f"{row.id}-{row.version}"
    with st.container(border=True):
        st.subheader("修改授权", anchor=False)
        st.text(f"{row.institution} · {row.division} · {row.category} · {row.kind or WHOLE}")
        first, last = st.columns(2)
        valid_from = first.date_input("有效期起 *", row.valid_from, format="YYYY-MM-DD", key=f"from-{key}")
        valid_until = last.date_input("有效期止 *", row.valid_until, format="YYYY-MM-DD", key=f"until-{key}")
        is_changed = st.button("保存有效期", type="primary", key=f"change-{key}")
        st.divider()
        st.caption(f"该机构现有 {open_count} 台未办结器具，撤销后仍由其办理，也可在“预约明细”中转派。")
        with st.container(horizontal=True, vertical_alignment="center"):
            is_sure = st.checkbox("确认撤销此授权", key=f"sure-{key}")
            is_revoked = st.button("撤销授权", key=f"revoke-{key}", disabled=not is_sure)
    if is_changed:
        with acting(Role.supervisor) as (session, supervisor):
            placed = authorizations.change_validity(
                session, row.id, row.version, by=supervisor, valid_from=valid_from, valid_until=valid_until
            )
        look.flash(f"授权有效期已保存，又有 {placed} 台器具分配成功")
        st.rerun()
    if is_revoked:
        with acting(Role.supervisor) as (session, supervisor):
            remaining = authorizations.revoke(session, row.id, row.version, by=supervisor)
        look.flash(f"授权已撤销；该机构还有 {remaining} 台未办结器具")
        st.rerun()


def grant(stations: Mapping[int, str], home: str | None) -> None:
    """新增授权; the address may name a division and a kind, as the coverage gaps do."""
    asked, key = st.query_params.get("kind", ""), f"grant?{narrowing.signature()}"
    with st.container(border=True):
        st.subheader("新增授权", anchor=False)
        left, right = st.columns(2)
        institution_id = left.selectbox(
            "技术机构 *",
            list(stations),
            index=None,
            format_func=lambda one: stations[one],
            placeholder="请选择",
            key=f"{key}-institution",
        )
        span = right.segmented_control(
            "授权范围 *",
            [WHOLE, SINGLE],
            default=SINGLE if asked else WHOLE,
            required=True,
            key=f"{key}-span",
        )
        area = choices.division(
            f"{key}-area",
            "授权区域 *",
            st.query_params.get("division", home),
            "可只选到省或市，对下级区县都有效",
        )
        if span == SINGLE:
            category_id, kind_id = None, choices.kind(key, int(asked) if asked.isdecimal() else None)
        else:
            category_id, kind_id = _category(key), None
        first, last, more = st.columns(3)
        today = clock.today()
        valid_from = first.date_input("有效期起 *", today, format="YYYY-MM-DD", key=f"{key}-from")
        valid_until = last.date_input(
            "有效期止 *",
            verifications.months_later(today, 12 * YEARS) - timedelta(1),
            format="YYYY-MM-DD",
            key=f"{key}-until",
        )
        note = more.text_input("备注", max_chars=500, key=f"{key}-note", placeholder="例如授权文号")
        is_granted = st.button("新增授权", type="primary", key=f"{key}-send")
    if is_granted:
        with acting(Role.supervisor) as (session, supervisor):
            _, placed = authorizations.authorize(
                session,
                institution_id or 0,
                by=supervisor,
                division_code=area or "",
                valid_from=valid_from,
                valid_until=valid_until,
                category_id=category_id,
                kind_id=kind_id,
                note=note,
            )
        look.flash(f"授权已保存，又有 {placed} 台器具分配成功")
        st.rerun()


def _category(key: str) -> int | None:
    known = {row.category_id: row.category for row in choices.kinds() if row.retired_on is None}
    return st.selectbox(
        "器具项别 *",
        list(known),
        index=None,
        format_func=lambda one: known[one],
        placeholder="请选择",
        key=f"{key}-category-whole",
    )
