"""企业注册 and 个人注册: the fields of an application, each checked as soon as it is left."""

from typing import Any

import streamlit as st

from db import attachments, registrations
from db.fields import Form
from db.models import Role
from pages.parts import choices, look

TYPES = ["jpg", "jpeg", "png", "pdf"]
MOST = attachments.MOST_PROOF_BYTES >> 20
HINTS = {
    "name": "与营业执照上的名称一致",
    "credit_code": "18 位统一社会信用代码，或 9 位组织机构代码",
    "division_code": "依次选择省、市、区县，选到最后一级",
    "mobile": "11 位，查询注册进度和找回密码时使用",
    "contact_name": "办理强检业务的人",
    "address": "选填，街道和门牌号",
    "username": "3 至 40 个字母、数字、汉字或 _ - .，登录时使用",
    "licence": "四角完整、字迹清楚；没有营业执照的上传法人证书或代码证。只有审核人员和本单位能看到",
    "password": "8 至 64 个字符，含大写字母、小写字母、数字、其他字符中的三种，或不少于 12 个字符",
    "repeated": "与上面的密码相同",
}
PERSON = {
    "name": "与身份证上的姓名一致",
    "division_code": "您工作的地方，依次选择省、市、区县，选到最后一级",
}
PRAISE = {
    "credit_code": "校验位正确，尚未注册",
    "division_code": "已选到区县",
    "mobile": "格式正确",
    "licence": "文件可用",
    "username": "可以使用",
    "password": "符合要求",
    "repeated": "两次一致",
}


def pair() -> Any:
    """A place for fields side by side, one below the other on a narrow screen."""
    return st.grid(2, min_column_width=280, gap="medium")


class Sheet:
    """An application while it is typed: `typed` holds what stands in it, a line below each field judges it.

    The line is there from the start, so that no button moves away from under a click.
    """

    def __init__(self, key: str, start: dict[str, Any]) -> None:
        """A sheet with what stands in it at first, `role` included; `key` tells it from others."""
        self.key, self.start = key, start
        self.typed: dict[str, Any] = {
            "role": start.get("role", Role.enterprise),
            "is_urgent": start.get("is_urgent", False),
        }
        self.hints = HINTS | (PERSON if start.get("role") == Role.personal else {})
        self._lines: dict[str, Any] = {}
        self._offers: dict[str, Any] = {}

    def text(self, field: str, label: str, limit: int, **options: Any) -> None:
        """A field for text of at most `limit` characters."""
        key = f"{self.key}-{field}"
        if meant := st.session_state.pop(f"{key}-meant", None):
            st.session_state[key] = meant
        if key not in st.session_state:
            st.session_state[key] = self.start.get(field) or ""
        with st.container(gap="xxsmall"):
            self.typed[field] = st.text_input(label, max_chars=limit, key=key, **options)
            self._lines[field], self._offers[field] = st.empty(), st.empty()

    def secret(self, field: str, label: str) -> None:
        """A field for a password; only in a form, for one left by Tab would stay in the browser."""
        self.text(field, label, 64, type="password", autocomplete="new-password")

    def division(self) -> None:
        """所在地 as a cascade."""
        with st.container(gap="xxsmall"):
            start = self.start.get("division_code")
            self.typed["division_code"] = choices.division(f"{self.key}-division", "所在地 *", start)
            self._lines["division_code"] = st.empty()

    def enterprise(self) -> None:
        """The four fields of the guide that must be right, and how to reach the enterprise."""
        with st.container(border=True):
            st.markdown("**务必正确填写**")
            st.caption("企业名称、统一社会信用代码/组织机构代码、所在地、手机号，请务必、一定正确填写。")
            with pair():
                self.text("name", "企业名称 *", 120)
                self.text("credit_code", "统一社会信用代码/组织机构代码 *", 30)
            self.division()
            with pair():
                self.text("mobile", "手机号 *", 20)
        with st.container(border=True):
            st.markdown("**联系信息**")
            with pair():
                self.text("contact_name", "联系人 *", 60)
                self.text("address", "详细地址", 200)

    def licence(self, kept: int = 0) -> None:
        """The scan; `kept` is the size in bytes of one handed in before, which a new one replaces."""
        star, size = ("", f"，已上传一份（{max(1, kept >> 10):,} KB）") if kept else (" *", "")
        with st.container(border=True, gap="xxsmall"):
            file = st.file_uploader(
                f"{registrations.LICENCE}{star}：JPG、PNG 或 PDF，不超过 {MOST} MB{size}",
                type=TYPES,
                max_upload_size=MOST,
                key=f"{self.key}-licence",
            )
            self.typed["licence"] = file.getvalue() if file else b""
            self.typed["licence_name"] = file.name if file else ""
            self._lines["licence"] = st.empty()

    def person(self) -> None:
        """What a person fills in."""
        with st.container(border=True):
            st.markdown("**个人信息**")
            with pair():
                self.text("name", "姓名 *", 60)
                self.text("mobile", "手机号 *", 20)
            self.division()

    def judge(self, form: Form, is_sent: bool) -> None:
        """Say of each field touched so far, or of all once sent, whether it is right."""
        touched = st.session_state.setdefault(f"{self.key}-touched", set())
        touched |= {field for field in self._lines if is_sent or self.typed[field]}
        for field, line in self._lines.items():
            if field not in touched:
                line.caption(self.hints[field])
            elif problem := form.problems.get(field):
                line.markdown(f":small[:red[:material/error: {look.plain(problem)}]]")
            elif self.typed[field]:
                line.markdown(f":small[:green[:material/check_circle: {PRAISE.get(field, '已填写')}]]")
            else:
                line.caption(self.hints[field])
        self._offer(form.suggestions)

    def forget(self) -> None:
        """Let go of all that was typed, the password first of all."""
        for key in [key for key in st.session_state if str(key).startswith(f"{self.key}-")]:
            del st.session_state[key]

    def _offer(self, suggestions: dict[str, str]) -> None:
        for field, meant in suggestions.items():
            key = f"{self.key}-{field}-{meant}"
            if self._offers[field].button(f"改为 {meant}", icon=":material/lightbulb:", key=key):
                st.session_state[f"{self.key}-{field}-meant"] = meant
                st.rerun()
