"""以该身份预览: an administrator looks at the pages as another account, without any right to change.

The sign-in remembers whom, or the role and place of an account that is not there. Every act and every file
is refused until it ends; the queries are those of the other account.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select, update

from db import accounts, audit, reach, sign_ins
from db.errors import NotFound, Refused
from db.fields import Form
from db.models import Account, Division, Enterprise, Institution, Role, SignIn

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
    _keep(session, token, by, previewed_id=account_id)
    audit.record(session, "开始预览", by=by, subject="account", subject_id=account_id, note=account.username)
    return account


def begin_as(
    session: Session,
    token: str,
    role: Role,
    *,
    by: Account,
    enterprise: str = "",
    institution_id: int | None = None,
    division_code: str | None = None,
) -> Account:
    """Look at the pages as somebody in `role` would whose account is not there, in the browser of this token.

    `enterprise` is a full name or a credit code, for an enterprise account; the area of staff may be none,
    which means everywhere. Raises Refused for an administrator, and where the place is not there.
    """
    reach.allow(by, Role.administrator)
    if role == Role.administrator:
        raise Refused("管理员看到的就是您自己的页面，请另选一个身份")
    form = Form()
    accounts.check_place(session, form, role, institution_id, division_code)
    form.done()
    place = _place(session, role, enterprise, institution_id, division_code)
    _keep(session, token, by, previewed_as={"role": role.name, **place})
    audit.record(session, "开始预览", by=by, subject="account", note=f"{role} {place['full_name']}")
    return _imagined(role, place)


def _place(
    session: Session, role: Role, enterprise: str, institution_id: int | None, division_code: str | None
) -> dict[str, Any]:
    """Where somebody in a role belongs, and what that is called."""
    if role == Role.enterprise:
        owner = _enterprise(session, enterprise)
        return {"full_name": owner.name, "enterprise_id": owner.id}
    if role == Role.institution:
        name = session.get_one(Institution, institution_id).name
        return {"full_name": name, "institution_id": institution_id}
    if role in reach.BUREAU:
        area = session.get(Division, division_code or "")
        return {"full_name": area.full_name if area else "全部区域", "division_code": division_code}
    return {"full_name": "示例"}


def _enterprise(session: Session, asked: str) -> Enterprise:
    """The enterprise of a full name or a credit code."""
    word = asked.strip()
    here = (col(Enterprise.name) == word) | (col(Enterprise.credit_code) == word.upper())
    found = session.exec(select(Enterprise).where(here).limit(2)).all()
    if len(found) != 1:
        problem = "没有找到这家企业，请填写企业全称或统一社会信用代码"
        raise Refused(problem, {"enterprise": problem})
    return found[0]


def _imagined(role: Role, place: Mapping[str, Any]) -> Account:
    """An account that is in no table."""
    return Account(**{**place, "id": 0, "role": role, "username": "示例账号", "password_hash": ""})


def _keep(session: Session, token: str, by: Account, **values: Any) -> None:
    here = (col(SignIn.token_hash) == sign_ins.digest(token)) & (col(SignIn.account_id) == by.id)
    seen = {"previewed_id": None, "previewed_as": None, **values}
    if session.exec(update(SignIn).where(here).values(**seen)).rowcount != 1:
        raise Refused("登录已失效，请重新登录")


def end(session: Session, token: str) -> None:
    """See one's own pages again; nothing happens without a preview."""
    row = session.exec(select(SignIn).where(*_previewing(token))).one_or_none()
    if row is None:
        return
    seen, account_id = _seen(session, row), row.previewed_id
    session.exec(update(SignIn).where(col(SignIn.id) == row.id).values(previewed_id=None, previewed_as=None))
    note = seen.username if account_id else f"{seen.role} {seen.full_name}"
    by = session.get_one(Account, row.account_id)
    audit.record(session, "结束预览", by=by, subject="account", subject_id=account_id, note=note)


def _previewing(token: str) -> tuple[Any, Any]:
    """The sign-in of a token, while it looks as somebody else."""
    here = col(SignIn.token_hash) == sign_ins.digest(token)
    return here, col(SignIn.previewed_id).is_not(None) | col(SignIn.previewed_as).is_not(None)


def _seen(session: Session, row: SignIn) -> Account:
    if row.previewed_as:
        return _imagined(Role[row.previewed_as["role"]], row.previewed_as)
    return Account(
        **session.get_one(Account, row.previewed_id).model_dump() | {"must_change_password": False}
    )


def shown(session: Session, token: str, account: Account | None) -> Account | None:
    """Whose pages this browser sees: the account previewed, else the signed-in `account` itself.

    What is previewed is a copy that no session writes back.
    """
    if account is None or account.role != Role.administrator:
        return account
    mine = select(SignIn).where(*_previewing(token), SignIn.account_id == account.id)
    row = session.exec(mine).first()
    return _seen(session, row) if row else account


def refuse(session: Session, token: str) -> None:
    """Raise Refused while the browser of this token looks at the pages of another account."""
    if session.exec(select(SignIn.id).where(*_previewing(token))).first():
        raise Refused(REFUSED)
