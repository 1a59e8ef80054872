"""以该身份预览: an administrator looks at the pages as another account, without any right to change.

The sign-in remembers whom. Every act and every file is refused until it ends; the queries are those of the
other account.
"""

from sqlmodel import Session, col, select, update

from db import audit, reach, sign_ins
from db.errors import NotFound, Refused
from db.models import Account, Role, SignIn

REFUSED = "正在以其他身份预览，只能查看，不能办理业务或下载文件；请先点页面上方的“结束预览”"


def begin(session: Session, token: str, account_id: int, *, by: Account) -> Account:
    """Look at the pages as an account from now on, in the browser of this token.

    Raises Refused for a suspended account and for another administrator, and NotFound.
    """
    reach.allow(by, Role.administrator)
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("账号")
    if account.role == Role.administrator or not account.is_active:
        raise Refused("只能预览管理员以外、没有停用的账号，请另选一个")
    here = (col(SignIn.token_hash) == sign_ins.digest(token)) & (col(SignIn.account_id) == by.id)
    if session.exec(update(SignIn).where(here).values(previewed_id=account_id)).rowcount != 1:
        raise Refused("登录已失效，请重新登录")
    audit.record(session, "开始预览", by=by, subject="account", subject_id=account_id, note=account.username)
    return account


def end(session: Session, token: str) -> None:
    """See one's own pages again; nothing happens without a preview."""
    here = col(SignIn.token_hash) == sign_ins.digest(token)
    row = session.exec(select(SignIn).where(here, col(SignIn.previewed_id).is_not(None))).one_or_none()
    if row is None:
        return
    ended = session.get_one(Account, row.previewed_id)
    session.exec(update(SignIn).where(col(SignIn.id) == row.id).values(previewed_id=None))
    audit.record(session, "结束预览", subject="account", subject_id=ended.id, note=ended.username)


def shown(session: Session, token: str, account: Account | None) -> Account | None:
    """Whose pages this browser sees: the account previewed, else the signed-in `account` itself.

    What is previewed is a copy that no session writes back.
    """
    if account is None or account.role != Role.administrator:
        return account
    here = (col(SignIn.token_hash) == sign_ins.digest(token)) & (col(SignIn.account_id) == account.id)
    joined = select(Account).join(SignIn, col(SignIn.previewed_id) == Account.id)
    seen = session.exec(joined.where(here)).first()
    return Account(**seen.model_dump() | {"must_change_password": False}) if seen else account


def refuse(session: Session, token: str) -> None:
    """Raise Refused while the browser of this token looks at the pages of another account."""
    here = col(SignIn.token_hash) == sign_ins.digest(token)
    if session.exec(select(SignIn.id).where(here, col(SignIn.previewed_id).is_not(None))).first():
        raise Refused(REFUSED)
