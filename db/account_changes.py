"""Changes of accounts by an administrator, and what hangs on an account."""

from sqlmodel import Session, col, func, select

from catalog import identifiers
from db import accounts, mobiles, reach, sign_ins
from db.fields import Form
from db.models import Account, Link, LinkStatus, Role


def change(
    session: Session,
    account_id: int,
    *,
    by: Account,
    full_name: str,
    mobile: str | None,
    role: Role,
    institution_id: int | None = None,
    division_code: str | None = None,
) -> Account:
    """Change someone's name and number, and the role, institution or area; these end all its sign-ins.

    `mobile` None leaves the number. An enterprise account stays one, and nobody becomes one: they come from
    registrations. Raises Refused with every wrong field, and for one's own role, so that an administrator is
    always left.
    """
    account = accounts.managed(session, account_id, by)
    form = Form()
    shown = form.person("full_name", "姓名", full_name)
    number = account.mobile if mobile is None else form.identifier("mobile", identifiers.mobile, mobile)
    if Role.enterprise in (account.role, role) and account.role != role:
        form.say("role", "使用单位账号须经企业注册和审核产生，不能与其他身份互换")
    if account.id == by.id and role != account.role:
        form.say("role", "不能修改自己的身份，请由另一位管理员操作")
    accounts.check_place(session, form, role, institution_id, division_code)
    form.done()
    place = {
        "role": role,
        "institution_id": institution_id if role == Role.institution else None,
        "division_code": division_code if role in reach.BUREAU else None,
    }
    if any(getattr(account, name) != value for name, value in place.items()):
        sign_ins.end_all(session, account.id)
    if number != account.mobile:
        mobiles.set_number(session, account, number)
    account.sqlmodel_update({"full_name": shown, **place})
    session.flush()
    return account


def dependents(session: Session, account_id: int, *, by: Account) -> list[str]:
    """What hangs on an account that is about to be suspended, one sentence each."""
    account = accounts.managed(session, account_id, by)
    said = []
    others = select(func.count()).where(
        Account.role == account.role, col(Account.is_active), Account.id != account.id
    )
    for column, what in (("enterprise_id", "使用单位"), ("institution_id", "技术机构")):
        place = getattr(account, column)
        if place is not None and not session.scalar(others.where(getattr(Account, column) == place)):
            said.append(f"这是该{what}唯一可以登录的账号，停用后其业务无人办理")
    links = (Link.account_id == account.id, Link.status == LinkStatus.granted)
    if count := session.scalar(select(func.count()).where(*links)):
        said.append(f"已获 {count} 家企业授权，停用后不能再为它们办理")
    if account.role in reach.BUREAU and not session.scalar(others):
        said.append(f"这是唯一可以登录的{account.role}账号")
    return said
