"""企业注册: the fields of an application, checked while they are typed."""

from typing import Any

import streamlit as st

from catalog.identifiers import IdentifierError, enterprise_code
from db import registrations
from db.engine import reading
from pages.parts import choices, look

SURE = "企业名称、统一社会信用代码/组织机构代码、所在地、手机号请务必正确填写。"
KEYS = ("name", "credit_code", "mobile", "contact_name", "address", "username", "password")
STATE = "registration"


def draw(key: str, start: dict[str, Any], has_account: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields; what was typed, and what is wrong with it so far. `has_account` asks for name and password."""
    typed: dict[str, Any] = {}
    places: dict[str, Any] = {}

    def text(field: str, label: str, limit: int, column: Any, **options: Any) -> None:
        with column:
            typed[field] = st.text_input(
                label, start.get(field) or "", max_chars=limit, key=f"{key}-{field}", **options
            )
            places[field] = st.empty()

    with st.container(border=True):
        st.caption(SURE)
        left, right = st.columns(2, gap="medium")
        text("name", "企业名称 *", 120, left, placeholder="与营业执照一致")
        text("credit_code", "统一社会信用代码/组织机构代码 *", 30, right, placeholder="18 位或 9 位")
        typed["division_code"] = choices.division(f"{key}-division", "所在地 *", start.get("division_code"))
        places["division_code"] = st.empty()
        left, right = st.columns(2, gap="medium")
        text("mobile", "手机号 *", 20, left, placeholder="11 位，用于查询进度")
        text("contact_name", "联系人 *", 60, right)
        text("address", "详细地址", 200, st.container())
        if has_account:
            first, second, third = st.columns(3, gap="medium")
            text("username", "账号名 *", 40, first, placeholder="3 至 40 个字母、数字或汉字")
            text("password", "密码 *", 64, second, type="password", autocomplete="new-password")
            text("again", "再输一次密码 *", 64, third, type="password", autocomplete="new-password")
        typed["is_urgent"] = st.checkbox("急需审核", bool(start.get("is_urgent")), key=f"{key}-urgent")
    problems = _problems(typed, start)
    for field, place in places.items():
        if typed.get(field) and field != "again":
            _say(place, field, problems)
    if typed.get("again") and typed["again"] != typed["password"]:
        problems["again"] = "两次输入的密码不一致"
        places["again"].caption(":red[:material/error: 两次输入的密码不一致]")
    return typed, problems


def _problems(typed: dict[str, Any], start: dict[str, Any]) -> dict[str, str]:
    with reading() as session:
        return dict(registrations.look_over(session, typed, start.get("id")).problems)


def _say(place: Any, field: str, problems: dict[str, str]) -> None:
    if field not in problems:
        if field in ("credit_code", "mobile", "username", "password"):
            place.caption(":green[:material/check_circle: 格式正确]")
        return
    place.caption(f":red[:material/error: {look.plain(problems[field])}]")


def suggestion(code: str) -> str | None:
    """The credit code that was probably meant, to be offered and never taken silently."""
    try:
        enterprise_code(code)
    except IdentifierError as error:
        return error.suggestion
    return None


def values(typed: dict[str, Any]) -> dict[str, Any]:
    """What the operation is told: all but the second password."""
    return {field: value for field, value in typed.items() if field != "again"}
