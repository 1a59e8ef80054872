"""The way in: streamlit-authenticator's form and check over our accounts, then a ticket for the cookie."""

from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit_authenticator import Authenticate
from streamlit_authenticator.controllers import AuthenticationController

from db import authenticators, identities, sign_ins
from db.engine import reading
from pages.edge import provider
from pages.edge.session import local
from pages.parts import look
from pages.parts.account import address, agent, visiting

FIELDS = {"Form name": "登录", "Username": "账号", "Password": "密码", "Login": "登录"}
# Where a ticket waits for the second factor.
SECOND = "second-step"
SUBMITTED = "FormSubmitter:Login-登录"
# Where the library keeps who it thinks is signed in: nobody here reads them, and none may stay.
LEFT_BEHIND = ("authentication_status", "username", "name", "email", "roles", "logout", "password_hint")


class TypedName(dict[str, dict[str, Any]]):
    """The library's table of accounts, with the one name typed: its hash is read when it is asked for."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> dict[str, Any]:
        with visiting() as session:
            password_hash = sign_ins.credential(session, name, address())
        self[name] = {"name": name, "password": password_hash}
        return self[name]


class NoCookie:
    """In the place of the library's cookie, which JavaScript could read and nobody could revoke."""

    def get_cookie(self) -> None:
        """Nobody is signed in by it."""

    def set_cookie(self) -> None:
        """Ours is set by a route."""


class SignInForm(Authenticate):
    """The library's form and its bcrypt check; `typed` shows whether a name was looked up."""

    def __init__(self) -> None:
        self.path = None
        self.attrs = {"login_sleep_time": 0}
        self.typed = TypedName()
        self.cookie_controller = NoCookie()
        self.authentication_controller = AuthenticationController({"usernames": {}}, auto_hash=False)
        # Only now: given in the constructor, the table would be copied into a plain one.
        self.authentication_controller.authentication_model.credentials["usernames"] = self.typed


def sign_in() -> str | None:
    """Draw the form; the ticket of whoever gave the right password, or None with a sentence shown if need be.

    Raises Refused when the name or the address is locked.
    """
    proven: list[dict[str, Any]] = []
    form = SignInForm()
    try:
        form.login(fields=FIELDS, callback=proven.append)
    finally:
        for key in LEFT_BEHIND:
            st.session_state.pop(key, None)
    if proven:
        name = proven[0]["username"]
        with visiting() as session:
            ticket = sign_ins.begin(session, name, form.typed[name]["password"], address(), agent())
            needs_code = authenticators.is_waiting(session, ticket)
        if not needs_code:
            return ticket
        st.session_state[SECOND] = ticket
        st.rerun()
    if form.typed:
        with visiting() as session:
            sign_ins.note_wrong(session, next(iter(form.typed)))
        st.error(sign_ins.WRONG, icon=":material/error:")
    elif st.session_state.get(SUBMITTED):
        st.error("请输入账号和密码", icon=":material/error:")
    return None


def second_step() -> str | None:
    """Ask for the code where the password was not enough; the ticket once it can be redeemed.

    Raises Refused after too many wrong codes, and when the ticket has run out.
    """
    ticket: str = st.session_state[SECOND]
    with st.form("code"):
        st.subheader("动态口令", anchor=False)
        code = st.text_input(
            "身份验证器上显示的 6 位数字", max_chars=7, autocomplete="one-time-code", key="code-typed"
        )
        is_sent = st.form_submit_button("登录", type="primary", width="stretch")
    st.caption("手机不在身边或已丢失，请联系管理员重置动态口令。")
    if st.button("返回", icon=":material/arrow_back:"):
        del st.session_state[SECOND]
        st.rerun()
    if not is_sent:
        return None
    with visiting() as session:
        is_right = authenticators.prove(session, ticket, code, address=address())
    if not is_right:
        st.error(authenticators.WRONG, icon=":material/error:")
        return None
    del st.session_state[SECOND]
    return ticket


def by_identity() -> None:
    """The button that leads to the bureau's own provider, if there is one."""
    if provider.is_configured() and st.button(
        "用单位统一身份登录", icon=":material/badge:", width="stretch", key="by-identity"
    ):
        _leave(provider.door(_wanted()))


def take_up() -> None:
    """Go on with the second step where the provider's word alone was not enough."""
    if "code" in st.query_params:
        st.session_state[SECOND] = st.query_params.pop("code")


def say_why_again() -> None:
    """Why the way in has led back here."""
    why = st.query_params.get("again")
    if why == "identity":
        with reading() as session:
            st.warning(look.plain(identities.no_account(session)), icon=":material/lock:")
    elif why == "provider":
        st.warning("单位统一身份登录暂时不可用，请稍后再试，或用密码登录", icon=":material/cloud_off:")
    elif why:
        st.warning("登录没有完成，请重新登录", icon=":material/refresh:")


def enter(ticket: str) -> None:
    """Send the browser for its cookie and on to the page it came for; the run ends here."""
    _leave(f"/auth/begin?{urlencode({'ticket': ticket, 'next': _wanted()})}")


def _leave(to: str) -> None:
    # A script within the page is not allowed by our content security policy; one of our own files is.
    st.html(f'<script src="/assets/go.js" data-to="{to}"></script>', unsafe_allow_javascript=True)
    st.stop()


def _wanted() -> str:
    url = st.context.url
    path = urlsplit(url).path if isinstance(url, str) else ""
    # Why the way in was taken again is no part of the page.
    query = urlencode({name: value for name, value in st.query_params.to_dict().items() if name != "again"})
    return local(f"{path or '/'}?{query}" if query else path or "/")
