"""Who is at the other end: `signed_in` for looks, `acting` for operations, `looking` for queries, `visiting`
for what a visitor without an account may do.

The account is read from the row of the sign-in each time, never from the state of the browser's session.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st

from db import audit, duties, previews, sign_ins
from db.engine import Session, note_refusal, reading, transaction
from db.errors import Refused
from db.models import Account, Role
from pages.edge.visitor import COOKIE

SIGNED_OUT = "登录已失效，请重新登录"
NOT_FOR_YOU = "您的账号没有这项权限，请使用有权限的账号登录"

# Whom `current` has found, and by which token, so that a page need not ask again for its looks.
_of_this_run: ContextVar[tuple[str, Account | None]] = ContextVar("of_this_run", default=("", None))
_is_previewed: ContextVar[bool] = ContextVar("is_previewed", default=False)


def token() -> str:
    """The secret of this browser's sign-in, empty without one."""
    return _text(st.context.cookies.get(COOKIE))


def address() -> str:
    """The visitor's network address; empty on the server's own machine."""
    return _text(st.context.ip_address)


def agent() -> str:
    """What the visitor's browser calls itself."""
    return _text(st.context.headers.get("User-Agent"))


def place() -> str:
    """The title of the page that is open, as `app.py` has left it for the audit log."""
    return str(st.session_state.get("place", ""))


def _text(value: object) -> str:
    # Page tests without a browser answer with mocks.
    return value if isinstance(value, str) else ""


def current() -> tuple[Account | None, str]:
    """The account of this run and whom it works for, for `app.py`; notes that the sign-in is in use."""
    with reading() as session:
        own, is_due = sign_ins.standing(session, token())
        account = previews.shown(session, token(), own)
        workplace = sign_ins.workplace(session, account) if account else ""
    _of_this_run.set((token(), account))
    _is_previewed.set(account is not own)
    if is_due:
        with transaction() as session:
            sign_ins.touch(session, token())
    return account, workplace


def is_previewed() -> bool:
    """Whether the account of this run is one that an administrator only looks as."""
    return _is_previewed.get()


def signed_in(*roles: Role) -> Account:
    """The account, for a page to show what is meant for it; without the right to be here, a sentence instead.

    No roles means any. Protects nothing: `acting` and `looking` do.
    """
    mine, account = _of_this_run.get()
    try:
        if mine == token():
            return _allowed(account, roles)
        with reading() as session:
            return _found(session, roles)
    except Refused as refusal:
        st.warning(str(refusal), icon=":material/lock:")
        st.stop()


@contextmanager
def acting(*roles: Role) -> Iterator[tuple[Session, Account]]:
    """A transaction and the account that acts in it; raises Refused when signed out or not in `roles`."""
    with visiting() as session:
        account = _found(session, roles)
        previews.refuse(session, token())
        sign_ins.touch(session, token())
        yield session, account


@contextmanager
def visiting() -> Iterator[Session]:
    """A transaction for a page that needs no account; the audit log learns the page and the address."""
    with transaction() as session:
        _introduce(session, None)
        yield session


@contextmanager
def looking(*roles: Role) -> Iterator[tuple[Session, Account]]:
    """A session for queries only, and the account that asks; raises Refused as `acting` does."""
    with reading() as session:
        yield session, _found(session, roles)


def note(refusal: Refused) -> None:
    """Put a refusal that a visitor is about to see into the audit log, unless it stands there."""
    if not refusal.is_noted:
        with reading() as session:
            _introduce(session, sign_ins.account_of(session, token()))
        note_refusal(session, refusal)


def _introduce(session: Session, account: Account | None) -> None:
    audit.attribute(session, by=account, address=address(), place=place())


def _found(session: Session, roles: tuple[Role, ...]) -> Account:
    account = sign_ins.account_of(session, token())
    if account:
        _introduce(session, account)
    allowed = _allowed(previews.shown(session, token(), account), roles)
    # Only 个人中心, which is for no role in particular, is open to who has a duty to do there first.
    if roles and account and (sentence := duties.obstacle(session, account)):
        raise Refused(sentence)
    return allowed


def _allowed(account: Account | None, roles: tuple[Role, ...]) -> Account:
    if account is None:
        raise Refused(SIGNED_OUT)
    if roles and account.role not in roles:
        raise Refused(NOT_FOR_YOU)
    if roles and account.must_change_password:
        raise Refused(duties.CHANGE_PASSWORD)
    return account
